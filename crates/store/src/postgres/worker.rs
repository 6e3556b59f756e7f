//! A thread with a connection, and the rule by which writes run again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Receiver;

use super::{Connection, State};
use crate::dialect;
use crate::error::{OpenError, StoreError};
use crate::job::{Attempt, Job};
use crate::store::{Options, Publish};
use crate::tx::Backend;

/// How often a write is tried.
const TRIES: u32 = 10;

/// From this try on a write waits for its turn among all that met conflicts, over all processes.
const LANE_FROM: u32 = 4;

/// How long a thread without a connection waits before it tries to get one, in milliseconds.
const RECONNECT: u64 = 200;

struct Writer {
    url: String,
    connection: Connection,
    state: Arc<State>,
    publish: Arc<dyn Publish>,
    rehearse: bool,
    /// Begins a transaction.
    begin: &'static str,
    jitter: u64,
}

/// How one try of a write ended.
enum Ended {
    /// It is committed, or refused by its closure.
    Done,
    /// It was rolled back and may be tried again.
    Again(StoreError),
    /// It failed for good.
    Failed(StoreError),
}

/// Starts a writer. It ends when its inbox is closed and empty.
pub(super) fn start_writer(
    number: usize,
    url: &str,
    inbox: Receiver<Box<dyn Job>>,
    state: Arc<State>,
    options: &Options,
) -> Result<JoinHandle<()>, OpenError> {
    let mut writer = Writer {
        url: url.to_owned(),
        connection: Connection::open(url)?,
        state,
        publish: Arc::clone(&options.publish),
        rehearse: options.rehearse,
        begin: if options.serializable { dialect::POSTGRES_BEGIN } else { dialect::POSTGRES_BEGIN_WEAKLY },
        jitter: 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(number as u64 + 1),
    };
    writer.connection.batch(dialect::POSTGRES_WRITE_LIMIT)?;
    Ok(std::thread::spawn(move || {
        while let Ok(mut job) = inbox.recv_blocking() {
            let failure = writer.write(job.as_mut());
            job.finish(failure);
        }
    }))
}

impl Writer {
    /// Runs a write until it is through, refused, or has failed too often.
    fn write(&mut self, job: &mut dyn Job) -> Option<StoreError> {
        let mut duplicates = 0;
        for attempt in 1..=TRIES {
            if self.connection.is_closed() && !self.reconnect() {
                return Some(StoreError::Unreachable("the connection is lost".into()));
            }
            match self.in_turn(attempt, job) {
                Ended::Done => return None,
                Ended::Failed(failure) => return Some(failure),
                Ended::Again(failure @ StoreError::Duplicate(_)) => {
                    // Somebody else inserted the same just now: the next try sees it. A second time it is the work's own fault.
                    duplicates += 1;
                    if duplicates > 1 {
                        return Some(failure);
                    }
                }
                Ended::Again(_) => self.back_off(attempt),
            }
        }
        Some(StoreError::Conflict)
    }

    /// One try; late ones wait for their turn first.
    fn in_turn(&mut self, attempt: u32, job: &mut dyn Job) -> Ended {
        let in_lane = attempt >= LANE_FROM;
        if in_lane && let Err(failure) = self.connection.batch(dialect::POSTGRES_ENTER_LANE) {
            return Ended::Again(failure);
        }
        let ended = self.once(job);
        if in_lane && let Err(failure) = self.connection.batch(dialect::POSTGRES_LEAVE_LANE) {
            // With the connection the lock is gone as well.
            tracing::warn!(%failure, "the lane of conflicting writes could not be left");
        }
        ended
    }

