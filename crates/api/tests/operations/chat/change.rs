//! `chat.update` and `chat.delete`.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::Desk;
use crate::permissions::grant;
use crate::support::{coded, column, history, plain, rows, usual};

const UPDATE: &str = "/api/v1/chat.update";
const DELETE: &str = "/api/v1/chat.delete";

fn texts(reply: &Value) -> Vec<&str> {
    reply["messages"].as_array().expect("it is a list").iter().filter_map(|message| message["msg"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_edits_its_own_message() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let sent = desk.says(&desk.agent, "Helo").await;
        desk.seconds(5);
        let body = json!({"roomId": desk.room, "msgId": sent["_id"], "text": "Hello"});
        let mut expected = sent.clone();
        expected["msg"] = json!("Hello");
        expected["md"] = super::md("Hello");
        expected["editedAt"] = json!("2024-01-31T12:00:05.000Z");
        expected["editedBy"] = json!({"_id": "ana", "username": "ana"});
        expected["_updatedAt"] = json!("2024-01-31T12:00:05.000Z");
        desk.post(&desk.agent, UPDATE, &body).await.is(200, &json!({"message": expected, "success": true}));
        let told = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok();
        assert_eq!(told["messages"], json!([expected]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_edited_stays() {
    for engine in Engine::all() {
        let setup = usual().setting("Message_AllowEditing_BlockEditInMinutes", "1").setting("Message_MaxAllowedSize", "10");
        let desk = Desk::with(setup, &engine).await;
        desk.asks_as("hers", "Hello").await;
        let own = desk.says(&desk.agent, "Hi").await["_id"].clone();
        let not_own = coded("Message editing not allowed [error-action-not-allowed]", "error-action-not-allowed");
        let too_long =
            coded("Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]", "error-message-size-exceeded");
        let edit = |id: &Value, text: &str| json!({"roomId": desk.room, "msgId": id, "text": text});
        let before = rows(&desk.app).await;
        for (body, refusal) in [
            (edit(&json!("hers"), "x"), not_own.clone()),
            (edit(&json!("unknown"), "x"), plain("No message found with the id of \"unknown\".")),
            (edit(&own, "12345678901"), too_long),
            (
                json!({"roomId": "elsewhere", "msgId": own, "text": "x"}),
                plain("The room id provided does not match where the message is from."),
            ),
            (json!({"msgId": own, "text": "x"}), coded("must have required property 'roomId'", "invalid-params")),
            (json!({"roomId": "r", "text": "x"}), coded("must have required property 'msgId'", "invalid-params")),
            (json!({"roomId": "r", "msgId": own}), coded("must have required property 'text'", "invalid-params")),
        ] {
            let reply = desk.post(&desk.agent, UPDATE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refusal), "{body}");
        }
        // A message of the system is nobody's to edit.
        let started = column(&desk.app, "SELECT id FROM messages WHERE kind = 'livechat-started'").await[0].clone();
        desk.post(&desk.admin, UPDATE, &edit(&json!(started), "x")).await.is(400, &not_own);
        desk.seconds(61);
        let late = coded("Message editing is blocked [error-message-editing-blocked]", "error-message-editing-blocked");
        desk.post(&desk.agent, UPDATE, &edit(&own, "x")).await.is(400, &late);
        assert_eq!(rows(&desk.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_lets_others_edit() {
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("Message_AllowEditing", "false"), &engine).await;
        desk.asks_as("hers", "Hello").await;
        let own = desk.says(&desk.agent, "Hi").await["_id"].clone();
        let not_own = coded("Message editing not allowed [error-action-not-allowed]", "error-action-not-allowed");
        desk.post(&desk.agent, UPDATE, &json!({"roomId": desk.room, "msgId": own, "text": "x"})).await.is(400, &not_own);
        let body = json!({"roomId": desk.room, "msgId": "hers", "text": "Hello!"});
        let edited = desk.post(&desk.admin, UPDATE, &body).await.ok()["message"].clone();
        assert_eq!((&edited["msg"], &edited["editedBy"]["username"]), (&json!("Hello!"), &json!("admin")));
        assert_eq!(edited["token"], desk.mary["_id"], "users see no token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_deleted() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        grant(&desk.app, &desk.admin, "delete-own-message", &["livechat-agent"]).await;
        desk.says(&desk.agent, "stays").await;
        let sent = desk.says(&desk.agent, "a secret").await;
        let count = desk.stored(&desk.room).await.message_count;
        desk.seconds(1);
        let body = json!({"roomId": desk.room, "msgId": sent["_id"]});
        let left = json!({"_id": sent["_id"], "rid": desk.room, "u": sent["u"]});
        desk.post(&desk.agent, DELETE, &body)
            .await
            .is(200, &json!({"_id": sent["_id"], "ts": "1706702401000", "message": left, "success": true}));
        let told = desk.app.get(&history(&desk.room, "token=token-1")).await.ok();
        assert_eq!(texts(&told)[0], "stays");
        let everything = rows(&desk.app).await.into_values().flatten().collect::<String>();
        assert!(!everything.contains("a secret"), "nothing is left of it");
        let info = desk.get(&desk.agent, &format!("/api/v1/rooms.info?roomId={}", desk.room)).await.ok();
        assert_eq!((&info["room"]["msgs"], &info["room"]["lastMessage"]["msg"]), (&json!(count - 1), &json!("stays")));
        let gone = plain(&format!("No message found with the id of \"{}\".", sent["_id"].as_str().expect("it is an id")));
        desk.post(&desk.agent, DELETE, &body).await.is(400, &gone);
        let again = json!({"message": {"rid": desk.room, "msg": "again", "_id": sent["_id"]}});
        desk.post(&desk.agent, "/api/v1/chat.sendMessage", &again).await.is(400, &plain("invalid-message"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_stands_where_a_message_was() {
    for engine in Engine::all() {
        let setup = usual().setting("Message_ShowDeletedStatus", "true").setting("Message_KeepHistory", "true");
        let desk = Desk::with(setup, &engine).await;
        let sent = desk.says(&desk.agent, "a secret").await;
        let body = json!({"roomId": desk.room, "msgId": sent["_id"]});
        desk.post(&desk.admin, DELETE, &body).await.ok();
        let note = desk.app.get(&history(&desk.room, "token=token-1&limit=1")).await.ok()["messages"][0].clone();
        assert_eq!((&note["_id"], &note["t"], &note["msg"]), (&sent["_id"], &json!("rm"), &json!("")));
        assert_eq!(note["editedBy"]["username"], "admin");
        assert_eq!(column(&desk.app, "SELECT text FROM messages WHERE hidden").await, ["a secret"], "a hidden copy is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_deleted_stays() {
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("Message_AllowDeleting_BlockDeleteInMinutes", "1"), &engine).await;
        grant(&desk.app, &desk.admin, "delete-own-message", &["livechat-agent"]).await;
        desk.asks_as("hers", "Hello").await;
        let own = desk.says(&desk.agent, "Hi").await["_id"].clone();
        let not_allowed = coded("Not allowed [error-action-not-allowed]", "error-action-not-allowed");
        let not_for_others =
            plain("Unauthorized. You must have the permission \"force-delete-message\" to delete other's message as them.");
        let before = rows(&desk.app).await;
        for (body, refusal) in [
            (json!({"roomId": desk.room, "msgId": "hers"}), not_allowed),
            (json!({"roomId": desk.room, "msgId": "hers", "asUser": true}), not_for_others),
            (
                json!({"roomId": "elsewhere", "msgId": "hers"}),
                plain("The room id provided does not match where the message is from."),
            ),
            (json!({"roomId": desk.room}), coded("must have required property 'msgId'", "invalid-params")),
        ] {
            let reply = desk.post(&desk.agent, DELETE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refusal), "{body}");
        }
        desk.seconds(61);
        let late = coded("Message deleting is blocked [error-message-deleting-blocked]", "error-message-deleting-blocked");
        desk.post(&desk.agent, DELETE, &json!({"roomId": desk.room, "msgId": own})).await.is(400, &late);
        assert_eq!(rows(&desk.app).await, before);
        // Who may do so by force may.
        desk.post(&desk.admin, DELETE, &json!({"roomId": desk.room, "msgId": "hers", "asUser": true})).await.ok();
        desk.post(&desk.admin, DELETE, &json!({"roomId": desk.room, "msgId": own})).await.ok();
    }
}
