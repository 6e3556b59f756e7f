//! Messages.

use usher_domain::message::{Author, Edited, Message};
use usher_domain::room::Person;

use super::statement::{self, Statement};
use super::statements;
use crate::{Columns, Row, StoreError, Tx, Value, values};

/// A message with all that is shown of it.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, room_id, ts, kind, text, author_id, author_username, author_name, by_visitor, edited_at, edited_by_id,
                    edited_by_username, hidden, deleted_at, details, updated_at
             FROM messages WHERE ",
            $condition
        )
    };
}

statements! {
    BY_ID = select!("id = ?1");
    HISTORY = select!("room_id = ?1 AND ts < ?2 AND NOT hidden AND deleted_at IS NULL ORDER BY ts DESC LIMIT ?3 OFFSET ?4");
    FIRST_AFTER = select!("room_id = ?1 AND ts > ?2 AND NOT hidden AND deleted_at IS NULL ORDER BY ts LIMIT 1");
    FIRST = select!("room_id = ?1 AND NOT hidden AND deleted_at IS NULL ORDER BY ts LIMIT 1");
    LATEST_WRITTEN = select!("room_id = ?1 AND kind IS NULL AND NOT hidden AND deleted_at IS NULL ORDER BY ts DESC LIMIT 1");
    LATEST_SHOWN = select!("room_id = ?1 AND (kind IS NULL OR kind IN ('livechat-started', 'livechat-close', 'livechat_transfer_history'))
                           AND NOT hidden AND deleted_at IS NULL ORDER BY ts DESC LIMIT 1");
    FIRST_ANSWER_AFTER = "SELECT ts FROM messages WHERE room_id = ?1 AND ts > ?2 AND NOT by_visitor AND kind IS NULL
                          AND deleted_at IS NULL ORDER BY ts LIMIT 1";
    OF_KIND = select!("room_id = ?1 AND kind = ?2 AND deleted_at IS NULL ORDER BY ts DESC LIMIT ?3 OFFSET ?4");
    OLDEST_OF_KIND = select!("room_id = ?1 AND kind = ?2 AND deleted_at IS NULL ORDER BY ts LIMIT ?3 OFFSET ?4");
    LATEST_OF_KIND = select!("room_id = ?1 AND kind = ?2 AND deleted_at IS NULL ORDER BY ts DESC LIMIT 1");
    COUNT_OF_KIND = "SELECT COUNT(*) FROM messages WHERE room_id = ?1 AND kind = ?2 AND deleted_at IS NULL";
    COUNT_BETWEEN = "SELECT COUNT(*) FROM messages WHERE room_id = ?1 AND ts > ?2 AND ts < ?3 AND NOT hidden AND deleted_at IS NULL";
    POSTED_SINCE = select!("room_id = ?1 AND ts > ?2 AND deleted_at IS NULL ORDER BY ts LIMIT ?3");
    CHANGED_SINCE = select!("room_id = ?1 AND changed_at > ?2 ORDER BY changed_at LIMIT ?3");
    INSERT = "INSERT INTO messages (id, room_id, ts, kind, text, author_id, author_username, author_name, by_visitor, hidden, details,
                                    updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
              ON CONFLICT (id) DO NOTHING";
    CHANGE = "UPDATE messages SET text = ?2, kind = ?3, edited_at = ?4, edited_by_id = ?5, edited_by_username = ?6, details = ?7,
                     changed_at = ?8, updated_at = ?8
              WHERE id = ?1";
    DELETE = "UPDATE messages SET text = '', details = NULL, edited_at = NULL, edited_by_id = NULL, edited_by_username = NULL,
                     deleted_at = ?2, changed_at = ?2, updated_at = ?2
              WHERE id = ?1";
    DELETE_OF_VISITOR = "DELETE FROM messages WHERE id IN (
        SELECT message.id FROM rooms JOIN messages AS message ON message.room_id = rooms.id
        WHERE rooms.visitor_id = ?1 LIMIT ?2)";
}

/// The message with this id, a deleted one as well.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The messages with these ids in no order, deleted ones as well.
pub fn by_ids(tx: &mut Tx<'_>, ids: &[&str]) -> Result<Vec<Message>, StoreError> {
    statement::by_ids(tx, select!(""), ids, read)
}

