//! Giving chats that nobody could take: whenever somebody might have become free, and every few seconds.
//!
//! Chats that wait are rows of the store, so the first look, right at the start, finds what an earlier process left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How long it waits after a failure of our own.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if let Err(failure) = services.give_waiting_chats().await {
            tracing::warn!(%failure, "chats that wait could not be given; it is tried again");
            pause(AFTER_FAILURE, &mut stopped).await;
            continue;
        }
        let wait = Duration::from_secs(services.queue_delay());
        tokio::select! {
            () = services.chat_to_give() => {}
            () = pause(wait, &mut stopped) => {}
        }
    }
}
