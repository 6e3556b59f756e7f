//! Visitors as users find them: one by its id, many by what they are called, a few to choose from.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::omnichannel_users::{delete, somebody};
use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::support::{VISITOR, coded, encoded, plain, tamper, usual};

const INFO: &str = "/api/v1/livechat/visitors.info";
const SEARCH: &str = "/api/v1/livechat/visitors.search";
const CHOOSE: &str = "/api/v1/livechat/visitors.autocomplete";

/// Registers what `members` say, a second after whoever came before; gives the id.
async fn register(app: &TestApp, members: Value) -> String {
    app.advance(Duration::from_secs(1));
    let answer = app.post(VISITOR, &json!({"visitor": members})).await.ok();
    answer["visitor"]["_id"].as_str().expect("a visitor has an id").to_owned()
}

fn missing(name: &str) -> Value {
    coded(&format!("must have required property '{name}' [invalid-params]"), "invalid-params")
}

fn additional() -> Value {
    coded("must NOT have additional properties [invalid-params]", "invalid-params")
}

/// Checks that only those may call who may see rooms.
async fn is_for_agents(app: &TestApp, path: &str) {
    app.get(path).await.is(401, &not_logged_in());
    let user = somebody(app, "just-a-user", &["user"]).await;
    get(app, &user, path).await.is(403, &not_permitted());
    for role in ["livechat-monitor", "livechat-manager", "admin"] {
        let staff = somebody(app, &format!("one-with-{role}"), &[role, "user"]).await;
        get(app, &staff, path).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_visitor_is_shown_without_its_token() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let members = json!({"token": "the-secret", "name": "Mary", "email": "mary@example.com", "phone": "1"});
        let id = register(&app, members).await;
        let room = app.room("the-secret").await;
        let expected = json!({
            "visitor": {
                "_id": id,
                "username": "guest-1",
                "name": "Mary",
                "status": "online",
                "ts": "2024-01-31T12:00:01.000Z",
                "_updatedAt": "2024-01-31T12:00:01.000Z",
                "phone": [{"phoneNumber": "1"}],
                "visitorEmails": [{"address": "mary@example.com"}],
                "lastChat": {"_id": room, "ts": "2024-01-31T12:00:01.000Z"},
            },
            "success": true,
        });
        get(&app, &agent, &format!("{INFO}?visitorId={id}")).await.is(200, &expected);
        is_for_agents(&app, &format!("{INFO}?visitorId={id}")).await;
        for nobody in ["nobody", "the-secret", "guest-1", "", "mary@example.com"] {
            get(&app, &agent, &format!("{INFO}?visitorId={nobody}")).await.is(400, &plain("visitor-not-found"));
        }
        get(&app, &agent, INFO).await.is(400, &missing("visitorId"));
        get(&app, &agent, &format!("{INFO}?visitorId={id}&more=1")).await.is(400, &additional());
        tamper(&app, "UPDATE visitors SET token = NULL").await;
        let answer = get(&app, &agent, &format!("{INFO}?visitorId={id}")).await;
        answer.is(400, &plain("visitor-not-found"));
    }
}

/// The names of those who are found, in their order, and how many there are.
async fn found(app: &TestApp, login: &Login, query: &str) -> (Vec<String>, Value) {
    let answer = get(app, login, &format!("{SEARCH}?{query}")).await.ok();
    let visitors = answer["visitors"].as_array().expect("it is a list");
    assert_eq!(answer["count"], visitors.len());
    let name = |visitor: &Value| visitor["name"].as_str().or(visitor["username"].as_str()).map(str::to_owned);
    (visitors.iter().map(|visitor| name(visitor).expect("a visitor has a name")).collect(), answer["total"].clone())
}

