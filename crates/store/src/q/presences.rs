//! Which users and visitors are connected to which processes, and which processes run.

use usher_domain::user::UserStatus;

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    BEAT = "UPDATE processes SET beat_at = ?2 WHERE id = ?1";
    BEGIN = "INSERT INTO processes (id, beat_at) VALUES (?1, ?2)";
    SILENT = "SELECT id FROM processes WHERE beat_at < ?1";
    DELETE_PROCESS = "DELETE FROM processes WHERE id = ?1";
    USERS_OF = "SELECT user_id FROM presences WHERE process_id = ?1 ORDER BY user_id LIMIT ?2";
    OF_USER = "SELECT status FROM presences WHERE user_id = ?1";
    PUT = "INSERT INTO presences (process_id, user_id, status) VALUES (?1, ?2, ?3)
           ON CONFLICT (process_id, user_id) DO UPDATE SET status = excluded.status";
    REMOVE = "DELETE FROM presences WHERE process_id = ?1 AND user_id = ?2";
    REMOVE_OF_USER = "DELETE FROM presences WHERE user_id = ?1";
    VISITORS_OF = "SELECT visitor_id FROM visitor_presences WHERE process_id = ?1 ORDER BY visitor_id LIMIT ?2";
    IS_VISITOR_CONNECTED = "SELECT 1 FROM visitor_presences WHERE visitor_id = ?1 LIMIT 1";
    PUT_VISITOR = "INSERT INTO visitor_presences (process_id, visitor_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    REMOVE_VISITOR = "DELETE FROM visitor_presences WHERE process_id = ?1 AND visitor_id = ?2";
    DELETE_OF_VISITOR = "DELETE FROM visitor_presences WHERE visitor_id = ?1";
}

/// Notes that a process runs. Gives whether it was not known before.
pub fn beat(tx: &mut Tx<'_>, process_id: &str, now: i64) -> Result<bool, StoreError> {
    let is_new = tx.execute(BEAT, values![process_id, now])? == 0;
    if is_new {
        tx.execute_one(BEGIN, values![process_id, now])?;
    }
    Ok(is_new)
}

/// The processes that have said nothing since `since` (milliseconds UTC).
pub fn silent(tx: &mut Tx<'_>, since: i64) -> Result<Vec<String>, StoreError> {
    tx.query(SILENT, values![since], |row| row.text(0))
}

/// Forgets a process to which nobody is connected any more.
pub fn delete_process(tx: &mut Tx<'_>, process_id: &str) -> Result<(), StoreError> {
    tx.execute(DELETE_PROCESS, values![process_id]).map(|_| ())
}

/// Users who are connected to a process, at most `limit`.
pub fn users_of(tx: &mut Tx<'_>, process_id: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.query(USERS_OF, values![process_id, limit], |row| row.text(0))
}

/// What a user's connections to each process say at best.
pub fn of_user(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<UserStatus>, StoreError> {
    tx.query(OF_USER, values![user_id], |row| UserStatus::from_name(&row.text(0)?).ok_or(StoreError::Column(0)))
}

/// Notes what a user's connections to a process say at best; `None` if there are none any more.
pub fn put(tx: &mut Tx<'_>, process_id: &str, user_id: &str, status: Option<UserStatus>) -> Result<(), StoreError> {
    match status {
        Some(status) => tx.execute_one(PUT, values![process_id, user_id, status.name()]),
        None => tx.execute(REMOVE, values![process_id, user_id]).map(|_| ()),
    }
}

/// Forgets the connections of a user who is being deleted.
pub fn remove_of_user(tx: &mut Tx<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute(REMOVE_OF_USER, values![user_id]).map(|_| ())
}

/// Visitors who are connected to a process, at most `limit`.
pub fn visitors_of(tx: &mut Tx<'_>, process_id: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.query(VISITORS_OF, values![process_id, limit], |row| row.text(0))
}

/// Whether a visitor is connected to any process.
pub fn is_visitor_connected(tx: &mut Tx<'_>, visitor_id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(IS_VISITOR_CONNECTED, values![visitor_id], |_| Ok(()))?.is_some())
}

/// Notes whether a visitor is connected to a process.
pub fn put_visitor(tx: &mut Tx<'_>, process_id: &str, visitor_id: &str, is_connected: bool) -> Result<(), StoreError> {
    let sql = if is_connected { PUT_VISITOR } else { REMOVE_VISITOR };
    tx.execute(sql, values![process_id, visitor_id]).map(|_| ())
}

/// Forgets the connections of a visitor who is being erased. Gives how many that were.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id])
}
