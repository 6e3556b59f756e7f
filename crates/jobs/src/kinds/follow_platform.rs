//! Following what other processes on the same database decide: settings, roles and permissions.
//!
//! What this process decides itself is in force before it is answered; this is for all others, and for a decision whose reading failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(250);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if let Err(failure) = services.follow_platform().await {
            tracing::warn!(%failure, "settings and permissions could not be looked at; what was in force stays so");
        }
        pause(EVERY, &mut stopped).await;
    }
}
