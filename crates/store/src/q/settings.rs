//! Settings whose value is not the default.

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    ALL = "SELECT id, value FROM settings ORDER BY id";
    CHANGED_SINCE = "SELECT id FROM settings WHERE updated_at > ?1";
    PUT = "INSERT INTO settings (id, value, editor, updated_at) VALUES (?1, ?2, ?3, ?4)
           ON CONFLICT (id) DO UPDATE
           SET value = excluded.value, editor = COALESCE(excluded.editor, settings.editor), updated_at = excluded.updated_at";
}

/// Every setting that was set: its id and its value as JSON text.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(ALL, values![], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// The ids of the settings that were set after `since` (milliseconds UTC).
pub fn changed_since(tx: &mut Tx<'_>, since: i64) -> Result<Vec<String>, StoreError> {
    tx.query(CHANGED_SINCE, values![since], |row| row.text(0))
}

/// Sets a setting to a value in JSON text; `editor` says how a colour was entered, `None` leaves what was said before.
pub fn put(tx: &mut Tx<'_>, id: &str, value: &str, editor: Option<&str>, now: i64) -> Result<(), StoreError> {
    tx.execute_one(PUT, values![id, value, editor, now])
}
