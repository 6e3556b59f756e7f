//! A reader: a thread with its own connection. Each read sees one state of the data, and none outlasts its deadline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Receiver;
use rusqlite::Connection;

use super::{State, failure};
use crate::error::OpenError;
use crate::job::{Attempt, Job};
use crate::store::Options;
use crate::tx::Backend;
use crate::{dialect, sqlite};

/// How long one read may take. Sealing waits for readers, so this also bounds how long it waits.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// After how many steps of SQLite's machine the deadline is looked at.
const STEPS: i32 = 4_000;

/// Starts a reader. It ends when its inbox is closed and empty.
pub(super) fn start(
    mut connection: Connection,
    inbox: Receiver<Box<dyn Job>>,
    state: Arc<State>,
    options: &Options,
) -> Result<JoinHandle<()>, OpenError> {
    sqlite::execute(&connection, dialect::QUERY_ONLY, &[])?;
    let clock = Arc::clone(&options.clock);
    let deadline = Arc::new(AtomicU64::new(u64::MAX));
    let limit = (Arc::clone(&clock), Arc::clone(&deadline));
    let is_over = move || limit.0.monotonic().as_millis() as u64 > limit.1.load(Ordering::Relaxed);
    connection.progress_handler(STEPS, Some(is_over)).map_err(failure)?;

    Ok(std::thread::spawn(move || {
        while let Ok(mut job) = inbox.recv_blocking() {
            let attempt = {
                let _reading = state.reading.read().unwrap_or_else(PoisonError::into_inner);
                deadline.store((clock.monotonic() + DEADLINE).as_millis() as u64, Ordering::Relaxed);
                let attempt = read(&connection, job.as_mut());
                deadline.store(u64::MAX, Ordering::Relaxed);
                end(&connection);
                attempt
            };
            job.finish(match attempt {
                Attempt::Fail(failure) => Some(failure),
                Attempt::Keep(_) | Attempt::Refuse => None,
            });
        }
    }))
}

fn read(connection: &Connection, job: &mut dyn Job) -> Attempt {
    match sqlite::execute(connection, dialect::SQLITE_BEGIN_READ, &[]) {
        Ok(_) => job.attempt(Backend::Sqlite(connection)),
        Err(failure) => Attempt::Fail(failure),
    }
}

/// Lets go of the state that was read, however the reading ended.
fn end(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(failure) = sqlite::execute(connection, dialect::ROLLBACK, &[])
    {
        tracing::error!(%failure, "a read could not be ended");
    }
}
