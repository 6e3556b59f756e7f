//! Follows the rooms that change, each by its `seq`.
//!
//! Events of one room may arrive out of order where several connections commit, and some may never arrive from another process. So what is
//! known already is dropped, and what is missing is noticed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_domain::{Change, ChangeKind, Event};

/// How many rooms a follower knows at once.
const ROOMS: usize = 65_536;

/// Follows the rooms that change, each by its `seq`.
#[derive(Debug)]
pub struct Follower {
    known: Mutex<HashMap<String, i64>>,
    /// When it began (milliseconds UTC): a room that was opened later is followed from its first change on.
    pub(super) began_at: i64,
}

impl Follower {
    /// Begins at the moment `now` (milliseconds UTC).
    pub fn new(now: i64) -> Follower {
        Follower { known: Mutex::default(), began_at: now }
    }

    /// Somebody has read a room as of its change `seq`, and hears of what comes after.
    pub fn follow(&self, room_id: &str, seq: i64) {
        let mut known = self.known();
        if !known.contains_key(room_id) {
            make_room(&mut known);
            known.insert(room_id.to_owned(), seq);
        }
    }

    /// Drops what nobody is told of.
    pub fn skip(&self, events: &[Event]) {
        for event in events {
            if let Event::Room(change) = event {
                self.told(&change.room_id, change.seq, change.kind == ChangeKind::RoomErased);
            }
        }
    }

    /// Takes the events of rooms. Gives, for each room of which something is new, where to go on and what has come.
    pub(super) fn take(&self, changes: Vec<Change>) -> Vec<Coming> {
        let followed = self.known();
        let mut coming: Vec<Coming> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for change in changes {
            let known = followed.get(&change.room_id).copied();
            if known.is_some_and(|known| change.seq <= known) {
                continue;
            }
            let place = *places.entry(change.room_id.clone()).or_insert_with(|| {
                coming.push(Coming { room_id: change.room_id.clone(), after: known, changes: Vec::new() });
                coming.len() - 1
            });
            coming[place].changes.push(change);
        }
        for coming in &mut coming {
            coming.changes.sort_by_key(|change| change.seq);
            coming.changes.dedup_by_key(|change| change.seq);
        }
        coming
    }

    /// A room has been told of up to its change `seq`.
    pub(super) fn told(&self, room_id: &str, seq: i64, is_over: bool) {
        let mut known = self.known();
        if is_over {
            known.remove(room_id);
            return;
        }
        make_room(&mut known);
        let known = known.entry(room_id.to_owned()).or_insert(seq);
        *known = seq.max(*known);
    }

    pub(super) fn known(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever knows too many rooms begins anew: what is not known is read from the log when it changes.
fn make_room(known: &mut HashMap<String, i64>) {
    if known.len() >= ROOMS {
        known.clear();
    }
}

/// What has come of a room.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    pub(super) room_id: String,
    /// The last change that is known, if the room is.
    pub(super) after: Option<i64>,
    /// What has come, in order.
    pub(super) changes: Vec<Change>,
}

impl Coming {
    /// Whether nothing is missing between what is known and what has come, nor within that.
    pub(super) fn is_whole(&self, after: i64) -> bool {
        self.changes.iter().zip(after + 1..).all(|(change, seq)| change.seq == seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(room_id: &str, seq: i64) -> Change {
        Change { room_id: room_id.to_owned(), seq, kind: ChangeKind::RoomChanged, reference: room_id.to_owned() }
    }

    #[test]
    fn what_is_known_is_dropped_and_what_is_missing_is_noticed() {
        let follower = Follower::new(0);
        follower.follow("a", 5);
        let coming = follower.take(vec![change("a", 7), change("b", 3), change("a", 6), change("a", 4), change("a", 6)]);
        let seqs = |coming: &Coming| coming.changes.iter().map(|change| change.seq).collect::<Vec<_>>();
        assert_eq!(coming.iter().map(seqs).collect::<Vec<_>>(), [vec![6, 7], vec![3]]);
        assert_eq!((coming[0].after, coming[1].after), (Some(5), None));
        assert!(coming[0].is_whole(5) && !coming[0].is_whole(4) && coming[1].is_whole(2));
        follower.told("a", 7, false);
        follower.follow("a", 2);
        assert!(follower.take(vec![change("a", 7)]).is_empty(), "nobody makes it forget what was told");
        follower.told("a", 8, true);
        assert_eq!(follower.take(vec![change("a", 9)])[0].after, None);
    }
}
