//! The store as its callers see it: `read` and `write` with a plain closure, on either engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use usher_domain::{Clock, Event};

use crate::error::{OpenError, StoreError};
use crate::job::{Job, job};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::tx::Tx;

/// How many jobs may wait in a lane.
pub(crate) const QUEUE: usize = 1_024;

/// How long a caller waits for a place in a full lane.
const PATIENCE: Duration = Duration::from_secs(1);

/// The size of the ballast in bytes, unless a test wants another.
pub const BALLAST: u64 = 32 << 20;

/// Where the data are.
#[derive(Debug, Clone)]
pub enum Location {
    /// A folder with an SQLite file.
    Folder(PathBuf),
    /// A PostgreSQL database, `postgres://..`.
    Postgres(String),
}

/// Receives what transactions announced, in commit order, before their callers are answered.
pub trait Publish: Send + Sync {
    /// Takes the events of one or more committed transactions.
    fn publish(&self, events: &[Event]);

    /// A commit's outcome is unknown, or others were not heard for a moment: whoever follows the events has to look again.
    fn lost_track(&self);

    /// Takes what another process said that is kept nowhere.
    fn overheard(&self, _text: &str) {}
}

/// Takes announcements nobody wants.
pub struct Nobody;

impl Publish for Nobody {
    fn publish(&self, _: &[Event]) {}

    fn lost_track(&self) {}
}

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Receives announced events.
    pub publish: Arc<dyn Publish>,
    /// Runs every write twice, the first time rolled back: shows a closure that cannot run again. For tests.
    pub rehearse: bool,
    /// Whether commits are flushed. Off loses data at a power cut; it exists to show that the proof of the opposite can fail.
    pub synchronous: bool,
    /// Whether sealing scrubs pages. Off leaves erased data behind; it exists to show that the proof of the opposite can fail.
    pub scrub: bool,
    /// Whether writes on PostgreSQL keep out of each other's way. Off breaks whatever counts before it adds; it exists to show that the
    /// proofs of the opposite can fail.
    pub serializable: bool,
    /// The size of the ballast in bytes.
    pub ballast: u64,
}

impl Options {
    /// The options that keep every promise.
    pub fn safe(clock: Arc<dyn Clock>, publish: Arc<dyn Publish>) -> Options {
        Options { clock, publish, rehearse: false, synchronous: true, scrub: true, serializable: true, ballast: BALLAST }
    }
}

/// A way to an engine's threads that never grows beyond [`QUEUE`] jobs.
pub(crate) struct Lane<M>(pub(crate) Sender<M>);

impl<M> Lane<M> {
    /// Puts a message in, waiting for a place at most [`PATIENCE`].
    pub(crate) async fn send(&self, message: M) -> Result<(), StoreError> {
        let message = match self.0.try_send(message) {
            Ok(()) => return Ok(()),
            Err(async_channel::TrySendError::Closed(_)) => return Err(StoreError::Stopped),
            Err(async_channel::TrySendError::Full(message)) => message,
        };
        match tokio::time::timeout(PATIENCE, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Stopped),
            Err(_) => Err(StoreError::Busy),
        }
    }
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// The store. Closing it (or dropping it) finishes what is queued.
pub struct Store {
    engine: Engine,
}

/// Which kind of transaction a job becomes.
#[derive(Clone, Copy)]
enum Kind {
    Read,
    LongRead,
    Write,
    WriteFreeingSpace,
}

impl Store {
    /// Opens the store at `location` and brings it up to date. Blocks: call it outside of an async context.
    pub fn open(location: &Location, options: Options) -> Result<Store, OpenError> {
        let engine = match location {
            Location::Folder(folder) => Engine::Sqlite(open_folder(folder, options)?),
            Location::Postgres(url) => Engine::Postgres(Postgres::open(url, &options)?),
        };
        Ok(Store { engine })
    }

    /// Tells the other processes on the same data what is kept nowhere.
    pub fn say(&self, text: String) {
        match &self.engine {
            // There are no others.
            Engine::Sqlite(_) => {}
            Engine::Postgres(postgres) => postgres.say(text),
        }
    }

    /// Whether there may be other processes on the same data.
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Reads in one transaction that sees one state of the data. Short reads only: they end after two seconds.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Kind::Read, work).await
    }

    /// Reads one page of something long, such as an export: has its own lane, so that short reads never wait for it.
    pub async fn read_long<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Kind::LongRead, work).await
    }

    /// Writes in one transaction. The answer comes after the commit is durable; an `Err` of the closure undoes all of its work.
    ///
    /// The closure may run several times: it takes ids and the time from outside and changes nothing but through its [`Tx`].
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Kind::Write, work).await
    }

    /// Like [`Store::write`], for work that frees space: accepted even while the disk is full.
    pub async fn write_freeing_space<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Kind::WriteFreeingSpace, work).await
    }

    async fn run<T, E, F>(&self, kind: Kind, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job(work);
        self.send(kind, job).await?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    async fn send(&self, kind: Kind, job: Box<dyn Job>) -> Result<(), StoreError> {
        match (&self.engine, kind) {
            (Engine::Sqlite(engine), Kind::Read) => engine.read(job).await,
            (Engine::Sqlite(engine), Kind::LongRead) => engine.read_long(job).await,
            (Engine::Sqlite(engine), Kind::Write) => engine.write(job, false).await,
            (Engine::Sqlite(engine), Kind::WriteFreeingSpace) => engine.write(job, true).await,
            (Engine::Postgres(engine), Kind::Read) => engine.read(job).await,
            (Engine::Postgres(engine), Kind::LongRead) => engine.read_long(job).await,
            (Engine::Postgres(engine), Kind::Write | Kind::WriteFreeingSpace) => engine.write(job).await,
        }
    }

    /// Whether writes are accepted: the disk has room, flushes work, the database can be reached.
    pub fn is_writing(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(engine) => engine.is_writing(),
            Engine::Postgres(engine) => engine.is_writing(),
        }
    }

    /// How many commits there were since the start, and how many transactions they carried.
    pub fn written(&self) -> (u64, u64) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.written(),
            Engine::Postgres(engine) => engine.written(),
        }
    }

    /// Makes everything deleted so far unreadable in the files that the store owns. Blocks for as long as it takes.
    ///
    /// On PostgreSQL deleted rows are out of reach of every statement, but their bytes stay in its files until it cleans up.
    pub fn seal(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.seal(),
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Whether rows that are gone leave their bytes in the engine's files until it cleans up by itself.
    pub fn keeps_dead_space(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Claims the files of these data for this process, as long as the store is open: `alone`, or together with others that find them
    /// in the same place. Gives whether nobody stands in the way. Blocks. The data of a folder have one process anyway.
    pub fn claim_files(&self, alone: bool) -> Result<bool, StoreError> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(true),
            Engine::Postgres(engine) => engine.claim_files(alone),
        }
    }

    /// Rewrites all of the data, so that no file holds anything else. Blocks; for a time when nobody is served.
    pub fn rewrite(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.rewrite(),
            Engine::Postgres(engine) => engine.rewrite(),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        match &mut self.engine {
            Engine::Sqlite(engine) => engine.close(),
            Engine::Postgres(engine) => engine.close(),
        }
    }
}

fn open_folder(folder: &Path, options: Options) -> Result<Sqlite, OpenError> {
    std::fs::create_dir_all(folder).map_err(|cause| OpenError::Folder { path: folder.display().to_string(), cause })?;
    Sqlite::open(folder, options)
}
