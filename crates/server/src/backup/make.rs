//! Making a backup beside a server that goes on serving.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use serde_json::{Value, json};
use usher_config::Config;
use usher_services::ports::Storage;
use usher_store::{Anything, Location, q, snapshot};
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

use super::container::Hashing;
use super::{FILES, MANIFEST, TABLES};
use crate::opening;

/// An archive that is written from its beginning to its end.
type Archive = ZipWriter<StreamWriter<Hashing>>;

/// Makes a backup of the data that `config` names.
///
/// # Errors
///
/// There are no data, the file is there already, or something cannot be read or written.
pub async fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    ensure!(!file.exists(), "{} is there already: choose another name", file.display());
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let made = make(config, &unfinished).await;
    let (rows, files) = match made {
        Ok(made) => made,
        Err(error) => {
            // What is there of it is of no use to anybody.
            let _ = std::fs::remove_file(&unfinished);
            return Err(error);
        }
    };
    std::fs::rename(&unfinished, file).with_context(|| format!("{} cannot be put in its place", file.display()))?;
    println!("Done. {rows} rows and {files} files are in {}.", file.display());
    Ok(())
}

async fn make(config: &Config, file: &Path) -> anyhow::Result<(u64, usize)> {
    let storage = opening::storage(&config.files)?;
    let (location, output) = (opening::location(config), Hashing::begin(file)?);
    let (archive, rows, ids) = tokio::task::spawn_blocking(move || write_tables(&location, output)).await??;
    let (archive, files) = write_files(archive, storage, &ids).await?;
    let output = archive.finish()?.into_inner();
    tokio::task::spawn_blocking(move || output.end()).await??;
    Ok((rows, files))
}

/// Writes all tables as they are at one moment. Gives how many rows there are, and the ids of the files.
fn write_tables(location: &Location, output: Hashing) -> anyhow::Result<(Archive, u64, Vec<String>)> {
    let mut archive = ZipWriter::new_stream(output);
    archive.start_file(MANIFEST, SimpleFileOptions::default())?;
    writeln!(archive, "{}", json!({"version": usher_store::version()}))?;
    snapshot(location, |tx| {
        let (mut rows, mut ids) = (0, Vec::new());
        for table in q::dump::tables() {
            println!("{} ..", table.name);
            archive.start_file(format!("{TABLES}{}", table.name), SimpleFileOptions::default().large_file(true))?;
            rows += q::dump::read::<anyhow::Error>(tx, table, |row| {
                if let (Some(Anything::Text(id)), "files") = (row.first(), table.name) {
                    ids.push(id.clone());
                }
                // As one piece, because each is hashed by itself.
                Ok(archive.write_all(format!("{}\n", line(row)).as_bytes())?)
            })?;
        }
        Ok((archive, rows, ids))
    })
}

/// A row as a JSON list.
fn line(row: &[Anything]) -> Value {
    row.iter().map(Value::from).collect()
}

/// Writes the bytes of the files. One that was removed since the tables were read has none any more.
async fn write_files(mut archive: Archive, storage: Option<Arc<dyn Storage>>, ids: &[String]) -> anyhow::Result<(Archive, usize)> {
    let Some(storage) = storage else { return Ok((archive, 0)) };
    let mut written = 0;
    for id in ids {
        let fetched = storage.fetch(id, None).await.map_err(|failure| anyhow::anyhow!(failure.0))?;
        let Some(mut pieces) = fetched else { continue };
        archive.start_file(format!("{FILES}{id}"), SimpleFileOptions::default().large_file(true))?;
        while let Some(piece) = pieces.next().await {
            archive.write_all(&piece.map_err(|failure| anyhow::anyhow!(failure.0))?)?;
        }
        written += 1;
    }
    Ok((archive, written))
}
