//! What lies outside of the server, for real: the system's clock and its generator, mail servers, the directory of names. Depends on
//! `services` and `domain`.

mod clock;
mod exchanges;
mod random;
mod smtp;

pub use clock::SystemClock;
pub use exchanges::SystemExchanges;
pub use random::SystemRandom;
pub use smtp::SmtpMailer;

use std::sync::Arc;

use usher_services::ports::Outside;

/// Mail servers and the directory of names.
pub fn outside() -> Outside {
    Outside { mailer: Arc::new(SmtpMailer), exchanges: Arc::new(SystemExchanges::default()) }
}
