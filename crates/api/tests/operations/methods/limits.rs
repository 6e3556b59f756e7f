//! The limits on how often methods are called. They are none of REST's, whatever the way a method is called.

use std::time::Duration;

use axum::http::Method as Verb;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{PASSWORD, Setup};
use usher_testkit::engines::Engine;

use super::{CALL_ANONYMOUSLY, body, call, call_anonymously, error, failure, message, result};
use crate::support::{LOGIN, MESSAGE, VISITOR, usual};

/// What a call over a limit is answered.
fn too_many(seconds: u64) -> Value {
    let told = format!("Error, too many requests. Please slow down. You must wait {seconds} seconds before trying again.");
    let mut refused = error(json!("too-many-requests"), &told);
    refused["details"] = json!({"timeToReset": seconds * 1_000});
    refused
}

fn limited(settings: &[(&str, &str)]) -> Setup {
    settings.iter().fold(usual().with_rate_limits(), |setup, (id, value)| setup.setting(id, value))
}

/// Calls a harmless method as a user; gives its error, if it answered one.
async fn count_codes(app: &TestApp, login: &usher_testkit::application::Login) -> Option<Value> {
    message(&call(app, login, "2fa:checkCodesRemaining", json!([])).await).get("error").cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_calls_a_method_twenty_times_in_ten_seconds() {
    for engine in Engine::all() {
        let app = limited(&[]).start(&engine).await;
        let (mary, john, admin) = (app.user("mary", &["user"]).await, app.user("john", &["user"]).await, app.admin().await);
        for caller in [&mary, &admin] {
            for number in 0..20 {
                let reply = call(&app, caller, "2fa:checkCodesRemaining", json!([])).await;
                assert!(reply.headers.get("x-ratelimit-limit").is_none(), "REST does not count it");
                assert_eq!(message(&reply).get("error"), None, "call {number}");
            }
            let refused = failure(call(&app, caller, "2fa:checkCodesRemaining", json!([])).await, 400);
            assert_eq!(refused, too_many(1));
        }
        assert_eq!(count_codes(&app, &john).await, None, "somebody else");
        result(call(&app, &mary, "setUserStatus", json!(["busy"])).await);
        app.advance(Duration::from_millis(500));
        assert_eq!(count_codes(&app, &mary).await, None);
        assert_eq!(count_codes(&app, &mary).await, Some(too_many(1)));
        app.advance(Duration::from_secs(10));
        for _ in 0..20 {
            assert_eq!(count_codes(&app, &mary).await, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_done() {
    for engine in Engine::all() {
        let app = limited(&[("DDP_Rate_Limit_User_By_Method_Requests_Allowed", "1")]).start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        result(call(&app, &mary, "setUserStatus", json!(["busy"])).await);
        let refused = failure(call(&app, &mary, "setUserStatus", json!(["away"])).await, 400);
        assert_eq!(refused, too_many(10));
        let seen = app.call(Verb::GET, "/api/v1/me").as_user(&mary).send().await.ok();
        assert_eq!(seen["status"], "busy");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_a_limit_over_all_methods() {
    let settings = [("DDP_Rate_Limit_User_Requests_Allowed", "3"), ("DDP_Rate_Limit_User_Interval_Time", "3000")];
    for engine in Engine::all() {
        let app = limited(&settings).start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["user"]).await);
        for name in ["2fa:checkCodesRemaining", "permissions/get", "public-settings/get"] {
            result(call(&app, &mary, name, json!([])).await);
        }
        assert_eq!(failure(call(&app, &mary, "private-settings/get", json!([])).await, 400), too_many(1));
        assert_eq!(count_codes(&app, &john).await, None);
        result(call_anonymously(&app, "public-settings/get", json!([])).await);
        app.advance(Duration::from_secs(1));
        assert_eq!(count_codes(&app, &mary).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_limit_over_all_callers() {
    let settings = [("DDP_Rate_Limit_IP_Requests_Allowed", "2"), ("DDP_Rate_Limit_IP_Interval_Time", "120000")];
    for engine in Engine::all() {
        let app = limited(&settings).start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        result(call_anonymously(&app, "livechat:loginByToken", json!(["x"])).await);
        assert_eq!(count_codes(&app, &mary).await, None);
        // Older clients are told in their own form.
        assert_eq!(failure(call_anonymously(&app, "livechat:loginByToken", json!(["x"])).await, 200), too_many(60));
        assert_eq!(failure(call_anonymously(&app, "public-settings/get", json!([])).await, 400), too_many(60));
        assert_eq!(count_codes(&app, &mary).await, Some(too_many(60)));
        let elsewhere = app.call(Verb::POST, CALL_ANONYMOUSLY).from_address("198.51.100.1");
        result(elsewhere.json(&body("public-settings/get", &json!([]))).send().await);
        app.advance(Duration::from_mins(1));
        result(call_anonymously(&app, "public-settings/get", json!([])).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_can_be_off() {
    let few = |kind: &str| format!("DDP_Rate_Limit_{kind}_Requests_Allowed");
    let on = |kind: &str| format!("DDP_Rate_Limit_{kind}_Enabled");
    for kind in ["IP", "User", "User_By_Method"] {
        for engine in Engine::all() {
            let app = limited(&[(&few(kind), "1"), (&on(kind), "false")]).start(&engine).await;
            let mary = app.user("mary", &["user"]).await;
            for _ in 0..5 {
                assert_eq!(count_codes(&app, &mary).await, None, "{kind}");
            }
            let admin = app.admin().await;
            let switched = app.call(Verb::POST, &format!("/api/v1/settings/{}", on(kind))).as_user(&admin);
            switched.json(&json!({"value": true})).send().await.ok();
            count_codes(&app, &mary).await;
            assert!(count_codes(&app, &mary).await.is_some(), "{kind} is in force for the next request");
        }
    }
}

/// The same calls get through where callers are not slowed down.
#[tokio::test(flavor = "multi_thread")]
async fn limits_can_be_off() {
    for engine in Engine::all() {
        let app = usual().setting("DDP_Rate_Limit_User_By_Method_Requests_Allowed", "1").start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for _ in 0..25 {
            assert_eq!(count_codes(&app, &mary).await, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_count_whichever_way_they_come() {
    for engine in Engine::all() {
        let app = limited(&[]).start(&engine).await;
        let guest = json!([{"token": "token-1"}]);
        for _ in 0..2 {
            result(call_anonymously(&app, "livechat:registerGuest", guest.clone()).await);
            app.post(VISITOR, &json!({"visitor": {"token": "token-1"}})).await.ok();
        }
        result(call_anonymously(&app, "livechat:registerGuest", guest.clone()).await);
        assert_eq!(failure(call_anonymously(&app, "livechat:registerGuest", guest).await, 200), too_many(12));
        assert_eq!(app.post(VISITOR, &json!({"visitor": {"token": "token-1"}})).await.status.as_u16(), 429);
        result(call_anonymously(&app, "livechat:registerGuest", json!([{"token": "token-2"}])).await);
    }
    for engine in Engine::all() {
        let app = limited(&[("Usher_Limit_Registrations_Per_Address", "2")]).start(&engine).await;
        result(call_anonymously(&app, "livechat:registerGuest", json!([{"token": "token-1"}])).await);
        app.post(VISITOR, &json!({"visitor": {"token": "token-2"}})).await.ok();
        let third = json!([{"token": "token-3"}]);
        assert_eq!(failure(call_anonymously(&app, "livechat:registerGuest", third).await, 200), too_many(30));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_count_whichever_way_they_come() {
    for engine in Engine::all() {
        let app = limited(&[]).start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let send = async |number: i32| {
            let sent = json!([{"_id": format!("m{number}"), "rid": room, "msg": "Hello", "token": "token-1"}]);
            call_anonymously(&app, "sendMessageLivechat", sent).await
        };
        for number in 0..10 {
            result(send(number).await);
            app.message("token-1", &room, "Hello").await;
        }
        assert_eq!(failure(send(10).await, 200), too_many(1));
        let by_rest = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": "Hello"})).await;
        assert_eq!(by_rest.status.as_u16(), 429);
        app.advance(Duration::from_secs(1));
        result(send(10).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_count_whichever_way_they_come() {
    for engine in Engine::all() {
        let app = limited(&[]).start(&engine).await;
        app.create_admin().await;
        let form = json!({"user": {"username": "admin"}, "password": PASSWORD});
        for _ in 0..5 {
            result(call_anonymously(&app, "login", json!([form])).await);
            app.post(LOGIN, &form).await.ok();
        }
        assert_eq!(failure(call_anonymously(&app, "login", json!([form])).await, 400), too_many(6));
        assert_eq!(app.post(LOGIN, &form).await.status.as_u16(), 429);
        let elsewhere = app.call(Verb::POST, CALL_ANONYMOUSLY).from_address("198.51.100.1").json(&body("login", &json!([form])));
        result(elsewhere.send().await);
        app.advance(Duration::from_secs(6));
        result(call_anonymously(&app, "login", json!([form])).await);
    }
}
