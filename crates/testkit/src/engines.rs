//! Both engines for one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use usher_domain::Clock;
use usher_store::{Location, Options, Publish, Store};

use crate::postgres::{self, Database};

/// A folder that is gone when the test is over.
pub struct Folder(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Default for Folder {
    /// Makes an empty folder.
    fn default() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("usher-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }
}

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An engine with nothing in it yet.
pub enum Engine {
    /// SQLite in a folder of its own.
    Sqlite(Folder),
    /// PostgreSQL with a database of its own.
    Postgres(Database),
}

impl Engine {
    /// SQLite.
    pub fn sqlite() -> Engine {
        Engine::Sqlite(Folder::default())
    }

    /// Every engine there is here.
    pub fn all() -> Vec<Engine> {
        [Some(Engine::sqlite()), postgres::database().map(Engine::Postgres)].into_iter().flatten().collect()
    }

    /// Where a store finds it.
    pub fn location(&self) -> Location {
        match self {
            Engine::Sqlite(folder) => Location::Folder(folder.path().to_owned()),
            Engine::Postgres(database) => Location::Postgres(database.url.clone()),
        }
    }

    /// Opens a store that runs every write twice and has next to no ballast.
    pub fn open(&self, clock: Arc<dyn Clock>, publish: Arc<dyn Publish>) -> Store {
        self.open_with(Options { rehearse: true, ..Options::safe(clock, publish) })
    }

    /// Opens a store that runs every write once, as it is delivered: for tests in which many come at once.
    pub fn open_for_crowds(&self, clock: Arc<dyn Clock>, publish: Arc<dyn Publish>) -> Store {
        self.open_with(Options::safe(clock, publish))
    }

    fn open_with(&self, options: Options) -> Store {
        Store::open(&self.location(), Options { ballast: 4_096, ..options }).expect("an engine of the tests opens")
    }
}
