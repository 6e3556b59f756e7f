//! Omnichannel rooms.

use usher_domain::room::{Room, Source, SourceKind};
use usher_domain::visitor::VisitorToken;

use super::statements;
use crate::{Row, StoreError, Tx, values};

/// A room with all that is shown of it.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, visitor_id, visitor_username, visitor_status, contact_id, name, department_id, source_type,
                    source_destination, is_open, waiting_response, message_count, users_count, seq, last_message_id, opened_at,
                    last_message_at, queued_at, visitor_last_message_at, visitor_waiting_since, closed_at, updated_at
             FROM rooms WHERE NOT erasing AND ",
            $condition
        )
    };
}

statements! {
    BY_ID = select!("id = ?1");
    FIRST_OPEN = select!("visitor_id = ?1 AND is_open ORDER BY opened_at, id LIMIT 1");
    OPEN = select!("visitor_id = ?1 AND is_open");
    HAS_OPEN = "SELECT 1 FROM rooms WHERE visitor_id = ?1 AND is_open LIMIT 1";
    INSERT = "INSERT INTO rooms (id, visitor_id, visitor_username, visitor_status, contact_id, name, department_id, source_type,
                                 source_destination, is_open, erasing, waiting_response, message_count, users_count, seq,
                                 opened_at, last_message_at, queued_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, TRUE, FALSE, TRUE, ?10, ?11, ?12, ?13, ?13, ?13, ?13)";
    RENAME = "UPDATE rooms SET name = ?2, seq = ?3, updated_at = ?4 WHERE id = ?1";
    FOR_POSTING = "SELECT visitor.id, visitor.username, visitor.name, room.is_open, room.last_message_at, room.seq, channel.blocked
                   FROM visitors AS visitor
                   JOIN rooms AS room ON room.id = ?2 AND room.visitor_id = visitor.id AND NOT room.erasing
                   LEFT JOIN contact_channels AS channel
                   ON channel.visitor_id = visitor.id AND channel.source_type = room.source_type
                   WHERE visitor.token = ?1";
    ADD_VISITOR_MESSAGE = "UPDATE rooms SET seq = ?2, message_count = message_count + 1, last_message_id = ?3, last_message_at = ?4,
                                  updated_at = ?5, visitor_last_message_at = ?4, waiting_response = TRUE,
                                  visitor_waiting_since = COALESCE(visitor_waiting_since, ?4)
                           WHERE id = ?1";
    ADD_SYSTEM_MESSAGE = "UPDATE rooms SET seq = ?2, message_count = message_count + 1, last_message_id = ?3, last_message_at = ?4,
                                 updated_at = ?5
                          WHERE id = ?1";
    HIDE = "UPDATE rooms SET erasing = TRUE, is_open = FALSE WHERE visitor_id = ?1";
    OF_VISITOR = "SELECT id, seq FROM rooms WHERE visitor_id = ?1";
    DELETE_OF_VISITOR = "DELETE FROM rooms WHERE visitor_id = ?1";
}

/// A room as stored, with the id of its latest message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The room.
    pub room: Room,
    /// Its latest message.
    pub last_message_id: Option<String>,
}

/// What posting a message has to know of the room and its visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForPosting {
    /// The visitor.
    pub visitor_id: String,
    /// The visitor's user name.
    pub visitor_username: String,
    /// The visitor's display name.
    pub visitor_name: Option<String>,
    /// Whether the room is open.
    pub is_open: bool,
    /// The time of the room's latest message.
    pub last_message_at: i64,
    /// The number of the room's latest change.
    pub seq: i64,
    /// Whether the contact blocked this channel.
    pub is_blocked: bool,
}

/// A message on its way into a room's record.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The room.
    pub room_id: &'a str,
    /// The number of the change.
    pub seq: i64,
    /// The message.
    pub message_id: &'a str,
    /// The message's time.
    pub ts: i64,
    /// The time of the change.
    pub now: i64,
}

/// The room with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The visitor's open room, the oldest if there are several.
pub fn first_open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Option<Stored>, StoreError> {
    tx.query_optional(FIRST_OPEN, values![visitor_id], read)
}

