//! Whoever is not asked for a second factor, and whoever is asked for the password instead.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD, Reply};
use usher_testkit::engines::Engine;

use super::{REMEMBERED, by_password, has_wrong, mary, needs, show, with_code};
use crate::authentication::DIGEST;
use crate::support::{LOGIN, coded, usual};

const SETTING: &str = "/api/v1/settings/Site_Name";
const SETTINGS: &str = "/api/v1/settings";
const GENERATE: &str = "/api/v1/users.generatePersonalAccessToken";
const UPDATE_OWN: &str = "/api/v1/users.updateOwnBasicInfo";

const ENABLED: &str = "Accounts_TwoFactorAuthentication_Enabled";
const REMEMBER_FOR: &str = "Accounts_TwoFactorAuthentication_RememberFor";
const FALLBACK: &str = "Accounts_TwoFactorAuthentication_Enforce_Password_Fallback";

async fn post(app: &TestApp, login: &Login, path: &str, body: &Value) -> Reply {
    app.call(Method::POST, path).as_user(login).json(body).send().await
}

/// Changes a setting, which is delicate.
async fn change(app: &TestApp, login: &Login) -> Reply {
    post(app, login, SETTING, &json!({"value": "Support"})).await
}

/// Changes several settings, which is asked for every time.
async fn change_many(app: &TestApp, login: &Login) -> Reply {
    post(app, login, SETTINGS, &json!({"settings": [{"_id": "Site_Name", "value": "Support"}]})).await
}

/// Makes a personal access token; a login of its own.
async fn personal_token(app: &TestApp, login: &Login, name: &str, bypasses: bool) -> Login {
    let body = json!({"tokenName": name, "bypassTwoFactor": bypasses});
    let token = post(app, login, GENERATE, &body).await.ok()["token"].as_str().expect("a token was made").to_owned();
    Login { user_id: login.user_id.clone(), token }
}

