//! The change log's entries: what happened to a room, by ids only.
//!
//! Every change of a room raises the room's `seq` by one and leaves one entry in the same transaction. Whoever holds the room as of
//! one `seq` reaches any later one by reading again what the entries between name. No entry carries content.

use std::collections::BTreeMap;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The room came into being.
    RoomOpened,
    /// The room's own record changed.
    RoomChanged,
    /// A message was added; the room's record (counters, last message) and what its members have not read changed with it. The
    /// reference is the message's id.
    MessagePosted,
    /// A message was edited or deleted. The reference is the message's id.
    MessageChanged,
    /// A user got the room into the own list, lost it, or read it. The reference is the user's id.
    MemberChanged,
    /// The room left the queue for good. The reference is the inquiry's id.
    InquiryRemoved,
    /// The room and all that belongs to it is gone. Never stored: its log is erased with it.
    RoomErased,
}

impl ChangeKind {
    /// Every kind there is, for tests that must cover them all.
    pub const ALL: [ChangeKind; 7] = [
        ChangeKind::RoomOpened,
        ChangeKind::RoomChanged,
        ChangeKind::MessagePosted,
        ChangeKind::MessageChanged,
        ChangeKind::MemberChanged,
        ChangeKind::InquiryRemoved,
        ChangeKind::RoomErased,
    ];

    /// The name under which the kind is stored.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::RoomOpened => "room-opened",
            ChangeKind::RoomChanged => "room-changed",
            ChangeKind::MessagePosted => "message-posted",
            ChangeKind::MessageChanged => "message-changed",
            ChangeKind::MemberChanged => "member-changed",
            ChangeKind::InquiryRemoved => "inquiry-removed",
            ChangeKind::RoomErased => "room-erased",
        }
    }

    /// The kind stored under `name`.
    pub fn from_name(name: &str) -> Option<ChangeKind> {
        ChangeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One entry of a room's change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The room.
    pub room_id: String,
    /// The room's `seq` after the change.
    pub seq: i64,
    /// What happened.
    pub kind: ChangeKind,
    /// The id of what it happened to: a message's, member's or inquiry's, otherwise the room's own.
    pub reference: String,
}

/// Follows one room's changes: brings those that arrive out of order into order, drops those that are known, and notices when one
/// stays away.
#[derive(Debug)]
pub struct Cursor {
    seq: i64,
    early: BTreeMap<i64, Change>,
}

/// A change stayed away for too long: the room has to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap;

impl Cursor {
    /// How many changes may wait for an earlier one.
    const PATIENCE: usize = 64;

    /// Follows a room that is known as of `seq`.
    pub fn at(seq: i64) -> Cursor {
        Cursor { seq, early: BTreeMap::new() }
    }

    /// The number of the latest change that was let through.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Takes a change as it arrives; gives what is now to be applied, in order.
    pub fn follow(&mut self, change: Change) -> Result<Vec<Change>, Gap> {
        if change.seq > self.seq {
            self.early.insert(change.seq, change);
        }
        let mut due = Vec::new();
        while let Some(next) = self.early.remove(&(self.seq + 1)) {
            self.seq = next.seq;
            due.push(next);
        }
        if self.early.len() > Cursor::PATIENCE { Err(Gap) } else { Ok(due) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change(seq: i64) -> Change {
        Change { room_id: "room".to_owned(), seq, kind: ChangeKind::RoomChanged, reference: "room".to_owned() }
    }

    #[test]
    fn a_change_that_stays_away_is_noticed() {
        let mut cursor = Cursor::at(0);
        let gap = (2..).find(|seq| cursor.follow(change(*seq)).is_err());
        assert_eq!(gap, Some(66));
        assert_eq!(cursor.seq(), 0);
    }

    proptest! {
        /// However the changes are shuffled within its patience, and however often they come, each is let through once and in order.
        #[test]
        fn changes_come_out_once_and_in_order(
            order in Just((1_i64..=60).collect::<Vec<_>>()).prop_shuffle(),
            again in proptest::collection::vec(1_i64..=60, 0..20),
            known in 0_i64..30,
        ) {
            let mut cursor = Cursor::at(known);
            let mut seen = Vec::new();
            for seq in again.iter().chain(&order).chain(&again) {
                seen.extend(cursor.follow(change(*seq)).unwrap().into_iter().map(|change| change.seq));
            }
            prop_assert_eq!(seen, ((known + 1)..=60).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_kind_is_found_under_its_own_name() {
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(ChangeKind::from_name("unknown"), None);
    }
}
