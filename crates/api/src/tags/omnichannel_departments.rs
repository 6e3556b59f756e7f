//! Omnichannel departments: making, reading, changing and deleting them, and the agents in them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_services::departments::{Order, Page, PlaceChanges, PlaceOrder, PlacePage, Staffed, Wanted, WantedPlace};
use usher_services::documents::{DepartmentAgentDocument, DepartmentDocument};
use usher_services::{Error, Refusal};
use utoipa::{IntoParams, ToSchema};

use crate::access::{ChangeDepartmentAgents, DeleteDepartment, ManageDepartments, ViewDepartments};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy, matching};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Field, Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of a name or an id.
const LIMIT: usize = 1_024;

/// Yes or no in a query, told apart from what is neither.
const FLAG: Kind = Kind::OneOf(&["true", "false"]);

static LIST: Schema = Schema::closed(&[
    optional("text", text(LIMIT)),
    optional("enabled", text(LIMIT)),
    optional("onlyMyDepartments", FLAG),
    optional("excludeDepartmentId", text(LIMIT)),
    optional("showArchived", text(LIMIT)),
])
.paged();

/// Which departments, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DepartmentsQuery {
    /// Part of a name.
    text: Option<String>,
    /// `true` for those in service alone.
    enabled: Option<String>,
    /// `true` for those alone that the caller has to do with. Without units that is every department.
    #[serde(rename = "onlyMyDepartments")]
    #[expect(dead_code, reason = "there are no units yet, so nobody is kept from any department; the parameter is checked")]
    only_own: Option<String>,
    /// All but the one with this id.
    #[serde(rename = "excludeDepartmentId")]
    except_id: Option<String>,
    /// `true` for those as well that are put away.
    #[serde(rename = "showArchived")]
    shows_archived: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for DepartmentsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<DepartmentsQuery, ApiError> {
        legacy(&LIST, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct DepartmentsAnswer<'a> {
    departments: Vec<DepartmentDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The page of a list of departments: by name, unless they are to be sorted by another name that is sorted by.
fn page_of_departments(page: &paging::Page) -> Page {
    let known = |name: &str| match name {
        "name" => Some(Order::Name),
        "numAgents" => Some(Order::AgentCount),
        "enabled" => Some(Order::Enabled),
        "showOnRegistration" => Some(Order::ShowOnRegistration),
        "_id" => Some(Order::CreatedAt),
        _ => None,
    };
    page.in_order(known, (Order::Name, false))
}

/// The departments.
#[utoipa::path(get, path = "/api/v1/livechat/department", tag = "Omnichannel Departments",
    params(DepartmentsQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<DepartmentsAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewDepartments, DepartmentsQuery>) -> Answer {
    let query = caller.input;
    let page = query.paging.page(&api.services.platform().settings)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        term: given(query.text),
        enabled: (query.enabled.as_deref() == Some("true")).then_some(true),
        archived: (query.shows_archived.as_deref() != Some("true")).then_some(false),
        except_id: given(query.except_id),
        ids: None,
    };
    let listed = api.services.departments(wanted, page_of_departments(&page)).await?;
    let departments: Vec<DepartmentDocument<'_>> = listed.departments.iter().map(Into::into).collect();
    success(DepartmentsAnswer { count: departments.len(), departments, offset: page.offset, total: listed.total })
}

/// What every department has; other members are looked at by the use case.
const MEMBERS: &[Field] = &[
    required("enabled", Kind::Boolean),
    required("name", text(LIMIT)),
    required("showOnRegistration", Kind::Boolean),
    required("email", text(LIMIT)),
    required("showOnOfflineForm", Kind::Boolean),
];

static DEPARTMENT: Schema = Schema::open(MEMBERS);

static PLACE: Schema =
    Schema::closed(&[required("agentId", text(LIMIT)), optional("count", Kind::Integer), optional("order", Kind::Integer)]);

static PLACE_WITH_NAME: Schema = Schema::closed(&[
    required("agentId", text(LIMIT)),
    optional("username", text(LIMIT)),
    optional("count", Kind::Integer),
    optional("order", Kind::Integer),
]);

static UNIT: Schema = Schema::closed(&[optional("_id", text(LIMIT))]);

static CREATE: Schema = Schema::closed(&[
    required("department", Kind::Object(&Schema::anything())),
    optional("agents", Kind::List(&Kind::Object(&PLACE))).nullable(),
    optional("departmentUnit", Kind::Object(&UNIT)),
]);

static UPDATE: Schema = Schema::closed(&[
    required("department", Kind::Object(&Schema::anything())),
    optional("agents", Kind::List(&Kind::Object(&PLACE_WITH_NAME))).nullable(),
    optional("departmentUnit", Kind::Object(&UNIT)),
]);

/// A department as it is to be, with agents for it.
#[derive(Deserialize, ToSchema)]
pub struct DepartmentBody {
    #[schema(value_type = DepartmentMembers)]
    department: Map<String, Value>,
    /// Agents who are put into it.
    agents: Option<Vec<PlaceBody>>,
    /// The unit that it belongs to. There are no units yet, so that each one is as good as none.
    #[serde(rename = "departmentUnit")]
    #[expect(dead_code, reason = "a unit that does not exist is skipped; the member is checked")]
    unit: Option<UnitBody>,
}

/// The members that every department has. Others are kept as they are: texts, whole numbers and booleans.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read as a map")]
struct DepartmentMembers {
    enabled: bool,
    name: String,
    #[schema(rename = "showOnRegistration")]
    show_on_registration: bool,
    /// Where messages go that visitors leave while nobody is there.
    email: String,
    #[schema(rename = "showOnOfflineForm")]
    show_on_offline_form: bool,
    description: Option<String>,
    /// Whether chats may be closed only with a tag.
    #[schema(rename = "requestTagBeforeClosingChat")]
    requires_closing_tag: Option<bool>,
    /// The tags that every chat gets when it is closed.
    #[schema(rename = "chatClosingTags")]
    closing_tags: Option<Vec<String>>,
    /// Where chats go that nobody here can take.
    #[schema(rename = "fallbackForwardDepartment")]
    fallback_id: Option<String>,
    /// The departments that chats may be forwarded to.
    #[schema(rename = "departmentsAllowedToForward")]
    forward_targets: Option<Vec<String>>,
}

#[derive(Deserialize, ToSchema)]
struct PlaceBody {
    #[serde(rename = "agentId")]
    agent_id: String,
    /// How many chats count as given to the agent so far.
    count: Option<i64>,
    /// Who comes first among those with the same count.
    order: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
struct UnitBody {
    #[serde(rename = "_id")]
    #[expect(dead_code, reason = "a unit that does not exist is skipped; the member is checked")]
    id: Option<String>,
}

impl From<PlaceBody> for WantedPlace {
    fn from(place: PlaceBody) -> WantedPlace {
        WantedPlace { agent_id: place.agent_id, count: place.count.unwrap_or_default(), order: place.order.unwrap_or_default() }
    }
}

impl DepartmentBody {
    /// Checks a body; what it has to have is coerced, the rest is left alone.
    fn read(schema: &Schema, given: Value) -> Result<DepartmentBody, ApiError> {
        let mut body: DepartmentBody = legacy(schema, given)?;
        let checked = DEPARTMENT.check(Value::Object(body.department.clone())).map_err(ApiError::legacy_parameters)?;
        body.department.extend(checked);
        Ok(body)
    }

    /// The members, and the places.
    fn parts(self) -> (Map<String, Value>, Vec<WantedPlace>) {
        (self.department, self.agents.into_iter().flatten().map(Into::into).collect())
    }
}

/// A department to be made.
#[derive(Deserialize, ToSchema)]
pub struct DepartmentCreateBody(DepartmentBody);

impl Input for DepartmentCreateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<DepartmentCreateBody, ApiError> {
        DepartmentBody::read(&CREATE, given).map(DepartmentCreateBody)
    }
}

/// A department with everybody in it.
#[derive(Serialize, ToSchema)]
pub struct StaffedAnswer<'a> {
    department: DepartmentDocument<'a>,
    agents: Vec<DepartmentAgentDocument<'a>>,
}

