//! What visitors post and read.

use serde_json::Map;
use usher_domain::message::{Author, Message};
use usher_domain::quote;
use usher_domain::room::{Source, next_message_ts};
use usher_domain::settings::{LIMIT_MESSAGE_LENGTH, LIVECHAT_ENABLED, MESSAGE_CHARACTER_LIMIT, UNREAD_COUNT_OMNICHANNEL};
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind};
use usher_store::{Tx, q};

use super::quotes::{Quotes, Quoting};
use super::repeated;
use crate::files::ShownFile;
use crate::rooms::opened_for;
use crate::visitors::{Registration, register};
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

/// A visitor's message on its way into the store.
#[derive(Clone)]
struct Posting {
    id: String,
    room_id: String,
    text: String,
    quotes: Quotes,
    /// Why no message with this text may be posted, whatever the room.
    refusal: Option<Refusal>,
    counts_as_unread: bool,
    /// The file that it shows.
    file: Option<ShownFile>,
    now: i64,
}

impl Services {
    /// Stores a visitor's message. The answer comes after it is durable.
    pub async fn post_visitor_message(&self, token: VisitorToken, message: VisitorMessage) -> Result<Message, Error> {
        let posting = self.posting(message);
        self.store.write(move |tx| post(tx, &token, &posting)).await
    }

    /// The same for a message that shows a file.
    pub(crate) async fn post_with_file(
        &self,
        token: VisitorToken,
        message: VisitorMessage,
        file: ShownFile,
    ) -> Result<Message, Error> {
        let posting = Posting { file: Some(file), ..self.posting(message) };
        self.store.write(move |tx| post(tx, &token, &posting)).await
    }

