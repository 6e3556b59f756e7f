//! Which visitors have connections of their own. One who opens another page has two for a moment, and is not gone when the first ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_domain::visitor::VisitorToken;

/// The visitors who have connections.
#[derive(Default)]
pub struct Visitors(Mutex<HashMap<VisitorToken, Connections>>);

/// The connections of one visitor.
#[derive(Default)]
struct Connections {
    count: usize,
    /// Whether one of them hears of a chat.
    is_in_chat: bool,
}

impl Visitors {
    /// A visitor connected.
    pub fn came(&self, token: &VisitorToken) {
        self.visitors().entry(token.clone()).or_default().count += 1;
    }

    /// A visitor hears of a chat from now on. Gives whether it did not before.
    pub fn enters_chat(&self, token: &VisitorToken) -> bool {
        let mut visitors = self.visitors();
        let Some(connections) = visitors.get_mut(token) else { return false };
        !std::mem::replace(&mut connections.is_in_chat, true)
    }

    /// Whether a visitor is connected.
    pub fn is_here(&self, token: &VisitorToken) -> bool {
        self.visitors().contains_key(token)
    }

    /// Those who hear of a chat.
    pub fn in_chats(&self) -> Vec<VisitorToken> {
        self.visitors().iter().filter(|(_, connections)| connections.is_in_chat).map(|(token, _)| token.clone()).collect()
    }

    /// A connection of a visitor has ended. Gives whether it was the last.
    pub fn left(&self, token: &VisitorToken) -> bool {
        let mut visitors = self.visitors();
        let Some(connections) = visitors.get_mut(token) else { return true };
        connections.count -= 1;
        let is_last = connections.count == 0;
        if is_last {
            visitors.remove(token);
        }
        is_last
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<VisitorToken, Connections>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_connection_counts() {
        let (visitors, mary) = (Visitors::default(), VisitorToken::new("mary").expect("it is a token"));
        assert!(!visitors.enters_chat(&mary) && !visitors.is_here(&mary), "who is not connected is nowhere");
        visitors.came(&mary);
        visitors.came(&mary);
        assert!(visitors.in_chats().is_empty());
        assert_eq!((visitors.enters_chat(&mary), visitors.enters_chat(&mary)), (true, false));
        assert_eq!(visitors.in_chats(), std::slice::from_ref(&mary));
        assert!(!visitors.left(&mary) && visitors.is_here(&mary));
        assert!(visitors.left(&mary) && !visitors.is_here(&mary));
        assert!(visitors.visitors().is_empty());
        visitors.came(&mary);
        assert!(visitors.enters_chat(&mary), "who comes again is noted again");
    }
}
