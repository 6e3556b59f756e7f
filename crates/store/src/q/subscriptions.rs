//! Subscriptions: which rooms users have in their lists, and what they have not read of them.

use usher_domain::room::Room;
use usher_domain::subscription::Subscription;

use super::{rooms, statements};
use crate::{Columns, Row, StoreError, Tx, values};

/// A subscription with all that is shown of it.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT subscriptions.id, subscriptions.room_id, subscriptions.user_id, users.username, subscriptions.unread,
                    subscriptions.mentions, subscriptions.alert, subscriptions.is_shown, subscriptions.is_favorite,
                    subscriptions.last_seen_at, subscriptions.created_at, subscriptions.updated_at
             FROM subscriptions JOIN users ON users.id = subscriptions.user_id WHERE ",
            $condition
        )
    };
}

statements! {
    OF_USER_IN = select!("subscriptions.room_id = ?1 AND subscriptions.user_id = ?2");
    OF_ROOM = select!("subscriptions.room_id = ?1 ORDER BY subscriptions.id");
    OF_USER = select!("subscriptions.user_id = ?1 AND subscriptions.updated_at > ?2 ORDER BY subscriptions.updated_at LIMIT ?3");
    ROOMS_OF_USER = rooms::select!(
        "WHERE NOT erasing AND id IN (SELECT room_id FROM subscriptions WHERE user_id = ?1) AND updated_at > ?2 LIMIT ?3"
    );
    REMOVED_OF_USER = "SELECT id, room_id, removed_at FROM removed_subscriptions WHERE user_id = ?1 AND removed_at > ?2
                       ORDER BY removed_at LIMIT ?3";
    CHANGED_SINCE = "SELECT room_id FROM subscriptions WHERE user_id = ?1 AND updated_at > ?2 ORDER BY updated_at LIMIT ?3";
    REMOVED_FROM = "SELECT id, room_id, removed_at FROM removed_subscriptions WHERE user_id = ?1 AND room_id = ?2
                    ORDER BY removed_at DESC LIMIT 1";
    INSERT = "INSERT INTO subscriptions (id, room_id, user_id, unread, mentions, alert, is_shown, is_favorite, last_seen_at, created_at,
                                         updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, TRUE, FALSE, NULL, ?7, ?7)";
    SAVE = "UPDATE subscriptions SET unread = ?2, mentions = ?3, alert = ?4, is_shown = ?5, is_favorite = ?6, last_seen_at = ?7,
                   updated_at = ?8
            WHERE id = ?1";
    NOTE_UNREAD = "UPDATE subscriptions SET unread = unread + ?3, alert = TRUE, is_shown = TRUE, updated_at = ?4
                   WHERE room_id = ?1 AND user_id <> ?2";
    TOUCH = "UPDATE subscriptions SET updated_at = ?2 WHERE room_id = ?1";
    DELETE = "DELETE FROM subscriptions WHERE id = ?1";
    NOTE_REMOVED = "INSERT INTO removed_subscriptions (id, user_id, room_id, removed_at) VALUES (?1, ?2, ?3, ?4)";
    FORGET_REMOVED = "DELETE FROM removed_subscriptions WHERE removed_at < ?1";
    NOTE_REMOVED_OF_VISITOR = "INSERT INTO removed_subscriptions (id, user_id, room_id, removed_at)
        SELECT subscriptions.id, subscriptions.user_id, subscriptions.room_id, CAST(?2 AS BIGINT) FROM rooms
        JOIN subscriptions ON subscriptions.room_id = rooms.id WHERE rooms.visitor_id = ?1";
    DELETE_OF_VISITOR = "DELETE FROM subscriptions WHERE room_id IN (SELECT id FROM rooms WHERE visitor_id = ?1)";
}

/// A subscription that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its id.
    pub id: String,
    /// The room.
    pub room_id: String,
    /// When it went (milliseconds UTC).
    pub at: i64,
}

/// A user's subscription to a room.
pub fn of_user_in(tx: &mut Tx<'_>, room_id: &str, user_id: &str) -> Result<Option<Subscription>, StoreError> {
    tx.query_optional(OF_USER_IN, values![room_id, user_id], read)
}

/// All subscriptions to a room.
pub fn of_room(tx: &mut Tx<'_>, room_id: &str) -> Result<Vec<Subscription>, StoreError> {
    tx.query(OF_ROOM, values![room_id], read)
}

