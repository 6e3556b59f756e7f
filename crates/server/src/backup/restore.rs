//! Making data of a backup: in an empty place, without those who were erased since.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::runtime::Handle;
use usher_config::{Config, Files};
use usher_services::Services;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::ports::Storage;
use usher_store::registry::Table;
use usher_store::{Anything, Location, Nobody, Options, Store, q, snapshot};
use zip::ZipArchive;

use super::container::Archived;
use super::{FILES, MANIFEST, TABLES};
use crate::folder_lock::FolderLock;
use crate::opening;

/// How many rows one transaction adds.
const ROWS: usize = 1_000;

/// How many bytes of a file are put into the storage at once.
const PIECE: usize = 1 << 20;

/// An opened backup.
type Archive = ZipArchive<Archived>;

/// Restores a backup into the empty place that `config` names, and erases whoever is named by its own ledger of erasures and by `ledgers`:
/// newer backups, and data folders.
///
/// # Errors
///
/// The backup is damaged, of a newer format or of other data, the place is not empty, or something cannot be written. A data folder is not
/// there then; a database that is filled in part has to be made anew.
pub async fn restore(config: &Config, settings: SettingsOfEnvironment, file: &Path, ledgers: &[PathBuf]) -> anyhow::Result<()> {
    let mut archive = open(file)?;
    let mut subjects = Vec::new();
    for ledger in ledgers {
        subjects
            .extend(subjects_of(ledger).with_context(|| format!("no ledger of erasures can be read from {}", ledger.display()))?);
    }
    ensure_empty(config)?;
    // Only when nobody is in it any more who was erased does it get the name under which it can be served.
    let building = beside(config)?;
    let built = fill(&building, settings, &mut archive, subjects).await;
    if built.is_err() && building.data != config.data {
        // What is there of it is of no use to anybody.
        let _ = std::fs::remove_dir_all(&building.data);
    }
    let erased = built?;
    if building.data != config.data {
        let cannot = || format!("{} cannot be put in its place", building.data.display());
        std::fs::rename(&building.data, &config.data).with_context(cannot)?;
    }
    println!("Done. {erased} visitors and contacts of the backup had been erased since, and are erased again.");
    if ledgers.is_empty() {
        println!(
            "No --ledger was given: whoever was erased after this backup was made is back. Give a newer backup or the former data folder."
        );
    }
    Ok(())
}

/// The same configuration with a data folder beside the one that is wanted. A database has no place beside it.
fn beside(config: &Config) -> anyhow::Result<Config> {
    let mut building = config.clone();
    if config.database_url.is_some() {
        return Ok(building);
    }
    let mut name = config.data.as_os_str().to_owned();
    name.push(".restoring");
    building.data = PathBuf::from(name);
    let left = building.data.display();
    ensure!(!building.data.exists(), "{left} is left of a restore that was stopped: remove it");
    if let Files::Folder(folder) = &config.files
        && let Ok(inside) = folder.strip_prefix(&config.data)
    {
        building.files = Files::Folder(building.data.join(inside));
    }
    Ok(building)
}

/// Fills an empty place, and erases in it whoever was erased since. Gives how many that were.
async fn fill(
    config: &Config,
    settings: SettingsOfEnvironment,
    archive: &mut Archive,
    subjects: Vec<String>,
) -> anyhow::Result<u64> {
    let lock = config.database_url.is_none().then(|| FolderLock::take(&config.data)).transpose()?;
    load_tables(config, archive).await?;
    if let Some(storage) = opening::storage(&config.files)? {
        load_files(archive, &storage).await?;
    }
    drop(lock);
    let opened = opening::open(config, settings).await?;
    erase_again(&opened.services, subjects).await
}

fn open(file: &Path) -> anyhow::Result<Archive> {
    let mut archive = ZipArchive::new(Archived::open(file)?).with_context(|| format!("{} is damaged", file.display()))?;
    let mut manifest = String::new();
    archive.by_name(MANIFEST)?.read_to_string(&mut manifest)?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    let (found, known) = (manifest["version"].as_i64().unwrap_or_default(), usher_store::version());
    ensure!(found <= known, "the backup is of version {found}, this program of version {known}: restore it with a newer program");
    ensure!(
        found == known,
        "the backup is of version {found}, this program of version {known}: restore it with the program that made it, then start this one"
    );
    Ok(archive)
}

