//! The writer: one thread that commits in groups.
//!
//! Jobs that wait together share one COMMIT, and with it one flush. A group first runs without savepoints, since nearly every job
//! succeeds or is refused before it has changed anything. The first that has to be undone makes the group start over, now with a
//! savepoint for each job, so that a refusal or failure undoes that job alone. Some failures (a full disk, an interrupt) make SQLite
//! roll the whole group back; then nothing was acknowledged, and the others run again without the offender. Answers, refusals
//! included, leave only after the COMMIT, because each may rest on what an earlier job of the same group did.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use rusqlite::Connection;
use usher_domain::{Clock, Event};

use super::ballast::Ballast;
use super::{Message, State};
use crate::error::StoreError;
use crate::job::{Attempt, Job};
use crate::store::{Options, Publish};
use crate::tx::Backend;
use crate::{dialect, sqlite};

/// The largest group.
const GROUP_JOBS: usize = 256;

/// How long a group may collect further jobs.
const GROUP_TIME: Duration = Duration::from_millis(5);

/// How many pages of the write-ahead log may wait to be moved into the file before a checkpoint is due: 8 MB.
const CHECKPOINT_PAGES: i64 = 2_048;

/// The length of the write-ahead log, in pages, at which the writer itself makes it start over: under a steady load the checkpoints
/// beside it never catch the last page. 20 MB: sealing cuts the log while everybody waits, and on some disks that takes longer the longer
/// the log is.
const RESTART_PAGES: i64 = 5_120;

/// How many pages the writer moves itself when it makes the log start over, while everybody waits for their flush: 1 MB. The checkpoints
/// beside it move the others before.
const RESTART_REST: i64 = 256;

/// The length of the log, in pages, at which the writer makes it start over however much of it is left to move: 80 MB. The load is more
/// than the checkpoints beside the writer can follow.
const RESTART_AT_ONCE_PAGES: i64 = 20_480;

/// How long the writer waits for reads that keep the log from starting over, while everybody waits for the writer. If they last longer, it
/// tries again when the log has grown by [`RESTART_REST`].
const RESTART_PATIENCE: Duration = Duration::from_millis(5);

/// How often a full disk is probed for space.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

struct Writer {
    connection: Connection,
    inbox: Receiver<Message>,
    state: Arc<State>,
    checkpoints: Sender<()>,
    ballast: Ballast,
    publish: Arc<dyn Publish>,
    clock: Arc<dyn Clock>,
    rehearse: bool,
    probed_at: Duration,
    /// The length of the log, in pages, at which it starts over.
    restart_at: i64,
}

/// A job of the group that is open, with what its attempt came to.
struct Member {
    job: Box<dyn Job>,
    failure: Option<StoreError>,
}

/// How the jobs of a group run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// One after the other, with nothing to undo one of them by.
    Plainly,
    /// Each in a savepoint of its own.
    WithSavepoints,
}

/// What one attempt within a group came to.
enum Outcome {
    /// It is part of the group; its events go out with it.
    Joined(Option<StoreError>, Vec<Event>),
    /// It has to be undone, and there is no savepoint: the group starts over.
    Spoiled,
    /// SQLite rolled the whole group back.
    GroupLost(StoreError),
}

/// What is done about the length of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Nothing.
    Nothing,
    /// A checkpoint beside the writer moves what there is.
    Beside,
    /// The writer moves what is left and makes the log start over.
    Restart,
}

/// What is done about a log of `length` pages of which `rest` are still to be moved into the file, and which is to start over at the
/// length `restart_at`.
fn next_move(length: i64, rest: i64, restart_at: i64) -> Move {
    if length >= restart_at && (rest <= RESTART_REST || length >= RESTART_AT_ONCE_PAGES) {
        Move::Restart
    } else if rest >= CHECKPOINT_PAGES || (length >= RESTART_PAGES && rest > RESTART_REST) {
        Move::Beside
    } else {
        Move::Nothing
    }
}