    fn once(&mut self, job: &mut dyn Job) -> Ended {
        if self.rehearse {
            // The work of a closure that runs again must not depend on its first run.
            let rehearsal = self.attempt(job);
            if let Err(failure) = self.connection.batch(dialect::ROLLBACK) {
                return Ended::Again(failure);
            }
            if let Attempt::Fail(failure) = rehearsal {
                return again_or_failed(failure);
            }
        }
        match self.attempt(job) {
            Attempt::Keep(events) => match self.connection.batch(dialect::COMMIT) {
                Ok(()) => {
                    self.state.committed.fetch_add(1, Ordering::Relaxed);
                    if !events.is_empty() {
                        self.publish.publish(&events);
                    }
                    Ended::Done
                }
                Err(StoreError::Conflict) => Ended::Again(StoreError::Conflict),
                Err(failure @ StoreError::Duplicate(_)) => Ended::Again(failure),
                Err(failure) => {
                    // Nobody can say whether it is kept: whoever follows the events has to look again.
                    self.publish.lost_track();
                    let _ = self.connection.batch(dialect::ROLLBACK);
                    Ended::Failed(StoreError::Commit(failure.to_string().into()))
                }
            },
            Attempt::Refuse => match self.connection.batch(dialect::ROLLBACK) {
                Ok(()) => Ended::Done,
                Err(failure) => Ended::Again(failure),
            },
            Attempt::Fail(failure) => {
                // On a lost connection there is nothing to roll back.
                let _ = self.connection.batch(dialect::ROLLBACK);
                again_or_failed(failure)
            }
        }
    }

    fn attempt(&mut self, job: &mut dyn Job) -> Attempt {
        match self.connection.batch(self.begin) {
            Ok(()) => job.attempt(Backend::Postgres(&mut self.connection)),
            Err(failure) => Attempt::Fail(failure),
        }
    }

    /// Waits a little, longer with each try and each thread differently, so that those that met do not meet again.
    fn back_off(&mut self, attempt: u32) {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        std::thread::sleep(Duration::from_micros(self.jitter % (500 << attempt.min(6))));
    }

    fn reconnect(&mut self) -> bool {
        match reconnect(&self.url, dialect::POSTGRES_WRITE_LIMIT, &self.state) {
            Some(connection) => self.connection = connection,
            None => return false,
        }
        true
    }
}

/// Whether a failed statement is worth another try.
fn again_or_failed(failure: StoreError) -> Ended {
    match failure {
        StoreError::Conflict | StoreError::Duplicate(_) | StoreError::Unreachable(_) => Ended::Again(failure),
        _ => Ended::Failed(failure),
    }
}

/// Gets a new connection, trying a few times; `None` if the database cannot be reached.
fn reconnect(url: &str, limit: &str, state: &State) -> Option<Connection> {
    state.lost.fetch_add(1, Ordering::AcqRel);
    let mut connection = None;
    for _ in 0..5 {
        connection = Connection::open(url).and_then(|mut fresh| fresh.batch(limit).map(|()| fresh)).ok();
        if connection.is_some() || state.closing.load(Ordering::Acquire) {
            break;
        }
        std::thread::sleep(Duration::from_millis(RECONNECT));
    }
    if connection.is_none() {
        tracing::error!("the database cannot be reached");
    }
    state.lost.fetch_sub(1, Ordering::AcqRel);
    connection
}

/// Starts a reader. It ends when its inbox is closed and empty.
pub(super) fn start_reader(url: &str, inbox: Receiver<Box<dyn Job>>, state: Arc<State>) -> Result<JoinHandle<()>, OpenError> {
    let url = url.to_owned();
    let mut connection = Connection::open(&url)?;
    connection.batch(dialect::POSTGRES_READ_LIMIT)?;
    Ok(std::thread::spawn(move || {
        while let Ok(mut job) = inbox.recv_blocking() {
            if connection.is_closed()
                && let Some(fresh) = reconnect(&url, dialect::POSTGRES_READ_LIMIT, &state)
            {
                connection = fresh;
            }
            let attempt = match connection.batch(dialect::POSTGRES_BEGIN_READ) {
                Ok(()) => job.attempt(Backend::Postgres(&mut connection)),
                Err(failure) => Attempt::Fail(failure),
            };
            // On a lost connection there is nothing to end.
            let _ = connection.batch(dialect::ROLLBACK);
            job.finish(match attempt {
                Attempt::Fail(failure) => Some(failure),
                Attempt::Keep(_) | Attempt::Refuse => None,
            });
        }
    }))
}
