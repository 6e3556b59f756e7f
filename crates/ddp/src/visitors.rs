//! Which visitors have connections of their own. One who opens another page has two for a moment, and is not gone when the first ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_domain::visitor::VisitorToken;

/// How many connections each visitor has.
#[derive(Default)]
pub struct Visitors(Mutex<HashMap<String, usize>>);

impl Visitors {
    /// A visitor connected.
    pub fn came(&self, token: &VisitorToken) {
        *self.counts().entry(token.as_str().to_owned()).or_default() += 1;
    }

    /// A connection of a visitor has ended. Gives whether it was the last.
    pub fn left(&self, token: &VisitorToken) -> bool {
        let mut counts = self.counts();
        let Some(count) = counts.get_mut(token.as_str()) else { return true };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            counts.remove(token.as_str());
        }
        is_last
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_connection_counts() {
        let (visitors, mary) = (Visitors::default(), VisitorToken::new("mary").expect("it is a token"));
        visitors.came(&mary);
        visitors.came(&mary);
        assert!(!visitors.left(&mary));
        assert!(visitors.left(&mary));
        assert!(visitors.counts().is_empty());
    }
}