/// Starts the writer's thread. It ends when its inbox is closed and empty.
pub(super) fn start(
    connection: Connection,
    inbox: Receiver<Message>,
    state: Arc<State>,
    checkpoints: Sender<()>,
    ballast: Ballast,
    options: &Options,
) -> JoinHandle<()> {
    let mut writer = Writer {
        connection,
        inbox,
        state,
        checkpoints,
        ballast,
        publish: Arc::clone(&options.publish),
        clock: Arc::clone(&options.clock),
        rehearse: options.rehearse,
        probed_at: Duration::ZERO,
        restart_at: RESTART_PAGES,
    };
    std::thread::spawn(move || writer.run())
}

impl Writer {
    fn run(&mut self) {
        self.ballast.restore();
        let mut next = None;
        while let Some(message) = next.take().or_else(|| self.inbox.recv_blocking().ok()) {
            match message {
                Message::Between(work) => work(&self.connection),
                Message::Job { job, frees_space } => match self.refusal(frees_space) {
                    Some(refusal) => job.finish(Some(refusal)),
                    None => next = self.group(job),
                },
            }
            self.keep_log_short();
        }
    }

    /// Why no work is taken at the moment, if it is not.
    fn refusal(&mut self, frees_space: bool) -> Option<StoreError> {
        if self.state.stopped.load(Ordering::Acquire) {
            return Some(StoreError::Stopped);
        }
        if self.state.full.load(Ordering::Acquire) && !frees_space && !self.found_space() {
            return Some(StoreError::Full);
        }
        None
    }

    /// Whether a full disk has room for the ballast again; asked at most once a second.
    fn found_space(&mut self) -> bool {
        let now = self.clock.monotonic();
        if now < self.probed_at + PROBE_INTERVAL {
            return false;
        }
        self.probed_at = now;
        let found = self.ballast.restore();
        self.state.full.store(!found, Ordering::Release);
        found
    }

    /// Runs `first` and what waits behind it as one group. Gives back a message that ended the group because it is no plain job.
    fn group(&mut self, first: Box<dyn Job>) -> Option<Message> {
        let deadline = self.clock.monotonic() + GROUP_TIME;
        let mut waiting = VecDeque::from([first]);
        let mut members: Vec<Member> = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        let mut ended_by = None;
        // Whoever rehearses undoes each job on purpose.
        let mut mode = if self.rehearse { Mode::WithSavepoints } else { Mode::Plainly };

        if let Err(failure) = self.statement(dialect::SQLITE_BEGIN) {
            waiting.into_iter().for_each(|job| job.finish(Some(failure.clone())));
            return None;
        }
        loop {
            let job = match waiting.pop_front() {
                Some(job) => job,
                None if members.len() >= GROUP_JOBS || self.clock.monotonic() >= deadline => break,
                None => match self.inbox.try_recv() {
                    Ok(Message::Job { job, frees_space }) => match self.refusal(frees_space) {
                        None => job,
                        Some(refusal) => {
                            job.finish(Some(refusal));
                            continue;
                        }
                    },
                    Ok(other) => {
                        ended_by = Some(other);
                        break;
                    }
                    Err(_) => break,
                },
            };
            let mut member = Member { job, failure: None };
            let outcome = match mode {
                Mode::Plainly => self.attempt_plainly(member.job.as_mut()),
                Mode::WithSavepoints => self.attempt_in_savepoint(member.job.as_mut()),
            };
            match outcome {
                Outcome::Joined(failure, announced) => {
                    member.failure = failure;
                    events.extend(announced);
                    members.push(member);
                    continue;
                }
                Outcome::Spoiled => {
                    self.roll_back();
                    mode = Mode::WithSavepoints;
                    members.push(member);
                }
                Outcome::GroupLost(failure) => {
                    self.note(&failure);
                    member.job.finish(Some(failure));
                }
            }
            // Nothing of the group is left. The others run again, in order, without the offender once it is known.
            events.clear();
            waiting = members.drain(..).map(|member| member.job).chain(waiting).collect();
            if let Err(failure) = self.statement(dialect::SQLITE_BEGIN) {
                waiting.into_iter().for_each(|job| job.finish(Some(failure.clone())));
                return ended_by;
            }
        }
        self.commit(members, &events);
        ended_by
    }

