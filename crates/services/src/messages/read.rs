//! Reading messages.

use usher_domain::message::Message;
use usher_domain::settings::HIDDEN_SYSTEM_MESSAGES;
use usher_domain::visitor::VisitorToken;
use usher_store::q;
use usher_store::q::messages::WrittenPage;

use super::visitor::{Unread, why_no_room};
use crate::logins::Account;
use crate::rooms::{may_read, readable, readable_or_refused};
use crate::{Error, Refusal, Services};

/// The most messages that one answer about changes has of each kind.
const CHANGES: i64 = 1_000;

/// Which messages of a room a user wants.
pub type WrittenQuery = WrittenPage;

/// A page of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedMessages {
    /// The messages.
    pub messages: Vec<Message>,
    /// How many there are.
    pub total: i64,
}

/// What happened to the messages of a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Messages that came or were edited.
    pub updated: Vec<Message>,
    /// Messages that were deleted.
    pub deleted: Vec<Message>,
}

/// A message with what stands before and after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// Whether there may be earlier ones.
    pub has_earlier: bool,
    /// Whether there may be later ones.
    pub has_later: bool,
}

impl Services {
    /// A message of a visitor's room.
    ///
    /// # Errors
    ///
    /// The room is not the visitor's, or there is no such message in it.
    pub async fn message_of_visitor(&self, token: VisitorToken, room_id: String, message_id: String) -> Result<Message, Error> {
        self.store
            .read(move |tx| {
                if q::rooms::for_posting(tx, &token, &room_id)?.is_none() {
                    return Err(why_no_room(tx, &token)?);
                }
                let found = q::messages::by_id(tx, &message_id)?;
                let found = found.filter(|message| message.room_id == room_id && !message.is_deleted && !message.is_hidden);
                found.ok_or(Refusal::InvalidMessage.into())
            })
            .await
    }

    /// What people wrote in a room, with the message that closed it, for a user who may read the room.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn written_in_room(&self, account: &Account, page: WrittenQuery) -> Result<ListedMessages, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let room = q::rooms::by_id(tx, &page.room_id)?.ok_or(Refusal::InvalidRoom)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::ReadingNotAllowed.into());
                }
                let (messages, total) = q::messages::written(tx, &page)?;
                Ok(ListedMessages { messages, total })
            })
            .await
    }

    /// What people wrote in a room, as far as it has a text in it, for a user who may read the room.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn search_room(&self, account: &Account, page: WrittenQuery) -> Result<ListedMessages, Error> {
        self.written_in_room(account, page).await.map_err(|error| match error {
            Error::Refused(Refusal::InvalidRoom) => Refusal::NoSuchRoom.into(),
            Error::Refused(Refusal::ReadingNotAllowed) => Refusal::RoomNotAllowed.into(),
            other => other,
        })
    }

    /// A message, for a user who may read its room; `None` if there is none for this user.
    pub async fn message(&self, account: &Account, message_id: String) -> Result<Option<Message>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let found = q::messages::by_id(tx, &message_id)?.filter(|message| !message.is_deleted && !message.is_hidden);
                let Some(message) = found else { return Ok(None) };
                Ok(readable(tx, &platform, &user, &message.room_id)?.map(|_| message))
            })
            .await
    }

    /// What happened to the messages of a room after `since` (milliseconds UTC), for a user who may read it.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn messages_changed_since(&self, account: &Account, room_id: String, since: i64) -> Result<Changed, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                readable_or_refused(tx, &platform, &user, &room_id)?;
                let (mut updated, changed) = q::messages::since(tx, &room_id, since, CHANGES)?;
                let (deleted, edited): (Vec<Message>, Vec<Message>) = changed.into_iter().partition(|message| message.is_deleted);
                updated.extend(edited.into_iter().filter(|message| message.ts <= since));
                updated.retain(|message| !message.is_hidden);
                Ok(Changed { updated, deleted })
            })
            .await
    }

    /// A page of a room's messages, newest first, for a user; `None` if there is no such room for this user.
    pub async fn history_for_user(
        &self,
        account: &Account,
        room_id: String,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Option<Vec<Message>>, Error> {
        let (platform, user, hidden) = (self.platform(), account.user.clone(), self.hidden_kinds());
        self.store
            .read(move |tx| {
                if readable(tx, &platform, &user, &room_id)?.is_none() {
                    return Ok(None);
                }
                let limit = limit.clamp(0, super::HISTORY_LIMIT);
                Ok(Some(q::messages::shown(tx, &room_id, before.unwrap_or(i64::MAX), limit, 0, &hidden)?))
            })
            .await
    }

    /// A room's messages after the moment `after` (milliseconds UTC), oldest first, for a user; `None` if there is no such room for this
    /// user.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn messages_after(
        &self,
        account: &Account,
        room_id: String,
        after: i64,
        limit: i64,
    ) -> Result<Option<Vec<Message>>, Error> {
        let (platform, user, hidden) = (self.platform(), account.user.clone(), self.hidden_kinds());
        self.store
            .read(move |tx| {
                if readable(tx, &platform, &user, &room_id)?.is_none() {
                    return Ok(None);
                }
                let limit = limit.clamp(0, super::HISTORY_LIMIT);
                Ok(Some(q::messages::shown_after(tx, &room_id, after, limit, &hidden)?))
            })
            .await
    }

    /// A message with what stands around it, `limit` messages in all, for a user; `None` if there is no such message for this user.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn surroundings(&self, account: &Account, message_id: String, limit: i64) -> Result<Option<Surroundings>, Error> {
        let (platform, user, hidden) = (self.platform(), account.user.clone(), self.hidden_kinds());
        let others = limit.clamp(1, super::HISTORY_LIMIT) - 1;
        let (before, after) = (others / 2, others - others / 2);
        self.store
            .read(move |tx| {
                let found = q::messages::by_id(tx, &message_id)?.filter(|message| !message.is_deleted && !message.is_hidden);
                let Some(middle) = found else { return Ok(None) };
                let Some(room) = readable(tx, &platform, &user, &middle.room_id)? else { return Ok(None) };
                let mut messages = q::messages::shown(tx, &room.id, middle.ts, before, 0, &hidden)?;
                let has_earlier = messages.len() as i64 == before;
                messages.reverse();
                let later = q::messages::shown_after(tx, &room.id, middle.ts, after, &hidden)?;
                let has_later = later.len() as i64 == after;
                messages.push(middle);
                messages.extend(later);
                Ok(Some(Surroundings { messages, has_earlier, has_later }))
            })
            .await
    }

    /// What is new in a room since `seen` (milliseconds UTC) and older than `loaded_from`, for a user who may read it.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn unread_of_user(&self, account: &Account, room_id: String, seen: i64, loaded_from: i64) -> Result<Unread, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                readable_or_refused(tx, &platform, &user, &room_id)?;
                let first = q::messages::first_after(tx, &room_id, seen)?;
                Ok(Unread { first, not_loaded: q::messages::count_between(tx, &room_id, seen, loaded_from)? })
            })
            .await
    }

    /// The types of messages that no history shows.
    pub(super) fn hidden_kinds(&self) -> Vec<String> {
        self.platform().settings.list(&HIDDEN_SYSTEM_MESSAGES).into_iter().map(str::to_owned).collect()
    }
}
