//! Forgetting what nobody asked for in time: pages that visitors saw without ever opening a room, and subscriptions that went.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match services.forget_old().await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "old entries are forgotten"),
            Err(failure) => tracing::warn!(%failure, "old entries could not be forgotten; it is tried again"),
        }
        pause(EVERY, &mut stopped).await;
    }
}
