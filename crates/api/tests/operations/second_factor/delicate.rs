//! Operations that ask for the second factor.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Call, PASSWORD};
use usher_testkit::engines::Engine;

use super::{Enrolled, REMEMBERED, blocked, details, has_wrong, mary, method_error, needs, show};
use crate::methods::{self, failure, result};
use crate::support::{rows, usual};

const SETTING: &str = "/api/v1/settings/Site_Name";
const SETTINGS: &str = "/api/v1/settings";
const UPDATE: &str = "/api/v1/users.update";
const UPDATE_OWN: &str = "/api/v1/users.updateOwnBasicInfo";

/// Every operation that asks, with a body that makes it succeed if they are called in this order, and whether it asks every time.
fn operations(mary: &Enrolled, email: &str) -> Vec<(&'static str, Value, bool)> {
    vec![
        (SETTING, json!({"value": "Support"}), false),
        (SETTINGS, json!({"settings": [{"_id": "Site_Name", "value": "Help"}]}), true),
        (UPDATE, json!({"userId": mary.login.user_id, "data": {"name": "Mary Major"}}), false),
        ("/api/v1/users.generatePersonalAccessToken", json!({"tokenName": "program"}), false),
        ("/api/v1/users.regeneratePersonalAccessToken", json!({"tokenName": "program"}), false),
        ("/api/v1/users.removePersonalAccessToken", json!({"tokenName": "program"}), false),
        (UPDATE_OWN, json!({"data": {"email": email}}), false),
        (UPDATE_OWN, json!({"data": {"newPassword": "another one"}}), false),
    ]
}

fn post<'a>(app: &'a TestApp, mary: &Enrolled, path: &str, body: &Value) -> Call<'a> {
    app.call(Method::POST, path).as_user(&mary.login).json(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn delicate_operations_ask_for_a_code() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let before = rows(&app).await;
        for (path, body, _) in operations(&mary, "may@example.com") {
            post(&app, &mary, path, &body).send().await.is(400, &needs("totp"));
            // A code that is said to be the password's is no code of the second factor.
            let mistaken = post(&app, &mary, path, &body).header("x-2fa-code", &mary.code(&app)).header("x-2fa-method", "password");
            mistaken.send().await.is(400, &needs("totp"));
            let endless = "1".repeat(129);
            show(post(&app, &mary, path, &body), &endless).await.is(400, &needs("totp"));
            show(post(&app, &mary, path, &body), &mary.wrong_code(&app)).await.is(400, &has_wrong("totp"));
        }
        assert_eq!(rows(&app).await, before, "nothing was done");
        for (path, body, _) in operations(&mary, "may@example.com") {
            let reply = show(post(&app, &mary, path, &body), &mary.code(&app)).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.body);
            app.advance(REMEMBERED);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_showed_a_code_of_late_passes() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        show(post(&app, &mary, SETTING, &json!({"value": "Support"})), &mary.code(&app)).await.ok();
        app.advance(REMEMBERED - Duration::from_millis(1));
        for (path, body, asks_every_time) in operations(&mary, "may@example.com") {
            let reply = post(&app, &mary, path, &body).send().await;
            if asks_every_time {
                reply.is(400, &needs("totp"))
            } else {
                assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.body)
            }
        }
        app.advance(Duration::from_millis(1));
        for (path, body, _) in operations(&mary, "mary@example.com") {
            post(&app, &mary, path, &body).send().await.is(400, &needs("totp"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_code_is_used_up_by_an_operation() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let body = json!({"settings": [{"_id": "Site_Name", "value": "Help"}]});
        show(post(&app, &mary, SETTINGS, &body), &mary.backup_codes[0]).await.ok();
        show(post(&app, &mary, SETTINGS, &body), &mary.backup_codes[0]).await.is(400, &has_wrong("totp"));
        show(post(&app, &mary, SETTINGS, &body), &mary.backup_codes[1]).await.ok();
    }
}

/// What changes neither the address nor the password is not delicate.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_change_of_oneself_asks_for_nothing() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let body = json!({"data": {"name": "Mary Major", "username": "may", "email": "mary@example.com", "statusText": "Here"}});
        post(&app, &mary, UPDATE_OWN, &body).send().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_that_saves_settings_asks_every_time() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let parameters = json!([[{"_id": "Site_Name", "value": "Help"}]]);
        let mut required = method_error("totp-required", "TOTP Required");
        required["details"] = details("totp");
        let mut invalid = method_error("totp-invalid", "TOTP Invalid");
        invalid["details"] = details("totp");
        let refused = methods::call(&app, &mary.login, "saveSettings", parameters.clone()).await;
        assert_eq!(failure(refused, 400), required);
        let wrong = methods::prepare(&app, &mary.login, "saveSettings", &parameters);
        assert_eq!(failure(show(wrong, &mary.wrong_code(&app)).await, 400), invalid);
        for _ in 0..2 {
            let right = methods::prepare(&app, &mary.login, "saveSettings", &parameters);
            assert_eq!(result(show(right, &mary.code(&app)).await), json!(true));
            let refused = methods::call(&app, &mary.login, "saveSettings", parameters.clone()).await;
            assert_eq!(failure(refused, 400), required);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_codes_block_whoever_shows_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let body = json!({"value": "Support"});
        for _ in 0..10 {
            show(post(&app, &mary, SETTING, &body), &mary.wrong_code(&app)).await.is(400, &has_wrong("totp"));
        }
        show(post(&app, &mary, SETTING, &body), &mary.code(&app)).await.is(400, &blocked());
        post(&app, &mary, SETTING, &body).send().await.is(400, &needs("totp"));
        let login = json!({"user": "mary", "password": PASSWORD, "code": mary.code(&app)});
        app.post(crate::support::LOGIN, &login).await.ok();
        let many = json!({"settings": [{"_id": "Site_Name", "value": "Help"}]});
        let elsewhere = post(&app, &mary, SETTINGS, &many).from_address("198.51.100.1");
        show(elsewhere, &mary.code(&app)).await.ok();
        app.advance(Duration::from_mins(5));
        show(post(&app, &mary, SETTINGS, &many), &mary.code(&app)).await.ok();
    }
}

/// Whoever lacks a permission that the operation declares learns nothing of the second factor.
#[tokio::test(flavor = "multi_thread")]
async fn permissions_come_first() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let login = app.user("mary", &["user"]).await;
        let mary = super::enrol(&app, login).await;
        app.advance(REMEMBERED);
        let told = "User does not have the permissions required for this action [error-unauthorized]";
        let refused = json!({"success": false, "error": told});
        post(&app, &mary, SETTING, &json!({"value": "Support"})).send().await.is(403, &refused);
        let nobody = app.post(SETTING, &json!({"value": "Support"})).await;
        assert_eq!(nobody.status.as_u16(), 401);
    }
}
