//! Every statement that exists for one engine only. A test counts them: whatever can be said in both belongs into `q`.

/// Begins a group of the writer.
pub(crate) const SQLITE_BEGIN: &str = "BEGIN IMMEDIATE";
/// Begins a read.
pub(crate) const SQLITE_BEGIN_READ: &str = "BEGIN DEFERRED";
/// Begins one job of a group.
pub(crate) const SQLITE_SAVEPOINT: &str = "SAVEPOINT job";
/// Undoes one job of a group.
pub(crate) const SQLITE_UNDO: &str = "ROLLBACK TO job";
/// Ends one job of a group.
pub(crate) const SQLITE_RELEASE: &str = "RELEASE job";
/// Makes a connection refuse to write.
pub(crate) const QUERY_ONLY: &str = "PRAGMA query_only = ON";
/// Asks how long the log is and how much of it is in the file, moving nothing.
pub(crate) const CHECKPOINT_ASK: &str = "PRAGMA wal_checkpoint(NOOP)";
/// Moves what it can of the log into the file without waiting for anybody.
pub(crate) const CHECKPOINT_PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Moves the log into the file and makes it start over.
pub(crate) const CHECKPOINT_RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";
/// Moves the log into the file and cuts it to nothing.
pub(crate) const CHECKPOINT_TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// How many pages the file has.
pub(crate) const PAGE_COUNT: &str = "PRAGMA page_count";
/// One page's bytes.
pub(crate) const READ_PAGE: &str = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
/// Puts one page's bytes.
pub(crate) const WRITE_PAGE: &str = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";

/// Begins a write.
pub(crate) const POSTGRES_BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// Begins a write that others may come between. Only for the proof that this would break something.
pub(crate) const POSTGRES_BEGIN_WEAKLY: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Begins a read.
pub(crate) const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Prepares a connection: no statement of a read outlasts two seconds, none of a write thirty.
pub(crate) const POSTGRES_READ_LIMIT: &str = "SET statement_timeout = 2000";
/// See [`POSTGRES_READ_LIMIT`].
pub(crate) const POSTGRES_WRITE_LIMIT: &str = "SET statement_timeout = 30000";
/// Enters the lane of those that met conflicts: one transaction at a time, over all processes.
pub(crate) const POSTGRES_ENTER_LANE: &str = "SELECT pg_advisory_lock(8455341101)";
/// Leaves that lane.
pub(crate) const POSTGRES_LEAVE_LANE: &str = "SELECT pg_advisory_unlock(8455341101)";
/// Keeps other processes from migrating at the same time; ends with the transaction.
pub(crate) const POSTGRES_MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8455341102)";
/// Says that no other process keeps files for this database, as long as the connection lasts.
pub(crate) const POSTGRES_CLAIM_ALONE: &str = "SELECT pg_try_advisory_lock(8455341103)";
/// Says that others may keep files as well, where everybody finds them.
pub(crate) const POSTGRES_CLAIM_TOGETHER: &str = "SELECT pg_try_advisory_lock_shared(8455341103)";

/// Rewrites the whole file.
pub(crate) const REWRITE: &str = "VACUUM";
/// What a process calls itself when it tells others something.
pub(crate) const POSTGRES_ORIGIN: &str = "SELECT CAST(gen_random_uuid() AS TEXT)";
/// Tells the other processes something.
pub(crate) const POSTGRES_NOTIFY: &str = "SELECT pg_notify('usher', ?1)";
/// Hears what others tell.
pub(crate) const POSTGRES_LISTEN: &str = "LISTEN usher";
/// Rewrites every table, so that no dead row is left in their files.
pub(crate) const POSTGRES_REWRITE: &str = "VACUUM FULL";

/// Ends a transaction, on both.
pub(crate) const COMMIT: &str = "COMMIT";
/// Undoes a transaction, on both.
pub(crate) const ROLLBACK: &str = "ROLLBACK";

/// The columns of every table.
pub(crate) const SQLITE_COLUMNS: &str = "SELECT tables.name, columns.name
    FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' ORDER BY 1, 2";
/// See [`SQLITE_COLUMNS`].
pub(crate) const POSTGRES_COLUMNS: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT)
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2";
/// Asks how a statement would run.
pub(crate) const SQLITE_EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
/// Makes the planner show whether an index could serve at all: on a small table it would rather read the whole.
pub(crate) const POSTGRES_AVOID_SCANS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan";
/// Asks how a statement would run, in three steps.
pub(crate) const POSTGRES_PREPARE: &str = "PREPARE asked AS ";
/// See [`POSTGRES_PREPARE`].
pub(crate) const POSTGRES_EXPLAIN: &str = "EXPLAIN EXECUTE asked";
/// See [`POSTGRES_PREPARE`].
pub(crate) const POSTGRES_FORGET: &str = "DEALLOCATE asked";
