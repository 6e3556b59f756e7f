//! Brings a database up to date: numbered files, one text for both engines, each applied once and remembered with its checksum.

use sha2::{Digest, Sha256};

use crate::error::{OpenError, StoreError};
use crate::store::Options;
use crate::tx::Tx;
use crate::{q, values};

/// Every migration: its number is its place, counted from 1.
const MIGRATIONS: [&str; 7] = [
    include_str!("../migrations/0001_conversation.sql"),
    include_str!("../migrations/0002_platform.sql"),
    include_str!("../migrations/0003_life_of_a_chat.sql"),
    include_str!("../migrations/0004_files_and_erasure.sql"),
    include_str!("../migrations/0005_printed_transcripts.sql"),
    include_str!("../migrations/0006_realtime.sql"),
    include_str!("../migrations/0007_visitors_connected.sql"),
];

/// Applies what is missing. Refuses a database that a later version wrote, or in which an applied migration had another text.
pub(crate) fn run(tx: &mut Tx<'_>, options: &Options) -> Result<(), OpenError> {
    tx.execute(q::migrations::CREATE, values![])?;
    let applied = tx.query(q::migrations::APPLIED, values![], |row| Ok((row.integer(0)?, row.text(1)?)))?;
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > MIGRATIONS.len() as i64) {
        return Err(OpenError::Newer { found: *found, known: MIGRATIONS.len() as i64 });
    }
    for (version, text) in (1_i64..).zip(MIGRATIONS) {
        let checksum = hex::encode(Sha256::digest(text));
        match applied.iter().find(|(applied, _)| *applied == version) {
            Some((_, before)) if *before == checksum => {}
            Some(_) => return Err(OpenError::Changed(version)),
            None => apply(tx, version, text, &checksum, options)?,
        }
    }
    Ok(())
}

/// The version of the data that this program writes.
pub const fn version() -> i64 {
    MIGRATIONS.len() as i64
}

/// Refuses data of another version than this program's.
pub(crate) fn check_current(tx: &mut Tx<'_>) -> Result<(), OpenError> {
    let applied = tx.query(q::migrations::APPLIED, values![], |row| row.integer(0))?;
    match applied.last().copied().unwrap_or(0) {
        found if found == version() => Ok(()),
        found if found > version() => Err(OpenError::Newer { found, known: version() }),
        found => Err(OpenError::Older { found, known: version() }),
    }
}

fn apply(tx: &mut Tx<'_>, version: i64, text: &str, checksum: &str, options: &Options) -> Result<(), StoreError> {
    for statement in statements(text) {
        tx.execute(statement, values![])?;
    }
    tx.execute_one(q::migrations::RECORD, values![version, checksum, options.clock.now()])
}

/// The statements of a migration. None of ours has a semicolon within a statement or a comment.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(';')
        .map(str::trim)
        .filter(|statement| statement.lines().any(|line| !line.trim().is_empty() && !line.starts_with("--")))
}
