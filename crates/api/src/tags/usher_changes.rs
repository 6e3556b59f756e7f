//! What happened since, for clients that lost their connection.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::visitor::VisitorToken;
use usher_services::documents::{Date, Eyes, MessageDocument, RoomDocument, SubscriptionDocument};
use usher_services::realtime::{Asking, Happened, RoomChanges};
use utoipa::{IntoParams, ToSchema};

use super::rooms::RemovedDocument;
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Anyone, Caller, Input, Path, Source, typed_query};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static ROOM: Schema = Schema::open(&[required("since", Kind::Integer), optional("token", text(1_024))]);

/// Since when, and for which visitor if for one.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomChangesQuery {
    /// The number of the latest change that is known: the `seq` of an earlier answer.
    since: i64,
    /// The visitor's token; without it the user who is logged in asks.
    token: Option<String>,
    #[serde(skip)]
    #[param(ignore)]
    room_id: String,
}

impl Input for RoomChangesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<RoomChangesQuery, ApiError> {
        Ok(RoomChangesQuery { room_id: path.get("rid"), ..typed_query(&ROOM, given)? })
    }
}

#[derive(Serialize, ToSchema)]
pub struct RoomChangesAnswer<'a> {
    /// The number of the latest change: what to ask for next time. Frames of the realtime connection about the room have such a number
    /// beside their fields; one that is not above this was read earlier, and tells nothing new.
    seq: i64,
    /// Whether too much happened, or too long ago: then the room has to be read anew, and nothing else is told.
    refetch: bool,
    /// The room as it is by now, if anything happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<RoomDocument<'a>>,
    /// Messages that came or changed, oldest first.
    messages: Vec<MessageDocument<'a>>,
    /// The ids of messages that are gone.
    deleted: Vec<String>,
}

/// What happened in a room since a change of it: for its visitor, and for users who may read it.
#[utoipa::path(get, path = "/api/v1/usher/rooms/{rid}/changes", tag = "Usher",
    params(("rid" = String, Path, description = "The room"), RoomChangesQuery), responses(
    (status = 200, body = Succeeded<RoomChangesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn of_room(State(api): State<Shared>, anyone: Anyone<RoomChangesQuery>) -> Answer {
    let RoomChangesQuery { since, token, room_id } = anyone.call.input;
    let (token, account) = (token.as_deref().map(VisitorToken::new), anyone.account);
    let asking = match (token, account) {
        (Some(Some(token)), _) => Asking::Visitor(token),
        (Some(None), _) => return Err(usher_services::Refusal::InvalidRoom.into()),
        (None, Some(account)) => Asking::User(Box::new(account)),
        (None, None) => return Err(ApiError::NotLoggedIn),
    };
    let RoomChanges { seq, changes } = api.services.room_changes(asking.clone(), room_id, since).await?;
    let Some(Happened { room, messages, deleted }) = changes else {
        return success(RoomChangesAnswer { seq, refetch: true, room: None, messages: Vec::new(), deleted: Vec::new() });
    };
    let eyes = match &asking {
        Asking::Visitor(token) => Eyes::Visitor(token.as_str()),
        Asking::User(account) => Eyes::User(&account.user.id),
    };
    let room = room.as_ref().map(|found| RoomDocument::new(&found.room, found.last_message.as_ref(), eyes));
    success(RoomChangesAnswer { seq, refetch: false, room, messages: MessageDocument::list(&messages, eyes), deleted })
}

static LIST: Schema = Schema::open(&[required("since", Kind::Integer)]);

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListChangesQuery {
    /// The `seq` of an earlier answer; 0 without one.
    since: i64,
}

impl Input for ListChangesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ListChangesQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct ListChangesAnswer<'a> {
    /// What to ask for next time.
    seq: i64,
    /// Whether the list has to be read anew (`subscriptions.get`, `rooms.get`); then nothing else is told.
    refetch: bool,
    /// Subscriptions that came or changed.
    subscriptions: Vec<SubscriptionDocument<'a>>,
    /// Rooms that came or changed.
    rooms: Vec<RoomDocument<'a>>,
    /// Subscriptions that are gone.
    #[serde(rename = "removedSubscriptions")]
    removed_subscriptions: Vec<RemovedDocument>,
    /// Rooms that are gone from the list.
    #[serde(rename = "removedRooms")]
    removed_rooms: Vec<RemovedDocument>,
}

/// What happened to the caller's list of rooms since an earlier answer.
#[utoipa::path(get, path = "/api/v1/usher/me/changes", tag = "Usher", params(ListChangesQuery), responses(
    (status = 200, body = Succeeded<ListChangesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn of_list(State(api): State<Shared>, caller: Caller<LoggedIn, ListChangesQuery>) -> Answer {
    let changed = api.services.list_changes(&caller.account, caller.input.since).await?;
    let (seq, refetch) = (changed.seq, changed.changes.is_none());
    let Some((subscriptions, rooms)) = &changed.changes else {
        return success(ListChangesAnswer {
            seq,
            refetch,
            subscriptions: Vec::new(),
            rooms: Vec::new(),
            removed_subscriptions: Vec::new(),
            removed_rooms: Vec::new(),
        });
    };
    let gone = |id: &str, at: i64| RemovedDocument { id: id.to_owned(), at: Date(at) };
    let found = &rooms.updated;
    success(ListChangesAnswer {
        seq,
        refetch,
        subscriptions: subscriptions
            .updated
            .iter()
            .map(|found| SubscriptionDocument::new(&found.subscription, &found.room))
            .collect(),
        rooms: found.iter().map(|found| RoomDocument::new(&found.room, found.last_message.as_ref(), Eyes::Staff)).collect(),
        removed_subscriptions: subscriptions.removed.iter().map(|removed| gone(&removed.id, removed.at)).collect(),
        removed_rooms: rooms.removed.iter().map(|removed| gone(&removed.room_id, removed.at)).collect(),
    })
}
