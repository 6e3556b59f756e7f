//! What transactions announce to whoever follows.

use crate::change::Change;

/// An announcement. It goes out after the commit, by ids only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A room changed, as its change log says.
    Room(Change),
    /// A user changed.
    User(UserEvent),
}

/// A change of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEvent {
    /// The user's id.
    pub user_id: String,
    /// What changed.
    pub kind: UserEventKind,
}

/// What changed of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserEventKind {
    /// The record, with whatever is in it.
    Record,
    /// Whether it is there, and what it says of that.
    Status,
    /// Whether it takes chats.
    Availability,
    /// It is gone.
    Removed,
}

impl UserEventKind {
    /// Every kind.
    pub const ALL: [UserEventKind; 4] =
        [UserEventKind::Record, UserEventKind::Status, UserEventKind::Availability, UserEventKind::Removed];

    /// The name under which other processes are told of it.
    pub fn name(self) -> &'static str {
        match self {
            UserEventKind::Record => "record",
            UserEventKind::Status => "status",
            UserEventKind::Availability => "availability",
            UserEventKind::Removed => "removed",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<UserEventKind> {
        UserEventKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::UserEventKind;

    #[test]
    fn every_kind_is_found_under_its_own_name() {
        for kind in UserEventKind::ALL {
            assert_eq!(UserEventKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(UserEventKind::from_name("unknown"), None);
    }
}
