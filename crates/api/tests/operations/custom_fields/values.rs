//! Values of custom fields, as visitors give them.

use std::time::Duration;

use serde_json::{Value, json};
use usher_domain::Event;
use usher_services::hub::News;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::{VALUE, VALUES, contacts, make, visitor_values};
use crate::support::{coded, column, plain, rows, tamper, usual};

/// An application with a visitor's field `size`, which takes digits, and a room's field `topic`.
async fn with_fields(engine: &Engine) -> (TestApp, Login) {
    let app = usual().start(engine).await;
    let admin = app.admin().await;
    make(&app, &admin, "size", json!({"regexp": "^[0-9]+$", "required": true})).await;
    make(&app, &admin, "town", json!({"visibility": "hidden"})).await;
    make(&app, &admin, "topic", json!({"scope": "room", "regexp": "[a-z]"})).await;
    (app, admin)
}

fn value(key: &str, value: &str, overwrite: bool) -> Value {
    json!({"key": key, "value": value, "overwrite": overwrite})
}

fn by(token: &str, mut value: Value) -> Value {
    value["token"] = token.into();
    value
}

/// The values of all rooms.
async fn room_values(app: &TestApp) -> Vec<String> {
    column(app, "SELECT field || '=' || value FROM room_fields ORDER BY field, value").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_gives_a_value() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        app.register("token-2", "John").await;
        app.advance(Duration::from_secs(1));
        for (given, stored) in [
            (value("size", "42", false), "size=42"),
            (value("size", "43", false), "size=42"),
            (value("size", "44", true), "size=44"),
        ] {
            app.post(VALUE, &by("token-1", given.clone())).await.is(200, &json!({"field": given, "success": true}));
            assert_eq!(visitor_values(&app).await, [stored]);
        }
        let known = app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"].clone();
        assert_eq!((&known["livechatData"], &known["_updatedAt"]), (&json!({"size": "44"}), &json!("2024-01-31T12:00:01.000Z")));
        assert_eq!(known["ts"], visitor["ts"]);
        assert_eq!(app.get("/api/v1/livechat/visitor/token-2").await.ok()["visitor"]["livechatData"], Value::Null);

        // What changes nothing is no change.
        app.advance(Duration::from_secs(1));
        app.post(VALUE, &by("token-1", value("size", "44", true))).await.ok();
        assert_eq!(app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"]["_updatedAt"], "2024-01-31T12:00:01.000Z");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_passes_for_one_of_another_field() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for text in ["Ulm\u{1e}size\u{1f}42", "\u{1e}\u{1f}", "a\u{1}b\u{7f}\u{2028}", "' OR 1=1 --", "{\"$ne\":null}"] {
            let kept = text.replace(['\u{1e}', '\u{1f}'], " ");
            for key in ["town", "topic"] {
                app.post(VALUE, &by("token-1", value(key, &format!("a{text}"), true))).await.ok();
            }
            let known = app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"].clone();
            assert_eq!(known["livechatData"], json!({"town": format!("a{kept}")}), "{text:?}");
            let shown = app.get(&format!("/api/v1/livechat/room?token=token-1&rid={room}")).await.ok();
            assert_eq!(shown["room"]["livechatData"], json!({"topic": format!("a{kept}")}), "{text:?}");
        }
        // The control: had it been kept as it was given, it would.
        tamper(&app, "UPDATE visitor_fields SET value = 'Ulm\u{1e}size\u{1f}42'").await;
        let known = app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"].clone();
        assert_eq!(known["livechatData"], json!({"town": "Ulm", "size": "42"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_cannot_be_are_refused() {
    let legacy = |error: &str| coded(&format!("{error} [invalid-params]"), "invalid-params");
    let table = [
        (json!({}), legacy("must have required property 'token'")),
        (json!({"token": "token-1"}), legacy("must have required property 'key'")),
        (json!({"token": "token-1", "key": "size"}), legacy("must have required property 'value'")),
        (json!({"token": "token-1", "key": "size", "value": "1"}), legacy("must have required property 'overwrite'")),
        (by("token-1", json!({"key": "size", "value": "1", "overwrite": "x"})), legacy("must be boolean")),
        (by("token-1", json!({"key": "size", "value": ["1"], "overwrite": true})), legacy("must be string")),
        (
            by("token-1", json!({"key": "size", "value": "1", "overwrite": true, "other": 1})),
            legacy("must NOT have additional properties"),
        ),
        (
            by("token-1", json!({"key": "size", "value": "1".repeat(4_097), "overwrite": true})),
            legacy("must NOT have more than 4096 characters"),
        ),
        (by("nobody", value("size", "42", true)), plain("invalid-token")),
        (by(" ", value("size", "42", true)), plain("invalid-token")),
        (by("token-1", value("other", "42", true)), plain("invalid-custom-field")),
        (by("token-1", value("Size", "42", true)), plain("invalid-custom-field")),
        (by("token-1", value("size", "large", true)), plain("Invalid value for size field")),
        (by("token-1", value("size", "", true)), plain("Invalid value for size field")),
        (by("token-1", value("topic", "1", true)), plain("Invalid value for topic field")),
    ];
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = app.post(VALUE, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        assert_eq!(rows(&app).await, before, "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_gets_the_values_of_its_visitor() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        app.register("token-2", "John").await;
        app.advance(Duration::from_secs(1));
        let conflict = |field: &str, value: &str| json!({"field": format!("customFields.{field}"), "value": value});
        for (given, values, conflicts) in [
            (value("size", "42", false), json!({"size": "42"}), json!([])),
            (value("size", "42", false), json!({"size": "42"}), json!([])),
            (value("size", "43", false), json!({"size": "42"}), json!([conflict("size", "43")])),
            (value("size", "43", false), json!({"size": "42"}), json!([conflict("size", "43")])),
            (value("size", "44", true), json!({"size": "44"}), json!([conflict("size", "43")])),
            (value("town", "", false), json!({"size": "44", "town": ""}), json!([conflict("size", "43")])),
            (value("town", "Ulm", false), json!({"size": "44", "town": "Ulm"}), json!([conflict("size", "43")])),
        ] {
            app.post(VALUE, &by("token-1", given.clone())).await.ok();
            assert_eq!(contacts(&app).await, [(values, conflicts)], "{given}");
        }
        let changed = column(&app, "SELECT CAST(updated_at AS TEXT) FROM contacts").await;
        assert_eq!(changed, [(usher_testkit::clock::START + 1_000).to_string()]);
        let before = contacts(&app).await;
        app.post(VALUE, &by("token-2", value("size", "45", true))).await.ok();
        assert_eq!(contacts(&app).await, before, "another visitor's value is not its");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_contradicted_a_hundred_times_at_most() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        app.post(VALUE, &by("token-1", value("size", "0", true))).await.ok();
        let values: Vec<Value> = (1..=150).map(|number| value("size", &number.to_string(), false)).collect();
        app.post(VALUES, &json!({"token": "token-1", "customFields": values})).await.ok();
        let (held, conflicts) = contacts(&app).await.remove(0);
        assert_eq!(held, json!({"size": "0"}));
        assert_eq!(conflicts.as_array().map(Vec::len), Some(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_get_values_of_their_own() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        let given = value("topic", "shoes", true);
        app.post(VALUE, &by("token-1", given.clone())).await.is(200, &json!({"field": given, "success": true}));
        assert_eq!(room_values(&app).await, [""; 0], "there is no room");

        let room = app.room("token-1").await;
        app.register("token-2", "John").await;
        app.room("token-2").await;
        let mut listener = app.services.hub.listen();
        for (given, stored, is_change) in [
            (value("topic", "shoes", false), "topic=shoes", true),
            (value("topic", "hats", false), "topic=shoes", false),
            (value("topic", "hats", true), "topic=hats", true),
        ] {
            app.post(VALUE, &by("token-1", given.clone())).await.is(200, &json!({"field": given, "success": true}));
            assert_eq!(room_values(&app).await, [stored]);
            let heard = listener.try_next().map(|news| match news {
                News::Committed(events) => match &events[..] {
                    [Event::Room(change)] => (change.room_id.clone(), change.kind),
                    other => panic!("nobody changed anything else: {other:?}"),
                },
                other => panic!("nobody changed anything else: {other:?}"),
            });
            let expected = is_change.then(|| (room.clone(), usher_domain::ChangeKind::RoomChanged));
            assert_eq!(heard, expected, "{given}");
        }
        let shown = app.get(&format!("/api/v1/livechat/room?token=token-1&rid={room}")).await.ok();
        assert_eq!(shown["room"]["livechatData"], json!({"topic": "hats"}));
        assert_eq!(visitor_values(&app).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_values_are_given_at_once() {
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        let answered = |key: &str, value: &str| json!({"Key": key, "value": value, "overwrite": true});
        let values = [value("town", "Ulm", true), value("topic", "shoes", true), value("size", "42", true)];
        let expected = json!({
            "fields": [answered("topic", "shoes"), answered("town", "Ulm"), answered("size", "42")],
            "success": true,
        });
        app.post(VALUES, &json!({"token": "token-1", "customFields": values})).await.is(200, &expected);
        assert_eq!(visitor_values(&app).await, ["size=42", "town=Ulm"]);
        assert_eq!(room_values(&app).await, ["topic=shoes"]);
        assert_eq!(contacts(&app).await, [(json!({"size": "42", "town": "Ulm"}), json!([]))]);

        // Of two values of one field the second counts, as far as it may.
        let twice = [value("size", "1", true), value("size", "2", false), value("town", "", true), value("town", "Bern", false)];
        app.post(VALUES, &json!({"token": "token-1", "customFields": twice})).await.ok();
        assert_eq!(visitor_values(&app).await, ["size=1", "town=Bern"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn either_all_values_are_taken_or_none() {
    let legacy = |error: &str| coded(&format!("{error} [invalid-params]"), "invalid-params");
    let good = value("town", "Ulm", true);
    let several = |values: Value| json!({"token": "token-1", "customFields": values});
    let table = [
        (json!({}), legacy("must have required property 'token'")),
        (json!({"token": "token-1"}), legacy("must have required property 'customFields'")),
        (several(json!("x")), legacy("must be array")),
        (several(json!(["x"])), legacy("must be object")),
        (several(json!([{"key": "size"}])), legacy("must have required property 'value'")),
        (several(json!([good, {"key": "size", "value": "42"}])), legacy("must have required property 'overwrite'")),
        (several(json!([])), plain("invalid-custom-field")),
        (several(json!([good, value("other", "x", true)])), plain("invalid-custom-field")),
        (several(json!([good, value("size", "large", true)])), plain("Invalid value for size field")),
        (json!({"token": "nobody", "customFields": [good]}), plain("invalid-token")),
        (json!({"token": "nobody", "customFields": []}), plain("invalid-token")),
    ];
    for engine in Engine::all() {
        let (app, _) = with_fields(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = app.post(VALUES, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        assert_eq!(rows(&app).await, before, "nothing is written");
        app.post(VALUES, &several(json!([good]))).await.ok();
    }
}
