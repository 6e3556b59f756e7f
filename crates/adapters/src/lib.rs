//! The ports of the domain for real: the system's clock and its generator. Depends on `domain` alone.

mod clock;
mod random;

pub use clock::SystemClock;
pub use random::SystemRandom;
