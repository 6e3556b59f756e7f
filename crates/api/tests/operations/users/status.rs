//! `POST users.setStatus`, `GET users.getStatus`, `users.getPresence` and `users.presence`.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{encoded, plain, rows, usual};

const SET: &str = "/api/v1/users.setStatus";
const GET: &str = "/api/v1/users.getStatus";
const GET_PRESENCE: &str = "/api/v1/users.getPresence";
const PRESENCE: &str = "/api/v1/users.presence";

fn done() -> Value {
    json!({"success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn users_say_whether_they_are_there() {
    let table = [
        (json!({"status": "online"}), "online", "", "online"),
        (json!({"status": "away", "message": "Back at two"}), "away", "Back at two", "away"),
        (json!({"message": "  At lunch  "}), "away", "At lunch", "away"),
        (json!({"status": "busy"}), "busy", "At lunch", "busy"),
        (json!({"status": "", "message": ""}), "busy", "", "busy"),
        (json!({"status": "offline", "message": "ä".repeat(200)}), "offline", &"ä".repeat(120), "offline"),
        (json!({"status": "online", "message": "", "expiresAt": "2030-01-01T00:00:00.000Z"}), "online", "", "online"),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let admin = app.admin().await;
        for (body, status, text, default) in &table {
            post(&app, &mary, SET, body).await.is(200, &done());
            let own = json!({"_id": mary.user_id, "status": status, "connectionStatus": status, "message": text, "success": true});
            get(&app, &mary, GET).await.is(200, &own);
            let of_others = json!({"_id": mary.user_id, "status": status, "message": text, "success": true});
            get(&app, &admin, &format!("{GET}?userId={}", mary.user_id)).await.is(200, &of_others);
            let seen = get(&app, &mary, ME).await.ok();
            assert_eq!(
                (&seen["status"], &seen["statusDefault"], &seen["statusText"]),
                (&json!(status), &json!(default), &json!(text))
            );
        }
        post(&app, &mary, SET, &json!({"status": "busy", "userId": mary.user_id})).await.is(200, &done());
        post(&app, &mary, SET, &json!({"status": "away", "username": "MARY"})).await.is(200, &done());
        assert_eq!(get(&app, &mary, GET).await.ok()["status"], "away");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_status_is_refused() {
    let nothing = plain("Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation");
    let invalid_status =
        coded("Valid status types include online, away, offline, and busy. [error-invalid-status]", "error-invalid-status");
    let table = [
        (json!({}), nothing.clone()),
        (json!({"userId": "x"}), nothing),
        (json!({"status": "Online"}), invalid_status.clone()),
        (json!({"status": "nonsense", "message": "x"}), invalid_status),
        (json!({"status": ["online"]}), invalid("must be string")),
        (json!({"message": {}}), invalid("must be string")),
        (json!({"message": "x".repeat(1_025)}), invalid("must NOT have more than 1024 characters")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, admin) = (app.user("mary", &["user"]).await, app.admin().await);
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = post(&app, &mary, SET, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        for body in [json!({"status": "busy", "userId": "nonsense"}), json!({"status": "busy", "username": "nobody"})] {
            post(&app, &admin, SET, &body).await.is(400, &nobody_found());
        }
        app.post(SET, &json!({"status": "online"})).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_what_may_be_said() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        set(&app, "Accounts_AllowUserStatusMessageChange", json!(false)).await;
        let refused = coded("Change status is not allowed [error-not-allowed]", "error-not-allowed");
        post(&app, &mary, SET, &json!({"message": "x"})).await.is(400, &refused);
        post(&app, &mary, SET, &json!({"status": "busy", "message": "x"})).await.is(400, &refused);
        post(&app, &mary, SET, &json!({"status": "busy"})).await.is(200, &done());
        set(&app, "Accounts_AllowInvisibleStatusOption", json!(false)).await;
        let refused = coded("Invisible status is disabled [error-status-not-allowed]", "error-status-not-allowed");
        post(&app, &mary, SET, &json!({"status": "offline"})).await.is(400, &refused);
        post(&app, &mary, SET, &json!({"status": "away"})).await.is(200, &done());
        assert_eq!(get(&app, &mary, GET).await.ok()["message"], "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_say_it_of_others() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, admin) = (app.user("mary", &["user"]).await, app.admin().await);
        let body = json!({"status": "busy", "message": "At lunch", "userId": mary.user_id});
        for role in ["user", "bot", "livechat-agent", "livechat-manager"] {
            let login = app.user(&format!("{role}.1"), &[role]).await;
            post(&app, &login, SET, &body).await.is(403, &unauthorized());
            post(&app, &login, SET, &json!({"status": "busy", "username": "nobody"})).await.is(403, &unauthorized());
        }
        post(&app, &admin, SET, &body).await.is(200, &done());
        assert_eq!(get(&app, &mary, GET).await.ok()["status"], "busy");
        post(&app, &admin, SET, &json!({"status": "away", "user": "mary"})).await.is(200, &done());
        grant(&app, "edit-other-user-info", &["livechat-manager"]).await;
        let manager = app.log_in("livechat-manager.1").await;
        post(&app, &manager, SET, &json!({"status": "online", "username": "mary"})).await.is(200, &done());
        post(&app, &admin, SET, &body).await.is(403, &unauthorized());
        assert_eq!(get(&app, &mary, GET).await.ok()["status"], "online");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_one_user_is_told() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["livechat-agent"]).await);
        post(&app, &mary, SET, &json!({"status": "busy", "message": "At lunch"})).await.ok();
        let status = json!({"_id": mary.user_id, "status": "busy", "message": "At lunch", "success": true});
        let presence = json!({"presence": "busy", "success": true});
        for query in [format!("userId={}", mary.user_id), "username=mary".to_owned(), "user=Mary".to_owned()] {
            get(&app, &john, &format!("{GET}?{query}")).await.is(200, &status);
            get(&app, &john, &format!("{GET_PRESENCE}?{query}")).await.is(200, &presence);
        }
        let mut own = status;
        own["connectionStatus"] = json!("busy");
        let last_login = "2024-01-31T12:00:00.000Z";
        let presence = json!({"presence": "busy", "connectionStatus": "busy", "lastLogin": last_login, "success": true});
        for query in [String::new(), format!("userId={}", mary.user_id), "username=MARY".to_owned(), "userId=".to_owned()] {
            get(&app, &mary, &format!("{GET}?{query}")).await.is(200, &own);
            get(&app, &mary, &format!("{GET_PRESENCE}?{query}")).await.is(200, &presence);
        }
        for path in [GET, GET_PRESENCE] {
            get(&app, &john, &format!("{path}?userId=nonsense")).await.is(400, &nobody_found());
            get(&app, &john, &format!("{path}?username=nobody")).await.is(400, &nobody_found());
            get(&app, &john, &format!("{path}?username[$ne]=x")).await.is(400, &invalid_query("must be string"));
            app.get(path).await.is(401, &not_logged_in());
            app.get(&format!("{path}?username=mary")).await.is(401, &not_logged_in());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_is_told() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["livechat-agent"]).await);
        let admin = app.admin().await;
        let cat =
            json!({"_id": "rocket.cat", "username": "rocket.cat", "name": "Rocket.Cat", "status": "online", "statusText": ""});
        let presence = |users: Value, full: bool| json!({"users": users, "full": full, "success": true});
        get(&app, &john, PRESENCE).await.is(200, &presence(json!([cat]), true));
        app.advance(Duration::from_secs(1));
        post(&app, &mary, SET, &json!({"status": "away"})).await.ok();
        let marys = listed(&mary.user_id, "mary", "away");
        get(&app, &john, PRESENCE).await.is(200, &presence(json!([marys, cat]), true));

        // What has changed since.
        let since = |moment: &str| format!("{PRESENCE}?from={}", encoded(moment));
        get(&app, &john, &since("2024-01-31T12:00:00.000Z")).await.is(200, &presence(json!([marys]), false));
        get(&app, &john, &since("2024-01-31T12:00:00.999Z")).await.is(200, &presence(json!([marys]), false));
        get(&app, &john, &since("2024-01-31T12:00:01.000Z")).await.is(200, &presence(json!([]), false));
        get(&app, &john, &since("2030-01-01T00:00:00.000Z")).await.is(200, &presence(json!([]), false));
        app.advance(Duration::from_secs(1));
        post(&app, &admin, SET_ACTIVE, &json!({"userId": mary.user_id, "activeStatus": false})).await.ok();
        let gone = listed(&mary.user_id, "mary", "offline");
        get(&app, &john, &since("2024-01-31T12:00:01.000Z")).await.is(200, &presence(json!([gone]), false));

        // Whoever was away for ten minutes gets the whole list.
        app.advance(Duration::from_mins(10));
        get(&app, &john, &since("2024-01-31T12:00:02.001Z")).await.is(200, &presence(json!([]), false));
        get(&app, &john, &since("2024-01-31T12:00:02.000Z")).await.is(200, &presence(json!([cat]), true));
        for bad in ["", "yesterday", "1706702400000"] {
            let told = plain("The \"from\" query parameter must be a valid date.");
            get(&app, &john, &since(bad)).await.is(400, &told);
        }
        get(&app, &john, &format!("{PRESENCE}?from[]=x")).await.is(400, &invalid_query("must be string"));
        app.get(PRESENCE).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_are_named_are_told_of() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john, off) =
            (app.user("mary", &["user"]).await, app.user("john", &["user"]).await, app.user("off", &["user"]).await);
        let admin = app.admin().await;
        post(&app, &admin, SET_ACTIVE, &json!({"userId": off.user_id, "activeStatus": false})).await.ok();
        let [marys, johns] = [listed(&mary.user_id, "mary", "offline"), listed(&john.user_id, "john", "offline")];
        let table = [
            (mary.user_id.clone(), json!([marys])),
            (format!("{},{}", mary.user_id, john.user_id), json!([johns, marys])),
            (format!(" {} , ,{},nonsense,{}", john.user_id, john.user_id, off.user_id), json!([johns])),
            (String::new(), json!([])),
            (",".to_owned(), json!([])),
            ("' OR 1=1 --".to_owned(), json!([])),
        ];
        for (ids, users) in &table {
            for more in ["", "&from=2024-01-31T12:00:00.000Z"] {
                let path = format!("{PRESENCE}?ids={}{more}", encoded(ids));
                get(&app, &mary, &path).await.is(200, &json!({"users": users, "full": false, "success": true}));
            }
        }
        let listed = format!("{PRESENCE}?ids[]={}&ids[]={}", mary.user_id, john.user_id);
        get(&app, &mary, &listed).await.is(200, &json!({"users": [johns, marys], "full": false, "success": true}));
        get(&app, &mary, &format!("{PRESENCE}?ids[$ne]=x")).await.is(400, &invalid_query("must be array"));
        get(&app, &mary, &format!("{PRESENCE}?ids[0][]=x")).await.is(400, &invalid_query("must be string"));
        let many = vec!["x"; 501].join(",");
        get(&app, &mary, &format!("{PRESENCE}?ids={many},{}", mary.user_id))
            .await
            .is(200, &json!({"users": [], "full": false, "success": true}));
    }
}
