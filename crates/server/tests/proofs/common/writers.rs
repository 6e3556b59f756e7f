//! Writers that never give up a message, and the check that what was acknowledged to them is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::Client;
use super::whereabouts::Whereabouts;

/// How long a writer waits before it tries again.
const PAUSE: Duration = Duration::from_millis(2);

/// How many messages are asked for at once.
const PAGE: usize = 1_000;

/// A message as far as the check goes: its id, and when it was sent by the server's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id, chosen by the writer.
    pub id: String,
    /// The time in the server's text form, whose order is that of time.
    pub ts: String,
}

/// What one writer has done.
#[derive(Debug, Clone)]
pub struct Written {
    /// The writer's visitor.
    pub token: String,
    /// The writer's room.
    pub room: String,
    /// What was answered with 200, in the order in which it was sent.
    pub acknowledged: Vec<Message>,
    /// What was sent and not answered so. The server may have it or not.
    pub unanswered: Option<String>,
}

/// Threads that write until they are told to stop, wherever the server is.
pub struct Writers {
    whereabouts: Arc<Whereabouts>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Written>>,
}

impl Writers {
    /// Registers `count` visitors at `address`, opens a room for each, and lets them write.
    pub fn begin(count: usize, address: &str) -> Writers {
        let (whereabouts, is_over) = (Arc::new(Whereabouts::default()), Arc::new(AtomicBool::new(false)));
        whereabouts.set(Some(address.to_owned()));
        let client = Client::new(address);
        let start = |number| {
            let (mut written, whereabouts, is_over) = (prepare(&client, number), Arc::clone(&whereabouts), Arc::clone(&is_over));
            std::thread::spawn(move || {
                write(&mut written, number, &whereabouts, &is_over);
                written
            })
        };
        let threads = (0..count).map(start).collect();
        Writers { whereabouts, is_over, threads }
    }

    /// Says that the server is about to be gone.
    pub fn lose(&self) {
        self.whereabouts.set(None);
    }

    /// Says where the server is now.
    pub fn find(&self, address: &str) {
        self.whereabouts.set(Some(address.to_owned()));
    }

    /// Tells the writers to stop, and waits for them. The server may be there or not.
    pub fn finish(self) -> Vec<Written> {
        self.is_over.store(true, Ordering::Release);
        // Whoever waits for a server sees then that it is over.
        self.whereabouts.set(Some("http://127.0.0.1:1".to_owned()));
        self.threads.into_iter().map(|thread| thread.join().expect("the writer ends")).collect()
    }
}

/// Registers a writer's visitor and opens its room.
fn prepare(client: &Client, number: usize) -> Written {
    let token = format!("writer-{number:02}");
    let visitor = json!({"visitor": {"token": token, "name": token}});
    let registered = client.post("/api/v1/livechat/visitor", &visitor).expect("a registration is answered");
    assert_eq!(registered.status, 200, "{}", registered.text);
    let opened = client.get(&format!("/api/v1/livechat/room?token={token}")).expect("opening a room is answered");
    assert_eq!(opened.status, 200, "{}", opened.text);
    Written { token, room: text(&opened.json()["room"]["_id"]), acknowledged: Vec::new(), unanswered: None }
}

/// Sends one message after the other, each until it is acknowledged.
fn write(written: &mut Written, number: usize, whereabouts: &Whereabouts, is_over: &AtomicBool) {
    let mut address = whereabouts.address();
    let mut client = Client::new(&address);
    while !is_over.load(Ordering::Acquire) {
        let id = format!("w{number:02}-{:06}", written.acknowledged.len());
        written.unanswered = Some(id.clone());
        if let Some(message) = send(&client, written, &id) {
            written.acknowledged.push(message);
            written.unanswered = None;
            continue;
        }
        std::thread::park_timeout(PAUSE);
        let present = whereabouts.address();
        if present != address {
            (client, address) = (Client::new(&present), present);
        }
    }
}

/// Sends a message; `None` if it was not acknowledged.
fn send(client: &Client, written: &Written, id: &str) -> Option<Message> {
    let body = json!({"token": written.token, "rid": written.room, "msg": format!("text of {id}"), "_id": id});
    let answer = client.post("/api/v1/livechat/message", &body).ok().filter(|answer| answer.status == 200)?;
    let message = message(&answer.json()["message"]);
    assert_eq!(message.id, id, "the answer is about the message that was sent");
    Some(message)
}

/// What was found in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Messages that were acknowledged and are there.
    pub acknowledged: usize,
    /// Messages that are there though their answer never arrived.
    pub unanswered: usize,
}

/// Reads all back: each acknowledged message must be there once, in the order sent, at the time that the answer named; times
/// strictly rise within a room; and there is nothing else but perhaps the one message that a writer had no answer to. Says what is
/// amiss otherwise.
pub fn verify(client: &Client, writers: &[Written]) -> Result<Summary, String> {
    let mut summary = Summary { acknowledged: 0, unanswered: 0 };
    for written in writers {
        let stored = history(client, written)?;
        verify_one(written, &stored)?;
        summary.acknowledged += written.acknowledged.len();
        summary.unanswered += stored.len() - written.acknowledged.len();
    }
    Ok(summary)
}

fn verify_one(written: &Written, stored: &[Message]) -> Result<(), String> {
    let token = &written.token;
    if let Some(pair) = stored.windows(2).find(|pair| pair[0].ts >= pair[1].ts) {
        return Err(format!("{token}: the time does not rise from {:?} to {:?}", pair[0], pair[1]));
    }
    let differs = written.acknowledged.iter().zip(stored).find(|(acknowledged, stored)| acknowledged != stored);
    if let Some((acknowledged, stored)) = differs {
        return Err(format!("{token}: {acknowledged:?} was acknowledged, and in its place is {stored:?}"));
    }
    if let Some(lost) = written.acknowledged.get(stored.len()) {
        let missing = written.acknowledged.len() - stored.len();
        return Err(format!("{token}: {missing} acknowledged messages are lost, the first is {lost:?}"));
    }
    match &stored[written.acknowledged.len()..] {
        [] => Ok(()),
        [last] if Some(&last.id) == written.unanswered.as_ref() => Ok(()),
        others => Err(format!("{token}: nobody sent {others:?}")),
    }
}

/// What people wrote in a writer's room, oldest first.
fn history(client: &Client, written: &Written) -> Result<Vec<Message>, String> {
    let mut newest_first = Vec::new();
    loop {
        let offset = newest_first.len();
        let path =
            format!("/api/v1/livechat/messages.history/{}?token={}&limit={PAGE}&offset={offset}", written.room, written.token);
        let answer = client.get(&path).map_err(|error| format!("{}: {error}", written.token))?;
        let json = answer.json();
        let page = json["messages"].as_array().filter(|_| answer.status == 200);
        let page = page.ok_or_else(|| format!("{}: {} {}", written.token, answer.status, answer.text))?;
        newest_first.extend(page.iter().cloned());
        if page.len() < PAGE {
            break;
        }
    }
    Ok(newest_first.iter().rev().filter(|found| found["t"].is_null()).map(message).collect())
}

fn message(json: &Value) -> Message {
    Message { id: text(&json["_id"]), ts: text(&json["ts"]) }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json} is a text")).to_owned()
}
