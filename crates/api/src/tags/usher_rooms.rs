//! What the server decided about rooms.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use usher_services::rooms::RoutingRecord;
use utoipa::ToSchema;

use crate::access::ViewLivechatManager;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source};
use crate::{ApiError, Shared};

/// The room in the path.
pub struct RoutedRoomPath(String);

impl Input for RoutedRoomPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<RoutedRoomPath, ApiError> {
        Ok(RoutedRoomPath(path.get("rid")))
    }
}

#[derive(Serialize, ToSchema)]
pub struct DecisionsAnswer {
    /// The decisions, oldest first.
    decisions: Vec<RoutingRecord>,
}

/// Who was looked at for a room, who got it and why, each time that was decided.
#[utoipa::path(get, path = "/api/v1/usher/rooms/{rid}/routing", tag = "Usher",
    params(("rid" = String, Path, description = "The room")), responses(
    (status = 200, body = Succeeded<DecisionsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn routing(State(api): State<Shared>, caller: Caller<ViewLivechatManager, RoutedRoomPath>) -> Answer {
    success(DecisionsAnswer { decisions: api.services.routing_of_room(caller.input.0).await? })
}
