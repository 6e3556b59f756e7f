//! `POST users.updateOwnBasicInfo`.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::*;
use crate::authentication::DIGEST;
use crate::support::{rows, usual};

const UPDATE_OWN: &str = "/api/v1/users.updateOwnBasicInfo";

fn invalid_password() -> Value {
    coded("Invalid password [error-invalid-password]", "error-invalid-password")
}

#[tokio::test(flavor = "multi_thread")]
async fn users_change_what_is_their_own() {
    let unverified = json!({"emails": [{"address": "may@example.com", "verified": false}]});
    let table = [
        (json!({"data": {"username": "may"}}), json!({"username": "may"})),
        (json!({"data": {"name": "Mary Major"}}), json!({"name": "Mary Major"})),
        (json!({"data": {"nickname": "May", "bio": "Sells shoes"}}), json!({"nickname": "May", "bio": "Sells shoes"})),
        (json!({"data": {"statusText": "At lunch"}}), json!({"statusText": "At lunch"})),
        (json!({"data": {"email": "may@example.com", "currentPassword": PASSWORD}}), unverified.clone()),
        (json!({"data": {"email": "may@example.com", "currentPassword": DIGEST, "verified": true}}), unverified),
        (json!({"data": {"email": "mary@example.com"}}), json!({})),
        (json!({"data": {}, "customFields": {"shift": "late"}}), json!({"customFields": {"shift": "late"}})),
        (json!({"data": {"customFields": {"shift": "late"}}}), json!({"customFields": {"shift": "late"}})),
        (json!({"data": {"username": "", "name": "", "email": "", "newPassword": "", "currentPassword": ""}}), json!({})),
        // What only others may change is left alone.
        (json!({"data": {"roles": ["admin"], "active": false, "password": "another one", "verified": false}}), json!({})),
        (json!({"data": {"requirePasswordChange": false}}), json!({})),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (body, others) in &table {
            let mary = app.user("mary", &["user"]).await;
            let mut expected = whole(&mary.user_id, "mary", json!({"lastLogin": "2024-01-31T12:00:00.000Z"}));
            merge(&mut expected, others.clone());
            let reply = post(&app, &mary, UPDATE_OWN, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({"user": expected, "success": true})), "{body}");
            let name = expected["username"].as_str().expect("a name is a text").to_owned();
            assert_eq!(log_in(&app, &name, PASSWORD).await, (200, Value::Null), "{body}");
            post(&app, &admin, DELETE, &json!({"userId": mary.user_id})).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_or_address_needs_the_present_password() {
    let wrong = [
        json!({}),
        json!({"currentPassword": "wrong"}),
        json!({"currentPassword": ""}),
        json!({"currentPassword": "a".repeat(64)}),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let (other, token) = (app.log_in("mary").await, personal_token(&app, &mary, "program").await);
        let before = rows(&app).await;
        for shown in &wrong {
            for changed in [json!({"newPassword": "another one"}), json!({"email": "may@example.com"})] {
                let mut data = changed;
                merge(&mut data, shown.clone());
                post(&app, &mary, UPDATE_OWN, &json!({"data": data})).await.is(400, &invalid_password());
            }
        }
        assert_eq!(rows(&app).await, before);
        post(&app, &mary, UPDATE_OWN, &json!({"data": {"newPassword": "another one", "currentPassword": PASSWORD}})).await.ok();
        assert!(counts(&app, &mary).await && counts(&app, &token).await, "this login and programs go on");
        assert!(!counts(&app, &other).await, "other logins end");
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (401, json!("Unauthorized")));
        assert_eq!(log_in(&app, "mary", "another one").await, (200, Value::Null));
        let back = json!({"newPassword": {"digest": DIGEST, "algorithm": "sha-256"}, "currentPassword": "another one"});
        post(&app, &mary, UPDATE_OWN, &json!({"data": back})).await.ok();
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null));
    }
}