    /// The same, where a visitor without such an open room gets another one: its own, or a new one with an id that the server makes.
    ///
    /// # Errors
    ///
    /// Nobody has the token, the room is another visitor's, none can be opened, or the message cannot be posted into it.
    pub async fn post_opening_message(
        &self,
        token: VisitorToken,
        message: VisitorMessage,
        source: Source,
        agent_id: Option<String>,
    ) -> Result<Message, Error> {
        match self.post_visitor_message(token.clone(), message.clone()).await {
            Err(Error::Refused(Refusal::InvalidRoom | Refusal::RoomClosed)) => {}
            posted => return posted,
        }
        let opening = self.opening(source, agent_id, message.text.clone());
        let posting = self.posting(message);
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                if q::rooms::by_id(tx, &posting.room_id)?.is_some_and(|room| room.visitor_id != visitor.id) {
                    return Err(Refusal::InvalidRoom.into());
                }
                let room_id = opened_for(tx, &visitor, token.as_str(), &opening)?.room.id;
                post(tx, &token, &Posting { room_id, ..posting.clone() })
            })
            .await
    }

    /// Stores several messages in a visitor's name, in their order and all or none. The visitor is registered if nobody has the token,
    /// and gets a room if it has none.
    ///
    /// # Errors
    ///
    /// The visitor cannot be registered, no room can be opened, or one of the messages cannot be posted.
    pub async fn post_messages_for_visitor(
        &self,
        token: VisitorToken,
        texts: Vec<String>,
        source: Source,
    ) -> Result<Vec<Message>, Error> {
        let terms = self.registration_terms(Registration::default()).await?;
        let opening = self.opening(source, None, texts.first().cloned().unwrap_or_default());
        let message = |text: String| VisitorMessage { room_id: String::new(), text, id: None };
        let postings: Vec<Posting> = texts.into_iter().map(|text| self.posting(message(text))).collect();
        self.store
            .write(move |tx| {
                let visitor = match q::visitors::by_token(tx, &token)? {
                    Some(known) => known,
                    None => register(tx, &token, &terms).map_err(not_registered)?.visitor,
                };
                let room_id = opened_for(tx, &visitor, token.as_str(), &opening)?.room.id;
                let postings = postings.iter().map(|posting| Posting { room_id: room_id.clone(), ..posting.clone() });
                postings.map(|posting| post(tx, &token, &posting)).collect()
            })
            .await
    }

    fn posting(&self, message: VisitorMessage) -> Posting {
        Posting {
            quotes: self.quotes(&message.text),
            refusal: self.reason_not_to_post(&message.text),
            counts_as_unread: self.counts_as_unread(),
            id: message.id.unwrap_or_else(|| self.new_id()),
            room_id: message.room_id,
            text: message.text,
            file: None,
            now: self.now(),
        }
    }

    /// Whether messages count as unread that do not name the agent.
    pub(crate) fn counts_as_unread(&self) -> bool {
        self.platform().settings.choice(&UNREAD_COUNT_OMNICHANNEL) == "all_messages"
    }

    /// Why no message with this text may be posted, whatever the room.
    fn reason_not_to_post(&self, text: &str) -> Option<Refusal> {
        if !self.platform().settings.get(&LIVECHAT_ENABLED) {
            return Some(Refusal::LivechatDisabled);
        }
        self.is_too_long_for_visitors(text).then_some(Refusal::MessageTooLong)
    }

    /// Whether a text is longer than visitors' messages may be.
    pub(super) fn is_too_long_for_visitors(&self, text: &str) -> bool {
        let limit = usize::try_from(self.platform().settings.get(&MESSAGE_CHARACTER_LIMIT)).unwrap_or(0);
        // Clients count in UTF-16 units.
        self.platform().settings.get(&LIMIT_MESSAGE_LENGTH) && text.encode_utf16().count() > limit
    }

    /// A page of a room's messages, newest first, for the visitor whose room it is.
    pub async fn history_for_visitor(&self, token: VisitorToken, page: HistoryPage) -> Result<Vec<Message>, Error> {
        let hidden = self.hidden_kinds();
        self.store
            .read(move |tx| {
                if q::rooms::for_posting(tx, &token, &page.room_id)?.is_none() {
                    return Err(why_no_room(tx, &token)?);
                }
                let before = page.before.unwrap_or(i64::MAX);
                let limit = page.limit.clamp(0, HISTORY_LIMIT);
                Ok(q::messages::shown(tx, &page.room_id, before, limit, page.offset.max(0), &hidden)?)
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
pub(super) fn why_no_room(tx: &mut Tx<'_>, token: &VisitorToken) -> Result<Error, Error> {
    let is_known = q::visitors::by_token(tx, token)?.is_some();
    Ok(if is_known { Refusal::InvalidRoom } else { Refusal::InvalidToken }.into())
}

/// Whatever goes wrong with a registration that nobody asked for is told in one way.
fn not_registered(error: Error) -> Error {
    match error {
        Error::Refused(_) => Refusal::Registration.into(),
        other => other,
    }
}

fn post(tx: &mut Tx<'_>, token: &VisitorToken, posting: &Posting) -> Result<Message, Error> {
    let Some(room) = q::rooms::for_posting(tx, token, &posting.room_id)? else {
        return Err(why_no_room(tx, token)?);
    };
    let closed = (!room.is_open).then_some(Refusal::RoomClosed);
    let blocked = room.is_blocked.then_some(Refusal::ChannelBlocked);
    match closed.or_else(|| posting.refusal.clone()).or(blocked) {
        None => append(tx, posting, room),
        // What is stored already is answered all the same.
        Some(refusal) => match q::messages::by_id(tx, &posting.id)? {
            Some(stored) => repeated(stored, &posting.room_id, &room.visitor_id, true),
            None => Err(refusal.into()),
        },
    }
}

/// Adds a message to its room; one whose id is stored already is answered as it is stored.
fn append(tx: &mut Tx<'_>, posting: &Posting, room: q::rooms::ForPosting) -> Result<Message, Error> {
    let Posting { id, room_id, text, now, .. } = posting;
    let (now, ts) = (*now, next_message_ts(*now, room.last_ts));
    let mut details = Map::new();
    quote::set(&mut details, posting.quotes.attachments(tx, &Quoting::Visitor(&room.visitor_id))?);
    if let Some(file) = &posting.file {
        file.describe(&mut details);
    }
    let message = Message {
        id: id.clone(),
        room_id: room_id.clone(),
        ts,
        kind: None,
        text: text.clone(),
        author: Author { id: room.visitor_id, username: room.visitor_username, name: room.visitor_name, is_visitor: true },
        edited: None,
        is_hidden: false,
        is_deleted: false,
        details,
        updated_at: now,
    };
    if !q::messages::insert(tx, &message)? {
        let stored = q::messages::by_id(tx, id)?.ok_or(Error::Broken("a message whose id is taken is not there"))?;
        return repeated(stored, room_id, &message.author.id, true);
    }
    if let Some(file) = &posting.file {
        file.post(tx, id)?;
    }
    let seq = room.seq + 1;
    q::rooms::add_visitor_message(tx, q::rooms::Posted { room_id, seq, message_id: id, ts, now })?;
    if room.has_members {
        q::subscriptions::note_unread(tx, room_id, &message.author.id, i64::from(posting.counts_as_unread), now)?;
    }
    let change = Change { room_id: room_id.clone(), seq, kind: ChangeKind::MessagePosted, reference: id.clone() };
    q::changes::record(tx, change)?;
    Ok(message)
}
