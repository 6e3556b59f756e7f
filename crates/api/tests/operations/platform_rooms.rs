//! `channels.info`, `rooms.info` and `rooms.get`: chats as clients of every kind of room ask for them.

mod metrics;

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use crate::chat::Desk;
use crate::permissions::not_logged_in;
use crate::support::coded;

/// The room of Mary that Ana serves, in which nobody has written yet.
fn room_of_mary(desk: &Desk, last_message: &Value) -> Value {
    json!({
        "_id": desk.room,
        "t": "l",
        "fname": "Mary",
        "v": {"_id": desk.mary["_id"], "username": "guest-1", "token": desk.mary["_id"], "status": "online"},
        "contactId": desk.mary["contactId"],
        "verified": false,
        "source": {"type": "api"},
        "open": true,
        "servedBy": {"_id": "ana", "username": "ana", "ts": "2024-01-31T12:00:00.000Z"},
        "waitingResponse": true,
        "msgs": 3,
        "usersCount": 2,
        "ts": "2024-01-31T12:00:00.000Z",
        "lm": "2024-01-31T12:00:00.000Z",
        "queuedAt": "2024-01-31T12:00:00.000Z",
        "_updatedAt": "2024-01-31T12:00:00.000Z",
        "lastMessage": last_message,
        "priorityWeight": 99,
        "estimatedWaitingTimeQueue": 9_999_999,
        "cl": false,
        "ro": false,
        "default": false,
        "sysMes": true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_shown_to_those_who_may_read_it() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let manager = desk.person("max", &["livechat-manager"]).await;
        for login in [&desk.agent, &manager, &desk.admin] {
            for (operation, member) in [("channels.info", "channel"), ("rooms.info", "room")] {
                let reply = desk.get(login, &format!("/api/v1/{operation}?roomId={}&roomName=", desk.room)).await;
                let last = reply.body[member]["lastMessage"].clone();
                assert_eq!((&last["t"], &last["token"]), (&json!("livechat-started"), &desk.mary["_id"]));
                reply.is(200, &json!({member: room_of_mary(&desk, &last), "success": true}));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_is_not_found() {
    let missing = coded(
        "The parameter \"roomId\" or \"roomName\" is required [error-roomid-param-not-provided]",
        "error-roomid-param-not-provided",
    );
    let unknown = coded(
        "The required \"roomId\" or \"roomName\" param provided does not match any channel [error-room-not-found]",
        "error-room-not-found",
    );
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        for operation in ["channels.info", "rooms.info"] {
            let path = format!("/api/v1/{operation}");
            desk.app.get(&path).await.is(401, &not_logged_in());
            for query in ["", "?roomId=", "?roomId=&roomName="] {
                desk.get(&desk.admin, &format!("{path}{query}")).await.is(400, &missing);
            }
            for query in ["?roomId=nowhere", "?roomName=Mary", "?roomId=%20"] {
                desk.get(&desk.admin, &format!("{path}{query}")).await.is(400, &unknown);
            }
        }
    }
}

/// The ids in a list of an answer.
fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("it is a list").iter().map(|item| item["_id"].as_str().expect("it has an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_lists_the_own_rooms() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let path = "/api/v1/rooms.get";
        desk.app.get(path).await.is(401, &not_logged_in());
        let reply = desk.get(&desk.agent, path).await;
        let last = reply.body["update"][0]["lastMessage"].clone();
        reply.is(200, &json!({"update": [room_of_mary(&desk, &last)], "remove": [], "success": true}));
        let nothing = json!({"update": [], "remove": [], "success": true});
        desk.get(&desk.admin, path).await.is(200, &nothing);

        desk.seconds(10);
        let since = "/api/v1/rooms.get?updatedSince=2024-01-31T12:00:05.000Z";
        desk.get(&desk.agent, since).await.is(200, &nothing);
        desk.asks("Hello").await;
        let changed = desk.get(&desk.agent, since).await.ok();
        assert_eq!((ids(&changed["update"]), &changed["remove"]), (vec![desk.room.as_str()], &json!([])));
        desk.seconds(10);
        desk.close().await;
        let removed = json!([{"_id": desk.room, "_deletedAt": "2024-01-31T12:00:20.000Z"}]);
        desk.get(&desk.agent, since).await.is(200, &json!({"update": [], "remove": removed, "success": true}));
        desk.get(&desk.agent, path).await.is(200, &nothing);
        desk.get(&desk.agent, "/api/v1/rooms.get?updatedSince=2024-01-31T12:00:20.000Z").await.is(200, &nothing);

        let invalid = "The \"updatedSince\" query parameter must be a valid date. [error-updatedSince-param-invalid]";
        let invalid = coded(invalid, "error-updatedSince-param-invalid");
        desk.get(&desk.agent, "/api/v1/rooms.get?updatedSince=yesterday").await.is(400, &invalid);
    }
}
