//! What lies outside of the server, for real: the system's clock and its generator, mail servers, the directory of names, where the bytes
//! of files are, and the key of receipts. Depends on `services` and `domain`.

mod clock;
mod exchanges;
mod pictures;
mod printing;
mod random;
mod signing;
mod smtp;
mod storage;

pub use clock::SystemClock;
pub use exchanges::SystemExchanges;
pub use pictures::Painter;
pub use printing::{FontError, Press};
pub use random::SystemRandom;
pub use signing::{KeyError, KeyFile, is_signed};
pub use smtp::SmtpMailer;
pub use storage::{ObjectStorage, StorageError};

use std::sync::Arc;

use usher_services::ports::{Outside, Storage};

/// Mail servers and the directory of names, with the place where files are kept, if any are, what prints transcripts, and the key of
/// receipts.
pub fn outside(storage: Option<Arc<dyn Storage>>, press: Press, key: KeyFile) -> Outside {
    Outside {
        mailer: Arc::new(SmtpMailer),
        exchanges: Arc::new(SystemExchanges::default()),
        storage,
        pictures: Arc::new(Painter),
        printer: Arc::new(press),
        signer: Arc::new(key),
    }
}
