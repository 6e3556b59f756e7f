//! Lists of rooms, and where rooms come from.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::time::parse_iso;
use usher_services::documents::{Eyes, RoomDocument};
use usher_services::rooms::RoomWithMessage;
use usher_services::rooms::list::{ListedRoom, Name, Order, Page, RoomsQuery, Span, State as RoomState, Wanted};
use utoipa::{IntoParams, ToSchema};

use crate::access::{LoggedIn, ViewRoom};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

/// The most characters of an id or a tag.
const LIMIT: usize = 1_024;

/// How many custom fields a list can be narrowed by.
const FIELD_LIMIT: usize = 20;

static LIST: Schema = Schema::closed(&[
    optional("agents", Kind::List(&Kind::Text(LIMIT))),
    optional("roomName", text(LIMIT)),
    optional("departmentId", Kind::Any),
    optional("open", text(16)),
    optional("queued", text(16)),
    optional("onhold", text(16)),
    optional("createdAt", text(LIMIT)),
    optional("closedAt", text(LIMIT)),
    optional("tags", Kind::List(&Kind::Text(LIMIT))),
    optional("customFields", text(4_096)),
    optional("units", Kind::List(&Kind::Text(LIMIT))),
])
.paged();

/// Which rooms, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomListQuery {
    /// The ids of agents who serve them.
    #[serde(default)]
    agents: Vec<String>,
    /// Part of the name, or between double quotes all of it.
    #[serde(rename = "roomName")]
    name: Option<String>,
    /// The id of a department, or several.
    #[serde(rename = "departmentId")]
    #[param(value_type = Option<Vec<String>>)]
    department: Option<Value>,
    /// `true` for those that are served and not on hold, `false` for those that are closed.
    open: Option<String>,
    /// `true` for those that wait for an agent.
    queued: Option<String>,
    /// `true` for those on hold.
    onhold: Option<String>,
    /// When they were opened: JSON such as `{"start": "2024-01-01T00:00:00Z", "end": "2024-02-01T00:00:00Z"}`.
    #[serde(rename = "createdAt")]
    opened: Option<String>,
    /// When they were closed, in the same form.
    #[serde(rename = "closedAt")]
    closed: Option<String>,
    /// Tags of which they have one.
    #[serde(default)]
    tags: Vec<String>,
    /// Parts of the values of custom fields: JSON such as `{"plan": "gold"}`.
    #[serde(rename = "customFields")]
    fields: Option<String>,
    /// Units that they belong to. There are none, so nothing does.
    #[serde(default)]
    units: Vec<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for RoomListQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<RoomListQuery, ApiError> {
        legacy(&LIST, given)
    }
}

impl RoomListQuery {
    /// What is asked for.
    fn into_query(self, page: &paging::Page) -> Result<RoomsQuery, ApiError> {
        let (open, queued, on_hold) = (flag(self.open.as_deref())?, is_set(self.queued), is_set(self.onhold));
        let state = match (queued, on_hold, open) {
            (true, _, _) => RoomState::Queued,
            (_, true, _) => RoomState::OnHold,
            (_, _, Some(true)) => RoomState::Served,
            (_, _, Some(false)) => RoomState::Closed,
            (_, _, None) => RoomState::Any,
        };
        let is_contradictory = state == RoomState::OnHold && open == Some(false);
        let (departments, needs_department) = departments(self.department)?;
        let wanted = Wanted {
            state,
            agents: self.agents,
            name: self.name.filter(|name| !name.is_empty()).map(name),
            departments,
            opened: span("createdAt", self.opened.as_deref())?,
            closed: span("closedAt", self.closed.as_deref())?,
            tags: self.tags,
            fields: fields(self.fields.as_deref())?,
        };
        let is_impossible = is_contradictory || !self.units.is_empty();
        Ok(RoomsQuery { wanted, needs_department, is_impossible, page: page_of_rooms(page) })
    }
}

/// The latest rooms come first, unless they are to be sorted by a name that is sorted by.
fn page_of_rooms(page: &paging::Page) -> Page {
    let known = |name: &str| match name {
        "ts" => Some(Order::OpenedAt),
        "lm" => Some(Order::LastMessageAt),
        "closedAt" => Some(Order::ClosedAt),
        "fname" => Some(Order::Name),
        "open" => Some(Order::Open),
        _ => None,
    };
    page.in_order(known, (Order::OpenedAt, true))
}

fn flag(given: Option<&str>) -> Result<Option<bool>, ApiError> {
    match given {
        None | Some("") => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(ApiError::legacy_parameters("must be boolean".to_owned())),
    }
}

fn is_set(given: Option<String>) -> bool {
    given.is_some_and(|given| matches!(given.as_str(), "t" | "true" | "1"))
}

fn name(given: String) -> Name {
    let quoted = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(exact) => Name::Exactly(exact.to_owned()),
        None => Name::Containing(given),
    }
}

/// The departments asked for, and whether one of them has to exist: that is so where there is a list of them.
fn departments(given: Option<Value>) -> Result<(Vec<String>, bool), ApiError> {
    match given {
        None | Some(Value::Null) => Ok((Vec::new(), false)),
        // Scripts write so what they do not have.
        Some(Value::String(id)) if id.is_empty() || id == "undefined" => Ok((Vec::new(), false)),
        Some(Value::Array(ids)) => Ok((ids.into_iter().map(department).collect::<Result<_, _>>()?, true)),
        Some(id) => Ok((vec![department(id)?], false)),
    }
}

fn department(given: Value) -> Result<String, ApiError> {
    let told = match given {
        Value::String(id) if id.len() <= LIMIT => return Ok(id),
        Value::String(_) => format!("must NOT have more than {LIMIT} characters"),
        _ => "must be string".to_owned(),
    };
    Err(ApiError::legacy_parameters(told))
}

