//! The hub: hands committed changes to whoever follows their room, in this process.
//!
//! A follower has a bounded queue. One that does not keep up is cut and has to read its room again from the last change it saw;
//! nobody else notices. When a commit's outcome is unknown, everybody is cut for the same reason: better asked again than wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::mpsc;
use usher_domain::Change;
use usher_store::Publish;

/// How many changes may wait for one follower.
pub const QUEUE: usize = 256;

/// The hub.
#[derive(Default)]
pub struct Hub {
    rooms: Mutex<HashMap<String, Vec<Follower>>>,
}

struct Follower {
    number: u64,
    queue: mpsc::Sender<Change>,
}

/// One follower's end. Dropping it ends the following.
pub struct Following {
    hub: Weak<Hub>,
    room_id: String,
    number: u64,
    queue: mpsc::Receiver<Change>,
}

impl Hub {
    /// Follows a room. Read the room *after* this call: what is committed in between then comes twice rather than never, and a
    /// [`usher_domain::change::Cursor`] drops what is known.
    pub fn follow(self: &Arc<Hub>, room_id: &str) -> Following {
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut rooms = self.rooms();
        let followers = rooms.entry(room_id.to_owned()).or_default();
        let number = followers.last().map_or(0, |follower| follower.number + 1);
        followers.push(Follower { number, queue: sender });
        Following { hub: Arc::downgrade(self), room_id: room_id.to_owned(), number, queue }
    }

    /// How many rooms are followed.
    pub fn followed_rooms(&self) -> usize {
        self.rooms().len()
    }

    fn leave(&self, room_id: &str, number: u64) {
        let mut rooms = self.rooms();
        if let Some(followers) = rooms.get_mut(room_id) {
            followers.retain(|follower| follower.number != number);
            if followers.is_empty() {
                rooms.remove(room_id);
            }
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, Vec<Follower>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publish for Hub {
    fn publish(&self, changes: &[Change]) {
        let mut rooms = self.rooms();
        if rooms.is_empty() {
            return;
        }
        for change in changes {
            let Some(followers) = rooms.get_mut(&change.room_id) else { continue };
            followers.retain(|follower| follower.queue.try_send(change.clone()).is_ok());
        }
    }

    fn lost_track(&self) {
        self.rooms().clear();
    }
}

impl Following {
    /// The next change; `None` once this follower was cut. What waited in its queue still comes first.
    pub async fn next(&mut self) -> Option<Change> {
        self.queue.recv().await
    }

    /// The next change if one is waiting.
    pub fn try_next(&mut self) -> Option<Change> {
        self.queue.try_recv().ok()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.leave(&self.room_id, self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_domain::ChangeKind;

    fn change(room_id: &str, seq: i64) -> Change {
        Change { room_id: room_id.to_owned(), seq, kind: ChangeKind::RoomChanged, reference: room_id.to_owned() }
    }

    #[tokio::test]
    async fn followers_hear_of_their_room_alone_and_in_order() {
        let hub = Arc::new(Hub::default());
        let mut first = hub.follow("a");
        let mut second = hub.follow("b");
        hub.publish(&[change("a", 1), change("b", 1), change("a", 2), change("c", 1)]);
        assert_eq!(first.next().await, Some(change("a", 1)));
        assert_eq!(first.next().await, Some(change("a", 2)));
        assert_eq!(first.try_next(), None);
        assert_eq!(second.next().await, Some(change("b", 1)));
        assert_eq!(second.try_next(), None);
    }

    #[tokio::test]
    async fn a_slow_follower_is_cut_and_others_are_not() {
        let hub = Arc::new(Hub::default());
        let mut slow = hub.follow("a");
        let mut quick = hub.follow("a");
        for seq in 1..=(QUEUE as i64 + 10) {
            hub.publish(&[change("a", seq)]);
            assert_eq!(quick.next().await, Some(change("a", seq)));
        }
        let mut seen = 0;
        while slow.next().await.is_some() {
            seen += 1;
        }
        assert_eq!(seen, QUEUE, "what waited comes, then the end");
    }

    #[tokio::test]
    async fn everybody_is_cut_when_the_track_is_lost() {
        let hub = Arc::new(Hub::default());
        let mut follower = hub.follow("a");
        hub.lost_track();
        assert_eq!(follower.next().await, None);
    }

    #[test]
    fn those_who_leave_leave_nothing() {
        let hub = Arc::new(Hub::default());
        let (first, second) = (hub.follow("a"), hub.follow("a"));
        drop(first);
        assert_eq!(hub.followed_rooms(), 1);
        drop(second);
        assert_eq!(hub.followed_rooms(), 0);
    }
}
