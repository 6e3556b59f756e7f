//! Methods about messages and rooms, for users.

use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{bare_error, call, call_anonymously, error, failure, mismatch, not_logged_in, result};
use crate::chat::{Desk, md};
use crate::support::{column, rows, tamper, usual};

/// What a method gives to a user.
async fn given(desk: &Desk, login: &Login, name: &str, parameters: Value) -> Value {
    result(call(&desk.app, login, name, parameters).await)
}

/// What a method refuses a user.
async fn refused(desk: &Desk, login: &Login, name: &str, parameters: Value) -> Value {
    failure(call(&desk.app, login, name, parameters).await, 400)
}

fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().expect("it is a list").iter().map(|message| message["msg"].as_str().expect("it has a text")).collect()
}

fn moment(seconds: i64) -> Value {
    json!({"$date": START + seconds * 1_000})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_writes_edits_and_deletes() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        crate::permissions::grant(&desk.app, &desk.admin, "delete-own-message", &["livechat-agent"]).await;
        let sent = json!({"_id": "mine", "rid": desk.room, "msg": "Hi", "ts": {"$date": START}});
        let stored = json!({
            "_id": "mine",
            "rid": desk.room,
            "msg": "Hi",
            "ts": {"$date": START + 3},
            "u": {"_id": "ana", "username": "ana", "name": "ana"},
            "_updatedAt": {"$date": START},
            "urls": [],
            "mentions": [],
            "channels": [],
            "md": md("Hi"),
        });
        assert_eq!(given(&desk, &desk.agent, "sendMessage", json!([sent])).await, stored);
        let edit = json!([{"_id": "mine", "rid": desk.room, "msg": "Hello"}]);
        assert_eq!(given(&desk, &desk.agent, "updateMessage", edit).await, Value::Null);
        let read = given(&desk, &desk.agent, "getSingleMessage", json!(["mine"])).await;
        assert_eq!((&read["msg"], &read["editedBy"]["username"]), (&json!("Hello"), &json!("ana")));
        assert_eq!(given(&desk, &desk.agent, "getMessages", json!([["mine"]])).await, json!([read]));
        assert_eq!(given(&desk, &desk.agent, "deleteMessage", json!([{"_id": "mine"}])).await, Value::Null);
        assert_eq!(refused(&desk, &desk.agent, "getSingleMessage", json!(["mine"])).await, bare_error("error-not-allowed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_are_not_stored() {
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("Message_MaxAllowedSize", "10"), &engine).await;
        let room = &desk.room;
        let out_of_sync = error(json!("error-message-ts-out-of-sync"), "Message timestamp is out of sync");
        let too_long = error(json!("error-message-size-exceeded"), "Message size exceeds Message_MaxAllowedSize");
        let before = rows(&desk.app).await;
        for (parameters, expected) in [
            (json!([]), mismatch("Expected object, got undefined")),
            (json!([{"msg": "x"}]), mismatch("Missing key 'rid'")),
            (json!([{"rid": {"$ne": null}}]), mismatch("Expected string, got object in field rid")),
            (json!([{"rid": "nowhere", "msg": "x"}]), bare_error("error-invalid-room")),
            (json!([{"rid": room, "msg": "12345678901"}]), too_long),
            (json!([{"rid": room, "msg": "x", "ts": moment(61)}]), out_of_sync.clone()),
            (json!([{"rid": room, "msg": "x", "ts": moment(-61)}]), out_of_sync),
            (json!([{"rid": room, "msg": "x", "ts": "now"}]), mismatch("Expected Date")),
            (json!([{"rid": room, "msg": "x", "tshow": true}]), error(json!("invalid-params"), "tshow provided but missing tmid")),
            (json!([{"rid": room, "msg": "x", "attachments": "x"}]), mismatch("Expected array, got string in field attachments")),
        ] {
            assert_eq!(refused(&desk, &desk.agent, "sendMessage", parameters.clone()).await, expected, "{parameters}");
        }
        assert_eq!(rows(&desk.app).await, before);
    }
}

