//! One of the two servers that are compared, and the calls that are made to it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::figures::metric;
use crate::fill::{Conversation, Plan};
use crate::load::{Connection, POST_MESSAGE, request};
use crate::process::Server;
use crate::window::now;

/// How many messages a page of the history has.
const PAGE: usize = 50;

/// How long sealing may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long is waited between two looks at what is sealed.
const PAUSE: Duration = Duration::from_millis(2);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The newest page of an old room.
    History,
    /// A new visitor.
    Registration,
    /// That visitor's first room.
    Opening,
    /// The erasure of an old visitor, until it is answered.
    Deletion,
    /// What follows on that, until nothing of the visitor is in any file.
    Sealing,
    /// A message to an old room.
    Message,
}

impl Operation {
    /// All that is called, in this order: visitors who are registered open rooms next, and messages go to rooms that are left.
    pub const ALL: [Operation; 5] =
        [Operation::History, Operation::Registration, Operation::Opening, Operation::Deletion, Operation::Message];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Operation::History => "history page, the newest 50",
            Operation::Registration => "registration",
            Operation::Opening => "room opening",
            Operation::Deletion => "DELETE of a visitor, its answer",
            Operation::Sealing => "(sealing after that DELETE, no goal)",
            Operation::Message => "message post",
        }
    }

    /// Whether somebody waits for it, so that it may not grow with what is stored.
    pub fn is_waited_for(self) -> bool {
        self != Operation::Sealing
    }

    /// Whether it leaves something to seal.
    pub fn erases(self) -> bool {
        self == Operation::Deletion
    }
}

/// A server with its data.
pub struct Side {
    connection: Connection,
    conversations: Vec<Conversation>,
    plan: Plan,
    _server: Server,
}

impl Side {
    /// Connects to a server over `conversations`.
    pub async fn connect(server: Server, conversations: Vec<Conversation>, plan: Plan) -> Result<Side> {
        let connection = Connection::open(server.address).await?;
        Ok(Side { connection, conversations, plan, _server: server })
    }

    /// Makes the call number `call` of `calls`, and gives how long its answer took.
    pub async fn call(&mut self, operation: Operation, call: usize, calls: usize) -> Result<Duration> {
        let request = self.request(operation, call, calls);
        let begun = now();
        let answer = self.connection.call(&request).await?;
        let taken = begun.elapsed();
        let json = answer.json().with_context(|| format!("{}, call {call}", operation.name()))?;
        ensure!(self.is_right(operation, &json), "{}, call {call}: unexpected answer {json}", operation.name());
        Ok(taken)
    }

    fn request(&self, operation: Operation, call: usize, calls: usize) -> Vec<u8> {
        let fresh = format!("a fresh visitor {call:07}");
        match operation {
            Operation::History => {
                let Conversation { token, room_id, .. } = self.spread(call, calls, 0, self.conversations.len());
                let path = format!("/api/v1/livechat/messages.history/{room_id}?token={}&limit={PAGE}", encoded(token));
                request("GET", &path, &Value::Null)
            }
            Operation::Registration => {
                let email = format!("fresh-{call}@example.com");
                let body = json!({"visitor": {"token": fresh, "name": "A fresh visitor", "email": email}});
                request("POST", "/api/v1/livechat/visitor", &body)
            }
            Operation::Opening => request("GET", &format!("/api/v1/livechat/room?token={}", encoded(&fresh)), &Value::Null),
            Operation::Deletion | Operation::Sealing => {
                let Conversation { token, .. } = self.spread(call, calls, 0, self.conversations.len() / 2);
                request("DELETE", &format!("/api/v1/livechat/visitor/{}", encoded(token)), &Value::Null)
            }
            Operation::Message => {
                let half = self.conversations.len() / 2;
                let Conversation { token, room_id, .. } = self.spread(call, calls, half, self.conversations.len() - half);
                let text = "Is the blue one still to be had in a larger size? I would need it by Friday.";
                request(
                    "POST",
                    POST_MESSAGE,
                    &json!({"token": token, "rid": room_id, "msg": text, "_id": format!("scale-{call:011}")}),
                )
            }
        }
    }

    /// One of `count` conversations from `first` on: over all calls they are spread evenly, and met in no order.
    fn spread(&self, call: usize, calls: usize, first: usize, count: usize) -> &Conversation {
        // Steps of a prime number that is greater than the number of calls meet every place once.
        let shuffled = call * 7_919 % calls;
        &self.conversations[first + shuffled * count / calls]
    }

    fn is_right(&self, operation: Operation, answer: &Value) -> bool {
        let page = PAGE.min(self.plan.messages_of_room);
        let is_so = match operation {
            Operation::History => answer["messages"].as_array().is_some_and(|messages| messages.len() == page),
            Operation::Registration => answer["visitor"]["_id"].is_string(),
            Operation::Opening => answer["newRoom"] == true,
            Operation::Deletion | Operation::Sealing => answer["visitor"]["ts"].is_string(),
            Operation::Message => answer["message"]["ts"].is_string(),
        };
        is_so && answer["success"] == true
    }

    /// Waits until every erasure is sealed, and gives how long that took.
    pub async fn sealed(&mut self) -> Result<Duration> {
        let begun = now();
        while begun.elapsed() < PATIENCE {
            let answer = self.connection.call(&request("GET", "/metrics", &Value::Null)).await?;
            if metric(answer.text()?, "usher_erasures_unsealed")? == 0.0 {
                return Ok(begun.elapsed());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("an erasure was not sealed within {PATIENCE:?}")
    }
}

/// A token as part of a path or query. Those of this benchmark have nothing but letters, digits and blanks.
fn encoded(token: &str) -> String {
    token.replace(' ', "%20")
}
