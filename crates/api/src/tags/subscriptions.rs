//! Subscriptions: the rooms in the caller's list, and what is new in them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::documents::{Date, SubscriptionDocument};
use usher_services::subscriptions::SubscribedRoom;
use utoipa::{IntoParams, ToSchema};

use super::rooms::{RemovedDocument, RoomsQuery, moment};
use crate::access::LoggedIn;
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body, typed_query};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

fn document(found: &SubscribedRoom) -> SubscriptionDocument<'_> {
    SubscriptionDocument::new(&found.subscription, &found.room)
}

#[derive(Serialize, ToSchema)]
pub struct SubscriptionsAnswer<'a> {
    update: Vec<SubscriptionDocument<'a>>,
    remove: Vec<RemovedDocument>,
}

/// The caller's subscriptions.
#[utoipa::path(get, path = "/api/v1/subscriptions.get", tag = "Subscriptions", params(RoomsQuery), responses(
    (status = 200, body = Succeeded<SubscriptionsAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, RoomsQuery>) -> Answer {
    // Code and text are what clients know, although they speak of something else.
    let told = "The \"lastUpdate\" query parameter must be a valid date.";
    let since = moment(caller.input.since, "error-roomId-param-invalid", told)?;
    let changed = api.services.subscriptions_of_user(&caller.account, since).await?;
    let remove = changed.removed.into_iter().map(|gone| RemovedDocument { id: gone.id, at: Date(gone.at) });
    success(SubscriptionsAnswer { update: changed.updated.iter().map(document).collect(), remove: remove.collect() })
}

static ONE: Schema = Schema::open(&[required("roomId", text(128))]);

/// Which subscription is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SubscriptionQuery {
    /// The room.
    #[serde(rename = "roomId")]
    room_id: String,
}

impl Input for SubscriptionQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<SubscriptionQuery, ApiError> {
        typed_query(&ONE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct SubscriptionAnswer<'a> {
    /// `null` if the room is not in the caller's list.
    subscription: Option<SubscriptionDocument<'a>>,
}

/// The caller's subscription to a room.
#[utoipa::path(get, path = "/api/v1/subscriptions.getOne", tag = "Subscriptions", params(SubscriptionQuery), responses(
    (status = 200, body = Succeeded<SubscriptionAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<LoggedIn, SubscriptionQuery>) -> Answer {
    let found = api.services.subscription_of_user(&caller.account, caller.input.room_id).await?;
    success(SubscriptionAnswer { subscription: found.as_ref().map(document) })
}

static READ: Schema =
    Schema::open(&[optional("rid", text(128)), optional("roomId", text(128)), optional("readThreads", Kind::Boolean)]);

/// A room that was read.
#[derive(Deserialize, ToSchema)]
pub struct ReadBody {
    /// The room.
    rid: Option<String>,
    /// The same, if there is no `rid`.
    #[serde(rename = "roomId")]
    room_id: Option<String>,
    /// Taken because clients send it; threads are read with their room.
    #[serde(rename = "readThreads")]
    #[expect(dead_code, reason = "threads are read with their room; the member is documented and accepted")]
    read_threads: Option<bool>,
}

impl Input for ReadBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ReadBody, ApiError> {
        typed_body(&READ, given)
    }
}

/// Notes that the caller has read all of a room.
#[utoipa::path(post, path = "/api/v1/subscriptions.read", tag = "Subscriptions", request_body = ReadBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn read(State(api): State<Shared>, caller: Caller<LoggedIn, ReadBody>) -> Answer {
    let missing = || ApiError::typed_body("must have required property 'rid'".to_owned());
    let room_id = caller.input.rid.or(caller.input.room_id).ok_or_else(missing)?;
    api.services.mark_read(&caller.account, room_id).await?;
    success(Done {})
}

static FIRST: Schema = Schema::open(&[optional("_id", text(128))]);

static UNREAD: Schema = Schema::open(&[optional("roomId", text(128)), optional("firstUnreadMessage", Kind::Object(&FIRST))]);

/// What is to count as not read.
#[derive(Deserialize, ToSchema)]
pub struct UnreadBody {
    /// The room, from its latest message on.
    #[serde(rename = "roomId")]
    room_id: Option<String>,
    /// The message from which on.
    #[serde(rename = "firstUnreadMessage")]
    first: Option<FirstUnread>,
}

#[derive(Deserialize, ToSchema)]
struct FirstUnread {
    #[serde(rename = "_id")]
    id: Option<String>,
}

impl Input for UnreadBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<UnreadBody, ApiError> {
        typed_body(&UNREAD, given)
    }
}

/// Notes that the caller has not read a room from a message on.
#[utoipa::path(post, path = "/api/v1/subscriptions.unread", tag = "Subscriptions", request_body = UnreadBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn unread(State(api): State<Shared>, caller: Caller<LoggedIn, UnreadBody>) -> Answer {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (room_id, first) = (given(caller.input.room_id), given(caller.input.first.and_then(|first| first.id)));
    if room_id.is_none() && first.is_none() {
        return Err(ApiError::text("At least one of \"roomId\" or \"firstUnreadMessage._id\" params is required"));
    }
    api.services.mark_unread(&caller.account, room_id, first).await?;
    success(Done {})
}
