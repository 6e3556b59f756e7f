//! The kinds of background work.

pub(crate) mod follow_platform;
pub(crate) mod follow_retention;
pub(crate) mod forget_idle_callers;
pub(crate) mod forget_old;
pub(crate) mod give_waiting_chats;
pub(crate) mod make_previews;
pub(crate) mod print_transcripts;
pub(crate) mod seal_erasures;
pub(crate) mod send_mails;

use std::time::Duration;

use tokio::sync::watch;

/// Waits; being told to stop ends that, as the end of its time does.
async fn pause(time: Duration, stopped: &mut watch::Receiver<bool>) {
    let _ = tokio::time::timeout(time, stopped.changed()).await;
}
