//! Users: lists of them.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::documents::{PresenceDocument, UserDocument};
use usher_services::limits::{Counted, Limit};
use usher_services::users::{Listed, Order, Page, Wanted};
use utoipa::{IntoParams, ToSchema};

use super::LIMIT;
use crate::access::{LoggedIn, ViewDirectRoom};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// How many names are offered to choose from.
const OFFERED: i64 = 10;

/// How many names a question for names to choose from may leave out.
const EXCEPTIONS: usize = 100;

/// A page of users.
#[derive(Serialize, ToSchema)]
pub struct UsersAnswer {
    /// Users as far as the caller may see them, with those members that are wanted.
    #[schema(value_type = Vec<Object>)]
    users: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

impl UsersAnswer {
    fn of(listed: &Listed, page: &paging::Page) -> Result<UsersAnswer, ApiError> {
        let users = page.show(listed.users.iter().map(UserDocument::from))?;
        Ok(UsersAnswer { count: users.len(), users, offset: page.offset, total: listed.total })
    }
}

/// The page of a list of users: by user name, unless they are to be sorted by another name that is sorted by.
pub fn page_of_users(page: &paging::Page) -> Page {
    let known = |name: &str| match name {
        "username" => Some(Order::Username),
        "name" => Some(Order::Name),
        "createdAt" | "_id" => Some(Order::CreatedAt),
        _ => None,
    };
    page.in_order(known, (Order::Username, false))
}

static LIST: Schema = Schema::open(&[]).paged();

/// Which part of the list.
#[derive(Deserialize)]
pub struct ListQuery(Paging);

impl Input for ListQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ListQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

/// All users.
#[utoipa::path(get, path = "/api/v1/users.list", tag = "Users", params(paging::Parameters), responses(
    (status = 200, body = Succeeded<UsersAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewDirectRoom, ListQuery>) -> Answer {
    let page = caller.input.0.page(&api.services.platform().settings)?;
    let listed = api.services.list_users(&caller.account, Wanted::default(), page_of_users(&page)).await?;
    success(UsersAnswer::of(&listed, &page)?)
}

static LIST_BY_STATUS: Schema = Schema::open(&[
    optional("status", Kind::OneOf(&["active", "deactivated"])),
    optional("hasLoggedIn", Kind::Boolean),
    optional("type", text(LIMIT)),
    optional("roles", Kind::List(&Kind::Text(LIMIT))),
    optional("searchTerm", text(LIMIT)),
])
.paged();

/// Which users, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListByStatusQuery {
    /// `active` or `deactivated`.
    status: Option<String>,
    /// Whether they have ever logged in.
    #[serde(rename = "hasLoggedIn")]
    has_logged_in: Option<bool>,
    /// `user` or `bot`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// They hold one of these roles.
    roles: Option<Vec<String>>,
    /// Part of a name or an e-mail address.
    #[serde(rename = "searchTerm")]
    term: Option<String>,
    #[serde(flatten)]
    #[param(inline = false, ignore)]
    paging: Paging,
}

impl Input for ListByStatusQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ListByStatusQuery, ApiError> {
        typed_query(&LIST_BY_STATUS, given)
    }
}

/// Users by whether they may log in, by roles and by name.
#[utoipa::path(get, path = "/api/v1/users.listByStatus", tag = "Users", params(ListByStatusQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<UsersAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list_by_status(State(api): State<Shared>, caller: Caller<ViewDirectRoom, ListByStatusQuery>) -> Answer {
    let query = caller.input;
    let page = query.paging.page(&api.services.platform().settings)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        active: query.status.map(|status| status == "active"),
        has_logged_in: query.has_logged_in,
        kind: given(query.kind),
        roles: query.roles.unwrap_or_default(),
        term: given(query.term),
        ..Wanted::default()
    };
    let listed = api.services.list_users(&caller.account, wanted, page_of_users(&page)).await?;
    success(UsersAnswer::of(&listed, &page)?)
}

static AUTOCOMPLETE: Schema = Schema::open(&[required("selector", text(LIMIT))]);

/// What was typed so far.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AutocompleteQuery {
    /// JSON: `{"term", "exceptions": [usernames]}`.
    selector: String,
}

impl Input for AutocompleteQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<AutocompleteQuery, ApiError> {
        typed_query(&AUTOCOMPLETE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct AutocompleteAnswer<'a> {
    items: Vec<PresenceDocument<'a>>,
}

/// Users to choose from whose names contain what was typed.
#[utoipa::path(get, path = "/api/v1/users.autocomplete", tag = "Users", params(AutocompleteQuery), responses(
    (status = 200, body = Succeeded<AutocompleteAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn autocomplete(State(api): State<Shared>, caller: Caller<LoggedIn, AutocompleteQuery>) -> Answer {
    let invalid = || ApiError::text("Invalid selector");
    let selector: Map<String, Value> = serde_json::from_str(&caller.input.selector).map_err(|_| invalid())?;
    let term = selector.get("term").and_then(Value::as_str).filter(|term| !term.is_empty()).map(str::to_owned);
    let except = selector.get("exceptions").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let except: Vec<String> = except.take(EXCEPTIONS).map(str::to_owned).collect();
    // JSON can write a NUL in characters that the check of the query lets through.
    if term.iter().chain(&except).any(|text| text.contains('\0')) {
        return Err(invalid());
    }
    let wanted = Wanted { active: Some(true), term, except, ..Wanted::default() };
    let page = Page { count: Some(OFFERED), ..Page::whole() };
    let listed = api.services.list_users(&caller.account, wanted, page).await?;
    success(AutocompleteAnswer { items: listed.users.iter().map(|seen| (&seen.user).into()).collect() })
}

static SPOTLIGHT: Schema = Schema::open(&[required("query", text(LIMIT))]);

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SpotlightQuery {
    /// Part of a name; `@` in front looks for users alone, `#` for rooms alone.
    query: String,
}

impl Input for SpotlightQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<SpotlightQuery, ApiError> {
        typed_query(&SPOTLIGHT, given)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::Searches, format!("{address} spotlight"))]
    }
}

#[derive(Serialize, ToSchema)]
pub struct SpotlightAnswer<'a> {
    users: Vec<PresenceDocument<'a>>,
    #[schema(value_type = Vec<Object>)]
    rooms: Vec<Value>,
}

/// Users and rooms by name.
#[utoipa::path(get, path = "/api/v1/spotlight", tag = "Users", params(SpotlightQuery), responses(
    (status = 200, body = Succeeded<SpotlightAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn spotlight(State(api): State<Shared>, caller: Caller<LoggedIn, SpotlightQuery>) -> Answer {
    let looked_for = caller.input.query;
    if looked_for.starts_with('#') {
        return success(SpotlightAnswer { users: Vec::new(), rooms: Vec::new() });
    }
    let term = Some(looked_for.trim_start_matches('@').to_owned()).filter(|term| !term.is_empty());
    let wanted = Wanted { active: Some(true), term, ..Wanted::default() };
    let page = Page { count: Some(OFFERED), ..Page::whole() };
    let listed = api.services.list_users(&caller.account, wanted, page).await?;
    let users = listed.users.iter().map(|seen| (&seen.user).into()).collect();
    success(SpotlightAnswer { users, rooms: Vec::new() })
}
