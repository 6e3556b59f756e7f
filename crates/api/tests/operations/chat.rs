//! `chat.*`: what users do with messages in the chats that they may read.

mod change;
mod marks;
mod read;
mod send;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::room::Room;
use usher_services::Error;
use usher_services::logins::Account;
use usher_services::rooms::TakeOptions;
use usher_store::q;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, post};
use crate::requests::{account, insert_agent, insert_user, log_in_again};
use crate::support::{MESSAGE, coded, plain, usual};

/// The setting that says which messages count as unread.
pub const UNREAD_COUNT: &str = "Unread_Count_Omni";

/// An application in which agents take chats themselves: the visitor Mary has a room that an agent serves, and another agent has
/// nothing to do with it.
pub struct Desk {
    /// The application.
    pub app: TestApp,
    /// The administrator.
    pub admin: Login,
    /// Logs others in.
    root: Account,
    /// Serves the room.
    pub agent: Login,
    /// An agent as well.
    pub stranger: Login,
    /// The room.
    pub room: String,
    /// The visitor's record.
    pub mary: Value,
}

impl Desk {
    /// The usual one.
    pub async fn new(engine: &Engine) -> Desk {
        Desk::with(usual(), engine).await
    }

    /// One with other settings.
    pub async fn with(setup: Setup, engine: &Engine) -> Desk {
        let app = setup.setting("Livechat_Routing_Method", "Manual_Selection").start(engine).await;
        let admin = app.admin().await;
        let root = account(&app, &admin).await.expect("the administrator is logged in");
        for name in ["ana", "ben"] {
            insert_agent(&app, name).await;
        }
        let (agent, stranger) = (log_in_again(&app, &root, "ana").await, log_in_again(&app, &root, "ben").await);
        let mary = app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let desk = Desk { app, admin, root, agent, stranger, room, mary };
        desk.give(&desk.room, "ana").await;
        desk
    }

    /// Somebody else with these roles, logged in.
    pub async fn person(&self, name: &str, roles: &[&str]) -> Login {
        insert_user(&self.app, name, roles).await;
        log_in_again(&self.app, &self.root, name).await
    }

    /// Gives a room to an agent.
    pub async fn give(&self, room: &str, agent: &str) {
        let inquiry = self.stored(room).await.inquiry.expect("the room is open").id;
        let options = TakeOptions { user_id: Some(agent.to_owned()), client_action: false };
        self.app.services.take_inquiry(&self.root, inquiry, options).await.expect("the agent takes it");
    }

    /// A room as it is stored.
    pub async fn stored(&self, room: &str) -> Room {
        let id = room.to_owned();
        let found: Result<Option<Room>, Error> = self.app.services.store.read(move |tx| Ok(q::rooms::by_id(tx, &id)?)).await;
        found.expect("rooms can be read").expect("there is such a room")
    }

    /// `GET path` as somebody.
    pub async fn get(&self, login: &Login, path: &str) -> Reply {
        get(&self.app, login, path).await
    }

    /// `POST path` as somebody.
    pub async fn post(&self, login: &Login, path: &str, body: &Value) -> Reply {
        post(&self.app, login, path, body).await
    }

    /// Lets somebody write into the room; gives the message.
    pub async fn says(&self, login: &Login, text: &str) -> Value {
        let body = json!({"message": {"rid": self.room, "msg": text}});
        self.post(login, "/api/v1/chat.sendMessage", &body).await.ok()["message"].clone()
    }

    /// Lets the visitor write into the room; gives the message.
    pub async fn asks(&self, text: &str) -> Value {
        self.app.message("token-1", &self.room, text).await
    }

    /// The visitor's message with an id of its own choice.
    pub async fn asks_as(&self, id: &str, text: &str) {
        self.app.post(MESSAGE, &json!({"token": "token-1", "rid": self.room, "msg": text, "_id": id})).await.ok();
    }

    /// Closes the room.
    pub async fn close(&self) {
        let body = json!({"rid": self.room, "comment": "Done"});
        self.post(&self.admin, "/api/v1/livechat/room.closeByUser", &body).await.ok();
    }

    /// Moves the clock on.
    pub fn seconds(&self, seconds: u64) {
        self.app.advance(std::time::Duration::from_secs(seconds));
    }
}