/// All open rooms of the visitor: at most one for each source.
pub fn open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<Stored>, StoreError> {
    tx.query(OPEN, values![visitor_id], read)
}

/// Whether the visitor has an open room.
pub fn has_open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(HAS_OPEN, values![visitor_id], |_| Ok(()))?.is_some())
}

/// Adds an open room.
pub fn insert(tx: &mut Tx<'_>, room: &Room) -> Result<(), StoreError> {
    tx.execute_one(
        INSERT,
        values![
            &room.id,
            &room.visitor_id,
            &room.visitor_username,
            &room.visitor_status,
            &room.contact_id,
            &room.name,
            &room.department_id,
            room.source.kind.name(),
            &room.source.destination,
            room.message_count,
            room.users_count,
            room.seq,
            room.opened_at,
        ],
    )
}

/// Gives a room another name, as change `seq`.
pub fn rename(tx: &mut Tx<'_>, id: &str, name: &str, seq: i64, now: i64) -> Result<(), StoreError> {
    tx.execute_one(RENAME, values![id, name, seq, now])
}

/// The room and visitor for a message by the holder of `token`; `None` unless the room is that visitor's.
pub fn for_posting(tx: &mut Tx<'_>, token: &VisitorToken, room_id: &str) -> Result<Option<ForPosting>, StoreError> {
    tx.query_optional(FOR_POSTING, values![token.as_str(), room_id], |row| {
        Ok(ForPosting {
            visitor_id: row.text(0)?,
            visitor_username: row.text(1)?,
            visitor_name: row.optional_text(2)?,
            is_open: row.boolean(3)?,
            last_message_at: row.integer(4)?,
            seq: row.integer(5)?,
            is_blocked: row.optional_boolean(6)?.unwrap_or(false),
        })
    })
}

/// Notes a visitor's message in the room's record.
pub fn add_visitor_message(tx: &mut Tx<'_>, posted: Posted<'_>) -> Result<(), StoreError> {
    add_message(tx, ADD_VISITOR_MESSAGE, posted)
}

/// Notes a system message in the room's record.
pub fn add_system_message(tx: &mut Tx<'_>, posted: Posted<'_>) -> Result<(), StoreError> {
    add_message(tx, ADD_SYSTEM_MESSAGE, posted)
}

fn add_message(tx: &mut Tx<'_>, sql: &str, posted: Posted<'_>) -> Result<(), StoreError> {
    tx.execute_one(sql, values![posted.room_id, posted.seq, posted.message_id, posted.ts, posted.now])
}

/// Hides all rooms of a visitor whose erasure begins.
pub fn hide(tx: &mut Tx<'_>, visitor_id: &str) -> Result<(), StoreError> {
    tx.execute(HIDE, values![visitor_id]).map(|_| ())
}

/// The ids of a visitor's rooms, hidden ones included, with their `seq`.
pub fn of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(OF_VISITOR, values![visitor_id], |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// Deletes a visitor's rooms. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id])
}

fn read(row: &Row<'_>) -> Result<Stored, StoreError> {
    let kind = SourceKind::from_name(&row.text(7)?).ok_or(StoreError::Column(7))?;
    let room = Room {
        id: row.text(0)?,
        visitor_id: row.text(1)?,
        visitor_username: row.text(2)?,
        visitor_status: row.text(3)?,
        contact_id: row.text(4)?,
        name: row.text(5)?,
        department_id: row.optional_text(6)?,
        source: Source { kind, destination: row.optional_text(8)? },
        is_open: row.boolean(9)?,
        waiting_response: row.boolean(10)?,
        message_count: row.integer(11)?,
        users_count: row.integer(12)?,
        seq: row.integer(13)?,
        opened_at: row.integer(15)?,
        last_message_at: row.integer(16)?,
        queued_at: row.integer(17)?,
        visitor_last_message_at: row.optional_integer(18)?,
        visitor_waiting_since: row.optional_integer(19)?,
        closed_at: row.optional_integer(20)?,
        updated_at: row.integer(21)?,
    };
    Ok(Stored { room, last_message_id: row.optional_text(14)? })
}
