//! Omnichannel users: agents and managers.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::agents::{Staff, StaffChoice};
use usher_services::documents::{StaffDocument, StaffListDocument};
use usher_services::users::UserChoice;
use usher_services::{Error, Refusal};
use utoipa::{IntoParams, ToSchema};

use super::users::list::page_of_users;
use crate::access::{LoggedIn, ViewLivechatManager};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of a name or an id.
const LIMIT: usize = 1_024;

/// The kind of people that a path names.
fn kind(name: &str) -> Result<Staff, ApiError> {
    Staff::from_name(name).ok_or_else(|| ApiError::plain("Invalid type"))
}

static LIST: Schema = Schema::closed(&[
    optional("text", text(LIMIT)),
    optional("onlyAvailable", Kind::Boolean),
    optional("excludeId", text(LIMIT)),
    optional("showIdleAgents", Kind::Boolean),
])
.paged();

/// Which of them, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StaffQuery {
    #[serde(skip)]
    #[param(ignore)]
    kind: String,
    /// Part of a name or an e-mail address.
    text: Option<String>,
    /// Only agents who take chats.
    #[serde(rename = "onlyAvailable")]
    only_available: Option<bool>,
    /// All agents but the one with this id.
    #[serde(rename = "excludeId")]
    except_id: Option<String>,
    /// Also agents who are not there; yes, unless it is said.
    #[serde(rename = "showIdleAgents")]
    shows_idle: Option<bool>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for StaffQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<StaffQuery, ApiError> {
        let query: StaffQuery = legacy(&LIST, given)?;
        Ok(StaffQuery { kind: path.get("type"), ..query })
    }
}

#[derive(Serialize, ToSchema)]
pub struct StaffListAnswer<'a> {
    users: Vec<StaffListDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The agents or the managers.
#[utoipa::path(get, path = "/api/v1/livechat/users/{type}", tag = "Omnichannel Users",
    params(("type" = String, Path, description = "`agent` or `manager`"), StaffQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<StaffListAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, StaffQuery>) -> Answer {
    let query = caller.input;
    let kind = kind(&query.kind)?;
    let mut page = query.paging.page(&api.services.platform().settings)?;
    if page.sort.is_empty() {
        page.sort.push(("name".to_owned(), false));
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let choice = StaffChoice {
        term: given(query.text),
        only_available: query.only_available.unwrap_or(false),
        except_id: given(query.except_id),
        are_there: !query.shows_idle.unwrap_or(true),
    };
    let listed = api.services.staff(&caller.account, kind, choice, page_of_users(&page)).await?;
    let users: Vec<StaffListDocument<'_>> = listed.members.iter().map(Into::into).collect();
    success(StaffListAnswer { count: users.len(), users, offset: page.offset, total: listed.total })
}

static ADD: Schema = Schema::closed(&[required("username", text(LIMIT))]);

/// Who becomes one.
#[derive(Deserialize, ToSchema)]
pub struct StaffBody {
    #[serde(skip)]
    kind: String,
    username: String,
}

impl Input for StaffBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<StaffBody, ApiError> {
        let body: StaffBody = legacy(&ADD, given)?;
        Ok(StaffBody { kind: path.get("type"), ..body })
    }
}

#[derive(Serialize, ToSchema)]
pub struct StaffAddedAnswer {
    user: StaffAdded,
}

#[derive(Serialize, ToSchema)]
struct StaffAdded {
    #[serde(rename = "_id")]
    id: String,
    username: String,
}

/// Makes a user an agent or a manager. Who is one already stays it.
#[utoipa::path(post, path = "/api/v1/livechat/users/{type}", tag = "Omnichannel Users",
    params(("type" = String, Path, description = "`agent` or `manager`")), request_body = StaffBody, responses(
    (status = 200, body = Succeeded<StaffAddedAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn add(State(api): State<Shared>, caller: Caller<ViewLivechatManager, StaffBody>) -> Answer {
    let StaffBody { kind: name, username } = caller.input;
    // Here clients know the bare code alone.
    let added = api.services.add_staff(kind(&name)?, username).await.map_err(|error| match error {
        Error::Refused(Refusal::InvalidUser) => ApiError::coded(Refusal::InvalidUser.code(), None),
        other => other.into(),
    })?;
    success(StaffAddedAnswer { user: StaffAdded { id: added.id, username: added.username } })
}

/// Which kind, and who.
pub struct StaffPath {
    kind: String,
    id: String,
}

impl Input for StaffPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<StaffPath, ApiError> {
        Ok(StaffPath { kind: path.get("type"), id: path.get("_id") })
    }
}

#[derive(Serialize, ToSchema)]
pub struct StaffAnswer<'a> {
    user: Option<StaffDocument<'a>>,
}

/// An agent or a manager; null for a user who is none.
#[utoipa::path(get, path = "/api/v1/livechat/users/{type}/{_id}", tag = "Omnichannel Users",
    params(("type" = String, Path, description = "`agent` or `manager`"), ("_id" = String, Path, description = "The user's id")),
    responses(
    (status = 200, body = Succeeded<StaffAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<ViewLivechatManager, StaffPath>) -> Answer {
    let user = api.services.user(UserChoice::Id(caller.input.id)).await?.ok_or_else(|| ApiError::plain("User not found"))?;
    let role = kind(&caller.input.kind)?.role();
    let is_one = user.roles.iter().any(|held| held == role);
    success(StaffAnswer { user: is_one.then(|| (&user).into()) })
}

/// Makes somebody no agent or manager any more. Its open chats stay as they are.
#[utoipa::path(delete, path = "/api/v1/livechat/users/{type}/{_id}", tag = "Omnichannel Users",
    params(("type" = String, Path, description = "`agent` or `manager`"), ("_id" = String, Path, description = "The user's id")),
    responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn remove(State(api): State<Shared>, caller: Caller<ViewLivechatManager, StaffPath>) -> Answer {
    let StaffPath { kind: name, id } = caller.input;
    let removed = api.services.remove_staff(kind(&name)?, UserChoice::Id(id)).await;
    removed.map_err(|error| match error {
        Error::Refused(Refusal::InvalidUser) => ApiError::silent(),
        other => other.into(),
    })?;
    success(Done {})
}
