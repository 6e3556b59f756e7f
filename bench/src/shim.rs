//! The preloaded library that makes every flush take longer: the one that the proofs of durability use, compiled when it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The source's name, somewhere among the server's tests.
const SOURCE: &str = "flush.c";

/// The library, ready to be loaded.
pub struct Shim(PathBuf);

impl Shim {
    /// Compiles the library into `folder`.
    pub fn compile(folder: &Path) -> Result<Shim> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/server/tests");
        let source = find(&tests)?.with_context(|| format!("there is no {SOURCE} in {}", tests.display()))?;
        let library = folder.join("flush.so");
        let compiled = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-pthread", "-o"]).arg(&library).arg(&source).status();
        let status = compiled.context("the C compiler `cc` cannot be run: install one")?;
        ensure!(status.success(), "cc could not compile {}", source.display());
        Ok(Shim(library))
    }

    /// Lets `command` run with every flush `longer`.
    pub fn apply(&self, command: &mut Command, longer: Duration) {
        command.env("LD_PRELOAD", &self.0).env("USHER_SHIM_FLUSH_DELAY_US", longer.as_micros().to_string());
    }
}

/// The source below `folder`, wherever it is.
fn find(folder: &Path) -> Result<Option<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("{} cannot be read", folder.display()))?.path();
        if path.is_dir() {
            if let Some(found) = find(&path)? {
                return Ok(Some(found));
            }
        } else if path.ends_with(SOURCE) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
