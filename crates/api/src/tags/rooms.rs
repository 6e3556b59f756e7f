//! Rooms as clients of every kind of room ask for them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::time::parse_iso;
use usher_services::documents::{Date, Eyes, RoomDocument};
use usher_services::rooms::RoomWithMessage;
use usher_services::{Error, Refusal};
use utoipa::{IntoParams, ToSchema};

use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_query};
use crate::parse::schema::{Schema, optional, text};
use crate::{ApiError, Shared};

static ROOM: Schema = Schema::open(&[optional("roomId", text(128)), optional("roomName", text(512))]);

/// Which room is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomChoiceQuery {
    /// Its id.
    #[serde(rename = "roomId")]
    id: Option<String>,
    /// Its name. Chats with visitors have none by which they are found.
    #[serde(rename = "roomName")]
    name: Option<String>,
}

impl Input for RoomChoiceQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<RoomChoiceQuery, ApiError> {
        typed_query(&ROOM, given)
    }
}

impl RoomChoiceQuery {
    fn room_id(self) -> Result<String, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        match (given(self.id), given(self.name)) {
            (Some(id), _) => Ok(id),
            (None, Some(_)) => Err(Refusal::RoomNotFound.into()),
            (None, None) => {
                let told = "The parameter \"roomId\" or \"roomName\" is required";
                Err(ApiError::coded("error-roomid-param-not-provided", Some(told)))
            }
        }
    }
}

fn document(found: &RoomWithMessage) -> RoomDocument<'_> {
    RoomDocument::new(&found.room, found.last_message.as_ref(), Eyes::Staff)
}

#[derive(Serialize, ToSchema)]
pub struct ChannelAnswer<'a> {
    channel: RoomDocument<'a>,
}

/// A chat with a visitor, for those who may read it.
#[utoipa::path(get, path = "/api/v1/channels.info", tag = "Rooms", params(RoomChoiceQuery), responses(
    (status = 200, body = Succeeded<ChannelAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn channel(State(api): State<Shared>, caller: Caller<LoggedIn, RoomChoiceQuery>) -> Answer {
    let room_id = caller.input.room_id()?;
    let found = api.services.room_for_user(&caller.account, room_id).await.map_err(|error| match error {
        Error::Refused(Refusal::RoomInfoNotAllowed) => Refusal::RoomNotFound.into(),
        other => other,
    })?;
    success(ChannelAnswer { channel: document(&found) })
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoomInfoAnswer)]
pub struct InfoAnswer<'a> {
    room: RoomDocument<'a>,
}

/// A room, for those who may read it.
#[utoipa::path(get, path = "/api/v1/rooms.info", tag = "Rooms", params(RoomChoiceQuery), responses(
    (status = 200, body = Succeeded<InfoAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn info(State(api): State<Shared>, caller: Caller<LoggedIn, RoomChoiceQuery>) -> Answer {
    let room_id = caller.input.room_id()?;
    let found = api.services.room_for_user(&caller.account, room_id).await?;
    success(InfoAnswer { room: document(&found) })
}

static LIST: Schema = Schema::open(&[optional("updatedSince", text(64))]);

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomsQuery {
    /// Only those that changed after this time (ISO 8601).
    #[serde(rename = "updatedSince")]
    pub(super) since: Option<String>,
}

impl Input for RoomsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<RoomsQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct RoomsAnswer<'a> {
    update: Vec<RoomDocument<'a>>,
    remove: Vec<RemovedDocument>,
}

/// What is not in the caller's list any more.
#[derive(Serialize, ToSchema)]
pub struct RemovedDocument {
    #[serde(rename = "_id")]
    pub(super) id: String,
    #[serde(rename = "_deletedAt")]
    pub(super) at: Date,
}

/// The rooms in the caller's list.
#[utoipa::path(get, path = "/api/v1/rooms.get", tag = "Rooms", params(RoomsQuery), responses(
    (status = 200, body = Succeeded<RoomsAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, RoomsQuery>) -> Answer {
    let told = "The \"updatedSince\" query parameter must be a valid date.";
    let since = moment(caller.input.since, "error-updatedSince-param-invalid", told)?;
    let changed = api.services.rooms_of_user(&caller.account, since).await?;
    let remove = changed.removed.into_iter().map(|gone| RemovedDocument { id: gone.room_id, at: Date(gone.at) });
    success(RoomsAnswer { update: changed.updated.iter().map(document).collect(), remove: remove.collect() })
}

/// The moment that is given, if one is.
pub(super) fn moment(given: Option<String>, code: &'static str, told: &str) -> Result<Option<i64>, ApiError> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| parse_iso(&text).ok_or_else(|| ApiError::coded(code, Some(told)))).transpose()
}
