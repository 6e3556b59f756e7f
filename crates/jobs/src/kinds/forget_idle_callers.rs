//! Forgetting callers who have all of their calls back, so that the tables of limits stay small.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if let Some(limits) = &services.limits {
            limits.forget_idle();
        }
        pause(EVERY, &mut stopped).await;
    }
}