impl<'a> From<&'a Staffed> for StaffedAnswer<'a> {
    fn from(staffed: &'a Staffed) -> StaffedAnswer<'a> {
        StaffedAnswer { department: (&staffed.department).into(), agents: staffed.places.iter().map(Into::into).collect() }
    }
}

/// Makes a department. Agents who do not exist are skipped.
#[utoipa::path(post, path = "/api/v1/livechat/department", tag = "Omnichannel Departments", request_body = DepartmentCreateBody,
    responses(
    (status = 200, body = Succeeded<StaffedAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn create(State(api): State<Shared>, caller: Caller<ManageDepartments, DepartmentCreateBody>) -> Answer {
    let (members, agents) = caller.input.0.parts();
    let made = api.services.create_department(members, agents).await?;
    success(StaffedAnswer::from(&made))
}

static GET: Schema = Schema::open(&[optional("onlyMyDepartments", FLAG), optional("includeAgents", FLAG)]);

/// Which department, and whether its agents are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DepartmentQuery {
    #[serde(skip)]
    #[param(ignore)]
    id: String,
    /// Shows it only if the caller has to do with it. Without units that is so with every department.
    #[serde(rename = "onlyMyDepartments")]
    #[expect(dead_code, reason = "there are no units yet, so nobody is kept from any department; the parameter is checked")]
    only_own: Option<String>,
    /// `false` leaves its agents out.
    #[serde(rename = "includeAgents")]
    with_agents: Option<String>,
}

impl Input for DepartmentQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<DepartmentQuery, ApiError> {
        let query: DepartmentQuery = legacy(&GET, given)?;
        Ok(DepartmentQuery { id: path.get("_id"), ..query })
    }
}

