//! The operations on settings.

mod lasting;
mod several;
mod single;

use serde_json::{Value, json};
use usher_domain::settings::{Definition, definitions};
use usher_testkit::Setup;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::permissions::{get, grant, not_logged_in, post};
use crate::support::{coded, encoded};

const PUBLIC: &str = "/api/v1/settings.public";
const SETTINGS: &str = "/api/v1/settings";

/// What everybody's widget is configured by.
const CONFIG: &str = "/api/v1/livechat/config";

/// Where one setting is read and changed.
fn one(id: &str) -> String {
    format!("{SETTINGS}/{id}")
}

/// The value of a setting, as the administrator reads it.
async fn value(app: &TestApp, login: &Login, id: &str) -> Value {
    get(app, login, &one(id)).await.ok()["value"].clone()
}

/// Changes a setting, which must go well.
async fn set(app: &TestApp, login: &Login, id: &str, value: &Value) {
    post(app, login, &one(id), &json!({"value": value})).await.is(200, &json!({"success": true}));
}

/// What is answered without a word.
fn silent() -> Value {
    json!({"success": false})
}

/// What a value is answered that is too small or no whole number.
fn invalid_value(value: &str) -> Value {
    let code = "error-invalid-setting-value";
    coded(&format!("Invalid setting value {value} [{code}]"), code)
}

/// What somebody is answered who may not change these settings.
fn not_allowed(ids: &[&str]) -> Value {
    let code = "error-action-not-allowed";
    let mut body = coded(&format!("Editing settings is not allowed [{code}]"), code);
    body["details"] = json!({"method": "saveSettings", "settingIds": ids});
    body
}

/// What is answered to a query that cannot be.
fn invalid_query(error: &str) -> Value {
    coded(error, "error-invalid-params")
}

/// The settings that are not the server's own and are wanted, in the order of their ids, with their defaults.
fn expected(is_wanted: impl Fn(&Definition) -> bool, with_defaults: bool) -> Vec<Value> {
    let mut wanted: Vec<&Definition> = definitions().iter().filter(|setting| !setting.is_hidden && is_wanted(setting)).collect();
    wanted.sort_by_key(|setting| setting.id);
    let shown = |setting: &Definition| {
        let mut shown = json!({"_id": setting.id, "value": setting.default, "enterprise": false});
        if with_defaults {
            shown["packageValue"] = setting.default.clone();
        }
        shown
    };
    wanted.into_iter().map(shown).collect()
}