/// The object that a parameter holds as JSON, if anything is given.
fn object(name: &str, given: Option<&str>) -> Result<Map<String, Value>, ApiError> {
    match given.map(str::trim) {
        None | Some("") => Ok(Map::new()),
        Some(text) => {
            let object = serde_json::from_str(text);
            object.map_err(|_| ApiError::text(format!("The \"{name}\" query parameter must be a valid JSON.")))
        }
    }
}

/// The span of time that a parameter holds as JSON.
fn span(name: &str, given: Option<&str>) -> Result<Span, ApiError> {
    let bounds = object(name, given)?;
    let bound = |member: &str| match bounds.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(other) => {
            let date = other.as_str().and_then(moment);
            let told = || ApiError::text(format!("The \"{name}.{member}\" query parameter must be a valid date."));
            date.map(Some).ok_or_else(told)
        }
    };
    Ok(Span { start: bound("start")?, end: bound("end")? })
}

/// A moment as scripts write it: where nothing is said of the time zone it is UTC.
fn moment(text: &str) -> Option<i64> {
    match text.split_once('T') {
        Some((_, time)) if !time.contains(['Z', 'z', '+', '-']) => parse_iso(&format!("{text}Z")),
        _ => parse_iso(text),
    }
}

/// The parts of values that a parameter holds as JSON.
fn fields(given: Option<&str>) -> Result<Vec<(String, String)>, ApiError> {
    let fields = object("customFields", given)?;
    if fields.len() > FIELD_LIMIT {
        return Err(ApiError::legacy_parameters(format!("must NOT have more than {FIELD_LIMIT} properties")));
    }
    let part = |(field, part): (String, Value)| match part {
        Value::String(part) if !part.contains('\0') && !field.contains('\0') => Ok((field, part)),
        Value::Number(part) => Ok((field, part.to_string())),
        Value::Bool(part) => Ok((field, part.to_string())),
        _ => Err(ApiError::text("The \"customFields\" query parameter must be a valid JSON.")),
    };
    fields.into_iter().map(part).collect()
}

/// A room in a list.
#[derive(Serialize, ToSchema)]
pub struct ListedRoomDocument<'a> {
    #[serde(flatten)]
    room: RoomDocument<'a>,
    /// The department that the room belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<DepartmentOfRoom<'a>>,
}

/// A department as a list of rooms shows it.
#[derive(Serialize, ToSchema)]
pub struct DepartmentOfRoom<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
}

impl<'a> From<&'a ListedRoom> for ListedRoomDocument<'a> {
    fn from(listed: &'a ListedRoom) -> ListedRoomDocument<'a> {
        let RoomWithMessage { room, last_message } = &listed.room;
        let department = room.department_id.as_deref().zip(listed.department_name.as_deref());
        ListedRoomDocument {
            room: RoomDocument::new(room, last_message.as_ref(), Eyes::Staff),
            department: department.map(|(id, name)| DepartmentOfRoom { id, name }),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RoomListAnswer<'a> {
    rooms: Vec<ListedRoomDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The rooms, the latest first. Who may see only its own asks for its own id as the only one of `agents`.
#[utoipa::path(get, path = "/api/v1/livechat/rooms", tag = "Omnichannel Rooms", params(RoomListQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<RoomListAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, RoomListQuery>) -> Answer {
    let page = caller.input.paging.page(&api.services.platform().settings)?;
    let query = caller.input.into_query(&page)?;
    let listed = api.services.list_rooms(&caller.account, query).await?;
    let rooms: Vec<ListedRoomDocument<'_>> = listed.rooms.iter().map(Into::into).collect();
    success(RoomListAnswer { count: rooms.len(), rooms, offset: page.offset, total: listed.total })
}

/// Where rooms come from.
#[derive(Serialize, ToSchema)]
pub struct SourceFilter {
    /// The kind of channel.
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct FiltersAnswer {
    filters: Vec<SourceFilter>,
}

/// The channels that rooms come from.
#[utoipa::path(get, path = "/api/v1/livechat/rooms/filters", tag = "Omnichannel Rooms", responses(
    (status = 200, body = Succeeded<FiltersAnswer>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn filters(State(api): State<Shared>, _: Caller<ViewRoom>) -> Answer {
    let sources = api.services.sources_of_rooms().await?;
    success(FiltersAnswer { filters: sources.into_iter().map(|kind| SourceFilter { kind: kind.name() }).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_may_leave_out_the_time_zone() {
        for (text, expected) in [
            ("1970-01-02", Some(86_400_000)),
            ("1970-01-01T00:00:01", Some(1_000)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn quotes_ask_for_the_whole_name() {
        assert_eq!(name("\"Mary\"".to_owned()), Name::Exactly("Mary".to_owned()));
        for part in ["Mary", "\"Mary", "Mary\"", "\""] {
            assert_eq!(name(part.to_owned()), Name::Containing(part.to_owned()));
        }
    }

    #[test]
    fn departments_come_alone_or_in_a_list() {
        for (given, expected) in [
            (json!(null), Some((vec![], false))),
            (json!(""), Some((vec![], false))),
            (json!("undefined"), Some((vec![], false))),
            (json!("a"), Some((vec!["a"], false))),
            (json!(["a", "b"]), Some((vec!["a", "b"], true))),
            (json!({"a": "b"}), None),
            (json!([{"a": "b"}]), None),
        ] {
            let expected = expected.map(|(ids, needs): (Vec<&str>, bool)| (ids.into_iter().map(str::to_owned).collect(), needs));
            assert_eq!(departments(Some(given.clone())).ok(), expected, "{given}");
        }
    }
}
