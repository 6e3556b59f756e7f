//! Waiting for what a real process does.

use std::time::{Duration, Instant};

/// How long a proof waits for something that should come soon before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is_so`; fails if that takes longer than `limit`.
pub fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let watch = Stopwatch::start();
    while !is_so() {
        assert!(watch.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Measures how long real processes take.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(clippy::disallowed_methods, reason = "a real process is measured")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long ago that was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
