//! The file around the archive: its first line, and the hash at its end.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

/// What a backup begins with; the number is that of the format.
const BEGINNING: &[u8] = b"usher backup 1\n";

/// What backups of all formats begin with.
const ANY_FORMAT: &[u8] = b"usher backup ";

/// How many bytes the hash at the end has.
const HASH: u64 = 32;

/// A file that is being written, hashed meanwhile.
pub struct Hashing {
    output: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// It cannot be made, or is there already.
    pub fn begin(path: &Path) -> anyhow::Result<Hashing> {
        let cannot = || format!("{} cannot be made", path.display());
        // Everything is in it: nobody else reads it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(cannot)?;
        let output = BufWriter::new(file);
        let mut hashing = Hashing { output, hash: Sha256::new() };
        hashing.write_all(BEGINNING).with_context(cannot)?;
        Ok(hashing)
    }

    /// Ends the file with the hash. It is durable then.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn end(self) -> anyhow::Result<()> {
        let Hashing { mut output, hash } = self;
        output.write_all(&hash.finalize())?;
        output.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.output.flush()
    }
}

/// The archive within a file whose hash is right.
pub struct Archived {
    file: BufReader<File>,
    /// Where the archive begins, and how many bytes it has.
    start: u64,
    length: u64,
    place: u64,
}

impl Archived {
    /// Opens a backup after reading all of it once.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no backup, is of a newer format, or is damaged.
    pub fn open(path: &Path) -> anyhow::Result<Archived> {
        let cannot = || format!("{} cannot be read", path.display());
        let file = File::open(path).with_context(cannot)?;
        let length = file.metadata().with_context(cannot)?.len();
        let mut file = BufReader::new(file);
        let mut beginning = vec![0; BEGINNING.len()];
        let is_read = file.read_exact(&mut beginning).is_ok();
        if !is_read || !beginning.starts_with(ANY_FORMAT) || length < BEGINNING.len() as u64 + HASH {
            bail!("{} is no backup", path.display());
        }
        if beginning != BEGINNING {
            bail!("{} is of a newer format: restore it with a newer program", path.display());
        }
        let start = BEGINNING.len() as u64;
        let archived = length - start - HASH;
        let mut hash = Sha256::new();
        hash.update(&beginning);
        read_into(&mut hash, &mut (&mut file).take(archived)).with_context(cannot)?;
        let mut expected = [0; HASH as usize];
        file.read_exact(&mut expected).with_context(cannot)?;
        if hash.finalize()[..] != expected {
            bail!("{} is damaged: its content is not what was written", path.display());
        }
        file.seek(SeekFrom::Start(start)).with_context(cannot)?;
        Ok(Archived { file, start, length: archived, place: 0 })
    }
}

/// Hashes all that can be read.
fn read_into(hash: &mut Sha256, from: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let bytes = from.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        hash.update(bytes);
        from.consume(length);
    }
}

impl Read for Archived {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let most = bytes.len().min(left);
        let read = self.file.read(&mut bytes[..most])?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for Archived {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
        };
        self.place = place.ok_or(std::io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(self.start + self.place))?;
        Ok(self.place)
    }
}