/// A room's messages before the time `before`, newest first, without the first `offset`, at most `limit`.
pub fn history(tx: &mut Tx<'_>, room_id: &str, before: i64, limit: i64, offset: i64) -> Result<Vec<Message>, StoreError> {
    tx.query(HISTORY, values![room_id, before, limit, offset], read)
}

/// The same without messages of the types `hidden`.
pub fn shown(
    tx: &mut Tx<'_>,
    room_id: &str,
    before: i64,
    limit: i64,
    offset: i64,
    hidden: &[String],
) -> Result<Vec<Message>, StoreError> {
    if hidden.is_empty() {
        return history(tx, room_id, before, limit, offset);
    }
    let mut list = Statement::new(select!("NOT hidden AND deleted_at IS NULL"));
    list.add("AND room_id = ? AND ts < ?", &[Value::Text(room_id), Value::Integer(before)]);
    list.add_list("AND (kind IS NULL OR kind NOT IN (?))", hidden.iter().map(|kind| Value::Text(kind)));
    list.add("ORDER BY ts DESC LIMIT ? OFFSET ?", &[Value::Integer(limit), Value::Integer(offset)]);
    tx.query(list.sql(), list.values(), read)
}

/// A room's messages after the time `after`, oldest first, at most `limit`, without those of the types `hidden`.
pub fn shown_after(tx: &mut Tx<'_>, room_id: &str, after: i64, limit: i64, hidden: &[String]) -> Result<Vec<Message>, StoreError> {
    let mut list = Statement::new(select!("NOT hidden AND deleted_at IS NULL"));
    list.add("AND room_id = ? AND ts > ?", &[Value::Text(room_id), Value::Integer(after)]);
    if !hidden.is_empty() {
        list.add_list("AND (kind IS NULL OR kind NOT IN (?))", hidden.iter().map(|kind| Value::Text(kind)));
    }
    list.add("ORDER BY ts LIMIT ?", &[Value::Integer(limit)]);
    tx.query(list.sql(), list.values(), read)
}

/// A room's first message after the time `after`.
pub fn first_after(tx: &mut Tx<'_>, room_id: &str, after: i64) -> Result<Option<Message>, StoreError> {
    tx.query_optional(FIRST_AFTER, values![room_id, after], read)
}

/// A room's first message.
pub fn first(tx: &mut Tx<'_>, room_id: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(FIRST, values![room_id], read)
}

/// The latest message that somebody wrote in a room.
pub fn latest_written(tx: &mut Tx<'_>, room_id: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(LATEST_WRITTEN, values![room_id], read)
}

/// The latest message of those that are shown as a room's last.
pub fn latest_shown(tx: &mut Tx<'_>, room_id: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(LATEST_SHOWN, values![room_id], read)
}

/// The time of the first message after `after` that the agents' side wrote.
pub fn first_answer_after(tx: &mut Tx<'_>, room_id: &str, after: i64) -> Result<Option<i64>, StoreError> {
    tx.query_optional(FIRST_ANSWER_AFTER, values![room_id, after], |row| row.integer(0))
}

/// A room's messages of one kind, newest first, and how many there are.
pub fn of_kind(tx: &mut Tx<'_>, room_id: &str, kind: &str, limit: i64, offset: i64) -> Result<(Vec<Message>, i64), StoreError> {
    let page = tx.query(OF_KIND, values![room_id, kind, limit, offset], read)?;
    let total = tx.query_one(COUNT_OF_KIND, values![room_id, kind], |row| row.integer(0))?;
    Ok((page, total))
}

/// The same, oldest first.
pub fn oldest_of_kind(
    tx: &mut Tx<'_>,
    room_id: &str,
    kind: &str,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Message>, i64), StoreError> {
    let page = tx.query(OLDEST_OF_KIND, values![room_id, kind, limit, offset], read)?;
    let total = tx.query_one(COUNT_OF_KIND, values![room_id, kind], |row| row.integer(0))?;
    Ok((page, total))
}

/// The latest message of one kind in a room.
pub fn latest_of_kind(tx: &mut Tx<'_>, room_id: &str, kind: &str) -> Result<Option<Message>, StoreError> {
    tx.query_optional(LATEST_OF_KIND, values![room_id, kind], read)
}

