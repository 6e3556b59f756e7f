//! `chat.getMessage`, `chat.syncMessages` and `chat.search`.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::{Desk, md};
use crate::support::{coded, plain};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_read() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        let message = json!({
            "_id": "hers",
            "rid": desk.room,
            "msg": "Hello",
            "token": desk.mary["_id"],
            "alias": "Mary",
            "ts": "2024-01-31T12:00:00.003Z",
            "u": {"_id": desk.mary["_id"], "username": "guest-1", "name": "Mary"},
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "urls": [],
            "mentions": [],
            "channels": [],
            "md": md("Hello"),
        });
        let path = "/api/v1/chat.getMessage";
        desk.get(&desk.agent, &format!("{path}?msgId=hers")).await.is(200, &json!({"message": message, "success": true}));
        desk.get(&desk.agent, &format!("{path}?msgId=unknown")).await.is(400, &json!({"success": false}));
        for query in ["", "?msgId="] {
            let missing = plain("The \"msgId\" query parameter must be provided.");
            desk.get(&desk.agent, &format!("{path}{query}")).await.is(400, &missing);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_a_moment_is_told() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        for id in ["one", "two", "three"] {
            desk.asks_as(id, id).await;
        }
        desk.seconds(10);
        let sync = |since: &str| format!("/api/v1/chat.syncMessages?roomId={}&lastUpdate={since}", desk.room);
        let nothing = json!({"result": {"updated": [], "deleted": []}, "success": true});
        desk.get(&desk.agent, &sync("2024-01-31T12:00:05.000Z")).await.is(200, &nothing);
        let edit = json!({"roomId": desk.room, "msgId": "one", "text": "edited"});
        let edited = desk.post(&desk.admin, "/api/v1/chat.update", &edit).await.ok()["message"].clone();
        desk.post(&desk.admin, "/api/v1/chat.delete", &json!({"roomId": desk.room, "msgId": "two"})).await.ok();
        let new = desk.says(&desk.agent, "new").await;
        let deleted = json!([{"_id": "two", "_deletedAt": "2024-01-31T12:00:10.000Z"}]);
        let expected = json!({"result": {"updated": [new, edited], "deleted": deleted}, "success": true});
        desk.get(&desk.agent, &sync("2024-01-31T12:00:05.000Z")).await.is(200, &expected);

        let path = "/api/v1/chat.syncMessages";
        let invalid = coded(
            "The \"lastUpdate\" query parameter must be a valid date. [error-roomId-param-invalid]",
            "error-roomId-param-invalid",
        );
        for (query, refusal) in [
            (
                "?lastUpdate=2024-01-31".to_owned(),
                coded(
                    "The required \"roomId\" query param is missing. [error-roomId-param-not-provided]",
                    "error-roomId-param-not-provided",
                ),
            ),
            (
                format!("?roomId={}", desk.room),
                coded(
                    "The required \"lastUpdate\" query param is missing. [error-lastUpdate-param-not-provided]",
                    "error-lastUpdate-param-not-provided",
                ),
            ),
            (format!("?roomId={}&lastUpdate=yesterday", desk.room), invalid),
            ("?roomId=nowhere&lastUpdate=2024-01-31".to_owned(), plain("error-invalid-room")),
        ] {
            let reply = desk.get(&desk.agent, &format!("{path}{query}")).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &refusal), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_found_by_their_text() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        for text in ["My shoe is 50% off_size", "Which SHOE?", "The left one"] {
            desk.asks(text).await;
        }
        let found = |reply: Value| -> Vec<String> {
            let messages = reply["messages"].as_array().expect("it is a list").clone();
            assert_eq!(reply, json!({"messages": messages, "success": true}));
            messages.iter().map(|message| message["msg"].as_str().expect("it has a text").to_owned()).collect()
        };
        let search = |query: &str| format!("/api/v1/chat.search?roomId={}&{query}", desk.room);
        for (query, expected) in [
            ("searchText=shoe", &["Which SHOE?", "My shoe is 50% off_size"] as &[&str]),
            ("searchText=shoe&count=1", &["Which SHOE?"]),
            ("searchText=shoe&count=1&offset=1", &["My shoe is 50% off_size"]),
            ("searchText=50%25", &["My shoe is 50% off_size"]),
            ("searchText=f_s", &["My shoe is 50% off_size"]),
            ("searchText=h_e", &[]),
            ("searchText=.*", &[]),
        ] {
            assert_eq!(found(desk.get(&desk.agent, &search(query)).await.ok()), expected, "{query}");
        }
        let missing = coded(
            "The required \"searchText\" query param is missing. [error-searchText-param-not-provided]",
            "error-searchText-param-not-provided",
        );
        desk.get(&desk.agent, &search("searchText=")).await.is(400, &missing);
        let no_room = coded(
            "The required \"roomId\" query param is missing. [error-roomId-param-not-provided]",
            "error-roomId-param-not-provided",
        );
        desk.get(&desk.agent, "/api/v1/chat.search?searchText=x").await.is(400, &no_room);
        desk.get(&desk.agent, "/api/v1/chat.search?roomId=nowhere&searchText=x").await.is(400, &plain("error-invalid-room"));
    }
}
