//! Which users are connected to which processes, and which processes run.

use usher_domain::user::UserStatus;

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    BEAT = "INSERT INTO processes (id, beat_at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at";
    SILENT = "SELECT id FROM processes WHERE beat_at < ?1";
    DELETE_PROCESS = "DELETE FROM processes WHERE id = ?1";
    USERS_OF = "SELECT user_id FROM presences WHERE process_id = ?1 ORDER BY user_id LIMIT ?2";
    OF_USER = "SELECT status FROM presences WHERE user_id = ?1";
    PUT = "INSERT INTO presences (process_id, user_id, status) VALUES (?1, ?2, ?3)
           ON CONFLICT (process_id, user_id) DO UPDATE SET status = excluded.status";
    REMOVE = "DELETE FROM presences WHERE process_id = ?1 AND user_id = ?2";
    REMOVE_OF_USER = "DELETE FROM presences WHERE user_id = ?1";
}

/// Notes that a process runs.
pub fn beat(tx: &mut Tx<'_>, process_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(BEAT, values![process_id, now])
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
