//! Rooms as the wire shows them.

use serde::Serialize;
use usher_domain::message::Message;
use usher_domain::room::Room;
use utoipa::ToSchema;

use super::{Date, MessageDocument};

/// The weight of a room without a priority: behind all that have one.
const NO_PRIORITY: i64 = 99;

/// The waiting time, in minutes, of a room without a service level: behind all that have one.
const NO_SERVICE_LEVEL: i64 = 9_999_999;

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    t: &'static str,
    fname: &'a str,
    v: VisitorOfRoom<'a>,
    #[serde(rename = "contactId")]
    contact_id: &'a str,
    verified: bool,
    source: SourceDocument<'a>,
    #[serde(rename = "departmentId", skip_serializing_if = "Option::is_none")]
    department_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    #[serde(rename = "waitingResponse", skip_serializing_if = "Option::is_none")]
    waiting_response: Option<bool>,
    msgs: i64,
    #[serde(rename = "usersCount")]
    users_count: i64,
    ts: Date,
    lm: Date,
    #[serde(rename = "queuedAt")]
    queued_at: Date,
    #[serde(rename = "closedAt", skip_serializing_if = "Option::is_none")]
    closed_at: Option<Date>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    #[serde(rename = "lastMessage", skip_serializing_if = "Option::is_none")]
    last_message: Option<MessageDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    #[serde(rename = "priorityWeight")]
    priority_weight: i64,
    #[serde(rename = "estimatedWaitingTimeQueue")]
    estimated_waiting_time: i64,
    // What follows never changes; clients of every age look for it.
    cl: bool,
    ro: bool,
    default: bool,
    #[serde(rename = "sysMes")]
    system_messages: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct VisitorOfRoom<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    token: &'a str,
    status: &'a str,
    #[serde(rename = "lastMessageTs", skip_serializing_if = "Option::is_none")]
    last_message_at: Option<Date>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SourceDocument<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Metrics {
    v: VisitorMetrics,
}

#[derive(Debug, Serialize, ToSchema)]
struct VisitorMetrics {
    lq: Date,
}

impl<'a> RoomDocument<'a> {
    /// The room for the eyes of the visitor who presented `token`.
    pub fn for_visitor(room: &'a Room, last_message: Option<&'a Message>, token: &'a str) -> RoomDocument<'a> {
        RoomDocument {
            id: &room.id,
            t: "l",
            fname: &room.name,
            v: VisitorOfRoom {
                id: &room.visitor_id,
                username: &room.visitor_username,
                token,
                status: &room.visitor_status,
                last_message_at: room.visitor_last_message_at.map(Date),
            },
            contact_id: &room.contact_id,
            verified: false,
            source: SourceDocument { kind: room.source.kind.name(), destination: room.source.destination.as_deref() },
            department_id: room.department_id.as_deref(),
            open: room.is_open.then_some(true),
            waiting_response: room.waiting_response.then_some(true),
            msgs: room.message_count,
            users_count: room.users_count,
            ts: Date(room.opened_at),
            lm: Date(room.last_message_at),
            queued_at: Date(room.queued_at),
            closed_at: room.closed_at.map(Date),
            updated_at: Date(room.updated_at),
            last_message: last_message.map(|message| MessageDocument::for_visitor(message, token)),
            metrics: room.visitor_waiting_since.map(|since| Metrics { v: VisitorMetrics { lq: Date(since) } }),
            priority_weight: NO_PRIORITY,
            estimated_waiting_time: NO_SERVICE_LEVEL,
            cl: false,
            ro: false,
            default: false,
            system_messages: true,
        }
    }
}
