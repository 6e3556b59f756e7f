//! Methods about chats: closing them, what is noted of them, and what visitors think of them. Older clients call them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::{CLOSE_LIVECHAT_ROOM, VIEW_L_ROOM};
use usher_domain::visitor::VisitorToken;

use super::agents::check_permission;
use super::{Method, MethodError, Outcome, Parameters};
use crate::documents::{AgentDocument, Eyes, MessageDocument, extended};
use crate::logins::Account;
use crate::rooms::{ClosingByUser, GuestInfo, RoomInfo, TranscriptByMail};
use crate::{Error, Refusal, Services};

/// The most tags that a room is given at once.
const TAG_LIMIT: usize = 100;

/// The most characters of the value of a custom field.
const VALUE_LIMIT: usize = 4_096;

static MAIL: MatchPattern = MatchPattern::open(&[
    MatchField::required("email", MatchKind::Text(320)),
    MatchField::required("subject", MatchKind::Text(1_024)),
]);

static TRANSCRIPT: MatchPattern = MatchPattern::open(&[
    MatchField::required("sendToVisitor", MatchKind::Boolean),
    MatchField::optional("requestData", MatchKind::Object(&MAIL)),
]);

static OPTIONS: MatchPattern = MatchPattern::open(&[
    MatchField::optional("clientAction", MatchKind::Boolean),
    MatchField::optional("tags", MatchKind::Texts(512)),
    MatchField::optional("generateTranscriptPdf", MatchKind::Boolean),
    MatchField::optional("emailTranscript", MatchKind::Object(&TRANSCRIPT)),
]);

#[derive(Default, Deserialize)]
struct ClosingOptions {
    #[serde(default, rename = "clientAction")]
    client_action: bool,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, rename = "generateTranscriptPdf")]
    prints: bool,
    #[serde(rename = "emailTranscript")]
    transcript: Option<ClosingTranscript>,
}

#[derive(Deserialize)]
struct ClosingTranscript {
    #[serde(rename = "sendToVisitor")]
    to_visitor: bool,
    #[serde(rename = "requestData")]
    mail: Option<ClosingMail>,
}

#[derive(Deserialize)]
struct ClosingMail {
    email: String,
    subject: String,
}

/// Closes a chat in the caller's name.
pub(super) async fn close(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (room_id, comment) = (parameters.text(0)?, parameters.optional_text(1)?);
    let options: ClosingOptions = match parameters.get(2) {
        Some(_) => parameters.object(2, &OPTIONS)?,
        None => ClosingOptions::default(),
    };
    check_tags(&options.tags)?;
    if !services.permits(&account.user, CLOSE_LIVECHAT_ROOM) {
        return Err(Refusal::NotAuthorized.into());
    }
    let transcript = options.transcript.map(|ClosingTranscript { to_visitor, mail }| {
        let (email, subject) = mail.map(|mail| (mail.email, mail.subject)).unzip();
        TranscriptByMail { to_visitor, email, subject }
    });
    let closing = ClosingByUser {
        room_id,
        comment: comment.unwrap_or_default(),
        tags: options.tags,
        client_action: options.client_action,
        prints: options.prints,
        transcript,
        force: false,
    };
    match services.close_by_user(&account, closing).await {
        Ok(()) => Ok(Some(true.into())),
        // This method calls it otherwise than newer operations do.
        Err(Error::Refused(Refusal::RoomAlreadyClosed)) => Err(Refusal::RoomClosed.into()),
        Err(other) => Err(other.into()),
    }
}

static VISITOR_IN_ROOM: MatchPattern = MatchPattern::open(&[
    MatchField::required("roomId", MatchKind::Text(128)),
    MatchField::required("token", MatchKind::Text(1_024)),
]);

#[derive(Deserialize)]
struct VisitorInRoom {
    #[serde(rename = "roomId")]
    room_id: String,
    token: String,
}

/// Closes a visitor's own chat.
pub(super) async fn close_by_visitor(services: &Services, parameters: Parameters) -> Outcome {
    let VisitorInRoom { room_id, token } = parameters.object(0, &VISITOR_IN_ROOM)?;
    let token = VisitorToken::new(token).ok_or(Refusal::InvalidToken)?;
    services.close_by_visitor(token, room_id).await?;
    Ok(Some(true.into()))
}

/// The agent who serves a visitor's chat; nothing if nobody does.
pub(super) async fn agent(services: &Services, parameters: Parameters) -> Outcome {
    let VisitorInRoom { room_id, token } = parameters.object(0, &VISITOR_IN_ROOM)?;
    let token = VisitorToken::new(token).ok_or(Refusal::NoSuchRoom)?;
    match services.agent_of_room(token, room_id).await {
        Ok(agent) => Ok(Some(extended(&AgentDocument::from(&agent)))),
        Err(Error::Refused(Refusal::InvalidAgent)) => Ok(None),
        Err(Error::Refused(Refusal::InvalidToken | Refusal::InvalidRoom)) => Err(Refusal::NoSuchRoom.into()),
        Err(other) => Err(other.into()),
    }
}

