//! Methods of visitors, as older widgets call them.

use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_testkit::TestApp;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{bare_error, call, call_anonymously, error, failure, mismatch, result};
use crate::requests::insert_field;
use crate::support::{column, made_id, rows, tamper, usual};

const REGISTER: &str = "livechat:registerGuest";
const LOG_IN: &str = "livechat:loginByToken";
const SEND: &str = "sendMessageLivechat";
const HISTORY: &str = "livechat:loadHistory";

/// The error of a parameter of the guest who registers.
async fn refused(app: &TestApp, method: &str, parameters: &Value) -> Value {
    failure(call_anonymously(app, method, parameters.clone()).await, 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_registers() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let fields = json!([{"key": "shoe", "value": "42", "overwrite": true, "scope": "visitor"}]);
        let guest = json!({"token": "token-1", "name": "Mary", "email": "Mary@Example.com", "customFields": fields, "other": 1});
        let answer = result(call_anonymously(&app, REGISTER, json!([guest])).await);
        let id = made_id(&answer["userId"]).to_owned();
        let visitor = json!({"_id": id, "token": "token-1", "username": "guest-1", "name": "Mary",
            "visitorEmails": [{"address": "mary@example.com"}]});
        assert_eq!(answer, json!({"userId": id, "visitor": visitor}));
        let of_rest = app.get("/api/v1/livechat/visitor/token-1").await.ok();
        assert_eq!((&of_rest["visitor"]["_id"], &of_rest["visitor"]["name"]), (&json!(id), &json!("Mary")));

        let renamed = result(call_anonymously(&app, REGISTER, json!([{"token": "token-1", "name": "May"}])).await);
        assert_eq!((&renamed["userId"], &renamed["visitor"]["name"]), (&json!(id), &json!("May")));
        let nameless = result(call_anonymously(&app, REGISTER, json!([{"token": "token-2"}])).await);
        let other = made_id(&nameless["userId"]).to_owned();
        assert_eq!(nameless["visitor"], json!({"_id": other, "token": "token-2", "username": "guest-3"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_says_what_custom_fields_ask() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        for field in ["shoe", "hat"] {
            insert_field(&app, field, Scope::Visitor).await;
        }
        let shoe = |value: &str, overwrite: bool| json!({"key": "shoe", "value": value, "overwrite": overwrite});
        let of_room = json!({"key": "hat", "value": "L", "overwrite": true, "scope": "room"});
        for (fields, expected) in [
            (json!([shoe("42", true), of_room]), "42"),
            (json!([shoe("43", false)]), "42"),
            (json!([{"key": "shoe", "value": "44"}]), "42"),
            (json!([{"key": "shoe", "value": "45", "overwrite": true, "scope": "visitor"}]), "45"),
            (json!([]), "45"),
        ] {
            result(call_anonymously(&app, REGISTER, json!([{"token": "token-1", "customFields": fields}])).await);
            let visitor = app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"].clone();
            assert_eq!(visitor["livechatData"], json!({"shoe": expected}), "{fields}");
        }
    }
}

const PAGE_VISITED: &str = "livechat:pageVisited";

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_tells_of_pages() {
    const PAGES: &str = "SELECT 'waits ' || href FROM page_visits
                         UNION ALL SELECT 'told ' || text FROM messages WHERE kind = 'livechat_navigation_history'";
    let page = |href: &str| json!({"change": "url", "title": "Shop", "location": {"href": href}, "more": 1});
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for parameters in [json!(["token-1", null, page("/1")]), json!(["token-1", room, page("/2")])] {
            assert_eq!(result(call_anonymously(&app, PAGE_VISITED, parameters).await), Value::Null);
        }
        assert_eq!(column(&app, PAGES).await, ["waits /1", "told Shop - /2"]);
        let before = rows(&app).await;
        for (parameters, told) in [
            (json!([]), "Expected string, got undefined"),
            (json!([{"$ne": null}, null, page("/3")]), "Expected string, got object"),
            (json!(["token-1", {"$ne": null}, page("/3")]), "Expected string, got object"),
            (json!(["token-1", room]), "Expected object, got undefined"),
            (json!(["token-1", room, {}]), "Missing key 'change'"),
            (json!(["token-1", room, {"change": "url", "title": "", "location": {}}]), "Missing key 'href' in field location"),
        ] {
            assert_eq!(refused(&app, PAGE_VISITED, &parameters).await, mismatch(told), "{parameters}");
        }
        let title = json!({"change": "title", "title": "Shop", "location": {"href": "/4"}});
        assert_eq!(result(call_anonymously(&app, PAGE_VISITED, json!(["token-1", room, title])).await), Value::Null);
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_that_cannot_be_are_not_registered() {
    let table = [
        (json!([]), mismatch("Expected object, got undefined")),
        (json!([null]), mismatch("Expected object, got undefined")),
        (json!(["token-1"]), mismatch("Expected object, got string")),
        (json!([[]]), mismatch("Expected plain object")),
        (json!([{}]), mismatch("Missing key 'token'")),
        (json!([{"token": {"$ne": null}}]), mismatch("Expected string, got object in field token")),
        (json!([{"token": "token-1", "name": 12}]), mismatch("Expected string, got number in field name")),
        (json!([{"token": "token-1", "email": null}]), mismatch("Expected string, got null in field email")),
        (json!([{"token": "token-1", "customFields": {}}]), mismatch("Expected array, got object in field customFields")),
        (json!([{"token": "token-1", "customFields": [{"key": "a"}]}]), mismatch("Missing key 'value' in field customFields[0]")),
        (json!([{"token": "t\u{0}"}]), mismatch("Failed Match.Where validation in field token")),
        (json!([{"token": ""}]), bare_error("invalid-token")),
        (json!([{"token": "token-1", "department": "sales"}]), bare_error("error-invalid-department")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let before = rows(&app).await;
        for (parameters, expected) in &table {
            assert_eq!(refused(&app, REGISTER, parameters).await, *expected, "{parameters}");
        }
        let mut after = rows(&app).await;
        after.insert("counters".to_owned(), before["counters"].clone());
        assert_eq!(after, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_token_is_known_is_told() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        assert_eq!(result(call_anonymously(&app, LOG_IN, json!(["token-1"])).await), json!({"_id": visitor["_id"]}));
        for unknown in ["token-2", "", "TOKEN-1", "' OR 1=1 --"] {
            assert_eq!(result(call_anonymously(&app, LOG_IN, json!([unknown])).await), Value::Null, "{unknown}");
        }
        for (parameters, told) in [
            (json!([]), "Expected string, got undefined"),
            (json!([{"$ne": null}]), "Expected string, got object"),
            (json!([["token-1"]]), "Expected string, got object"),
            (json!([7]), "Expected string, got number"),
        ] {
            assert_eq!(refused(&app, LOG_IN, &parameters).await, mismatch(told), "{parameters}");
        }
        let mary = app.user("mary", &["user"]).await;
        assert_eq!(result(call(&app, &mary, LOG_IN, json!(["token-1"])).await), json!({"_id": visitor["_id"]}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_writes() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let sent = json!({"_id": "of-the-client", "rid": room, "msg": "Hello", "token": "token-1", "other": {}});
        let stored = json!({
            "_id": "of-the-client",
            "rid": room,
            "msg": "Hello",
            "token": "token-1",
            "alias": "Mary",
            "ts": {"$date": START + 1},
            "u": {"_id": visitor["_id"], "username": visitor["username"], "name": "Mary"},
            "_updatedAt": {"$date": START},
            "urls": [],
            "mentions": [],
            "channels": [],
            "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Hello"}]}],
        });
        let agent = json!({"agentId": "x", "username": "y"});
        assert_eq!(result(call_anonymously(&app, SEND, json!([sent, agent])).await), stored);
        let before = rows(&app).await;
        assert_eq!(result(call_anonymously(&app, SEND, json!([sent])).await), stored, "sent again it is stored once");
        assert_eq!(rows(&app).await, before);
        let made = result(call_anonymously(&app, SEND, json!([{"_id": "", "rid": room, "msg": "2", "token": "token-1"}])).await);
        made_id(&made["_id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_are_not_stored() {
    for engine in Engine::all() {
        let short = usual().setting("Livechat_enable_message_character_limit", "true");
        let app = short.setting("Livechat_message_character_limit", "10").start(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "John").await;
        let (marys, johns) = (app.room("token-1").await, app.room("token-2").await);
        app.message("token-2", &johns, "His").await;
        let before = rows(&app).await;
        let with = |name: &str, value: Value| {
            let mut message = json!({"_id": "new", "rid": marys, "msg": "Hello", "token": "token-1"});
            if value.is_null() {
                message.as_object_mut().expect("it is an object").remove(name);
            } else {
                message[name] = value;
            }
            json!([message])
        };
        for (parameters, expected) in [
            (json!([]), mismatch("Expected object, got undefined")),
            (with("_id", Value::Null), mismatch("Missing key '_id'")),
            (with("rid", Value::Null), mismatch("Missing key 'rid'")),
            (with("msg", Value::Null), mismatch("Missing key 'msg'")),
            (with("token", Value::Null), mismatch("Missing key 'token'")),
            (with("token", json!({"$ne": null})), mismatch("Expected string, got object in field token")),
            (with("rid", json!(["x"])), mismatch("Expected string, got object in field rid")),
            (with("token", json!("unknown")), bare_error("invalid-token")),
            (with("token", json!("")), bare_error("invalid-token")),
            (with("rid", json!(johns)), bare_error("invalid-room")),
            (with("msg", json!("x".repeat(11))), bare_error("message-length-exceeds-character-limit")),
        ] {
            assert_eq!(refused(&app, SEND, &parameters).await, expected, "{expected}");
        }
        assert_eq!(rows(&app).await, before);
        let agent = json!([with("msg", json!("x"))[0], {"agentId": 7, "username": "x"}]);
        assert_eq!(refused(&app, SEND, &agent).await, mismatch("Expected string, got number in field agentId"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_opens_a_room() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let sent = |id: &str, rid: &str| json!([{"_id": id, "rid": rid, "msg": "Hello", "token": "token-1"}]);
        let stored = result(call_anonymously(&app, SEND, sent("first", "made-by-the-client")).await);
        let room = stored["rid"].clone();
        made_id(&room);
        let before = rows(&app).await;
        assert_eq!(
            result(call_anonymously(&app, SEND, sent("first", "made-by-the-client")).await),
            stored,
            "sent again it is there"
        );
        assert_eq!(rows(&app).await, before);
        let second = result(call_anonymously(&app, SEND, sent("second", "made-by-the-client")).await);
        assert_eq!(second["rid"], room, "one room is enough");
        assert_eq!(app.room("token-1").await, room);

        // Whoever writes into a room that is closed begins another chat.
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        let old = room.as_str().expect("it is an id");
        assert_eq!(result(call_anonymously(&app, SEND, sent("first", old)).await), stored);
        let late = result(call_anonymously(&app, SEND, sent("late", old)).await);
        assert_ne!(late["rid"], room);
        assert_eq!(app.room("token-1").await, late["rid"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_reads_its_history() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for number in 1..=25 {
            app.message("token-1", &room, &number.to_string()).await;
        }
        let texts = |answer: &Value| -> Vec<String> {
            let messages = answer["messages"].as_array().expect("there is a list").iter();
            messages.map(|message| message["msg"].as_str().expect("messages have texts").to_owned()).collect()
        };
        let numbers = |from: i64, to: i64| (to..=from).rev().map(|number| number.to_string()).collect::<Vec<_>>();
        let read = async |others: Value| {
            let mut asked = json!({"token": "token-1", "rid": room});
            asked.as_object_mut().expect("it is an object").extend(others.as_object().expect("so is this").clone());
            result(call_anonymously(&app, HISTORY, json!([asked])).await)
        };
        let date = |number: i64| json!({"$date": START + number});
        for (others, expected) in [
            (json!({}), numbers(25, 6)),
            (json!({"limit": 3}), numbers(25, 23)),
            (json!({"end": date(5)}), [numbers(4, 1), vec![String::new()]].concat()),
            (json!({"end": date(5), "limit": 2}), numbers(4, 3)),
            (json!({"end": null, "limit": null}), numbers(25, 6)),
            (json!({"limit": -5}), vec![]),
            (json!({"limit": "3"}), numbers(25, 6)),
        ] {
            let answer = read(others.clone()).await;
            assert_eq!(texts(&answer), expected, "{others}");
            assert_eq!((&answer["unreadNotLoaded"], answer.get("firstUnread")), (&json!(0), None), "{others}");
        }
        assert_eq!(read(json!({"limit": 1})).await["messages"][0]["ts"], date(25));

        // What was read last was the 20th.
        for (others, not_loaded) in
            [(json!({"ls": date(20), "limit": 2}), 3), (json!({"ls": date(20), "limit": 5}), 0), (json!({"ls": date(20)}), 0)]
        {
            let answer = read(others.clone()).await;
            assert_eq!((&answer["unreadNotLoaded"], &answer["firstUnread"]["msg"]), (&json!(not_loaded), &json!("21")), "{others}");
        }
        let answer = read(json!({"ls": date(25)})).await;
        assert_eq!((&answer["unreadNotLoaded"], answer.get("firstUnread")), (&json!(0), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_for_its_visitor() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "John").await;
        let (marys, johns) = (app.room("token-1").await, app.room("token-2").await);
        for nothing in [json!([{}]), json!([{"rid": marys}]), json!([{"token": null, "rid": {"$ne": 1}}])] {
            assert_eq!(result(call_anonymously(&app, HISTORY, nothing.clone()).await), Value::Null, "{nothing}");
        }
        for (parameters, expected) in [
            (json!([]), mismatch("Expected object, got undefined")),
            (json!(["token-1"]), mismatch("Expected object, got string")),
            (json!([{"token": "token-1"}]), mismatch("Missing key 'rid'")),
            (json!([{"token": {"$ne": null}, "rid": marys}]), mismatch("Expected string, got object in field token")),
            (json!([{"token": "token-1", "rid": {"$ne": null}}]), mismatch("Expected string, got object in field rid")),
            (json!([{"token": "token-1", "rid": marys, "end": "2024-01-31T12:00:00.000Z"}]), mismatch("Expected Date")),
            (json!([{"token": "token-1", "rid": marys, "ls": {"$date": null}}]), mismatch("Expected Date")),
            (json!([{"token": "unknown", "rid": marys}]), bare_error("invalid-visitor")),
            (json!([{"token": "token-1", "rid": johns}]), bare_error("invalid-room")),
            (json!([{"token": "token-1", "rid": "nonsense"}]), bare_error("invalid-room")),
        ] {
            assert_eq!(refused(&app, HISTORY, &parameters).await, expected, "{parameters}");
        }
    }
}

/// What is broken here is our own affair: the caller learns nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn failures_of_our_own_tell_nothing() {
    let engine = Engine::sqlite();
    let app = usual().start(&engine).await;
    let mary = app.user("mary", &["user"]).await;
    crate::support::fill_disk(&app).await;
    let unavailable = error(json!(503), "Service Unavailable");
    assert_eq!(refused(&app, REGISTER, &json!([{"token": "token-1"}])).await, unavailable);
    assert_eq!(failure(call(&app, &mary, "setUserStatus", json!(["busy"])).await, 400), unavailable);
}
