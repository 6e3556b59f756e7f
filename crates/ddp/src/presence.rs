//! Says whether the users and visitors who are connected to this process are there, and that the process runs.
//!
//! Connections only note whose status may have changed; one task looks at what they say by then and writes it down, so that it is always the
//! latest that is written last. A visitor is written down once it hears of a chat: whoever only looks at a page costs nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use usher_domain::visitor::VisitorToken;
use usher_services::presence::BEAT;

use crate::Realtime;

/// How long to wait before trying again what could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// Those whose connections changed.
#[derive(Default)]
pub struct Changed {
    noted: Mutex<Noted>,
    wake: Notify,
}

#[derive(Default)]
struct Noted {
    user_ids: HashSet<String>,
    visitors: HashSet<VisitorToken>,
}

impl Changed {
    /// A user's connections changed.
    pub fn note(&self, user_id: &str) {
        self.noted().user_ids.insert(user_id.to_owned());
        self.wake.notify_one();
    }

    /// A visitor's connections changed.
    pub fn note_visitor(&self, token: &VisitorToken) {
        self.noted().visitors.insert(token.clone());
        self.wake.notify_one();
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what changes, until it is told to stop. Who is connected then may come back to another process.
pub async fn run(realtime: Arc<Realtime>, mut stopped: watch::Receiver<bool>) {
    let mut beat = tokio::time::interval(Duration::from_millis(BEAT));
    while !*stopped.borrow() {
        let done = tokio::select! {
            _ = stopped.changed() => return,
            _ = beat.tick() => realtime.services.beat(&realtime.process_id).await.map(|is_new| if is_new { note_all(&realtime) }),
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

/// Whoever is connected is written down again: others took this process for gone.
fn note_all(realtime: &Realtime) {
    realtime.logins.users().iter().for_each(|user_id| realtime.changed.note(user_id));
    realtime.visitors.in_chats().iter().for_each(|token| realtime.changed.note_visitor(token));
}

async fn write(realtime: &Realtime) -> Result<(), usher_services::Error> {
    let Noted { user_ids, visitors } = std::mem::take(&mut *realtime.changed.noted());
    let written = async {
        if !user_ids.is_empty() {
            let presences = user_ids.iter().map(|user_id| (user_id.clone(), realtime.logins.best_of(user_id))).collect();
            realtime.services.note_presences(&realtime.process_id, presences).await?;
        }
        let presences = visitors.iter().map(|token| (token.clone(), realtime.visitors.is_here(token))).collect();
        realtime.services.note_visitors(&realtime.process_id, presences).await
    }
    .await;
    if written.is_err() {
        let mut noted = realtime.changed.noted();
        noted.user_ids.extend(user_ids);
        noted.visitors.extend(visitors);
    }
    written
}