    /// Runs one job as it is. Nobody's work changes the schema, so rows that changed are all there can be to undo.
    fn attempt_plainly(&mut self, job: &mut dyn Job) -> Outcome {
        let before = self.connection.total_changes();
        let attempt = job.attempt(Backend::Sqlite(&self.connection));
        let must_be_undone = self.connection.is_autocommit() || self.connection.total_changes() != before;
        match attempt {
            Attempt::Keep(events) if !self.connection.is_autocommit() => Outcome::Joined(None, events),
            Attempt::Refuse if !must_be_undone => Outcome::Joined(None, Vec::new()),
            Attempt::Fail(failure) if !must_be_undone => Outcome::Joined(Some(failure), Vec::new()),
            _ => Outcome::Spoiled,
        }
    }

    /// Runs one job in its own savepoint.
    fn attempt_in_savepoint(&mut self, job: &mut dyn Job) -> Outcome {
        if let Err(failure) = self.statement(dialect::SQLITE_SAVEPOINT) {
            return self.undone(Some(failure));
        }
        if self.rehearse {
            // The work of a closure that runs again must not depend on its first run.
            let rehearsal = job.attempt(Backend::Sqlite(&self.connection));
            if let Attempt::Fail(failure) = rehearsal {
                return self.undone(Some(failure));
            }
            if let Err(failure) = self.statement(dialect::SQLITE_UNDO) {
                return self.undone(Some(failure));
            }
        }
        match job.attempt(Backend::Sqlite(&self.connection)) {
            Attempt::Keep(events) => match self.statement(dialect::SQLITE_RELEASE) {
                Ok(()) => Outcome::Joined(None, events),
                Err(failure) => self.undone(Some(failure)),
            },
            Attempt::Refuse => self.undone(None),
            Attempt::Fail(failure) => self.undone(Some(failure)),
        }
    }

    /// Undoes one job. If SQLite has already ended the transaction, or the undoing fails, the group is lost.
    fn undone(&mut self, failure: Option<StoreError>) -> Outcome {
        let lost = |failure: Option<StoreError>| Outcome::GroupLost(failure.unwrap_or(StoreError::Full));
        if self.connection.is_autocommit() {
            return lost(failure);
        }
        let undone = self.statement(dialect::SQLITE_UNDO).and_then(|()| self.statement(dialect::SQLITE_RELEASE));
        match undone {
            Ok(()) => Outcome::Joined(failure, Vec::new()),
            Err(undoing) => {
                self.roll_back();
                lost(failure.or(Some(undoing)))
            }
        }
    }

    /// Commits the group; then its events go out, then its answers.
    fn commit(&mut self, members: Vec<Member>, events: &[Event]) {
        match self.statement(dialect::COMMIT) {
            Ok(()) => {
                self.state.groups.fetch_add(1, Ordering::Relaxed);
                self.state.jobs.fetch_add(members.len() as u64, Ordering::Relaxed);
                if !events.is_empty() {
                    self.publish.publish(events);
                }
                members.into_iter().for_each(|member| member.job.finish(member.failure));
            }
            Err(failure) => {
                self.roll_back();
                self.note(&failure);
                let failure = self.commit_failure(failure);
                members.into_iter().for_each(|member| member.job.finish(Some(failure.clone())));
            }
        }
    }