static WAITING: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::optional("department", MatchKind::Text(128)),
]);

#[derive(Deserialize)]
struct Waiting {
    token: String,
    department: Option<String>,
}

/// The agent who would get a visitor's next chat; nobody for a visitor who has a chat, or while nobody is there.
pub(super) async fn next_agent(services: &Services, parameters: Parameters) -> Outcome {
    let Waiting { token, department } = parameters.object(0, &WAITING)?;
    match services.next_agent(VisitorToken::new(token), department).await {
        Ok(agent) => Ok(agent.as_ref().map(|agent| extended(&AgentDocument::from(agent)))),
        Err(Error::Refused(Refusal::AgentNotFound)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

static ANYTHING: MatchPattern = MatchPattern::open(&[]);

static GUEST: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(128)),
    MatchField::optional("name", MatchKind::Text(512)),
    MatchField::optional("email", MatchKind::Text(320)),
    MatchField::optional("phone", MatchKind::Text(128)),
    MatchField::optional("livechatData", MatchKind::Object(&ANYTHING)),
]);

static ROOM: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(128)),
    MatchField::optional("topic", MatchKind::Text(1_024)),
    MatchField::optional("tags", MatchKind::Texts(512)),
    MatchField::optional("livechatData", MatchKind::Object(&ANYTHING)),
    MatchField::optional("priorityId", MatchKind::Text(128)),
    MatchField::optional("slaId", MatchKind::Text(128)),
]);

#[derive(Deserialize)]
struct GuestData {
    #[serde(rename = "_id")]
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    #[serde(default, rename = "livechatData")]
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct RoomData {
    #[serde(rename = "_id")]
    id: String,
    topic: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, rename = "livechatData")]
    fields: Map<String, Value>,
    #[serde(rename = "priorityId")]
    priority: Option<String>,
    #[serde(rename = "slaId")]
    service_level: Option<String>,
}

/// Keeps what is noted of a chat and its visitor.
pub(super) async fn save_info(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let guest: GuestData = parameters.object(0, &GUEST)?;
    let room: RoomData = parameters.object(1, &ROOM)?;
    check_tags(&room.tags)?;
    check_permission(services, &account, VIEW_L_ROOM, Method::SaveRoomInfo)?;
    let guest = GuestInfo { id: guest.id, name: guest.name, email: guest.email, phone: guest.phone, fields: values(guest.fields)? };
    let info = RoomInfo {
        id: room.id,
        topic: room.topic,
        tags: room.tags,
        fields: values(room.fields)?,
        priority: room.priority,
        service_level: room.service_level,
    };
    match services.save_room_info(&account, guest, info).await {
        Ok(()) => Ok(Some(true.into())),
        Err(Error::Refused(Refusal::Unauthorized)) => Err(Refusal::MethodNotAllowed(Method::SaveRoomInfo.name()).into()),
        Err(other) => Err(other.into()),
    }
}

fn check_tags(tags: &[String]) -> Result<(), MethodError> {
    let told = || MethodError::Mismatch(format!("Match error: Expected at most {TAG_LIMIT} tags"));
    if tags.len() > TAG_LIMIT { Err(told()) } else { Ok(()) }
}

/// Values of custom fields, which are texts.
fn values(given: Map<String, Value>) -> Result<BTreeMap<String, String>, MethodError> {
    let checked = given.into_iter().map(|(field, value)| {
        MatchKind::Text(VALUE_LIMIT).check_parameter(Some(&value)).map_err(MethodError::Mismatch)?;
        Ok((field, value.as_str().unwrap_or_default().to_owned()))
    });
    checked.collect()
}

static ANSWER: MatchPattern = MatchPattern::open(&[
    MatchField::required("name", MatchKind::Text(128)),
    MatchField::required("value", MatchKind::Text(10_000)),
]);

#[derive(Deserialize)]
struct SurveyItem {
    name: String,
    value: String,
}

/// Keeps what a visitor thinks of a chat.
pub(super) async fn save_survey(services: &Services, parameters: Parameters) -> Outcome {
    let (token, room_id) = (parameters.text(0)?, parameters.text(1)?);
    let answers: Vec<SurveyItem> = parameters.list(2, &ANSWER)?;
    let token = VisitorToken::new(token).ok_or(Refusal::InvalidToken)?;
    services.save_survey(token, room_id, answers.into_iter().map(|item| (item.name, item.value)).collect()).await?;
    Ok(None)
}

static BEGINNING: MatchPattern = MatchPattern::open(&[MatchField::required("rid", MatchKind::Text(128))]);

#[derive(Deserialize)]
struct Beginning {
    rid: String,
}

/// The message that a chat begins with; nothing if there is no such chat.
pub(super) async fn first_message(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let Beginning { rid } = parameters.object(0, &BEGINNING)?;
    check_permission(services, &account, VIEW_L_ROOM, Method::FirstRoomMessage)?;
    let message = services.first_message_of_room(&account, rid).await?;
    Ok(message.as_ref().map(|message| extended(&MessageDocument::new(message, Eyes::Staff))))
}
