//! Backups: everything at one moment in one file, and data made of such a file.
//!
//! The file is a line of text, an archive, and a hash of both, so that damage shows before anything is restored. The archive has a file
//! with a JSON list in each line for every table, and the files of chats. The key of receipts is not in it.

mod container;
mod make;
mod restore;

pub use make::backup;
pub use restore::restore;

/// The entry that says of which version the data are.
const MANIFEST: &str = "manifest.json";

/// The folder of the tables in the archive.
const TABLES: &str = "tables/";

/// The folder of the files of chats in the archive.
const FILES: &str = "files/";
