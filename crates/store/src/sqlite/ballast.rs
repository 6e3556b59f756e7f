//! The ballast: a file of zeros whose space is given back when the disk is full, so that erasures can still commit.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file in the data folder.
const FILE: &str = "ballast";

/// The ballast of one data folder.
pub(super) struct Ballast {
    path: PathBuf,
    length: u64,
}

impl Ballast {
    /// The ballast of `folder`, `length` bytes long. Nothing is written yet.
    pub(super) fn new(folder: &Path, length: u64) -> Ballast {
        Ballast { path: folder.join(FILE), length }
    }

    /// Writes the file if it is not there whole. Says whether it is now; if there is no room, nothing is left of it.
    pub(super) fn restore(&self) -> bool {
        if std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == self.length) {
            return true;
        }
        let written = self.write();
        if written.is_err() {
            self.release();
        }
        written.is_ok()
    }

    /// Gives the space back.
    pub(super) fn release(&self) {
        // If it is not there, there is nothing to give back.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Writes real zeros: a file of holes would hold no space.
    fn write(&self) -> std::io::Result<()> {
        let zeros = vec![0_u8; 1 << 20];
        let mut file = File::create(&self.path)?;
        let mut left = self.length;
        while left > 0 {
            let part = left.min(zeros.len() as u64);
            file.write_all(&zeros[..part as usize])?;
            left -= part;
        }
        file.sync_all()
    }
}
