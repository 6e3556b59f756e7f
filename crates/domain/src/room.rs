//! Omnichannel rooms: the record and the rules of its fields.

use serde::{Deserialize, Serialize};

use crate::inquiry::Inquiry;
use crate::metrics::Metrics;

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
    /// Every kind.
    pub const ALL: [SourceKind; 2] = [SourceKind::Widget, SourceKind::Api];

    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Widget => "widget",
            SourceKind::Api => "api",
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<SourceKind> {
        SourceKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A user, as named at the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The user name.
    pub username: String,
}

/// The agent who serves a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedBy {
    /// Who.
    pub agent: Person,
    /// Since when (milliseconds UTC).
    pub since: i64,
}

/// Who answers the visitor's latest question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responder {
    /// Who.
    pub user: Person,
    /// The time of the first answer (milliseconds UTC).
    pub first_at: i64,
    /// The time of the latest answer (milliseconds UTC).
    pub last_at: i64,
}

/// The sides that can close a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closer {
    /// An agent, or the server.
    User,
    /// The visitor.
    Visitor,
}

impl Closer {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Closer::User => "user",
            Closer::Visitor => "visitor",
        }
    }

    /// The side called `name`.
    pub fn from_name(name: &str) -> Option<Closer> {
        [Closer::User, Closer::Visitor].into_iter().find(|closer| closer.name() == name)
    }
}

/// How a room ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// When (milliseconds UTC).
    pub at: i64,
    /// By which side.
    pub closer: Closer,
    /// By whom: a user or the visitor.
    pub by: Person,
}

/// Who wants the transcript by mail once the room is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptRequest {
    /// When it was asked for (milliseconds UTC).
    pub requested_at: i64,
    /// The id of the user who asked.
    pub user_id: String,
    /// The user name.
    pub username: String,
    /// The name.
    pub name: Option<String>,
    /// Where it goes.
    pub email: String,
    /// The subject of the mail.
    pub subject: String,
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
    /// The department it belongs to.
    pub department_id: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether it rests until the visitor writes again.
    pub on_hold: bool,
    /// The agent who serves it.
    pub served_by: Option<ServedBy>,
    /// Whether the visitor waits for an answer.
    pub waiting_response: bool,
    /// Who answers the latest question, unless the visitor waits.
    pub responder: Option<Responder>,
    /// How many messages it has, system messages included.
    pub message_count: i64,
    /// How many people are in it.
    pub users_count: i64,
    /// How often it changed: the number of its latest change.
    pub seq: i64,
    /// When it was opened (milliseconds UTC).
    pub opened_at: i64,
    /// The message that is shown as its latest.
    pub last_message_id: Option<String>,
    /// The time of that message (milliseconds UTC).
    pub last_message_at: i64,
    /// The time of the latest message of any kind (milliseconds UTC).
    pub last_ts: i64,
    /// When it was last put into the queue (milliseconds UTC).
    pub queued_at: i64,
    /// When the visitor last wrote (milliseconds UTC).
    pub visitor_last_message_at: Option<i64>,
    /// The months (`YYYY-MM`) in which an agent answered the contact, as of the latest answer in this room.
    pub visitor_activity: Vec<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Its tags, in the order in which they were given.
    pub tags: Vec<String>,
    /// Values of custom fields, by the field's id.
    pub fields: Vec<(String, String)>,
    /// What the visitor thinks of it, as a JSON object.
    pub survey: Option<String>,
    /// How it ended.
    pub closing: Option<Closing>,
    /// When the visitor will count as gone (milliseconds UTC).
    pub abandonment_at: Option<i64>,
    /// Who wants the transcript.
    pub transcript_request: Option<TranscriptRequest>,
    /// The file that its transcript was printed to.
    pub pdf_file_id: Option<String>,
    /// Its place in the queue, as long as it is open.
    pub inquiry: Option<Inquiry>,
    /// What figures are computed from.
    pub metrics: Metrics,
    /// When the record last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl Room {
    /// A room of which nothing is known but that it was opened (milliseconds UTC): nobody has written in it, and nobody serves it.
    pub fn new(id: String, opened_at: i64) -> Room {
        Room {
            id,
            visitor_id: String::new(),
            visitor_username: String::new(),
            visitor_status: "online".to_owned(),
            contact_id: String::new(),
            name: String::new(),
            department_id: None,
            source: Source { kind: SourceKind::Api, destination: None },
            is_open: true,
            on_hold: false,
            served_by: None,
            waiting_response: true,
            responder: None,
            message_count: 0,
            users_count: 1,
            seq: 0,
            opened_at,
            last_message_id: None,
            last_message_at: opened_at,
            last_ts: opened_at,
            queued_at: opened_at,
            visitor_last_message_at: None,
            visitor_activity: Vec::new(),
            topic: None,
            tags: Vec::new(),
            fields: Vec::new(),
            survey: None,
            closing: None,
            abandonment_at: None,
            transcript_request: None,
            pdf_file_id: None,
            inquiry: None,
            metrics: Metrics::default(),
            updated_at: opened_at,
        }
    }

    /// Whether this user serves it.
    pub fn is_served_by(&self, user_id: &str) -> bool {
        self.served_by.as_ref().is_some_and(|served| served.agent.id == user_id)
    }

    /// When it was closed (milliseconds UTC).
    pub fn closed_at(&self) -> Option<i64> {
        self.closing.as_ref().map(|closing| closing.at)
    }
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
