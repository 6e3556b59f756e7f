//! The limits on how often somebody may call.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{PASSWORD, Reply};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use crate::support::{LOGIN, MESSAGE, VISITOR, rows, usual};

/// An application that slows callers down.
fn limited(engine: &Engine) -> TestApp {
    usual().with_rate_limits().start(engine)
}

/// What is answered to a call over the limit.
fn refusal(seconds: u64) -> Value {
    let error = format!(
        "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this endpoint again. \
         [error-too-many-requests]"
    );
    json!({"success": false, "error": error})
}

/// The headers that tell of a limit: how many calls, how many left, and when all are back.
fn allowance(reply: &Reply) -> [Option<String>; 3] {
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
        .map(|name| reply.headers.get(name).map(|value| value.to_str().expect("numbers are ASCII").to_owned()))
}

/// Checks those headers; `reset` is in milliseconds after the start.
#[track_caller]
fn has_allowance(reply: &Reply, limit: u32, remaining: u32, reset: i64) {
    let expected = [limit.to_string(), remaining.to_string(), (START + reset).to_string()].map(Some);
    assert_eq!(allowance(reply), expected);
}

/// Checks a refusal whole.
#[track_caller]
fn is_refused(reply: &Reply, limit: u32, seconds: u64, reset: i64) {
    reply.is(429, &refusal(seconds));
    assert_eq!(reply.headers["retry-after"], *seconds.to_string());
    has_allowance(reply, limit, 0, reset);
}

async fn register(app: &TestApp, token: &str) -> Reply {
    app.post(VISITOR, &json!({"visitor": {"token": token}})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_in_bursts() {
    for engine in Engine::all() {
        let app = limited(&engine);
        register(&app, "token-1").await.ok();
        register(&app, "token-2").await.ok();
        let (marys, bobs) = (app.room("token-1").await, app.room("token-2").await);
        let post = |token: &str, room: &str| json!({"token": token, "rid": room, "msg": "Hello"});
        for call in 1..=20 {
            let reply = app.post(MESSAGE, &post("token-1", &marys)).await;
            has_allowance(&reply, 20, 20 - call, i64::from(call) * 1_000);
            reply.ok();
        }
        let before = rows(&app).await;
        is_refused(&app.post(MESSAGE, &post("token-1", &marys)).await, 20, 1, 20_000);
        assert_eq!(rows(&app).await, before, "what is refused is not done");

        app.post(MESSAGE, &post("token-2", &bobs)).await.ok();
        app.get(&crate::support::history(&marys, "token=token-1")).await.ok();
        app.advance(Duration::from_millis(999));
        assert_eq!(app.post(MESSAGE, &post("token-1", &marys)).await.status.as_u16(), 429);
        app.advance(Duration::from_millis(1));
        app.post(MESSAGE, &post("token-1", &marys)).await.ok();
        assert_eq!(app.post(MESSAGE, &post("token-1", &marys)).await.status.as_u16(), 429, "one a second, in the long run");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_registers_five_times_a_minute() {
    for engine in Engine::all() {
        let app = limited(&engine);
        for call in 1..=5 {
            let reply = register(&app, "token-1").await;
            has_allowance(&reply, 5, 5 - call, i64::from(call) * 12_000);
            reply.ok();
        }
        is_refused(&register(&app, "token-1").await, 5, 12, 60_000);
        register(&app, "token-2").await.ok();
        app.advance(Duration::from_secs(12));
        register(&app, "token-1").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_registers_a_limited_number() {
    for engine in Engine::all() {
        let app = usual().setting("Usher_Limit_Registrations_Per_Token", "1000").with_rate_limits().start(&engine);
        has_allowance(&register(&app, "token-1").await, 300, 299, 200);
    }
    for engine in Engine::all() {
        let app = usual()
            .setting("Usher_Limit_Registrations_Per_Address", "3")
            .trusting("203.0.113.0/24")
            .with_rate_limits()
            .start(&engine);
        for token in ["token-1", "token-2", "token-3"] {
            register(&app, token).await.ok();
        }
        is_refused(&register(&app, "token-4").await, 3, 20, 60_000);
        let body = json!({"visitor": {"token": "token-4"}});
        let stranger = app.call(Method::POST, VISITOR).header("x-real-ip", "198.51.100.1").json(&body).send().await;
        assert_eq!(stranger.status.as_u16(), 429, "a stranger cannot take another address");
        app.call(Method::POST, VISITOR).from_address("192.0.2.2").json(&body).send().await.ok();
        for client in ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"] {
            let call = app.call(Method::POST, VISITOR).from_address("203.0.113.1").header("x-real-ip", client);
            call.json(&json!({"visitor": {"token": client}})).send().await.ok();
        }
        app.advance(Duration::from_secs(20));
        register(&app, "token-5").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_tried_for_erasure_five_times_a_minute() {
    for engine in Engine::all() {
        let app = limited(&engine);
        register(&app, "token-2").await.ok();
        for call in 1..=5 {
            let reply = app.delete(&format!("{VISITOR}/token-1")).await;
            assert_eq!(reply.status.as_u16(), 400);
            has_allowance(&reply, 5, 5 - call, i64::from(call) * 12_000);
        }
        is_refused(&app.delete(&format!("{VISITOR}/token-1")).await, 5, 12, 60_000);
        app.delete(&format!("{VISITOR}/token-2")).await.ok();
        app.advance(Duration::from_secs(12));
        assert_eq!(app.delete(&format!("{VISITOR}/token-1")).await.status.as_u16(), 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_tried_ten_times_a_minute_from_one_address() {
    for engine in Engine::all() {
        let app = limited(&engine);
        app.create_admin().await;
        let names = ["admin", "ADMIN"];
        for call in 0..10 {
            let reply = app.post(LOGIN, &json!({"user": names[call % 2], "password": "wrong"})).await;
            assert_eq!(reply.status.as_u16(), 401);
            has_allowance(&reply, 10, 9 - u32::try_from(call).expect("it is small"), (call as i64 + 1) * 6_000);
        }
        let right = json!({"user": "admin", "password": PASSWORD});
        is_refused(&app.post(LOGIN, &right).await, 10, 6, 60_000);
        app.call(Method::POST, LOGIN).from_address("192.0.2.2").json(&right).send().await.ok();
        app.post(LOGIN, &json!({"user": "admin@example.com", "password": PASSWORD})).await.ok();
        app.advance(Duration::from_secs(6));
        app.post(LOGIN, &right).await.ok();
    }
}

/// Without limits the same calls get through, and nothing is said of any.
#[tokio::test(flavor = "multi_thread")]
async fn limits_can_be_off() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine);
        for _ in 0..30 {
            let reply = register(&app, "token-1").await;
            assert_eq!(allowance(&reply), [None, None, None]);
            reply.ok();
        }
    }
}

/// Operations without a limit say nothing of any, even where limits are on.
#[tokio::test(flavor = "multi_thread")]
async fn reading_is_not_limited() {
    for engine in Engine::all() {
        let app = limited(&engine);
        register(&app, "token-1").await.ok();
        for _ in 0..30 {
            let reply = app.get(&format!("{VISITOR}/token-1")).await;
            assert_eq!(allowance(&reply), [None, None, None]);
            reply.ok();
        }
    }
}