/// Whom a data folder or a backup names as erased.
fn subjects_of(ledger: &Path) -> anyhow::Result<Vec<String>> {
    if ledger.is_dir() {
        return snapshot(&Location::Folder(ledger.to_owned()), |tx| Ok(q::erasures::subjects(tx)?));
    }
    let table = q::dump::tables().find(|table| table.name == "erasures").context("there is no ledger")?;
    let column = table.columns.iter().position(|(name, _)| *name == "subject").context("a ledger names subjects")?;
    let mut subjects = Vec::new();
    rows_of(&mut open(ledger)?, table, |row| {
        if let Some(Anything::Text(subject)) = row.get(column) {
            subjects.push(subject.clone());
        }
        Ok(())
    })?;
    Ok(subjects)
}

/// Refuses a place with anything in it.
fn ensure_empty(config: &Config) -> anyhow::Result<()> {
    let is_empty = |folder: &Path| std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if config.database_url.is_none() {
        ensure!(is_empty(&config.data), "{} is not empty: choose another folder with --data", config.data.display());
    }
    match &config.files {
        Files::Folder(folder) => ensure!(is_empty(folder), "{} is not empty: files are kept there already", folder.display()),
        Files::Bucket { .. } | Files::Off => {}
    }
    Ok(())
}

async fn load_tables(config: &Config, archive: &mut Archive) -> anyhow::Result<()> {
    let options = Options::safe(Arc::new(usher_adapters::SystemClock::default()), Arc::new(Nobody));
    let location = opening::location(config);
    let store = tokio::task::spawn_blocking(move || Store::open(&location, options)).await??;
    let is_unused = store.read(|tx| Ok::<_, anyhow::Error>(q::dump::is_unused(tx)?)).await?;
    ensure!(is_unused, "the database is not empty: choose another one with --database-url");
    for table in q::dump::tables() {
        println!("{} ..", table.name);
        store.write(move |tx| Ok::<_, anyhow::Error>(q::dump::clear(tx, table)?)).await?;
        let mut waiting = Vec::new();
        rows_of(archive, table, |row| {
            waiting.push(row);
            if waiting.len() == ROWS { add(&store, table, std::mem::take(&mut waiting)) } else { Ok(()) }
        })?;
        add(&store, table, waiting)?;
    }
    Ok(())
}

/// Adds rows to a table in one transaction.
fn add(store: &Store, table: &'static Table, rows: Vec<Vec<Anything>>) -> anyhow::Result<()> {
    let write = store.write(move |tx| rows.iter().try_for_each(|row| q::dump::add(tx, table, row)).map_err(anyhow::Error::from));
    tokio::task::block_in_place(|| Handle::current().block_on(write))
}

/// Hands every row of a table in the archive to `each`.
fn rows_of(archive: &mut Archive, table: &Table, mut each: impl FnMut(Vec<Anything>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let entry = archive.by_name(&format!("{TABLES}{}", table.name))?;
    for line in BufReader::new(entry).lines() {
        let row: Vec<Value> = serde_json::from_str(&line?)?;
        ensure!(row.len() == table.columns.len(), "a row of {} has {} columns", table.name, row.len());
        each(row.into_iter().map(value).collect::<anyhow::Result<_>>()?)?;
    }
    Ok(())
}

fn value(value: Value) -> anyhow::Result<Anything> {
    Ok(match value {
        Value::Null => Anything::Null,
        Value::Bool(value) => Anything::Boolean(value),
        Value::Number(number) => Anything::Integer(number.as_i64().context("a number is no whole one")?),
        Value::String(text) => Anything::Text(text),
        Value::Array(_) | Value::Object(_) => bail!("a value is neither text nor number"),
    })
}

async fn load_files(archive: &mut Archive, storage: &Arc<dyn Storage>) -> anyhow::Result<()> {
    let names = archive.file_names().filter_map(Result::ok).map(|name| name.into_owned());
    let names: Vec<String> = names.filter(|name| name.starts_with(FILES)).collect();
    for name in names {
        let mut writer = storage.begin(&name[FILES.len()..]);
        let mut entry = archive.by_name(&name)?;
        loop {
            let mut piece = Vec::new();
            entry.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            writer.write(piece.into()).await.map_err(|failure| anyhow::anyhow!(failure.0))?;
        }
        writer.finish().await.map_err(|failure| anyhow::anyhow!(failure.0))?;
    }
    Ok(())
}

/// Erases again whoever is there, and seals it.
async fn erase_again(services: &Arc<Services>, mut subjects: Vec<String>) -> anyhow::Result<u64> {
    let own = services.store.read(|tx| Ok::<_, anyhow::Error>(q::erasures::subjects(tx)?)).await?;
    subjects.extend(own);
    let erased = services.erase_again(subjects).await?;
    services.finish_erasures().await?;
    Ok(erased)
}
