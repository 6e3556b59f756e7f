//! Returning chats to the queue.

use serde_json::{Value, json};
use usher_domain::visitor::VisitorToken;
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use super::{ONE, RETURN, TAKE, agent, chat, inquiry_id, manual, run, server, stored_room};
use crate::omnichannel_users::somebody;
use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::requests::insert_department;
use crate::support::{coded, column, plain, rows};

async fn give_back(app: &TestApp, login: &Login, room: &str) -> Reply {
    post(app, login, RETURN, &json!({"roomId": room})).await
}

async fn taken_chat(app: &TestApp, login: &Login, token: &str) -> String {
    let room = chat(app, token, None).await;
    post(app, login, TAKE, &json!({"inquiryId": inquiry_id(app, &room).await})).await.ok();
    room
}

fn returned(result: bool) -> Value {
    json!({"result": result, "success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_chat_waits_again() {
    const MESSAGES: &str = "SELECT kind || '|' || text || '|' || author_id FROM messages ORDER BY ts";
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let room = taken_chat(&app, &agent, "mary").await;
        let opened_at = stored_room(&app, &room).await.opened_at;
        app.advance(std::time::Duration::from_secs(10));
        give_back(&app, &agent, &room).await.is(200, &returned(true));

        let stored = stored_room(&app, &room).await;
        assert_eq!((stored.served_by, stored.users_count, stored.opened_at), (None, 1, opened_at));
        assert_eq!((stored.queued_at, stored.message_count), (opened_at + 10_000, 5));
        assert_eq!(rows(&app).await["subscriptions"], [""; 0]);
        assert_eq!(rows(&app).await["removed_subscriptions"].len(), 1);
        let messages = column(&app, MESSAGES).await;
        assert_eq!(messages[3..], ["livechat_transfer_history||agent", "ul|agent|agent"]);
        let answer = get(&app, &agent, &format!("{ONE}?roomId={room}")).await.ok();
        let inquiry = &answer["inquiry"];
        let moments = (&inquiry["status"], &inquiry["queuedAt"], &inquiry["takenAt"], &inquiry["ts"]);
        let expected = (&json!("queued"), &json!("2024-01-31T12:00:11.000Z"), &Value::Null, &json!("2024-01-31T12:00:01.000Z"));
        assert_eq!(moments, expected);
        let transferred_by = json!({"_id": "agent", "username": "agent", "name": "agent", "userType": "agent"});
        let transfer = json!({"transferredBy": transferred_by, "ts": "2024-01-31T12:00:11.000Z", "scope": "queue", "roomId": room});
        assert_eq!(inquiry["lastMessage"]["transferData"], transfer);
        let decisions = app.services.routing_of_room(room.clone()).await.expect("there is such a room");
        assert_eq!(decisions.last().map(|last| (last.cause.as_str(), last.agent_id.clone())), Some(("returned", None)));

        // There is nobody any more from whom it could be taken.
        let before = rows(&app).await;
        give_back(&app, &agent, &room).await.is(200, &returned(false));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_returned_to_another_department() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        insert_department(&app, "sales").await;
        insert_department(&app, "help").await;
        let room = taken_chat(&app, &agent, "mary").await;
        let body = json!({"roomId": room, "departmentId": "sales"});
        post(&app, &agent, RETURN, &body).await.is(200, &returned(true));
        let inquiry = get(&app, &agent, &format!("{ONE}?roomId={room}")).await.ok()["inquiry"].clone();
        assert_eq!(inquiry["department"], "sales");
        let transfer = &inquiry["lastMessage"]["transferData"];
        let named = (&transfer["departmentId"], &transfer["nextDepartment"], &transfer["previousDepartment"]);
        assert_eq!(named, (&json!("sales"), &json!({"_id": "sales", "name": "sales"}), &Value::Null));

        post(&app, &agent, TAKE, &json!({"inquiryId": inquiry["_id"]})).await.ok();
        let body = json!({"roomId": room, "departmentId": "help"});
        post(&app, &agent, RETURN, &body).await.is(200, &returned(true));
        let inquiry = get(&app, &agent, &format!("{ONE}?roomId={room}")).await.ok()["inquiry"].clone();
        assert_eq!(inquiry["lastMessage"]["transferData"]["previousDepartment"], "sales");
        // Without a department it stays where it is.
        post(&app, &agent, TAKE, &json!({"inquiryId": inquiry["_id"]})).await.ok();
        for department in [Value::Null, json!("")] {
            let body = json!({"roomId": room, "departmentId": department});
            post(&app, &agent, RETURN, &body).await.ok();
            assert_eq!(stored_room(&app, &room).await.department_id.as_deref(), Some("help"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_returned_stays_as_it_is() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let user = somebody(&app, "user", &["user"]).await;
        let room = taken_chat(&app, &agent, "mary").await;
        let resting = taken_chat(&app, &agent, "adam").await;
        run(&app, "UPDATE rooms SET on_hold = TRUE WHERE id = ?1", &resting).await;
        let closed = taken_chat(&app, &agent, "zoe").await;
        let zoe = VisitorToken::new("zoe").expect("it can be somebody's");
        app.services.close_by_visitor(zoe, closed.clone()).await.expect("visitors may close their chats");
        let before = rows(&app).await;
        let body = json!({"roomId": room});
        app.post(RETURN, &body).await.is(401, &not_logged_in());
        post(&app, &user, RETURN, &body).await.is(403, &not_permitted());
        for (body, error) in [
            (json!({}), "must have required property 'roomId'"),
            (json!({"roomId": room, "other": 1}), "must NOT have additional properties"),
            (json!({"roomId": []}), "must be string"),
            (json!({"roomId": room, "departmentId": {}}), "must be string"),
        ] {
            let reply = post(&app, &agent, RETURN, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &coded(error, "invalid-params")), "{body}");
        }
        for unknown in ["nowhere", ""] {
            give_back(&app, &agent, unknown).await.is(400, &plain("error-invalid-room"));
        }
        give_back(&app, &agent, &closed).await.is(400, &plain("room-closed"));
        give_back(&app, &agent, &resting).await.is(400, &coded("[error-room-onHold]", "error-room-onHold"));
        let nowhere = json!({"roomId": room, "departmentId": "unknown"});
        let failed = coded("[error-returning-inquiry]", "error-returning-inquiry");
        post(&app, &agent, RETURN, &nowhere).await.is(400, &failed);
        assert_eq!(rows(&app).await, before);
        assert_eq!(server(&app, &room).await.as_deref(), Some("agent"));
    }
}
