//! Fills a store with conversations, many rows to a transaction.
//!
//! Messages are written as time would have it, one in every room before the next in any: a room's messages lie as far apart as they
//! can, which is the worst case for reading and for deleting them.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Map;
use usher_adapters::{SystemClock, SystemRandom};
use usher_domain::custom_field::search_key;
use usher_domain::inquiry::{Inquiry, InquiryStatus};
use usher_domain::message::{Author, Message, STARTED};
use usher_domain::room::{Room, SourceKind};
use usher_domain::visitor::{Connection, LastChat, Visitor, VisitorToken};
use usher_domain::{Change, ChangeKind, Clock, id};
use usher_services::Hub;
use usher_store::{Location, Options, Store, StoreError, Tx, q};

/// How many rooms or messages one transaction adds.
pub const BATCH: usize = 10_000;

/// How many rooms one read checks: far less than its deadline allows.
const CHECKED_ROOMS: usize = 200;

/// How much is written.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many rooms, each with a visitor of its own.
    pub rooms: usize,
    /// How many messages each of them has, the system's first one included.
    pub messages_of_room: usize,
}

/// A visitor and its room.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The visitor's token.
    pub token: String,
    /// The room's id.
    pub room_id: String,
    visitor_id: String,
    contact_id: String,
    username: String,
}

/// A store's rows on their way: what is known of them before the first is written.
struct Filling {
    plan: Plan,
    /// When the first message was written; each further one came a millisecond later (milliseconds UTC).
    begun: i64,
    conversations: Vec<Conversation>,
}

/// Opens the embedded store in `folder` with the options that keep every promise.
pub fn open(folder: &Path, hub: &Arc<Hub>) -> Result<Store> {
    open_at(&Location::Folder(folder.to_owned()), hub)
}

/// Opens the store at `location`, likewise.
pub fn open_at(location: &Location, hub: &Arc<Hub>) -> Result<Store> {
    let hub: Arc<Hub> = Arc::clone(hub);
    let options = Options::safe(Arc::new(SystemClock::default()), hub);
    Store::open(location, options).context("the store cannot be opened")
}

/// Fills an empty store.
pub async fn fill(store: &Store, plan: Plan) -> Result<Vec<Conversation>> {
    let messages = plan.rooms * plan.messages_of_room;
    let begun = SystemClock::default().now() - messages as i64;
    let conversations = (0..plan.rooms).map(|number| conversation(number, begun)).collect();
    let filling = Arc::new(Filling { plan, begun, conversations });
    for first in (0..plan.rooms).step_by(BATCH) {
        let (filling, rooms) = (Arc::clone(&filling), first..plan.rooms.min(first + BATCH));
        let internal_ids: Vec<String> = rooms.clone().map(|_| id::unordered(&SystemRandom)).collect();
        write(store, move |tx| filling.open_rooms(tx, rooms.clone(), &internal_ids)).await?;
    }
    for first in (0..messages).step_by(BATCH) {
        let (filling, numbers) = (Arc::clone(&filling), first..messages.min(first + BATCH));
        let ids: Vec<String> = numbers.clone().map(|number| id::new(begun + number as i64, &SystemRandom)).collect();
        write(store, move |tx| filling.post_messages(tx, numbers.clone(), &ids)).await?;
    }
    Ok(filling.conversations.clone())
}

/// Writes many rows in one transaction.
pub async fn write<F>(store: &Store, work: F) -> Result<()>
where
    F: FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
{
    store.write(work).await.context("the store could not be filled")
}

fn conversation(number: usize, begun: i64) -> Conversation {
    let fresh = || id::new(begun, &SystemRandom);
    Conversation {
        token: format!("the token of the visitor number {number:07}"),
        room_id: fresh(),
        visitor_id: fresh(),
        contact_id: fresh(),
        username: format!("guest-{number}"),
    }
}

impl Filling {
    /// Adds visitors with their contacts and rooms, whose records say already what they will hold.
    fn open_rooms(&self, tx: &mut Tx<'_>, rooms: Range<usize>, internal_ids: &[String]) -> Result<(), StoreError> {
        for (number, internal_id) in rooms.zip(internal_ids) {
            let conversation = &self.conversations[number];
            let visitor = self.visitor(conversation);
            let token = VisitorToken::new(&conversation.token).ok_or(StoreError::Engine("a token is not one".into()))?;
            let search_key = search_key(None, &visitor.username, &[], &[]);
            q::visitors::insert(tx, &visitor, &token, internal_id, &search_key)?;
            let last_chat = LastChat { room_id: conversation.room_id.clone(), at: self.begun };
            q::contacts::ensure(tx, &visitor, SourceKind::Api, &last_chat)?;
            q::visitors::set_last_chat(tx, &visitor.id, &last_chat)?;
            let room = self.room(conversation);
            q::rooms::insert(tx, &room)?;
            q::rooms::save(tx, &room)?;
            let room_id = conversation.room_id.clone();
            let opened = Change { reference: room_id.clone(), room_id, seq: 1, kind: ChangeKind::RoomOpened };
            q::changes::record(tx, opened)?;
        }
        Ok(())
    }