fn invalid_password() -> Value {
    coded("Invalid password [error-invalid-password]", "error-invalid-password")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_while_second_factors_are_off() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let admin = app.admin().await;
        app.advance(REMEMBERED);
        change(&app, &mary.login).await.is(400, &needs("totp"));
        let off = json!({"value": false});
        post(&app, &admin, &format!("/api/v1/settings/{ENABLED}"), &off).await.ok();
        change(&app, &mary.login).await.ok();
        change_many(&app, &mary.login).await.ok();
        let fresh = app.post(LOGIN, &by_password()).await.ok();
        assert_eq!(fresh["data"]["userId"], *mary.login.user_id);

        // What is not shown is not taken for shown: the password is asked for, as of everybody without a second factor.
        for data in [json!({"newPassword": "another one"}), json!({"email": "may@example.com"})] {
            post(&app, &mary.login, UPDATE_OWN, &json!({"data": data})).await.is(400, &invalid_password());
        }
        let with_password = json!({"data": {"newPassword": "another one", "currentPassword": PASSWORD}});
        post(&app, &mary.login, UPDATE_OWN, &with_password).await.ok();
        post(&app, &admin, &format!("/api/v1/settings/{ENABLED}"), &json!({"value": true})).await.ok();
        change(&app, &mary.login).await.is(400, &needs("totp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_bypass_the_second_factor() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let bypassing = personal_token(&app, &mary.login, "one", true).await;
        let other = personal_token(&app, &mary.login, "two", false).await;
        app.advance(REMEMBERED);
        change(&app, &bypassing).await.ok();
        change_many(&app, &bypassing).await.ok();
        change(&app, &other).await.is(400, &needs("totp"));
        let shown = app.call(Method::POST, SETTING).as_user(&other).json(&json!({"value": "Support"}));
        show(shown, &mary.code(&app)).await.ok();
        change(&app, &other).await.ok();
        change(&app, &mary.login).await.is(400, &needs("totp"));

        let body = json!({"data": {"newPassword": "another one"}});
        post(&app, &bypassing, UPDATE_OWN, &body).await.is(400, &invalid_password());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_is_not_asked() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        // This login never shows a code, so that nothing is remembered of it.
        let token = personal_token(&app, &mary.login, "one", false).await;
        app.advance(REMEMBERED - Duration::from_millis(1));
        change(&app, &token).await.ok();
        change_many(&app, &token).await.ok();
        let body = json!({"data": {"newPassword": "another one"}});
        post(&app, &token, UPDATE_OWN, &body).await.is(400, &invalid_password());
        app.advance(Duration::from_millis(1));
        change(&app, &token).await.is(400, &needs("totp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_code_is_remembered() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        let data = app.post(LOGIN, &with_code(&mary.code(&app))).await.ok()["data"].clone();
        let token = data["authToken"].as_str().expect("there is a token").to_owned();
        let login = Login { user_id: mary.login.user_id.clone(), token };
        change(&app, &login).await.ok();
        change_many(&app, &login).await.is(400, &needs("totp"));
        change(&app, &mary.login).await.is(400, &needs("totp"));
        // The code was shown with this login, so it stands for the password.
        post(&app, &login, UPDATE_OWN, &json!({"data": {"email": "may@example.com"}})).await.ok();
        app.advance(REMEMBERED);
        change(&app, &login).await.is(400, &needs("totp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_is_remembered_is_a_setting() {
    for engine in Engine::all() {
        let app = usual().setting(REMEMBER_FOR, "60").start(&engine).await;
        let mary = mary(&app).await;
        change(&app, &mary.login).await.ok();
        app.advance(Duration::from_secs(60));
        change(&app, &mary.login).await.is(400, &needs("totp"));
    }
    for engine in Engine::all() {
        let app = usual().setting(REMEMBER_FOR, "0").start(&engine).await;
        let mary = mary(&app).await;
        for _ in 0..2 {
            change(&app, &mary.login).await.is(400, &needs("totp"));
            let shown = app.call(Method::POST, SETTING).as_user(&mary.login).json(&json!({"value": "Support"}));
            show(shown, &mary.code(&app)).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_second_factor_is_asked_for_nothing() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        app.advance(REMEMBERED);
        change(&app, &admin).await.ok();
        change_many(&app, &admin).await.ok();
        personal_token(&app, &admin, "one", false).await;
        // One that is being set up does not count.
        crate::methods::result(crate::methods::call(&app, &admin, "2fa:enable", json!([])).await);
        change(&app, &admin).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_second_factor_can_be_asked_for_the_password() {
    for engine in Engine::all() {
        let app = usual().setting(FALLBACK, "true").start(&engine).await;
        let admin = app.admin().await;
        change(&app, &admin).await.ok();
        app.advance(REMEMBERED);
        let call = |path: &str, body: Value| app.call(Method::POST, path).as_user(&admin).json(&body);
        let by_method = |code: &str, method: &str| {
            call(SETTING, json!({"value": "Support"})).header("x-2fa-code", code).header("x-2fa-method", method)
        };
        change(&app, &admin).await.is(400, &needs("password"));
        by_method(DIGEST, "totp").send().await.is(400, &needs("password"));
        by_method(PASSWORD, "password").send().await.is(400, &has_wrong("password"));
        by_method(&DIGEST.replace('c', "d"), "password").send().await.is(400, &has_wrong("password"));
        by_method(DIGEST, "password").send().await.ok();
        change(&app, &admin).await.ok();
        change_many(&app, &admin).await.is(400, &needs("password"));
        app.advance(REMEMBERED);
        change(&app, &admin).await.is(400, &needs("password"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_does_not_stand_for_a_second_factor_that_is_there() {
    for engine in Engine::all() {
        let app = usual().setting(FALLBACK, "true").start(&engine).await;
        let mary = mary(&app).await;
        app.advance(REMEMBERED);
        change(&app, &mary.login).await.is(400, &needs("totp"));
        let shown = app.call(Method::POST, SETTING).as_user(&mary.login).json(&json!({"value": "Support"}));
        shown.header("x-2fa-code", DIGEST).header("x-2fa-method", "password").send().await.is(400, &needs("totp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_are_tried_are_blocked() {
    for engine in Engine::all() {
        let app = usual().setting(FALLBACK, "true").start(&engine).await;
        let admin = app.admin().await;
        app.advance(REMEMBERED);
        let show = |code: &str| {
            let call = app.call(Method::POST, SETTING).as_user(&admin).json(&json!({"value": "Support"}));
            call.header("x-2fa-code", code).header("x-2fa-method", "password").send()
        };
        for _ in 0..10 {
            show("wrong").await.is(400, &has_wrong("password"));
        }
        show(DIGEST).await.is(400, &super::blocked());
        app.advance(Duration::from_mins(5));
        show(DIGEST).await.ok();
    }
}
