//! Following the rules after how long visitors are erased who have not come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs until `stopped`. What it is at when it is told to stop ends with the process; the next start goes on.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let followed = tokio::select! {
            followed = services.follow_retention_rules() => followed,
            _ = stopped.changed() => return,
        };
        match followed {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "visitors who have not come back were erased, by rules of retention"),
            Err(failure) => tracing::warn!(%failure, "rules of retention could not be followed; it is tried again"),
        }
        pause(EVERY, &mut stopped).await;
    }
}
