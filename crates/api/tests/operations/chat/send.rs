//! `chat.sendMessage` and `chat.postMessage`.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::{Desk, md};
use crate::permissions::{grant, not_logged_in};
use crate::support::{coded, history, made_id, plain, rows, usual};

const SEND: &str = "/api/v1/chat.sendMessage";
const POST: &str = "/api/v1/chat.postMessage";

/// A message by the agent Ana.
fn by_ana(desk: &Desk, id: &Value, text: &str, ts: &str) -> Value {
    json!({
        "_id": id,
        "rid": desk.room,
        "msg": text,
        "ts": ts,
        "u": {"_id": "ana", "username": "ana", "name": "ana"},
        "_updatedAt": "2024-01-31T12:00:00.000Z",
        "urls": [],
        "mentions": [],
        "channels": [],
        "md": md(text),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_answers() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let answer =
            desk.post(&desk.agent, SEND, &json!({"message": {"rid": desk.room, "msg": "How can I help?", "text": "x"}})).await;
        let id = answer.body["message"]["_id"].clone();
        made_id(&id);
        let message = by_ana(&desk, &id, "How can I help?", "2024-01-31T12:00:00.003Z");
        answer.is(200, &json!({"message": message, "success": true}));
        let told = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok();
        assert_eq!(told["messages"], json!([message]), "the visitor reads it");
        let room = desk.stored(&desk.room).await;
        assert!(!room.waiting_response && room.responder.is_some_and(|responder| responder.user.id == "ana"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_again_stores_nothing() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let body = json!({"message": {"rid": desk.room, "msg": "once", "_id": "mine"}});
        let first = desk.post(&desk.agent, SEND, &body).await.ok();
        let before = rows(&desk.app).await;
        assert_eq!(desk.post(&desk.agent, SEND, &body).await.ok(), first);
        desk.post(&desk.admin, SEND, &body).await.is(400, &plain("invalid-message"));
        assert_eq!(rows(&desk.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused() {
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("Message_MaxAllowedSize", "10"), &engine).await;
        desk.asks_as("hers", "Hello").await;
        let room = &desk.room;
        let missing = "The \"message\" parameter must be provided. [error-invalid-params]";
        let too_long = "Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]";
        let shown = "tshow provided but missing tmid [invalid-params]";
        let no_rid = || plain("The 'rid' property on the message object is missing.");
        let mut deep = json!({});
        for _ in 0..20 {
            deep = json!({"in": deep});
        }
        let table = [
            (json!({}), coded(missing, "error-invalid-params")),
            (json!({"message": "Hello"}), coded("must be object", "invalid-params")),
            (json!({"message": {}}), no_rid()),
            (json!({"message": {"rid": "", "msg": "x"}}), no_rid()),
            (json!({"message": {"rid": "nowhere", "msg": "x"}}), plain("error-invalid-room")),
            (json!({"message": {"rid": room, "msg": "12345678901"}}), coded(too_long, "error-message-size-exceeded")),
            (json!({"message": {"rid": room, "msg": "x", "tshow": true}}), coded(shown, "invalid-params")),
            (json!({"message": {"rid": room, "msg": "x", "tmid": "unknown"}}), plain("error-invalid-message")),
            (json!({"message": {"rid": room, "msg": "x", "alias": "Boss"}}), plain("Not enough permission")),
            (json!({"message": {"rid": room, "msg": "x", "attachments": {}}}), coded("must be array", "invalid-params")),
            (json!({"message": {"rid": room, "msg": "x", "attachments": [1]}}), coded("must be object", "invalid-params")),
            (
                json!({"message": {"rid": room, "msg": "x", "customFields": {"a": "x".repeat(70_000)}}}),
                coded(too_long, "error-message-size-exceeded"),
            ),
            (json!({"message": {"rid": room, "msg": "x", "customFields": deep}}), coded(too_long, "error-message-size-exceeded")),
        ];
        let before = rows(&desk.app).await;
        for (body, refusal) in table {
            let reply = desk.post(&desk.agent, SEND, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refusal), "{body}");
        }
        let body = json!({"message": {"rid": room, "msg": "x"}});
        desk.app.post(SEND, &body).await.is(401, &not_logged_in());
        assert_eq!(rows(&desk.app).await, before);
        desk.post(&desk.agent, SEND, &json!({"message": {"rid": room, "msg": "1234567890", "tmid": "hers"}})).await.ok();
        desk.post(&desk.agent, SEND, &json!({"message": {"rid": room}})).await.ok();
        desk.close().await;
        desk.post(&desk.agent, SEND, &body).await.is(400, &plain("room-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_what_belongs_to_it() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        grant(&desk.app, &desk.admin, "message-impersonate", &["livechat-agent"]).await;
        let details = json!({
            "alias": "The team",
            "avatar": "https://example.com/team.png",
            "emoji": ":robot:",
            "attachments": [{"title": "A table", "fields": [{"short": true, "value": 7}]}],
            "customFields": {"order": {"number": 7}},
        });
        let mut body = details.clone();
        body["rid"] = desk.room.clone().into();
        body["attachments"] = json!([details["attachments"][0], {"message_link": "https://x", "text": "never said"}]);
        let sent = desk.post(&desk.agent, SEND, &json!({"message": body})).await.ok()["message"].clone();
        for (name, value) in details.as_object().expect("it is an object") {
            assert_eq!(&sent[name], value, "{name}");
        }
        let told = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok();
        assert_eq!(told["messages"], json!([sent]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_posted_to_rooms_by_their_ids() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.app.register("token-2", "Bob").await;
        let other = desk.app.room("token-2").await;
        desk.give(&other, "ana").await;
        let answer = desk.post(&desk.agent, POST, &json!({"roomId": desk.room, "text": "One"})).await;
        let id = answer.body["message"]["_id"].clone();
        let message = by_ana(&desk, &id, "One", "2024-01-31T12:00:00.003Z");
        answer.is(200, &json!({"ts": 1_706_702_400_003_i64, "channel": desk.room, "message": message, "success": true}));
        for body in [json!({"channel": desk.room, "msg": "Two"}), json!({"roomId": [desk.room, other], "text": "Three"})] {
            desk.post(&desk.agent, POST, &body).await.ok();
        }
        let texts = |body: Value| -> Vec<String> {
            let messages = body["messages"].as_array().expect("it is a list").iter();
            messages.map(|message| message["msg"].as_str().expect("it has a text").to_owned()).collect()
        };
        let read = |room: &str| format!("/api/v1/livechat/{room}/messages?sort={{%22ts%22:1}}");
        assert_eq!(texts(desk.get(&desk.agent, &read(&desk.room)).await.ok()), ["One", "Two", "Three"]);
        assert_eq!(texts(desk.get(&desk.agent, &read(&other)).await.ok()), ["Three"]);

        let before = rows(&desk.app).await;
        let none = coded("[invalid-channel]", "invalid-channel");
        for channel in [json!(null), json!(""), json!("nowhere"), json!("#general"), json!("@ben"), json!(7), json!([])] {
            desk.post(&desk.agent, POST, &json!({"roomId": channel, "text": "x"})).await.is(400, &none);
        }
        desk.post(&desk.agent, POST, &json!({"roomId": [desk.room, "nowhere"], "text": "x"})).await.is(400, &none);
        desk.post(&desk.agent, POST, &json!({"text": "x"})).await.is(400, &none);
        assert_eq!(rows(&desk.app).await, before, "nothing is posted anywhere");
    }
}
