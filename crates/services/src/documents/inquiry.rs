//! Inquiries as the wire shows them.

use serde::Serialize;
use usher_domain::inquiry::{Inquiry, InquiryStatus};
use usher_domain::message::Message;
use usher_domain::room::Room;
use utoipa::ToSchema;

use super::room::{NO_PRIORITY, NO_SERVICE_LEVEL, SourceDocument, VisitorOfRoom};
use super::{Date, Eyes, MessageDocument};

/// The place of a room in the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct InquiryDocument<'a> {
    #[serde(flatten)]
    summary: InquirySummary<'a>,
    message: &'a str,
    v: VisitorOfRoom<'a>,
    t: &'static str,
    source: SourceDocument<'a>,
    #[serde(rename = "defaultAgent", skip_serializing_if = "Option::is_none")]
    default_agent: Option<DefaultAgentDocument<'a>>,
    #[serde(rename = "lastMessage", skip_serializing_if = "Option::is_none")]
    last_message: Option<MessageDocument<'a>>,
    #[serde(rename = "queuedAt", skip_serializing_if = "Option::is_none")]
    queued_at: Option<Date>,
    #[serde(rename = "takenAt", skip_serializing_if = "Option::is_none")]
    taken_at: Option<Date>,
    #[serde(rename = "priorityWeight")]
    priority_weight: i64,
    #[serde(rename = "estimatedWaitingTimeQueue")]
    estimated_waiting_time: i64,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

/// The same, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct InquirySummary<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    rid: &'a str,
    name: &'a str,
    ts: Date,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DefaultAgentDocument<'a> {
    #[serde(rename = "agentId")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

impl<'a> InquirySummary<'a> {
    /// The room's place in the queue, if it has one.
    pub fn of(room: &'a Room) -> Option<InquirySummary<'a>> {
        room.inquiry.as_ref().map(|inquiry| InquirySummary::new(room, inquiry))
    }

    fn new(room: &'a Room, inquiry: &'a Inquiry) -> InquirySummary<'a> {
        InquirySummary {
            id: &inquiry.id,
            rid: &room.id,
            name: &room.name,
            ts: Date(room.opened_at),
            status: inquiry.status.name(),
            department: room.department_id.as_deref(),
        }
    }
}

impl<'a> InquiryDocument<'a> {
    /// The room's place in the queue, if it has one. What was said last is shown as long as nobody has taken it.
    pub fn of(room: &'a Room, last_message: Option<&'a Message>) -> Option<InquiryDocument<'a>> {
        let inquiry = room.inquiry.as_ref()?;
        let waits = inquiry.status != InquiryStatus::Taken;
        let default_agent = inquiry.default_agent.as_ref();
        Some(InquiryDocument {
            summary: InquirySummary::new(room, inquiry),
            message: &inquiry.message,
            v: VisitorOfRoom::of(room, Eyes::Staff),
            t: "l",
            source: (&room.source).into(),
            default_agent: default_agent.map(|agent| DefaultAgentDocument { id: &agent.id, username: agent.username.as_deref() }),
            last_message: last_message.filter(|_| waits).map(|message| MessageDocument::new(message, Eyes::Staff)),
            queued_at: inquiry.queued_at.map(Date),
            taken_at: inquiry.taken_at.map(Date),
            priority_weight: NO_PRIORITY,
            estimated_waiting_time: NO_SERVICE_LEVEL,
            updated_at: Date(inquiry.updated_at),
        })
    }
}
