//! What the processes on one database tell each other: what was committed, by ids alone, and what is kept nowhere.
//!
//! One connection tells, and another hears. Telling comes after the commit and beside it, many things at once. What gets lost is not wrong but
//! late: whoever follows a room notices the gap, and looks by itself every second.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value as Json, json};
use usher_domain::{Change, ChangeKind, Event, PlaceEvent, PlaceEventKind, RoleEvent, UserEvent, UserEventKind};

use super::{Connection, State};
use crate::dialect;
use crate::error::OpenError;
use crate::store::Publish;
use crate::tx::Value;

/// How much may wait to be told. What comes beyond that is found by those who look.
const QUEUE: usize = 4_096;

/// The longest message in bytes: the database takes no longer ones.
const LONGEST: usize = 7_900;

/// How long is listened before it is looked whether the engine closes.
const PAUSE: Duration = Duration::from_millis(200);

/// Something to be told.
enum Item {
    Committed(Vec<Event>),
    Said(String),
}

/// The end that tells: hands on what is published here, and tells it the others.
pub(super) struct Bus {
    local: Arc<dyn Publish>,
    queue: SyncSender<Item>,
}

impl Bus {
    /// Connects both ends. Gives the bus, and the threads, which end when it is dropped and the engine closes.
    pub(super) fn start(url: &str, local: &Arc<dyn Publish>, state: &Arc<State>) -> Result<(Bus, [JoinHandle<()>; 2]), OpenError> {
        let mut teller = Connection::open(url)?;
        let mut origin = String::new();
        teller.query(dialect::POSTGRES_ORIGIN, &[], &mut |row| {
            origin = row.text(0)?;
            Ok(())
        })?;
        let mut hearer = Connection::open(url)?;
        hearer.batch(dialect::POSTGRES_LISTEN)?;
        let (queue, items) = sync_channel(QUEUE);
        let bus = Bus { local: Arc::clone(local), queue };
        let (told_url, told_state, told_origin) = (url.to_owned(), Arc::clone(state), origin.clone());
        let telling = std::thread::spawn(move || tell(teller, &told_url, &told_origin, &items, &told_state));
        let (url, local, state) = (url.to_owned(), Arc::clone(local), Arc::clone(state));
        let hearing = std::thread::spawn(move || hear(hearer, &url, &origin, local.as_ref(), &state));
        Ok((bus, [telling, hearing]))
    }

    /// Tells the other processes what is kept nowhere.
    pub(super) fn say(&self, text: String) {
        // Who does not hear it misses nothing that lasts.
        let _ = self.queue.try_send(Item::Said(text));
    }
}

impl Publish for Bus {
    fn publish(&self, events: &[Event]) {
        self.local.publish(events);
        let _ = self.queue.try_send(Item::Committed(events.to_vec()));
    }

    fn lost_track(&self) {
        self.local.lost_track();
    }
}

/// Tells what comes, until nobody is left who could tell anything.
fn tell(mut connection: Connection, url: &str, origin: &str, items: &Receiver<Item>, state: &State) {
    let mut waiting = Vec::new();
    while let Ok(first) = items.recv() {
        push(&mut waiting, first);
        while let Ok(item) = items.try_recv() {
            push(&mut waiting, item);
        }
        for message in messages(origin, std::mem::take(&mut waiting)) {
            if let Err(failure) = connection.execute(dialect::POSTGRES_NOTIFY, &[Value::Text(&message)]) {
                tracing::warn!(%failure, "other processes were not told of changes: they look for themselves");
                match connected_again(url, dialect::POSTGRES_WRITE_LIMIT, state) {
                    Some(restored) => connection = restored,
                    None => return,
                }
            }
        }
    }
}

/// Hears what others tell, until the engine closes.
fn hear(mut connection: Connection, url: &str, origin: &str, local: &dyn Publish, state: &State) {
    while !state.closing.load(Ordering::Acquire) {
        match connection.heard(PAUSE) {
            Ok(messages) => messages.iter().filter_map(|message| Message::read(message)).for_each(|message| {
                if message.origin != origin {
                    message.hand_on(local);
                }
            }),
            Err(failure) => {
                tracing::warn!(%failure, "nothing is heard of other processes for a moment");
                match connected_again(url, dialect::POSTGRES_LISTEN, state) {
                    Some(restored) => connection = restored,
                    None => return,
                }
                // What was told meanwhile is lost.
                local.lost_track();
            }
        }
    }
}

