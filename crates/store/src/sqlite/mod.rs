//! The embedded engine: one SQLite file in the data folder, one writer thread, a few readers.

mod ballast;
mod checkpoint;
mod reader;
pub mod scrub;
mod seal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Sender;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{OpenError, StoreError};
use crate::job::Job;
use crate::store::{Lane, Options, QUEUE};
use crate::tx::{Backend, Row, Tx, Value};
use crate::{dialect, migrations};

/// The database's file in the data folder.
pub const FILE: &str = "usher.db";

/// The most memory that a connection's pages take, in KiB.
const CACHE: u32 = 32 << 10;

/// How long a connection waits for the locks of another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What the writer receives.
enum Message {
    /// A transaction of a caller. Work that frees space is tried even on a full disk.
    Job { job: Box<dyn Job>, frees_space: bool },
    /// Upkeep that needs the writer's connection while no group is open.
    Between(Box<dyn FnOnce(&Connection) + Send>),
}

/// What the engine's threads know of each other.
#[derive(Default)]
pub(crate) struct State {
    /// A flush failed: nothing can be promised any more.
    stopped: AtomicBool,
    /// The disk is full: only work that frees space is accepted.
    full: AtomicBool,
    /// Groups committed.
    groups: AtomicU64,
    /// Jobs in them.
    jobs: AtomicU64,
    /// Readers hold it shared while they read; sealing takes it alone.
    reading: RwLock<()>,
    /// Held by whoever moves the log into the file: SQLite refuses a second one at once.
    moving_log: Mutex<()>,
}

/// The engine.
pub(crate) struct Sqlite {
    folder: PathBuf,
    options: Options,
    state: Arc<State>,
    writes: Lane<Message>,
    reads: Lane<Box<dyn Job>>,
    long_reads: Lane<Box<dyn Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Sqlite {
    /// Opens or creates the database in `folder`, brings it up to date and starts the threads.
    pub(crate) fn open(folder: &Path, options: Options) -> Result<Sqlite, OpenError> {
        let path = folder.join(FILE);
        let state = Arc::new(State::default());
        let connection = connect(&path, &options)?;
        execute(&connection, dialect::SQLITE_BEGIN, &[])?;
        migrations::run(&mut Tx::new(Backend::Sqlite(&connection)), &options)?;
        execute(&connection, dialect::COMMIT, &[])?;

        let (writes, inbox) = async_channel::bounded(QUEUE);
        let (reads, read_inbox) = async_channel::bounded(QUEUE);
        let (long_reads, long_inbox) = async_channel::bounded(QUEUE);
        let (checkpoints, due) = async_channel::bounded(1);
        let mut threads = vec![checkpoint::start(connect(&path, &options)?, due, Arc::clone(&state))];
        for inbox in [&read_inbox, &read_inbox, &long_inbox] {
            threads.push(reader::start(connect(&path, &options)?, inbox.clone(), Arc::clone(&state), &options)?);
        }
        let ballast = ballast::Ballast::new(folder, options.ballast);
        threads.push(writer::start(connection, inbox, Arc::clone(&state), checkpoints, ballast, &options));
        let (writes, reads, long_reads) = (Lane(writes), Lane(reads), Lane(long_reads));
        Ok(Sqlite { folder: folder.to_owned(), options, state, writes, reads, long_reads, threads })
    }

    pub(crate) async fn write(&self, job: Box<dyn Job>, frees_space: bool) -> Result<(), StoreError> {
        self.writes.send(Message::Job { job, frees_space }).await
    }

    pub(crate) async fn read(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.reads.send(job).await
    }

    pub(crate) async fn read_long(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.long_reads.send(job).await
    }

    pub(crate) fn is_writing(&self) -> bool {
        !self.state.stopped.load(Ordering::Acquire) && !self.state.full.load(Ordering::Acquire)
    }

    /// Groups committed and jobs in them, since the start.
    pub(crate) fn written(&self) -> (u64, u64) {
        (self.state.groups.load(Ordering::Relaxed), self.state.jobs.load(Ordering::Relaxed))
    }

    /// Makes what was deleted unreadable in every file. Blocks until it is done.
    pub(crate) fn seal(&self) -> Result<(), StoreError> {
        seal::seal(&self.folder.join(FILE), &self.writes.0, &self.state, &self.options)
    }

    /// Rewrites the whole file, then seals. Blocks.
    pub(crate) fn rewrite(&self) -> Result<(), StoreError> {
        seal::rewrite(&self.writes.0)?;
        self.seal()
    }

    /// Ends all work: what is queued is still done, then the files are closed.
    pub(crate) fn close(&mut self) {
        close_all(&[&self.reads.0, &self.long_reads.0]);
        self.writes.0.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn close_all(lanes: &[&Sender<Box<dyn Job>>]) {
    for lane in lanes {
        lane.close();
    }
}

/// Opens a connection with every safety setting, and reads back those that could silently not take.
fn connect(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
    // First of all, because what follows takes locks.
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    let synchronous = if options.synchronous { "FULL" } else { "OFF" };
    let pragmas = format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{CACHE};
         PRAGMA case_sensitive_like = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;"
    );
    connection.execute_batch(&pragmas).map_err(failure)?;
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(failure);
    if number("synchronous")? != if options.synchronous { 2 } else { 0 } {
        return Err(OpenError::Pragma("synchronous = FULL"));
    }
    if number("secure_delete")? != 1 {
        return Err(OpenError::Pragma("secure_delete = ON"));
    }
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(failure)?;
    if mode != "wal" {
        return Err(OpenError::Pragma("journal_mode = WAL"));
    }
    // Otherwise SQLite plans many statements anew for each new value, which takes longer than running them.
    if !connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failure)? {
        return Err(OpenError::Pragma("the stability guarantee of its planner"));
    }
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// Runs the checkpoint `sql`, which waits for others at most `patience`. Gives whether it came through whole.
fn move_log(connection: &Connection, sql: &str, patience: Duration) -> Result<bool, StoreError> {
    connection.busy_timeout(patience).map_err(failure)?;
    let busy = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    Ok(busy.map_err(failure)? == 0)
}

/// A connection beside those of a server, in one transaction that sees one state of the data and changes nothing.
pub(crate) fn read_beside(folder: &Path) -> Result<Connection, StoreError> {
    // The log's index is written by whoever reads as well.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(FILE), flags).map_err(failure)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    for statement in [dialect::QUERY_ONLY, dialect::SQLITE_BEGIN_READ] {
        connection.execute_batch(statement).map_err(failure)?;
    }
    Ok(connection)
}

/// What a failure of SQLite means here.
fn failure(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return StoreError::Engine(error.to_string().into());
    };
    let text = || message.clone().unwrap_or_else(|| code.to_string()).into();
    match (code.code, code.extended_code) {
        (ErrorCode::DiskFull, _) => StoreError::Full,
        (ErrorCode::OperationInterrupted, _) => StoreError::Deadline,
        (_, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => StoreError::Duplicate(text()),
        _ => StoreError::Engine(text()),
    }
}

/// Runs a statement; gives the number of rows it touched.
pub(crate) fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    let mut statement = prepare(connection, sql, values)?;
    match statement.raw_execute() {
        Ok(count) => Ok(count as u64),
        Err(error) => Err(failure(error)),
    }
}