/// The structure of a text of one line.
pub fn md(text: &str) -> Value {
    json!([{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": text}]}])
}

/// Nobody learns anything of a chat, and nobody changes anything in it, who may not read it.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_a_chat_does_nothing_with_it() {
    const UNREADABLE: &str = "error-not-allowed";
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks_as("hers", "Hello").await;
        let room = &desk.room;
        let user = desk.person("joe", &["user"]).await;
        let not_found = "The required \"roomId\" or \"roomName\" param provided does not match any channel";
        let no_room = coded(&format!("{not_found} [error-room-not-found]"), "error-room-not-found");
        let not_edited = coded("Message editing not allowed [error-action-not-allowed]", "error-action-not-allowed");
        let not_deleted = coded("Not allowed [error-action-not-allowed]", "error-action-not-allowed");
        let calls = [
            ("GET", format!("channels.info?roomId={room}"), json!(null), no_room),
            ("GET", format!("rooms.info?roomId={room}"), json!(null), coded("not-allowed", "Not Allowed")),
            ("GET", "chat.getMessage?msgId=hers".to_owned(), json!(null), json!({"success": false})),
            ("GET", format!("chat.syncMessages?roomId={room}&lastUpdate=2024-01-01T00:00:00.000Z"), json!(null), plain(UNREADABLE)),
            ("GET", format!("chat.search?roomId={room}&searchText=hello"), json!(null), plain(UNREADABLE)),
            ("POST", "chat.sendMessage".to_owned(), json!({"message": {"rid": room, "msg": "x"}}), plain(UNREADABLE)),
            ("POST", "chat.postMessage".to_owned(), json!({"roomId": room, "text": "x"}), plain(UNREADABLE)),
            ("POST", "chat.update".to_owned(), json!({"roomId": room, "msgId": "hers", "text": "x"}), not_edited),
            ("POST", "chat.delete".to_owned(), json!({"roomId": room, "msgId": "hers"}), not_deleted),
            ("POST", "chat.react".to_owned(), json!({"messageId": "hers", "emoji": "smile"}), plain(UNREADABLE)),
            ("POST", "chat.pinMessage".to_owned(), json!({"messageId": "hers"}), plain(UNREADABLE)),
            ("POST", "chat.unPinMessage".to_owned(), json!({"messageId": "hers"}), plain(UNREADABLE)),
            ("POST", "chat.starMessage".to_owned(), json!({"messageId": "hers"}), plain(UNREADABLE)),
            ("POST", "chat.unStarMessage".to_owned(), json!({"messageId": "hers"}), plain(UNREADABLE)),
            ("POST", "subscriptions.read".to_owned(), json!({"rid": room}), plain(UNREADABLE)),
            ("POST", "subscriptions.unread".to_owned(), json!({"roomId": room}), plain(UNREADABLE)),
        ];
        // Both may do whatever a role allows: what they lack is the room.
        for permission in ["pin-message", "edit-message", "delete-message", "force-delete-message", "view-l-room"] {
            crate::permissions::grant(&desk.app, &desk.admin, permission, &["livechat-agent", "user", "admin"]).await;
        }
        let before = crate::support::rows(&desk.app).await;
        for login in [&desk.stranger, &user] {
            for (method, path, body, refusal) in &calls {
                let method: Method = method.parse().expect("it is a method");
                let call = desk.app.call(method, &format!("/api/v1/{path}")).as_user(login);
                let reply = if body.is_null() { call.send().await } else { call.json(body).send().await };
                assert_eq!((reply.status.as_u16(), &reply.body), (400, refusal), "{path} by {}", login.user_id);
            }
            let path = format!("/api/v1/livechat/{room}/messages");
            desk.get(login, &path).await.is(400, &plain("not-allowed"));
            let nothing = json!({"update": [], "remove": [], "success": true});
            desk.get(login, "/api/v1/rooms.get").await.is(200, &nothing);
            desk.get(login, "/api/v1/subscriptions.get").await.is(200, &nothing);
            let path = format!("/api/v1/subscriptions.getOne?roomId={room}");
            desk.get(login, &path).await.is(200, &json!({"subscription": null, "success": true}));
        }
        assert_eq!(crate::support::rows(&desk.app).await, before);
        // The control: whoever serves the room is let in everywhere.
        for (method, path, body, _) in calls.iter().filter(|(_, path, ..)| path != "chat.delete" && path != "chat.update") {
            let method: Method = method.parse().expect("it is a method");
            let call = desk.app.call(method, &format!("/api/v1/{path}")).as_user(&desk.agent);
            let reply = if body.is_null() { call.send().await } else { call.json(body).send().await };
            assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.body);
        }
    }
}
