//! What can go wrong in the store. No error carries a value of a row: only codes, names of constraints and counts.

use std::sync::Arc;

/// Why a transaction did not happen.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The queue was full, or the caller's place in it did not come up in time. Nothing was done; try again.
    #[error("the store is too busy")]
    Busy,
    /// Other transactions kept getting in the way. Nothing was done; try again.
    #[error("the transaction met too many conflicts")]
    Conflict,
    /// The disk is full. Nothing was done.
    #[error("the disk is full")]
    Full,
    /// A read took longer than reads may.
    #[error("the read took too long")]
    Deadline,
    /// The store is closed, or has stopped writing because a flush failed. Nothing is acknowledged any more.
    #[error("the store has stopped")]
    Stopped,
    /// The COMMIT itself failed: nobody can say that the work is kept, so it counts as not done.
    #[error("the commit failed: {0}")]
    Commit(Arc<str>),
    /// The connection to the database is gone.
    #[error("the database cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// A unique index refused a row.
    #[error("a unique index refused a row: {0}")]
    Duplicate(Arc<str>),
    /// A statement touched another number of rows than it must.
    #[error("a statement touched {found} rows instead of {expected}")]
    RowCount {
        /// How many it must touch.
        expected: u64,
        /// How many it did.
        found: u64,
    },
    /// A column held something that its type does not allow.
    #[error("column {0} holds a value of the wrong type")]
    Column(usize),
    /// The engine refused a statement.
    #[error("the engine refused a statement: {0}")]
    Engine(Arc<str>),
    /// The closure panicked. Its work was rolled back.
    #[error("the work panicked")]
    Panicked,
}

impl StoreError {
    /// Whether the same call may well succeed a little later.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            StoreError::Busy
                | StoreError::Conflict
                | StoreError::Full
                | StoreError::Deadline
                | StoreError::Stopped
                | StoreError::Commit(_)
                | StoreError::Unreachable(_)
        )
    }
}

/// Why a store cannot be opened. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later version wrote these data.
    #[error("the data are at version {found}, this program knows versions up to {known}: start the newer program")]
    Newer {
        /// The version of the data.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// An earlier version wrote these data, and they are not to be changed now.
    #[error("the data are at version {found}, this program is at version {known}: start the server with this program once")]
    Older {
        /// The version of the data.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// A migration that was applied reads differently now.
    #[error("migration {0} was applied with another text: this program and the data do not belong together")]
    Changed(i64),
    /// An engine's safety setting did not take.
    #[error("SQLite did not accept {0}")]
    Pragma(&'static str),
    /// The data folder cannot be used.
    #[error("cannot use {path}: {cause}")]
    Folder {
        /// The file or folder.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
