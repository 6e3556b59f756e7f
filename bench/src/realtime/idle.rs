//! What connections cost while nothing happens.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Side;
use super::listener::Listener;
use crate::figures::{cpu_time, grouped};
use crate::fill::Conversation;
use crate::process::Server;

/// How long the processor's time is watched while nothing happens.
const REST: Duration = Duration::from_secs(5);

/// What idle connections cost.
pub struct AtRest {
    /// The memory of each, in bytes.
    pub memory: f64,
    /// The share of a processor that all of them take.
    processor: f64,
}

impl AtRest {
    /// A row of the table.
    pub fn row(&self, name: &str) -> [String; 3] {
        [name.to_owned(), grouped(self.memory), format!("{:.1}", self.processor * 100.0)]
    }
}

/// Opens connections, each with a subscription to its own room, and leaves them alone.
pub async fn at_rest(server: &Server, conversations: &[Conversation], side: Side) -> Result<AtRest> {
    // What any connection needs once is there afterwards.
    drop(Listener::open(server.address, &conversations[0], side).await?);
    let before = resident(server.process())?;
    let mut listeners = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        listeners.push(Listener::open(server.address, conversation, side).await?);
    }
    let memory = (resident(server.process())? - before) / listeners.len() as f64;
    let begun = cpu_time(server.process())?;
    tokio::time::sleep(REST).await;
    let processor = (cpu_time(server.process())? - begun).as_secs_f64() / REST.as_secs_f64();
    Ok(AtRest { memory, processor })
}

/// How much memory a process has, in bytes.
fn resident(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm"))?;
    let pages: f64 = text.split(' ').nth(1).context("it says how much is resident")?.parse()?;
    Ok(pages * 4_096.0)
}
