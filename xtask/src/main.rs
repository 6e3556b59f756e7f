//! What developers run: `cargo xtask proof`, `cargo xtask bench` and `cargo xtask gen`.

use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use xtask::generated;

/// Tasks of developers.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs the long proofs whole, in release mode; takes about half an hour on two cores
    Proof {
        /// Only those whose name contains this
        filter: Option<String>,
    },
    /// Measures what docs/performance.md shows; takes about ten minutes on two cores
    Bench,
    /// Writes the documents that are made from the tables of the program
    Gen,
}

fn main() -> anyhow::Result<()> {
    match CommandLine::parse().task {
        Task::Proof { filter } => proof(filter),
        Task::Bench => bench(),
        Task::Gen => generated::write(),
    }
}

/// The proofs print their figures; one after the other, so that none takes another's processor.
fn proof(filter: Option<String>) -> anyhow::Result<()> {
    let mut command = cargo(&["test", "--release", "--package", "usher-server", "--test", "proofs", "--"]);
    command.args(["--nocapture", "--test-threads=1"]).args(filter);
    run(command.env("USHER_PROOF", "whole").env("USHER_REQUIRE_ALL", "1"))
}

fn bench() -> anyhow::Result<()> {
    run(&mut cargo(&["build", "--release"]))?;
    for measurement in ["store", "chat", "me", "scale", "seal", "realtime"] {
        run(&mut cargo(&["run", "--release", "--package", "bench", "--", measurement]))?;
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} could not be run"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
