//! Subscriptions: users who have a room in their list.

/// A subscription as stored. Name, visitor, department and hold are the room's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The room.
    pub room_id: String,
    /// The user.
    pub user_id: String,
    /// The user name, as it is now.
    pub username: String,
    /// How many messages the user has not read.
    pub unread: i64,
    /// How many of them name the user.
    pub mentions: i64,
    /// Whether something is new.
    pub alert: bool,
    /// Whether the user's list shows the room.
    pub is_shown: bool,
    /// Whether the user marked it.
    pub is_favorite: bool,
    /// When the user last read it (milliseconds UTC).
    pub last_seen_at: Option<i64>,
    /// Since when the user has it (milliseconds UTC).
    pub created_at: i64,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}
