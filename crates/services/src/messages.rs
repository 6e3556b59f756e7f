//! Posting and reading messages.

use usher_domain::message::{Author, Message};
use usher_domain::room::next_message_ts;
use usher_domain::settings::{LIMIT_MESSAGE_LENGTH, LIVECHAT_ENABLED, MESSAGE_CHARACTER_LIMIT};
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind};
use usher_store::{Tx, q};

use crate::{Error, Refusal, Services};

/// The most messages that one page of the history has.
pub const HISTORY_LIMIT: i64 = 1_000;

/// A message as a visitor sends it.
#[derive(Debug, Clone)]
pub struct VisitorMessage {
    /// The room.
    pub room_id: String,
    /// The text.
    pub text: String,
    /// The id that the client chose: sending it again stores nothing and answers the same.
    pub id: Option<String>,
}

/// Which part of a room's history is wanted.
#[derive(Debug, Clone)]
pub struct HistoryPage {
    /// The room.
    pub room_id: String,
    /// Only messages before this time (milliseconds UTC).
    pub before: Option<i64>,
    /// How many of the newest to leave out.
    pub offset: i64,
    /// How many at most; no more than [`HISTORY_LIMIT`].
    pub limit: i64,
}

impl Services {
    /// Stores a visitor's message. The answer comes after it is durable.
    pub async fn post_visitor_message(&self, token: VisitorToken, message: VisitorMessage) -> Result<Message, Error> {
        let refusal = self.reason_not_to_post(&message.text);
        let id = message.id.unwrap_or_else(|| self.new_id());
        let (room_id, text, now) = (message.room_id, message.text, self.now());
        self.store
            .write(move |tx| {
                let Some(room) = q::rooms::for_posting(tx, &token, &room_id)? else {
                    return Err(why_no_room(tx, &token)?);
                };
                let closed = (!room.is_open).then_some(Refusal::RoomClosed);
                let blocked = room.is_blocked.then_some(Refusal::ChannelBlocked);
                match closed.or_else(|| refusal.clone()).or(blocked) {
                    None => append(tx, &id, &room_id, &text, room, now),
                    // What is stored already is answered all the same.
                    Some(refusal) => match q::messages::by_id(tx, &id)? {
                        Some(stored) => repeated(stored, &room_id, &room.visitor_id),
                        None => Err(refusal.into()),
                    },
                }
            })
            .await
    }

    /// Why no message with this text may be posted, whatever the room.
    fn reason_not_to_post(&self, text: &str) -> Option<Refusal> {
        if !self.platform().settings.get(&LIVECHAT_ENABLED) {
            return Some(Refusal::LivechatDisabled);
        }
        let limit = usize::try_from(self.platform().settings.get(&MESSAGE_CHARACTER_LIMIT)).unwrap_or(0);
        // Clients count in UTF-16 units.
        let is_too_long = self.platform().settings.get(&LIMIT_MESSAGE_LENGTH) && text.encode_utf16().count() > limit;
        is_too_long.then_some(Refusal::MessageTooLong)
    }

    /// A page of a room's messages, newest first, for the visitor whose room it is.
    pub async fn history_for_visitor(&self, token: VisitorToken, page: HistoryPage) -> Result<Vec<Message>, Error> {
        self.store
            .read(move |tx| {
                if q::rooms::for_posting(tx, &token, &page.room_id)?.is_none() {
                    return Err(why_no_room(tx, &token)?);
                }
                let before = page.before.unwrap_or(i64::MAX);
                let limit = page.limit.clamp(0, HISTORY_LIMIT);
                Ok(q::messages::history(tx, &page.room_id, before, limit, page.offset.max(0))?)
            })
            .await
    }
}

/// What a visitor has not read yet of what is older than a page of its history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unread {
    /// The first message that it has not read.
    pub first: Option<Message>,
    /// How many unread messages are older than the page.
    pub not_loaded: i64,
}

impl Services {
    /// What the visitor whose room it is has not read since `seen` (milliseconds UTC) and older than `loaded_from`.
    pub async fn unread_of_visitor(
        &self,
        token: VisitorToken,
        room_id: String,
        seen: i64,
        loaded_from: i64,
    ) -> Result<Unread, Error> {
        self.store
            .read(move |tx| {
                if q::rooms::for_posting(tx, &token, &room_id)?.is_none() {
                    return Err(why_no_room(tx, &token)?);
                }
                let first = q::messages::first_after(tx, &room_id, seen)?;
                Ok(Unread { first, not_loaded: q::messages::count_between(tx, &room_id, seen, loaded_from)? })
            })
            .await
    }
}

/// Tells an unknown token from a room that is not the visitor's.
fn why_no_room(tx: &mut Tx<'_>, token: &VisitorToken) -> Result<Error, Error> {
    let is_known = q::visitors::by_token(tx, token)?.is_some();
    Ok(if is_known { Refusal::InvalidRoom } else { Refusal::InvalidToken }.into())
}

/// The answer to a message id that is taken: the stored message, if it is the same author's in the same room.
fn repeated(stored: Message, room_id: &str, author_id: &str) -> Result<Message, Error> {
    let is_same = stored.room_id == room_id && stored.author.id == author_id && stored.author.is_visitor && stored.kind.is_none();
    if is_same { Ok(stored) } else { Err(Refusal::InvalidMessage.into()) }
}

/// Adds a message to its room; one whose id is stored already is answered as it is stored.
fn append(tx: &mut Tx<'_>, id: &str, room_id: &str, text: &str, room: q::rooms::ForPosting, now: i64) -> Result<Message, Error> {
    let ts = next_message_ts(now, room.last_message_at);
    let message = Message {
        id: id.to_owned(),
        room_id: room_id.to_owned(),
        ts,
        kind: None,
        text: text.to_owned(),
        author: Author { id: room.visitor_id, username: room.visitor_username, name: room.visitor_name, is_visitor: true },
        updated_at: now,
    };
    if !q::messages::insert(tx, &message)? {
        let stored = q::messages::by_id(tx, id)?.ok_or(Error::Broken("a message whose id is taken is not there"))?;
        return repeated(stored, room_id, &message.author.id);
    }
    let seq = room.seq + 1;
    q::rooms::add_visitor_message(tx, q::rooms::Posted { room_id, seq, message_id: id, ts, now })?;
    let change = Change { room_id: room_id.to_owned(), seq, kind: ChangeKind::MessagePosted, reference: id.to_owned() };
    q::changes::record(tx, change)?;
    Ok(message)
}
