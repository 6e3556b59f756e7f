//! `chat.react`, `chat.pinMessage`, `chat.starMessage` and their opposites.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::Desk;
use crate::support::{coded, history, rows, usual};

fn path(name: &str) -> String {
    format!("/api/v1/chat.{name}")
}

/// The message `hers` as a user sees it.
async fn seen(desk: &Desk, by: &usher_testkit::application::Login) -> Value {
    desk.get(by, "/api/v1/chat.getMessage?msgId=hers").await.ok()["message"].clone()
}

fn done() -> Value {
    json!({"success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_come_and_go() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        for (login, given, expected) in [
            (&desk.agent, json!({"emoji": "smile"}), json!({":smile:": {"usernames": ["ana"]}})),
            (&desk.admin, json!({"reaction": ":smile:"}), json!({":smile:": {"usernames": ["ana", "admin"]}})),
            (&desk.agent, json!({"emoji": "smile", "shouldReact": true}), json!({":smile:": {"usernames": ["ana", "admin"]}})),
            (&desk.agent, json!({"emoji": ":smile:", "shouldReact": false}), json!({":smile:": {"usernames": ["admin"]}})),
            (&desk.admin, json!({"emoji": "smile"}), Value::Null),
        ] {
            let mut body = given.clone();
            body["messageId"] = json!("hers");
            desk.post(login, &path("react"), &body).await.is(200, &done());
            assert_eq!(seen(&desk, &desk.agent).await["reactions"], expected, "{given}");
            let told = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok();
            assert_eq!(told["messages"][0]["reactions"], expected, "the visitor sees the same");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_is_seen_by_nobody_else() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        let body = json!({"messageId": "hers"});
        for login in [&desk.agent, &desk.admin, &desk.agent] {
            desk.post(login, &path("starMessage"), &body).await.is(200, &done());
        }
        assert_eq!(seen(&desk, &desk.agent).await["starred"], json!([{"_id": "ana"}]));
        assert_eq!(seen(&desk, &desk.admin).await["starred"], json!([{"_id": desk.admin.user_id}]));
        let manager = desk.person("max", &["livechat-manager"]).await;
        assert_eq!(seen(&desk, &manager).await.get("starred"), None);
        let told = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok();
        assert_eq!(told["messages"][0].get("starred"), None);
        let info = desk.get(&desk.agent, &format!("/api/v1/rooms.info?roomId={}", desk.room)).await.ok();
        assert_eq!(info["room"]["lastMessage"].get("starred"), None);
        desk.post(&desk.agent, &path("unStarMessage"), &body).await.is(200, &done());
        assert_eq!(seen(&desk, &desk.agent).await.get("starred"), None);
        desk.post(&desk.admin, &path("unStarMessage"), &body).await.is(200, &done());
        assert_eq!(seen(&desk, &desk.admin).await.get("starred"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_seen_by_all() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        desk.seconds(1);
        let body = json!({"messageId": "hers"});
        let pinned = desk.post(&desk.admin, &path("pinMessage"), &body).await.ok()["message"].clone();
        let expected = (&json!(true), &json!("2024-01-31T12:00:01.000Z"), &json!({"_id": desk.admin.user_id, "username": "admin"}));
        assert_eq!((&pinned["pinned"], &pinned["pinnedAt"], &pinned["pinnedBy"]), expected);
        assert_eq!(seen(&desk, &desk.agent).await, pinned);
        desk.seconds(1);
        assert_eq!(desk.post(&desk.admin, &path("pinMessage"), &body).await.ok()["message"], pinned, "pinned again it stays");
        let refusal = coded("Not authorized [error-action-not-allowed]", "error-action-not-allowed");
        desk.post(&desk.agent, &path("pinMessage"), &body).await.is(400, &refusal);
        desk.post(&desk.agent, &path("unPinMessage"), &body).await.is(400, &refusal);
        desk.post(&desk.admin, &path("unPinMessage"), &body).await.is(200, &done());
        let unpinned = seen(&desk, &desk.agent).await;
        assert!(["pinned", "pinnedAt", "pinnedBy"].iter().all(|name| unpinned.get(name).is_none()), "{unpinned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pinned_where_pinning_is_off() {
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("Message_AllowPinning", "false"), &engine).await;
        desk.asks_as("hers", "Hello").await;
        let refusal = coded("Message pinning not allowed [error-action-not-allowed]", "error-action-not-allowed");
        for name in ["pinMessage", "unPinMessage"] {
            desk.post(&desk.admin, &path(name), &json!({"messageId": "hers"})).await.is(400, &refusal);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_marked_is_refused() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        let missing = coded(
            "The required \"messageId\" param is missing. [error-messageid-param-not-provided]",
            "error-messageid-param-not-provided",
        );
        let unknown = coded(
            "The provided \"messageId\" does not match any existing message. [error-message-not-found]",
            "error-message-not-found",
        );
        let before = rows(&desk.app).await;
        for name in ["react", "pinMessage", "unPinMessage", "starMessage", "unStarMessage"] {
            desk.post(&desk.admin, &path(name), &json!({"emoji": "smile"})).await.is(400, &missing);
            desk.post(&desk.admin, &path(name), &json!({"messageId": "", "emoji": "smile"})).await.is(400, &missing);
            desk.post(&desk.admin, &path(name), &json!({"messageId": "unknown", "emoji": "smile"})).await.is(400, &unknown);
        }
        let no_emoji =
            coded("The required \"emoji\" param is missing. [error-emoji-param-not-provided]", "error-emoji-param-not-provided");
        desk.post(&desk.agent, &path("react"), &json!({"messageId": "hers"})).await.is(400, &no_emoji);
        let invalid = coded("Invalid emoji provided. [error-not-allowed]", "error-not-allowed");
        for emoji in ["two words", "::", "😀", "<b>"] {
            desk.post(&desk.agent, &path("react"), &json!({"messageId": "hers", "emoji": emoji})).await.is(400, &invalid);
        }
        assert_eq!(rows(&desk.app).await, before);
    }
}
