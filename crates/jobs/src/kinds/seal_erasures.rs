//! Finishing and sealing erasures: at the start what an earlier process left, then whenever an erasure has happened.
//!
//! Repeating it is harmless: a pass seals only what was erased before it began. It never gives up, because an erasure that is not
//! sealed is a promise not kept; it waits longer after each failure.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How long it waits for further erasures that one pass can serve as well.
const GATHERING: Duration = Duration::from_millis(200);

/// How long it waits after the first failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long it waits at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    let mut failures = 0;
    while !*stopped.borrow() {
        match services.finish_erasures().await {
            Ok(sealed) => {
                if sealed > 0 {
                    tracing::info!(sealed, "erasures are sealed: no file holds anything of them");
                }
                failures = 0;
                tokio::select! {
                    () = services.erasure_to_seal() => pause(GATHERING, &mut stopped).await,
                    _ = stopped.changed() => {}
                }
            }
            Err(failure) => {
                tracing::warn!(%failure, failures, "erasures could not be sealed yet");
                pause((FIRST_PAUSE * 2_u32.pow(failures)).min(LONGEST_PAUSE), &mut stopped).await;
                failures = (failures + 1).min(16);
            }
        }
    }
}
