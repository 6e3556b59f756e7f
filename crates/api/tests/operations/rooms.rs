//! `GET livechat/room`: the visitor's open room, or a new one; and what becomes of rooms.

mod close;
mod info;
mod join;
mod list;
pub mod stage;
mod survey;
mod visibility;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::room::SourceKind;
use usher_services::Error;
use usher_store::q;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::support::{ROOM, coded, column, made_id, plain, rows, tamper, usual};

/// What is answered to a visitor `Mary` with `token-1` who has a new room. Ids are taken from `answer`.
fn new_room(answer: &Value, visitor: &Value) -> Value {
    let (room, message) = (made_id(&answer["room"]["_id"]), made_id(&answer["room"]["lastMessage"]["_id"]));
    json!({
        "room": {
            "_id": room,
            "t": "l",
            "fname": "Mary",
            "v": {"_id": visitor["_id"], "username": "guest-1", "token": "token-1", "status": "online"},
            "contactId": visitor["contactId"],
            "verified": false,
            "source": {"type": "api"},
            "open": true,
            "waitingResponse": true,
            "msgs": 1,
            "usersCount": 1,
            "ts": "2024-01-31T12:00:00.000Z",
            "lm": "2024-01-31T12:00:00.000Z",
            "queuedAt": "2024-01-31T12:00:00.000Z",
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "lastMessage": {
                "_id": message,
                "rid": room,
                "msg": "",
                "t": "livechat-started",
                "token": "token-1",
                "alias": "Mary",
                "ts": "2024-01-31T12:00:00.000Z",
                "u": {"_id": visitor["_id"], "username": "guest-1", "name": "Mary"},
                "groupable": false,
                "_updatedAt": "2024-01-31T12:00:00.000Z",
                "urls": [],
                "mentions": [],
                "channels": [],
                "md": [],
            },
            "priorityWeight": 99,
            "estimatedWaitingTimeQueue": 9_999_999,
            "cl": false,
            "ro": false,
            "default": false,
            "sysMes": true,
        },
        "newRoom": true,
        "success": true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_opened_once() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        let answer = app.get(&format!("{ROOM}?token=token-1")).await;
        let mut expected = new_room(&answer.body, &visitor);
        answer.is(200, &expected);

        let before = rows(&app).await;
        expected["newRoom"] = json!(false);
        app.get(&format!("{ROOM}?token=token-1")).await.is(200, &expected);
        app.get(&format!("{ROOM}?token=token-1&rid=&agentId=&sla=&priority=")).await.is(200, &expected);
        assert_eq!(rows(&app).await, before, "the second call reads only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_shows_its_latest_message() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        let opened = app.get(&format!("{ROOM}?token=token-1")).await.ok();
        let room = made_id(&opened["room"]["_id"]);
        app.advance(Duration::from_secs(1));
        app.message("token-1", room, "Hello").await;
        app.advance(Duration::from_secs(1));
        let latest = app.message("token-1", room, "Anybody there?").await;

        let mut expected = new_room(&opened, &visitor);
        expected["newRoom"] = json!(false);
        expected["room"]["msgs"] = json!(3);
        expected["room"]["lm"] = json!("2024-01-31T12:00:02.000Z");
        expected["room"]["_updatedAt"] = json!("2024-01-31T12:00:02.000Z");
        expected["room"]["v"]["lastMessageTs"] = json!("2024-01-31T12:00:02.000Z");
        expected["room"]["metrics"] = json!({"v": {"lq": "2024-01-31T12:00:01.000Z"}});
        expected["room"]["lastMessage"] = latest;
        app.get(&format!("{ROOM}?token=token-1")).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_to_answer() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        app.register("token-1", "Mary").await;
        let before = rows(&app).await;
        let answer = app.get(&format!("{ROOM}?token=token-1")).await;
        answer.is(400, &coded("Sorry, no online agents [no-agent-online]", "no-agent-online"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_room_opens_while_livechat_is_off() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_enabled", "false").start(&engine).await;
        app.register("token-1", "Mary").await;
        let before = rows(&app).await;
        let answer = app.get(&format!("{ROOM}?token=token-1")).await;
        answer.is(400, &coded("[error-omnichannel-is-disabled]", "error-omnichannel-is-disabled"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_has_opens_nothing() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let before = rows(&app).await;
        for token in ["token-2", "", "%20", "TOKEN-1", "guest-1"] {
            app.get(&format!("{ROOM}?token={token}")).await.is(400, &plain("invalid-token"));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_asked_for_must_be_the_visitors_own() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "Bob").await;
        let (mine, other) = (app.room("token-1").await, app.room("token-2").await);
        let before = rows(&app).await;
        let answer = app.get(&format!("{ROOM}?token=token-1&rid={mine}")).await.ok();
        assert_eq!((&answer["room"]["_id"], &answer["newRoom"]), (&json!(mine), &json!(false)));
        for wrong in [other.as_str(), "nothing", &mine.to_lowercase()] {
            app.get(&format!("{ROOM}?token=token-1&rid={wrong}")).await.is(400, &plain("invalid-room"));
        }
        app.get(&format!("{ROOM}?token=token-3&rid={mine}")).await.is(400, &plain("invalid-token"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_open_is_not_given() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        app.get(&format!("{ROOM}?token=token-1&rid={room}")).await.is(400, &plain("invalid-room"));
        let answer = app.get(&format!("{ROOM}?token=token-1")).await.ok();
        assert_eq!(answer["newRoom"], true);
        assert_ne!(answer["room"]["_id"], json!(room));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_service_levels_and_priorities_are_refused() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let before = rows(&app).await;
        for (query, error, code) in [
            ("sla=gold", "Invalid sla [error-invalid-sla]", "error-invalid-sla"),
            ("priority=high", "Invalid priority [error-invalid-priority]", "error-invalid-priority"),
        ] {
            app.get(&format!("{ROOM}?token=token-1&{query}")).await.is(400, &coded(error, code));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_match_is_named() {
    let table = [
        ("", "Match error: Missing key 'token'"),
        ("?", "Match error: Missing key 'token'"),
        ("?rid=x", "Match error: Missing key 'token'"),
        ("?token[]=x", "Match error: Expected string, got object in field token"),
        ("?token[$gt]=", "Match error: Expected string, got object in field token"),
        ("?token=x&token=y", "Match error: Expected string, got object in field token"),
        ("?token=token-1&rid[$ne]=x", "Match error: Expected string, got object in field rid"),
        ("?token=token-1&agentId[]=x", "Match error: Expected string, got object in field agentId"),
        ("?token=token-1&sla[a]=x", "Match error: Expected string, got object in field sla"),
        ("?token=token-1&priority[]=x", "Match error: Expected string, got object in field priority"),
        ("?token=token-1&extraCheck=1", "Match error: Unknown key in field extraCheck"),
        ("?token=%FF", "Invalid query parameters"),
        ("?token=a%00b", "Invalid query parameters"),
    ];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let before = rows(&app).await;
        for (query, error) in table {
            app.get(&format!("{ROOM}{query}")).await.is(400, &plain(error));
        }
        assert_eq!(rows(&app).await, before);
    }
}

/// Opens a room with these headers; gives its source.
async fn source(engine: &Engine, headers: &[(&str, &str)]) -> Value {
    let app = TestApp::usual(engine).await;
    app.register("token-1", "Mary").await;
    let call = app.call(Method::GET, &format!("{ROOM}?token=token-1"));
    let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
    call.send().await.ok()["room"]["source"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_shows_itself_by_two_cookies() {
    let host = ("host", "chat.example.com");
    for engine in Engine::all() {
        let both = [host, ("cookie", "a=b; rc_room_type=l; rc_is_widget=t")];
        assert_eq!(source(&engine, &both).await, json!({"type": "widget", "destination": "chat.example.com"}));
    }
    let engine = Engine::sqlite;
    let apart = [host, ("cookie", "rc_is_widget=t"), ("cookie", "rc_room_type=l")];
    assert_eq!(source(&engine(), &apart).await, json!({"type": "widget", "destination": "chat.example.com"}));
    assert_eq!(source(&engine(), &apart[1..]).await, json!({"type": "widget"}));
    for cookies in ["rc_room_type=l", "rc_is_widget=t", "rc_room_type=c; rc_is_widget=t", "xrc_room_type=l; rc_is_widget=true"] {
        assert_eq!(source(&engine(), &[host, ("cookie", cookies)]).await, json!({"type": "api"}), "{cookies}");
    }
}

/// A contact's name, if there is such a contact.
async fn contact(app: &TestApp, id: &Value) -> Option<String> {
    let id = id.as_str().expect("a contact has an id").to_owned();
    app.services.store.read(move |tx| q::contacts::name(tx, &id).map_err(Error::from)).await.expect("contacts can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contact_comes_with_the_first_room() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let members = json!({"token": "token-1", "name": "Mary", "email": "Mary@example.com", "phone": "+1 555 0100"});
        let visitor = app.post("/api/v1/livechat/visitor", &json!({"visitor": members})).await.ok()["visitor"].clone();
        assert_eq!(contact(&app, &visitor["contactId"]).await, None);

        let room = app.get(&format!("{ROOM}?token=token-1")).await.ok()["room"].clone();
        assert_eq!(room["contactId"], visitor["contactId"]);
        assert_eq!(contact(&app, &room["contactId"]).await.as_deref(), Some("Mary"));
        let id = visitor["_id"].as_str().expect("a visitor has an id").to_owned();
        let blocked = app.services.store.read(move |tx| q::contacts::is_blocked(tx, &id, SourceKind::Api).map_err(Error::from));
        assert_eq!(blocked.await, Ok(false));
        assert_eq!(column(&app, "SELECT source_type FROM contact_channels").await, ["api"]);
        let addresses = column(&app, "SELECT value FROM contact_addresses ORDER BY kind").await;
        assert_eq!(addresses, ["mary@example.com", "+1 555 0100"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_channel_opens_no_room() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        tamper(&app, "UPDATE contact_channels SET blocked = TRUE").await;
        let before = rows(&app).await;
        app.get(&format!("{ROOM}?token=token-1")).await.is(400, &plain("error-contact-channel-blocked"));
        assert_eq!(rows(&app).await, before);

        let call = app.call(Method::GET, &format!("{ROOM}?token=token-1"));
        let answer = call.header("cookie", "rc_room_type=l; rc_is_widget=t").send().await.ok();
        assert_eq!(answer["newRoom"], true, "another channel is not blocked");
    }
}
