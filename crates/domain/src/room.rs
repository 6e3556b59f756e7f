//! Omnichannel rooms: the record and the rules of its fields.

/// Where a conversation comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The kind of channel.
    pub kind: SourceKind,
    /// What the channel says of its end, for widgets the `Host` that served them.
    pub destination: Option<String>,
}

/// The kinds of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// The widget on a web page.
    Widget,
    /// A program that calls the API.
    Api,
}

impl SourceKind {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Widget => "widget",
            SourceKind::Api => "api",
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<SourceKind> {
        [SourceKind::Widget, SourceKind::Api].into_iter().find(|kind| kind.name() == name)
    }
}

/// A room as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: String,
    /// The visitor whose conversation it is.
    pub visitor_id: String,
    /// The visitor's user name.
    pub visitor_username: String,
    /// The visitor's status as shown in the room.
    pub visitor_status: String,
    /// The contact it belongs to.
    pub contact_id: String,
    /// The display name.
    pub name: String,
    /// The department asked for.
    pub department_id: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether the visitor waits for an answer.
    pub waiting_response: bool,
    /// How many messages it has, system messages included.
    pub message_count: i64,
    /// How many people are in it.
    pub users_count: i64,
    /// How often it changed: the number of its latest change.
    pub seq: i64,
    /// When it was opened (milliseconds UTC).
    pub opened_at: i64,
    /// The time of its latest message (milliseconds UTC).
    pub last_message_at: i64,
    /// When it was last put into the queue (milliseconds UTC).
    pub queued_at: i64,
    /// When the visitor last wrote (milliseconds UTC).
    pub visitor_last_message_at: Option<i64>,
    /// The first visitor message that nobody has answered yet (`metrics.v.lq`, milliseconds UTC).
    pub visitor_waiting_since: Option<i64>,
    /// When it was closed (milliseconds UTC).
    pub closed_at: Option<i64>,
    /// When the record last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// The time of a room's next message: now, but later than every message before it, because clients page by time.
pub fn next_message_ts(now: i64, last_ts: i64) -> i64 {
    now.max(last_ts + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_times_rise_even_when_the_clock_does_not() {
        assert_eq!(next_message_ts(1_000, 10), 1_000);
        assert_eq!(next_message_ts(1_000, 1_000), 1_001);
        assert_eq!(next_message_ts(1_000, 5_000), 5_001);
    }

    #[test]
    fn source_kinds_are_found_by_their_names() {
        assert_eq!(SourceKind::from_name("widget"), Some(SourceKind::Widget));
        assert_eq!(SourceKind::from_name("api"), Some(SourceKind::Api));
        assert_eq!(SourceKind::from_name(""), None);
    }
}
