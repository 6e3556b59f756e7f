//! Agents and managers as the wire shows them: to those who manage them, and to visitors.

use serde::Serialize;
use serde_json::{Map, Value};
use usher_domain::user::Availability;
use usher_store::q::users::User;
use utoipa::ToSchema;

use super::account::{UserAddress, addresses};
use crate::agents::{AgentSeen, StaffMember};
use crate::users::object;

/// An agent or a manager.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    status: &'a str,
    /// `available` or `not-available`; agents only.
    #[serde(rename = "statusLivechat", skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    emails: Vec<UserAddress<'a>>,
    /// What is kept of an agent.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    livechat: Option<Map<String, Value>>,
}

impl<'a> From<&'a User> for StaffDocument<'a> {
    fn from(user: &'a User) -> StaffDocument<'a> {
        StaffDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            status: &user.status,
            availability: user.availability.map(Availability::name),
            emails: addresses(user),
            livechat: user.agent_data.as_deref().map(object),
        }
    }
}

/// An agent or a manager in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffListDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    status: &'a str,
    /// `available` or `not-available`; agents only.
    #[serde(rename = "statusLivechat", skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    emails: Vec<UserAddress<'a>>,
    /// What is kept of an agent, if anything is.
    #[schema(value_type = Option<Object>)]
    livechat: Option<Map<String, Value>>,
    /// The ids of the departments it is in.
    departments: &'a [String],
}

impl<'a> From<&'a StaffMember> for StaffListDocument<'a> {
    fn from(member: &'a StaffMember) -> StaffListDocument<'a> {
        let StaffDocument { id, username, name, status, availability, emails, livechat } = (&member.user).into();
        StaffListDocument { id, username, name, status, availability, emails, livechat, departments: &member.departments }
    }
}

/// An agent as a visitor sees it; where visitors do not see who serves them, that alone.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct AgentDocument<'a> {
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    /// What is kept of the agent.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    livechat: Option<Map<String, Value>>,
    /// The custom fields that are meant for others.
    #[schema(value_type = Option<Object>)]
    #[serde(rename = "customFields", skip_serializing_if = "Option::is_none")]
    custom_fields: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emails: Option<Vec<UserAddress<'a>>>,
    /// Nothing is shown.
    #[serde(rename = "hiddenInfo", skip_serializing_if = "Option::is_none")]
    is_hidden: Option<bool>,
}

impl<'a> From<&'a AgentSeen> for AgentDocument<'a> {
    fn from(seen: &'a AgentSeen) -> AgentDocument<'a> {
        let Some(user) = &seen.user else { return AgentDocument { is_hidden: Some(true), ..AgentDocument::default() } };
        AgentDocument {
            id: Some(&user.id),
            name: user.name.as_deref(),
            username: Some(&user.username),
            status: Some(&user.status),
            livechat: user.agent_data.as_deref().map(object),
            custom_fields: seen.custom_fields.as_ref(),
            emails: seen.shows_email.then(|| addresses(user)).filter(|emails| !emails.is_empty()),
            is_hidden: None,
        }
    }
}
