//! What `bench chat` prepares at the real server: agents in departments, visitors with their chats, and the answers that the bare server
//! is to give.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::calls::{CLOSE, HISTORY, Kind, POST_MESSAGE, ROOM, SEND_MESSAGE, TAKE};
use crate::load::{Caller, Connection, Ids, TEXT, encoded, request};
use crate::process::Server;
use crate::session::User;
use crate::staff::{call_all, create_agents, create_department, let_agents_take, taking};

/// How many messages a page of the history has.
pub const PAGE: usize = 50;

/// How many agents a department has at most.
pub const AGENTS_OF_DEPARTMENT: usize = 32;

/// Over how many connections is prepared.
const CONNECTIONS: usize = 64;

/// The number of the connection of messages that are not measured: it tells their ids from all others.
const SAMPLES: usize = 9_998;

/// A visitor with its open room.
pub struct Visitor {
    /// The visitor's token.
    pub token: String,
    /// The room's id.
    pub room_id: String,
}

/// The people behind the chats.
pub struct Stage {
    /// Who made the others.
    pub administrator: User,
    agents: Vec<User>,
    departments: Vec<String>,
}

impl Visitor {
    /// The visitor who was given this room, which was opened for it.
    pub fn of_new_room(token: String, answer: &[u8]) -> Result<Visitor> {
        let answer: Value = serde_json::from_slice(answer).context("an answer is no JSON")?;
        ensure!(answer["newRoom"] == true, "a visitor had a room already: {answer}");
        let room_id = answer["room"]["_id"].as_str().context("a room has an id")?.to_owned();
        Ok(Visitor { token, room_id })
    }

    /// Asks for the newest page of the history.
    pub fn history(&self) -> Vec<u8> {
        let path = HISTORY.path.replace("{rid}", &self.room_id);
        request("GET", &format!("{path}?token={}&limit={PAGE}", encoded(&self.token)), &Value::Null)
    }
}

/// Asks for the room of a visitor.
pub fn room(token: &str) -> Vec<u8> {
    request("GET", &format!("{}?token={}", ROOM.path, encoded(token)), &Value::Null)
}

/// Closes a chat.
pub fn closing(agent: &User, room_id: &str) -> Vec<u8> {
    agent.request("POST", CLOSE.path, &json!({"rid": room_id, "comment": "It is on its way."}))
}

impl Stage {
    /// Makes agents who take chats themselves, each in a department.
    pub fn set(runtime: &Runtime, server: &Server, connection: &mut Connection, agents: usize) -> Result<Stage> {
        eprintln!("making {agents} agents");
        let administrator = runtime.block_on(User::administrator(connection))?;
        runtime.block_on(let_agents_take(connection, &administrator))?;
        let agents = create_agents(server, &administrator, agents)?;
        let mut departments = Vec::new();
        for (number, some) in departments_of(&agents).into_iter().enumerate() {
            let name = format!("Department {number:02}");
            departments.push(runtime.block_on(create_department(connection, &administrator, &name, &some))?);
        }
        Ok(Stage { administrator, agents, departments })
    }

    /// The agent who takes the chat number `number`, in the department that the chat is of.
    pub fn agent(&self, number: usize) -> &User {
        &self.agents[number % self.agents.len()]
    }

    fn department(&self, number: usize) -> &str {
        &self.departments[number % self.agents.len() % self.departments.len()]
    }

    /// Registers visitors, each for the department of the agent at the same place. Gives their tokens.
    pub fn register(&self, server: &Server, which: &str, count: usize) -> Result<Vec<String>> {
        let tokens: Vec<String> = (0..count).map(|number| format!("the token of the visitor {number:07} {which}")).collect();
        let registration = |(number, token): (usize, &String)| {
            let visitor = json!({"token": token, "name": format!("Visitor {number:07}"), "department": self.department(number)});
            request("POST", "/api/v1/livechat/visitor", &json!({"visitor": visitor}))
        };
        let requests = tokens.iter().enumerate().map(registration).collect();
        call_all(server, requests, CONNECTIONS).context("visitors could not be registered")?;
        Ok(tokens)
    }

