//! Puts store and services together, for every command alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use usher_adapters::{SystemClock, SystemRandom, outside};
use usher_config::{Config, overwritten_settings};
use usher_domain::settings;
use usher_services::platform::SettingsOfEnvironment;
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
    let (location, lock) = match &config.database_url {
        Some(url) => (Location::Postgres(url.clone()), None),
        None => (Location::Folder(config.data.clone()), Some(FolderLock::take(&config.data)?)),
    };
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
    let random = Arc::new(SystemRandom);
    let services = Services::start(Arc::new(store), hub, settings, config.rate_limits, clock, random, outside());
    Ok(Opened { services: Arc::new(services.await?), _lock: lock })
}