/// Whoever has got hold of a login cannot try passwords with it.
#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_are_the_last() {
    let code = "error-login-blocked-for-user";
    let blocked = coded(&format!("Login has been temporarily blocked For User [{code}]"), code);
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let change = |current: &str| json!({"data": {"newPassword": "another one", "currentPassword": current}});
        for number in 0..10 {
            post(&app, &mary, UPDATE_OWN, &change(&format!("guess {number}"))).await.is(400, &invalid_password());
        }
        post(&app, &mary, UPDATE_OWN, &change(PASSWORD)).await.is(400, &blocked);
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null), "logging in is another matter");
        let elsewhere = app.call(Method::POST, UPDATE_OWN).as_user(&mary).from_address("198.51.100.1").json(&change("guess"));
        elsewhere.send().await.is(400, &invalid_password());
        app.advance(Duration::from_mins(5));
        post(&app, &mary, UPDATE_OWN, &change(PASSWORD)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_to_choose_another_password_has_done_so() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let require = json!({"userId": mary.user_id, "data": {"requirePasswordChange": true}});
        post(&app, &admin, UPDATE, &require).await.ok();
        let requires = async || get(&app, &mary, ME).await.ok()["requirePasswordChange"].clone();
        post(&app, &mary, UPDATE_OWN, &json!({"data": {"requirePasswordChange": false}})).await.ok();
        assert_eq!(requires().await, true);
        post(&app, &mary, UPDATE_OWN, &json!({"data": {"newPassword": "another one", "currentPassword": PASSWORD}})).await.ok();
        assert_eq!(requires().await, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_what_users_may_change() {
    let password = json!({"newPassword": "another one", "currentPassword": PASSWORD});
    let email = json!({"email": "may@example.com", "currentPassword": PASSWORD});
    let table = [
        ("Accounts_AllowUserProfileChange", json!({"bio": "Sells shoes"}), "Not allowed"),
        ("Accounts_AllowUserProfileChange", json!({}), "Not allowed"),
        ("Accounts_AllowUsernameChange", json!({"username": "may"}), "Username change is not allowed"),
        ("Accounts_AllowRealNameChange", json!({"name": "Mary Major"}), "Name change is not allowed"),
        ("Accounts_AllowEmailChange", email, "Email change is not allowed"),
        ("Accounts_AllowPasswordChange", password, "Password change is not allowed"),
        ("Accounts_AllowUserStatusMessageChange", json!({"statusText": "At lunch"}), "Status change is not allowed"),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for (setting, data, sentence) in &table {
            set(&app, setting, json!(false)).await;
            let refused = coded(&format!("{sentence} [error-not-allowed]"), "error-not-allowed");
            let reply = post(&app, &mary, UPDATE_OWN, &json!({"data": data})).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refused), "{setting}");
            if *setting != "Accounts_AllowUserProfileChange" {
                post(&app, &mary, UPDATE_OWN, &json!({"data": {"bio": "Sells shoes"}})).await.ok();
            }
            set(&app, setting, json!(true)).await;
            post(&app, &mary, UPDATE_OWN, &json!({"data": data})).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused() {
    let table = [
        (json!({"data": {"username": "Admin"}}), in_use("Admin")),
        (json!({"data": {"username": "two words"}}), no_username("two words")),
        (json!({"data": {"username": "all"}}), no_username("all")),
        (json!({"data": {"email": "admin@example.com", "currentPassword": PASSWORD}}), in_use("admin@example.com")),
        (json!({"data": {"email": "may", "currentPassword": PASSWORD}}), no_email("may")),
        (json!({"data": {"newPassword": 12}}), invalid("must be string")),
        (json!({"data": {"newPassword": "x", "currentPassword": {"digest": DIGEST}}}), invalid("must be string")),
        (json!({"data": {"name": {}}}), invalid("must be string")),
        (json!({"data": []}), invalid("must be object")),
        (json!({"data": {}, "customFields": []}), invalid("must be object")),
        (json!({}), invalid("must have required property 'data'")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = post(&app, &mary, UPDATE_OWN, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        app.post(UPDATE_OWN, &json!({"data": {}})).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before);
    }
}