    /// Adds messages, numbered over all rooms.
    fn post_messages(&self, tx: &mut Tx<'_>, numbers: Range<usize>, ids: &[String]) -> Result<(), StoreError> {
        for (number, id) in numbers.zip(ids) {
            let conversation = &self.conversations[number % self.plan.rooms];
            let turn = number / self.plan.rooms;
            let (room_id, ts, seq) = (&conversation.room_id, self.begun + number as i64, turn as i64 + 2);
            assert!(q::messages::insert(tx, &message(conversation, id, turn, ts))?, "ids made here are new");
            if turn + 1 == self.plan.messages_of_room {
                let last = Some(id.clone());
                let room =
                    Room { last_message_id: last, last_message_at: ts, last_ts: ts, updated_at: ts, ..self.room(conversation) };
                q::rooms::save_posted(tx, &room)?;
            }
            let kind = ChangeKind::MessagePosted;
            q::changes::record(tx, Change { room_id: room_id.clone(), seq, kind, reference: id.clone() })?;
        }
        Ok(())
    }

    fn visitor(&self, conversation: &Conversation) -> Visitor {
        Visitor {
            id: conversation.visitor_id.clone(),
            username: conversation.username.clone(),
            name: None,
            email: Some(format!("{}@example.com", conversation.username)),
            phone: None,
            department_id: None,
            status: "online".to_owned(),
            contact_id: conversation.contact_id.clone(),
            last_chat: None,
            connection: Connection::default(),
            last_agent: None,
            fields: Vec::new(),
            activity: Vec::new(),
            created_at: self.begun,
            updated_at: self.begun,
        }
    }

    /// The room of a visitor, with all of its messages.
    fn room(&self, conversation: &Conversation) -> Room {
        Room {
            visitor_id: conversation.visitor_id.clone(),
            visitor_username: conversation.username.clone(),
            contact_id: conversation.contact_id.clone(),
            name: conversation.username.clone(),
            message_count: self.plan.messages_of_room as i64,
            seq: self.plan.messages_of_room as i64 + 1,
            inquiry: Some(Inquiry {
                id: format!("{}inquiry", conversation.room_id),
                status: InquiryStatus::Queued,
                message: String::new(),
                default_agent: None,
                queued_at: Some(self.begun),
                taken_at: None,
                updated_at: self.begun,
            }),
            ..Room::new(conversation.room_id.clone(), self.begun)
        }
    }
}

fn message(conversation: &Conversation, id: &str, turn: usize, ts: i64) -> Message {
    let Conversation { visitor_id, username, .. } = conversation;
    let author = Author { id: visitor_id.clone(), username: username.clone(), name: None, is_visitor: true };
    let text = format!("Message {turn} of {username}: is the blue one still to be had in a larger size?");
    let (kind, text) = if turn == 0 { (Some(STARTED.to_owned()), String::new()) } else { (None, text) };
    Message { kind, ..written(id, &conversation.room_id, ts, author, text) }
}

/// A message that somebody wrote.
pub fn written(id: &str, room_id: &str, ts: i64, author: Author, text: String) -> Message {
    Message {
        id: id.to_owned(),
        room_id: room_id.to_owned(),
        ts,
        kind: None,
        text,
        author,
        edited: None,
        is_hidden: false,
        is_deleted: false,
        details: Map::new(),
        updated_at: ts,
    }
}

/// Checks that the rooms hold `expected` messages in all, and count as many. Figures of a store that lost some would be worthless.
pub async fn check(store: &Store, conversations: &[Conversation], expected: u64) -> Result<()> {
    let (mut stored, mut counted) = (0, 0);
    for some in conversations.chunks(CHECKED_ROOMS) {
        let ids: Vec<String> = some.iter().map(|conversation| conversation.room_id.clone()).collect();
        let (found, count) = store.read(move |tx| count_messages(tx, &ids)).await.context("the store could not be read back")?;
        stored += found;
        counted += count;
    }
    ensure!(stored == expected, "the store holds {stored} messages, but {expected} were acknowledged");
    ensure!(counted == expected, "the rooms count {counted} messages, but {expected} were acknowledged");
    Ok(())
}

fn count_messages(tx: &mut Tx<'_>, room_ids: &[String]) -> Result<(u64, u64), StoreError> {
    let (mut stored, mut counted) = (0, 0);
    for room_id in room_ids {
        stored += q::messages::history(tx, room_id, i64::MAX, i64::MAX, 0)?.len() as u64;
        counted += q::rooms::by_id(tx, room_id)?.map_or(0, |room| room.message_count as u64);
    }
    Ok((stored, counted))
}
