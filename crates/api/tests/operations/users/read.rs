//! `GET users.info` and `GET users.getAvatar`.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{encoded, plain, usual};

const GET_AVATAR: &str = "/api/v1/users.getAvatar";

#[tokio::test(flavor = "multi_thread")]
async fn how_much_one_sees_depends_on_who_looks() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary, john) = (app.admin().await, app.user("mary", &["user"]).await, app.user("john", &["user"]).await);
        let agent = app.user("agent", &["livechat-agent"]).await;
        let all = whole(&mary.user_id, "mary", json!({"lastLogin": "2024-01-31T12:00:00.000Z"}));
        let some = seen_by_others(&mary.user_id, "mary");
        for (login, user, sees_all) in [(&admin, &all, true), (&mary, &all, false), (&john, &some, false), (&agent, &some, false)] {
            let mut expected = json!({"user": user, "success": true});
            expected["user"]["canViewAllInfo"] = json!(sees_all);
            for query in [
                format!("userId={}", mary.user_id),
                "username=mary".to_owned(),
                "username=MARY".to_owned(),
                "user=mary".to_owned(),
                "email=Mary@example.com".to_owned(),
                format!("userId={}&username=john&email=john@example.com", mary.user_id),
                "username=mary&includeUserRooms=true".to_owned(),
                "username=mary&fields=%7B%7D&unknown=1".to_owned(),
            ] {
                get(&app, login, &format!("{INFO}?{query}")).await.is(200, &expected);
            }
        }
        grant(&app, "view-full-other-user-info", &["livechat-agent"]).await;
        let seen = get(&app, &agent, &format!("{INFO}?username=mary")).await.ok()["user"].clone();
        assert_eq!((&seen["emails"], &seen["canViewAllInfo"]), (&all["emails"], &json!(true)));
        let seen = get(&app, &admin, &format!("{INFO}?username=mary")).await.ok()["user"].clone();
        assert_eq!((&seen["emails"], &seen["canViewAllInfo"]), (&Value::Null, &json!(false)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_chose_is_for_those_who_see_all() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary, john) = (app.admin().await, app.user("mary", &["user"]).await, app.user("john", &["user"]).await);
        post(&app, &mary, "/api/v1/users.setPreferences", &json!({"data": {"language": "fr"}})).await.ok();
        for (login, settings) in [
            (&admin, json!({"preferences": {"language": "fr"}})),
            (&mary, json!({"preferences": {"language": "fr"}})),
            (&john, Value::Null),
        ] {
            assert_eq!(get(&app, login, &format!("{INFO}?username=mary")).await.ok()["user"]["settings"], settings);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_knows_nobody_sees() {
    let table = [
        (String::new(), nobody_named()),
        ("userId=&username=%20&email=".to_owned(), nobody_named()),
        ("importId=1".to_owned(), nobody_named()),
        ("userId=nonsense".to_owned(), plain("User not found.")),
        ("username=nobody".to_owned(), plain("User not found.")),
        ("email=nobody@example.com".to_owned(), plain("User not found.")),
        ("userId=mary".to_owned(), plain("User not found.")),
        (format!("username={}", encoded("' OR 1=1 --")), plain("User not found.")),
        ("username=%25".to_owned(), plain("User not found.")),
        ("username[$ne]=x".to_owned(), invalid_query("must be string")),
        ("userId[]=x".to_owned(), invalid_query("must be string")),
        ("userId=x&userId=y".to_owned(), invalid_query("must be string")),
        ("username=mary&includeUserRooms=perhaps".to_owned(), invalid_query("must be boolean")),
        (format!("username={}", "x".repeat(1_025)), invalid_query("must NOT have more than 1024 characters")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for (query, expected) in &table {
            let reply = get(&app, &mary, &format!("{INFO}?{query}")).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{query}");
        }
        app.get(&format!("{INFO}?username=mary")).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_sent_to_a_picture() {
    for (address, prefix) in [("", ""), ("https://chat.example.com/", "https://chat.example.com")] {
        for engine in Engine::all() {
            let app = usual().setting("Site_Url", address).start(&engine).await;
            let mary = app.user("mary", &["user"]).await;
            for query in [format!("userId={}", mary.user_id), "username=MARY".to_owned(), "user=mary".to_owned()] {
                let reply = app.get(&format!("{GET_AVATAR}?{query}")).await;
                let place = reply.headers["location"].to_str().expect("it is ASCII").to_owned();
                assert_eq!((reply.status.as_u16(), place), (307, format!("{prefix}/avatar/mary")), "{query}");
            }
            for (query, expected) in [
                ("", nobody_named()),
                ("username=", nobody_named()),
                ("username=nobody", nobody_found()),
                ("userId=mary", nobody_found()),
                ("username[]=mary", invalid_query("must be string")),
            ] {
                app.get(&format!("{GET_AVATAR}?{query}")).await.is(400, &expected);
            }
        }
    }
}