    /// What a failed COMMIT means: an input or output error may be a lost flush, after which nothing can be promised any more.
    fn commit_failure(&self, failure: StoreError) -> StoreError {
        match failure {
            StoreError::Full => StoreError::Full,
            StoreError::Engine(text) if text.contains("I/O") => {
                tracing::error!("a flush failed: writing stops until the server is started again");
                self.state.stopped.store(true, Ordering::Release);
                StoreError::Commit(text)
            }
            other => StoreError::Commit(other.to_string().into()),
        }
    }

    /// Reacts to a full disk: the ballast makes room for work that frees space.
    fn note(&mut self, failure: &StoreError) {
        if *failure == StoreError::Full {
            self.ballast.release();
            self.probed_at = self.clock.monotonic();
            self.state.full.store(true, Ordering::Release);
            tracing::error!("the disk is full: only erasures are accepted until there is space again");
        }
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() && self.statement(dialect::ROLLBACK).is_err() {
            tracing::error!("a transaction could not be rolled back: writing stops");
            self.state.stopped.store(true, Ordering::Release);
        }
    }

    /// Asks for a checkpoint when much of the log waits for one, and makes it start over itself when it has grown too far.
    fn keep_log_short(&mut self) {
        let lengths = self.connection.prepare_cached(dialect::CHECKPOINT_ASK).and_then(|mut statement| {
            // The length of the log, and how much of it is in the file already.
            statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
        });
        let (length, moved) = match lengths {
            Ok(lengths) => lengths,
            Err(error) => return tracing::warn!(%error, "the length of the log is unknown"),
        };
        if length < RESTART_PAGES {
            // It has started over, or sealing has cut it.
            self.restart_at = RESTART_PAGES;
        }
        match next_move(length, length - moved, self.restart_at) {
            Move::Restart => {
                if !self.restart_log() {
                    self.restart_at = length + RESTART_REST;
                }
            }
            Move::Beside => {
                // A full channel means that one is due already.
                let _ = self.checkpoints.try_send(());
            }
            Move::Nothing => {}
        }
    }

    /// Moves what is left of the log and makes it start over. Gives whether that came through.
    fn restart_log(&self) -> bool {
        sqlite::move_log(&self.connection, dialect::CHECKPOINT_RESTART, RESTART_PATIENCE).unwrap_or_else(|failure| {
            tracing::warn!(%failure, "the log could not start over yet");
            false
        })
    }

    fn statement(&self, sql: &str) -> Result<(), StoreError> {
        sqlite::execute(&self.connection, sql, &[]).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_moves_little_of_the_log_itself() {
        for (length, rest, restart_at, expected) in [
            (100, 100, RESTART_PAGES, Move::Nothing),
            (CHECKPOINT_PAGES - 1, CHECKPOINT_PAGES - 1, RESTART_PAGES, Move::Nothing),
            (CHECKPOINT_PAGES, CHECKPOINT_PAGES, RESTART_PAGES, Move::Beside),
            (RESTART_PAGES - 1, 10, RESTART_PAGES, Move::Nothing),
            (RESTART_PAGES, RESTART_REST, RESTART_PAGES, Move::Restart),
            (RESTART_PAGES, RESTART_REST + 1, RESTART_PAGES, Move::Beside),
            (RESTART_PAGES + 9, 0, RESTART_PAGES + 10, Move::Nothing),
            (RESTART_PAGES + 10, 0, RESTART_PAGES + 10, Move::Restart),
            (RESTART_AT_ONCE_PAGES - 1, RESTART_REST + 1, RESTART_PAGES, Move::Beside),
            (RESTART_AT_ONCE_PAGES, RESTART_REST + 1, RESTART_PAGES, Move::Restart),
            (RESTART_AT_ONCE_PAGES, RESTART_REST + 1, RESTART_AT_ONCE_PAGES + 1, Move::Beside),
        ] {
            assert_eq!(next_move(length, rest, restart_at), expected, "{length} pages, {rest} to move, at {restart_at}");
        }
    }
}