/// Runs a statement; hands each row of its answer to `each`.
pub(crate) fn query(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = prepare(connection, sql, values)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failure)? {
        each(&Row::Sqlite(row))?;
    }
    Ok(())
}

/// Prepares a statement and binds its values. SQLite would take a missing value for NULL, so their number is checked.
fn prepare<'c>(connection: &'c Connection, sql: &str, values: &[Value<'_>]) -> Result<rusqlite::CachedStatement<'c>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    if statement.parameter_count() != values.len() {
        return Err(StoreError::Engine("the number of values is not that of the statement".into()));
    }
    for (index, value) in values.iter().enumerate() {
        let place = index + 1;
        match value {
            Value::Null => statement.raw_bind_parameter(place, rusqlite::types::Null),
            Value::Integer(value) => statement.raw_bind_parameter(place, value),
            Value::Text(value) => statement.raw_bind_parameter(place, value),
            Value::Boolean(value) => statement.raw_bind_parameter(place, value),
        }
        .map_err(failure)?;
    }
    Ok(statement)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Nobody, q};

    /// A clock that stands still.
    struct Still;

    impl usher_domain::Clock for Still {
        fn now(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    /// Runs a statement several times with other values, as the cache of statements does. Whether it succeeds does not matter.
    fn is_planned_again(connection: &Connection, sql: &str) -> bool {
        let mut statement = connection.prepare(sql).unwrap();
        for round in 0..4 {
            connection.execute_batch("BEGIN").unwrap();
            for place in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(place, format!("{round}-{place}")).unwrap();
            }
            let mut rows = statement.raw_query();
            while rows.next().is_ok_and(|row| row.is_some()) {}
            drop(rows);
            statement.clear_bindings();
            connection.execute_batch("ROLLBACK").unwrap();
        }
        statement.get_status(rusqlite::StatementStatus::RePrepare) > 0
    }

    #[test]
    fn no_statement_is_planned_again_for_other_values() {
        let folder = std::env::temp_dir().join(format!("usher-plans-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = Options { ballast: 0, ..Options::safe(Arc::new(Still), Arc::new(Nobody)) };
        let mut engine = Sqlite::open(&folder, options.clone()).unwrap();
        let ours = connect(&folder.join(FILE), &options).unwrap();
        for (name, sql) in q::serving() {
            assert!(!is_planned_again(&ours, sql), "{name}");
        }
        // The control: without the guarantee some are.
        let usual = Connection::open(folder.join(FILE)).unwrap();
        assert!(q::serving().any(|(_, sql)| is_planned_again(&usual, sql)));
        drop((ours, usual));
        engine.close();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