/// A page of these settings, which are `total` in all.
fn page(settings: &[Value], offset: usize, total: usize) -> Value {
    json!({"settings": settings, "count": settings.len(), "offset": offset, "total": total, "success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_the_public_settings() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let public = expected(|setting| setting.is_public, false);
        let total = public.len();
        assert!(total > 100, "the usual page and the longest one show a part only");
        app.get(PUBLIC).await.is(200, &page(&public[..50], 0, total));
        app.get(&format!("{PUBLIC}?")).await.is(200, &page(&public[..50], 0, total));
        app.get(&format!("{PUBLIC}?_id=")).await.is(200, &page(&public[..50], 0, total));
        app.get(&format!("{PUBLIC}?count=0")).await.is(200, &page(&public, 0, total));
        app.get(&format!("{PUBLIC}?count=1000")).await.is(200, &page(&public[..100], 0, total));
        app.get(&format!("{PUBLIC}?count=2&offset=1&query=%7B%7D")).await.is(200, &page(&public[1..3], 1, total));
        app.get(&format!("{PUBLIC}?offset=100000")).await.is(200, &page(&[], 100_000, total));

        let reversed: Vec<Value> = public.iter().rev().cloned().collect();
        for (sort, sorted) in [(r#"{"_id": 1}"#, &public), (r#"{"_id": -1}"#, &reversed)] {
            let answer = app.get(&format!("{PUBLIC}?count=3&sort={}", encoded(sort))).await;
            answer.is(200, &page(&sorted[..3], 0, total));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_settings_can_be_asked_for_by_their_ids() {
    let title = json!({"_id": "Livechat_title", "value": "Rocket.Chat", "enterprise": false});
    let enabled = json!({"_id": "Livechat_enabled", "value": true, "enterprise": false});
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let both = [enabled.clone(), title.clone()];
        app.get(&format!("{PUBLIC}?_id=Livechat_title")).await.is(200, &page(std::slice::from_ref(&title), 0, 1));
        app.get(&format!("{PUBLIC}?_id=Livechat_title,Livechat_enabled")).await.is(200, &page(&both, 0, 2));
        app.get(&format!("{PUBLIC}?_id=Livechat_title,+Livechat_enabled,")).await.is(200, &page(&both, 0, 2));
        app.get(&format!("{PUBLIC}?_id=Livechat_title,Livechat_enabled&count=1&offset=1")).await.is(200, &page(&both[1..], 1, 2));
        for unseen in ["Livechat_secret_token", "Livechat_guest_count", "livechat_title", "unknown", ","] {
            app.get(&format!("{PUBLIC}?_id={unseen}")).await.is(200, &page(&[], 0, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_public_settings_is_closed() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for (query, error) in [
            ("unknown=1", "must NOT have additional properties"),
            ("includeDefaults=true", "must NOT have additional properties"),
            ("_id[]=Livechat_title", "must be string"),
            ("_id=Livechat_title&_id=Livechat_enabled", "must be string"),
            ("count=many", "must be integer"),
            ("offset[]=1", "must be integer"),
        ] {
            app.get(&format!("{PUBLIC}?{query}")).await.is(400, &invalid_query(error));
        }
        let sort = r#"{"_id": 2}"#;
        let told = r#"Invalid sort parameter provided: "{"_id": 2}" [error-invalid-sort]"#;
        app.get(&format!("{PUBLIC}?sort={}", encoded(sort))).await.is(400, &coded(told, "error-invalid-sort"));
        let told = r#"Invalid fields parameter provided: "value" [error-invalid-fields]"#;
        app.get(&format!("{PUBLIC}?fields=value")).await.is(400, &coded(told, "error-invalid-fields"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_sees_all_settings_and_others_the_public_ones() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let (all, public) = (expected(|_| true, false), expected(|setting| setting.is_public, false));
        assert!(all.len() > public.len());
        let whole = format!("{SETTINGS}?count=0");
        app.get(&whole).await.is(401, &not_logged_in());
        get(&app, &admin, &whole).await.is(200, &page(&all, 0, all.len()));
        get(&app, &mary, &whole).await.is(200, &page(&public, 0, public.len()));
        get(&app, &admin, SETTINGS).await.is(200, &page(&all[..50], 0, all.len()));
        get(&app, &admin, &format!("{SETTINGS}?count=2&offset=50&other=1")).await.is(200, &page(&all[50..52], 50, all.len()));
        let of_the_server = definitions().iter().filter(|setting| setting.is_hidden);
        for hidden in of_the_server {
            assert!(!all.iter().any(|shown| shown["_id"] == hidden.id), "{}", hidden.id);
        }

        let with_defaults = format!("{SETTINGS}?count=0&includeDefaults=true");
        let (all, public) = (expected(|_| true, true), expected(|setting| setting.is_public, true));
        get(&app, &admin, &with_defaults).await.is(200, &page(&all, 0, all.len()));
        get(&app, &mary, &with_defaults).await.is(200, &page(&public, 0, public.len()));
        get(&app, &admin, &format!("{SETTINGS}?includeDefaults=yes")).await.is(400, &invalid_query("must be boolean"));

        grant(&app, &admin, "view-privileged-setting", &[]).await;
        get(&app, &admin, &with_defaults).await.is(200, &page(&public, 0, public.len()));
        grant(&app, &admin, "view-privileged-setting", &["livechat-manager"]).await;
        get(&app, &admin, &with_defaults).await.is(200, &page(&public, 0, public.len()));
        get(&app, &mary, &with_defaults).await.is(200, &page(&all, 0, all.len()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_was_set_and_the_default_beside_it() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        set(&app, &admin, "Livechat_title", &json!("Shoes")).await;
        set(&app, &admin, "Livechat_secret_token", &json!("secret")).await;
        let listed = get(&app, &admin, &format!("{SETTINGS}?count=0&includeDefaults=true")).await.ok();
        let find = |id: &str| {
            let list = listed["settings"].as_array().expect("it is a list");
            list.iter().find(|setting| setting["_id"] == id).expect("it is in the list").clone()
        };
        let title = json!({"_id": "Livechat_title", "value": "Shoes", "enterprise": false, "packageValue": "Rocket.Chat"});
        assert_eq!(find("Livechat_title"), title);
        let secret = json!({"_id": "Livechat_secret_token", "value": "secret", "enterprise": false, "packageValue": ""});
        assert_eq!(find("Livechat_secret_token"), secret);
        let shown = json!({"_id": "Livechat_title", "value": "Shoes", "enterprise": false});
        app.get(&format!("{PUBLIC}?_id=Livechat_title,Livechat_secret_token")).await.is(200, &page(&[shown], 0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_login_by_other_services() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        app.get("/api/v1/settings.oauth").await.is(200, &json!({"services": [], "success": true}));
        app.get("/api/v1/settings.oauth?").await.is(200, &json!({"services": [], "success": true}));
        app.get("/api/v1/service.configurations").await.is(200, &json!({"configurations": [], "success": true}));
    }
}
