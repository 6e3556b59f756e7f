//! Files: what is known of them, and which are still to be unlinked. Their bytes are elsewhere.

use usher_domain::file::{File, FileState};

use super::statement::{self, Statement};
use super::statements;
use crate::{Columns, Row, StoreError, Tx, Value, values};

/// A file with all that is known of it.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, room_id, visitor_id, sender_id, name, media_type, size, width, height, state, message_id, created_at
             FROM files WHERE ",
            $condition
        )
    };
}

statements! {
    BY_ID = select!("id = ?1");
    OF_MESSAGE = select!("message_id = ?1 ORDER BY id");
    OF_VISITOR = select!("visitor_id = ?1 AND id > ?2 AND state <> 'arriving' ORDER BY id LIMIT ?3");
    INSERT = "INSERT INTO files (id, room_id, visitor_id, sender_id, name, media_type, size, state, needs_preview, created_at)
              VALUES (?1, ?2, ?3, ?4, '', '', 0, 'arriving', FALSE, ?5)";
    STORE = "UPDATE files SET name = ?2, media_type = ?3, size = ?4, width = ?5, height = ?6, state = 'stored'
             WHERE id = ?1 AND state = 'arriving'";
    POST = "UPDATE files SET state = 'posted', message_id = ?2, name = ?3, needs_preview = ?4 WHERE id = ?1 AND state = 'stored'";
    ADD_MADE = "INSERT INTO files (id, room_id, visitor_id, sender_id, name, media_type, size, width, height, state, message_id,
                                      original_id, needs_preview, created_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'posted', ?10, ?11, FALSE, ?12)";
    NEXT_WITHOUT_PREVIEW = select!("needs_preview AND created_at >= 0 ORDER BY created_at, id LIMIT 1");
    NOTE_PREVIEW = "UPDATE files SET needs_preview = FALSE WHERE id = ?1 AND needs_preview";
    NOTE_WANTED = "INSERT INTO removed_files (id, was_arriving, removed_at) VALUES (?1, TRUE, ?2)";
    NOTE_ENDED = "UPDATE removed_files SET was_arriving = FALSE WHERE id = ?1";
    NOTE_REMOVED = "INSERT INTO removed_files (id, was_arriving, removed_at)
                    SELECT id, FALSE, ?2 FROM files WHERE id = ?1";
    DELETE = "DELETE FROM files WHERE id = ?1";
    NOTE_REMOVED_OF_MESSAGE = "INSERT INTO removed_files (id, was_arriving, removed_at)
                               SELECT id, FALSE, ?2 FROM files WHERE message_id = ?1";
    DELETE_OF_MESSAGE = "DELETE FROM files WHERE message_id = ?1";
    NOTE_REMOVED_OF_VISITOR = "INSERT INTO removed_files (id, was_arriving, removed_at)
                               SELECT id, state = 'arriving', ?2 FROM files WHERE visitor_id = ?1 ORDER BY id LIMIT ?3";
    DELETE_OF_VISITOR = "DELETE FROM files WHERE id IN (SELECT id FROM files WHERE visitor_id = ?1 ORDER BY id LIMIT ?2)";
    ABANDONED = "SELECT id FROM files WHERE state <> 'posted' AND created_at < ?1 ORDER BY created_at, id LIMIT ?2";
    ARRIVING = "SELECT id FROM files WHERE state <> 'posted' AND state = 'arriving' AND created_at < ?1 ORDER BY created_at, id LIMIT ?2";
    REMOVED = "SELECT id, was_arriving, removed_at FROM removed_files WHERE removed_at >= 0 ORDER BY removed_at, id LIMIT ?1";
    FORGET_REMOVED = "DELETE FROM removed_files WHERE id = ?1";
    IS_KNOWN = "SELECT 1 FROM files WHERE id = ?1";
}

/// A file whose row is gone and whose bytes are still to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The file's id.
    pub id: String,
    /// Whether its bytes were arriving.
    pub was_arriving: bool,
    /// When its row went (milliseconds UTC).
    pub removed_at: i64,
}

/// The file with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<File>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The files that a message shows.
pub fn of_message(tx: &mut Tx<'_>, message_id: &str) -> Result<Vec<File>, StoreError> {
    tx.query(OF_MESSAGE, values![message_id], read)
}

/// The files of a visitor's rooms whose ids come after `after`, at most `limit`, in the order of their ids.
pub fn of_visitor(tx: &mut Tx<'_>, visitor_id: &str, after: &str, limit: i64) -> Result<Vec<File>, StoreError> {
    tx.query(OF_VISITOR, values![visitor_id, after, limit], read)
}

/// Notes that a file begins to arrive.
pub fn insert(tx: &mut Tx<'_>, id: &str, room_id: &str, visitor_id: &str, sender_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(INSERT, values![id, room_id, visitor_id, sender_id, now])
}

