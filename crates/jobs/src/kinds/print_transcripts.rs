//! Printing transcripts: at the start those that an earlier process left, then whenever one was asked for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;
use usher_services::printed_transcripts::Printing;

use super::pause;

/// How long it waits after a failure of store or storage.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How long it waits at most before it looks by itself: another process may have left one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match services.print_next_transcript().await {
            Ok(Printing::Printed) => {}
            Ok(Printing::Failed { room_id }) => tracing::error!(room = room_id, "a transcript cannot be printed"),
            Ok(Printing::NothingToDo) => {
                tokio::select! {
                    () = services.unprinted_transcript() => {}
                    () = pause(LONGEST_PAUSE, &mut stopped) => {}
                }
            }
            Err(failure) => {
                tracing::warn!(%failure, "a transcript could not be printed; it is tried again");
                pause(AFTER_FAILURE, &mut stopped).await;
            }
        }
    }
}
