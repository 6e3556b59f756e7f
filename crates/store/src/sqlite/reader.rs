//! A reader: a thread with its own connection. Each read sees one state of the data, and none outlasts its deadline.
//!
//! Reads that wait at the same time share a transaction: beginning and ending one costs as much as a short read. None of them was
//! asked for later than the transaction began, so each sees everything that was committed before it was asked for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Receiver;
use rusqlite::Connection;
use usher_domain::Clock;

use super::{State, failure};
use crate::error::{OpenError, StoreError};
use crate::job::{Attempt, Job};
use crate::store::Options;
use crate::tx::Backend;
use crate::{dialect, sqlite};

/// How long one read may take. Sealing waits for readers, so this also bounds how long it waits.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// After how many steps of SQLite's machine the deadline is looked at.
const STEPS: i32 = 4_000;

/// How many reads share a transaction at most: there are other readers, and they should have some as well.
const GROUP: usize = 8;

/// After how long a transaction takes no further read: those that wait must not wait for a long one, and neither must sealing.
const LONG_ENOUGH: Duration = Duration::from_millis(5);

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

    let reader = Reader { connection, clock, deadline, state };
    Ok(std::thread::spawn(move || {
        while let Ok(job) = inbox.recv_blocking() {
            let mut waiting = VecDeque::from([job]);
            while waiting.len() < GROUP
                && let Ok(job) = inbox.try_recv()
            {
                waiting.push_back(job);
            }
            while !waiting.is_empty() {
                reader.read(&mut waiting);
            }
        }
    }))
}

struct Reader {
    connection: Connection,
    clock: Arc<dyn Clock>,
    /// When the read at hand is over, in milliseconds of the clock.
    deadline: Arc<AtomicU64>,
    state: Arc<State>,
}

impl Reader {
    /// Reads in one transaction: all that wait, unless one of them takes long or fails.
    fn read(&self, waiting: &mut VecDeque<Box<dyn Job>>) {
        let _reading = self.state.reading.read().unwrap_or_else(PoisonError::into_inner);
        let begun = self.clock.monotonic();
        let failure = sqlite::execute(&self.connection, dialect::SQLITE_BEGIN_READ, &[]).err();
        while let Some(mut job) = waiting.pop_front() {
            let failure = failure.clone().or_else(|| self.attempt(job.as_mut()));
            let has_failed = failure.is_some();
            job.finish(failure);
            if has_failed || self.clock.monotonic().saturating_sub(begun) > LONG_ENOUGH {
                break;
            }
        }
        end(&self.connection);
    }

    fn attempt(&self, job: &mut dyn Job) -> Option<StoreError> {
        self.deadline.store((self.clock.monotonic() + DEADLINE).as_millis() as u64, Ordering::Relaxed);
        let attempt = job.attempt(Backend::Sqlite(&self.connection));
        self.deadline.store(u64::MAX, Ordering::Relaxed);
        match attempt {
            Attempt::Fail(failure) => Some(failure),
            Attempt::Keep(_) | Attempt::Refuse => None,
        }
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
