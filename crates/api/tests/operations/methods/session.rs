//! Methods about the caller's own login.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{call, call_anonymously, error, failure, result};
use crate::authentication::DIGEST;
use crate::support::{rows, tamper, usual};

const ME: &str = "/api/v1/me";

/// 90 days in milliseconds.
const LASTS: i64 = 90 * 86_400_000;

async fn seen(app: &TestApp, login: &Login) -> (u16, Value) {
    let reply = app.call(axum::http::Method::GET, ME).as_user(login).send().await;
    (reply.status.as_u16(), reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_gives_a_token_and_tells_how_long_it_lasts() {
    let forms = [
        json!({"user": {"username": "mary"}, "password": PASSWORD}),
        json!({"user": {"username": "mary", "email": null}, "password": {"digest": DIGEST, "algorithm": "sha-256"}}),
        json!({"user": {"email": "MARY@example.com"}, "password": PASSWORD}),
        json!({"totp": {"code": "123456", "login": {"user": {"username": "mary"}, "password": PASSWORD}}}),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let by_id = json!({"user": {"id": mary.user_id}, "password": PASSWORD});
        for form in forms.iter().chain([&by_id]) {
            let answer = result(call_anonymously(&app, "login", json!([form])).await);
            let token = answer["token"].as_str().expect("a token is a text").to_owned();
            let expires = json!({"$date": START + LASTS});
            assert_eq!(answer, json!({"id": mary.user_id, "token": token, "tokenExpires": expires, "type": "password"}), "{form}");
            let login = Login { user_id: mary.user_id.clone(), token };
            assert_eq!(seen(&app, &login).await.0, 200, "{form}");

            let resumed = result(call_anonymously(&app, "login", json!([{"resume": login.token}])).await);
            let expected = json!({"id": mary.user_id, "token": login.token, "tokenExpires": expires, "type": "resume"});
            assert_eq!(resumed, expected);
        }
        let again = result(call(&app, &mary, "login", json!([forms[0]])).await);
        assert_ne!(again["token"], *mary.token, "whoever is logged in may log in anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_look_alike() {
    let unknown = error(json!(403), "User not found");
    let logged_out = error(json!(403), "You've been logged out by the server. Please log in again.");
    let forms = [
        json!([{"user": {"username": "mary"}, "password": "wrong"}]),
        json!([{"user": {"username": "nobody"}, "password": PASSWORD}]),
        json!([{"user": {"id": "nonsense"}, "password": PASSWORD}]),
        json!([{"user": {"username": {"$ne": null}}, "password": PASSWORD}]),
        json!([{"user": {"username": "mary"}, "password": {"digest": {"$ne": ""}}}]),
        json!([{"user": {"username": "mary"}}]),
        json!([{"resume": {"$ne": null}}]),
        json!([{"totp": {"code": "1"}}]),
        json!([{}]),
        json!([null]),
        json!(["mary", PASSWORD]),
        json!([]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.user("mary", &["user"]).await;
        let before = rows(&app).await;
        for form in forms.iter() {
            assert_eq!(failure(call_anonymously(&app, "login", form.clone()).await, 400), unknown, "{form}");
        }
        assert_eq!(failure(call_anonymously(&app, "login", json!([{"resume": "unknown"}])).await, 400), logged_out);
        assert_eq!(rows(&app).await, before);

        tamper(&app, "UPDATE users SET active = FALSE WHERE username = 'mary'").await;
        let right = json!([{"user": {"username": "mary"}, "password": PASSWORD}]);
        let expected = error(json!("error-user-is-not-activated"), "User is not activated");
        assert_eq!(failure(call_anonymously(&app, "login", right).await, 400), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_block_here_as_everywhere() {
    let unknown = error(json!(403), "User not found");
    let blocked = error(json!("error-login-blocked-for-user"), "Login has been temporarily blocked For User");
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.user("mary", &["user"]).await;
        let wrong = json!([{"user": {"username": "mary"}, "password": "wrong"}]);
        for _ in 0..5 {
            assert_eq!(failure(call_anonymously(&app, "login", wrong.clone()).await, 400), unknown);
            let by_rest = app.post(crate::support::LOGIN, &json!({"user": "mary", "password": "wrong"})).await;
            assert_eq!(by_rest.status.as_u16(), 401);
        }
        let right = json!([{"user": {"username": "mary"}, "password": PASSWORD}]);
        assert_eq!(failure(call_anonymously(&app, "login", right.clone()).await, 400), blocked);
        app.advance(Duration::from_mins(5));
        result(call_anonymously(&app, "login", right).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_second_factor_has_two_steps() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let enrolled = crate::second_factor::enrol(&app, mary).await;
        let plain = json!({"user": {"username": "mary"}, "password": PASSWORD});
        let details = json!({"method": "totp", "codeGenerated": false, "availableMethods": ["totp"]});
        let mut required = error(json!("totp-required"), "TOTP Required");
        required["details"] = details.clone();
        let mut invalid = error(json!("totp-invalid"), "TOTP Invalid");
        invalid["details"] = details;
        let with = |code: &str| json!([{"totp": {"code": code, "login": plain}}]);
        assert_eq!(failure(call_anonymously(&app, "login", json!([plain])).await, 400), required);
        assert_eq!(failure(call_anonymously(&app, "login", with(&enrolled.wrong_code(&app))).await, 400), invalid);
        assert_eq!(result(call_anonymously(&app, "login", with(&enrolled.code(&app))).await)["type"], "password");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_login_that_calls() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (first, second) = (app.user("mary", &["user"]).await, app.log_in("mary").await);
        assert_eq!(result(call(&app, &first, "logout", json!([])).await), Value::Null);
        assert_eq!((seen(&app, &first).await.0, seen(&app, &second).await.0), (401, 200));
        assert_eq!(call(&app, &first, "logout", json!([])).await.status.as_u16(), 401);
        assert_eq!(result(call_anonymously(&app, "logout", json!([])).await), Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_say_whether_they_are_there() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for (method, parameters, status, text) in [
            ("setUserStatus", json!(["online"]), "online", ""),
            ("setUserStatus", json!(["away", "Back at two"]), "away", "Back at two"),
            ("setUserStatus", json!([null, "At lunch"]), "away", "At lunch"),
            ("setUserStatus", json!(["busy", null]), "busy", "At lunch"),
            ("UserPresence:setDefaultStatus", json!(["offline"]), "offline", "At lunch"),
            ("UserPresence:setDefaultStatus", json!(["online"]), "online", "At lunch"),
        ] {
            assert_eq!(result(call(&app, &mary, method, parameters.clone()).await), Value::Null);
            let (_, user) = seen(&app, &mary).await;
            let found = (&user["status"], &user["statusDefault"], &user["statusText"]);
            assert_eq!(found, (&json!(status), &json!(status), &json!(text)), "{method} {parameters}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_status_is_refused() {
    let invalid = error(json!("error-invalid-status"), "Valid status types include online, away, offline, and busy.");
    for engine in Engine::all() {
        let app = usual()
            .setting("Accounts_AllowUserStatusMessageChange", "false")
            .setting("Accounts_AllowInvisibleStatusOption", "false")
            .start(&engine)
            .await;
        let mary = app.user("mary", &["user"]).await;
        let before = rows(&app).await;
        for method in ["setUserStatus", "UserPresence:setDefaultStatus"] {
            for status in ["nonsense", "", "Online"] {
                assert_eq!(failure(call(&app, &mary, method, json!([status])).await, 400), invalid, "{method} {status}");
            }
            let invisible = error(json!("error-status-not-allowed"), "Invisible status is disabled");
            assert_eq!(failure(call(&app, &mary, method, json!(["offline"])).await, 400), invisible, "{method}");
        }
        let text = error(json!("error-not-allowed"), "Change status is not allowed");
        assert_eq!(failure(call(&app, &mary, "setUserStatus", json!(["busy", "x"])).await, 400), text);
        assert_eq!(rows(&app).await, before);
    }
}
