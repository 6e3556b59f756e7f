//! Rooms as users have them: the list of one's own, what is new in each, and looking at a room.

use std::collections::HashMap;

use usher_domain::ChangeKind;
use usher_domain::room::Room;
use usher_domain::subscription::Subscription;
use usher_store::q::subscriptions::Removed;
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::logins::Account;
use crate::platform::Platform;
use crate::rooms::{RoomReader, RoomWithMessage, RoomWork, may_read, readable_or_refused};
use crate::{Error, Refusal, Services};

/// The most rooms that one answer has.
const MOST: i64 = 1_000;

/// A subscription with its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedRoom {
    /// The subscription.
    pub subscription: Subscription,
    /// The room.
    pub room: Room,
}

/// What changed in a user's list.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedList<T> {
    /// What came or changed.
    pub updated: Vec<T>,
    /// What is gone.
    pub removed: Vec<Removed>,
}

impl Services {
    /// A room, for a user who may read it.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn room_for_user(&self, account: &Account, room_id: String) -> Result<RoomWithMessage, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::RoomNotFound)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomInfoNotAllowed.into());
                }
                Ok(RoomWithMessage::read(tx, room)?)
            })
            .await
    }

    /// The users who have a room in their list, by user name, for a user who may read it.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn members_of_room(&self, account: &Account, room_id: String) -> Result<Vec<User>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let room = readable_or_refused(tx, &platform, &user, &room_id)?;
                let members = q::subscriptions::of_room(tx, &room.id)?;
                let ids: Vec<&str> = members.iter().map(|member| member.user_id.as_str()).collect();
                let mut users = q::users::by_ids(tx, &ids)?;
                users.sort_by(|one, other| one.username.cmp(&other.username));
                Ok(users)
            })
            .await
    }

    /// The rooms in a user's list, or with `since` (milliseconds UTC) those that changed after it, and those that are gone.
    pub async fn rooms_of_user(&self, account: &Account, since: Option<i64>) -> Result<ChangedList<RoomWithMessage>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let reader = RoomReader::of(tx, &platform, &user)?;
                let mut rooms = q::subscriptions::rooms_of_user(tx, &user.id, since.unwrap_or(i64::MIN), MOST)?;
                rooms.retain(|room| reader.may_read(room));
                let updated = RoomWithMessage::read_all(tx, rooms)?;
                let mut removed = Vec::new();
                for gone in removed_since(tx, &user, since)? {
                    // Somebody can lose a room and get it back.
                    if q::subscriptions::of_user_in(tx, &gone.room_id, &user.id)?.is_none() {
                        removed.push(gone);
                    }
                }
                Ok(ChangedList { updated, removed })
            })
            .await
    }

    /// A user's subscriptions, or with `since` (milliseconds UTC) those that changed after it, and those that are gone.
    pub async fn subscriptions_of_user(&self, account: &Account, since: Option<i64>) -> Result<ChangedList<SubscribedRoom>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let subscriptions = q::subscriptions::of_user(tx, &user.id, since.unwrap_or(i64::MIN), MOST)?;
                let updated = with_rooms(tx, &platform, &user, subscriptions)?;
                Ok(ChangedList { updated, removed: removed_since(tx, &user, since)? })
            })
            .await
    }

    /// A user's subscription to a room, if there is one.
    pub async fn subscription_of_user(&self, account: &Account, room_id: String) -> Result<Option<SubscribedRoom>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let subscription = q::subscriptions::of_user_in(tx, &room_id, &user.id)?;
                Ok(with_rooms(tx, &platform, &user, subscription.into_iter().collect())?.pop())
            })
            .await
    }

    /// Notes that a user has read all of a room, and tells the room up to when all its members have.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn mark_read(&self, account: &Account, room_id: String) -> Result<(), Error> {
        let read = self.change_subscription(account, room_id.clone(), |tx, room, subscription, now| {
            // Times of messages rise even when the clock does not.
            let seen = now.max(room.last_ts);
            subscription.last_seen_at = Some(seen);
            subscription.unread = 0;
            subscription.mentions = 0;
            subscription.alert = false;
            let members = q::subscriptions::of_room(tx, &room.id)?.into_iter();
            let others = members.filter(|member| member.user_id != subscription.user_id);
            // Who has never looked has read nothing.
            Ok(others.map(|member| member.last_seen_at).min().map_or(Some(seen), |least| least.map(|least| least.min(seen))))
        });
        if let Some(until) = read.await? {
            self.tell_read(&room_id, until);
        }
        Ok(())
    }

    /// Notes that a user has not read a room from its latest message on, or from the message `first`.
    ///
    /// # Errors
    ///
    /// There is no such room or message, the user may not read it, or the message is the user's own.
    pub async fn mark_unread(&self, account: &Account, room_id: Option<String>, first: Option<String>) -> Result<(), Error> {
        let room_id = match (room_id, &first) {
            (Some(room_id), _) => room_id,
            (None, Some(first)) => {
                let message = self.message(account, first.clone()).await?.ok_or(Refusal::NoMessageForUnread)?;
                if message.author.id == account.user.id {
                    return Err(Refusal::ActionNotAllowed("Not allowed").into());
                }
                message.room_id
            }
            (None, None) => return Err(Refusal::NoMessageForUnread.into()),
        };
        self.change_subscription(account, room_id, move |tx, room, subscription, _| {
            let message = match &first {
                Some(id) => q::messages::by_id(tx, id)?.filter(|message| message.room_id == room.id && !message.is_deleted),
                None => q::messages::latest_written(tx, &room.id)?,
            };
            let message = message.ok_or(Refusal::NoMessageForUnread)?;
            subscription.last_seen_at = Some(message.ts - 1);
            subscription.alert = true;
            Ok(())
        })
        .await
    }

    /// Shows a room in a user's list, or shows it no more until something new comes.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn show_room(&self, account: &Account, room_id: String, is_shown: bool) -> Result<(), Error> {
        self.change_subscription(account, room_id, move |_, _, subscription, _| {
            subscription.is_shown = is_shown;
            Ok(())
        })
        .await
    }

    /// Changes a user's subscription to a room, if there is one. Gives what the change gives.
    async fn change_subscription<T: Default + Send + 'static>(
        &self,
        account: &Account,
        room_id: String,
        change: impl Fn(&mut Tx<'_>, &Room, &mut Subscription, i64) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::RoomNotAllowed)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                let Some(mut subscription) = q::subscriptions::of_user_in(tx, &room.id, &user.id)? else { return Ok(T::default()) };
                subscription.is_shown = true;
                let done = change(tx, &room, &mut subscription, now)?;
                subscription.updated_at = now;
                q::subscriptions::save(tx, &subscription)?;
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                work.note(ChangeKind::MemberChanged, &user.id)?;
                q::rooms::save_posted(work.tx, &work.room)?;
                Ok(done)
            })
            .await
    }
}

/// What a user lost after `since`; nothing without it.
fn removed_since(tx: &mut Tx<'_>, user: &User, since: Option<i64>) -> Result<Vec<Removed>, Error> {
    match since {
        Some(since) => Ok(q::subscriptions::removed_of_user(tx, &user.id, since, MOST)?),
        None => Ok(Vec::new()),
    }
}

/// A user's subscriptions with their rooms, as far as the user may read those.
fn with_rooms(
    tx: &mut Tx<'_>,
    platform: &Platform,
    user: &User,
    subscriptions: Vec<Subscription>,
) -> Result<Vec<SubscribedRoom>, Error> {
    let reader = RoomReader::of(tx, platform, user)?;
    let ids: Vec<&str> = subscriptions.iter().map(|subscription| subscription.room_id.as_str()).collect();
    let found = q::rooms::by_ids(tx, &ids)?.into_iter().filter(|room| reader.may_read(room));
    let mut rooms: HashMap<String, Room> = found.map(|room| (room.id.clone(), room)).collect();
    let with_room = |subscription: Subscription| {
        let room = rooms.remove(&subscription.room_id)?;
        Some(SubscribedRoom { subscription, room })
    };
    Ok(subscriptions.into_iter().filter_map(with_room).collect())
}
