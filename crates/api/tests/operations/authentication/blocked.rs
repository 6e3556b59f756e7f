//! Whoever fails to log in too often waits; nobody else waits for it. The limits on how often somebody may call are off here.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{PASSWORD, Reply, Setup};
use usher_testkit::engines::Engine;

use super::{log_in, me, unauthorized};
use crate::support::{LOGIN, usual};

/// Where nearly every login here comes from.
const HERE: &str = "192.0.2.1";

/// Where a login comes from that has nothing to do with those.
const ELSEWHERE: &str = "198.51.100.1";

/// How long a block lasts.
const BLOCK: Duration = Duration::from_mins(5);

async fn app(setup: Setup, engine: &Engine) -> TestApp {
    let app = setup.start(engine).await;
    app.create_admin().await;
    app
}

async fn try_to_log_in(app: &TestApp, address: &str, name: &str, password: &str) -> Reply {
    app.call(Method::POST, LOGIN).from_address(address).json(&json!({"user": name, "password": password})).send().await
}

/// Fails to log in so often, each time as anybody who has a wrong password.
async fn fail(app: &TestApp, address: &str, name: &str, times: usize) {
    for _ in 0..times {
        try_to_log_in(app, address, name, "wrong").await.is(401, &unauthorized());
    }
}

/// Logs in with the right password.
async fn succeed(app: &TestApp, address: &str, name: &str) {
    try_to_log_in(app, address, name, PASSWORD).await.ok();
}

/// What is answered where a name is blocked.
fn blocked_for_user() -> Value {
    let message = "Login has been temporarily blocked For User";
    json!({"success": false, "status": "error", "error": "error-login-blocked-for-user", "message": message})
}

/// What is answered where an address is blocked.
fn blocked_for_address() -> Value {
    let message = "Login has been temporarily blocked For IP";
    json!({"success": false, "status": "error", "error": "error-login-blocked-for-ip", "message": message})
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_failures_block_a_name_at_one_address_for_five_minutes() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        let session = log_in(&app).await;
        fail(&app, HERE, "admin", 9).await;
        fail(&app, HERE, "ADMIN", 1).await;
        for name in ["admin", "Admin"] {
            try_to_log_in(&app, HERE, name, PASSWORD).await.is(401, &blocked_for_user());
        }
        succeed(&app, ELSEWHERE, "admin").await;
        succeed(&app, HERE, "admin@example.com").await;
        app.post(LOGIN, &json!({"resume": session.token})).await.ok();
        me(&app, &session).await.ok();

        app.advance(BLOCK - Duration::from_millis(1));
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_user());
        app.advance(Duration::from_millis(1));
        succeed(&app, HERE, "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_clears_what_was_counted_of_its_name() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        for _ in 0..2 {
            fail(&app, HERE, "admin", 9).await;
            succeed(&app, HERE, "admin").await;
        }
        fail(&app, HERE, "admin", 10).await;
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_user());
    }
}

/// Blocks tell nothing of who has an account.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_has_is_blocked_alike() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        fail(&app, HERE, "nobody", 10).await;
        try_to_log_in(&app, HERE, "nobody", PASSWORD).await.is(401, &blocked_for_user());
        succeed(&app, HERE, "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_failures_block_an_address_for_five_minutes() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        let session = log_in(&app).await;
        for number in 0..50 {
            fail(&app, HERE, &format!("name-{number}"), 1).await;
        }
        for name in ["admin", "admin@example.com", "nobody"] {
            try_to_log_in(&app, HERE, name, PASSWORD).await.is(401, &blocked_for_address());
        }
        succeed(&app, ELSEWHERE, "admin").await;
        me(&app, &session).await.ok();
        app.advance(BLOCK - Duration::from_millis(1));
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_address());
        app.advance(Duration::from_millis(1));
        succeed(&app, HERE, "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_one_customer_count_as_one() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        for last in 1..=10 {
            fail(&app, &format!("2001:db8::{last}"), "admin", 1).await;
        }
        try_to_log_in(&app, "2001:db8::ffff", "admin", PASSWORD).await.is(401, &blocked_for_user());
        succeed(&app, "2001:db8:0:1::1", "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_settings() {
    let setup = || {
        let numbers = [
            ("Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User", "2"),
            ("Block_Multiple_Failed_Logins_Time_To_Unblock_By_User_In_Minutes", "1"),
            ("Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip", "3"),
            ("Block_Multiple_Failed_Logins_Time_To_Unblock_By_Ip_In_Minutes", "2"),
        ];
        numbers.into_iter().fold(usual(), |setup, (id, value)| setup.setting(id, value))
    };
    for engine in Engine::all() {
        let app = app(setup(), &engine).await;
        fail(&app, HERE, "admin", 2).await;
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_user());
        app.advance(Duration::from_mins(1));
        succeed(&app, HERE, "admin").await;
        fail(&app, HERE, "admin", 1).await;
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_address());
        app.advance(Duration::from_mins(2));
        succeed(&app, HERE, "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_can_be_off() {
    let of_names = [("Block_Multiple_Failed_Logins_By_User", "false"), ("Block_Multiple_Failed_Logins_Enabled", "false")];
    for (setting, value) in of_names.into_iter().chain([("Block_Multiple_Failed_Logins_Ip_Whitelist", "203.0.113.9, 192.0.2.1")]) {
        for engine in Engine::all() {
            let app = app(usual().setting(setting, value), &engine).await;
            fail(&app, HERE, "admin", 11).await;
            succeed(&app, HERE, "admin").await;
        }
    }
    for engine in Engine::all() {
        let few = usual().setting("Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip", "3");
        let app = app(few.setting("Block_Multiple_Failed_Logins_By_Ip", "false"), &engine).await;
        fail(&app, HERE, "admin", 5).await;
        succeed(&app, HERE, "admin").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_blocks_off_lets_everybody_in_at_once() {
    for engine in Engine::all() {
        let app = app(usual(), &engine).await;
        let session = log_in(&app).await;
        fail(&app, HERE, "admin", 10).await;
        try_to_log_in(&app, HERE, "admin", PASSWORD).await.is(401, &blocked_for_user());
        let off = app.call(Method::POST, "/api/v1/settings/Block_Multiple_Failed_Logins_Enabled").as_user(&session);
        off.json(&json!({"value": false})).send().await.ok();
        succeed(&app, HERE, "admin").await;
    }
}
