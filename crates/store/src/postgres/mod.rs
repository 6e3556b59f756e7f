//! The engine for more than one machine: PostgreSQL, over a fixed number of connections with a thread each.
//!
//! Writes are SERIALIZABLE: of several transactions that would contradict each other the database lets one through and sends the
//! others back, and those run again.

mod bus;
mod connection;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub(crate) use connection::Connection;

use crate::error::{OpenError, StoreError};
use crate::job::Job;
use crate::store::{Lane, Options, QUEUE};
use crate::tx::{Backend, Tx};
use crate::{dialect, migrations};
use bus::Bus;

/// Connections that write.
const WRITERS: usize = 8;

/// Connections that serve short reads.
const READERS: usize = 4;

/// What the engine's threads know of each other.
#[derive(Default)]
pub(crate) struct State {
    /// Connections that are lost and not restored yet.
    lost: AtomicU64,
    /// The engine is closing: nobody waits for a connection any more.
    closing: AtomicBool,
    /// Transactions committed.
    committed: AtomicU64,
}

/// The engine.
pub(crate) struct Postgres {
    url: String,
    state: Arc<State>,
    writes: Lane<Box<dyn Job>>,
    reads: Lane<Box<dyn Job>>,
    long_reads: Lane<Box<dyn Job>>,
    /// Tells the other processes what is kept nowhere. Gone once the engine closes.
    bus: Option<Arc<Bus>>,
    threads: Vec<JoinHandle<()>>,
    /// Holds the claim on files.
    claim: Mutex<Option<Box<Connection>>>,
}

impl Postgres {
    /// Connects to the database at `url`, brings it up to date and starts the threads. Blocks.
    pub(crate) fn open(url: &str, options: &Options) -> Result<Postgres, OpenError> {
        apart(|| Postgres::connect(url, options))
    }

    fn connect(url: &str, options: &Options) -> Result<Postgres, OpenError> {
        let mut first = Connection::open(url)?;
        first.batch(dialect::POSTGRES_BEGIN)?;
        first.batch(dialect::POSTGRES_MIGRATION_LOCK)?;
        migrations::run(&mut Tx::new(Backend::Postgres(&mut first)), options)?;
        first.batch(dialect::COMMIT)?;
        drop(first);

        let state = Arc::new(State::default());
        let (writes, write_inbox) = async_channel::bounded(QUEUE);
        let (reads, read_inbox) = async_channel::bounded(QUEUE);
        let (long_reads, long_inbox) = async_channel::bounded(QUEUE);
        let mut threads = Vec::new();
        let (bus, bus_threads) = Bus::start(url, &options.publish, &state)?;
        let bus = Arc::new(bus);
        let options = Options { publish: bus.clone(), ..options.clone() };
        for number in 0..WRITERS {
            threads.push(worker::start_writer(number, url, write_inbox.clone(), Arc::clone(&state), &options)?);
        }
        for inbox in std::iter::repeat_n(&read_inbox, READERS).chain([&long_inbox]) {
            threads.push(worker::start_reader(url, inbox.clone(), Arc::clone(&state))?);
        }
        threads.extend(bus_threads);
        let (writes, reads, long_reads) = (Lane(writes), Lane(reads), Lane(long_reads));
        Ok(Postgres { url: url.to_owned(), state, writes, reads, long_reads, bus: Some(bus), threads, claim: Mutex::new(None) })
    }

    pub(crate) async fn write(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.writes.send(job).await
    }

    pub(crate) async fn read(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.reads.send(job).await
    }

    pub(crate) async fn read_long(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.long_reads.send(job).await
    }

    /// Tells the other processes what is kept nowhere.
    pub(crate) fn say(&self, text: String) {
        if let Some(bus) = &self.bus {
            bus.say(text);
        }
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.state.lost.load(Ordering::Acquire) == 0
    }

    /// Transactions committed since the start: each is a group of its own.
    pub(crate) fn written(&self) -> (u64, u64) {
        let committed = self.state.committed.load(Ordering::Relaxed);
        (committed, committed)
    }

    /// Claims the files of this database, `alone` or together with others. Gives whether nobody stands in the way. Blocks.
    pub(crate) fn claim_files(&self, alone: bool) -> Result<bool, StoreError> {
        let sql = if alone { dialect::POSTGRES_CLAIM_ALONE } else { dialect::POSTGRES_CLAIM_TOGETHER };
        let (connection, is_claimed) = apart(|| {
            let mut connection = Connection::open(&self.url)?;
            let mut is_claimed = false;
            connection.query(sql, &[], &mut |row| {
                is_claimed = row.boolean(0)?;
                Ok(())
            })?;
            Ok::<_, StoreError>((connection, is_claimed))
        })?;
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(connection));
        Ok(is_claimed)
    }

    /// Rewrites every table. Blocks, and keeps everybody else out of each table meanwhile.
    pub(crate) fn rewrite(&self) -> Result<(), StoreError> {
        apart(|| Connection::open(&self.url)?.batch(dialect::POSTGRES_REWRITE))
    }

    /// Ends all work: what is queued is still done, then the connections are closed.
    pub(crate) fn close(&mut self) {
        self.state.closing.store(true, Ordering::Release);
        for lane in [&self.writes, &self.reads, &self.long_reads] {
            lane.0.close();
        }
        // With the last writer the last end goes that could tell anything.
        self.bus = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let claim = self.claim.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        apart(|| drop(claim));
    }
}

/// Runs `work` on a thread of its own: the client blocks, and refuses to do so on a thread that serves async work.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
