//! Whole tables, row by row: for backups. Not for a server that serves.

use crate::registry::{TABLES, Table};
use crate::{Anything, Row, StoreError, Tx, Value};

/// How many rows are read at once.
const PAGE: i64 = 1_000;

/// What every store makes for itself.
const OWN: &str = "schema_migrations";

/// The tables that a backup has.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.name != OWN)
}

/// Hands every row of a table to `each`, with its values in the order of the columns.
pub fn read<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    table: &Table,
    mut each: impl FnMut(&[Anything]) -> Result<(), E>,
) -> Result<u64, E> {
    let key = key(table);
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let places: Vec<usize> = key.iter().map(|name| columns.iter().position(|column| column == name).unwrap_or_default()).collect();
    let (listed, keyed) = (columns.join(", "), key.join(", "));
    let first = format!("SELECT {listed} FROM {} ORDER BY {keyed} LIMIT {PAGE}", table.name);
    let after: Vec<String> = (1..=key.len()).map(|place| format!("?{place}")).collect();
    let after = after.join(", ");
    let next = format!("SELECT {listed} FROM {} WHERE ({keyed}) > ({after}) ORDER BY {keyed} LIMIT {PAGE}", table.name);
    let (mut last, mut total): (Vec<Anything>, u64) = (Vec::new(), 0);
    loop {
        let values: Vec<Value<'_>> = last.iter().map(Value::from).collect();
        let sql = if last.is_empty() { &first } else { &next };
        let read = |row: &Row<'_>| (0..columns.len()).map(|column| row.anything(column)).collect();
        let rows: Vec<Vec<Anything>> = tx.query(sql, &values, read)?;
        for row in &rows {
            each(row)?;
        }
        total += rows.len() as u64;
        match rows.last() {
            Some(row) if rows.len() == PAGE as usize => last = places.iter().map(|place| row[*place].clone()).collect(),
            _ => return Ok(total),
        }
    }
}

/// Deletes what a new store has in a table by itself.
pub fn clear(tx: &mut Tx<'_>, table: &Table) -> Result<(), StoreError> {
    tx.execute(&format!("DELETE FROM {}", table.name), &[]).map(|_| ())
}

/// Adds a row to a table, with the values of these columns.
pub fn add(tx: &mut Tx<'_>, table: &Table, row: &[Anything]) -> Result<(), StoreError> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let values: Vec<Value<'_>> = row.iter().map(Value::from).collect();
    let sql = format!("INSERT INTO {} ({}) VALUES ({})", table.name, columns.join(", "), places.join(", "));
    tx.execute_one(&sql, &values)
}

/// Whether nobody has put anything into a store.
pub fn is_unused(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    for table in ["users", "visitors", "erasures"] {
        if tx.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.integer(0))? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The columns of a table's primary key.
fn key(table: &Table) -> &'static [&'static str] {
    match table.name {
        "counters" => &["name"],
        "contact_addresses" => &["contact_id", "kind", "value"],
        "contact_channels" => &["visitor_id", "source_type"],
        "room_changes" => &["room_id", "seq"],
        "presences" => &["process_id", "user_id"],
        "visitor_presences" => &["process_id", "visitor_id"],
        "user_roles" => &["user_id", "role"],
        "login_tokens" => &["token_hash"],
        "second_factors" => &["user_id"],
        "backup_codes" => &["user_id", "code_hash"],
        "permission_roles" => &["permission_id", "role_id"],
        "agent_sessions" => &["agent_id", "started_at"],
        "visitor_fields" => &["visitor_id", "field"],
        "room_fields" => &["room_id", "field"],
        "room_tags" => &["room_id", "tag"],
        "holds" => &["contact_id"],
        _ => &["id"],
    }
}
