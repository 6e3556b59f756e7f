//! The limits on how often somebody may call.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD, Reply};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use crate::support::{LOGIN, MESSAGE, VISITOR, rows, usual};

const ME: &str = "/api/v1/me";
const REGISTER: &str = "/api/v1/users.register";

/// An application that slows callers down.
async fn limited(engine: &Engine) -> TestApp {
    usual().with_rate_limits().start(engine).await
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
        let app = limited(&engine).await;
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
        let app = limited(&engine).await;
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
        let app = usual().setting("Usher_Limit_Registrations_Per_Token", "1000").with_rate_limits().start(&engine).await;
        has_allowance(&register(&app, "token-1").await, 300, 299, 200);
    }
    for engine in Engine::all() {
        let app = usual()
            .setting("Usher_Limit_Registrations_Per_Address", "3")
            .trusting("203.0.113.0/24")
            .with_rate_limits()
            .start(&engine)
            .await;
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
        let app = limited(&engine).await;
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
        // Ten failures would block the name for longer than this limit does.
        let app = usual().setting("Block_Multiple_Failed_Logins_By_User", "false").with_rate_limits().start(&engine).await;
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
        let app = TestApp::usual(&engine).await;
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
        let app = limited(&engine).await;
        register(&app, "token-1").await.ok();
        for _ in 0..30 {
            let reply = app.get(&format!("{VISITOR}/token-1")).await;
            assert_eq!(allowance(&reply), [None, None, None]);
            reply.ok();
        }
    }
}

/// `GET me`, which every user may call as often as calls are let through.
async fn me(app: &TestApp, login: &Login) -> Reply {
    app.call(Method::GET, ME).as_user(login).send().await
}

