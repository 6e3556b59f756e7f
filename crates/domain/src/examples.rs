//! Records for tests, so that a new field is filled in at one place.

use crate::inquiry::{Inquiry, InquiryStatus};
use crate::room::{Person, Room, ServedBy, Source, SourceKind};

/// A room that was opened at `opened_at` and waits.
pub fn room(opened_at: i64) -> Room {
    Room {
        visitor_id: "visitor".to_owned(),
        visitor_username: "guest-1".to_owned(),
        contact_id: "contact".to_owned(),
        name: "Visitor".to_owned(),
        source: Source { kind: SourceKind::Widget, destination: None },
        inquiry: Some(inquiry(opened_at)),
        ..Room::new("room".to_owned(), opened_at)
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