/// A department, null if there is none; its agents for those who may see them.
#[derive(Serialize, ToSchema)]
pub struct DepartmentAnswer<'a> {
    department: Option<DepartmentDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<Vec<DepartmentAgentDocument<'a>>>,
}

/// A department with its agents.
#[utoipa::path(get, path = "/api/v1/livechat/department/{_id}", tag = "Omnichannel Departments",
    params(("_id" = String, Path, description = "The department's id"), DepartmentQuery), responses(
    (status = 200, body = Succeeded<DepartmentAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<ViewDepartments, DepartmentQuery>) -> Answer {
    let DepartmentQuery { id, with_agents, .. } = caller.input;
    let (department, places) = api.services.department(&caller.account, id, with_agents.as_deref() != Some("false")).await?;
    let agents = places.as_ref().map(|places| places.iter().map(Into::into).collect());
    success(DepartmentAnswer { department: department.as_ref().map(Into::into), agents })
}

/// A department and what it is to be.
#[derive(Deserialize, ToSchema)]
pub struct DepartmentUpdateBody {
    #[serde(skip)]
    id: String,
    #[serde(flatten)]
    body: DepartmentBody,
}

impl Input for DepartmentUpdateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<DepartmentUpdateBody, ApiError> {
        Ok(DepartmentUpdateBody { id: path.get("_id"), body: DepartmentBody::read(&UPDATE, given)? })
    }
}

/// Changes a department. Agents are added to it, or get another place in it; nobody is taken out.
#[utoipa::path(put, path = "/api/v1/livechat/department/{_id}", tag = "Omnichannel Departments",
    params(("_id" = String, Path, description = "The department's id")), request_body = DepartmentUpdateBody, responses(
    (status = 200, body = Succeeded<StaffedAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update(State(api): State<Shared>, caller: Caller<ChangeDepartmentAgents, DepartmentUpdateBody>) -> Answer {
    let DepartmentUpdateBody { id, body } = caller.input;
    let (members, agents) = body.parts();
    let changed = api.services.update_department(&caller.account, id, members, agents).await?;
    success(StaffedAnswer::from(&changed))
}

/// Which department.
pub struct DepartmentPath {
    id: String,
}

impl Input for DepartmentPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<DepartmentPath, ApiError> {
        Ok(DepartmentPath { id: path.get("_id") })
    }
}

/// Deletes a department, where settings allow it. Its rooms are of no department any more.
#[utoipa::path(delete, path = "/api/v1/livechat/department/{_id}", tag = "Omnichannel Departments",
    params(("_id" = String, Path, description = "The department's id")), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete(State(api): State<Shared>, caller: Caller<DeleteDepartment, DepartmentPath>) -> Answer {
    // Here clients know the bare code.
    api.services.delete_department(caller.input.id).await.map_err(|error| match error {
        Error::Refused(Refusal::DepartmentNotFound) => ApiError::plain(Refusal::DepartmentNotFound.code()),
        other => other.into(),
    })?;
    success(Done {})
}

static AGENTS: Schema = Schema::closed(&[]).paged();

/// Which department, and which part of the list.
#[derive(Deserialize)]
pub struct DepartmentAgentsQuery {
    #[serde(skip)]
    id: String,
    #[serde(flatten)]
    paging: Paging,
}

impl Input for DepartmentAgentsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<DepartmentAgentsQuery, ApiError> {
        let query: DepartmentAgentsQuery = legacy(&AGENTS, given)?;
        Ok(DepartmentAgentsQuery { id: path.get("_id"), ..query })
    }
}

