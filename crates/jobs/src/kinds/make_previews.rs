//! Making smaller pictures of pictures: at the start those that an earlier process left, then whenever one was posted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::Services;

use super::pause;

/// How long it waits after a failure of store or storage.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How long it waits at most before it looks by itself: another process may have left one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match services.make_next_preview().await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = services.picture_without_preview() => {}
                    () = pause(LONGEST_PAUSE, &mut stopped) => {}
                }
            }
            Err(failure) => {
                tracing::warn!(%failure, "a smaller picture could not be made; it is tried again");
                pause(AFTER_FAILURE, &mut stopped).await;
            }
        }
    }
}