/// Mary, Bob and Zoe, and somebody without a name.
async fn crowd(app: &TestApp) {
    let admin = app.admin().await;
    let data = json!({"field": "shoe", "label": "Shoe", "scope": "visitor", "visibility": "visible", "searchable": true});
    post(app, &admin, "/api/v1/livechat/custom-fields.save", &json!({"customFieldData": data})).await.ok();
    let shoe = json!([{"key": "shoe", "value": "Sandal 42", "overwrite": true}]);
    register(app, json!({"token": "m", "name": "Mary Ann", "email": "mary@example.com", "phone": "555-1"})).await;
    register(app, json!({"token": "b", "name": "bob 100%_\\", "username": "bobby", "customFields": shoe})).await;
    register(app, json!({"token": "z", "name": "Zoë ÄRGER", "email": "zoe@example.com"})).await;
    register(app, json!({"token": "n"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_parts_of_names_and_whole_addresses() {
    let table: [(&str, &[&str]); 18] = [
        ("", &["guest-4", "Zoë ÄRGER", "bob 100%_\\", "Mary Ann"]),
        ("mary", &["Mary Ann"]),
        ("RY AN", &["Mary Ann"]),
        ("mary@example.com", &["Mary Ann"]),
        ("MARY@example.com ", &["Mary Ann"]),
        ("mary@example", &[]),
        ("555-1", &["Mary Ann"]),
        ("555", &[]),
        ("ärger", &["Zoë ÄRGER"]),
        ("guest-", &["guest-4", "Zoë ÄRGER", "Mary Ann"]),
        ("sandal 4", &["bob 100%_\\"]),
        ("100%_", &["bob 100%_\\"]),
        ("%", &["bob 100%_\\"]),
        ("_", &["bob 100%_\\"]),
        ("\\", &["bob 100%_\\"]),
        (".*", &[]),
        ("(", &[]),
        ("' OR 1=1 --", &[]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        crowd(&app).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        for (term, expected) in table {
            let (names, total) = found(&app, &agent, &format!("term={}", encoded(term))).await;
            assert_eq!((names, total), (expected.iter().map(|name| (*name).to_owned()).collect(), json!(expected.len())), "{term}");
        }
        tamper(&app, "UPDATE visitors SET token = NULL WHERE username = 'bobby'").await;
        assert_eq!(found(&app, &agent, "term=").await.1, 3, "whose erasure has begun is gone");
        assert_eq!(found(&app, &agent, "term=bob").await, (vec![], json!(0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_shown_as_far_as_a_list_needs() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        crowd(&app).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let room = app.room("m").await;
        let answer = get(&app, &agent, &format!("{SEARCH}?term=mary")).await;
        let expected = json!({
            "visitors": [{
                "_id": answer.body["visitors"][0]["_id"],
                "username": "guest-1",
                "name": "Mary Ann",
                "phone": [{"phoneNumber": "555-1"}],
                "visitorEmails": [{"address": "mary@example.com"}],
                "lastChat": {"_id": room, "ts": "2024-01-31T12:00:04.000Z"},
            }],
            "count": 1,
            "offset": 0,
            "total": 1,
            "success": true,
        });
        answer.is(200, &expected);
        let bob = get(&app, &agent, &format!("{SEARCH}?term=bobby")).await.ok()["visitors"][0].clone();
        assert_eq!(bob["livechatData"], json!({"shoe": "Sandal 42"}));
        let projected = get(&app, &agent, &format!("{SEARCH}?term=bobby&fields={}", encoded(r#"{"name":1}"#))).await.ok();
        assert_eq!(projected["visitors"], json!([{"_id": bob["_id"], "name": "bob 100%_\\"}]));

        get(&app, &agent, SEARCH).await.is(400, &missing("term"));
        get(&app, &agent, &format!("{SEARCH}?term=a&more=1")).await.is(400, &additional());
        let long = "t".repeat(1_025);
        let told = "must NOT have more than 1024 characters [invalid-params]";
        get(&app, &agent, &format!("{SEARCH}?term={long}")).await.is(400, &coded(told, "invalid-params"));
        is_for_agents(&app, &format!("{SEARCH}?term=")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_visitors_is_sorted_and_paged() {
    let table = [
        (r#"{"ts":1}"#, ["Mary Ann", "bob 100%_\\", "Zoë ÄRGER", "guest-4"]),
        (r#"{"name":1}"#, ["guest-4", "bob 100%_\\", "Mary Ann", "Zoë ÄRGER"]),
        (r#"{"name":-1}"#, ["Zoë ÄRGER", "Mary Ann", "bob 100%_\\", "guest-4"]),
        (r#"{"username":1}"#, ["bob 100%_\\", "Mary Ann", "Zoë ÄRGER", "guest-4"]),
        (r#"{"username":-1}"#, ["guest-4", "Zoë ÄRGER", "Mary Ann", "bob 100%_\\"]),
        (r#"{"shoe":1}"#, ["guest-4", "Zoë ÄRGER", "bob 100%_\\", "Mary Ann"]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        crowd(&app).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        for (sort, expected) in table {
            let (names, _) = found(&app, &agent, &format!("term=&sort={}", encoded(sort))).await;
            assert_eq!(names, expected, "{sort}");
        }
        app.advance(Duration::from_secs(1));
        app.room("b").await;
        app.advance(Duration::from_secs(1));
        app.room("m").await;
        for key in ["lastChat.ts", "lastChat"] {
            let by_chat = |direction: i64| format!("term=&sort={}", encoded(&json!({key: direction}).to_string()));
            assert_eq!(found(&app, &agent, &by_chat(-1)).await.0[..2], ["Mary Ann", "bob 100%_\\"]);
            assert_eq!(found(&app, &agent, &by_chat(1)).await.0[2..], ["bob 100%_\\", "Mary Ann"], "those without come first");
        }
        let by_chat = format!("term=a&sort={}", encoded(r#"{"lastChat.ts":-1}"#));
        let expected = ["Mary Ann", "bob 100%_\\"].map(str::to_owned);
        assert_eq!(found(&app, &agent, &by_chat).await, (expected.into(), json!(2)));

        let page = get(&app, &agent, &format!("{SEARCH}?term=&count=2&offset=1")).await.ok();
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(2), &json!(1), &json!(4)));
        assert_eq!(found(&app, &agent, "term=&count=2&offset=1").await.0, ["Zoë ÄRGER", "bob 100%_\\"]);
        assert_eq!(found(&app, &agent, "term=&count=0").await.0.len(), 4);
        assert_eq!(found(&app, &agent, "term=&offset=4").await, (vec![], json!(4)));
        let told = "Invalid sort parameter provided: \"x\" [error-invalid-sort]";
        get(&app, &agent, &format!("{SEARCH}?term=&sort=x")).await.is(400, &coded(told, "error-invalid-sort"));
    }
}

/// More than one statement reads at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_keeps_its_order() {
    let app = usual().start(&Engine::sqlite()).await;
    let agent = somebody(&app, "agent", &["livechat-agent"]).await;
    for number in 0..600 {
        register(&app, json!({"token": format!("t-{number}"), "name": format!("{number}")})).await;
    }
    let (names, total) = found(&app, &agent, "term=&count=0").await;
    assert_eq!(total, 600);
    assert!(names.iter().enumerate().all(|(place, name)| *name == (599 - place).to_string()), "{names:?}");
}

/// Who is offered for a selector.
async fn offered(app: &TestApp, login: &Login, selector: &Value) -> Vec<Value> {
    let answer = get(app, login, &format!("{CHOOSE}?selector={}", encoded(&selector.to_string()))).await.ok();
    answer["items"].as_array().expect("it is a list").clone()
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["name"].as_str().expect("who is offered has a name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_are_offered_whose_names_begin_so() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        crowd(&app).await;
        let mark = register(&app, json!({"token": "k", "name": "MARK"})).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let items = offered(&app, &agent, &json!({"term": "mark"})).await;
        assert_eq!(items, [json!({"_id": mark, "name": "MARK", "username": "guest-5", "custom_name": "guest-5 - MARK"})]);
        for (selector, expected) in [
            (json!({"term": "ma"}), &["MARK", "Mary Ann"] as &[&str]),
            (json!({"term": "ma", "exceptions": [mark]}), &["Mary Ann"]),
            (json!({"term": "ZOË ä"}), &["Zoë ÄRGER"]),
            (json!({"term": "ann"}), &[]),
            (json!({"term": "%"}), &[]),
            (json!({"term": "bob 100%_\\"}), &["bob 100%_\\"]),
            (json!({"term": "bob_"}), &[]),
            (json!({"term": "z"}), &["Zoë ÄRGER"]),
            (json!({"exceptions": [], "conditions": {"username": "guest-1"}}), &["bob 100%_\\", "MARK", "Mary Ann", "Zoë ÄRGER"]),
        ] {
            assert_eq!(names(&offered(&app, &agent, &selector).await), expected, "{selector}");
        }
        for number in 0..10 {
            register(&app, json!({"token": format!("a-{number}"), "name": format!("Anna {number}")})).await;
        }
        assert_eq!(offered(&app, &agent, &json!({"term": ""})).await.len(), 10, "no more than ten");
        tamper(&app, "UPDATE visitors SET token = NULL WHERE name = 'MARK'").await;
        assert_eq!(offered(&app, &agent, &json!({"term": "mark"})).await, [json!(null); 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_has_to_be_one() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        get(&app, &agent, CHOOSE).await.is(400, &missing("selector"));
        for bad in ["", "x", "[]", "\"term\"", "12", r#"{"term":"a\u0000"}"#, r#"{"term":"a","exceptions":["\u0000"]}"#] {
            let path = format!("{CHOOSE}?selector={}", encoded(bad));
            get(&app, &agent, &path).await.is(400, &plain("Invalid selector"));
        }
        is_for_agents(&app, &format!("{CHOOSE}?selector={}", encoded("{}"))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_are_found_by_id_and_by_token() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) =
            (somebody(&app, "manager", &["livechat-manager"]).await, somebody(&app, "agent", &["livechat-agent"]).await);
        let id = register(&app, json!({"token": "mary/1", "name": "Mary"})).await;
        register(&app, json!({"token": "other"})).await;
        let path = |name: &str| format!("{VISITOR}/{}/room", encoded(name));
        let none = json!({"rooms": [], "success": true});
        get(&app, &manager, &path("mary/1")).await.is(200, &none);
        let room = app.room("mary%2F1").await;
        let unserved = json!({"rooms": [{"_id": room, "t": "l", "cl": false}], "success": true});
        crate::requests::serve_all_rooms(&app, "agent").await;
        let served = json!({"_id": "agent", "username": "agent", "ts": "2024-01-31T12:00:00.000Z"});
        let mut expected = unserved;
        expected["rooms"][0]["servedBy"] = served;
        for name in ["mary/1", &id] {
            get(&app, &manager, &path(name)).await.is(200, &expected);
        }
        for nobody in ["other", "nobody", " ", &"x".repeat(1_025)] {
            get(&app, &manager, &path(nobody)).await.is(200, &none);
        }
        app.get(&path(&id)).await.is(401, &not_logged_in());
        get(&app, &agent, &path(&id)).await.is(403, &not_permitted());

        app.services
            .close_by_visitor(usher_domain::visitor::VisitorToken::new("mary/1").expect("it is one"), room)
            .await
            .expect("it closes");
        get(&app, &manager, &path(&id)).await.is(200, &none);
        delete(&app, &manager, &format!("{VISITOR}/{}", encoded("mary/1"))).await.ok();
        get(&app, &manager, &path(&id)).await.is(200, &none);
    }
}