#[derive(Serialize, ToSchema)]
pub struct DepartmentAgentsAnswer<'a> {
    agents: Vec<DepartmentAgentDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The page of a list of places: by user name, unless they are to be sorted by another name that is sorted by.
fn page_of_places(page: &paging::Page) -> PlacePage {
    let known = |name: &str| match name {
        "username" => Some(PlaceOrder::Username),
        "count" => Some(PlaceOrder::Count),
        "order" => Some(PlaceOrder::Order),
        _ => None,
    };
    page.in_order(known, (PlaceOrder::Username, false))
}

/// The agents of a department; of one that does not exist there are none.
#[utoipa::path(get, path = "/api/v1/livechat/department/{_id}/agents", tag = "Omnichannel Departments",
    params(("_id" = String, Path, description = "The department's id"), paging::Parameters), responses(
    (status = 200, body = Succeeded<DepartmentAgentsAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn agents(State(api): State<Shared>, caller: Caller<ViewDepartments, DepartmentAgentsQuery>) -> Answer {
    let DepartmentAgentsQuery { id, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let listed = api.services.agents_of_department(id, page_of_places(&page)).await?;
    let agents: Vec<DepartmentAgentDocument<'_>> = listed.places.iter().map(Into::into).collect();
    success(DepartmentAgentsAnswer { count: agents.len(), agents, offset: page.offset, total: listed.total })
}

static UPSERTED: MatchPattern = MatchPattern::open(&[
    MatchField::required("agentId", MatchKind::Text(LIMIT)),
    MatchField::optional("username", MatchKind::Text(LIMIT)),
    MatchField::optional("count", MatchKind::Integer),
    MatchField::optional("order", MatchKind::Integer),
]);

static REMOVED: MatchPattern = MatchPattern::open(&[MatchField::required("agentId", MatchKind::Text(LIMIT))]);

static CHANGE: MatchPattern = MatchPattern::open(&[
    MatchField::required("upsert", MatchKind::List(&UPSERTED)),
    MatchField::required("remove", MatchKind::List(&REMOVED)),
]);

/// Agents who are put into a department, and agents who are taken out of it.
#[derive(Deserialize, ToSchema)]
pub struct DepartmentAgentsBody {
    #[serde(skip)]
    id: String,
    upsert: Vec<PlaceBody>,
    remove: Vec<RemovedPlace>,
}

#[derive(Deserialize, ToSchema)]
struct RemovedPlace {
    #[serde(rename = "agentId")]
    agent_id: String,
}

impl Input for DepartmentAgentsBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<DepartmentAgentsBody, ApiError> {
        let body: DepartmentAgentsBody = matching(&CHANGE, given)?;
        Ok(DepartmentAgentsBody { id: path.get("_id"), ..body })
    }
}

/// Puts agents into a department, gives them another place there, and takes others out of it.
#[utoipa::path(post, path = "/api/v1/livechat/department/{_id}/agents", tag = "Omnichannel Departments",
    params(("_id" = String, Path, description = "The department's id")), request_body = DepartmentAgentsBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn change_agents(State(api): State<Shared>, caller: Caller<ChangeDepartmentAgents, DepartmentAgentsBody>) -> Answer {
    let DepartmentAgentsBody { id, upsert, remove } = caller.input;
    let changes = PlaceChanges {
        upsert: upsert.into_iter().map(Into::into).collect(),
        remove: remove.into_iter().map(|place| place.agent_id).collect(),
    };
    api.services.change_agents_of_department(id, changes).await?;
    success(Done {})
}
