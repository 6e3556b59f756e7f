//! Values of custom fields that come with a registration.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::{contacts, make, visitor_values};
use crate::support::{VISITOR, plain, rows, usual};

fn visitor(token: &str, fields: Value) -> Value {
    json!({"visitor": {"token": token, "name": "Mary", "customFields": fields}})
}

fn value(key: &str, value: &str, overwrite: bool) -> Value {
    json!({"key": key, "value": value, "overwrite": overwrite})
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_with_a_registration() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "size", json!({"regexp": "^[0-9]+$"})).await;
        make(&app, &admin, "town", json!({"searchable": true})).await;
        make(&app, &admin, "topic", json!({"scope": "room"})).await;
        let fields = json!([
            value("size", "large", true),
            value("topic", "x", true),
            value("other", "x", true),
            value("town", "Ulm", false)
        ]);
        let answer = app.post(VISITOR, &visitor("token-1", fields)).await.ok();
        assert_eq!(answer["visitor"]["livechatData"], json!({"size": "large", "town": "Ulm"}), "no pattern is looked at");
        assert_eq!(visitor_values(&app).await, ["size=large", "town=Ulm"]);

        let fields = json!([value("town", "Bern", false), {"key": "size", "value": "42"}]);
        app.post(VISITOR, &visitor("token-1", fields)).await.ok();
        assert_eq!(visitor_values(&app).await, ["size=large", "town=Ulm"], "without `overwrite` what is there stays");
        app.post(VISITOR, &visitor("token-1", json!([value("size", "42", true)]))).await.ok();
        assert_eq!(visitor_values(&app).await, ["size=42", "town=Ulm"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_gets_them_too() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "size", json!({})).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        for (given, values, conflicts) in [
            (value("size", "42", false), json!({"size": "42"}), json!([])),
            (value("size", "43", false), json!({"size": "42"}), json!([{"field": "customFields.size", "value": "43"}])),
            (value("size", "44", true), json!({"size": "44"}), json!([{"field": "customFields.size", "value": "43"}])),
        ] {
            app.post(VISITOR, &visitor("token-1", json!([given]))).await.ok();
            assert_eq!(contacts(&app).await, [(values, conflicts)], "{given}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_comes_into_being_takes_over_what_fits() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (id, members) in [
            ("size", json!({"regexp": "^[0-9]+$"})),
            ("age", json!({"regexp": "^[0-9]+$"})),
            ("town", json!({})),
            ("plan", json!({})),
            ("secret", json!({"visibility": "hidden"})),
        ] {
            make(&app, &admin, id, members).await;
        }
        let fields = json!([
            value("size", "large", true),
            value("age", "42", true),
            value("town", " Ulm ", true),
            value("plan", " ", true),
            value("secret", "x", true),
        ]);
        app.post(VISITOR, &visitor("token-1", fields)).await.ok();
        assert_eq!(contacts(&app).await, [], "there is none yet");
        app.room("token-1").await;
        assert_eq!(contacts(&app).await, [(json!({"age": "42", "town": "Ulm"}), json!([]))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_any_gives_all_that_are_required() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (id, members) in [
            ("size", json!({"required": true})),
            ("town", json!({"required": true, "visibility": "hidden"})),
            ("plan", json!({"required": false})),
            ("topic", json!({"required": true, "scope": "room"})),
        ] {
            make(&app, &admin, id, members).await;
        }
        app.post(VISITOR, &visitor("token-1", json!([]))).await.ok();
        let before = rows(&app).await;
        for (fields, missing) in [
            (json!([value("plan", "x", true)]), "size, town"),
            (json!([value("other", "x", true)]), "size, town"),
            (json!([value("size", "42", true)]), "town"),
            (json!([value("town", "Ulm", true)]), "size"),
        ] {
            for token in ["token-1", "token-2"] {
                let refused = plain(&format!("Missing required custom fields: {missing}"));
                app.post(VISITOR, &visitor(token, fields.clone())).await.is(400, &refused);
            }
        }
        let mut after = rows(&app).await;
        // Numbers for guests are taken ahead.
        after.insert("counters".to_owned(), before["counters"].clone());
        assert_eq!(after, before, "nobody is registered");
        app.post(VISITOR, &visitor("token-2", json!([value("size", "", true), value("town", "Ulm", true)]))).await.ok();
        assert_eq!(visitor_values(&app).await, ["size=", "town=Ulm"]);
    }
}
