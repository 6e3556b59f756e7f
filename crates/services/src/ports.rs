//! What lies outside of the server, as use cases see it: mail servers and the directory of names.
//!
//! `adapters` has them for real; tests have others.

use std::pin::Pin;
use std::sync::Arc;

use usher_domain::mail::{Mail, MailServer};

/// An answer on its way.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything outside.
#[derive(Clone)]
pub struct Outside {
    /// Sends mails.
    pub mailer: Arc<dyn Mailer>,
    /// Knows which domains take mail.
    pub exchanges: Arc<dyn MailExchanges>,
}

/// Why a mail was not sent, as a code: nothing of the mail is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// It may work another time.
    ForNow(&'static str),
    /// It never will.
    ForGood(&'static str),
}

/// Sends mails.
pub trait Mailer: Send + Sync {
    /// Hands a mail to a server. `Ok` says that the server took it over.
    fn send<'a>(&'a self, server: &'a MailServer, mail: &'a Mail) -> Later<'a, Result<(), Unsent>>;
}

/// Knows which domains take mail.
pub trait MailExchanges: Send + Sync {
    /// Whether this domain says that it takes mail. One of which nothing can be learned does not say so.
    fn takes_mail<'a>(&'a self, domain: &'a str) -> Later<'a, bool>;
}
