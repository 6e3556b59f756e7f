//! Moments nobody chose: from a generator that gives the same in every run with the same seed.

use std::time::Duration;

use super::wait::{PATIENCE, Stopwatch, wait_until};

/// The generator: splitmix64.
pub struct Random(u64);

impl Random {
    /// The generator of the test called `test`. `USHER_PROOF_SEED` names another seed than the usual one.
    pub fn of(test: &str) -> Random {
        let seed = std::env::var("USHER_PROOF_SEED").map_or(1, |text| text.parse().expect("USHER_PROOF_SEED is a number"));
        println!("{test}: seed {seed}");
        Random(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to and without `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high - low)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.between(0, limit as u64) as usize
    }

    /// Another generator, whose numbers have nothing to do with these.
    pub fn another(&mut self) -> Random {
        Random(self.bits())
    }

    /// Puts `items` into an order nobody chose.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.between(0, place as u64 + 1) as usize);
        }
    }
}

/// Lets the processes run for a random time of `low` up to `high` milliseconds.
pub fn let_run(random: &mut Random, low: u64, high: u64) {
    let moment = Duration::from_millis(random.between(low, high));
    let watch = Stopwatch::start();
    wait_until("the moment comes", moment + PATIENCE, || watch.elapsed() >= moment);
}
