//! `POST login`, `POST` and `GET logout`, `GET me`.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD, Reply};
use usher_testkit::engines::Engine;

use crate::support::{LOGIN, rows, tamper};

const LOGOUT: &str = "/api/v1/logout";
const ME: &str = "/api/v1/me";

/// The sha-256 of [`PASSWORD`].
pub const DIGEST: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";

/// An application with an administrator, who has no session.
async fn app(engine: &Engine) -> TestApp {
    let app = TestApp::usual(engine);
    app.create_admin().await;
    app
}

/// Logs in by name and password, as most clients do.
async fn log_in(app: &TestApp) -> Login {
    let data = app.post(LOGIN, &json!({"user": "admin", "password": PASSWORD})).await.ok()["data"].clone();
    let text = |member: &str| data[member].as_str().expect("a login has an id and a token").to_owned();
    Login { user_id: text("userId"), token: text("authToken") }
}

/// What a call without a login is answered.
fn not_logged_in() -> Value {
    let text = "You must be logged in to do this.";
    json!({"success": false, "status": "error", "error": text, "message": text})
}

/// What a login by a wrong name or password is answered.
fn unauthorized() -> Value {
    json!({"success": false, "status": "error", "error": "Unauthorized", "message": "Unauthorized"})
}

/// What a login by a token that does not count is answered.
fn logged_out() -> Value {
    let message = "You've been logged out by the server. Please log in again.";
    json!({"success": false, "status": "error", "error": 403, "message": message})
}

/// The administrator, as it sees itself.
fn administrator(id: &str) -> Value {
    json!({
        "_id": id,
        "username": "admin",
        "name": "Administrator",
        "emails": [{"address": "Admin@example.com", "verified": true}],
        "email": "Admin@example.com",
        "roles": ["admin"],
        "active": true,
        "createdAt": "2024-01-31T12:00:00.000Z",
        "_updatedAt": "2024-01-31T12:00:00.000Z",
        "settings": {"profile": {}, "preferences": {}},
    })
}

