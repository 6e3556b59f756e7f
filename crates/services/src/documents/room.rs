//! Rooms as the wire shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use usher_domain::message::Message;
use usher_domain::metrics::Metrics;
use usher_domain::room::{Responder, Room, ServedBy, Source, TranscriptRequest};
use utoipa::ToSchema;

use super::{Date, Eyes, MessageDocument, PersonDocument};

/// The weight of a room without a priority: behind all that have one.
pub(super) const NO_PRIORITY: i64 = 99;

/// The waiting time, in minutes, of a room without a service level: behind all that have one.
pub(super) const NO_SERVICE_LEVEL: i64 = 9_999_999;

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
    #[serde(rename = "onHold", skip_serializing_if = "Option::is_none")]
    on_hold: Option<bool>,
    #[serde(rename = "servedBy", skip_serializing_if = "Option::is_none")]
    served_by: Option<ServedByDocument<'a>>,
    #[serde(rename = "waitingResponse", skip_serializing_if = "Option::is_none")]
    waiting_response: Option<bool>,
    #[serde(rename = "responseBy", skip_serializing_if = "Option::is_none")]
    response_by: Option<ResponderDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(rename = "livechatData", skip_serializing_if = "BTreeMap::is_empty")]
    livechat_data: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "surveyFeedback", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    survey: Option<Value>,
    msgs: i64,
    #[serde(rename = "usersCount")]
    users_count: i64,
    ts: Date,
    lm: Date,
    #[serde(rename = "queuedAt")]
    queued_at: Date,
    #[serde(rename = "closedAt", skip_serializing_if = "Option::is_none")]
    closed_at: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closer: Option<&'static str>,
    #[serde(rename = "closedBy", skip_serializing_if = "Option::is_none")]
    closed_by: Option<PersonDocument<'a>>,
    #[serde(rename = "transcriptRequest", skip_serializing_if = "Option::is_none")]
    transcript_request: Option<TranscriptRequestDocument<'a>>,
    #[serde(rename = "pdfTranscriptFileId", skip_serializing_if = "Option::is_none")]
    pdf_file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omnichannel: Option<Prediction>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    #[serde(rename = "lastMessage", skip_serializing_if = "Option::is_none")]
    last_message: Option<MessageDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<MetricsDocument>,
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

/// The visitor as a room shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitorOfRoom<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    token: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    activity: &'a [String],
    #[serde(rename = "lastMessageTs", skip_serializing_if = "Option::is_none")]
    last_message_at: Option<Date>,
}

impl<'a> VisitorOfRoom<'a> {
    /// The visitor of this room.
    pub fn of(room: &'a Room, eyes: Eyes<'a>) -> VisitorOfRoom<'a> {
        VisitorOfRoom {
            id: &room.visitor_id,
            username: &room.visitor_username,
            token: eyes.token(&room.visitor_id),
            status: &room.visitor_status,
            activity: &room.visitor_activity,
            last_message_at: room.visitor_last_message_at.map(Date),
        }
    }
}

/// Where a room comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceDocument<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
}

impl<'a> From<&'a Source> for SourceDocument<'a> {
    fn from(source: &'a Source) -> SourceDocument<'a> {
        SourceDocument { kind: source.kind.name(), destination: source.destination.as_deref() }
    }
}

/// The agent who serves a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServedByDocument<'a> {
    #[serde(flatten)]
    agent: PersonDocument<'a>,
    ts: Date,
}

impl<'a> From<&'a ServedBy> for ServedByDocument<'a> {
    fn from(served: &'a ServedBy) -> ServedByDocument<'a> {
        ServedByDocument { agent: (&served.agent).into(), ts: Date(served.since) }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct ResponderDocument<'a> {
    #[serde(flatten)]
    user: PersonDocument<'a>,
    #[serde(rename = "firstResponseTs")]
    first_at: Date,
    #[serde(rename = "lastMessageTs")]
    last_at: Date,
}

impl<'a> From<&'a Responder> for ResponderDocument<'a> {
    fn from(responder: &'a Responder) -> ResponderDocument<'a> {
        let (first_at, last_at) = (Date(responder.first_at), Date(responder.last_at));
        ResponderDocument { user: (&responder.user).into(), first_at, last_at }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct TranscriptRequestDocument<'a> {
    #[serde(rename = "requestedAt")]
    requested_at: Date,
    #[serde(rename = "requestedBy")]
    requested_by: RequesterDocument<'a>,
    email: &'a str,
    subject: &'a str,
}

#[derive(Debug, Serialize, ToSchema)]
struct RequesterDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "utcOffset")]
    utc_offset: i64,
}

