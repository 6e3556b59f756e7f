//! Visitors as the wire shows them.

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
    token: &'a str,
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
struct LastChatDocument<'a> {
    #[serde(rename = "_id")]
    room_id: &'a str,
    ts: Date,
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
        VisitorDocument {
            id: &visitor.id,
            username: &visitor.username,
            name: visitor.name.as_deref(),
            status: &visitor.status,
            ts: Date(visitor.created_at),
            updated_at: Date(visitor.updated_at),
            token,
            phone: phones(visitor),
            emails: addresses(visitor),
            department: visitor.department_id.as_deref(),
            last_chat: visitor.last_chat.as_ref().map(|chat| LastChatDocument { room_id: &chat.room_id, ts: Date(chat.at) }),
            user_agent: visitor.connection.user_agent.as_deref(),
            ip: visitor.connection.ip.as_deref(),
            host: visitor.connection.host.as_deref(),
            contact_id: None,
        }
    }

    /// The same with the contact that the visitor belongs to: the answer to a registration has it.
    pub fn with_contact(visitor: &'a Visitor, token: &'a str) -> VisitorDocument<'a> {
        VisitorDocument { contact_id: Some(&visitor.contact_id), ..VisitorDocument::for_visitor(visitor, token) }
    }
}
