//! `GET livechat/room.join`: being in a chat that somebody else serves.

use serde_json::{Value, json};
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use super::stage::Stage;
use crate::permissions::{not_logged_in, not_permitted};
use crate::support::{coded, column, plain, rows, tamper, usual};

async fn join(stage: &Stage, login: &Login, room: &str) -> Reply {
    stage.get(login, &format!("/api/v1/livechat/room.join?roomId={room}")).await
}

const DONE: fn() -> Value = || json!({"success": true});

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_joins_a_chat() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        let manager = stage.person("manager", &["livechat-manager"]).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        let before = stage.stored(&room).await;
        stage.seconds(1);
        join(&stage, &manager, &room).await.is(200, &DONE());

        let after = stage.stored(&room).await;
        assert_eq!((&after.served_by, &after.inquiry), (&before.served_by, &before.inquiry), "ana goes on serving it");
        assert_eq!((after.users_count, after.message_count), (before.users_count + 1, before.message_count + 1));
        assert_eq!((&after.last_message_id, after.last_message_at), (&before.last_message_id, before.last_message_at));
        assert_eq!(stage.members(&room).await, ["ana", "manager"]);
        let of_manager =
            "SELECT unread || ' ' || mentions || ' ' || CAST(alert AS TEXT) FROM subscriptions WHERE user_id = 'manager'";
        let state = column(&stage.app, of_manager).await;
        assert!(["1 0 1", "1 0 true"].contains(&state[0].as_str()), "{state:?}");
        let messages = stage.messages(&room).await;
        let last = messages.last().expect("there are some");
        assert_eq!((last.kind.as_deref(), last.author.username.as_str(), last.text.as_str()), (Some("uj"), "manager", ""));

        let before = rows(&stage.app).await;
        join(&stage, &manager, &room).await.is(200, &DONE());
        assert_eq!(rows(&stage.app).await, before, "who is in it already stays in it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_joins_what_is_closed_or_not_readable() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        let ben = stage.agent("ben").await;
        let mary = stage.person("mary", &["user"]).await;
        let (room, closed) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        stage.serve(&room, "ana").await;
        stage.close(&closed).await;
        let before = rows(&stage.app).await;
        stage.app.get(&format!("/api/v1/livechat/room.join?roomId={room}")).await.is(401, &not_logged_in());
        join(&stage, &mary, &room).await.is(403, &not_permitted());
        join(&stage, &ben, &room).await.is(400, &plain("error-not-allowed"));
        join(&stage, &stage.admin, "nothing").await.is(400, &plain("error-invalid-room"));
        join(&stage, &stage.admin, &closed).await.is(400, &plain("room-closed"));
        let missing = coded("must have required property 'roomId' [invalid-params]", "invalid-params");
        stage.get(&ben, "/api/v1/livechat/room.join").await.is(400, &missing);
        let other = coded("must be string [invalid-params]", "invalid-params");
        stage.get(&ben, &format!("/api/v1/livechat/room.join?roomId[]={room}")).await.is(400, &other);
        assert_eq!(rows(&stage.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_joins_what_waits_without_taking_it() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        join(&stage, &ana, &room).await.is(200, &DONE());
        let after = stage.stored(&room).await;
        assert_eq!((after.served_by, after.users_count), (None, 2));
        assert_eq!(after.inquiry.map(|inquiry| inquiry.status.name()), Some("queued"));
    }
}

/// Only with the waiting queue, and only those who are not in it yet.
#[tokio::test(flavor = "multi_thread")]
async fn agents_with_enough_chats_join_no_more() {
    const FULL: &str = "error-max-number-simultaneous-chats-reached";
    for waiting_queue in ["true", "false"] {
        let engine = Engine::sqlite();
        let setup = usual().setting("Livechat_waiting_queue", waiting_queue).setting("Livechat_maximum_chats_per_agent", "1");
        let stage = Stage::with(setup, &engine).await;
        let ana = stage.agent("ana").await;
        let (first, second) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        tamper(&stage.app, "UPDATE rooms SET inquiry_status = 'queued'").await;
        join(&stage, &ana, &first).await.is(200, &DONE());
        let reply = join(&stage, &ana, &second).await;
        if waiting_queue == "true" {
            reply.is(400, &coded(&format!("Not allowed [{FULL}]"), FULL));
            join(&stage, &ana, &first).await.is(200, &DONE());
            assert_eq!(stage.members(&second).await, [""; 0]);
        } else {
            reply.is(200, &DONE());
        }
    }
}
