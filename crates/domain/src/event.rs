//! What transactions announce to whoever follows.

use crate::change::Change;

/// An announcement. It goes out after the commit, by ids only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A room changed, as its change log says.
    Room(Change),
    /// A user changed.
    User(UserEvent),
    /// A user got a role or lost one.
    Role(RoleEvent),
    /// The place of an agent in a department changed.
    Place(PlaceEvent),
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

/// A change of what a user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleEvent {
    /// The user's id.
    pub user_id: String,
    /// The role's id.
    pub role_id: String,
    /// Whether the user got it; otherwise it lost it.
    pub is_held: bool,
}

/// A change of an agent's place in a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceEvent {
    /// The place's id.
    pub id: String,
    /// The department.
    pub department_id: String,
    /// The agent.
    pub agent_id: String,
    /// What happened to it.
    pub kind: PlaceEventKind,
}

/// What happened to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceEventKind {
    /// The agent came into the department.
    Inserted,
    /// The place is another one, or the department went into or out of service.
    Updated,
    /// The agent has left the department.
    Removed,
}

impl PlaceEventKind {
    /// Every kind.
    pub const ALL: [PlaceEventKind; 3] = [PlaceEventKind::Inserted, PlaceEventKind::Updated, PlaceEventKind::Removed];

    /// The name that clients and other processes know.
    pub fn name(self) -> &'static str {
        match self {
            PlaceEventKind::Inserted => "inserted",
            PlaceEventKind::Updated => "updated",
            PlaceEventKind::Removed => "removed",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<PlaceEventKind> {
        PlaceEventKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{PlaceEventKind, UserEventKind};

    #[test]
    fn every_kind_is_found_under_its_own_name() {
        for kind in UserEventKind::ALL {
            assert_eq!(UserEventKind::from_name(kind.name()), Some(kind));
        }
        for kind in PlaceEventKind::ALL {
            assert_eq!(PlaceEventKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!((UserEventKind::from_name("unknown"), PlaceEventKind::from_name("unknown")), (None, None));
    }
}