/// How many messages a room has between two times.
pub fn count_between(tx: &mut Tx<'_>, room_id: &str, after: i64, before: i64) -> Result<i64, StoreError> {
    tx.query_one(COUNT_BETWEEN, values![room_id, after, before], |row| row.integer(0))
}

/// Which messages that people wrote are wanted, with the ones that close a chat.
#[derive(Debug, Clone)]
pub struct WrittenPage {
    /// The room.
    pub room_id: String,
    /// Part of the text, in either case of ASCII letters.
    pub term: Option<String>,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// How many are left out.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

/// What people wrote in a room, and how much there is of it.
pub fn written(tx: &mut Tx<'_>, page: &WrittenPage) -> Result<(Vec<Message>, i64), StoreError> {
    let pattern = page.term.as_deref().map(super::statement::containing_ascii);
    let select = |what: &'static str| {
        let mut statement = Statement::new(what);
        statement.add("room_id = ?", &[Value::Text(&page.room_id)]);
        statement.add("AND (kind IS NULL OR kind = 'livechat-close') AND NOT hidden AND deleted_at IS NULL", &[]);
        if let Some(pattern) = &pattern {
            statement.add("AND lower(text) LIKE ? ESCAPE '\\'", &[Value::Text(pattern)]);
        }
        statement
    };
    let count = select("SELECT COUNT(*) FROM messages WHERE");
    let total = tx.query_one(count.sql(), count.values(), |row| row.integer(0))?;
    let mut list = select(select!(""));
    list.add(if page.oldest_first { "ORDER BY ts" } else { "ORDER BY ts DESC" }, &[]);
    list.add("LIMIT ? OFFSET ?", &[Value::Integer(page.limit), Value::Integer(page.offset)]);
    Ok((tx.query(list.sql(), list.values(), read)?, total))
}

/// The messages that came into a room after `since`, and those that changed since then, deleted ones included; at most `limit` of each.
pub fn since(tx: &mut Tx<'_>, room_id: &str, since: i64, limit: i64) -> Result<(Vec<Message>, Vec<Message>), StoreError> {
    let posted = tx.query(POSTED_SINCE, values![room_id, since, limit], read)?;
    let changed = tx.query(CHANGED_SINCE, values![room_id, since, limit], read)?;
    Ok((posted, changed))
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
            message.is_hidden,
            &details(message),
            message.updated_at,
        ],
    )?;
    Ok(added == 1)
}

fn details(message: &Message) -> Option<String> {
    (!message.details.is_empty()).then(|| serde_json::Value::Object(message.details.clone()).to_string())
}

/// Stores text, kind and details of a message that somebody changed at `message.updated_at`.
pub fn change(tx: &mut Tx<'_>, message: &Message) -> Result<(), StoreError> {
    let edited = message.edited.as_ref();
    tx.execute_one(
        CHANGE,
        values![
            &message.id,
            &message.text,
            &message.kind,
            edited.map(|edited| edited.at),
            edited.map(|edited| edited.by.id.as_str()),
            edited.map(|edited| edited.by.username.as_str()),
            &details(message),
            message.updated_at,
        ],
    )
}

/// Takes all content out of a message. Its id stays taken.
pub fn delete(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![id, now])
}

/// Deletes messages of a visitor's rooms, at most `limit`. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, limit: i64) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id, limit])
}

fn read(row: &Row<'_>) -> Result<Message, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(Message {
        id: columns.text()?,
        room_id: columns.text()?,
        ts: columns.integer()?,
        kind: columns.optional_text()?,
        text: columns.text()?,
        author: Author {
            id: columns.text()?,
            username: columns.text()?,
            name: columns.optional_text()?,
            is_visitor: columns.boolean()?,
        },
        edited: edited(&mut columns)?,
        is_hidden: columns.boolean()?,
        is_deleted: columns.optional_integer()?.is_some(),
        details: columns.optional_named(|text| serde_json::from_str(text).ok())?.unwrap_or_default(),
        updated_at: columns.integer()?,
    })
}

fn edited(columns: &mut Columns<'_, '_>) -> Result<Option<Edited>, StoreError> {
    let (at, id, username) = (columns.optional_integer()?, columns.optional_text()?, columns.optional_text()?);
    let by = id.zip(username).map(|(id, username)| Person { id, username });
    Ok(at.zip(by).map(|(at, by)| Edited { at, by }))
}
