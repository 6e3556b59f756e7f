//! Sending mails: what is due, whenever something is, at once when a mail is put into the store.
//!
//! A mail that is being sent while the server stops gets a little time; what is not sent by then is sent after the next start. Now and
//! then it makes sure that no file holds anything of what was sent, and forgets entries that are old.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_services::mails::{Delivery, pause_before};
use usher_services::{Error, Services};

use super::pause;

/// How long a mail on its way may take once the server is told to stop.
const FINISHING: Duration = Duration::from_secs(5);

/// How long it waits after a failure of our own.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long it waits at least from one look at all files to the next.
const SEAL_EVERY: Duration = Duration::from_secs(10 * 60);

/// How often it forgets old entries.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What is done from time to time.
#[derive(Default)]
struct Chores {
    sealed_at: Option<Duration>,
    pruned_at: Option<Duration>,
}

/// Runs until `stopped`.
pub(crate) async fn run(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    let mut chores = Chores::default();
    while !*stopped.borrow() {
        let delivery = tokio::select! {
            delivery = services.send_next_mail() => delivery,
            () = given_up(stopped.clone()) => return,
        };
        let wait = match delivery {
            Ok(Delivery::Sent) => continue,
            Ok(Delivery::Unsent(mail, reason)) => {
                tracing::warn!(mail, reason, "a mail was not sent");
                continue;
            }
            Ok(Delivery::Nothing(next)) => match chores.do_due(&services).await {
                Ok(()) => pause_before(next, services.clock.now()),
                Err(failure) => after(&failure),
            },
            Err(failure) => after(&failure),
        };
        tokio::select! {
            () = services.mail_to_send() => {}
            () = pause(wait, &mut stopped) => {}
        }
    }
}

fn after(failure: &Error) -> Duration {
    tracing::warn!(%failure, "mails could not be looked at; it is tried again");
    AFTER_FAILURE
}

/// Ends a little after the server is told to stop.
async fn given_up(mut stopped: watch::Receiver<bool>) {
    // Whoever tells it to stop is gone: that says the same.
    let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
    tokio::time::sleep(FINISHING).await;
}

impl Chores {
    async fn do_due(&mut self, services: &Services) -> Result<(), Error> {
        let now = services.clock.monotonic();
        let is_due = |last: Option<Duration>, every: Duration| last.is_none_or(|last| now.saturating_sub(last) >= every);
        if is_due(self.pruned_at, PRUNE_EVERY) {
            while services.prune_mails().await? > 0 {}
            self.pruned_at = Some(now);
        }
        if is_due(self.sealed_at, SEAL_EVERY) && services.seal_sent_mails().await? {
            self.sealed_at = Some(now);
        }
        Ok(())
    }
}
