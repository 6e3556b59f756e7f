//! Mail: what waits to be sent, what is tried again, and what became of it.
//!
//! A mail is a row of the transaction that wants it sent. Whoever sends it has it handed out first, for a few minutes: a process that
//! ends between sending and noting makes it go out twice at worst, and none is lost. What was sent leaves an entry without any content.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use usher_domain::mail::{KEPT, Mail, MailKind, MailServer, MailState, OfflineMessage, PATIENCE, pause_after};
use usher_domain::settings::{OFFLINE_EMAIL, OFFLINE_FORM, VALIDATE_OFFLINE_EMAIL};
use usher_domain::user::is_email;
use usher_store::q;
use usher_store::q::mails::{DueMail, MailEntry, NewMail};

use crate::ports::Unsent;
use crate::{Error, Refusal, Services};

/// How long a mail is handed out, in milliseconds: longer than any server may take.
const HANDED_OUT: i64 = 5 * 60_000;

/// Which part of the list of mails is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailPage {
    /// Only those in this state.
    pub state: Option<MailState>,
    /// How many are left out.
    pub offset: i64,
    /// How many at most; `None` for all.
    pub count: Option<i64>,
}

/// What happened to mails that were due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// None is due, or none can be sent at the moment; the next one is due then (milliseconds UTC), if there is one.
    Nothing(Option<i64>),
    /// One was sent.
    Sent,
    /// One was not sent: its id and why, as a code.
    Unsent(String, &'static str),
}

