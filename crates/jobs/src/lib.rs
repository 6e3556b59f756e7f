//! Background work of Usher: one file for each kind in `kinds`, and the runner that starts and stops them.
//!
//! Work that must not be lost is a row of the transaction that asked for it, so each kind finds at its start what an earlier process
//! left. Depends on `services` and `domain`.

mod kinds;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use usher_services::Services;

/// The background work of one server.
pub struct Jobs {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all kinds.
    pub fn start(services: &Arc<Services>) -> Jobs {
        let (stop, stopped) = watch::channel(false);
        let running = vec![
            tokio::spawn(kinds::seal_erasures::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::make_previews::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::print_transcripts::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::send_mails::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::give_waiting_chats::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::follow_platform::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::follow_retention::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::forget_old::run(Arc::clone(services), stopped.clone())),
            tokio::spawn(kinds::forget_idle_callers::run(Arc::clone(services), stopped)),
        ];
        Jobs { stop, running }
    }

    /// Lets each kind finish what it is at, and waits for it.
    pub async fn stop(self) {
        // Whoever does not listen any more has stopped already.
        let _ = self.stop.send(true);
        for job in self.running {
            if job.await.is_err() {
                tracing::error!("a background job panicked");
            }
        }
    }
}
