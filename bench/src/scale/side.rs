//! One of the two servers that are compared.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::calls::{Operation, Turn};
use super::world::World;
use crate::figures::metric;
use crate::load::{Connection, request};
use crate::process::Server;
use crate::window::now;

/// How long sealing may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long is waited between two looks at what is sealed.
const PAUSE: Duration = Duration::from_millis(2);

/// A server with its data.
pub struct Side {
    connection: Connection,
    world: Arc<World>,
    _server: Server,
}

impl Side {
    /// Connects to a server that holds this world.
    pub async fn connect(server: Server, world: Arc<World>) -> Result<Side> {
        let connection = Connection::open(server.address).await?;
        Ok(Side { connection, world, _server: server })
    }

    /// Makes a call, and gives how long its answer took.
    pub async fn call(&mut self, operation: &Operation, turn: Turn) -> Result<Duration> {
        let request = (operation.request)(&self.world, turn);
        let begun = now();
        let answer = self.connection.call(&request).await?;
        let taken = begun.elapsed();
        let json = answer.json().with_context(|| format!("{}, call {}", operation.name, turn.call))?;
        ensure!(operation.is_right(&json), "{}, call {}: unexpected answer {json}", operation.name, turn.call);
        Ok(taken)
    }

    /// Waits until every erasure is sealed, and gives how long that took.
    pub async fn sealed(&mut self) -> Result<Duration> {
        let begun = now();
        while begun.elapsed() < PATIENCE {
            let answer = self.connection.call(&request("GET", "/metrics", &Value::Null)).await?;
            if metric(answer.text()?, "usher_erasures_unsealed")? == 0.0 {
                return Ok(begun.elapsed());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("an erasure was not sealed within {PATIENCE:?}")
    }
}
