//! The `usher` program: command line, wiring, start and stop. Everything else is in the crates it puts together.

mod administration;
mod backup;
mod command_line;
mod folder_lock;
mod logging;
mod opening;
mod purge;
mod receipt;
mod serve;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use usher_config::Config;

use command_line::{AdminCommand, Command, CommandLine, ConfigCommand, ReceiptCommand};

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("usher: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: CommandLine) -> anyhow::Result<()> {
    // What is no text cannot be a name or value of ours.
    let variables: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let config = Config::load(command_line.keys, command_line.config.as_deref(), &variables)?;
    let settings = opening::settings(&variables)?;
    match command_line.command.unwrap_or(Command::Serve) {
        Command::Config { command: ConfigCommand::Check } => {
            println!("{config}");
            println!(
                "# receipts are signed by {}",
                receipt::public_key(&config).as_deref().unwrap_or("a key that the first start makes")
            );
            Ok(())
        }
        Command::Openapi => {
            println!("{}", usher_api::document_text());
            Ok(())
        }
        Command::Serve => runtime()?.block_on(serve::serve(config, settings)),
        Command::Admin { command: AdminCommand::ResetPassword { username } } => {
            runtime()?.block_on(administration::reset_password(&config, settings, username))
        }
        Command::Receipt { command: ReceiptCommand::Verify { key, file } } => receipt::verify(&file, &key),
        Command::Receipt { command: ReceiptCommand::RotateKey } => receipt::rotate_key(&config),
        Command::Backup { file } => runtime()?.block_on(backup::backup(&config, &file)),
        Command::Restore { file, ledgers } => runtime()?.block_on(backup::restore(&config, settings, &file, &ledgers)),
        Command::Purge { rewrite } => runtime()?.block_on(purge::purge(&config, settings, rewrite)),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads could not be started")
}
