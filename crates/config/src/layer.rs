//! One layer of the configuration: every key, each set or not.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Something that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Switch::On
    }
}

/// The keys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Where to listen [default: 127.0.0.1:3000] [env: USHER_LISTEN]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The data folder [default: ./usher-data] [env: USHER_DATA]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// A PostgreSQL database (postgres://..) instead of the embedded store [env: USHER_DATABASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Where files are kept: s3://BUCKET/PREFIX?endpoint=URL, file:///FOLDER, or off for no files [default: the folder files in the data folder] [env: USHER_FILES_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub files_url: Option<String>,
    /// Font files for printed transcripts, separated by commas, for characters that the built-in typeface does not have, such as Chinese [default: none] [env: USHER_FONTS]
    #[arg(long, global = true, value_name = "FILES")]
    pub fonts: Option<String>,
    /// The folder with a build of the widget, served at /livechat [default: none] [env: USHER_WIDGET_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub widget_dir: Option<PathBuf>,
    /// Whether callers who call too often are slowed down [default: on] [env: USHER_RATE_LIMITS]
    #[arg(long, global = true, value_name = "on|off")]
    pub rate_limits: Option<Switch>,
    /// The networks of proxies whose forwarding headers count, separated by commas [default: none] [env: USHER_TRUSTED_PROXIES]
    #[arg(long, global = true, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// What is logged: error, warn, info, debug, trace, or a filter by module [default: info] [env: USHER_LOG]
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// The first administrator's user name, used at the very first start. No flags for these: other users of the machine see flags.
    #[arg(skip)]
    pub admin_username: Option<String>,
    /// The first administrator's password.
    #[arg(skip)]
    pub admin_password: Option<String>,
    /// The first administrator's e-mail address.
    #[arg(skip)]
    pub admin_email: Option<String>,
    /// Breaks a promise on purpose: commits are not flushed. For the proof that its own test can fail.
    #[arg(long, global = true, hide = true, value_name = "on|off")]
    pub unsafe_synchronous_off: Option<Switch>,
    /// Breaks a promise on purpose: pages are not scrubbed. For the proof that its own test can fail.
    #[arg(long, global = true, hide = true, value_name = "on|off")]
    pub unsafe_scrub_off: Option<Switch>,
    /// Breaks a promise on purpose: writes on PostgreSQL come between each other. For the proof that its own test can fail.
    #[arg(long, global = true, hide = true, value_name = "on|off")]
    pub unsafe_read_committed: Option<Switch>,
}

impl Layer {
    /// This layer over `below`.
    pub fn over(self, below: Layer) -> Layer {
        Layer {
            listen: self.listen.or(below.listen),
            data: self.data.or(below.data),
            database_url: self.database_url.or(below.database_url),
            files_url: self.files_url.or(below.files_url),
            fonts: self.fonts.or(below.fonts),
            widget_dir: self.widget_dir.or(below.widget_dir),
            rate_limits: self.rate_limits.or(below.rate_limits),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            log: self.log.or(below.log),
            admin_username: self.admin_username.or(below.admin_username),
            admin_password: self.admin_password.or(below.admin_password),
            admin_email: self.admin_email.or(below.admin_email),
            unsafe_synchronous_off: self.unsafe_synchronous_off.or(below.unsafe_synchronous_off),
            unsafe_scrub_off: self.unsafe_scrub_off.or(below.unsafe_scrub_off),
            unsafe_read_committed: self.unsafe_read_committed.or(below.unsafe_read_committed),
        }
    }
}
