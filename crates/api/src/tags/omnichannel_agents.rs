//! Omnichannel agents: who serves a chat, and whether agents take chats.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::user::Availability;
use usher_domain::visitor::VisitorToken;
use usher_services::agents::AgentSeen;
use usher_services::documents::{AgentDocument, DepartmentAgentDocument};
use utoipa::{IntoParams, ToSchema};

use crate::access::{ManageAgents, ViewRoom};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Public, Source, Visitor, VisitorInput, legacy, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of an id.
const LIMIT: usize = 1_024;

/// A room and the token of its visitor.
pub struct InfoPath {
    room: String,
    token: String,
}

impl Input for InfoPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<InfoPath, ApiError> {
        Ok(InfoPath { room: path.get("rid"), token: path.get("token") })
    }
}

impl VisitorInput for InfoPath {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct AgentAnswer<'a> {
    agent: AgentDocument<'a>,
}

/// The agent who serves a visitor's room, as far as visitors see agents.
#[utoipa::path(get, path = "/api/v1/livechat/agent.info/{rid}/{token}", tag = "Omnichannel Agents",
    params(("rid" = String, Path, description = "The room's id"), ("token" = String, Path, description = "The visitor's token")),
    responses(
    (status = 200, body = Succeeded<AgentAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn info(State(api): State<Shared>, call: Visitor<InfoPath>) -> Answer {
    let agent = api.services.agent_of_room(call.token, call.input.room).await?;
    success(AgentAnswer { agent: (&agent).into() })
}

static NEXT: Schema = Schema::closed(&[optional("department", text(LIMIT))]);

/// For which department.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NextQuery {
    #[serde(skip)]
    #[param(ignore)]
    token: String,
    /// The id of the department that the chat will be of.
    department: Option<String>,
}

impl Input for NextQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<NextQuery, ApiError> {
        let query: NextQuery = legacy(&NEXT, given)?;
        Ok(NextQuery { token: path.get("token"), ..query })
    }
}

/// Nothing for a visitor who has an open chat.
#[derive(Serialize, ToSchema)]
pub struct NextAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<AgentDocument<'a>>,
}

/// The agent who would get a visitor's next chat. It counts as if the agent had got it.
#[utoipa::path(get, path = "/api/v1/livechat/agent.next/{token}", tag = "Omnichannel Agents",
    params(("token" = String, Path, description = "The visitor's token"), NextQuery), responses(
    (status = 200, body = Succeeded<NextAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn next(State(api): State<Shared>, call: Public<NextQuery>) -> Answer {
    let department = call.input.department.filter(|id| !id.is_empty());
    let agent: Option<AgentSeen> = api.services.next_agent(VisitorToken::new(call.input.token), department).await?;
    success(NextAnswer { agent: agent.as_ref().map(Into::into) })
}

static STATUS: Schema =
    Schema::closed(&[optional("status", Kind::OneOf(&["available", "not-available"])), optional("agentId", text(LIMIT))]);

/// Whether an agent is to take chats.
#[derive(Deserialize, ToSchema)]
pub struct AgentStatusBody {
    /// `available` or `not-available`; without it the opposite of what it was.
    status: Option<String>,
    /// Whose; the caller's without it.
    #[serde(rename = "agentId")]
    agent_id: Option<String>,
}

impl Input for AgentStatusBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<AgentStatusBody, ApiError> {
        legacy(&STATUS, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct AgentStatusAnswer {
    /// `available` or `not-available`.
    status: &'static str,
}

/// Changes whether an agent takes chats.
#[utoipa::path(post, path = "/api/v1/livechat/agent.status", tag = "Omnichannel Agents", request_body = AgentStatusBody, responses(
    (status = 200, body = Succeeded<AgentStatusAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn status(State(api): State<Shared>, caller: Caller<ViewRoom, AgentStatusBody>) -> Answer {
    let AgentStatusBody { status, agent_id } = caller.input;
    let wanted = status.as_deref().and_then(Availability::from_name);
    let now = api.services.set_availability(&caller.account, agent_id, wanted).await?;
    success(AgentStatusAnswer { status: now.name() })
}

static SAVE: Schema = Schema::closed(&[
    required("agentId", text(LIMIT)),
    required("agentData", Kind::Object(&Schema::anything())),
    required("agentDepartments", Kind::List(&Kind::Text(LIMIT))),
]);

/// What is to be kept of an agent.
#[derive(Deserialize, ToSchema)]
pub struct AgentInfoBody {
    #[serde(rename = "agentId")]
    agent_id: String,
    /// Any object; `maxNumberSimultaneousChat` in it limits the agent's chats.
    #[serde(rename = "agentData")]
    #[schema(value_type = Object)]
    data: Map<String, Value>,
    /// The ids of all departments that the agent is to be in.
    #[serde(rename = "agentDepartments")]
    departments: Vec<String>,
}

impl Input for AgentInfoBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<AgentInfoBody, ApiError> {
        typed_body(&SAVE, given)
    }
}

/// Keeps something of an agent instead of what was kept, and puts it into exactly these departments.
#[utoipa::path(post, path = "/api/v1/livechat/agents.saveInfo", tag = "Omnichannel Agents", request_body = AgentInfoBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn save_info(State(api): State<Shared>, caller: Caller<ManageAgents, AgentInfoBody>) -> Answer {
    let AgentInfoBody { agent_id, data, departments } = caller.input;
    api.services.save_agent(agent_id, data, departments).await?;
    success(Done {})
}

static DEPARTMENTS: Schema = Schema::closed(&[optional("enabledDepartmentsOnly", text(LIMIT))]);

/// Which departments of the agent.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgentDepartmentsQuery {
    #[serde(skip)]
    #[param(ignore)]
    agent_id: String,
    /// `true` for those in service alone.
    #[serde(rename = "enabledDepartmentsOnly")]
    only_enabled: Option<String>,
}

impl Input for AgentDepartmentsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<AgentDepartmentsQuery, ApiError> {
        let query: AgentDepartmentsQuery = legacy(&DEPARTMENTS, given)?;
        Ok(AgentDepartmentsQuery { agent_id: path.get("agentId"), ..query })
    }
}

#[derive(Serialize, ToSchema)]
pub struct AgentDepartmentsAnswer<'a> {
    departments: Vec<DepartmentAgentDocument<'a>>,
}

/// The departments that an agent is in.
#[utoipa::path(get, path = "/api/v1/livechat/agents/{agentId}/departments", tag = "Omnichannel Agent Stats",
    params(("agentId" = String, Path, description = "The agent's id"), AgentDepartmentsQuery), responses(
    (status = 200, body = Succeeded<AgentDepartmentsAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn departments(State(api): State<Shared>, caller: Caller<ViewRoom, AgentDepartmentsQuery>) -> Answer {
    let AgentDepartmentsQuery { agent_id, only_enabled } = caller.input;
    let named = api.services.departments_of_agent(agent_id, only_enabled.as_deref() == Some("true")).await?;
    let departments = named.iter().map(|(place, name)| DepartmentAgentDocument::named(place, name)).collect();
    success(AgentDepartmentsAnswer { departments })
}
