//! Sealing: makes sure that what was deleted is in none of the engine's files any more.
//!
//! 1. Find the pages with residue, reading beside the live use.
//! 2. Scrub them through the writer, a few between two groups.
//! 3. Move the write-ahead log into the file beside the live use; then pause it, move the rest, and cut the log to nothing.
//!
//! Finding is safe beside live use because the space it looks for only ever shrinks: deleted rows are in no tree any more, so no
//! later change can move a copy of theirs to a page that was found clean.

use std::path::Path;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::time::Duration;

use async_channel::Sender;
use rusqlite::Connection;

use super::checkpoint::move_beside;
use super::scrub::{has_residue, scrub};
use super::{Message, State, connect, failure, move_log};
use crate::dialect;
use crate::error::StoreError;
use crate::store::Options;

/// How many pages are looked at in one read: about a millisecond, since the log cannot start over meanwhile.
const READ_PAGES: u32 = 256;

/// How many pages are scrubbed in one go of the writer: a few milliseconds.
const SCRUB_PAGES: usize = 64;

/// How often the log is moved beside the live use before everybody waits for the rest.
const MOVES_BESIDE: usize = 2;

/// Seals everything that is deleted by now. [`StoreError::Busy`] if somebody outside of this process holds the log open; try again.
pub(super) fn seal(path: &Path, writer: &Sender<Message>, state: &State, options: &Options) -> Result<(), StoreError> {
    let connection = connect(path, options).map_err(|error| StoreError::Engine(error.to_string().into()))?;
    if options.scrub {
        for pages in pages_with_residue(&connection)?.chunks(SCRUB_PAGES) {
            let pages = pages.to_vec();
            between(writer, move |connection| scrub_pages(connection, &pages))?;
        }
    }
    let _no_checkpoint = state.moving_log.lock().unwrap_or_else(PoisonError::into_inner);
    // Most of the log is moved while others go on, and then what they wrote meanwhile: little is left for the moment when they wait.
    for _ in 0..MOVES_BESIDE {
        move_beside(&connection, state);
    }
    let _no_reader = state.reading.write().unwrap_or_else(PoisonError::into_inner);
    between(writer, truncate_log)
}

/// Rewrites the whole file through the writer.
pub(super) fn rewrite(writer: &Sender<Message>) -> Result<(), StoreError> {
    between(writer, |connection| connection.execute_batch(dialect::REWRITE).map_err(failure))
}

/// Runs `work` on the writer's connection while no group is open.
fn between<T: Send + 'static>(
    writer: &Sender<Message>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, done) = mpsc::channel();
    let message = Message::Between(Box::new(move |connection| {
        let _ = answer.send(work(connection));
    }));
    writer.send_blocking(message).map_err(|_| StoreError::Stopped)?;
    done.recv().unwrap_or(Err(StoreError::Stopped))
}

/// The numbers of all pages whose unused parts are not zero.
fn pages_with_residue(connection: &Connection) -> Result<Vec<u32>, StoreError> {
    let last: u32 = connection.query_row(dialect::PAGE_COUNT, [], |row| row.get(0)).map_err(failure)?;
    let mut statement = connection.prepare(dialect::READ_PAGE).map_err(failure)?;
    let mut found = Vec::new();
    for first in (1..=last).step_by(READ_PAGES as usize) {
        connection.execute_batch(dialect::SQLITE_BEGIN_READ).map_err(failure)?;
        for number in first..=last.min(first + READ_PAGES - 1) {
            let read = statement.query_row([number], |row| Ok(has_residue(number, row.get_ref(0)?.as_blob()?)));
            match read {
                Ok(true) => found.push(number),
                // A page that is gone has nothing left in it.
                Ok(false) | Err(rusqlite::Error::QueryReturnedNoRows) => {}
                Err(error) => return Err(failure(error)),
            }
        }
        connection.execute_batch(dialect::ROLLBACK).map_err(failure)?;
    }
    Ok(found)
}

/// Scrubs `pages` in one transaction.
fn scrub_pages(connection: &Connection, pages: &[u32]) -> Result<(), StoreError> {
    connection.execute_batch(dialect::SQLITE_BEGIN).map_err(failure)?;
    let scrubbed = pages.iter().try_for_each(|number| scrub_page(connection, *number));
    let ended = match scrubbed {
        Ok(()) => connection.execute_batch(dialect::COMMIT),
        Err(error) => Err(error),
    };
    ended.map_err(|error| {
        if !connection.is_autocommit() {
            // If even this fails, the writer's next BEGIN fails and says so.
            let _ = connection.execute_batch(dialect::ROLLBACK);
        }
        failure(error)
    })
}

fn scrub_page(connection: &Connection, number: u32) -> rusqlite::Result<()> {
    let mut page: Vec<u8> = connection.prepare_cached(dialect::READ_PAGE)?.query_row([number], |row| row.get(0))?;
    if scrub(number, &mut page) {
        connection.prepare_cached(dialect::WRITE_PAGE)?.execute((number, page))?;
    }
    Ok(())
}

/// Moves the whole log into the file and cuts it. The result is checked: a checkpoint that was kept from it also "succeeds".
///
/// Nobody is waited for: what could be waited for is a reader of another process, and our own readers and writers would wait as well.
fn truncate_log(connection: &Connection) -> Result<(), StoreError> {
    if move_log(connection, dialect::CHECKPOINT_TRUNCATE, Duration::ZERO)? { Ok(()) } else { Err(StoreError::Busy) }
}