/// A user's subscriptions that changed after `since`, at most `limit`.
pub fn of_user(tx: &mut Tx<'_>, user_id: &str, since: i64, limit: i64) -> Result<Vec<Subscription>, StoreError> {
    tx.query(OF_USER, values![user_id, since, limit], read)
}

/// The rooms of a user's subscriptions that changed after `since`, at most `limit`.
pub fn rooms_of_user(tx: &mut Tx<'_>, user_id: &str, since: i64, limit: i64) -> Result<Vec<Room>, StoreError> {
    tx.query(ROOMS_OF_USER, values![user_id, since, limit], rooms::read)
}

/// A user's subscriptions that went after `since`, at most `limit`.
pub fn removed_of_user(tx: &mut Tx<'_>, user_id: &str, since: i64, limit: i64) -> Result<Vec<Removed>, StoreError> {
    tx.query(REMOVED_OF_USER, values![user_id, since, limit], read_removed)
}

/// The rooms of a user's subscriptions that changed after `since`, and of those that went, at most `limit` of each.
pub fn rooms_changed_since(tx: &mut Tx<'_>, user_id: &str, since: i64, limit: i64) -> Result<Vec<String>, StoreError> {
    let mut rooms = tx.query(CHANGED_SINCE, values![user_id, since, limit], |row| row.text(0))?;
    rooms.extend(removed_of_user(tx, user_id, since, limit)?.into_iter().map(|removed| removed.room_id));
    Ok(rooms)
}

/// What a user lost last of a room's subscriptions, if anything.
pub fn removed_from(tx: &mut Tx<'_>, user_id: &str, room_id: &str) -> Result<Option<Removed>, StoreError> {
    tx.query_optional(REMOVED_FROM, values![user_id, room_id], read_removed)
}

/// Adds a subscription.
pub fn insert(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), StoreError> {
    tx.execute_one(
        INSERT,
        values![
            &subscription.id,
            &subscription.room_id,
            &subscription.user_id,
            subscription.unread,
            subscription.mentions,
            subscription.alert,
            subscription.created_at,
        ],
    )
}

/// Stores what may change of a subscription.
pub fn save(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), StoreError> {
    tx.execute_one(
        SAVE,
        values![
            &subscription.id,
            subscription.unread,
            subscription.mentions,
            subscription.alert,
            subscription.is_shown,
            subscription.is_favorite,
            subscription.last_seen_at,
            subscription.updated_at,
        ],
    )
}

/// Notes for all members of a room but `author_id` that there is something new, and `unread` messages more that they have not read.
pub fn note_unread(tx: &mut Tx<'_>, room_id: &str, author_id: &str, unread: i64, now: i64) -> Result<(), StoreError> {
    tx.execute(NOTE_UNREAD, values![room_id, author_id, unread, now]).map(|_| ())
}

/// Notes that something of the room changed that its subscriptions show.
pub fn touch(tx: &mut Tx<'_>, room_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(TOUCH, values![room_id, now]).map(|_| ())
}

/// Removes a subscription and remembers that it is gone.
pub fn remove(tx: &mut Tx<'_>, subscription: &Subscription, now: i64) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![&subscription.id])?;
    tx.execute_one(NOTE_REMOVED, values![&subscription.id, &subscription.user_id, &subscription.room_id, now])
}

/// Forgets what was removed before the time `before`.
pub fn forget_removed(tx: &mut Tx<'_>, before: i64) -> Result<u64, StoreError> {
    tx.execute(FORGET_REMOVED, values![before])
}

/// Removes all subscriptions to a visitor's rooms. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(NOTE_REMOVED_OF_VISITOR, values![visitor_id, now])?;
    tx.execute(DELETE_OF_VISITOR, values![visitor_id])
}

fn read_removed(row: &Row<'_>) -> Result<Removed, StoreError> {
    Ok(Removed { id: row.text(0)?, room_id: row.text(1)?, at: row.integer(2)? })
}

fn read(row: &Row<'_>) -> Result<Subscription, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(Subscription {
        id: columns.text()?,
        room_id: columns.text()?,
        user_id: columns.text()?,
        username: columns.text()?,
        unread: columns.integer()?,
        mentions: columns.integer()?,
        alert: columns.boolean()?,
        is_shown: columns.boolean()?,
        is_favorite: columns.boolean()?,
        last_seen_at: columns.optional_integer()?,
        created_at: columns.integer()?,
        updated_at: columns.integer()?,
    })
}
