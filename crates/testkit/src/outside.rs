//! What lies outside of the server, as tests want it: mails that are kept instead of sent, and domains that take mail.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::SeededRandom;
use crate::engines::Folder;
use usher_adapters::{KeyFile, Painter, Press};
use usher_domain::mail::{Mail, MailServer};
use usher_services::ports::{Later, MailExchanges, Mailer, Outside, Unsent};

/// Keeps what it is to send.
#[derive(Default)]
pub struct FakeMailer {
    sent: Mutex<Vec<(MailServer, Mail)>>,
    failures: Mutex<VecDeque<Failing>>,
}

/// What happens to one mail.
#[derive(Debug, Clone, Copy)]
enum Failing {
    /// It is not sent.
    Not(Unsent),
    /// It is sent, and the program breaks before it knows.
    Panic,
}

impl FakeMailer {
    /// The mails that were sent so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.sent().iter().map(|(_, mail)| mail.clone()).collect()
    }

    /// The servers they were handed to.
    pub fn servers(&self) -> Vec<MailServer> {
        self.sent().iter().map(|(server, _)| server.clone()).collect()
    }

    /// The next mails are not sent, each for the next of these reasons.
    pub fn fail(&self, reasons: &[Unsent]) {
        self.failing().extend(reasons.iter().map(|reason| Failing::Not(*reason)));
    }

    /// The next mail is sent, and the program breaks before it knows.
    pub fn break_after_sending(&self) {
        self.failing().push_back(Failing::Panic);
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, Vec<(MailServer, Mail)>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failing(&self) -> std::sync::MutexGuard<'_, VecDeque<Failing>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailer for FakeMailer {
    fn send<'a>(&'a self, server: &'a MailServer, mail: &'a Mail) -> Later<'a, Result<(), Unsent>> {
        Box::pin(async move {
            let failing = self.failing().pop_front();
            if let Some(Failing::Not(reason)) = failing {
                return Err(reason);
            }
            self.sent().push((server.clone(), mail.clone()));
            assert!(failing.is_none(), "the test wants this to break");
            Ok(())
        })
    }
}

/// Knows which domains take mail: those that a test names.
#[derive(Default)]
pub struct FakeExchanges {
    domains: Mutex<HashSet<String>>,
}

impl FakeExchanges {
    /// From now on this domain takes mail.
    pub fn add(&self, domain: &str) {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner).insert(domain.to_owned());
    }
}

impl MailExchanges for FakeExchanges {
    fn takes_mail<'a>(&'a self, domain: &'a str) -> Later<'a, bool> {
        let takes = self.domains.lock().unwrap_or_else(PoisonError::into_inner).contains(domain);
        Box::pin(async move { takes })
    }
}

/// Nothing outside that anybody looks at.
pub fn nothing_outside() -> Outside {
    let (mailer, exchanges) = (Arc::new(FakeMailer::default()), Arc::new(FakeExchanges::default()));
    let signer = Arc::new(key_in(&Folder::default()));
    let (pictures, printer) = (Arc::new(Painter), Arc::new(Press::default()));
    Outside { mailer, exchanges, storage: None, pictures, printer, signer }
}

/// A key of receipts that is in no folder any more.
pub(crate) fn key_in(folder: &Folder) -> KeyFile {
    let beside = folder.path().with_extension("key");
    let key = KeyFile::open(&beside, &SeededRandom::new(2)).expect("a key can be made");
    std::fs::remove_dir_all(&beside).expect("a folder can be removed");
    key
}
