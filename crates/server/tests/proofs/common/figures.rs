//! How much is tried, and how figures are written.

use std::time::Duration;

/// How much a proof tries.
#[derive(Clone, Copy)]
pub enum Scale {
    /// All that was promised.
    Whole,
    /// About a tenth of it, so that it can run with every change.
    Tenth,
}

impl Scale {
    /// The figure for this scale.
    pub fn of(self, whole: usize, tenth: usize) -> usize {
        match self {
            Scale::Whole => whole,
            Scale::Tenth => tenth,
        }
    }
}

/// A tenth, unless `USHER_PROOF=whole`.
pub fn scale() -> Scale {
    if std::env::var_os("USHER_PROOF").is_some_and(|wanted| wanted == "whole") { Scale::Whole } else { Scale::Tenth }
}

/// A figure with its thousands apart: `183,112`.
pub fn grouped(figure: usize) -> String {
    let digits = figure.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in seconds: `0.42 s`.
pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Says that something is not tried because `missing` is not installed; fails instead where nothing may be left out.
pub fn skip(missing: &str) {
    assert!(std::env::var_os("USHER_REQUIRE_ALL").is_none(), "{missing}");
    println!("skipped: {missing}");
}
