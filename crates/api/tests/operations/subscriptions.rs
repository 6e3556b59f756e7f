//! `subscriptions.*`: the rooms in users' lists, and what is new in them.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use crate::chat::{Desk, UNREAD_COUNT};
use crate::permissions::not_logged_in;
use crate::support::{coded, made_id, plain, rows, usual};

const LIST: &str = "/api/v1/subscriptions.get";
const READ: &str = "/api/v1/subscriptions.read";
const UNREAD: &str = "/api/v1/subscriptions.unread";

/// The agent's subscription to the room.
async fn subscription(desk: &Desk) -> Value {
    let path = format!("/api/v1/subscriptions.getOne?roomId={}", desk.room);
    desk.get(&desk.agent, &path).await.ok()["subscription"].clone()
}

/// How much is new: unread messages, how many of them name the agent, and whether there is anything at all.
async fn news(desk: &Desk) -> (i64, i64, bool) {
    let subscription = subscription(desk).await;
    let number = |name: &str| subscription[name].as_i64().expect("it is a number");
    (number("unread"), number("userMentions"), subscription["alert"] == true)
}

fn done() -> Value {
    json!({"success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_is_taken_is_in_the_agents_list() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let shown = subscription(&desk).await;
        made_id(&shown["_id"]);
        let expected = json!({
            "_id": shown["_id"],
            "rid": desk.room,
            "name": "Mary",
            "fname": "Mary",
            "t": "l",
            "u": {"_id": "ana", "username": "ana"},
            "v": {"_id": desk.mary["_id"], "username": "guest-1", "token": desk.mary["_id"], "status": "online"},
            "open": true,
            "alert": true,
            "unread": 1,
            "userMentions": 1,
            "groupMentions": 0,
            "ts": "2024-01-31T12:00:00.000Z",
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "desktopNotifications": "all",
            "mobilePushNotifications": "all",
            "emailNotifications": "all",
        });
        assert_eq!(shown, expected);
        desk.get(&desk.agent, LIST).await.is(200, &json!({"update": [expected], "remove": [], "success": true}));

        desk.seconds(10);
        let since = format!("{LIST}?updatedSince=2024-01-31T12:00:05.000Z");
        desk.get(&desk.agent, &since).await.is(200, &json!({"update": [], "remove": [], "success": true}));
        desk.asks("Hello").await;
        let changed = desk.get(&desk.agent, &since).await.ok();
        assert_eq!((&changed["update"][0]["_id"], &changed["update"][0]["unread"]), (&shown["_id"], &json!(2)));
        desk.close().await;
        let removed = json!([{"_id": shown["_id"], "_deletedAt": "2024-01-31T12:00:10.000Z"}]);
        desk.get(&desk.agent, &since).await.is(200, &json!({"update": [], "remove": removed, "success": true}));
        assert_eq!(subscription(&desk).await, Value::Null);

        let told = "The \"lastUpdate\" query parameter must be a valid date. [error-roomId-param-invalid]";
        desk.get(&desk.agent, &format!("{LIST}?updatedSince=soon")).await.is(400, &coded(told, "error-roomId-param-invalid"));
        let missing = coded("must have required property 'roomId'", "error-invalid-params");
        desk.get(&desk.agent, "/api/v1/subscriptions.getOne").await.is(400, &missing);
        for path in [LIST, "/api/v1/subscriptions.getOne?roomId=x"] {
            desk.app.get(path).await.is(401, &not_logged_in());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_visitors_count_as_unread_or_do_not() {
    for (position, unread) in [("all_messages", [1, 2, 3, 0, 1]), ("mentions_only", [1, 1, 1, 0, 0])] {
        for engine in Engine::all() {
            let desk = Desk::with(usual().setting(UNREAD_COUNT, position), &engine).await;
            assert_eq!(news(&desk).await, (unread[0], 1, true), "{position}");
            desk.asks("Hello").await;
            assert_eq!(news(&desk).await, (unread[1], 1, true), "{position}");
            desk.asks("Anybody there?").await;
            assert_eq!(news(&desk).await, (unread[2], 1, true), "{position}");
            desk.says(&desk.agent, "One's own messages are not new").await;
            assert_eq!(news(&desk).await, (unread[2], 1, true), "{position}");
            desk.post(&desk.agent, READ, &json!({"rid": desk.room})).await.is(200, &done());
            assert_eq!(news(&desk).await, (unread[3], 0, false), "{position}");
            desk.asks("One more").await;
            assert_eq!(news(&desk).await, (unread[4], 0, true), "{position}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_noted() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.seconds(1);
        desk.asks("Hello").await;
        desk.seconds(1);
        let seq = desk.stored(&desk.room).await.seq;
        let body = json!({"roomId": desk.room, "readThreads": true});
        desk.post(&desk.agent, READ, &body).await.is(200, &done());
        let shown = subscription(&desk).await;
        assert_eq!((&shown["ls"], &shown["open"]), (&json!("2024-01-31T12:00:02.000Z"), &json!(true)));
        assert_eq!(desk.stored(&desk.room).await.seq, seq + 1, "the change log knows");

        // Who may read the room without having it in the list has nothing to note.
        let before = rows(&desk.app).await;
        desk.post(&desk.admin, READ, &body).await.is(200, &done());
        desk.post(&desk.agent, READ, &json!({"rid": "nowhere"})).await.is(400, &plain("error-not-allowed"));
        let missing = coded("must have required property 'rid'", "invalid-params");
        desk.post(&desk.agent, READ, &json!({})).await.is(400, &missing);
        desk.app.post(READ, &body).await.is(401, &not_logged_in());
        assert_eq!(rows(&desk.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_put_aside_as_not_read() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.seconds(1);
        desk.asks_as("first", "Hello").await;
        desk.seconds(1);
        desk.asks_as("second", "Anybody there?").await;
        let own = desk.says(&desk.agent, "Yes").await["_id"].clone();
        for (body, seen) in [
            (json!({"roomId": desk.room}), "2024-01-31T12:00:02.000Z"),
            (json!({"firstUnreadMessage": {"_id": "second"}}), "2024-01-31T12:00:01.999Z"),
            (json!({"firstUnreadMessage": {"_id": "first"}}), "2024-01-31T12:00:00.999Z"),
        ] {
            desk.post(&desk.agent, READ, &json!({"rid": desk.room})).await.ok();
            desk.post(&desk.agent, UNREAD, &body).await.is(200, &done());
            let shown = subscription(&desk).await;
            assert_eq!((&shown["alert"], &shown["ls"]), (&json!(true), &json!(seen)), "{body}");
        }
        let before = rows(&desk.app).await;
        let not_own = coded("Not allowed [error-action-not-allowed]", "error-action-not-allowed");
        let none = coded("There are no messages to mark unread [error-no-message-for-unread]", "error-no-message-for-unread");
        let needed = plain("At least one of \"roomId\" or \"firstUnreadMessage._id\" params is required");
        for (body, refusal) in [
            (json!({}), needed.clone()),
            (json!({"roomId": "", "firstUnreadMessage": {}}), needed),
            (json!({"firstUnreadMessage": {"_id": own}}), not_own),
            (json!({"firstUnreadMessage": {"_id": "unknown"}}), none.clone()),
            (json!({"roomId": desk.room, "firstUnreadMessage": {"_id": "unknown"}}), none),
            (json!({"roomId": "nowhere"}), plain("error-not-allowed")),
        ] {
            let reply = desk.post(&desk.agent, UNREAD, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refusal), "{body}");
        }
        assert_eq!(rows(&desk.app).await, before);
    }
}
