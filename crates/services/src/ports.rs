//! What lies outside of the server, as use cases see it: mail servers, the directory of names, and where the bytes of files are.
//!
//! `adapters` has them for real; tests have others.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use usher_domain::mail::{Mail, MailServer};
use usher_domain::transcript::Sheet;

/// An answer on its way.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything outside.
#[derive(Clone)]
pub struct Outside {
    /// Sends mails.
    pub mailer: Arc<dyn Mailer>,
    /// Knows which domains take mail.
    pub exchanges: Arc<dyn MailExchanges>,
    /// Keeps the bytes of files; `None` where no files are taken.
    pub storage: Option<Arc<dyn Storage>>,
    /// Draws pictures smaller.
    pub pictures: Arc<dyn Pictures>,
    /// Prints transcripts.
    pub printer: Arc<dyn Printer>,
    /// Signs receipts.
    pub signer: Arc<dyn Signer>,
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

/// Why bytes could not be kept or fetched, as a code: nothing of the file is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageFailure(pub &'static str);

/// The bytes of a file, piece by piece.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, StorageFailure>> + Send>>;

/// Keeps the bytes of files, each under an id that the server made.
pub trait Storage: Send + Sync {
    /// Begins to keep the bytes of `id`. Nothing of them can be fetched before they are whole.
    fn begin(&self, id: &str) -> Box<dyn StorageWriter>;

    /// Fetches the bytes of `id` from the first to the last of these places, both included; all of them without places. `None` says
    /// that there are none.
    fn fetch<'a>(&'a self, id: &'a str, places: Option<(u64, u64)>) -> Later<'a, Result<Option<Pieces>, StorageFailure>>;

    /// Whether other processes keep their files there as well.
    fn is_shared(&self) -> bool;

    /// Makes sure that there are no bytes of `id`.
    fn delete<'a>(&'a self, id: &'a str) -> Later<'a, Result<(), StorageFailure>>;

    /// For the start: removes what an earlier process left in part. Gives the ids whose bytes are kept, as far as no other process can
    /// know more of them than this one.
    fn recover(&self) -> Later<'_, Result<Vec<String>, StorageFailure>>;
}

/// Takes the bytes of one file. Dropped before it has finished, it keeps nothing.
pub trait StorageWriter: Send {
    /// Takes the next bytes.
    fn write(&mut self, bytes: Bytes) -> Later<'_, Result<(), StorageFailure>>;

    /// All bytes were written. `Ok` says that they are durable.
    fn finish(&mut self) -> Later<'_, Result<(), StorageFailure>>;

    /// Keeps nothing of what was written.
    fn abort(&mut self) -> Later<'_, Result<(), StorageFailure>>;
}

/// What stands in for a picture while it is not there, and in place of a large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// A JPEG of a few hundred bytes.
    pub tiny: Vec<u8>,
    /// A smaller picture, if the picture is worth one.
    pub small: Option<SmallPicture>,
}

/// A smaller picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallPicture {
    /// The bytes.
    pub bytes: Bytes,
    /// Their media type.
    pub media_type: &'static str,
    /// Width and height in pixels.
    pub dimensions: (i64, i64),
}

/// Draws pictures smaller.
pub trait Pictures: Send + Sync {
    /// The preview of a picture. `None` says that it cannot be drawn.
    fn preview(&self, picture: Bytes) -> Later<'_, Option<Preview>>;
}

/// Prints transcripts.
pub trait Printer: Send + Sync {
    /// A transcript as a PDF. `None` says that it cannot be printed.
    fn print(&self, sheet: Sheet) -> Later<'_, Option<Bytes>>;
}

/// Signs receipts, by Ed25519.
pub trait Signer: Send + Sync {
    /// The public half of its key, in base64.
    fn public_key(&self) -> String;

    /// What its key is called: made of the key, so that no two are called alike.
    fn key_id(&self) -> String;

    /// The signature of these bytes.
    fn sign(&self, bytes: &[u8]) -> [u8; 64];
}
