//! The window of a measurement: what ends within it counts. Before it everything warms up.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::figures::cpu_time;

/// How long everything runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(500);

/// A span of time, in the near future when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    from: Instant,
    until: Instant,
}

/// How much one worker did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// What ended within the window.
    pub measured: u64,
    /// All that was done, before and after the window as well.
    pub whole: u64,
}

/// The time, for measuring.
#[expect(clippy::disallowed_methods, reason = "real work is measured")]
pub fn now() -> Instant {
    Instant::now()
}

impl Window {
    /// A window of this length that opens after the warm-up.
    pub fn of(length: Duration) -> Window {
        let from = now() + WARM_UP;
        Window { from, until: from + length }
    }

    /// Whether there is no more to do.
    pub fn is_over(&self) -> bool {
        now() >= self.until
    }

    /// Whether what ended at `moment` counts.
    pub fn holds(&self, moment: Instant) -> bool {
        self.from <= moment && moment < self.until
    }

    /// How often something happens in a second of which `count` ended within the window.
    pub fn rate(&self, count: u64) -> f64 {
        count as f64 / (self.until - self.from).as_secs_f64()
    }

    /// Waits until the window has closed, and gives the CPU time that each of `processes` spent in it. Blocks.
    pub fn watch<const N: usize>(&self, processes: [u32; N]) -> Result<[Duration; N]> {
        wait_until(self.from);
        let before = cpu_times(processes)?;
        wait_until(self.until);
        let mut spent = cpu_times(processes)?;
        spent.iter_mut().zip(before).for_each(|(spent, before)| *spent = spent.saturating_sub(before));
        Ok(spent)
    }
}

impl Count {
    /// Counts one more, which has ended just now.
    pub fn add(&mut self, window: &Window) {
        self.whole += 1;
        self.measured += u64::from(window.holds(now()));
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts
            .fold(Count::default(), |sum, count| Count { measured: sum.measured + count.measured, whole: sum.whole + count.whole })
    }
}

fn cpu_times<const N: usize>(processes: [u32; N]) -> Result<[Duration; N]> {
    let mut times = [Duration::ZERO; N];
    for (time, process) in times.iter_mut().zip(processes) {
        *time = cpu_time(process)?;
    }
    Ok(times)
}

fn wait_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(now()));
}