    /// Opens chats of fresh visitors.
    pub fn open_chats(&self, server: &Server, which: &str, count: usize) -> Result<Vec<Visitor>> {
        let tokens = self.register(server, which, count)?;
        let requests = tokens.iter().map(|token| room(token)).collect();
        let opened = call_all(server, requests, CONNECTIONS).context("rooms could not be opened")?;
        let visitor = |(token, answer): (String, Value)| Visitor::of_new_room(token, answer.to_string().as_bytes());
        tokens.into_iter().zip(opened).map(visitor).collect()
    }

    /// The requests by which the agents at the same places take these chats.
    pub fn taking(&self, server: &Server, chats: &[Visitor]) -> Result<Vec<Vec<u8>>> {
        let chats: Vec<(&User, &str)> =
            chats.iter().enumerate().map(|(number, chat)| (self.agent(number), chat.room_id.as_str())).collect();
        taking(server, &chats, CONNECTIONS)
    }

    /// Lets the agents at the same places take these chats.
    pub fn take(&self, server: &Server, chats: &[Visitor]) -> Result<()> {
        call_all(server, self.taking(server, chats)?, CONNECTIONS).context("chats could not be taken").map(|_| ())
    }

    /// Fills a page of the history of each chat.
    pub fn write_pages(&self, server: &Server, chats: &[Visitor]) -> Result<()> {
        let body = |chat: &Visitor| json!({"token": chat.token, "rid": chat.room_id, "msg": TEXT});
        let post = |chat: &Visitor| request("POST", POST_MESSAGE.path, &body(chat));
        let page: Vec<Vec<u8>> = chats.iter().map(post).collect();
        let requests = (0..PAGE).flat_map(|_| page.iter().cloned()).collect();
        call_all(server, requests, CONNECTIONS).context("messages could not be posted").map(|_| ())
    }

    /// Makes every kind of call once and keeps the answers in `folder`: messages in the chats given, of which the one that is served has
    /// the first agent, and the rest in a chat of its own.
    pub async fn keep_answers(
        &self,
        server: &Server,
        connection: &mut Connection,
        [waiting, served]: [&Visitor; 2],
        folder: &Path,
    ) -> Result<()> {
        let mut message = Caller::posting(SAMPLES, &waiting.token, &waiting.room_id, Ids::Rising)?;
        let mut reply = Caller::sending(SAMPLES + 1, self.agent(0), &served.room_id, Ids::Rising)?;
        keep(connection, POST_MESSAGE, message.next()?, folder).await?;
        keep(connection, SEND_MESSAGE, reply.next()?, folder).await?;
        keep(connection, HISTORY, &waiting.history(), folder).await?;

        let token = self.register(server, "of the sample", 1)?.remove(0);
        let answer = keep(connection, ROOM, &room(&token), folder).await?;
        let chat = [Visitor::of_new_room(token, &answer)?];
        keep(connection, TAKE, &self.taking(server, &chat)?[0], folder).await?;
        keep(connection, CLOSE, &closing(self.agent(0), &chat[0].room_id), folder).await?;
        Ok(())
    }
}

/// The agents of each department: agents in turn.
fn departments_of(agents: &[User]) -> Vec<Vec<&User>> {
    let count = agents.len().div_ceil(AGENTS_OF_DEPARTMENT);
    (0..count).map(|first| agents.iter().skip(first).step_by(count).collect()).collect()
}

async fn keep(connection: &mut Connection, kind: Kind, request: &[u8], folder: &Path) -> Result<Vec<u8>> {
    let answer = connection.call(request).await?;
    answer.json().with_context(|| format!("a sample of {}", kind.path))?;
    let body = answer.body.to_vec();
    kind.keep_answer(folder, &body)?;
    Ok(body)
}
