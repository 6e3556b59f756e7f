//! One process for each data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

/// Holds the folder until it is dropped, or the process ends however it may.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if it is not there, and takes it.
    ///
    /// # Errors
    ///
    /// Another process has it, or it cannot be used.
    pub fn take(folder: &Path) -> anyhow::Result<FolderLock> {
        let path = folder.join("lock");
        let cannot = || format!("cannot use the data folder {}", folder.display());
        std::fs::create_dir_all(folder).with_context(cannot)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).with_context(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another process serves the data folder {}: stop it first, or choose another folder with --data",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).with_context(cannot)?;
        Ok(FolderLock { _file: file })
    }
}
