//! How often users may call: each operation ten times a minute from one address, unless it says otherwise.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::*;
use crate::support::usual;

const SPOTLIGHT: &str = "/api/v1/spotlight?query=mary";

/// How many calls are left, as the answer tells.
#[track_caller]
fn remaining(reply: &Reply) -> &str {
    reply.headers["x-ratelimit-remaining"].to_str().expect("a number is ASCII")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_calls_an_operation_ten_times_a_minute() {
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["livechat-agent"]).await);
        for number in (0..10).rev() {
            let reply = get(&app, &mary, ME).await;
            assert_eq!((reply.status.as_u16(), remaining(&reply)), (200, number.to_string().as_str()));
            assert_eq!(
                (&reply.headers["x-ratelimit-limit"], reply.headers.contains_key("retry-after")),
                (&"10".parse().expect("it is one"), false)
            );
        }
        let text = "Error, too many requests. Please slow down. You must wait 6 seconds before trying this endpoint again. \
                    [error-too-many-requests]";
        for caller in [&mary, &john] {
            let refused = get(&app, caller, ME).await;
            refused.is(429, &json!({"success": false, "error": text}));
            assert_eq!((remaining(&refused), &refused.headers["retry-after"]), ("0", &"6".parse().expect("it is one")));
            assert_eq!(refused.headers["x-ratelimit-reset"], *(START + 60_000).to_string());
        }
        get(&app, &mary, &format!("{INFO}?username=mary")).await.ok();
        app.call(Method::GET, ME).as_user(&mary).from_address("198.51.100.1").send().await.ok();
        app.get(ME).await.is(401, &not_logged_in());
        app.advance(Duration::from_secs(6));
        get(&app, &mary, ME).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_call_as_often_as_they_like() {
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        let admin = app.admin().await;
        for role in ["bot", "app"] {
            app.user(&format!("{role}.1"), &[role]).await;
        }
        for login in [&admin, &app.log_in("bot.1").await, &app.log_in("app.1").await] {
            for _ in 0..12 {
                let reply = get(&app, login, ME).await;
                assert!(!reply.headers.contains_key("x-ratelimit-limit"));
                reply.ok();
            }
        }
        grant(&app, "api-bypass-rate-limit", &["admin"]).await;
        let bot = app.log_in("bot.1").await;
        for _ in 0..10 {
            get(&app, &bot, ME).await.ok();
        }
        assert_eq!(get(&app, &bot, ME).await.status.as_u16(), 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_settings() {
    let few = [("API_Enable_Rate_Limiter_Limit_Calls_Default", "2"), ("API_Enable_Rate_Limiter_Limit_Time_Default", "10000")];
    for engine in Engine::all() {
        let setup = few.into_iter().fold(usual().with_rate_limits(), |setup, (id, value)| setup.setting(id, value));
        let app = setup.start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for _ in 0..2 {
            get(&app, &mary, ME).await.ok();
        }
        assert_eq!(get(&app, &mary, ME).await.headers["retry-after"], "5");
        app.advance(Duration::from_secs(5));
        get(&app, &mary, ME).await.ok();
        assert_eq!(get(&app, &mary, ME).await.status.as_u16(), 429);
        set(&app, "API_Enable_Rate_Limiter", json!(false)).await;
        for _ in 0..5 {
            get(&app, &mary, ME).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_may_be_repeated_while_somebody_types() {
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for number in (0..100).rev() {
            let reply = get(&app, &mary, SPOTLIGHT).await;
            assert_eq!((reply.status.as_u16(), remaining(&reply)), (200, number.to_string().as_str()));
        }
        assert_eq!(get(&app, &mary, SPOTLIGHT).await.headers["retry-after"], "1");
        app.advance(Duration::from_secs(1));
        get(&app, &mary, SPOTLIGHT).await.ok();
    }
}
