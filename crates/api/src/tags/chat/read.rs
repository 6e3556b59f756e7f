//! Reading.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::time::parse_iso;
use usher_services::documents::{Date, Eyes, MessageDocument};
use usher_services::messages::WrittenQuery;
use utoipa::{IntoParams, ToSchema};

use super::{ID_LIMIT, MessageAnswer, needed};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Schema, optional, text};
use crate::{ApiError, Shared};

/// Refuses a call that names no room.
fn room_id(given: Option<String>) -> Result<String, ApiError> {
    needed(given, "error-roomId-param-not-provided", "The required \"roomId\" query param is missing.")
}

static GET: Schema = Schema::open(&[optional("msgId", text(ID_LIMIT))]);

/// Which message is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GetQuery {
    /// The message.
    #[serde(rename = "msgId")]
    message_id: Option<String>,
}

impl Input for GetQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<GetQuery, ApiError> {
        typed_query(&GET, given)
    }
}

/// A message.
#[utoipa::path(get, path = "/api/v1/chat.getMessage", tag = "Chat", params(GetQuery), responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<LoggedIn, GetQuery>) -> Answer {
    let missing = || ApiError::text("The \"msgId\" query parameter must be provided.");
    let message_id = caller.input.message_id.filter(|id| !id.is_empty()).ok_or_else(missing)?;
    let message = api.services.message(&caller.account, message_id).await?.ok_or_else(ApiError::silent)?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&caller.account.user.id)) })
}

static SYNC: Schema = Schema::open(&[optional("roomId", text(ID_LIMIT)), optional("lastUpdate", text(64))]);

/// What is known already.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessagesSyncQuery {
    /// The room.
    #[serde(rename = "roomId")]
    room_id: Option<String>,
    /// As of when it is known (ISO 8601).
    #[serde(rename = "lastUpdate")]
    since: Option<String>,
}

impl Input for MessagesSyncQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<MessagesSyncQuery, ApiError> {
        typed_query(&SYNC, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct SyncedMessagesAnswer<'a> {
    result: SyncResult<'a>,
}

#[derive(Serialize, ToSchema)]
struct SyncResult<'a> {
    /// Messages that came or changed.
    updated: Vec<MessageDocument<'a>>,
    deleted: Vec<DeletedDocument<'a>>,
}

/// A message that is gone.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncedDeletion)]
struct DeletedDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "_deletedAt")]
    at: Date,
}

/// What happened to the messages of a room since a moment.
#[utoipa::path(get, path = "/api/v1/chat.syncMessages", tag = "Chat", params(MessagesSyncQuery), responses(
    (status = 200, body = Succeeded<SyncedMessagesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn sync(State(api): State<Shared>, caller: Caller<LoggedIn, MessagesSyncQuery>) -> Answer {
    let room_id = room_id(caller.input.room_id)?;
    let missing = "The required \"lastUpdate\" query param is missing.";
    let since = needed(caller.input.since, "error-lastUpdate-param-not-provided", missing)?;
    let invalid =
        || ApiError::coded("error-roomId-param-invalid", Some("The \"lastUpdate\" query parameter must be a valid date."));
    let since = parse_iso(&since).ok_or_else(invalid)?;
    let changed = api.services.messages_changed_since(&caller.account, room_id, since).await?;
    let deleted = changed.deleted.iter().map(|message| DeletedDocument { id: &message.id, at: Date(message.updated_at) });
    let updated = MessageDocument::list(&changed.updated, Eyes::User(&caller.account.user.id));
    success(SyncedMessagesAnswer { result: SyncResult { updated, deleted: deleted.collect() } })
}

static SEARCH: Schema = Schema::open(&[optional("roomId", text(ID_LIMIT)), optional("searchText", text(1_024))]).paged();

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// The room.
    #[serde(rename = "roomId")]
    room_id: Option<String>,
    /// Part of the text.
    #[serde(rename = "searchText")]
    term: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for SearchQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<SearchQuery, ApiError> {
        typed_query(&SEARCH, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    #[schema(value_type = Vec<MessageDocument<'static>>)]
    messages: Vec<Value>,
}

/// The messages of a room with a text in them, the latest first.
#[utoipa::path(get, path = "/api/v1/chat.search", tag = "Chat", params(SearchQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<SearchAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn search(State(api): State<Shared>, caller: Caller<LoggedIn, SearchQuery>) -> Answer {
    let SearchQuery { room_id: given, term, paging } = caller.input;
    let room_id = room_id(given)?;
    let missing = "The required \"searchText\" query param is missing.";
    let term = needed(term, "error-searchText-param-not-provided", missing)?;
    let page = paging.page(&api.services.platform().settings)?;
    let limit = page.count.unwrap_or(i64::MAX);
    let wanted = WrittenQuery { room_id, term: Some(term), oldest_first: false, offset: page.offset, limit };
    let listed = api.services.search_room(&caller.account, wanted).await?;
    let eyes = Eyes::User(&caller.account.user.id);
    let messages = page.show(listed.messages.iter().map(|message| MessageDocument::new(message, eyes)))?;
    success(SearchAnswer { messages })
}