/// Changes a setting as the administrator, who is not limited.
async fn set(app: &TestApp, admin: &Login, id: &str, value: Value) {
    let path = format!("/api/v1/settings/{id}");
    app.call(Method::POST, &path).as_user(admin).json(&json!({"value": value})).send().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_called_ten_times_a_minute() {
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["user", "livechat-agent"]).await);
        for call in 1..=10 {
            let reply = me(&app, &mary).await;
            has_allowance(&reply, 10, 10 - call, i64::from(call) * 6_000);
            reply.ok();
        }
        is_refused(&me(&app, &mary).await, 10, 6, 60_000);
        // What is counted is the address and the operation, not who calls.
        is_refused(&me(&app, &john).await, 10, 6, 60_000);
        let elsewhere = app.call(Method::GET, ME).as_user(&mary).from_address("192.0.2.2").send().await;
        has_allowance(&elsewhere, 10, 9, 6_000);
        let other = app.call(Method::GET, "/api/v1/roles.list").as_user(&mary).send().await;
        has_allowance(&other, 10, 9, 6_000);
        let by_get = app.call(Method::GET, "/api/v1/settings").as_user(&mary).send().await;
        has_allowance(&by_get, 10, 9, 6_000);
        // The same path by another method is another operation, and what is refused for its input does not count at all.
        let by_post = app.call(Method::POST, "/api/v1/settings").as_user(&mary).json(&json!({})).send().await;
        assert_eq!((by_post.status.as_u16(), allowance(&by_post)), (400, [None, None, None]));
        let body = json!({"settings": [{"_id": "Livechat_title", "value": "x"}]});
        let by_post = app.call(Method::POST, "/api/v1/settings").as_user(&mary).json(&body).send().await;
        assert_eq!(by_post.status.as_u16(), 400);
        has_allowance(&by_post, 10, 9, 6_000);
        // All addresses of one operation are one operation.
        for id in ["Livechat_title", "Livechat_enabled"] {
            let reply = app.call(Method::GET, &format!("/api/v1/settings/{id}")).as_user(&mary).send().await;
            assert_eq!((reply.status.as_u16(), allowance(&reply)), (403, [None, None, None]), "permissions come first");
        }
        app.advance(Duration::from_secs(6));
        has_allowance(&me(&app, &mary).await, 10, 0, 66_000);
        is_refused(&me(&app, &mary).await, 10, 6, 66_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_in_the_path_are_no_way_around() {
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let mary = app.user("mary", &["user", "livechat-manager"]).await;
        let seen = vec![("view-privileged-setting".to_owned(), vec!["livechat-manager".to_owned()])];
        app.services.set_permissions(seen).await.expect("the permission exists");
        let ids = ["Livechat_title", "Livechat_enabled", "unknown"];
        for call in 0..10 {
            let reply = app.call(Method::GET, &format!("/api/v1/settings/{}", ids[call % 3])).as_user(&mary).send().await;
            has_allowance(&reply, 10, 9 - u32::try_from(call).expect("it is small"), (call as i64 + 1) * 6_000);
        }
        is_refused(&app.call(Method::GET, "/api/v1/settings/Site_Name").as_user(&mary).send().await, 10, 6, 60_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_exempt() {
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let (admin, bot, mary) = (app.admin().await, app.user("robot", &["bot"]).await, app.user("mary", &["user"]).await);
        for login in [&admin, &bot] {
            for _ in 0..15 {
                let reply = me(&app, login).await;
                assert_eq!(allowance(&reply), [None, None, None]);
                reply.ok();
            }
        }
        has_allowance(&me(&app, &mary).await, 10, 9, 6_000);
        // Who is exempt is a permission, and nobody has it for good.
        let exempt = |roles: &[&str]| {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect();
            vec![("api-bypass-rate-limit".to_owned(), roles)]
        };
        app.services.set_permissions(exempt(&["livechat-agent"])).await.expect("the permission exists");
        has_allowance(&me(&app, &admin).await, 10, 8, 12_000);
        app.services.set_permissions(exempt(&["user"])).await.expect("the permission exists");
        assert_eq!(allowance(&me(&app, &mary).await), [None, None, None]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_and_the_switch_count_at_once() {
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!(2)).await;
        set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Time_Default", json!(10_000)).await;
        has_allowance(&me(&app, &mary).await, 2, 1, 5_000);
        has_allowance(&me(&app, &mary).await, 2, 0, 10_000);
        is_refused(&me(&app, &mary).await, 2, 5, 10_000);

        set(&app, &admin, "API_Enable_Rate_Limiter", json!(false)).await;
        assert_eq!(allowance(&me(&app, &mary).await), [None, None, None]);
        me(&app, &mary).await.ok();
        set(&app, &admin, "API_Enable_Rate_Limiter", json!("true")).await;
        is_refused(&me(&app, &mary).await, 2, 5, 10_000);

        // Another number begins to count anew.
        set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!("4")).await;
        has_allowance(&me(&app, &mary).await, 4, 3, 2_500);
    }
}

/// Whatever numbers there are, nothing breaks, and nobody is locked out for good.
#[tokio::test(flavor = "multi_thread")]
async fn any_number_is_survived() {
    let numbers = [json!(i64::MIN), json!(-1), json!(0), json!(u32::MAX), json!(i64::MAX), json!(1e300), json!("x"), json!(null)];
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for calls in &numbers {
            for milliseconds in &numbers {
                set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Calls_Default", calls.clone()).await;
                set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Time_Default", milliseconds.clone()).await;
                let status = me(&app, &mary).await.status.as_u16();
                assert!([200, 429].contains(&status), "{calls} calls in {milliseconds} ms: {status}");
            }
        }
        set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!(5)).await;
        set(&app, &admin, "API_Enable_Rate_Limiter_Limit_Time_Default", json!(60_000)).await;
        has_allowance(&me(&app, &mary).await, 5, 4, 12_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_registers_one_account_a_minute() {
    let account = |name: &str| json!({"username": name, "name": name, "email": format!("{name}@example.com"), "pass": PASSWORD});
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let admin = app.admin().await;
        let reply = app.post(REGISTER, &account("mary")).await;
        has_allowance(&reply, 1, 0, 60_000);
        reply.ok();
        let before = rows(&app).await;
        is_refused(&app.post(REGISTER, &account("john")).await, 1, 60, 60_000);
        assert!(rows(&app).await == before, "what is refused is not done");
        app.call(Method::POST, REGISTER).from_address("192.0.2.2").json(&account("john")).send().await.ok();
        app.advance(Duration::from_secs(60));
        app.post(REGISTER, &account("anna")).await.ok();

        set(&app, &admin, "Rate_Limiter_Limit_RegisterUser", json!(3)).await;
        has_allowance(&app.post(REGISTER, &account("eve")).await, 3, 2, 80_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_called_a_hundred_times_in_a_hundred_seconds() {
    for engine in Engine::all() {
        let app = limited(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let search = || app.call(Method::GET, "/api/v1/spotlight?query=mary").as_user(&mary).send();
        for call in 1..=100 {
            let reply = search().await;
            has_allowance(&reply, 100, 100 - call, i64::from(call) * 1_000);
            reply.ok();
        }
        is_refused(&search().await, 100, 1, 100_000);
    }
}
