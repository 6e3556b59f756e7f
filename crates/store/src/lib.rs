//! The store: one set of queries over two engines, SQLite and PostgreSQL.
//!
//! Callers hand in closures over [`Tx`]; the engine decides when they run, together with whom, and how often. All SQL is in [`q`],
//! one file per aggregate; what exists for one engine only is in `dialect`. Depends on `domain` alone.

mod dialect;
mod error;
mod job;
mod migrations;
mod postgres;
pub mod q;
pub mod registry;
mod snapshot;
mod sqlite;
mod store;
mod tx;

pub use error::{OpenError, StoreError};
pub use migrations::version;
pub use snapshot::snapshot;
pub use sqlite::FILE as SQLITE_FILE;
pub use sqlite::scrub;
pub use store::{BALLAST, Location, Nobody, Options, Publish, Store};
pub use tx::{Anything, Columns, Row, Tx, Value};
