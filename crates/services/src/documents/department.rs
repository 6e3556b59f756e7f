//! Departments and the places in them as the wire shows them.

use serde::Serialize;
use serde_json::{Map, Value};
use usher_domain::department::{Department, DepartmentAgent};
use utoipa::ToSchema;

use super::Date;

/// A department.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    /// `d`: units are of another kind.
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    email: &'a str,
    enabled: bool,
    archived: bool,
    #[serde(rename = "showOnRegistration")]
    show_on_registration: bool,
    #[serde(rename = "showOnOfflineForm")]
    show_on_offline_form: bool,
    #[serde(rename = "numAgents")]
    agent_count: i64,
    /// Where chats go that nobody here can take.
    #[serde(rename = "fallbackForwardDepartment", skip_serializing_if = "Option::is_none")]
    fallback_id: Option<&'a str>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    /// All other members, as they were sent.
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, Value>)]
    members: &'a Map<String, Value>,
}

impl<'a> From<&'a Department> for DepartmentDocument<'a> {
    fn from(department: &'a Department) -> DepartmentDocument<'a> {
        DepartmentDocument {
            id: &department.id,
            kind: "d",
            name: &department.name,
            email: &department.email,
            enabled: department.enabled,
            archived: department.archived,
            show_on_registration: department.show_on_registration,
            show_on_offline_form: department.show_on_offline_form,
            agent_count: department.agent_count,
            fallback_id: department.fallback_id.as_deref(),
            updated_at: Date(department.updated_at),
            members: &department.members,
        }
    }
}

/// The place of an agent in a department.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentAgentDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "departmentId")]
    department_id: &'a str,
    #[serde(rename = "departmentEnabled")]
    department_enabled: bool,
    #[serde(rename = "departmentName", skip_serializing_if = "Option::is_none")]
    department_name: Option<&'a str>,
    #[serde(rename = "agentId")]
    agent_id: &'a str,
    username: &'a str,
    /// How many chats of the department were given to the agent so far.
    count: i64,
    /// Who comes first among those with the same count.
    order: i64,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

impl<'a> From<&'a DepartmentAgent> for DepartmentAgentDocument<'a> {
    fn from(place: &'a DepartmentAgent) -> DepartmentAgentDocument<'a> {
        DepartmentAgentDocument {
            id: &place.id,
            department_id: &place.department_id,
            department_enabled: place.department_enabled,
            department_name: None,
            agent_id: &place.agent_id,
            username: &place.username,
            count: place.count,
            order: place.order,
            updated_at: Date(place.updated_at),
        }
    }
}

impl<'a> DepartmentAgentDocument<'a> {
    /// The place with the name of its department.
    pub fn named(place: &'a DepartmentAgent, department: &'a str) -> DepartmentAgentDocument<'a> {
        DepartmentAgentDocument { department_name: Some(department), ..place.into() }
    }
}
