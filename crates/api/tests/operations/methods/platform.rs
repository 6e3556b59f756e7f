//! Methods about permissions and settings.

use std::time::Duration;

use axum::http::Method as Verb;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{call, call_anonymously, error, failure, result};
use crate::support::{rows, usual};

/// The item of a list with this id.
#[track_caller]
fn item<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list.as_array().expect("it is a list").iter().find(|item| item["_id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in the list"))
}

fn is_in(list: &Value, id: &str) -> bool {
    list.as_array().expect("it is a list").iter().any(|item| item["_id"] == id)
}

async fn post(app: &TestApp, login: &Login, path: &str, body: &Value) {
    app.call(Verb::POST, path).as_user(login).json(body).send().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_listed_and_what_has_changed_of_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, admin) = (app.user("mary", &["user"]).await, app.admin().await);
        let all = result(call(&app, &mary, "permissions/get", json!([])).await);
        assert_eq!(item(&all, "create-user"), &json!({"_id": "create-user", "roles": ["admin"], "_updatedAt": {"$date": START}}));
        let of_rest = app.call(Verb::GET, "/api/v1/permissions.listAll").as_user(&mary).send().await.ok();
        assert_eq!(all.as_array().map(Vec::len), of_rest["update"].as_array().map(Vec::len), "they are those of REST");

        app.advance(Duration::from_secs(1));
        let body = json!({"permissions": [{"_id": "create-user", "roles": ["admin", "bot"]}]});
        post(&app, &admin, "/api/v1/permissions.update", &body).await;
        let changed = json!({"_id": "create-user", "roles": ["admin", "bot"], "_updatedAt": {"$date": START + 1_000}});
        for (since, update) in [(START, json!([changed])), (START + 999, json!([changed])), (START + 1_000, json!([]))] {
            let answer = result(call(&app, &mary, "permissions/get", json!([{"$date": since}])).await);
            assert_eq!(answer, json!({"update": update, "remove": []}), "{since}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_for_everybody_are_listed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let all = result(call_anonymously(&app, "public-settings/get", json!([])).await);
        assert_eq!(item(&all, "Site_Name"), &json!({"_id": "Site_Name", "value": "Rocket.Chat", "enterprise": false}));
        for hidden in ["Livechat_secret_token", "API_Enable_CORS", "Accounts_RegistrationForm_SecretURL"] {
            assert!(!is_in(&all, hidden), "{hidden}");
        }
        assert_eq!(result(call(&app, &admin, "public-settings/get", json!([null])).await), all, "whoever asks");
        app.advance(Duration::from_secs(1));
        for id in ["Site_Name", "From_Email"] {
            post(&app, &admin, &format!("/api/v1/settings/{id}"), &json!({"value": "a@example.com"})).await;
        }
        let changed = json!({"_id": "Site_Name", "value": "a@example.com", "enterprise": false});
        for (since, update) in [(START, json!([changed])), (START + 1_000, json!([]))] {
            let answer = result(call_anonymously(&app, "public-settings/get", json!([{"$date": since}])).await);
            assert_eq!(answer["remove"], json!([]));
            let update_found: Vec<&Value> = answer["update"].as_array().expect("it is a list").iter().collect();
            let expected: Vec<&Value> = update.as_array().expect("it is a list").iter().collect();
            let found: Vec<&Value> =
                update_found.into_iter().filter(|setting| setting["_id"] != "Livechat_accept_chats_with_no_agents").collect();
            assert_eq!(found, expected, "{since}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_settings_are_for_those_who_may_see_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, admin) = (app.user("mary", &["user"]).await, app.admin().await);
        let all = result(call(&app, &admin, "private-settings/get", json!([])).await);
        for id in ["Site_Name", "API_Enable_CORS"] {
            assert!(is_in(&all, id), "{id}");
        }
        app.advance(Duration::from_secs(1));
        post(&app, &admin, "/api/v1/settings/From_Email", &json!({"value": "a@example.com"})).await;
        let since = json!([{"$date": START}]);
        let answer = result(call(&app, &admin, "private-settings/get", since.clone()).await);
        let changed = json!({"_id": "From_Email", "value": "a@example.com", "enterprise": false});
        assert_eq!((item(&answer["update"], "From_Email"), &answer["remove"]), (&changed, &json!([])));
        assert_eq!(result(call(&app, &mary, "private-settings/get", json!([])).await), json!([]));
        assert_eq!(result(call(&app, &mary, "private-settings/get", since).await), json!({"update": [], "remove": []}));
        let body = json!({"permissions": [{"_id": "view-privileged-setting", "roles": ["user"]}]});
        post(&app, &admin, "/api/v1/permissions.update", &body).await;
        assert!(is_in(&result(call(&app, &mary, "private-settings/get", json!([])).await), "API_Enable_CORS"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_saved_all_or_none() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, admin) = (app.user("mary", &["user"]).await, app.admin().await);
        let before = rows(&app).await;
        let change = |id: &str, value: Value| json!({"_id": id, "value": value});
        let not_allowed = |ids: &[&str]| {
            let mut refused = error(json!("error-action-not-allowed"), "Editing settings is not allowed");
            refused["details"] = json!({"method": "saveSettings", "settingIds": ids});
            refused
        };
        let two = json!([[change("Site_Name", json!("Help")), change("WebRTC_Enabled", json!(true))]]);
        let refused = failure(call(&app, &mary, "saveSettings", two.clone()).await, 400);
        assert_eq!(refused, not_allowed(&["Site_Name", "WebRTC_Enabled"]));
        for (id, value, expected) in [
            ("WebRTC_Enabled", json!("true"), error(json!("invalid-params"), "Match error: Expected boolean, got string")),
            ("API_Default_Count", json!("7"), error(json!("invalid-params"), "Match error: Expected number, got string")),
            ("API_Default_Count", json!(1.5), error(json!("error-invalid-setting-value"), "Invalid setting value 1.5")),
            ("Usher_Limit_Logins", json!(0), error(json!("error-invalid-setting-value"), "Invalid setting value 0")),
            ("Accounts_CustomFields", json!("{"), error(json!("error-invalid-setting-value"), "Invalid JSON")),
        ] {
            let both = json!([[change("Site_Name", json!("Help")), change(id, value)]]);
            assert_eq!(failure(call(&app, &admin, "saveSettings", both).await, 400), expected, "{id}");
        }
        assert_eq!(rows(&app).await, before);

        assert_eq!(result(call(&app, &admin, "saveSettings", two).await), json!(true));
        let all = result(call_anonymously(&app, "public-settings/get", json!([])).await);
        assert_eq!((&item(&all, "Site_Name")["value"], &item(&all, "WebRTC_Enabled")["value"]), (&json!("Help"), &json!(true)));

        // A permission for one setting is enough for that one.
        let granted = json!({"permissions": [
            {"_id": "manage-selected-settings", "roles": ["user"]},
            {"_id": "change-setting-Site_Name", "roles": ["user"]},
        ]});
        post(&app, &admin, "/api/v1/permissions.update", &granted).await;
        assert_eq!(result(call(&app, &mary, "saveSettings", json!([[change("Site_Name", json!("Mary's"))]])).await), json!(true));
        let two = json!([[change("Site_Name", json!("Help")), change("WebRTC_Enabled", json!(false))]]);
        assert_eq!(failure(call(&app, &mary, "saveSettings", two).await, 400), not_allowed(&["WebRTC_Enabled"]));
    }
}