/// Notes that a file is whole, and what it is. Gives whether it was arriving until now: it may have been removed meanwhile.
pub fn store(tx: &mut Tx<'_>, file: &File) -> Result<bool, StoreError> {
    let (width, height) = file.dimensions.unzip();
    let stored = tx.execute(STORE, values![&file.id, &file.name, &file.media_type, file.size, width, height])?;
    Ok(stored == 1)
}

/// Notes that a message shows a file under this name. Gives whether none did until now.
pub fn post(tx: &mut Tx<'_>, id: &str, message_id: &str, name: &str, needs_preview: bool) -> Result<bool, StoreError> {
    Ok(tx.execute(POST, values![id, message_id, name, needs_preview])? == 1)
}

/// Adds a file that a message shows and whose bytes are kept; `original_id` says of which picture it is a smaller one.
pub fn add_made(tx: &mut Tx<'_>, file: &File, original_id: Option<&str>) -> Result<(), StoreError> {
    let (width, height) = file.dimensions.unzip();
    let values = values![
        &file.id,
        &file.room_id,
        &file.visitor_id,
        &file.sender_id,
        &file.name,
        &file.media_type,
        file.size,
        width,
        height,
        &file.message_id,
        original_id,
        file.created_at
    ];
    tx.execute_one(ADD_MADE, values)
}

/// The file that has waited longest for a smaller picture.
pub fn next_without_preview(tx: &mut Tx<'_>) -> Result<Option<File>, StoreError> {
    tx.query_optional(NEXT_WITHOUT_PREVIEW, values![], read)
}

/// Notes that a file waits for no smaller picture any more. Gives whether it did until now: it may be gone, or another process was quicker.
pub fn note_preview(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(NOTE_PREVIEW, values![id])? == 1)
}

/// Removes a file whose bytes nobody writes any more, be its row there or gone already.
pub fn discard(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(NOTE_REMOVED, values![id, now])?;
    tx.execute(DELETE, values![id])?;
    tx.execute(NOTE_ENDED, values![id]).map(|_| ())
}

/// Notes, before the bytes of a file are written that has no row yet, that they are to go if it never gets one.
pub fn announce(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(NOTE_WANTED, values![id, now])
}

/// Takes back what was announced: the file gets a row. Gives whether it was still announced.
pub fn take_announced(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(FORGET_REMOVED, values![id])? == 1)
}

/// Removes the files that a message shows. Gives how many.
pub fn remove_of_message(tx: &mut Tx<'_>, message_id: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(NOTE_REMOVED_OF_MESSAGE, values![message_id, now])?;
    tx.execute(DELETE_OF_MESSAGE, values![message_id])
}

/// Removes up to `limit` files of a visitor's rooms. Gives how many.
pub fn remove_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, limit: i64, now: i64) -> Result<u64, StoreError> {
    tx.execute(NOTE_REMOVED_OF_VISITOR, values![visitor_id, now, limit])?;
    tx.execute(DELETE_OF_VISITOR, values![visitor_id, limit])
}

/// The ids of files that began to arrive before this time and that no message shows.
pub fn abandoned(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.query(ABANDONED, values![before, limit], |row| row.text(0))
}

/// The ids of files that began to arrive before this time and are not whole.
pub fn arriving(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.query(ARRIVING, values![before, limit], |row| row.text(0))
}

/// The files whose bytes are still to go, oldest first.
pub fn removed(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Removed>, StoreError> {
    let read = |row: &Row<'_>| Ok(Removed { id: row.text(0)?, was_arriving: row.boolean(1)?, removed_at: row.integer(2)? });
    tx.query(REMOVED, values![limit], read)
}

/// Notes that the bytes of these files are gone.
pub fn forget_removed(tx: &mut Tx<'_>, ids: &[String]) -> Result<(), StoreError> {
    let mut statement = Statement::new("DELETE FROM removed_files WHERE");
    statement.add_list("id IN (?)", ids.iter().map(Value::from));
    tx.execute(statement.sql(), statement.values()).map(|_| ())
}

/// Those of these ids that a file has, in no order.
pub fn known(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    statement::by_ids(tx, "SELECT id FROM files WHERE ", &ids, |row| row.text(0))
}

/// Whether there is a file with this id.
pub fn is_known(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(IS_KNOWN, values![id], |_| Ok(()))?.is_some())
}

fn read(row: &Row<'_>) -> Result<File, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(File {
        id: columns.text()?,
        room_id: columns.text()?,
        visitor_id: columns.text()?,
        sender_id: columns.text()?,
        name: columns.text()?,
        media_type: columns.text()?,
        size: columns.integer()?,
        dimensions: columns.optional_integer()?.zip(columns.optional_integer()?),
        state: columns.named(FileState::from_name)?,
        message_id: columns.optional_text()?,
        created_at: columns.integer()?,
    })
}
