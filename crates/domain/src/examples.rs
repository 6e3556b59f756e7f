//! Records for tests, so that a new field is filled in at one place.

use crate::inquiry::{Inquiry, InquiryStatus};
use crate::metrics::Metrics;
use crate::room::{Person, Room, ServedBy, Source, SourceKind};

/// A room that was opened at `opened_at` and waits.
pub fn room(opened_at: i64) -> Room {
    Room {
        id: "room".to_owned(),
        visitor_id: "visitor".to_owned(),
        visitor_username: "guest-1".to_owned(),
        visitor_status: "online".to_owned(),
        contact_id: "contact".to_owned(),
        name: "Visitor".to_owned(),
        department_id: None,
        source: Source { kind: SourceKind::Widget, destination: None },
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
        inquiry: Some(inquiry(opened_at)),
        metrics: Metrics::default(),
        updated_at: opened_at,
    }
}

/// An inquiry that has waited since `queued_at`.
pub fn inquiry(queued_at: i64) -> Inquiry {
    Inquiry {
        id: "inquiry".to_owned(),
        status: InquiryStatus::Queued,
        message: String::new(),
        default_agent: None,
        queued_at: Some(queued_at),
        taken_at: None,
        updated_at: queued_at,
    }
}

/// The user called `name`, whose id is the same.
pub fn person(name: &str) -> Person {
    Person { id: name.to_owned(), username: name.to_owned() }
}

/// The agent called `name`, serving since `since`.
pub fn served_by(name: &str, since: i64) -> ServedBy {
    ServedBy { agent: person(name), since }
}