impl<'a> From<&'a TranscriptRequest> for TranscriptRequestDocument<'a> {
    fn from(request: &'a TranscriptRequest) -> TranscriptRequestDocument<'a> {
        TranscriptRequestDocument {
            requested_at: Date(request.requested_at),
            requested_by: RequesterDocument {
                id: &request.user_id,
                username: &request.username,
                name: request.name.as_deref(),
                utc_offset: 0,
            },
            email: &request.email,
            subject: &request.subject,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Prediction {
    #[serde(rename = "predictedVisitorAbandonmentAt")]
    abandonment_at: Date,
}

/// The figures of a room: durations in seconds.
#[derive(Debug, Default, Serialize, ToSchema)]
struct MetricsDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<VisitorMetrics>,
    #[serde(rename = "servedBy", skip_serializing_if = "Option::is_none")]
    served_by: Option<AgentMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponseMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<ReactionMetrics>,
    #[serde(rename = "chatDuration", skip_serializing_if = "Option::is_none")]
    chat_duration: Option<f64>,
    #[serde(rename = "serviceTimeDuration", skip_serializing_if = "Option::is_none")]
    service_duration: Option<f64>,
    #[serde(rename = "visitorInactivity", skip_serializing_if = "Option::is_none")]
    visitor_inactivity: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct VisitorMetrics {
    lq: Date,
}

#[derive(Debug, Serialize, ToSchema)]
struct AgentMetrics {
    lr: Date,
}

#[derive(Debug, Serialize, ToSchema)]
struct ResponseMetrics {
    avg: f64,
    total: i64,
    tt: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ft: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fd: Option<Date>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReactionMetrics {
    tt: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ft: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fd: Option<Date>,
}

impl MetricsDocument {
    /// The figures, if there are any yet.
    fn of(metrics: &Metrics) -> Option<MetricsDocument> {
        if *metrics == Metrics::default() {
            return None;
        }
        let seconds = |milliseconds: i64| milliseconds as f64 / 1_000.0;
        let (first, has_responses) = (metrics.first, metrics.responses > 0);
        Some(MetricsDocument {
            v: metrics.asked_at.map(|lq| VisitorMetrics { lq: Date(lq) }),
            served_by: metrics.answered_at.map(|lr| AgentMetrics { lr: Date(lr) }),
            response: has_responses.then(|| ResponseMetrics {
                avg: seconds(metrics.response_time) / metrics.responses as f64,
                total: metrics.responses,
                tt: seconds(metrics.response_time),
                ft: first.map(|first| seconds(first.response)),
                fd: first.map(|first| Date(first.at)),
            }),
            reaction: has_responses.then(|| ReactionMetrics {
                tt: seconds(metrics.reaction_time),
                ft: first.map(|first| seconds(first.reaction)),
                fd: first.map(|first| Date(first.at)),
            }),
            chat_duration: metrics.chat_duration.map(seconds),
            service_duration: metrics.service_duration.map(seconds),
            visitor_inactivity: metrics.visitor_inactivity,
        })
    }
}

impl<'a> RoomDocument<'a> {
    /// The room for these eyes.
    pub fn new(room: &'a Room, last_message: Option<&'a Message>, eyes: Eyes<'a>) -> RoomDocument<'a> {
        RoomDocument {
            id: &room.id,
            t: "l",
            fname: &room.name,
            v: VisitorOfRoom::of(room, eyes),
            contact_id: &room.contact_id,
            verified: false,
            source: (&room.source).into(),
            department_id: room.department_id.as_deref(),
            open: room.is_open.then_some(true),
            on_hold: room.on_hold.then_some(true),
            served_by: room.served_by.as_ref().map(ServedByDocument::from),
            waiting_response: room.waiting_response.then_some(true),
            response_by: room.responder.as_ref().map(ResponderDocument::from),
            topic: room.topic.as_deref(),
            tags: &room.tags,
            livechat_data: room.fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect(),
            survey: room.survey.as_deref().and_then(|survey| serde_json::from_str(survey).ok()),
            msgs: room.message_count,
            users_count: room.users_count,
            ts: Date(room.opened_at),
            lm: Date(room.last_message_at),
            queued_at: Date(room.queued_at),
            closed_at: room.closed_at().map(Date),
            closer: room.closing.as_ref().map(|closing| closing.closer.name()),
            closed_by: room.closing.as_ref().map(|closing| (&closing.by).into()),
            transcript_request: room.transcript_request.as_ref().map(TranscriptRequestDocument::from),
            pdf_file_id: room.pdf_file_id.as_deref(),
            omnichannel: room.abandonment_at.map(|at| Prediction { abandonment_at: Date(at) }),
            updated_at: Date(room.updated_at),
            last_message: last_message.map(|message| MessageDocument::new(message, eyes)),
            metrics: MetricsDocument::of(&room.metrics),
            priority_weight: NO_PRIORITY,
            estimated_waiting_time: NO_SERVICE_LEVEL,
            cl: false,
            ro: false,
            default: false,
            system_messages: true,
        }
    }
}
