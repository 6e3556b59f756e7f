//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use usher_config::Layer;

/// Self-hosted omnichannel live chat.
#[derive(Parser)]
#[command(name = "usher", version, about)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A file with configuration in TOML [env: USHER_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The keys of the configuration.
    #[command(flatten)]
    pub keys: Layer,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve (the default)
    Serve,
    /// Look at the configuration
    Config {
        /// How.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Manage those who log in, while the server is stopped
    Admin {
        /// How.
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Put everything into one file, while the server serves or is stopped
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
    },
    /// Make data of a backup, in an empty folder or database, without those who were erased since
    Restore {
        /// The backup.
        file: PathBuf,
        /// A newer backup or the former data folder, which says who was erased since; may be given several times
        #[arg(long = "ledger", value_name = "FILE|FOLDER")]
        ledgers: Vec<PathBuf>,
    },
    /// Receipts of what was erased
    Receipt {
        /// How.
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// Finish and seal what was erased, while the server is stopped
    Purge {
        /// Rewrite all data as well, so that the files hold nothing else
        #[arg(long)]
        rewrite: bool,
    },
}

/// What to do with the configuration.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Check it and print the values in force, secrets hidden
    Check,
}

/// What to do with receipts.
#[derive(Subcommand)]
pub enum ReceiptCommand {
    /// Verify a receipt, without a server
    Verify {
        /// The public key, as the server shows it
        #[arg(long)]
        key: String,
        /// The file with the answer of the server
        file: PathBuf,
    },
    /// Sign with a new key from the next start on, while the server is stopped
    RotateKey,
}

/// What to do with those who log in.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Give somebody a new password, print it, and end all of their sessions
    ResetPassword {
        /// The user name.
        username: String,
    },
}
