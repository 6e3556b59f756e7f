//! What users post.

use serde_json::{Map, Value};
use usher_domain::message::{Author, Message};
use usher_domain::metrics;
use usher_domain::permission::MESSAGE_IMPERSONATE;
use usher_domain::quote;
use usher_domain::role::BOT;
use usher_domain::room::{Person, Room, next_message_ts};
use usher_domain::settings::{
    ABANDONED_ROOMS_ACTION, IGNORE_AUTOMATIC_MESSAGES, MESSAGE_MAX_ALLOWED_SIZE, VISITOR_INACTIVITY_SECONDS,
};
use usher_domain::{ChangeKind, time};
use usher_store::{Tx, q};

use super::quotes::Quoting;
use super::repeated;
use crate::files::ShownFile;
use crate::logins::Account;
use crate::rooms::{RoomWork, may_read};
use crate::{Error, Refusal, Services};

/// The most bytes of what a client adds to a message, as JSON.
const DETAILS_SIZE: usize = 64 << 10;

/// The most levels that it has.
const DETAILS_DEPTH: usize = 16;

/// A message as a user sends it.
#[derive(Debug, Clone, Default)]
pub struct UserMessage {
    /// The room.
    pub room_id: String,
    /// The text.
    pub text: String,
    /// The id that the client chose: sending it again stores nothing and answers the same.
    pub id: Option<String>,
    /// What else belongs to it, by the names of the wire.
    pub details: Map<String, Value>,
}

/// What counts as an answer, and what follows from one.
#[derive(Clone, Copy)]
struct Counting {
    /// Whether this author's messages are answers.
    is_answer: bool,
    /// After how many milliseconds without a word the visitor counts as gone, unless the department says otherwise; `None` where
    /// nothing is done about those who are.
    patience: Option<i64>,
    /// Whether the other members have not read it.
    counts_as_unread: bool,
}

impl Services {
    /// Stores a user's message. The answer comes after it is durable.
    ///
    /// # Errors
    ///
    /// There is no such room, the user may not read it, it is closed, or the text is too long.
    pub async fn post_user_message(&self, account: &Account, message: UserMessage) -> Result<Message, Error> {
        self.post_user_message_with(account, message, None).await
    }

    /// The same for a message that may show a file.
    pub(crate) async fn post_user_message_with(
        &self,
        account: &Account,
        message: UserMessage,
        file: Option<ShownFile>,
    ) -> Result<Message, Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        self.check_size_for_users(&message.text)?;
        check_details(&message.details)?;
        let user = account.user.clone();
        let is_in_other_name = ["alias", "avatar"].iter().any(|name| message.details.contains_key(*name));
        if is_in_other_name && !self.permits(&user, MESSAGE_IMPERSONATE) {
            return Err(Refusal::NotEnoughPermission.into());
        }
        let quotes = self.quotes(&message.text);
        let ignores = settings.get(&IGNORE_AUTOMATIC_MESSAGES) && user.roles.iter().any(|role| role == BOT);
        let acts = settings.choice(&ABANDONED_ROOMS_ACTION) != "none";
        let counting = Counting {
            is_answer: !ignores,
            patience: acts.then(|| settings.get(&VISITOR_INACTIVITY_SECONDS) * 1_000),
            counts_as_unread: self.counts_as_unread(),
        };
        let id = message.id.clone().unwrap_or_else(|| self.new_id());
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &message.room_id)?.ok_or(Refusal::NoSuchRoom)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                if let Some(stored) = q::messages::by_id(tx, &id)? {
                    return repeated(stored, &room.id, &user.id, false);
                }
                if !room.is_open {
                    return Err(Refusal::RoomClosed.into());
                }
                let mut details = message.details.clone();
                check_thread(tx, &room, &details)?;
                quote::set(&mut details, quotes.attachments(tx, &Quoting::User(&platform, &user, &room.visitor_id))?);
                if let Some(file) = &file {
                    file.describe(&mut details);
                    file.post(tx, &id)?;
                }
                let message = Message {
                    id: id.clone(),
                    room_id: room.id.clone(),
                    ts: next_message_ts(now, room.last_ts),
                    kind: None,
                    text: message.text.clone(),
                    author: Author::from(&user),
                    edited: None,
                    is_hidden: false,
                    is_deleted: false,
                    details,
                    updated_at: now,
                };
                let mut ids = ids.clone();
                append(RoomWork::on(tx, room, &mut ids, now), message, counting)
            })
            .await
    }

    /// Refuses a text that is longer than users' messages may be.
    pub(super) fn check_size_for_users(&self, text: &str) -> Result<(), Error> {
        let limit = usize::try_from(self.platform().settings.get(&MESSAGE_MAX_ALLOWED_SIZE)).unwrap_or(usize::MAX);
        // Clients count in UTF-16 units.
        if text.encode_utf16().count() > limit { Err(Refusal::MessageSizeExceeded.into()) } else { Ok(()) }
    }
}

