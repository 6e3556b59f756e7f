//! Whether the server's program is that of the present sources. `cargo run -p bench` builds the benchmarks and not the server, so without
//! this the figures could be those of yesterday's.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};

use crate::workplace::program_folder;

/// The folders of a crate that its program is made of.
const MADE_OF: [&str; 2] = ["src", "migrations"];

/// The crate that is in no program.
const TESTS_ONLY: &str = "testkit";

/// The server's program beside this one, if it is there and no older than any source of it.
pub fn usher_program() -> Result<PathBuf> {
    let program = program_folder()?.join("usher");
    let how = if cfg!(debug_assertions) { "cargo build" } else { "cargo build --release" };
    ensure!(program.exists(), "there is no {}: build it with `{how}`", program.display());
    let built = modified(&program)?;
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for member in entries(&crates)?.into_iter().filter(|member| !member.ends_with(TESTS_ONLY)) {
        for folder in MADE_OF.map(|folder| member.join(folder)).iter().filter(|folder| folder.is_dir()) {
            if let Some(newer) = newer_file(folder, built)? {
                let (program, newer) = (program.display(), newer.display());
                bail!("{program} is older than {newer}: build it again with `{how}`");
            }
        }
    }
    Ok(program)
}

/// A file below `folder` that was changed after `moment`, if there is one.
fn newer_file(folder: &Path, moment: SystemTime) -> Result<Option<PathBuf>> {
    for path in entries(folder)? {
        let found = match path.is_dir() {
            true => newer_file(&path, moment)?,
            false => (modified(&path)? > moment).then_some(path),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    read().with_context(|| format!("{} cannot be read", folder.display()))
}

fn modified(path: &Path) -> Result<SystemTime> {
    let metadata = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    metadata.with_context(|| format!("it cannot be seen when {} was changed", path.display()))
}
