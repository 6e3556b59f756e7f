//! Changing several settings at once.

use serde_json::{Value, json};
use usher_testkit::Setup;
use usher_testkit::engines::Engine;

use super::{CONFIG, SETTINGS, invalid_value, not_allowed, silent, value};
use crate::permissions::{grant, not_logged_in, post};
use crate::support::{coded, column, plain, rows};

/// A body that sets these.
fn body(settings: &[(&str, Value)]) -> Value {
    let settings: Vec<Value> = settings.iter().map(|(id, value)| json!({"_id": id, "value": value})).collect();
    json!({"settings": settings})
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_are_taken() {
    let settings = [
        ("Livechat_title", json!("Shoes")),
        ("Livechat_registration_form", json!(false)),
        ("Livechat_http_timeout", json!(7_000)),
        ("Message_MaxAllowedSize", json!(100.0)),
        ("Livechat_hide_system_messages", json!(["uj"])),
        ("Livechat_Routing_Method", json!("Manual_Selection")),
        ("SMS_Service", json!("")),
        ("Livechat_title_color", json!("#FFFFFF")),
        ("SMS_Mobex_password", json!("secret")),
        ("Language", json!("de")),
        ("Accounts_CustomFields", json!(r#"{"shift": {"sendToIntegrations": true}}"#)),
        ("Usher_Limit_Logins", json!(1)),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for _ in 0..2 {
            post(&app, &admin, SETTINGS, &body(&settings)).await.is(200, &json!({"success": true}));
        }
        for (id, sent) in &settings {
            assert_eq!(value(&app, &admin, id).await, *sent, "{id}");
        }
        let config = app.get(CONFIG).await.ok()["config"].clone();
        let shown = (&config["settings"]["registrationForm"], &config["theme"]["title"]);
        assert_eq!(shown, (&json!(false), &json!("Shoes")), "in force at once");
        post(&app, &admin, SETTINGS, &body(&[("Accounts_CustomFields", json!(""))])).await.ok();
        assert_eq!(value(&app, &admin, "Accounts_CustomFields").await, "", "no JSON, but nothing at all");

        let colour = json!({"settings": [{"_id": "Livechat_title_color", "value": "red", "editor": "expression", "more": 1}]});
        post(&app, &admin, SETTINGS, &colour).await.is(200, &json!({"success": true}));
        let editor = "SELECT COALESCE(editor, '-') FROM settings WHERE id = 'Livechat_title_color'";
        assert_eq!(column(&app, editor).await, ["expression"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_type_is_refused_and_nothing_is_written() {
    let mismatch = |expected: &str, got: &str| plain(&format!("Match error: Expected {expected}, got {got}"));
    let not_json = coded("Invalid JSON [error-invalid-setting-value]", "error-invalid-setting-value");
    let table = [
        ("Livechat_enabled", json!("true"), mismatch("boolean", "string")),
        ("Livechat_enabled", json!(1), mismatch("boolean", "number")),
        ("Livechat_enabled", json!(null), mismatch("boolean", "null")),
        ("Livechat_enabled", json!([]), mismatch("boolean", "object")),
        ("Livechat_http_timeout", json!("5"), mismatch("number", "string")),
        ("Livechat_http_timeout", json!(true), mismatch("number", "boolean")),
        ("Livechat_http_timeout", json!(1.5), invalid_value("1.5")),
        ("Usher_Limit_Logins", json!(0), invalid_value("0")),
        ("Usher_Limit_Messages_Burst", json!(-1), invalid_value("-1")),
        ("Livechat_hide_system_messages", json!("uj"), mismatch("array", "string")),
        ("Livechat_hide_system_messages", json!({}), mismatch("array", "object")),
        ("Livechat_title", json!(5), mismatch("string", "number")),
        ("Livechat_title", json!(null), mismatch("string", "null")),
        ("Livechat_title", json!({"$ne": ""}), mismatch("string", "object")),
        ("Livechat_Routing_Method", json!(true), mismatch("string", "boolean")),
        ("Livechat_title_color", json!(["#fff"]), mismatch("string", "object")),
        ("SMS_Mobex_password", json!(5), mismatch("string", "number")),
        ("Language", json!(null), mismatch("string", "null")),
        ("Accounts_CustomFields", json!({}), mismatch("string", "object")),
        ("Accounts_CustomFields", json!("{"), not_json.clone()),
        ("Accounts_CustomFields", json!("shift"), not_json),
        ("unknown", json!("x"), silent()),
        ("Livechat_guest_count", json!(5), silent()),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for (id, wrong, answer) in &table {
            let first = ("Site_Name", json!("Shoes"));
            let last = ("Livechat_offline_title", json!("Away"));
            let reply = post(&app, &admin, SETTINGS, &body(&[first, (*id, wrong.clone()), last])).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, answer), "{id} {wrong}");
        }
        assert_eq!(rows(&app).await, before, "all or nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_shape_is_refused() {
    let long = "x".repeat(65_535);
    let table = [
        (json!({}), "must have required property 'settings'"),
        (json!([]), "must be object"),
        (json!({"settings": {}}), "must be array"),
        (json!({"settings": []}), "must NOT have fewer than 1 items"),
        (json!({"settings": ["Livechat_title"]}), "must be object"),
        (json!({"settings": [{}]}), "must have required property '_id'"),
        (json!({"settings": [{"value": "x"}]}), "must have required property '_id'"),
        (json!({"settings": [{"_id": "Livechat_title"}]}), "must have required property 'value'"),
        (json!({"settings": [{"_id": "", "value": "x"}]}), "must NOT have fewer than 1 characters"),
        (json!({"settings": [{"_id": ["Livechat_title"], "value": "x"}]}), "must be string"),
        (json!({"settings": [{"_id": "Livechat_title", "value": "x", "editor": {}}]}), "must be string"),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for (wrong, error) in &table {
            let reply = post(&app, &admin, SETTINGS, wrong).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &coded(error, "invalid-params")), "{wrong}");
        }
        let reply = post(&app, &admin, SETTINGS, &body(&[("Livechat_title", json!(long))])).await;
        reply.is(400, &plain("must NOT have more than 65536 characters"));
        assert_eq!(rows(&app).await, before, "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_one_of_them_changes_none() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let (title, enabled) = (("Livechat_title", json!("Shoes")), ("Livechat_enabled", json!(false)));
        let both = body(&[title.clone(), enabled.clone()]);
        app.post(SETTINGS, &both).await.is(401, &not_logged_in());
        let before = rows(&app).await;
        post(&app, &mary, SETTINGS, &both).await.is(400, &not_allowed(&["Livechat_title", "Livechat_enabled"]));
        assert_eq!(rows(&app).await, before, "nothing is written");

        grant(&app, &admin, "change-setting-Livechat_title", &["livechat-manager"]).await;
        post(&app, &mary, SETTINGS, &body(std::slice::from_ref(&title))).await.is(400, &not_allowed(&["Livechat_title"]));
        grant(&app, &admin, "manage-selected-settings", &["livechat-manager"]).await;
        let before = rows(&app).await;
        post(&app, &mary, SETTINGS, &both).await.is(400, &not_allowed(&["Livechat_enabled"]));
        let unknown = body(&[title.clone(), ("unknown", json!(1)), ("Livechat_guest_count", json!(1))]);
        post(&app, &mary, SETTINGS, &unknown).await.is(400, &not_allowed(&["unknown", "Livechat_guest_count"]));
        assert_eq!(rows(&app).await, before, "nothing is written");
        post(&app, &mary, SETTINGS, &body(&[title])).await.is(200, &json!({"success": true}));
        assert_eq!(value(&app, &admin, "Livechat_title").await, "Shoes");

        // An administrator is not exempt.
        grant(&app, &admin, "edit-privileged-setting", &[]).await;
        grant(&app, &admin, "manage-selected-settings", &[]).await;
        post(&app, &admin, SETTINGS, &body(&[enabled])).await.is(400, &not_allowed(&["Livechat_enabled"]));
        assert_eq!(value(&app, &admin, "Livechat_enabled").await, true);
    }
}
