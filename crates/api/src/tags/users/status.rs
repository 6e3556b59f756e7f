//! Users: whether they are there.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::time;
use usher_services::documents::{Date, PresenceDocument};
use usher_services::users::{StatusChange, UserChoice};
use utoipa::{IntoParams, ToSchema};

use super::{LIMIT, UserSelection};
use crate::access::LoggedIn;
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body, typed_query};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

/// Whoever was away for longer gets the whole list, in milliseconds.
const OLDEST_PRESENCE: i64 = 600_000;

static SET: Schema = Schema::open(&[
    optional("status", text(LIMIT)),
    optional("message", text(LIMIT)),
    optional("userId", text(LIMIT)),
    optional("username", text(LIMIT)),
    optional("user", text(LIMIT)),
]);

/// A status and what is said beside it.
#[derive(Deserialize, ToSchema)]
pub struct SetStatusBody {
    /// `online`, `away`, `busy` or `offline`.
    status: Option<String>,
    message: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    selection: UserSelection,
}

impl Input for SetStatusBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<SetStatusBody, ApiError> {
        let body: SetStatusBody = typed_body(&SET, given)?;
        if body.status.is_none() && body.message.is_none() {
            return Err(ApiError::mismatch("Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation".to_owned()));
        }
        Ok(body)
    }
}

/// Says whether somebody is there: the caller, or with a permission somebody else.
#[utoipa::path(post, path = "/api/v1/users.setStatus", tag = "Users", request_body = SetStatusBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set(State(api): State<Shared>, caller: Caller<LoggedIn, SetStatusBody>) -> Answer {
    let SetStatusBody { status, message, selection } = caller.input;
    let change = StatusChange { status: status.filter(|status| !status.is_empty()), text: message };
    api.services.set_status(&caller.account, selection.choice(), change).await?;
    success(Done {})
}

static WHOSE: Schema =
    Schema::open(&[optional("userId", text(LIMIT)), optional("username", text(LIMIT)), optional("user", text(LIMIT))]);

/// Of whom; of the caller if of nobody.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhoseQuery {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    username: Option<String>,
    /// The same as `username`.
    user: Option<String>,
}

impl Input for WhoseQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<WhoseQuery, ApiError> {
        typed_query(&WHOSE, given)
    }
}

impl WhoseQuery {
    fn choice(self) -> Option<UserChoice> {
        UserSelection { user_id: self.user_id, username: self.username, user: self.user }.choice()
    }
}

#[derive(Serialize, ToSchema)]
pub struct StatusAnswer {
    #[serde(rename = "_id")]
    id: String,
    status: String,
    /// Only of oneself.
    #[serde(rename = "connectionStatus", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    message: String,
}

/// Whether somebody is there.
#[utoipa::path(get, path = "/api/v1/users.getStatus", tag = "Users", params(WhoseQuery), responses(
    (status = 200, body = Succeeded<StatusAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<LoggedIn, WhoseQuery>) -> Answer {
    let user = match caller.input.choice() {
        None => caller.account.user.clone(),
        Some(choice) => api.services.user(choice).await?.ok_or(usher_services::Refusal::NoSuchUser)?,
    };
    let connection = (user.id == caller.account.user.id).then(|| user.status.clone());
    success(StatusAnswer { id: user.id, status: user.status, connection, message: user.status_text })
}

#[derive(Serialize, ToSchema)]
pub struct OnePresenceAnswer {
    presence: String,
    /// Only of oneself.
    #[serde(rename = "connectionStatus", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// Only of oneself.
    #[serde(rename = "lastLogin", skip_serializing_if = "Option::is_none")]
    last_login: Option<Date>,
}

/// The same, in older words.
#[utoipa::path(get, path = "/api/v1/users.getPresence", tag = "Users", params(WhoseQuery), responses(
    (status = 200, body = Succeeded<OnePresenceAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get_presence(State(api): State<Shared>, caller: Caller<LoggedIn, WhoseQuery>) -> Answer {
    let own = &caller.account.user;
    let user = match caller.input.choice() {
        None => own.clone(),
        Some(choice) => api.services.user(choice).await?.ok_or(usher_services::Refusal::NoSuchUser)?,
    };
    let is_own = user.id == own.id;
    let last_login = user.last_login_at.filter(|_| is_own).map(Date);
    success(OnePresenceAnswer { connection: is_own.then(|| user.status.clone()), presence: user.status, last_login })
}

static IDS: Kind = Kind::Text(LIMIT);

static PRESENCE: Schema = Schema::open(&[optional("from", text(LIMIT)), optional("ids", Kind::List(&IDS))]);

/// Since when, or of whom.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PresenceQuery {
    /// ISO 8601.
    from: Option<String>,
    /// Ids, as a list (`ids[]=`) or with commas between them.
    ids: Option<Vec<String>>,
}

impl Input for PresenceQuery {
    const SOURCE: Source = Source::Query;

    fn read(mut given: Value, _: &Path) -> Result<PresenceQuery, ApiError> {
        if let Some(ids @ Value::String(_)) = given.get_mut("ids") {
            let list = ids.as_str().unwrap_or_default().split(',').map(|id| id.trim().to_owned()).collect::<Vec<_>>();
            *ids = list.into();
        }
        typed_query(&PRESENCE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct PresenceAnswer<'a> {
    users: Vec<PresenceDocument<'a>>,
    /// Whether it is the whole list, and not what has changed.
    full: bool,
}

/// Who is there, of all or of those named; or whose status has changed of late.
#[utoipa::path(get, path = "/api/v1/users.presence", tag = "Users", params(PresenceQuery), responses(
    (status = 200, body = Succeeded<PresenceAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn presence(State(api): State<Shared>, caller: Caller<LoggedIn, PresenceQuery>) -> Answer {
    let services = &api.services;
    if let Some(ids) = caller.input.ids {
        let users = services.users_by_ids(ids.into_iter().filter(|id| !id.is_empty()).collect()).await?;
        return success(PresenceAnswer { users: users.iter().map(Into::into).collect(), full: false });
    }
    let from = caller.input.from.as_deref().map(|from| time::parse_iso(from).ok_or_else(invalid_from)).transpose()?;
    let recent = from.filter(|from| from.saturating_add(OLDEST_PRESENCE) > services.clock.now());
    let users = match recent {
        Some(from) => services.users_with_status_since(from).await?,
        None => services.users_who_are_there().await?,
    };
    success(PresenceAnswer { users: users.iter().map(Into::into).collect(), full: recent.is_none() })
}

fn invalid_from() -> ApiError {
    ApiError::text("The \"from\" query parameter must be a valid date.")
}
