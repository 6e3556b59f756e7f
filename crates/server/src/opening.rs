//! Puts store and services together, for every command alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use usher_adapters::{KeyFile, ObjectStorage, Press, SystemClock, SystemRandom, outside};
use usher_config::{Config, Files, overwritten_settings};
use usher_domain::settings;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::ports::Storage;
use usher_services::{Hub, Services};
use usher_store::{Location, Options, Store};

use crate::folder_lock::FolderLock;

/// The services over an open store, and the hold on its folder.
pub struct Opened {
    /// The services.
    pub services: Arc<Services>,
    /// Dropped last: nobody else may open the folder before the store is closed.
    _lock: Option<FolderLock>,
}

/// What the environment says of settings: `OVERWRITE_SETTING_<id>` at every start, a variable called like a setting at the very first.
///
/// # Errors
///
/// Names the variable whose setting does not exist, or whose value cannot be.
pub fn settings(variables: &BTreeMap<String, String>) -> anyhow::Result<SettingsOfEnvironment> {
    let forced = settings::forced(overwritten_settings(variables)).context("a variable OVERWRITE_SETTING_* is wrong")?;
    let named = variables.iter().filter(|(name, _)| settings::definition(name).is_some_and(|setting| !setting.is_hidden));
    let initial = settings::forced(named.map(|(name, value)| (name.clone(), value.clone())));
    Ok(SettingsOfEnvironment { initial: initial.context("a variable called like a setting is wrong")?, forced })
}

/// Opens the store that `config` names and puts the services over it.
///
/// # Errors
///
/// Another process has the folder, the data are newer than this program, or the database cannot be reached.
pub async fn open(config: &Config, settings: SettingsOfEnvironment) -> anyhow::Result<Opened> {
    let lock = config.database_url.is_none().then(|| FolderLock::take(&config.data)).transpose()?;
    let location = location(config);
    let (clock, hub) = (Arc::new(SystemClock::default()), Arc::new(Hub::default()));
    let safe = Options::safe(clock.clone(), hub.clone());
    let options = Options { synchronous: config.synchronous, scrub: config.scrub, serializable: config.serializable, ..safe };
    if !config.synchronous || !config.scrub || !config.serializable {
        tracing::error!(
            synchronous = config.synchronous,
            scrub = config.scrub,
            serializable = config.serializable,
            "a promise is broken on purpose: this is for proofs only, never for data that anybody needs"
        );
    }
    let store = Store::open(&location, options).context("the store cannot be opened")?;
    claim_files(&store, &config.files)?;
    let random = Arc::new(SystemRandom);
    let outside = outside(storage(&config.files)?, Press::with(&config.fonts)?, KeyFile::open(&config.data, random.as_ref())?);
    let services = Services::start(Arc::new(store), hub, settings, config.rate_limits, clock, random, outside).await?;
    services.recover_files().await.context("the files that an earlier process left cannot be looked through")?;
    Ok(Opened { services: Arc::new(services), _lock: lock })
}

/// Makes sure that all processes of one database find each other's files.
fn claim_files(store: &Store, files: &Files) -> anyhow::Result<()> {
    let is_claimed = match files {
        Files::Off => true,
        Files::Folder(_) => store.claim_files(true)?,
        Files::Bucket { .. } => store.claim_files(false)?,
    };
    anyhow::ensure!(
        is_claimed,
        "another server keeps the files of this database in a folder of its own, which this one does not see: give both of them the same \
         bucket with --files-url s3://BUCKET, or take no files with --files-url off"
    );
    Ok(())
}

/// Where the data are.
pub fn location(config: &Config) -> Location {
    match &config.database_url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Folder(config.data.clone()),
    }
}

/// Where files are kept, if any are.
///
/// # Errors
///
/// The place cannot be used.
pub fn storage(files: &Files) -> anyhow::Result<Option<Arc<dyn Storage>>> {
    Ok(match files {
        Files::Off => None,
        Files::Folder(folder) => Some(Arc::new(ObjectStorage::in_folder(folder)?)),
        Files::Bucket { name, prefix, endpoint } => Some(Arc::new(ObjectStorage::in_bucket(name, prefix, endpoint.as_deref())?)),
    })
}
