//! Editing and deleting messages.

use usher_domain::ChangeKind;
use usher_domain::message::{Edited, Message, REMOVED};
use usher_domain::permission::{DELETE_MESSAGE, DELETE_OWN_MESSAGE, EDIT_MESSAGE, FORCE_DELETE_MESSAGE};
use usher_domain::quote;
use usher_domain::room::{Person, next_message_ts};
use usher_domain::settings::{
    MESSAGE_DELETING, MESSAGE_DELETING_MINUTES, MESSAGE_EDITING, MESSAGE_EDITING_MINUTES, MESSAGE_KEEP_HISTORY,
    MESSAGE_SHOW_DELETED,
};
use usher_domain::visitor::VisitorToken;
use usher_store::{Tx, q};

use super::quotes::Quoting;
use super::visitor::why_no_room;
use crate::logins::Account;
use crate::rooms::{RoomWork, may_read};
use crate::{Error, Refusal, Services};

/// A minute in milliseconds.
const MINUTE: i64 = 60_000;

/// A message that is to be changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// The room it is in.
    pub room_id: String,
    /// The message.
    pub message_id: String,
}

/// A message that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The message, with what is left of it.
    pub message: Message,
    /// When it went (milliseconds UTC).
    pub at: i64,
}

/// What happens to what was written before.
#[derive(Debug, Clone, Copy)]
struct Keeping {
    /// Whether a hidden copy stays.
    keeps_history: bool,
    /// Whether a note stands where a message was.
    shows_deleted: bool,
}

impl Services {
    fn keeping(&self) -> Keeping {
        let settings = &self.platform().settings;
        Keeping { keeps_history: settings.get(&MESSAGE_KEEP_HISTORY), shows_deleted: settings.get(&MESSAGE_SHOW_DELETED) }
    }

    /// Gives a visitor's own message another text.
    ///
    /// # Errors
    ///
    /// The room is not the visitor's, there is no such message in it, or the visitor may not edit it.
    pub async fn edit_visitor_message(&self, token: VisitorToken, change: Change, text: String) -> Result<Message, Error> {
        let may_edit = self.platform().settings.get(&MESSAGE_EDITING);
        let is_too_long = self.is_too_long_for_visitors(&text);
        let (keeping, quotes, ids, now) = (self.keeping(), self.quotes(&text), self.ids(), self.now());
        self.store
            .write(move |tx| {
                let mut message = own_message(tx, &token, &change, may_edit)?;
                if is_too_long {
                    return Err(Refusal::MessageTooLong.into());
                }
                let quotes = quotes.attachments(tx, &Quoting::Visitor(&message.author.id))?;
                let former = message.clone();
                message.text.clone_from(&text);
                quote::set(&mut message.details, quotes);
                let by = Person { id: message.author.id.clone(), username: message.author.username.clone() };
                edit(&mut work_on(tx, &message, &mut ids.clone(), now)?, &former, message, by, keeping)
            })
            .await
    }

    /// Deletes a visitor's own message.
    ///
    /// # Errors
    ///
    /// The room is not the visitor's, there is no such message in it, or the visitor may not delete it.
    pub async fn delete_visitor_message(&self, token: VisitorToken, change: Change) -> Result<Deleted, Error> {
        let may_delete = self.platform().settings.get(&MESSAGE_DELETING);
        let (keeping, ids, now) = (self.keeping(), self.ids(), self.now());
        self.store
            .write(move |tx| {
                let message = own_message(tx, &token, &change, may_delete)?;
                let by = Person { id: message.author.id.clone(), username: message.author.username.clone() };
                delete(&mut work_on(tx, &message, &mut ids.clone(), now)?, message, by, keeping)
            })
            .await
            .inspect(|_| self.unsealed.notify_one())
    }

    /// Gives a message another text in a user's name.
    ///
    /// # Errors
    ///
    /// There is no such message in this room, or the user may not edit it.
    pub async fn edit_message(&self, account: &Account, change: Change, text: String) -> Result<Message, Error> {
        self.check_size_for_users(&text)?;
        let platform = self.platform();
        let user = account.user.clone();
        let may_edit_others = self.permits(&user, EDIT_MESSAGE);
        let is_on = platform.settings.get(&MESSAGE_EDITING);
        let minutes = platform.settings.get(&MESSAGE_EDITING_MINUTES);
        let (keeping, quotes, ids, now) = (self.keeping(), self.quotes(&text), self.ids(), self.now());
        self.store
            .write(move |tx| {
                let mut message = message_in(tx, &change)?;
                let room = q::rooms::by_id(tx, &message.room_id)?.ok_or(Refusal::NoSuchRoom)?;
                let is_own = message.author.id == user.id && !message.author.is_visitor;
                let may_edit = may_edit_others || is_own && is_on;
                if !may_edit || message.is_of_system() || !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::ActionNotAllowed("Message editing not allowed").into());
                }
                if minutes > 0 && now - message.ts > minutes * MINUTE {
                    return Err(Refusal::EditingBlocked.into());
                }
                let quotes = quotes.attachments(tx, &Quoting::User(&platform, &user, &room.visitor_id))?;
                let former = message.clone();
                message.text.clone_from(&text);
                quote::set(&mut message.details, quotes);
                let by = Person { id: user.id.clone(), username: user.username.clone() };
                edit(&mut RoomWork::on(tx, room, &mut ids.clone(), now), &former, message, by, keeping)
            })
            .await
    }

    /// Deletes a message in a user's name, or with `as_author` in the name of whoever wrote it.
    ///
    /// # Errors
    ///
    /// There is no such message in this room, or the user may not delete it.
    pub async fn delete_message(&self, account: &Account, change: Change, as_author: bool) -> Result<Deleted, Error> {
        let platform = self.platform();
        let user = account.user.clone();
        let (may_force, may_others) = (self.permits(&user, FORCE_DELETE_MESSAGE), self.permits(&user, DELETE_MESSAGE));
        let may_own = self.permits(&user, DELETE_OWN_MESSAGE);
        let is_on = platform.settings.get(&MESSAGE_DELETING);
        let minutes = platform.settings.get(&MESSAGE_DELETING_MINUTES);
        let (keeping, ids, now) = (self.keeping(), self.ids(), self.now());
        self.store
            .write(move |tx| {
                let message = message_in(tx, &change)?;
                let room = q::rooms::by_id(tx, &message.room_id)?.ok_or(Refusal::NoSuchRoom)?;
                let is_own = message.author.id == user.id && !message.author.is_visitor;
                if as_author && !is_own && !may_force {
                    return Err(Refusal::DeletingForAuthorNotAllowed.into());
                }
                let may_delete = may_force || is_on && (may_others || is_own && may_own);
                if !may_delete || !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::ActionNotAllowed("Not allowed").into());
                }
                if !may_force && minutes > 0 && now - message.ts > minutes * MINUTE {
                    return Err(Refusal::DeletingBlocked.into());
                }
                let (id, username) =
                    if as_author { (&message.author.id, &message.author.username) } else { (&user.id, &user.username) };
                let by = Person { id: id.clone(), username: username.clone() };
                delete(&mut RoomWork::on(tx, room, &mut ids.clone(), now), message, by, keeping)
            })
            .await
            .inspect(|_| self.unsealed.notify_one())
    }
}

