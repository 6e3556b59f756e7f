//! Logging in on a connection, and what happens when the login ends.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use usher_testkit::RealtimeClient;
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use crate::support::{desk, employ, post, refused, usual};
use usher_domain::Stream;

#[tokio::test(flavor = "multi_thread")]
async fn users_log_in_in_every_way() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let digest = Sha256::digest(PASSWORD).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for (form, kind) in [
            (json!({"resume": agent.token}), "resume"),
            (json!({"user": {"username": "agent"}, "password": PASSWORD}), "password"),
            (json!({"user": {"username": "agent", "email": null}, "password": PASSWORD}), "password"),
            (json!({"user": {"email": "agent@example.com"}, "password": PASSWORD}), "password"),
            (json!({"user": {"username": "agent"}, "password": {"digest": digest, "algorithm": "sha-256"}}), "password"),
        ] {
            let mut client = RealtimeClient::connect(&app).await;
            let answer = client.call("login", json!([form])).await;
            let result = &answer["result"];
            assert_eq!((&result["id"], &result["type"]), (&json!(agent.user_id), &json!(kind)), "{answer}");
            assert!(result["token"].is_string() && result["tokenExpires"]["$date"].is_i64(), "{answer}");
            let added = client.next().await;
            assert_eq!(
                (&added["msg"], &added["collection"], &added["id"]),
                (&json!("added"), &json!("users"), &json!(agent.user_id))
            );
            let fields = &added["fields"];
            assert_eq!((&fields["username"], &fields["name"]), (&json!("agent"), &json!("agent")), "{fields}");
        }
        for (form, code, reason) in [
            (json!({"resume": "nobody's"}), json!(403), "You've been logged out by the server. Please log in again."),
            (json!({"user": {"username": "agent"}, "password": "wrong"}), json!(403), "User not found"),
            (json!({"user": {"username": "nobody"}, "password": PASSWORD}), json!(403), "User not found"),
        ] {
            let mut client = RealtimeClient::connect(&app).await;
            let answer = client.call("login", json!([form])).await;
            assert_eq!((&answer["error"]["error"], &answer["error"]["reason"]), (&code, &json!(reason)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_login_is_refused_without_one() {
    let app = usual(&Engine::sqlite()).await;
    let agent = employ(&app, "agent").await;
    let other = employ(&app, "other").await;
    let mut anonymous = RealtimeClient::connect(&app).await;
    assert_eq!(anonymous.call("subscriptions/get", json!([])).await["error"]["error"], "error-invalid-user");
    let own = format!("{}/subscriptions-changed", agent.user_id);
    for (stream, event) in [
        (Stream::NotifyUser, own.as_str()),
        (Stream::NotifyLogged, "user-status"),
        (Stream::InquiryQueue, "public"),
        (Stream::CannedResponses, "canned-responses"),
        (Stream::Roles, "roles"),
        (Stream::NotifyAll, "private-settings-changed"),
        (Stream::NotifyLogged, "private-settings-changed"),
    ] {
        assert_eq!(refused(&anonymous.subscribe(stream, json!([event, false])).await), "not-allowed", "{event}");
    }
    assert_eq!(refused(&anonymous.subscribe(Stream::UserPresence, json!(["", {"added": ["x"]}])).await), "not-allowed");
    let mut stranger = RealtimeClient::log_in(&app, &other).await;
    assert_eq!(refused(&stranger.subscribe(Stream::NotifyUser, json!([own, false])).await), "not-allowed");
    let reserved = format!("agent/{}", agent.user_id);
    assert_eq!(refused(&stranger.subscribe(Stream::InquiryQueue, json!([reserved, false])).await), "not-allowed");
    let mut plain = RealtimeClient::log_in(&app, &app.user("plain", &["user"]).await).await;
    assert_eq!(refused(&plain.subscribe(Stream::InquiryQueue, json!(["public", false])).await), "not-allowed");
    let mut itself = RealtimeClient::log_in(&app, &agent).await;
    for stream in [Stream::NotifyLogged, Stream::NotifyAll] {
        assert_eq!(refused(&itself.subscribe(stream, json!(["private-settings-changed", false])).await), "not-allowed");
    }
    for (stream, event) in [
        (Stream::NotifyUser, own.as_str()),
        (Stream::NotifyLogged, "user-status"),
        (Stream::InquiryQueue, "public"),
        (Stream::InquiryQueue, reserved.as_str()),
        (Stream::CannedResponses, "canned-responses"),
        (Stream::Roles, "roles"),
    ] {
        itself.follow(stream, json!([event, false])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ends_takes_its_connections_along() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let admin = app.admin().await;
        let agent = employ(&app, "agent").await;
        let again = app.log_in("agent").await;

        let mut client = RealtimeClient::log_in(&app, &agent).await;
        client.send(&json!({"msg": "method", "method": "logout", "params": [], "id": "out"})).await;
        client.wait_for(|frame| *frame == json!({"msg": "result", "id": "out"})).await;
        assert_eq!(client.closed().await, 1_002, "who has logged out is not served any more");

        let (mut first, mut second) = (desk(&app, &again).await, desk(&app, &app.log_in("agent").await).await);
        app.call(Method::POST, "/api/v1/logout").as_user(&again).send().await.ok();
        assert_eq!(first.closed().await, 4_001);
        second.catch_up(&app).await;
        let inactive = json!({"userId": agent.user_id, "activeStatus": false});
        post(&app, &admin, "/api/v1/users.setActiveStatus", &inactive).await;
        assert_eq!(second.closed().await, 4_001);

        let mut expiring = RealtimeClient::log_in(&app, &admin).await;
        app.advance(Duration::from_secs(400 * 86_400));
        assert_eq!(expiring.closed().await, 4_001, "logins expire");
    }
}
