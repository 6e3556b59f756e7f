//! The two things a rule may never fetch by itself: the time and randomness. Both are handed in, so that tests move the one and
//! seed the other.

use std::time::Duration;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC: what is stored and shown.
    fn now(&self) -> i64;

    /// Time since some fixed moment, never running backwards: for deadlines and measurements.
    fn monotonic(&self) -> Duration;
}

/// A cryptographic generator of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random values.
    fn fill(&self, bytes: &mut [u8]);
}
