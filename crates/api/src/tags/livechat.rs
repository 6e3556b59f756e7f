//! Livechat: what the widget asks before anything else.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::visitor::VisitorToken;
use usher_services::documents::{RoutingConfigDocument, WholeSettingDocument};
use usher_services::livechat::ConfigRequest;
use usher_services::rooms::list::{Share, SharePage, Shares};
use utoipa::{IntoParams, ToSchema};

use crate::access::{ViewLivechatManager, ViewRoom};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Public, Source, legacy, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Schema, optional, text};
use crate::{ApiError, Shared};

static CONFIG: Schema =
    Schema::open(&[optional("token", text(1_024)), optional("department", text(128)), optional("businessUnit", text(128))]);

/// Who asks, if it is known, and for which part of the site.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConfigQuery {
    /// The visitor's token. One that nobody has is no error.
    token: Option<String>,
    /// The id of a department.
    department: Option<String>,
    /// The id of a unit.
    #[serde(rename = "businessUnit")]
    #[expect(dead_code, reason = "there are no units to choose among; the parameter is documented and accepted")]
    business_unit: Option<String>,
}

impl Input for ConfigQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ConfigQuery, ApiError> {
        typed_query(&CONFIG, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct ConfigAnswer {
    /// How the widget looks and behaves; only `enabled` where livechat is switched off.
    #[schema(value_type = Object)]
    config: Value,
}

/// The widget's configuration, with the guest and its open room if the token is known.
#[utoipa::path(get, path = "/api/v1/livechat/config", tag = "Livechat", params(ConfigQuery), responses(
    (status = 200, body = Succeeded<ConfigAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn config(State(api): State<Shared>, call: Public<ConfigQuery>) -> Answer {
    let token = call.input.token.and_then(VisitorToken::new);
    let department_id = call.input.department.filter(|id| !id.is_empty());
    let config = api.services.livechat_config(ConfigRequest { token, department_id }).await?;
    success(ConfigAnswer { config })
}

#[derive(Serialize, ToSchema)]
pub struct RoutingAnswer {
    config: RoutingConfigDocument,
}

/// What clients have to know of the routing method in force.
#[utoipa::path(get, path = "/api/v1/livechat/config/routing", tag = "Livechat", responses(
    (status = 200, body = Succeeded<RoutingAnswer>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn routing(State(api): State<Shared>, _: Caller) -> Answer {
    success(RoutingAnswer { config: RoutingConfigDocument::of(&api.services.platform().settings) })
}

#[derive(Serialize, ToSchema)]
pub struct IntegrationsAnswer<'a> {
    settings: Vec<WholeSettingDocument<'a>>,
}

/// The settings of integrations, their secret included.
#[utoipa::path(get, path = "/api/v1/livechat/integrations.settings", tag = "Livechat", responses(
    (status = 200, body = Succeeded<IntegrationsAnswer<'static>>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn integrations(State(api): State<Shared>, _: Caller<ViewLivechatManager>) -> Answer {
    let platform = api.services.platform();
    let settings = api.services.integration_settings().into_iter();
    success(IntegrationsAnswer {
        settings: settings.map(|setting| WholeSettingDocument::of(setting, &platform.settings)).collect(),
    })
}

static QUEUE: Schema = Schema::closed(&[
    optional("agentId", text(1_024)),
    optional("departmentId", text(1_024)),
    optional("includeOfflineAgents", text(16)),
])
.paged();

/// Whose chats are counted, and which part of the list is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SharesQuery {
    /// One agent.
    #[serde(rename = "agentId")]
    agent_id: Option<String>,
    /// One department.
    #[serde(rename = "departmentId")]
    department_id: Option<String>,
    /// `true` for those as well who are not there or not in service.
    #[serde(rename = "includeOfflineAgents")]
    with_offline: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for SharesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<SharesQuery, ApiError> {
        legacy(&QUEUE, given)
    }
}

/// How many open chats of one department, or of none, an agent has.
#[derive(Serialize, ToSchema)]
pub struct ShareDocument<'a> {
    /// How many.
    chats: i64,
    user: AgentOfShare<'a>,
    department: DepartmentOfShare<'a>,
}

/// An agent who serves chats.
#[derive(Serialize, ToSchema)]
pub struct AgentOfShare<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    status: &'a str,
}

/// The department of the chats; empty for those that have none.
#[derive(Serialize, ToSchema)]
pub struct DepartmentOfShare<'a> {
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> From<&'a Share> for ShareDocument<'a> {
    fn from(share: &'a Share) -> ShareDocument<'a> {
        let department = share.department.as_ref().map(|(id, name)| (id.as_str(), name.as_str()));
        let (id, name) = department.unzip();
        ShareDocument {
            chats: share.chats,
            user: AgentOfShare { id: &share.agent_id, username: &share.username, status: &share.status },
            department: DepartmentOfShare { id, name },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct SharesAnswer<'a> {
    queue: Vec<ShareDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// Who serves how many chats: those with the most first.
#[utoipa::path(get, path = "/api/v1/livechat/queue", tag = "Livechat", params(SharesQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<SharesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn queue(State(api): State<Shared>, caller: Caller<ViewRoom, SharesQuery>) -> Answer {
    let query = caller.input;
    let page = query.paging.page(&api.services.platform().settings)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Shares {
        agent_id: given(query.agent_id),
        department_id: given(query.department_id),
        are_in_service: query.with_offline.as_deref() != Some("true"),
    };
    let fewest_first = page.sort.iter().any(|(name, descending)| name == "chats" && !descending);
    let page = SharePage { fewest_first, offset: page.offset, count: page.count };
    let listed = api.services.shares_of_agents(wanted, page).await?;
    let queue: Vec<ShareDocument<'_>> = listed.shares.iter().map(Into::into).collect();
    success(SharesAnswer { count: queue.len(), queue, offset: page.offset, total: listed.total })
}