/// Refuses more than is kept with a message.
fn check_details(details: &Map<String, Value>) -> Result<(), Error> {
    let details = Value::Object(details.clone());
    let is_too_much = is_deeper_than(DETAILS_DEPTH, &details) || details.to_string().len() > DETAILS_SIZE;
    if is_too_much { Err(Refusal::MessageSizeExceeded.into()) } else { Ok(()) }
}

fn is_deeper_than(levels: usize, value: &Value) -> bool {
    let deeper = |value: &Value| is_deeper_than(levels.saturating_sub(1), value);
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(deeper),
        Value::Object(members) => levels == 0 || members.values().any(deeper),
        _ => false,
    }
}

/// Refuses an answer to a message that is not in the room.
fn check_thread(tx: &mut Tx<'_>, room: &Room, details: &Map<String, Value>) -> Result<(), Error> {
    let Some(id) = details.get("tmid").and_then(Value::as_str) else { return Ok(()) };
    let found = q::messages::by_id(tx, id)?.filter(|message| message.room_id == room.id && !message.is_deleted);
    if found.is_some() { Ok(()) } else { Err(Refusal::NoSuchThread.into()) }
}

fn append(mut work: RoomWork<'_, '_>, message: Message, counting: Counting) -> Result<Message, Error> {
    if !q::messages::insert(work.tx, &message)? {
        return Err(Error::Broken("a message is there that was not there just now"));
    }
    let (now, ts) = (work.now, message.ts);
    work.room.message_count += 1;
    work.room.last_message_id = Some(message.id.clone());
    work.room.last_message_at = ts;
    work.room.last_ts = ts;
    if counting.is_answer {
        let author = Person { id: message.author.id.clone(), username: message.author.username.clone() };
        let patience = patience(work.tx, &work.room, counting)?;
        metrics::agent_wrote(&mut work.room, &author, ts, now, patience);
        note_activity(&mut work)?;
    }
    work.note_unread(&message.author.id, counting.counts_as_unread)?;
    work.note(ChangeKind::MessagePosted, &message.id)?;
    q::rooms::save_posted(work.tx, &work.room)?;
    Ok(message)
}

/// After how long the visitor of this room counts as gone.
fn patience(tx: &mut Tx<'_>, room: &Room, counting: Counting) -> Result<Option<i64>, Error> {
    let Some(of_everybody) = counting.patience else { return Ok(None) };
    let department = q::departments::of_room(tx, room)?;
    let of_department = department.and_then(|department| department.inactivity_seconds());
    Ok(Some(of_department.map_or(of_everybody, |seconds| seconds * 1_000)))
}

/// Notes for contact and room that an agent answered in this month.
fn note_activity(work: &mut RoomWork<'_, '_>) -> Result<(), Error> {
    let month = time::month(work.now);
    let mut activity = q::contacts::activity(work.tx, &work.room.contact_id)?;
    if metrics::note_month(&mut activity, &month) {
        q::contacts::set_activity(work.tx, &work.room.contact_id, &activity, work.now)?;
    }
    work.room.visitor_activity = activity;
    Ok(())
}
