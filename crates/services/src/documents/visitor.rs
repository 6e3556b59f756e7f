//! Visitors as the wire shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use usher_domain::visitor::Visitor;
use utoipa::ToSchema;

use super::Date;

/// A visitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitorDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    status: &'a str,
    ts: Date,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Phone>>)]
    phone: Option<[Phone<'a>; 1]>,
    #[serde(rename = "visitorEmails", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Address>>)]
    emails: Option<[Address<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
    #[serde(rename = "lastChat", skip_serializing_if = "Option::is_none")]
    last_chat: Option<LastChatDocument<'a>>,
    #[serde(rename = "lastAgent", skip_serializing_if = "Option::is_none")]
    last_agent: Option<LastAgentDocument<'a>>,
    #[serde(rename = "livechatData", skip_serializing_if = "BTreeMap::is_empty")]
    livechat_data: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    activity: &'a [String],
    #[serde(rename = "userAgent", skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(rename = "contactId", skip_serializing_if = "Option::is_none")]
    contact_id: Option<&'a str>,
}

/// A phone number as records list it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Phone<'a> {
    #[serde(rename = "phoneNumber")]
    number: &'a str,
}

/// An e-mail address as records list it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address<'a> {
    address: &'a str,
}

#[derive(Debug, Serialize, ToSchema)]
struct LastAgentDocument<'a> {
    #[serde(rename = "agentId")]
    id: &'a str,
    username: &'a str,
    ts: Date,
}

/// The latest room of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastChatDocument<'a> {
    #[serde(rename = "_id")]
    room_id: &'a str,
    ts: Date,
}

impl<'a> LastChatDocument<'a> {
    /// The visitor's latest room, if there was one.
    pub fn of(visitor: &'a Visitor) -> Option<LastChatDocument<'a>> {
        visitor.last_chat.as_ref().map(|chat| LastChatDocument { room_id: &chat.room_id, ts: Date(chat.at) })
    }
}

/// The values of a visitor's custom fields.
pub fn fields(visitor: &Visitor) -> BTreeMap<&str, &str> {
    visitor.fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect()
}

/// The list of a visitor's phone numbers.
pub fn phones(visitor: &Visitor) -> Option<[Phone<'_>; 1]> {
    visitor.phone.as_deref().map(|number| [Phone { number }])
}

/// The list of a visitor's e-mail addresses.
pub fn addresses(visitor: &Visitor) -> Option<[Address<'_>; 1]> {
    visitor.email.as_deref().map(|address| [Address { address }])
}

impl<'a> VisitorDocument<'a> {
    /// The visitor for its own eyes, having presented `token`.
    pub fn for_visitor(visitor: &'a Visitor, token: &'a str) -> VisitorDocument<'a> {
        VisitorDocument { token: Some(token), ..VisitorDocument::for_staff(visitor) }
    }

    /// The same with the contact that the visitor belongs to: the answer to a registration has it.
    pub fn with_contact(visitor: &'a Visitor, token: &'a str) -> VisitorDocument<'a> {
        VisitorDocument { contact_id: Some(&visitor.contact_id), ..VisitorDocument::for_visitor(visitor, token) }
    }

    /// The visitor for everybody else: without the token.
    pub fn for_staff(visitor: &'a Visitor) -> VisitorDocument<'a> {
        VisitorDocument {
            id: &visitor.id,
            username: &visitor.username,
            name: visitor.name.as_deref(),
            status: &visitor.status,
            ts: Date(visitor.created_at),
            updated_at: Date(visitor.updated_at),
            token: None,
            phone: phones(visitor),
            emails: addresses(visitor),
            department: visitor.department_id.as_deref(),
            last_chat: LastChatDocument::of(visitor),
            last_agent: visitor.last_agent.as_ref().map(|last| LastAgentDocument {
                id: &last.agent.id,
                username: &last.agent.username,
                ts: Date(last.at),
            }),
            livechat_data: fields(visitor),
            activity: &visitor.activity,
            user_agent: visitor.connection.user_agent.as_deref(),
            ip: visitor.connection.ip.as_deref(),
            host: visitor.connection.host.as_deref(),
            contact_id: None,
        }
    }
}
