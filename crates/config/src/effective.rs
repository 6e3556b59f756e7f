//! The configuration in force.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::environment;
use crate::files::Files;
use crate::layer::{Layer, Switch};

/// The first administrator.
#[derive(Clone, PartialEq, Eq)]
pub struct Admin {
    /// The user name.
    pub username: String,
    /// The password; one is generated if there is none.
    pub password: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Every key with the value in force.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// A PostgreSQL database instead of the embedded store.
    pub database_url: Option<String>,
    /// Where files are kept.
    pub files: Files,
    /// Font files for printed transcripts besides the built-in typeface.
    pub fonts: Vec<PathBuf>,
    /// The folder with a build of the widget.
    pub widget_dir: Option<PathBuf>,
    /// Whether callers who call too often are slowed down.
    pub rate_limits: bool,
    /// The networks of proxies whose forwarding headers count.
    pub trusted_proxies: Vec<String>,
    /// What is logged.
    pub log: String,
    /// The first administrator.
    pub admin: Admin,
    /// Whether commits are flushed. Always, but for the proof that its own test can fail.
    pub synchronous: bool,
    /// Whether pages are scrubbed. Always, but for the proof that its own test can fail.
    pub scrub: bool,
    /// Whether writes on PostgreSQL keep out of each other's way. Always, but for the proof that its own test can fail.
    pub serializable: bool,
}

/// Why there is no configuration. The texts name the key.
#[derive(Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// In the environment.
    Environment(String),
    /// In the file.
    File(String),
    /// A value that cannot be.
    Value(String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Environment(what) => write!(formatter, "environment: {what}"),
            ConfigError::File(what) => write!(formatter, "configuration file: {what}"),
            ConfigError::Value(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Lays `flags` over `variables` over the file over the defaults. The file is `file`, or the one that `USHER_CONFIG` names.
    ///
    /// # Errors
    ///
    /// Names the key that is unknown or whose value cannot be.
    pub fn load(flags: Layer, file: Option<&Path>, variables: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
        let named = variables.get("USHER_CONFIG").map(Path::new);
        let file = match file.or(named) {
            Some(path) => read(path)?,
            None => Layer::default(),
        };
        Config::of(flags.over(environment::layer(variables)?.over(file)))
    }

    fn of(layer: Layer) -> Result<Config, ConfigError> {
        if let Some(url) = layer.database_url.as_deref().filter(|url| !is_postgres(url)) {
            let kind = url.split("://").next().unwrap_or_default();
            return Err(ConfigError::Value(format!("database_url: only postgres:// is known, not {kind}://")));
        }
        let data = layer.data.unwrap_or_else(|| PathBuf::from("./usher-data"));
        let files = Files::of(layer.files_url.as_deref(), &data)?;
        let [proxies, fonts] = [layer.trusted_proxies, layer.fonts].map(|list| entries(&list.unwrap_or_default()));
        let is_on = |switch: Option<Switch>| switch.is_some_and(Switch::is_on);
        Ok(Config {
            listen: layer.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            data,
            files,
            database_url: layer.database_url,
            rate_limits: layer.rate_limits.is_none_or(Switch::is_on),
            trusted_proxies: proxies,
            fonts: fonts.into_iter().map(PathBuf::from).collect(),
            widget_dir: layer.widget_dir,
            log: layer.log.unwrap_or_else(|| "info".to_owned()),
            admin: Admin {
                username: layer.admin_username.unwrap_or_else(|| "admin".to_owned()),
                password: layer.admin_password,
                email: layer.admin_email,
            },
            synchronous: !is_on(layer.unsafe_synchronous_off),
            scrub: !is_on(layer.unsafe_scrub_off),
            serializable: !is_on(layer.unsafe_read_committed),
        })
    }
}

/// The entries of a list that is separated by commas.
fn entries(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File(format!("{}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| ConfigError::File(format!("{}: {}", path.display(), error.message())))
}

impl fmt::Display for Config {
    /// The effective values in the file's own form, secrets hidden.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |is_on: bool| if is_on { "on" } else { "off" };
        let secret = |value: &Option<String>| if value.is_some() { "(hidden)" } else { "(not set)" };
        let plain = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
        writeln!(formatter, "listen = \"{}\"", self.listen)?;
        writeln!(formatter, "data = \"{}\"", self.data.display())?;
        writeln!(formatter, "database_url = \"{}\"", secret(&self.database_url))?;
        writeln!(formatter, "files_url = \"{}\"", self.files)?;
        let fonts: Vec<String> = self.fonts.iter().map(|font| font.display().to_string()).collect();
        writeln!(formatter, "fonts = \"{}\"", fonts.join(", "))?;
        let widget = self.widget_dir.as_ref().map_or_else(|| "(not set)".to_owned(), |folder| folder.display().to_string());
        writeln!(formatter, "widget_dir = \"{widget}\"")?;
        writeln!(formatter, "rate_limits = \"{}\"", switch(self.rate_limits))?;
        writeln!(formatter, "trusted_proxies = \"{}\"", self.trusted_proxies.join(", "))?;
        writeln!(formatter, "log = \"{}\"", self.log)?;
        writeln!(formatter, "admin_username = \"{}\"", self.admin.username)?;
        writeln!(formatter, "admin_password = \"{}\"", secret(&self.admin.password))?;
        write!(formatter, "admin_email = \"{}\"", plain(&self.admin.email))?;
        let broken = [
            ("unsafe_synchronous_off", self.synchronous),
            ("unsafe_scrub_off", self.scrub),
            ("unsafe_read_committed", self.serializable),
        ];
        for (name, is_kept) in broken {
            if !is_kept {
                write!(formatter, "\n{name} = \"on\"")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: Layer, file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let path = std::env::temp_dir().join(format!("usher-config-{}-{:?}", std::process::id(), std::thread::current().id()));
        std::fs::write(&path, file).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let loaded = Config::load(flags, Some(&path), &variables);
        std::fs::remove_file(&path).unwrap();
        loaded
    }

    #[test]
    fn later_layers_win() {
        let file = "log = 'file'\nlisten = '1.1.1.1:1'\ndata = 'file'";
        let flags = Layer { log: Some("flag".to_owned()), ..Layer::default() };
        let config = load(flags, file, &[("USHER_LOG", "variable"), ("USHER_LISTEN", "2.2.2.2:2")]).unwrap();
        assert_eq!((config.log.as_str(), config.listen.to_string().as_str()), ("flag", "2.2.2.2:2"));
        assert_eq!((config.data.to_str(), config.rate_limits, config.synchronous, config.scrub), (Some("file"), true, true, true));
        assert!(config.serializable);
    }

    #[test]
    fn unknown_keys_and_values_are_named() {
        for (file, key) in [("listn = 1", "listn"), ("rate_limits = 'x'", "x"), ("database_url = 'mysql://x'", "database_url")] {
            let error = load(Layer::default(), file, &[]).err().unwrap().to_string();
            assert!(error.contains(key), "{error}");
        }
        let missing = Config::load(Layer::default(), Some(Path::new("/nowhere/at/all")), &BTreeMap::new());
        assert!(missing.err().unwrap().to_string().contains("/nowhere/at/all"));
    }

    #[test]
    fn what_is_shown_hides_secrets() {
        let shown = load(Layer::default(), "admin_password = 'pass-word'\ndatabase_url = 'postgres://u:secret@h/d'", &[]).unwrap();
        let shown = shown.to_string();
        assert!(!shown.contains("secret") && !shown.contains("pass-word") && shown.contains("(hidden)"), "{shown}");
    }
}
