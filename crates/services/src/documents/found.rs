//! Visitors and their rooms as those see them who look for them: no more of each than a list needs.

use std::collections::BTreeMap;

use serde::Serialize;
use usher_domain::message::Message;
use usher_domain::room::Room;
use usher_domain::visitor::Visitor;
use utoipa::ToSchema;

use super::room::VisitorOfRoom;
use super::visitor::{Address, Phone};
use super::{Date, Eyes, LastChatDocument, MessageDocument, PersonDocument, ServedByDocument, addresses, fields, phones};

/// A visitor who was searched for.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundVisitorDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Phone>>)]
    phone: Option<[Phone<'a>; 1]>,
    #[serde(rename = "livechatData", skip_serializing_if = "BTreeMap::is_empty")]
    livechat_data: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "visitorEmails", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Address>>)]
    emails: Option<[Address<'a>; 1]>,
    #[serde(rename = "lastChat", skip_serializing_if = "Option::is_none")]
    last_chat: Option<LastChatDocument<'a>>,
}

impl<'a> From<&'a Visitor> for FoundVisitorDocument<'a> {
    fn from(visitor: &'a Visitor) -> FoundVisitorDocument<'a> {
        FoundVisitorDocument {
            id: &visitor.id,
            username: &visitor.username,
            name: visitor.name.as_deref(),
            phone: phones(visitor),
            livechat_data: fields(visitor),
            emails: addresses(visitor),
            last_chat: LastChatDocument::of(visitor),
        }
    }
}

/// A visitor to choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedVisitorDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    username: &'a str,
    /// User name and name, as lists to choose from show them.
    custom_name: String,
}

impl<'a> From<&'a Visitor> for OfferedVisitorDocument<'a> {
    fn from(visitor: &'a Visitor) -> OfferedVisitorDocument<'a> {
        let (name, username) = (visitor.name.as_deref().unwrap_or_default(), visitor.username.as_str());
        OfferedVisitorDocument { id: &visitor.id, name, username, custom_name: format!("{username} - {name}") }
    }
}

/// An open room of a visitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenRoomDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    t: &'static str,
    cl: bool,
    #[serde(rename = "servedBy", skip_serializing_if = "Option::is_none")]
    served_by: Option<ServedByDocument<'a>>,
}

impl<'a> From<&'a Room> for OpenRoomDocument<'a> {
    fn from(room: &'a Room) -> OpenRoomDocument<'a> {
        OpenRoomDocument { id: &room.id, t: "l", cl: false, served_by: room.served_by.as_ref().map(Into::into) }
    }
}

/// A room of a visitor that was looked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundChatDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    fname: &'a str,
    ts: Date,
    v: VisitorOfRoom<'a>,
    msgs: i64,
    #[serde(rename = "servedBy", skip_serializing_if = "Option::is_none")]
    served_by: Option<ServedByDocument<'a>>,
    #[serde(rename = "closedAt", skip_serializing_if = "Option::is_none")]
    closed_at: Option<Date>,
    #[serde(rename = "closedBy", skip_serializing_if = "Option::is_none")]
    closed_by: Option<PersonDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closer: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(rename = "closingMessage", skip_serializing_if = "Option::is_none")]
    closing_message: Option<MessageDocument<'a>>,
}

impl<'a> FoundChatDocument<'a> {
    /// The room, and the message that closed it.
    pub fn new(room: &'a Room, closing_message: Option<&'a Message>) -> FoundChatDocument<'a> {
        FoundChatDocument {
            id: &room.id,
            fname: &room.name,
            ts: Date(room.opened_at),
            v: VisitorOfRoom::of(room, Eyes::Staff),
            msgs: room.message_count,
            served_by: room.served_by.as_ref().map(Into::into),
            closed_at: room.closed_at().map(Date),
            closed_by: room.closing.as_ref().map(|closing| (&closing.by).into()),
            closer: room.closing.as_ref().map(|closing| closing.closer.name()),
            tags: &room.tags,
            closing_message: closing_message.map(|message| MessageDocument::new(message, Eyes::Staff)),
        }
    }
}