/// Connects anew and begins with `first`, however long that takes; `None` once the engine closes.
fn connected_again(url: &str, first: &str, state: &State) -> Option<Connection> {
    while !state.closing.load(Ordering::Acquire) {
        match Connection::open(url).and_then(|mut fresh| fresh.batch(first).map(|()| fresh)) {
            Ok(connection) => return Some(connection),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
    None
}

fn push(waiting: &mut Vec<Json>, item: Item) {
    match item {
        Item::Committed(events) => waiting.extend(events.iter().map(written)),
        Item::Said(text) => waiting.push(json!(["said", text])),
    }
}

fn written(event: &Event) -> Json {
    match event {
        Event::Room(change) => json!(["room", change.seq, change.kind.name(), change.room_id, change.reference]),
        Event::User(event) => json!(["user", event.kind.name(), event.user_id]),
        Event::Role(event) => json!(["role", event.is_held, event.user_id, event.role_id]),
        Event::Place(event) => json!(["place", event.kind.name(), event.id, event.department_id, event.agent_id]),
    }
}

/// Messages with all that waits, none too long. What would be too long by itself is not told.
fn messages(origin: &str, waiting: Vec<Json>) -> Vec<String> {
    let mut messages = Vec::new();
    let (mut items, mut length) = (Vec::new(), 0);
    for item in waiting {
        let size = item.to_string().len() + 1;
        if size > LONGEST - 100 {
            continue;
        }
        if length + size > LONGEST - 100 {
            messages.push(json!([origin, std::mem::take(&mut items)]).to_string());
            length = 0;
        }
        length += size;
        items.push(item);
    }
    if !items.is_empty() {
        messages.push(json!([origin, items]).to_string());
    }
    messages
}

/// What another process told.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    origin: String,
    events: Vec<Event>,
    said: Vec<String>,
}

impl Message {
    /// Reads a message; `None` for one that is none of ours.
    fn read(text: &str) -> Option<Message> {
        let (origin, items): (String, Vec<Vec<Json>>) = serde_json::from_str(text).ok()?;
        let (mut events, mut said) = (Vec::new(), Vec::new());
        for item in items {
            match item.iter().map(Json::as_str).collect::<Vec<_>>()[..] {
                [Some("room"), None, Some(kind), Some(room_id), Some(reference)] => {
                    // A newer program may know more kinds: the room is looked at all the same.
                    let kind = ChangeKind::from_name(kind).unwrap_or(ChangeKind::RoomChanged);
                    let (room_id, reference) = (room_id.to_owned(), reference.to_owned());
                    events.push(Event::Room(Change { room_id, seq: item[1].as_i64()?, kind, reference }));
                }
                [Some("user"), Some(kind), Some(user_id)] => {
                    let kind = UserEventKind::from_name(kind).unwrap_or(UserEventKind::Record);
                    events.push(Event::User(UserEvent { user_id: user_id.to_owned(), kind }));
                }
                [Some("role"), None, Some(user_id), Some(role_id)] => {
                    let (user_id, role_id) = (user_id.to_owned(), role_id.to_owned());
                    events.push(Event::Role(RoleEvent { user_id, role_id, is_held: item[1].as_bool()? }));
                }
                [Some("place"), Some(kind), Some(id), Some(department_id), Some(agent_id)] => {
                    let kind = PlaceEventKind::from_name(kind).unwrap_or(PlaceEventKind::Updated);
                    let (id, department_id, agent_id) = (id.to_owned(), department_id.to_owned(), agent_id.to_owned());
                    events.push(Event::Place(PlaceEvent { id, department_id, agent_id, kind }));
                }
                [Some("said"), Some(text)] => said.push(text.to_owned()),
                _ => {}
            }
        }
        Some(Message { origin, events, said })
    }

    fn hand_on(&self, local: &dyn Publish) {
        if !self.events.is_empty() {
            local.publish(&self.events);
        }
        self.said.iter().for_each(|text| local.overheard(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(seq: i64) -> Event {
        let (room_id, reference) = ("room".to_owned(), "a \"message\"\n".to_owned());
        Event::Room(Change { room_id, seq, kind: ChangeKind::MessagePosted, reference })
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let (mary, sales) = ("mary".to_owned(), "sales".to_owned());
        let kind = PlaceEventKind::Removed;
        let events = vec![
            change(1),
            Event::User(UserEvent { user_id: mary.clone(), kind: UserEventKind::Status }),
            Event::Role(RoleEvent { user_id: mary.clone(), role_id: "admin".to_owned(), is_held: true }),
            Event::Place(PlaceEvent { id: "place".to_owned(), department_id: sales, agent_id: mary, kind }),
        ];
        let mut waiting = Vec::new();
        push(&mut waiting, Item::Committed(events.clone()));
        push(&mut waiting, Item::Said("{\"x\":1}".to_owned()));
        let told = messages("here", waiting);
        assert_eq!(told.len(), 1);
        let heard = Message { origin: "here".to_owned(), events, said: vec!["{\"x\":1}".to_owned()] };
        assert_eq!(Message::read(&told[0]), Some(heard));
        for text in ["", "x", "{}", "[1,[]]", "[\"here\"]"] {
            assert_eq!(Message::read(text), None, "{text}");
        }
    }

    #[test]
    fn no_message_is_too_long() {
        let waiting: Vec<Json> = (0..1_000).map(|seq| written(&change(seq))).collect();
        let told = messages("0a52730597fb4ffa01fc117d9e71e3a9", waiting);
        assert!(told.len() > 1 && told.iter().all(|message| message.len() <= LONGEST));
        let heard: Vec<Event> = told.iter().flat_map(|message| Message::read(message).unwrap().events).collect();
        assert_eq!(heard, (0..1_000).map(change).collect::<Vec<_>>());
        assert_eq!(messages("here", vec![json!(["said", "x".repeat(LONGEST)])]), Vec::<String>::new());
    }
}
