//! The benchmarks: each command prints one section of `docs/performance.md`, with the command line as its heading.
//!
//! ```text
//! cargo build --release                             builds the server that all but `store` measure
//! cargo run --release -p bench -- store             the store: appends against one commit per call, and reads
//! cargo run --release -p bench -- chat              the calls of a chat, beside a bare HTTP server
//! cargo run --release -p bench -- me                asking who one is, beside a bare HTTP server
//! cargo run --release -p bench -- scale             the same calls with few data and with many
//! cargo run --release -p bench -- seal              sealing an erasure in databases of several sizes
//! cargo run --release -p bench -- realtime          the realtime connection, beside a bare WebSocket server
//! ```
//!
//! What is compared runs in turns, several times, so that a machine's good and bad moments meet both alike; a figure is the median of
//! its rounds. Progress goes to standard error, the section to standard output. Linux only: CPU time is read from `/proc`.

mod bare;
mod calls;
mod chat;
mod comparison;
mod figures;
mod fill;
mod freshness;
mod load;
mod me;
mod process;
mod realtime;
mod scale;
mod seal;
mod session;
mod shim;
mod staff;
mod store;
mod window;
mod workplace;

use clap::{Parser, Subcommand};

/// Measures Usher and prints Markdown.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Message appends of the embedded store against one commit per call, and point reads.
    Store(store::Options),
    /// The calls of a chat to the real server over 64 connections, beside a bare server that parses and answers the same.
    Chat(chat::Options),
    /// Logged-in users who ask the real server who they are, beside a bare server that sends the same.
    Me(me::Options),
    /// The time of single calls with millions of messages, against that with a hundredth.
    Scale(scale::Options),
    /// Sealing the erasure of a visitor in databases of several sizes, and how long others wait meanwhile.
    Seal(seal::Options),
    /// The realtime connection beside a bare WebSocket server of the same library.
    Realtime(realtime::Options),
    /// One measurement of `store`, in a process of its own.
    #[command(hide = true)]
    StoreRun(store::measurement::Options),
    /// The bare server that `chat`, `me` and `realtime` compare with.
    #[command(hide = true)]
    BareServer(bare::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Store(options) => store::run(&options),
        Command::Chat(options) => chat::run(&options),
        Command::Me(options) => me::run(&options),
        Command::Scale(options) => scale::run(&options),
        Command::Seal(options) => seal::run(&options),
        Command::Realtime(options) => realtime::run(&options),
        Command::StoreRun(options) => store::measurement::run(&options),
        Command::BareServer(options) => bare::run(&options),
    }
}
