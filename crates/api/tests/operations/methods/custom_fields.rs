//! Methods about custom fields, as older clients call them.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{bare_error, call, call_anonymously, error, failure, mismatch, result};
use crate::support::{column, rows, usual};

const LIST: &str = "livechat:getCustomFields";
const SAVE: &str = "livechat:saveCustomField";
const REMOVE: &str = "livechat:removeCustomField";
const SET: &str = "livechat:setCustomField";

/// What is answered to those who may not.
pub fn not_allowed(method: &str) -> Value {
    let mut refused = error(json!("error-not-allowed"), "Not allowed");
    refused["details"] = json!({"method": method});
    refused
}

fn field(id: &str) -> Value {
    json!({"field": id, "label": format!("The {id}"), "scope": "visitor", "visibility": "visible", "regexp": "^[0-9]+$",
        "searchable": true, "type": "input", "required": false, "defaultValue": "0", "options": "", "public": false})
}

/// A field as it is answered.
fn stored(id: &str) -> Value {
    let mut stored = field(id);
    stored.as_object_mut().expect("it is an object").remove("field");
    stored["_id"] = id.into();
    stored["_updatedAt"] = json!({"$date": START});
    stored
}

async fn save(app: &TestApp, login: &Login, id: &Value, data: &Value) -> Value {
    result(call(app, login, SAVE, json!([id, data])).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_make_change_and_delete_fields() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = (app.user("manager", &["livechat-manager"]).await, app.user("agent", &["livechat-agent"]).await);
        assert_eq!(result(call_anonymously(&app, LIST, json!([])).await), json!([]));
        assert_eq!(save(&app, &manager, &Value::Null, &field("size")).await, stored("size"));
        assert_eq!(save(&app, &manager, &json!(""), &field("age")).await, stored("age"));
        let mut changed = stored("size");
        changed["label"] = json!("Shoe size");
        let mut data = field("other");
        data["label"] = json!("Shoe size");
        assert_eq!(save(&app, &manager, &json!("size"), &data).await, changed, "the id stays");
        for reply in [call_anonymously(&app, LIST, json!([])).await, call(&app, &agent, LIST, json!([])).await] {
            assert_eq!(result(reply), json!([changed, stored("age")]));
        }

        assert_eq!(failure(call(&app, &agent, SAVE, json!([null, field("x")])).await, 200), not_allowed(SAVE));
        assert_eq!(failure(call(&app, &agent, REMOVE, json!(["size"])).await, 200), not_allowed(REMOVE));
        assert_eq!(result(call(&app, &manager, REMOVE, json!(["size"])).await), Value::Null);
        let gone = error(json!("error-invalid-custom-field"), "Custom field not found");
        assert_eq!(failure(call(&app, &manager, REMOVE, json!(["size"])).await, 200), gone);
        assert_eq!(result(call_anonymously(&app, LIST, json!([])).await), json!([stored("age")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_are_not_saved() {
    let with = |member: &str, value: Value| {
        let mut data = field("size");
        data[member] = value;
        data
    };
    let name =
        || error(json!("error-invalid-custom-field-name"), "A field's name consists of letters, digits, hyphens and underscores");
    let table = [
        (json!([]), mismatch("Expected object, got undefined")),
        (json!([null, "x"]), mismatch("Expected object, got string")),
        (json!([7, field("size")]), mismatch("Expected string, got number")),
        (json!([null, {"label": "x", "scope": "visitor", "visibility": "visible"}]), mismatch("Missing key 'field'")),
        (json!([null, with("scope", json!("contact"))]), mismatch("Failed Match.Where validation in field scope")),
        (json!([null, with("regexp", json!(7))]), mismatch("Expected string, got number in field regexp")),
        (json!([null, with("public", json!("yes"))]), mismatch("Expected boolean, got string in field public")),
        (json!([null, with("field", json!("shoe size"))]), name()),
        (json!([null, with("field", json!(""))]), name()),
        (json!([null, field("taken")]), error(json!("error-custom-field-name-already-exists"), "Custom Field already exists")),
        (json!(["unknown", field("size")]), error(json!("error-invalid-custom-field"), "Custom Field Not found")),
        (
            json!([null, with("more", json!("x".repeat(70_000)))]),
            error(json!("error-custom-field-too-long"), "The custom field is too long"),
        ),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        save(&app, &admin, &Value::Null, &field("taken")).await;
        let before = rows(&app).await;
        for (parameters, expected) in &table {
            assert_eq!(&failure(call(&app, &admin, SAVE, parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_give_values() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        save(&app, &admin, &Value::Null, &field("size")).await;
        app.register("token-1", "Mary").await;
        let values = || column(&app, "SELECT field || '=' || value FROM visitor_fields");
        for (parameters, expected) in [
            (json!(["token-1", "size", "42"]), "size=42"),
            (json!(["token-1", "size", "43", false]), "size=42"),
            (json!(["token-1", "size", "43", true]), "size=43"),
            (json!(["token-1", "size", "44", null]), "size=44"),
            (json!(["token-1", "unknown", "45"]), "size=44"),
        ] {
            assert_eq!(result(call_anonymously(&app, SET, parameters.clone()).await), json!(true), "{parameters}");
            assert_eq!(values().await, [expected], "{parameters}");
        }
        for (parameters, expected) in [
            (json!(["nobody", "size", "42"]), bare_error("invalid-token")),
            (json!([" ", "size", "42"]), bare_error("invalid-token")),
            (json!(["token-1", "size", "large"]), error(json!("error-invalid-custom-field-value"), "Invalid value for size field")),
            (json!([{"$ne": null}, "size", "42"]), mismatch("Expected string, got object")),
            (json!(["token-1", "size"]), mismatch("Expected string, got undefined")),
            (json!(["token-1", "size", "42", "yes"]), mismatch("Expected boolean, got string")),
        ] {
            assert_eq!(failure(call_anonymously(&app, SET, parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(values().await, ["size=44"]);
    }
}
