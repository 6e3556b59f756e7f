//! `POST users.register`, in each position of its settings.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{made_id, plain, rows, usual};

const REGISTER: &str = "/api/v1/users.register";

/// Somebody who registers, with other members than usual; null takes one away.
fn newcomer(username: &str, others: Value) -> Value {
    let mut body = json!({"username": username, "name": username, "email": format!("{username}@example.com"), "pass": PASSWORD});
    merge(&mut body, others);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_register() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.create_admin().await;
        let reply = app.post(REGISTER, &newcomer("mary", json!({"reason": "To help", "roles": ["admin"], "verified": true}))).await;
        let id = made_id(&reply.body["user"]["_id"]).to_owned();
        let emails = json!([{"address": "mary@example.com", "verified": false}]);
        let user = whole(&id, "mary", json!({"emails": emails, "reason": "To help"}));
        reply.is(200, &json!({"user": user, "success": true}));
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null));
        assert_eq!(log_in(&app, "mary@example.com", PASSWORD).await, (200, Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_register_is_told_why() {
    let missing = |name: &str| invalid(&format!("must have required property '{name}'"));
    let table = [
        (json!({"username": null}), missing("username")),
        (json!({"email": null}), missing("email")),
        (json!({"pass": null}), missing("pass")),
        (json!({"name": null}), missing("name")),
        (json!({"pass": null, "password": PASSWORD}), missing("pass")),
        (json!({"pass": ""}), invalid("must NOT have fewer than 1 characters")),
        (json!({"pass": {"digest": "x"}}), invalid("must be string")),
        (json!({"username": ["x"]}), invalid("must be string")),
        (json!({"reason": "x".repeat(10_001)}), invalid("must NOT have more than 10000 characters")),
        (json!({"username": "Admin"}), in_use("Admin")),
        (json!({"email": "ADMIN@example.com"}), in_use("ADMIN@example.com")),
        (json!({"username": "jürgen"}), no_username("jürgen")),
        (json!({"username": "here"}), no_username("here")),
        (json!({"email": "a b@example.com"}), no_email("a b@example.com")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let login = app.user("john", &["user"]).await;
        let before = rows(&app).await;
        for (others, expected) in &table {
            let reply = app.post(REGISTER, &newcomer("mary", others.clone())).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{others}");
        }
        let logged_in = plain("Logged in users can not register again.");
        post(&app, &login, REGISTER, &newcomer("mary", json!({}))).await.is(400, &logged_in);
        assert_eq!(rows(&app).await, before);
        // A login that does not count is no login.
        let stranger = Login { token: "wrong".to_owned(), ..login };
        post(&app, &stranger, REGISTER, &newcomer("mary", json!({}))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_can_be_off() {
    let code = "error-user-registration-disabled";
    let refused = coded(&format!("User registration is disabled [{code}]"), code);
    for engine in Engine::all() {
        let app = usual().setting("Accounts_RegistrationForm", "Disabled").start(&engine).await;
        app.create_admin().await;
        app.post(REGISTER, &newcomer("mary", json!({}))).await.is(400, &refused);
        app.post(REGISTER, &newcomer("mary", json!({"secretURL": ""}))).await.is(400, &refused);
        set(&app, "Accounts_RegistrationForm", json!("Public")).await;
        app.post(REGISTER, &newcomer("mary", json!({}))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_can_have_a_secret_address() {
    let code = "error-user-registration-secret";
    let refused = coded(&format!("User registration is only allowed via Secret URL [{code}]"), code);
    for engine in Engine::all() {
        let app = usual().setting("Accounts_RegistrationForm", "Secret URL").start(&engine).await;
        app.create_admin().await;
        for others in [json!({}), json!({"secretURL": ""}), json!({"secretURL": "x"})] {
            app.post(REGISTER, &newcomer("mary", others)).await.is(400, &refused);
        }
        set(&app, "Accounts_RegistrationForm_SecretURL", json!("q7Wz")).await;
        for others in [json!({}), json!({"secretURL": ""}), json!({"secretURL": "q7wz"}), json!({"secretURL": "q7Wz "})] {
            app.post(REGISTER, &newcomer("mary", others)).await.is(400, &refused);
        }
        app.post(REGISTER, &newcomer("mary", json!({"secretURL": "q7Wz"}))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_can_have_to_be_let_in() {
    for engine in Engine::all() {
        let app = usual().setting("Accounts_ManuallyApproveNewUsers", "true").start(&engine).await;
        let admin = app.admin().await;
        let answer = app.post(REGISTER, &newcomer("mary", json!({"reason": "To help"}))).await.ok();
        assert_eq!((&answer["user"]["active"], &answer["user"]["reason"]), (&json!(false), &json!("To help")));
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (401, json!("error-user-is-not-activated")));
        let seen = get(&app, &admin, &format!("{INFO}?username=mary")).await.ok();
        assert_eq!(seen["user"]["reason"], "To help");
        post(&app, &admin, SET_ACTIVE, &json!({"userId": answer["user"]["_id"], "activeStatus": true})).await.ok();
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_newcomers_are_a_setting() {
    for (setting, roles) in
        [("livechat-agent, user,nonsense, user", json!(["livechat-agent", "user"])), ("guest", json!(["guest"])), ("", json!([]))]
    {
        for engine in Engine::all() {
            let app = usual().setting("Accounts_Registration_Users_Default_Roles", setting).start(&engine).await;
            app.create_admin().await;
            let answer = app.post(REGISTER, &newcomer("mary", json!({}))).await.ok();
            assert_eq!(answer["user"]["roles"], roles, "{setting}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_registers_one_account_a_minute() {
    let told = |seconds: u64| {
        let text = format!(
            "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this endpoint again. \
             [error-too-many-requests]"
        );
        json!({"success": false, "error": text})
    };
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        app.create_admin().await;
        app.post(REGISTER, &newcomer("mary", json!({}))).await.ok();
        app.post(REGISTER, &newcomer("john", json!({}))).await.is(429, &told(60));
        let elsewhere = app.call(Method::POST, REGISTER).from_address("198.51.100.1").json(&newcomer("john", json!({})));
        elsewhere.send().await.ok();
        app.advance(Duration::from_mins(1));
        app.post(REGISTER, &newcomer("jane", json!({}))).await.ok();
        set(&app, "Rate_Limiter_Limit_RegisterUser", json!(2)).await;
        for name in ["anna", "bert"] {
            app.post(REGISTER, &newcomer(name, json!({}))).await.ok();
        }
        app.post(REGISTER, &newcomer("carl", json!({}))).await.is(429, &told(30));
    }
}
