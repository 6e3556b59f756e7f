//! What is held on a person, table by table, as the registry of personal data says: what erasing deletes is what an export shows.

use super::statements;
use crate::registry::{Belongs, TABLES, Table};
use crate::{Anything, Row, StoreError, Tx, values};

statements! {
    FILE_BYTES = "SELECT COALESCE(CAST(SUM(size) AS BIGINT), 0) FROM files
                  WHERE visitor_id IN (SELECT id FROM visitors WHERE contact_id = ?1)";
}

/// The tables that hold something on persons.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.belongs != Belongs::ToNobody)
}

/// How many rows of a table belong to a contact.
pub fn count(tx: &mut Tx<'_>, table: &Table, contact_id: &str) -> Result<i64, StoreError> {
    tx.query_one(&counting(table), values![contact_id], |row| row.integer(0))
}

/// How many bytes the files of a contact have.
pub fn file_bytes(tx: &mut Tx<'_>, contact_id: &str) -> Result<i64, StoreError> {
    tx.query_one(FILE_BYTES, values![contact_id], |row| row.integer(0))
}

/// Some of the rows of a table that belong to a contact, without the first `offset`, each with its values in the order of the columns.
pub fn page(tx: &mut Tx<'_>, table: &Table, contact_id: &str, offset: i64, limit: i64) -> Result<Vec<Vec<Anything>>, StoreError> {
    let read = |row: &Row<'_>| (0..table.columns.len()).map(|column| row.anything(column)).collect();
    tx.query(&listing(table), values![contact_id, limit, offset], read)
}

fn counting(table: &Table) -> String {
    format!("SELECT COUNT(*) FROM {} WHERE {}", table.name, condition(table))
}

fn listing(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let order = order(table.name);
    format!("SELECT {} FROM {} WHERE {} ORDER BY {order} LIMIT ?2 OFFSET ?3", columns.join(", "), table.name, condition(table))
}

/// What chooses the rows of the contact `?1`.
fn condition(table: &Table) -> String {
    const VISITORS: &str = "SELECT id FROM visitors WHERE contact_id = ?1";
    match table.belongs {
        Belongs::ToNobody => "FALSE".to_owned(),
        Belongs::ToVisitor("id") => "contact_id = ?1".to_owned(),
        Belongs::ToVisitor(column) => format!("{column} IN ({VISITORS})"),
        Belongs::ToContact(column) => format!("{column} = ?1"),
        Belongs::ToRoom(column) => format!("{column} IN (SELECT id FROM rooms WHERE visitor_id IN ({VISITORS}))"),
        Belongs::ToToken(column) => format!("{column} IN (SELECT token FROM visitors WHERE contact_id = ?1)"),
    }
}

/// An order in which rows can be paged, along an index where there may be many.
fn order(table: &str) -> &'static str {
    match table {
        "messages" => "room_id, ts",
        "room_changes" => "room_id, seq",
        "routing_decisions" => "room_id, decided_at, id",
        _ => "1, 2",
    }
}

/// The statements, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    tables().flat_map(|table| [counting(table), listing(table)]).collect()
}
