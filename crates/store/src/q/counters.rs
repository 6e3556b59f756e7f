//! Numbers that only rise. They are taken in blocks, so that callers do not queue for one row; gaps are allowed.

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    TAKE = "INSERT INTO counters (name, value) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value";
    CURRENT = "SELECT value FROM counters WHERE name = ?1";
}

/// Takes `count` numbers of the counter `name`; gives the last of them. The first counter value is 1.
pub fn take(tx: &mut Tx<'_>, name: &str, count: i64) -> Result<i64, StoreError> {
    tx.query_one(TAKE, values![name, count], |row| row.integer(0))
}

/// The last number taken of the counter `name`; 0 if none was.
pub fn current(tx: &mut Tx<'_>, name: &str) -> Result<i64, StoreError> {
    Ok(tx.query_optional(CURRENT, values![name], |row| row.integer(0))?.unwrap_or_default())
}
