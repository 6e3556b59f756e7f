//! What the tests of rooms begin with: agents, visitors in departments, and chats that agents take.

use std::time::Duration;

use serde_json::{Value, json};
use usher_domain::department::DepartmentAgent;
use usher_domain::message::Message;
use usher_domain::room::Room;
use usher_services::logins::Account;
use usher_services::messages::UserMessage;
use usher_services::rooms::TakeOptions;
use usher_services::{Error, StoreError};
use usher_store::{Tx, q};
use usher_testkit::application::{Login, Reply};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, post};
use crate::requests::{account, insert_agent, insert_department, insert_user, log_in_again};
use crate::support::usual;

/// Where rooms are listed.
pub const ROOMS: &str = "/api/v1/livechat/rooms";

/// An application in which agents take chats themselves, with its administrator.
pub struct Stage {
    /// The application.
    pub app: TestApp,
    /// The administrator.
    pub admin: Login,
    /// The same, to log others in.
    pub root: Account,
}

impl Stage {
    /// The usual one.
    pub async fn new(engine: &Engine) -> Stage {
        Stage::with(usual(), engine).await
    }

    /// One with other settings.
    pub async fn with(setup: Setup, engine: &Engine) -> Stage {
        let app = setup.setting("Livechat_Routing_Method", "Manual_Selection").start(engine).await;
        let admin = app.admin().await;
        let root = account(&app, &admin).await.expect("the administrator is logged in");
        Stage { app, admin, root }
    }

    /// An agent who takes chats, logged in: id and name alike.
    pub async fn agent(&self, name: &str) -> Login {
        insert_agent(&self.app, name).await;
        log_in_again(&self.app, &self.root, name).await
    }

    /// Somebody else with these roles, logged in.
    pub async fn person(&self, name: &str, roles: &[&str]) -> Login {
        insert_user(&self.app, name, roles).await;
        log_in_again(&self.app, &self.root, name).await
    }

    /// A department with these agents: id and name alike.
    pub async fn department(&self, id: &str, agents: &[&str]) {
        insert_department(&self.app, id).await;
        for agent in agents {
            let place = DepartmentAgent {
                id: format!("{id} {agent}"),
                department_id: id.to_owned(),
                agent_id: (*agent).to_owned(),
                username: (*agent).to_owned(),
                department_enabled: true,
                count: 0,
                order: 0,
                updated_at: START,
            };
            let insert = self.app.services.store.write::<_, StoreError, _>(move |tx| q::department_agents::upsert(tx, &place));
            insert.await.expect("the agent is not in it yet");
        }
    }

    /// Changes what a department is like.
    pub async fn change_department(&self, id: &str, members: Value) {
        let (id, members) = (id.to_owned(), members.as_object().expect("members are an object").clone());
        let change = self.app.services.store.write::<_, Error, _>(move |tx| {
            let mut department = q::departments::by_id(tx, &id)?.expect("there is such a department");
            department.members.extend(members.clone());
            Ok(q::departments::update(tx, &department)?)
        });
        change.await.expect("it can be changed");
    }

    /// A new visitor's room, of this department if one is named.
    pub async fn room(&self, token: &str, name: &str, department: Option<&str>) -> String {
        let mut visitor = json!({"token": token, "name": name, "email": format!("{token}@example.com")});
        if let Some(department) = department {
            visitor["department"] = department.into();
        }
        self.app.post("/api/v1/livechat/visitor", &json!({"visitor": visitor})).await.ok();
        self.app.room(token).await
    }

    /// Lets an agent take a room.
    pub async fn serve(&self, room: &str, agent: &str) {
        let inquiry = self.stored(room).await.inquiry.expect("the room is open").id;
        let options = TakeOptions { user_id: Some(agent.to_owned()), client_action: false };
        self.app.services.take_inquiry(&self.root, inquiry, options).await.expect("the agent takes it");
    }

    /// The room as it is stored.
    pub async fn stored(&self, room: &str) -> Room {
        let id = room.to_owned();
        let found: Result<Option<Room>, Error> = self.app.services.store.read(move |tx| Ok(q::rooms::by_id(tx, &id)?)).await;
        found.expect("rooms can be read").expect("there is such a room")
    }

    /// All messages of a room, oldest first.
    pub async fn messages(&self, room: &str) -> Vec<Message> {
        let id = room.to_owned();
        let read = move |tx: &mut Tx<'_>| Ok::<_, Error>(q::messages::history(tx, &id, i64::MAX, 1_000, 0)?);
        let mut messages = self.app.services.store.read(read).await.expect("messages can be read");
        messages.reverse();
        messages
    }

    /// Whom the room's list of members names.
    pub async fn members(&self, room: &str) -> Vec<String> {
        let id = room.to_owned();
        let read = move |tx: &mut Tx<'_>| Ok::<_, Error>(q::subscriptions::of_room(tx, &id)?);
        let members = self.app.services.store.read(read).await.expect("members can be read");
        let mut names: Vec<String> = members.into_iter().map(|member| member.username).collect();
        names.sort();
        names
    }

    /// The account behind a login.
    pub async fn account(&self, login: &Login) -> Account {
        account(&self.app, login).await.expect("it is logged in")
    }

    /// Lets a user write into a room.
    pub async fn answer(&self, login: &Login, room: &str, text: &str) {
        let message = UserMessage { room_id: room.to_owned(), text: text.to_owned(), ..UserMessage::default() };
        let account = self.account(login).await;
        self.app.services.post_user_message(&account, message).await.expect("the user may write");
    }

    /// Closes a room in the administrator's name.
    pub async fn close(&self, room: &str) {
        let body = json!({"rid": room, "comment": "Done"});
        self.post(&self.admin, "/api/v1/livechat/room.closeByUser", &body).await.ok();
    }

    /// `GET path` as somebody.
    pub async fn get(&self, login: &Login, path: &str) -> Reply {
        get(&self.app, login, path).await
    }

    /// `POST path` as somebody.
    pub async fn post(&self, login: &Login, path: &str, body: &Value) -> Reply {
        post(&self.app, login, path, body).await
    }

    /// The names of the rooms in a list, in its order; they have to be all that there are.
    pub async fn names(&self, login: &Login, query: &str) -> Vec<String> {
        let answer = self.get(login, &format!("{ROOMS}{query}")).await.ok();
        let rooms = answer["rooms"].as_array().expect("it is a list");
        assert_eq!((&answer["count"], &answer["total"]), (&json!(rooms.len()), &json!(rooms.len())), "{query}");
        rooms.iter().map(|room| room["fname"].as_str().expect("a room has a name").to_owned()).collect()
    }

    /// Moves the clock on.
    pub fn seconds(&self, seconds: u64) {
        self.app.advance(Duration::from_secs(seconds));
    }
}
