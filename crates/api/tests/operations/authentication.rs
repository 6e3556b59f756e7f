//! `POST login`, `POST` and `GET logout`, `GET me`.

mod blocked;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD, Reply};
use usher_testkit::engines::Engine;

use crate::support::{LOGIN, column, rows, tamper, usual};

const LOGOUT: &str = "/api/v1/logout";
const ME: &str = "/api/v1/me";

/// The sha-256 of [`PASSWORD`].
pub const DIGEST: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";

/// The sha-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An application with an administrator, who has no session.
async fn app(engine: &Engine) -> TestApp {
    let app = TestApp::usual(engine).await;
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

/// What users prefer who have chosen nothing.
pub fn preferences() -> Value {
    json!({
        "enableAutoAway": true,
        "idleTimeLimit": 300,
        "desktopNotifications": "all",
        "pushNotifications": "all",
        "emailNotificationMode": "mentions",
        "newRoomNotification": "door",
        "newMessageNotification": "chime",
        "muteFocusedConversations": true,
        "notificationsSoundVolume": 100,
        "useEmojis": true,
        "convertAsciiEmoji": true,
        "autoImageLoad": true,
        "saveMobileBandwidth": true,
        "sendOnEnter": "normal",
        "unreadAlert": true,
        "themeAppearence": "auto",
        "omnichannelTranscriptEmail": false,
        "omnichannelTranscriptPDF": false,
    })
}

/// The administrator, as logging in shows it.
fn administrator(id: &str) -> Value {
    json!({
        "_id": id,
        "username": "admin",
        "name": "Administrator",
        "emails": [{"address": "Admin@example.com", "verified": true}],
        "email": "Admin@example.com",
        "type": "user",
        "status": "offline",
        "statusDefault": "online",
        "statusConnection": "offline",
        "statusText": "",
        "roles": ["admin", "user"],
        "active": true,
        "customFields": {},
        "requirePasswordChange": false,
        "avatarUrl": "/avatar/admin",
        "createdAt": "2024-01-31T12:00:00.000Z",
        "_updatedAt": "2024-01-31T12:00:00.000Z",
        "settings": {"profile": {}, "preferences": preferences()},
    })
}

/// The same as `me` answers it.
fn seen_by_itself(id: &str) -> Value {
    let mut user = administrator(id);
    user["services"] = json!({"password": {"exists": true}});
    user["success"] = json!(true);
    user
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
        json!({"user": {"username": "admin", "email": null}, "password": PASSWORD}),
        json!({"user": {"username": null, "email": "admin@example.com"}, "password": PASSWORD}),
        json!({"username": null, "email": "admin@example.com", "password": PASSWORD}),
        json!({"totp": {"code": "123456", "login": {"user": {"username": "admin"}, "password": PASSWORD}}}),
        json!({"totp": {"code": null, "login": {"username": "admin", "password": {"digest": DIGEST, "algorithm": "sha-256"}}}}),
        json!({"user": "admin", "password": PASSWORD, "code": "123456"}),
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
        json!({"user": {}, "password": PASSWORD}),
        json!({"user": {"username": null, "email": null}, "password": PASSWORD}),
        json!({"user": {"username": {"$gt": ""}}, "password": PASSWORD}),
        json!({"user": "x".repeat(1_025), "password": PASSWORD}),
        json!({"user": "ad\u{0}min", "password": PASSWORD}),
        json!({"user": "rocket.cat", "password": PASSWORD}),
        json!({"user": ["admin"], "password": PASSWORD}),
        json!({"totp": {}}),
        json!({"totp": null, "user": "admin", "password": PASSWORD}),
        json!({"totp": {"code": "123456", "login": {"resume": "token"}}}),
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
async fn how_long_a_session_lasts_is_a_setting() {
    for engine in Engine::all() {
        let app = usual().setting("Accounts_LoginExpiration", "1").start(&engine).await;
        app.create_admin().await;
        let login = log_in(&app).await;
        app.advance(Duration::from_hours(24) - Duration::from_millis(1));
        me(&app, &login).await.ok();
        app.advance(Duration::from_millis(1));
        me(&app, &login).await.is(401, &not_logged_in());

        let next = log_in(&app).await;
        let longer = app.call(Method::POST, "/api/v1/settings/Accounts_LoginExpiration").as_user(&next).json(&json!({"value": 2}));
        longer.send().await.ok();
        app.advance(Duration::from_hours(47));
        me(&app, &next).await.ok();
        app.advance(Duration::from_hours(1));
        me(&app, &next).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_hash_is_replaced_at_the_next_login() {
    const STORED: &str = "SELECT password_hash FROM users WHERE username = 'admin'";
    for engine in Engine::all() {
        let app = app(&engine).await;
        // The bcrypt hash of the digest of `PASSWORD`.
        let imported = "UPDATE users SET password_hash = '$2b$04$abcdefghijklmnopqrstuuaBT8mpw5tGdD3eO40znWcQP/dT9hEVK'
                        WHERE username = 'admin'";
        tamper(&app, imported).await;
        app.post(LOGIN, &json!({"user": "admin", "password": "wrong"})).await.is(401, &unauthorized());
        assert!(column(&app, STORED).await[0].starts_with("$2b$04$"), "a wrong password replaces nothing");
        log_in(&app).await;
        let replaced = column(&app, STORED).await;
        assert!(replaced[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{replaced:?}");
        log_in(&app).await;
        assert_eq!(column(&app, STORED).await, replaced, "what is of the present kind stays");
        app.post(LOGIN, &json!({"user": "admin", "password": "wrong"})).await.is(401, &unauthorized());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_oneself() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let login = log_in(&app).await;
        me(&app, &login).await.is(200, &seen_by_itself(&login.user_id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_all_that_one_said_of_oneself() {
    for engine in Engine::all() {
        let app = usual().setting("Site_Url", "https://chat.example.com/").start(&engine).await;
        let admin = app.admin().await;
        let body = json!({"username": "mary", "name": "Mary Major", "email": "Mary@example.com", "password": PASSWORD,
            "nickname": "May", "bio": "Sells shoes", "statusText": "At lunch", "customFields": {"shift": "late"},
            "requirePasswordChange": true, "roles": ["user", "livechat-agent"]});
        app.call(Method::POST, "/api/v1/users.create").as_user(&admin).json(&body).send().await.ok();
        let mary = app.log_in("mary").await;
        let chosen = json!({"data": {"language": "fr", "sendOnEnter": "alternative"}});
        app.call(Method::POST, "/api/v1/users.setPreferences").as_user(&mary).json(&chosen).send().await.ok();
        app.call(Method::POST, "/api/v1/users.setStatus").as_user(&mary).json(&json!({"status": "busy"})).send().await.ok();
        let mut preferences = preferences();
        preferences["language"] = json!("fr");
        preferences["sendOnEnter"] = json!("alternative");
        let expected = json!({
            "_id": mary.user_id,
            "username": "mary",
            "name": "Mary Major",
            "nickname": "May",
            "emails": [{"address": "Mary@example.com", "verified": false}],
            "type": "user",
            "status": "busy",
            "statusDefault": "busy",
            "statusConnection": "busy",
            "statusText": "At lunch",
            "statusLivechat": "not-available",
            "bio": "Sells shoes",
            "language": "fr",
            "roles": ["livechat-agent", "user"],
            "active": true,
            "customFields": {"shift": "late"},
            "requirePasswordChange": true,
            "services": {"password": {"exists": true}},
            "avatarUrl": "https://chat.example.com/avatar/mary",
            "createdAt": "2024-01-31T12:00:00.000Z",
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "settings": {"profile": {}, "preferences": preferences},
            "success": true,
        });
        me(&app, &mary).await.is(200, &expected);
    }
}

/// The server's own user has no password: nobody logs in as it but by a token that was made for it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_password_is_told_so() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let admin = log_in(&app).await;
        let created = app.call(Method::POST, "/api/v1/users.createToken").as_user(&admin).json(&json!({"userId": "rocket.cat"}));
        let token = created.send().await.ok()["data"]["authToken"].as_str().expect("a token was made").to_owned();
        let seen = me(&app, &Login { user_id: "rocket.cat".to_owned(), token }).await.ok();
        assert_eq!(seen["services"], json!({"password": {"exists": false}}));
        assert_eq!((&seen["type"], &seen["roles"], &seen["emails"]), (&json!("bot"), &json!(["bot"]), &json!([])));
        for password in [json!(""), json!({"digest": ""}), json!({"digest": EMPTY, "algorithm": "sha-256"})] {
            app.post(LOGIN, &json!({"user": "rocket.cat", "password": password})).await.is(401, &unauthorized());
        }
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
