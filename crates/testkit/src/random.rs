//! A generator that gives the same bytes in every run.

use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use usher_domain::Random;

/// The generator.
pub struct SeededRandom(Mutex<ChaCha8Rng>);

impl SeededRandom {
    /// A generator whose bytes depend on `seed` alone.
    pub fn new(seed: u64) -> SeededRandom {
        SeededRandom(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
