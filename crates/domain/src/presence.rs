//! Presence: whether a user is there, as it follows from what the user chose and from the connections that there are.

use crate::user::UserStatus;

/// How much a status says that somebody is there.
fn rank(status: UserStatus) -> u8 {
    match status {
        UserStatus::Online => 3,
        UserStatus::Busy => 2,
        UserStatus::Away => 1,
        UserStatus::Offline => 0,
    }
}

/// The status of which most can be expected; `None` without any.
pub fn best(statuses: impl IntoIterator<Item = UserStatus>) -> Option<UserStatus> {
    statuses.into_iter().max_by_key(|status| rank(*status))
}

/// The status of a user who chose `chosen` and whose connections say at best `connected`: what was chosen counts while there is a connection,
/// and whoever chose to be online is what the connections say.
pub fn status(chosen: UserStatus, connected: Option<UserStatus>) -> UserStatus {
    match connected {
        None => UserStatus::Offline,
        Some(connected) if chosen == UserStatus::Online => connected,
        Some(_) => chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UserStatus::{Away, Busy, Offline, Online};

    #[test]
    fn the_best_connection_counts() {
        for (statuses, expected) in [
            (&[][..], None),
            (&[Away], Some(Away)),
            (&[Away, Online], Some(Online)),
            (&[Online, Away, Away], Some(Online)),
            (&[Busy, Away], Some(Busy)),
        ] {
            assert_eq!(best(statuses.iter().copied()), expected, "{statuses:?}");
        }
    }

    #[test]
    fn what_was_chosen_counts_while_there_is_a_connection() {
        for (chosen, connected, expected) in [
            (Online, None, Offline),
            (Online, Some(Online), Online),
            (Online, Some(Away), Away),
            (Busy, Some(Online), Busy),
            (Busy, Some(Away), Busy),
            (Busy, None, Offline),
            (Offline, Some(Online), Offline),
            (Away, Some(Online), Away),
        ] {
            assert_eq!(status(chosen, connected), expected, "{chosen:?} {connected:?}");
        }
    }
}
