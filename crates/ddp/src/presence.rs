//! Says whether the users who are connected to this process are there, and that the process runs.
//!
//! Connections only note whose status may have changed; one task looks at what they say by then and writes it down, so that it is always the
//! latest that is written last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use usher_services::presence::BEAT;

use crate::Realtime;

/// How long to wait before trying again what could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// The users whose connections changed.
#[derive(Default)]
pub struct Changed {
    users: Mutex<BTreeSet<String>>,
    wake: Notify,
}

impl Changed {
    /// A user's connections changed.
    pub fn note(&self, user_id: &str) {
        self.users().insert(user_id.to_owned());
        self.wake.notify_one();
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.users())
    }

    fn users(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what changes, until it is told to stop. Who is connected then may come back to another process.
pub async fn run(realtime: Arc<Realtime>, mut stopped: watch::Receiver<bool>) {
    let mut beat = tokio::time::interval(Duration::from_millis(BEAT));
    while !*stopped.borrow() {
        let done = tokio::select! {
            _ = stopped.changed() => return,
            _ = beat.tick() => realtime.services.beat(&realtime.process_id).await,
            () = realtime.changed.wake.notified() => write(&realtime).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "it could not be noted who is there");
            tokio::select! {
                _ = stopped.changed() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            realtime.changed.wake.notify_one();
        }
    }
}

async fn write(realtime: &Realtime) -> Result<(), usher_services::Error> {
    let users = realtime.changed.take();
    if users.is_empty() {
        return Ok(());
    }
    let presences = users.iter().map(|user_id| (user_id.clone(), realtime.logins.best_of(user_id))).collect();
    let written = realtime.services.note_presences(&realtime.process_id, presences).await;
    if written.is_err() {
        users.iter().for_each(|user_id| realtime.changed.note(user_id));
    }
    written
}
