//! Pages that visitors saw before they had a room.

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    OF_TOKEN = "SELECT id, title, href, change, visited_at FROM page_visits WHERE token = ?1 ORDER BY visited_at, id";
    INSERT = "INSERT INTO page_visits (id, token, title, href, change, visited_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    KEEP_LATEST = "DELETE FROM page_visits WHERE id IN (
        SELECT id FROM page_visits WHERE token = ?1 ORDER BY visited_at DESC, id DESC LIMIT 1000 OFFSET ?2)";
    REBIND = "UPDATE page_visits SET token = ?2 WHERE token = ?1";
    DELETE_OF_TOKEN = "DELETE FROM page_visits WHERE token = ?1";
    FORGET = "DELETE FROM page_visits WHERE visited_at < ?1";
}

/// A page that a visitor saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageVisit {
    /// Its id.
    pub id: String,
    /// The title of the page.
    pub title: String,
    /// The address of the page.
    pub href: String,
    /// What changed: the address or the title.
    pub change: String,
    /// When (milliseconds UTC).
    pub visited_at: i64,
}

/// The visits noted for a token, oldest first.
pub fn of_token(tx: &mut Tx<'_>, token: &str) -> Result<Vec<PageVisit>, StoreError> {
    tx.query(OF_TOKEN, values![token], read)
}

/// Notes a visit, and keeps no more than the latest `most` of the token.
pub fn insert(tx: &mut Tx<'_>, token: &str, visit: &PageVisit, most: i64) -> Result<(), StoreError> {
    tx.execute_one(INSERT, values![&visit.id, token, &visit.title, &visit.href, &visit.change, visit.visited_at])?;
    tx.execute(KEEP_LATEST, values![token, most]).map(|_| ())
}

/// Gives the visits of a former token to the one in its place.
pub fn rebind(tx: &mut Tx<'_>, former: &str, token: &str) -> Result<(), StoreError> {
    tx.execute(REBIND, values![former, token]).map(|_| ())
}

/// Deletes the visits noted for a token. Gives how many.
pub fn delete_of_token(tx: &mut Tx<'_>, token: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_TOKEN, values![token])
}

/// Forgets visits before the time `before`.
pub fn forget(tx: &mut Tx<'_>, before: i64) -> Result<u64, StoreError> {
    tx.execute(FORGET, values![before])
}

fn read(row: &Row<'_>) -> Result<PageVisit, StoreError> {
    Ok(PageVisit { id: row.text(0)?, title: row.text(1)?, href: row.text(2)?, change: row.text(3)?, visited_at: row.integer(4)? })
}
