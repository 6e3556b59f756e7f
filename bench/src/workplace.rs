//! A folder for the data of one benchmark.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder that is gone when the benchmark is over.
pub struct Workplace(PathBuf);

impl Workplace {
    /// Makes an empty folder in `parent`, or else in the build's own: temporary folders are often memory, which flatters every flush.
    pub fn new(parent: Option<&Path>) -> Result<Workplace> {
        let parent = match parent {
            Some(parent) => parent.to_owned(),
            None => program_folder()?.join("bench-data"),
        };
        let path = parent.join(std::process::id().to_string());
        std::fs::create_dir_all(&path).with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(Workplace(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder `name` in it.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(path)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} is left over: {error}", self.0.display());
        }
    }
}

/// The folder of this program, and of the server that was built in the same way.
pub fn program_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    Ok(program.parent().context("a program is in a folder")?.to_owned())
}
