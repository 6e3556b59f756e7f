//! The system's generator.

use usher_domain::Random;

/// The generator.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    fn fill(&self, bytes: &mut [u8]) {
        // A system without randomness can make no token that is safe: better no answer at all.
        assert!(getrandom::fill(bytes).is_ok(), "the system gives no random bytes");
    }
}