/// Nobody learns or changes anything by methods who may not read the chat.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_a_chat_does_nothing_with_it() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        for permission in ["pin-message", "edit-message", "delete-message", "force-delete-message"] {
            crate::permissions::grant(&desk.app, &desk.admin, permission, &["livechat-agent", "admin"]).await;
        }
        let room = &desk.room;
        let unreadable = || bare_error("error-not-allowed");
        let before = rows(&desk.app).await;
        let named = json!({"_id": "hers", "rid": room, "msg": "x", "starred": true});
        for (name, parameters, expected) in [
            ("sendMessage", json!([{"rid": room, "msg": "x"}]), unreadable()),
            ("updateMessage", json!([named]), error(json!("error-action-not-allowed"), "Message editing not allowed")),
            ("deleteMessage", json!([named]), error(json!("error-action-not-allowed"), "Not allowed")),
            (
                "deleteMessage",
                json!([{"_id": "hers"}]),
                error(json!("error-invalid-message"), "No message found with the id of \"hers\"."),
            ),
            ("setReaction", json!([":smile:", "hers", true]), unreadable()),
            ("starMessage", json!([named]), unreadable()),
            ("pinMessage", json!([named]), unreadable()),
            ("unpinMessage", json!([named]), unreadable()),
            ("messages/get", json!([room, {"lastUpdate": moment(-10)}]), unreadable()),
            ("messages/get", json!([room, {"count": 5}]), unreadable()),
            ("getMessages", json!([["hers"]]), unreadable()),
            ("getSingleMessage", json!(["hers"]), unreadable()),
            ("readMessages", json!([room]), unreadable()),
            ("getRoomById", json!([room]), unreadable()),
            ("getUsersOfRoom", json!([room, true]), unreadable()),
            ("getRoomByTypeAndName", json!(["l", room]), error(json!("error-no-permission"), "No permission")),
        ] {
            assert_eq!(refused(&desk, &desk.stranger, name, parameters.clone()).await, expected, "{name} {parameters}");
            assert_eq!(failure(call_anonymously(&desk.app, name, parameters).await, 400), not_logged_in(), "{name}");
        }
        for (name, parameters, expected) in [
            ("loadHistory", json!([room]), json!(false)),
            ("loadMissedMessages", json!([room, moment(-10)]), json!(false)),
            ("loadNextMessages", json!([room, moment(-10)]), json!(false)),
            ("loadSurroundingMessages", json!([{"_id": "hers", "rid": room}]), json!(false)),
            ("rooms/get", json!([]), json!([])),
            ("rooms/get", json!([moment(-10)]), json!({"update": [], "remove": []})),
            ("subscriptions/get", json!([]), json!([])),
            ("subscriptions/get", json!([moment(-10)]), json!({"update": [], "remove": []})),
        ] {
            assert_eq!(given(&desk, &desk.stranger, name, parameters).await, expected, "{name}");
        }
        assert_eq!(rows(&desk.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_set_and_taken_away() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        let seen = || async { given(&desk, &desk.agent, "getSingleMessage", json!(["hers"])).await };
        assert_eq!(given(&desk, &desk.agent, "setReaction", json!(["smile", "hers"])).await, Value::Null);
        assert_eq!(seen().await["reactions"], json!({":smile:": {"usernames": ["ana"]}}));
        given(&desk, &desk.agent, "setReaction", json!([":smile:", "hers", false])).await;
        assert_eq!(seen().await.get("reactions"), None);
        let star = |starred: bool| json!([{"_id": "hers", "rid": desk.room, "starred": starred}]);
        assert_eq!(given(&desk, &desk.agent, "starMessage", star(true)).await, json!(true));
        assert_eq!(seen().await["starred"], json!([{"_id": "ana"}]));
        given(&desk, &desk.agent, "starMessage", star(false)).await;
        assert_eq!(seen().await.get("starred"), None);
        let pinned = given(&desk, &desk.admin, "pinMessage", json!([{"_id": "hers"}])).await;
        assert_eq!((&pinned["pinned"], &pinned["pinnedAt"]), (&json!(true), &moment(0)));
        assert_eq!(given(&desk, &desk.admin, "unpinMessage", json!([{"_id": "hers"}])).await, json!(true));
        assert_eq!(seen().await.get("pinned"), None);
        let wrong = mismatch("Expected boolean, got string");
        assert_eq!(refused(&desk, &desk.agent, "setReaction", json!(["smile", "hers", "yes"])).await, wrong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_are_read() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        for (second, text) in [(1, "one"), (2, "two"), (3, "three")] {
            desk.seconds(1);
            desk.asks_as(text, text).await;
            assert_eq!(column(&desk.app, "SELECT text FROM messages WHERE kind IS NULL").await.len(), second);
        }
        let room = &desk.room;
        let page = given(&desk, &desk.agent, "loadHistory", json!([room, null, 2])).await;
        assert_eq!((texts(&page["messages"]), &page["unreadNotLoaded"]), (vec!["three", "two"], &json!(0)));
        let page = given(&desk, &desk.agent, "loadHistory", json!([room, moment(3), 1, moment(0), true])).await;
        assert_eq!(texts(&page["messages"]), ["two"]);
        assert_eq!(page["unreadNotLoaded"], 3, "what the system said when the chat was taken is new as well");
        assert!(page["firstUnread"]["_id"].is_string());
        let page = given(&desk, &desk.agent, "loadHistory", json!([room, moment(3), 1, moment(1)])).await;
        assert_eq!((&page["unreadNotLoaded"], page["firstUnread"]["msg"].as_str()), (&json!(0), Some("two")));
        assert_eq!(given(&desk, &desk.agent, "loadHistory", json!(["nowhere"])).await, json!(false));
        let missed = given(&desk, &desk.agent, "loadMissedMessages", json!([room, moment(1)])).await;
        assert_eq!(texts(&missed), ["three", "two"]);
        let next = given(&desk, &desk.agent, "loadNextMessages", json!([room, moment(1), 1])).await;
        assert_eq!(texts(&next["messages"]), ["two"]);
        let next = given(&desk, &desk.agent, "loadNextMessages", json!([room, moment(0)])).await;
        assert_eq!(texts(&next["messages"]), ["connected", "", "one", "two", "three"]);
        let whole = given(&desk, &desk.agent, "loadNextMessages", json!([room])).await;
        assert_eq!(whole["messages"].as_array().map(Vec::len), Some(6), "what the system said is there as well: {whole}");
        assert_eq!(given(&desk, &desk.agent, "loadNextMessages", json!(["nowhere"])).await, json!(false));
        let around = given(&desk, &desk.agent, "loadSurroundingMessages", json!([{"_id": "two", "rid": room}, 3])).await;
        assert_eq!(texts(&around["messages"]), ["one", "two", "three"]);
        assert_eq!((&around["moreBefore"], &around["moreAfter"]), (&json!(true), &json!(true)), "the page is full");
        let around = given(&desk, &desk.agent, "loadSurroundingMessages", json!([{"_id": "three", "rid": room}])).await;
        assert_eq!(texts(&around["messages"]).last(), Some(&"three"));
        assert_eq!((&around["moreBefore"], &around["moreAfter"]), (&json!(false), &json!(false)));
        let nothing = given(&desk, &desk.agent, "loadSurroundingMessages", json!([{"_id": "nothing", "rid": room}])).await;
        assert_eq!(nothing, json!(false));

        let range = json!({"latestDate": moment(3), "oldestDate": moment(1), "count": 10});
        let page = given(&desk, &desk.agent, "messages/get", json!([room, range])).await;
        assert_eq!(texts(&page["messages"]), ["two"]);
        let range = json!({"latestDate": moment(3), "oldestDate": moment(1), "inclusive": true, "unreads": true});
        let page = given(&desk, &desk.agent, "messages/get", json!([room, range])).await;
        assert_eq!((texts(&page["messages"]), &page["unreadNotLoaded"]), (vec!["three", "two", "one"], &json!(0)));

        desk.seconds(1);
        desk.post(&desk.admin, "/api/v1/chat.delete", &json!({"roomId": room, "msgId": "one"})).await.ok();
        let changed = given(&desk, &desk.agent, "messages/get", json!([room, {"lastUpdate": moment(2)}])).await;
        assert_eq!(texts(&changed["updated"]), ["three"]);
        assert_eq!(changed["deleted"], json!([{"_id": "one", "_deletedAt": moment(4)}]));
        tamper(&desk.app, "UPDATE messages SET hidden = TRUE WHERE id = 'two'").await;
        let hidden = given(&desk, &desk.agent, "loadSurroundingMessages", json!([{"_id": "two", "rid": room}])).await;
        assert_eq!(hidden, json!(false), "what no history shows is not shown here either");
        let expected = mismatch("Expected Date");
        assert_eq!(refused(&desk, &desk.agent, "loadMissedMessages", json!([room])).await, expected);
        assert_eq!(refused(&desk, &desk.agent, "messages/get", json!([room, {"lastUpdate": "x"}])).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_of_messages_are_hidden_where_settings_say_so() {
    for (hidden, expected) in [("[]", 3), (r#"["uj"]"#, 2)] {
        for engine in Engine::all() {
            let desk = Desk::with(usual().setting("Hide_System_Messages", hidden), &engine).await;
            let page = given(&desk, &desk.agent, "loadHistory", json!([desk.room])).await;
            assert_eq!(page["messages"].as_array().map(Vec::len), Some(expected), "{hidden}");
            let told = desk.app.get(&crate::support::history(&desk.room, "token=token-1")).await.ok();
            assert_eq!(told["messages"].as_array().map(Vec::len), Some(expected), "{hidden}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_found_and_listed() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let room = given(&desk, &desk.agent, "getRoomById", json!([desk.room])).await;
        assert_eq!((&room["_id"], &room["contactId"], &room["ts"]), (&json!(desk.room), &desk.mary["contactId"], &moment(0)));
        assert_eq!(given(&desk, &desk.agent, "rooms/get", json!([])).await, json!([room]));
        let listed = given(&desk, &desk.agent, "rooms/get", json!([moment(-1)])).await;
        assert_eq!(listed, json!({"update": [room], "remove": []}));
        let public = given(&desk, &desk.agent, "getRoomByTypeAndName", json!(["l", desk.room])).await;
        let mut expected = room.clone();
        for name in ["contactId", "priorityWeight", "estimatedWaitingTimeQueue", "default", "sysMes"] {
            expected.as_object_mut().expect("it is an object").remove(name);
        }
        assert_eq!(public, expected);
        crate::permissions::grant(&desk.app, &desk.admin, "preview-c-room", &["admin"]).await;
        let public = given(&desk, &desk.agent, "getRoomByTypeAndName", json!(["l", desk.room])).await;
        expected.as_object_mut().expect("it is an object").remove("lastMessage");
        assert_eq!(public, expected, "who may not look into rooms sees no last message");
        for parameters in [json!(["c", desk.room]), json!(["l", "nowhere"])] {
            assert_eq!(refused(&desk, &desk.agent, "getRoomByTypeAndName", parameters).await, bare_error("error-invalid-room"));
        }
        assert_eq!(refused(&desk, &desk.agent, "getRoomById", json!(["nowhere"])).await, bare_error("error-not-allowed"));

        let subscriptions = given(&desk, &desk.agent, "subscriptions/get", json!([])).await;
        assert_eq!((&subscriptions[0]["rid"], &subscriptions[0]["unread"]), (&json!(desk.room), &json!(1)));
        assert_eq!(given(&desk, &desk.agent, "readMessages", json!([desk.room, true])).await, Value::Null);
        desk.seconds(1);
        let id = subscriptions[0]["_id"].clone();
        desk.close().await;
        let changed = given(&desk, &desk.agent, "subscriptions/get", json!([moment(0)])).await;
        assert_eq!(changed, json!({"update": [], "remove": [{"_id": id, "_deletedAt": moment(1)}]}));
        let changed = given(&desk, &desk.agent, "rooms/get", json!([moment(0)])).await;
        assert_eq!(changed, json!({"update": [], "remove": [{"_id": desk.room, "_deletedAt": moment(1)}]}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_room_are_listed() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let names = |listed: &Value| {
            let records = listed["records"].as_array().expect("there are records").iter();
            records.map(|user| user["username"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let listed = given(&desk, &desk.agent, "getUsersOfRoom", json!([desk.room, true])).await;
        assert_eq!((&listed["total"], names(&listed)), (&json!(1), vec!["ana".to_owned()]));
        let there = json!({"status": "online", "message": ""});
        desk.post(&desk.agent, "/api/v1/users.setStatus", &there).await.ok();
        let listed = given(&desk, &desk.agent, "getUsersOfRoom", json!([desk.room, false])).await;
        assert_eq!((&listed["records"][0]["status"], names(&listed)), (&json!("online"), vec!["ana".to_owned()]));
        for (parameters, expected) in [
            (json!([desk.room, false, null, null]), 1),
            (json!([desk.room, true, {"limit": 0, "skip": 0}]), 0),
            (json!([desk.room, true, {"limit": 5, "skip": 1}]), 0),
            (json!([desk.room, true, {}, "AN"]), 1),
            (json!([desk.room, true, {}, "somebody else"]), 0),
        ] {
            let listed = given(&desk, &desk.agent, "getUsersOfRoom", parameters.clone()).await;
            assert_eq!((&listed["total"], names(&listed).len()), (&json!(1), expected), "{parameters}");
        }
        let away = json!({"status": "offline", "message": ""});
        desk.post(&desk.agent, "/api/v1/users.setStatus", &away).await.ok();
        let listed = given(&desk, &desk.agent, "getUsersOfRoom", json!([desk.room, false])).await;
        assert_eq!((&listed["total"], names(&listed).len()), (&json!(1), 0), "whoever is not there is left out");
        let nowhere = error(json!("error-invalid-room"), "Invalid room");
        let told = refused(&desk, &desk.agent, "getUsersOfRoom", json!(["nowhere", true])).await;
        assert_eq!(told["error"], nowhere["error"]);
        let before = rows(&desk.app).await;
        let told = refused(&desk, &desk.agent, "leaveRoom", json!([desk.room])).await;
        let seen = (&told["error"], &told["reason"], &told["details"]["method"]);
        assert_eq!(seen, (&json!("error-not-allowed"), &json!("Not allowed"), &json!("leaveRoom")), "{told}");
        assert_eq!(rows(&desk.app).await, before);
    }
}
