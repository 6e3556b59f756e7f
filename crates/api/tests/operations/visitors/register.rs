//! Registering, and changing what is known of a registered visitor.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::{Change, ChangeKind};
use usher_services::Error;
use usher_store::q;
use usher_testkit::TestApp;
use usher_testkit::application::Reply;
use usher_testkit::engines::Engine;

use crate::support::{KEEP_CONNECTION, ROOM, VISITOR, coded, made_id, plain, rows, usual};

/// Registers what `members` say.
async fn register(app: &TestApp, members: Value) -> Reply {
    app.post(VISITOR, &json!({"visitor": members})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_visitor_gets_a_record() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let members =
            json!({"token": "token-1", "name": "Mary", "email": " Mary@Example.COM ", "phone": "+1 555 0100", "shoe": 42});
        let answer = register(&app, members).await;
        let (id, contact) = (answer.body["visitor"]["_id"].clone(), answer.body["visitor"]["contactId"].clone());
        assert_ne!(made_id(&id), made_id(&contact));
        let expected = json!({
            "visitor": {
                "_id": id,
                "username": "guest-1",
                "name": "Mary",
                "status": "online",
                "ts": "2024-01-31T12:00:00.000Z",
                "_updatedAt": "2024-01-31T12:00:00.000Z",
                "token": "token-1",
                "phone": [{"phoneNumber": "+1 555 0100"}],
                "visitorEmails": [{"address": "mary@example.com"}],
                "contactId": contact,
            },
            "success": true,
        });
        answer.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_all_that_is_needed() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let members =
            json!({"token": "token-1", "name": " ", "email": "", "phone": "", "username": "", "id": " ", "department": " "});
        let visitor = register(&app, members).await.ok()["visitor"].clone();
        let expected = json!({
            "_id": made_id(&visitor["_id"]),
            "username": "guest-1",
            "status": "online",
            "ts": "2024-01-31T12:00:00.000Z",
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "token": "token-1",
            "contactId": made_id(&visitor["contactId"]),
        });
        assert_eq!(visitor, expected);
        let second = register(&app, json!({"token": "token-2"})).await.ok();
        assert_eq!(second["visitor"]["username"], "guest-2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_changes_and_the_rest_stays() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let members = json!({"token": "token-1", "name": "Mary", "email": "mary@example.com", "phone": "1", "username": "mary"});
        let mut known = register(&app, members).await.ok();
        assert_eq!(known["visitor"]["username"], "mary");

        app.advance(Duration::from_secs(1));
        let members = json!({"token": "token-1", "name": "Mary Ann", "email": "", "phone": " ", "username": "ann", "id": "other"});
        known["visitor"]["name"] = json!("Mary Ann");
        known["visitor"]["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
        register(&app, members).await.is(200, &known);

        app.advance(Duration::from_secs(1));
        let members = json!({"token": "token-1", "email": "Ann@example.com", "phone": "2"});
        known["visitor"]["visitorEmails"] = json!([{"address": "ann@example.com"}]);
        known["visitor"]["phone"] = json!([{"phoneNumber": "2"}]);
        known["visitor"]["_updatedAt"] = json!("2024-01-31T12:00:02.000Z");
        register(&app, members).await.is(200, &known);

        app.advance(Duration::from_secs(1));
        known["visitor"]["_updatedAt"] = json!("2024-01-31T12:00:03.000Z");
        register(&app, json!({"token": "token-1"})).await.is(200, &known);
        assert_eq!(rows(&app).await["visitors"].len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_may_choose_an_id_that_is_free() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let first = register(&app, json!({"token": "token-1", "id": "chosen"})).await.ok();
        assert_eq!(first["visitor"]["_id"], "chosen");

        let before = rows(&app).await;
        let answer = register(&app, json!({"token": "token-2", "id": "chosen", "name": "Thief"})).await;
        let expected =
            coded("Error registering visitor [error-livechat-visitor-registration]", "error-livechat-visitor-registration");
        answer.is(400, &expected);
        assert_eq!(rows(&app).await, before, "nothing is changed");

        let again = register(&app, json!({"token": "token-1", "id": "chosen"})).await.ok();
        assert_eq!(again["visitor"]["_id"], "chosen", "its own holder may repeat it");
    }
}

/// The peer gives whoever knows somebody's address or number that person's token, or replaces it. Here that is a new visitor.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_recognised_by_address_or_number() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let members = json!({"token": "token-1", "name": "Mary", "email": "mary@example.com", "phone": "+1 555 0100"});
        register(&app, members).await.ok();
        let mary = app.get(&format!("{VISITOR}/token-1")).await.ok();
        for (token, contact) in [
            ("by-address", json!({"email": "mary@example.com"})),
            ("by-shouted-address", json!({"email": "MARY@EXAMPLE.COM"})),
            ("by-number", json!({"phone": "+1 555 0100"})),
            ("by-both", json!({"email": "mary@example.com", "phone": "+1 555 0100"})),
        ] {
            let mut members = contact;
            members["token"] = json!(token);
            let stranger = register(&app, members).await.ok()["visitor"].clone();
            assert_ne!(stranger["_id"], mary["visitor"]["_id"], "{token}");
            assert_eq!((&stranger["token"], &stranger["name"]), (&json!(token), &Value::Null));
        }
        app.get(&format!("{VISITOR}/token-1")).await.is(200, &mary);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_department_is_refused() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-0", "Ann").await;
        let before = rows(&app).await;
        let answer = register(&app, json!({"token": "token-1", "department": "Sales"})).await;
        answer.is(400, &plain("error-invalid-department"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_token_is_nobodys() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let before = rows(&app).await;
        for token in ["", " ", "\t\n", "\u{a0}"] {
            let answer = register(&app, json!({"token": token})).await;
            answer.is(400, &coded("Token cannot be empty [error-invalid-token]", "error-invalid-token"));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_match_is_named() {
    let field = |members: Value| json!({"visitor": {"token": "token-1", "customFields": [members]}});
    let table = [
        (json!({}), "Missing key 'visitor'"),
        (json!({"token": "token-1"}), "Missing key 'visitor'"),
        (json!({"visitor": {}}), "Missing key 'token' in field visitor"),
        (json!({"visitor": null}), "Expected object, got null in field visitor"),
        (json!({"visitor": "token-1"}), "Expected object, got string in field visitor"),
        (json!({"visitor": {"token": 1}}), "Expected string, got number in field visitor.token"),
        (json!({"visitor": {"token": null}}), "Expected string, got null in field visitor.token"),
        (json!({"visitor": {"token": {"$ne": null}}}), "Expected string, got object in field visitor.token"),
        (json!({"visitor": {"token": ["token-1"]}}), "Expected string, got object in field visitor.token"),
        (json!({"visitor": {"token": "token-1", "name": false}}), "Expected string, got boolean in field visitor.name"),
        (json!({"visitor": {"token": "token-1", "email": null}}), "Expected string, got null in field visitor.email"),
        (json!({"visitor": {"token": "a\0"}}), "Failed Match.Where validation in field visitor.token"),
        (json!({"visitor": {"token": "t".repeat(1_025)}}), "Failed Match.Where validation in field visitor.token"),
        (json!({"visitor": {"token": "t", "id": "i".repeat(129)}}), "Failed Match.Where validation in field visitor.id"),
        (json!({"visitor": {"token": "t", "name": "n".repeat(513)}}), "Failed Match.Where validation in field visitor.name"),
        (json!({"visitor": {"token": "t", "email": "e".repeat(321)}}), "Failed Match.Where validation in field visitor.email"),
        (json!({"visitor": {"token": "t", "phone": "1".repeat(129)}}), "Failed Match.Where validation in field visitor.phone"),
        (
            json!({"visitor": {"token": "t", "username": "u".repeat(257)}}),
            "Failed Match.Where validation in field visitor.username",
        ),
        (json!({"visitor": {"token": "t", "customFields": "x"}}), "Expected array, got string in field visitor.customFields"),
        (field(json!({})), "Missing key 'key' in field visitor.customFields[0]"),
        (field(json!({"key": "k"})), "Missing key 'value' in field visitor.customFields[0]"),
        (field(json!({"key": 1, "value": "v"})), "Expected string, got number in field visitor.customFields[0].key"),
        (
            field(json!({"key": "k", "value": "v", "overwrite": "yes"})),
            "Expected boolean, got string in field visitor.customFields[0].overwrite",
        ),
    ];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let before = rows(&app).await;
        for (body, message) in &table {
            app.post(VISITOR, body).await.is(400, &plain(&format!("Match error: {message}")));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_that_do_not_exist_are_skipped() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let fields = json!([{"key": "size", "value": "42", "overwrite": true}, {"key": "colour", "value": "blue"}]);
        let answer = register(&app, json!({"token": "token-1", "customFields": fields})).await.ok();
        assert_eq!(answer["visitor"]["livechatData"], Value::Null);
        assert!(!format!("{:?}", rows(&app).await).contains("blue"), "nothing of it is stored");
    }
}

/// Registers with headers that say where the request comes from; gives what the record keeps of them.
async fn connection(app: &TestApp, real_ip: Option<&str>) -> [Value; 3] {
    let body = json!({"visitor": {"token": "token-1"}});
    let call = app.call(Method::POST, VISITOR).header("user-agent", "Browser/1.0").header("host", "chat.example.com");
    let call = if let Some(address) = real_ip { call.header("x-real-ip", address) } else { call };
    let answer = call.json(&body).send().await.ok();
    ["userAgent", "ip", "host"].map(|member| answer["visitor"][member].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_data_is_kept_only_where_the_setting_says_so() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        assert_eq!(connection(&app, None).await, [Value::Null, Value::Null, Value::Null]);
        assert!(!format!("{:?}", rows(&app).await).contains("Browser"), "nothing of it is stored");
    }
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").start(&engine).await;
        let kept = [json!("Browser/1.0"), json!("192.0.2.1"), json!("chat.example.com")];
        assert_eq!(connection(&app, Some("198.51.100.7")).await, kept, "a stranger's word about its address does not count");
    }
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").trusting("192.0.2.0/24").start(&engine).await;
        assert_eq!(connection(&app, Some("198.51.100.7")).await[1], "198.51.100.7", "a trusted proxy's does");
        assert_eq!(connection(&app, None).await[1], "192.0.2.1");
    }
}

/// The changes of a room after `seq`.
async fn changes(app: &TestApp, room: &str, seq: i64) -> Vec<Change> {
    let room = room.to_owned();
    let read = app.services.store.read(move |tx| q::changes::since(tx, &room, seq, 100).map_err(Error::from));
    read.await.expect("the log can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_take_the_new_name() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        app.advance(Duration::from_secs(1));
        app.register("token-1", "Mary").await;
        assert_eq!(changes(&app, &room, 3).await, [], "the same name changes nothing");

        app.register("token-1", "Ann").await;
        let shown = app.get(&format!("{ROOM}?token=token-1")).await.ok();
        assert_eq!((&shown["room"]["fname"], &shown["room"]["_updatedAt"]), (&json!("Ann"), &json!("2024-01-31T12:00:01.000Z")));
        let renamed = Change { room_id: room.clone(), seq: 4, kind: ChangeKind::RoomChanged, reference: room.clone() };
        assert_eq!(changes(&app, &room, 3).await, [renamed]);
    }
}
