//! Messages.

use usher_domain::message::{Author, Message};

use super::statements;
use crate::{Row, StoreError, Tx, values};

/// A message with all that is shown of it.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, room_id, ts, kind, text, author_id, author_username, author_name, by_visitor, updated_at
             FROM messages WHERE ",
            $condition
        )
    };
}

statements! {
    BY_ID = select!("id = ?1");
    HISTORY = select!("room_id = ?1 AND ts < ?2 ORDER BY ts DESC LIMIT ?3 OFFSET ?4");
    FIRST_AFTER = select!("room_id = ?1 AND ts > ?2 ORDER BY ts LIMIT 1");
    COUNT_BETWEEN = "SELECT COUNT(*) FROM messages WHERE room_id = ?1 AND ts > ?2 AND ts < ?3";
    INSERT = "INSERT INTO messages (id, room_id, ts, kind, text, author_id, author_username, author_name, by_visitor, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
              ON CONFLICT (id) DO NOTHING";
    DELETE_OF_VISITOR = "DELETE FROM messages WHERE id IN (
        SELECT message.id FROM rooms JOIN messages AS message ON message.room_id = rooms.id
        WHERE rooms.visitor_id = ?1 LIMIT ?2)";
}

/// The message with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// A room's messages before the time `before`, newest first, without the first `offset`, at most `limit`.
pub fn history(tx: &mut Tx<'_>, room_id: &str, before: i64, limit: i64, offset: i64) -> Result<Vec<Message>, StoreError> {
    tx.query(HISTORY, values![room_id, before, limit, offset], read)
}

/// A room's first message after the time `after`.
pub fn first_after(tx: &mut Tx<'_>, room_id: &str, after: i64) -> Result<Option<Message>, StoreError> {
    tx.query_optional(FIRST_AFTER, values![room_id, after], read)
}

/// How many messages a room has between two times.
pub fn count_between(tx: &mut Tx<'_>, room_id: &str, after: i64, before: i64) -> Result<i64, StoreError> {
    tx.query_one(COUNT_BETWEEN, values![room_id, after, before], |row| row.integer(0))
}

/// Adds a message, unless its id is taken. Gives whether it was added.
pub fn insert(tx: &mut Tx<'_>, message: &Message) -> Result<bool, StoreError> {
    let author = &message.author;
    let added = tx.execute(
        INSERT,
        values![
            &message.id,
            &message.room_id,
            message.ts,
            &message.kind,
            &message.text,
            &author.id,
            &author.username,
            &author.name,
            author.is_visitor,
            message.updated_at,
        ],
    )?;
    Ok(added == 1)
}

/// Deletes messages of a visitor's rooms, at most `limit`. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, limit: i64) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id, limit])
}

fn read(row: &Row<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.text(0)?,
        room_id: row.text(1)?,
        ts: row.integer(2)?,
        kind: row.optional_text(3)?,
        text: row.text(4)?,
        author: Author { id: row.text(5)?, username: row.text(6)?, name: row.optional_text(7)?, is_visitor: row.boolean(8)? },
        updated_at: row.integer(9)?,
    })
}
