//! The change log's entries: what happened to a room, by ids only.
//!
//! Every change of a room raises the room's `seq` by one and leaves one entry in the same transaction. Whoever holds the room as of
//! one `seq` reaches any later one by reading again what the entries between name. No entry carries content.

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
    /// A user got the room into the own list. The reference is the user's id.
    MemberAdded,
    /// A user lost the room out of the own list, or read it. The reference is the user's id.
    MemberChanged,
    /// Another agent serves the room, or nobody any more.
    AgentChanged,
    /// The room left the queue for good. The reference is the inquiry's id.
    InquiryRemoved,
    /// The room and all that belongs to it is gone. Never stored: its log is erased with it.
    RoomErased,
}

impl ChangeKind {
    /// Every kind there is, for tests that must cover them all.
    pub const ALL: [ChangeKind; 9] = [
        ChangeKind::RoomOpened,
        ChangeKind::RoomChanged,
        ChangeKind::MessagePosted,
        ChangeKind::MessageChanged,
        ChangeKind::MemberAdded,
        ChangeKind::MemberChanged,
        ChangeKind::AgentChanged,
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
            ChangeKind::MemberAdded => "member-added",
            ChangeKind::MemberChanged => "member-changed",
            ChangeKind::AgentChanged => "agent-changed",
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

#[cfg(test)]
mod tests {
    use super::ChangeKind;

    #[test]
    fn every_kind_is_found_under_its_own_name() {
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(ChangeKind::from_name("unknown"), None);
    }
}