/// The message that a visitor wants to change; it must be the visitor's own.
fn own_message(tx: &mut Tx<'_>, token: &VisitorToken, change: &Change, may_change: bool) -> Result<Message, Error> {
    let Some(room) = q::rooms::for_posting(tx, token, &change.room_id)? else { return Err(why_no_room(tx, token)?) };
    let found = q::messages::by_id(tx, &change.message_id)?;
    let found = found.filter(|message| message.room_id == change.room_id && !message.is_deleted && !message.is_hidden);
    let message = found.ok_or(Refusal::InvalidMessage)?;
    let is_own = message.author.is_visitor && message.author.id == room.visitor_id && !message.is_of_system();
    if may_change && is_own { Ok(message) } else { Err(Refusal::MessageNotOwn.into()) }
}

/// The message that a user wants to change.
fn message_in(tx: &mut Tx<'_>, change: &Change) -> Result<Message, Error> {
    let found = q::messages::by_id(tx, &change.message_id)?.filter(|message| !message.is_deleted && !message.is_hidden);
    let message = found.ok_or_else(|| Refusal::NoSuchMessage(change.message_id.clone()))?;
    if message.room_id == change.room_id { Ok(message) } else { Err(Refusal::MessageOfOtherRoom.into()) }
}

fn work_on<'a, 'c>(
    tx: &'a mut Tx<'c>,
    message: &Message,
    ids: &'a mut usher_domain::id::Sequence,
    now: i64,
) -> Result<RoomWork<'a, 'c>, Error> {
    let room = q::rooms::by_id(tx, &message.room_id)?.ok_or(Refusal::InvalidRoom)?;
    Ok(RoomWork::on(tx, room, ids, now))
}

/// Stores a message whose text was changed by somebody.
fn edit(work: &mut RoomWork<'_, '_>, former: &Message, message: Message, by: Person, keeping: Keeping) -> Result<Message, Error> {
    if keeping.keeps_history {
        keep_copy(work, former)?;
    }
    let edited = Some(Edited { at: work.now, by });
    let message = Message { edited, updated_at: work.now, ..message };
    q::messages::change(work.tx, &message)?;
    work.note(ChangeKind::MessageChanged, &message.id)?;
    q::rooms::save_posted(work.tx, &work.room)?;
    Ok(message)
}

fn delete(work: &mut RoomWork<'_, '_>, message: Message, by: Person, keeping: Keeping) -> Result<Deleted, Error> {
    let now = work.now;
    if keeping.keeps_history {
        keep_copy(work, &message)?;
    } else {
        q::files::remove_of_message(work.tx, &message.id, now)?;
    }
    if keeping.shows_deleted {
        let edited = Some(Edited { at: now, by });
        let details = serde_json::Map::new();
        let kind = Some(REMOVED.to_owned());
        q::messages::change(work.tx, &Message { text: String::new(), kind, edited, details, updated_at: now, ..message.clone() })?;
    } else {
        q::messages::delete(work.tx, &message.id, now)?;
        work.room.message_count -= 1;
    }
    if work.room.last_message_id.as_ref() == Some(&message.id) {
        let latest = q::messages::latest_shown(work.tx, &work.room.id)?;
        work.room.last_message_at = latest.as_ref().map_or(work.room.opened_at, |latest| latest.ts);
        work.room.last_message_id = latest.map(|latest| latest.id);
    }
    work.note(ChangeKind::MessageChanged, &message.id)?;
    q::rooms::save_posted(work.tx, &work.room)?;
    Ok(Deleted { message, at: now })
}

/// Keeps what a message said, where no history shows it.
fn keep_copy(work: &mut RoomWork<'_, '_>, message: &Message) -> Result<(), Error> {
    let ts = next_message_ts(work.now, work.room.last_ts);
    let mut details = message.details.clone();
    details.insert("parent".to_owned(), message.id.clone().into());
    let copy = Message { id: work.ids.next_id(), ts, is_hidden: true, details, updated_at: work.now, ..message.clone() };
    if !q::messages::insert(work.tx, &copy)? {
        return Err(Error::Broken("an id that was made just now is taken"));
    }
    work.room.last_ts = ts;
    Ok(())
}