async fn me(app: &TestApp, login: &Login) -> Reply {
    app.call(Method::GET, ME).as_user(login).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_login_is_understood() {
    let forms = [
        json!({"user": "admin", "password": PASSWORD}),
        json!({"user": "ADMIN", "password": PASSWORD}),
        json!({"user": "admin@example.com", "password": PASSWORD}),
        json!({"user": {"username": "admin"}, "password": PASSWORD}),
        json!({"user": {"email": "ADMIN@EXAMPLE.COM"}, "password": PASSWORD}),
        json!({"username": "admin", "password": PASSWORD}),
        json!({"email": "Admin@example.com", "password": PASSWORD}),
        json!({"user": "admin", "password": {"digest": DIGEST, "algorithm": "sha-256"}}),
        json!({"user": "admin", "password": {"digest": DIGEST.to_uppercase(), "algorithm": "sha-256"}}),
        json!({"user": {"username": "admin"}, "password": {"digest": DIGEST, "algorithm": "sha-256"}}),
        json!({"username": "admin", "password": {"digest": DIGEST}}),
        json!({"email": "admin@example.com", "password": {"hashed": DIGEST}}),
    ];
    for engine in Engine::all() {
        let app = app(&engine).await;
        let mut tokens = Vec::new();
        for form in &forms {
            let answer = app.post(LOGIN, form).await;
            let data = answer.body["data"].clone();
            let (id, token) = (data["userId"].as_str().unwrap_or_default(), data["authToken"].as_str().unwrap_or_default());
            let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            assert!(token.len() == 43 && token.bytes().all(is_symbol), "{form}: {}", answer.body);
            let expected = json!({
                "status": "success",
                "data": {"userId": id, "authToken": token, "me": administrator(id)},
                "success": true,
            });
            answer.is(200, &expected);
            tokens.push(token.to_owned());
        }
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), forms.len(), "every login has a token of its own");
        let stored = format!("{:?}", rows(&app).await);
        assert!(tokens.iter().all(|token| !stored.contains(token)), "only hashes of tokens are stored");
        assert!(!stored.contains(PASSWORD) && !stored.contains(DIGEST), "nor is the password");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_can_come_urlencoded() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let body = "user=admin&password=correct+horse%20battery+staple";
        let call = app.call(Method::POST, LOGIN).bytes("application/x-www-form-urlencoded", body.into());
        assert_eq!(call.send().await.ok()["status"], "success");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_look_alike() {
    let forms = [
        json!({"user": "admin", "password": "wrong"}),
        json!({"user": "nobody", "password": PASSWORD}),
        json!({"user": "nobody@example.com", "password": PASSWORD}),
        json!({"user": "admin", "password": {"digest": DIGEST.replace('c', "d"), "algorithm": "sha-256"}}),
        json!({"user": "admin", "password": {"digest": DIGEST, "algorithm": "md5"}}),
        json!({"user": "admin", "password": DIGEST}),
        json!({"user": "admin", "password": ""}),
        json!({"user": "admin", "password": null}),
        json!({"user": "admin"}),
        json!({"password": PASSWORD}),
        json!({"user": {"$ne": null}, "password": PASSWORD}),
        json!({"user": "admin", "password": {"$ne": null}}),
        json!({"user": "admin", "password": {"digest": {"$ne": null}, "algorithm": "sha-256"}}),
        json!({"resume": {"$ne": null}}),
        json!({"resume": ""}),
        json!({"resume": null}),
        json!({}),
        json!([]),
    ];
    for engine in Engine::all() {
        let app = app(&engine).await;
        let before = rows(&app).await;
        for form in &forms {
            let answer = app.post(LOGIN, form).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (401, &unauthorized()), "{form}");
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_resumed() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        let before = rows(&app).await;
        let answer = app.post(LOGIN, &json!({"resume": login.token})).await;
        let expected = json!({
            "status": "success",
            "data": {"userId": login.user_id, "authToken": login.token, "me": administrator(&login.user_id)},
            "success": true,
        });
        answer.is(200, &expected);
        for token in ["unknown", &login.token.to_lowercase(), &login.user_id] {
            app.post(LOGIN, &json!({"resume": token})).await.is(401, &logged_out());
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_user_is_out() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        me(&app, &login).await.ok();
        tamper(&app, "UPDATE users SET active = FALSE").await;
        let message = "User is not activated";
        let expected = json!({"success": false, "status": "error", "error": "error-user-is-not-activated", "message": message});
        app.post(LOGIN, &json!({"user": "admin", "password": PASSWORD})).await.is(401, &expected);
        app.post(LOGIN, &json!({"user": "admin", "password": "wrong"})).await.is(401, &unauthorized());
        app.post(LOGIN, &json!({"resume": login.token})).await.is(401, &expected);
        me(&app, &login).await.is(401, &not_logged_in());
        app.call(Method::POST, LOGOUT).as_user(&login).send().await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        app.advance(Duration::from_hours(24 * 89));
        me(&app, &login).await.ok();
        app.advance(Duration::from_hours(24 * 2));
        me(&app, &login).await.is(401, &not_logged_in());
        app.post(LOGIN, &json!({"resume": login.token})).await.is(401, &logged_out());

        let next = log_in(&app).await;
        me(&app, &next).await.ok();
        assert_eq!(rows(&app).await["login_tokens"].len(), 1, "what has expired is cleared away");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_oneself() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        let mut expected = administrator(&login.user_id);
        expected["success"] = json!(true);
        me(&app, &login).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_id_and_token_of_one_session_count() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        let visitor = app.register("token-1", "Mary").await["_id"].as_str().expect("a visitor has an id").to_owned();
        let before = rows(&app).await;
        for (user_id, token) in [
            ("", ""),
            (login.user_id.as_str(), ""),
            ("", login.token.as_str()),
            (&login.user_id, "wrong"),
            ("wrong", &login.token),
            ("admin", &login.token),
            (&login.user_id, &login.token.to_uppercase()),
            (&visitor, "token-1"),
            (&login.user_id, "token-1"),
            ("' OR 1=1 --", "' OR 1=1 --"),
        ] {
            let wrong = Login { user_id: user_id.to_owned(), token: token.to_owned() };
            for (method, path) in [(Method::GET, ME), (Method::GET, LOGOUT), (Method::POST, LOGOUT)] {
                let answer = app.call(method, path).as_user(&wrong).send().await;
                assert_eq!((answer.status.as_u16(), &answer.body), (401, &not_logged_in()), "{path} {wrong:?}");
            }
        }
        assert_eq!(rows(&app).await, before);
        app.get(ME).await.is(401, &not_logged_in());
        me(&app, &login).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_one_session() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let logins = [log_in(&app).await, log_in(&app).await, log_in(&app).await];
        let expected = json!({"status": "success", "data": {"message": "You've been logged out!"}});
        for (ended, method) in [Method::POST, Method::GET].into_iter().enumerate() {
            app.call(method.clone(), LOGOUT).as_user(&logins[ended]).send().await.is(200, &expected);
            app.call(method, LOGOUT).as_user(&logins[ended]).send().await.is(401, &not_logged_in());
            app.post(LOGIN, &json!({"resume": logins[ended].token})).await.is(401, &logged_out());
            for (number, login) in logins.iter().enumerate() {
                let status = me(&app, login).await.status.as_u16();
                assert_eq!(status, if number <= ended { 401 } else { 200 }, "session {number} after {ended} ended");
            }
        }
    }
}
