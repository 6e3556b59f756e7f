//! Omnichannel rooms.

pub mod close;
pub mod info;
pub mod list;
pub mod upload;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HOST};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::room::{Source as RoomSource, SourceKind};
use usher_services::documents::{Eyes, RoomDocument};
use usher_services::rooms::RoomRequest;
use utoipa::{IntoParams, ToSchema};

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Source, Visitor, VisitorInput, matching};
use crate::{ApiError, Shared};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};

/// The most characters of a `Host` header that a room keeps.
const HOST_LIMIT: usize = 256;

static ROOM: MatchPattern = MatchPattern::closed(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::optional("rid", MatchKind::Text(128)),
    MatchField::optional("agentId", MatchKind::Text(128)),
    MatchField::optional("sla", MatchKind::Text(128)),
    MatchField::optional("priority", MatchKind::Text(128)),
]);

/// Which room is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomQuery {
    /// The visitor's token.
    token: String,
    /// This open room and no other.
    rid: Option<String>,
    /// The agent wished for.
    #[serde(rename = "agentId")]
    agent_id: Option<String>,
    /// The service level of a new room, by id or name.
    sla: Option<String>,
    /// The priority of a new room, by id or name.
    priority: Option<String>,
}

impl Input for RoomQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<RoomQuery, ApiError> {
        matching(&ROOM, given)
    }
}

impl VisitorInput for RoomQuery {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct RoomAnswer<'a> {
    room: RoomDocument<'a>,
    /// Whether it was opened just now.
    #[serde(rename = "newRoom")]
    is_new: bool,
}

/// The visitor's open room, or a new one.
#[utoipa::path(get, path = "/api/v1/livechat/room", tag = "Omnichannel Rooms", params(RoomQuery), responses(
    (status = 200, body = Succeeded<RoomAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn room(State(api): State<Shared>, call: Visitor<RoomQuery>) -> Answer {
    let RoomQuery { rid, agent_id, sla, priority, .. } = call.input;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let source = source_of(&call.head.headers);
    let request = RoomRequest {
        room_id: given(rid),
        agent_id: given(agent_id),
        service_level: given(sla),
        priority: given(priority),
        source,
    };
    let opened = api.services.room_of_visitor(call.token.clone(), request).await?;
    let room = RoomDocument::new(&opened.room, opened.last_message.as_ref(), Eyes::Visitor(call.token.as_str()));
    success(RoomAnswer { room, is_new: opened.is_new })
}

/// Where a request comes from: the widget shows itself by two cookies.
fn source_of(headers: &HeaderMap) -> RoomSource {
    if !(has_cookie(headers, "rc_room_type=l") && has_cookie(headers, "rc_is_widget=t")) {
        return RoomSource { kind: SourceKind::Api, destination: None };
    }
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    RoomSource { kind: SourceKind::Widget, destination: host.map(|host| host.chars().take(HOST_LIMIT).collect()) }
}

fn has_cookie(headers: &HeaderMap, wanted: &str) -> bool {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split(';')).any(|cookie| cookie.trim() == wanted)
}
