//! The numbers of guests: `guest-1`, `guest-2` and so on. Taken from the store in blocks, because every registration wants one and
//! must not queue for a single row; a stopped server leaves a gap.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use usher_store::q;

use crate::{Error, Services};

/// The counter's name.
const COUNTER: &str = "guests";

/// How many numbers are taken at once.
const BLOCK: i64 = 64;

/// Numbers taken from the store and not used yet.
#[derive(Default)]
pub(crate) struct GuestNumbers {
    fresh: Mutex<Range<i64>>,
}

impl Services {
    /// A number that no other guest has or gets.
    pub(crate) async fn next_guest_number(&self) -> Result<i64, Error> {
        if let Some(number) = self.guests.take() {
            return Ok(number);
        }
        let last: i64 = self.store.write(|tx| q::counters::take(tx, COUNTER, BLOCK).map_err(Error::from)).await?;
        Ok(self.guests.put(last - BLOCK + 1..last + 1))
    }
}

impl GuestNumbers {
    fn take(&self) -> Option<i64> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    /// Puts a block in and takes its first number. If somebody else put one in meanwhile, the rest of this one is a gap.
    fn put(&self, mut block: Range<i64>) -> i64 {
        let first = block.start;
        block.start += 1;
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh.is_empty() {
            *fresh = block;
        }
        first
    }
}