impl Services {
    /// Takes a visitor's message for whoever reads them later.
    ///
    /// # Errors
    ///
    /// The form is off, the message has no address to answer to, or there is nobody to send it to.
    pub async fn leave_offline_message(&self, message: OfflineMessage, department: Option<String>) -> Result<(), Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        if !settings.get(&OFFLINE_FORM) || message.email.trim().is_empty() {
            return Err(Refusal::OfflineMessage.into());
        }
        let recipient = self.recipient(department, settings.text(&OFFLINE_EMAIL)).await?;
        if settings.get(&VALIDATE_OFFLINE_EMAIL) && !self.can_get_mail(&message.email).await {
            return Err(Refusal::OfflineMessage.into());
        }
        let new = NewMail {
            id: self.new_id(),
            kind: MailKind::OfflineMessage,
            visitor_id: None,
            room_id: None,
            about: message.email.clone(),
            mail: message.mail(&recipient),
        };
        let now = self.now();
        self.store.write(move |tx| q::mails::insert(tx, &new, now).map_err(Error::from)).await?;
        self.mail_is_waiting();
        Ok(())
    }

    /// Who gets the messages for a department: its own address, or else the one for all.
    async fn recipient(&self, department: Option<String>, usual: &str) -> Result<String, Error> {
        let own = match department.filter(|department| !department.trim().is_empty()) {
            Some(wanted) => self.store.read(move |tx| q::departments::by_id_or_name(tx, &wanted).map_err(Error::from)).await?,
            None => None,
        };
        let own = own.map(|department| department.email).filter(|email| !email.trim().is_empty());
        let recipient = own.unwrap_or_else(|| usual.to_owned()).trim().to_owned();
        if is_email(&recipient) { Ok(recipient) } else { Err(Refusal::OfflineMessage.into()) }
    }

    async fn can_get_mail(&self, email: &str) -> bool {
        let email = email.trim();
        let Some((_, domain)) = email.rsplit_once('@').filter(|_| is_email(email)) else { return false };
        self.outside.exchanges.takes_mail(domain).await
    }

    /// Says that a mail was put into the store: to be called after the transaction that did it.
    pub(crate) fn mail_is_waiting(&self) {
        self.waiting_mail.notify_one();
    }

    /// Waits until a mail was put into the store.
    pub async fn mail_to_send(&self) {
        self.waiting_mail.notified().await;
    }

    /// Sends the mail that has been due for longest, if one is.
    pub async fn send_next_mail(&self) -> Result<Delivery, Error> {
        let now = self.now();
        let server = match MailServer::of(&self.platform().settings) {
            Ok(server) => server,
            Err(unready) => return self.hold_mails(unready.code(), now).await,
        };
        let waits = self.store.read(|tx| q::mails::next_due(tx, 0).map_err(Error::from)).await?;
        if waits.is_none_or(|next| next > now) {
            return Ok(Delivery::Nothing(waits));
        }
        let due = self.store.write(move |tx| q::mails::hand_out(tx, now, now + HANDED_OUT).map_err(Error::from)).await?;
        // Another process may have been faster.
        let Some(DueMail { id, mail, attempts, .. }) = due else { return Ok(Delivery::Nothing(None)) };
        let sent = match mail {
            Some(mail) => self.hand_over(server, mail).await,
            None => Err(Unsent::ForGood("unreadable")),
        };
        self.note_delivery(id, attempts, sent).await
    }

    /// Hands a mail to the server, and survives whatever that leads to.
    async fn hand_over(&self, server: MailServer, mail: Mail) -> Result<(), Unsent> {
        let mailer = Arc::clone(&self.outside.mailer);
        let sending = tokio::spawn(async move { mailer.send(&server, &mail).await });
        sending.await.unwrap_or(Err(Unsent::ForNow("broken")))
    }

    async fn note_delivery(&self, id: String, attempts: i64, sent: Result<(), Unsent>) -> Result<Delivery, Error> {
        let (now, noted) = (self.now(), id.clone());
        let write = self.store.write(move |tx| {
            let done = match sent {
                Ok(()) => q::mails::sent(tx, &noted, now),
                Err(Unsent::ForGood(code)) => q::mails::give_up(tx, &noted, code, now),
                Err(Unsent::ForNow(code)) => match pause_after(attempts) {
                    Some(pause) => q::mails::try_again(tx, &noted, code, now + pause, now),
                    None => q::mails::give_up(tx, &noted, code, now),
                },
            };
            done.map_err(Error::from)
        });
        write.await?;
        Ok(match sent {
            Ok(()) => {
                self.unsealed_mail.store(true, Ordering::Relaxed);
                Delivery::Sent
            }
            Err(Unsent::ForNow(code) | Unsent::ForGood(code)) => Delivery::Unsent(id, code),
        })
    }

    /// Notes on what is due why it cannot be sent; what has waited for too long is given up.
    async fn hold_mails(&self, failure: &'static str, now: i64) -> Result<Delivery, Error> {
        let oldest = now - PATIENCE;
        let changes =
            self.store.read(move |tx| q::mails::any_held_otherwise(tx, failure, now, oldest).map_err(Error::from)).await?;
        if changes {
            self.store.write(move |tx| q::mails::hold(tx, failure, now, oldest).map_err(Error::from)).await?;
        }
        Ok(Delivery::Nothing(None))
    }

    /// Sees to it that no file holds anything of what was sent, unless that is so already. At the start of a process nobody knows.
    /// Gives whether there was anything to see to.
    pub async fn seal_sent_mails(&self) -> Result<bool, Error> {
        if !self.unsealed_mail.swap(false, Ordering::Relaxed) {
            return Ok(false);
        }
        let any = self.store.read(|tx| q::mails::any_sent_since(tx, 0).map_err(Error::from)).await;
        let sealed = match any {
            Ok(false) => return Ok(false),
            Ok(true) => self.seal_store().await.map(|()| true),
            Err(failure) => Err(failure),
        };
        if sealed.is_err() {
            self.unsealed_mail.store(true, Ordering::Relaxed);
        }
        sealed
    }

    async fn seal_store(&self) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let sealed = tokio::task::spawn_blocking(move || store.seal()).await;
        Ok(sealed.map_err(|_| Error::Broken("sealing panicked"))??)
    }

    /// Deletes the entries of what was sent or given up long ago. Gives how many.
    pub async fn prune_mails(&self) -> Result<u64, Error> {
        let now = self.now();
        self.store.write(move |tx| q::mails::prune(tx, now - KEPT, now - PATIENCE - KEPT).map_err(Error::from)).await
    }

    /// A page of the mails, the newest first, and how many there are.
    pub async fn mails(&self, page: MailPage) -> Result<(Vec<MailEntry>, i64), Error> {
        self.store.read(move |tx| q::mails::list(tx, page.state, page.offset, page.count).map_err(Error::from)).await
    }

    /// Makes a mail that has failed due at once.
    pub async fn retry_mail(&self, id: String) -> Result<(), Error> {
        let now = self.now();
        self.store
            .write(move |tx| if q::mails::retry(tx, &id, now)? { Ok(()) } else { Err(Error::from(Refusal::NoMailToRetry)) })
            .await?;
        self.mail_is_waiting();
        Ok(())
    }
}

/// How long the sender may wait before it looks again, if nobody wakes it.
pub fn pause_before(next: Option<i64>, now: i64) -> Duration {
    /// Settings may change, and other processes may put mails into the store.
    const LONGEST: Duration = Duration::from_secs(10);
    let until = next.and_then(|next| u64::try_from(next - now).ok()).filter(|until| *until > 0);
    until.map_or(LONGEST, |until| Duration::from_millis(until).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_waits_for_the_next_mail_and_never_long() {
        for (next, expected) in
            [(None, 10_000), (Some(1_500), 500), (Some(900), 10_000), (Some(1_000), 10_000), (Some(i64::MAX), 10_000)]
        {
            assert_eq!(pause_before(next, 1_000), Duration::from_millis(expected), "{next:?}");
        }
    }
}
