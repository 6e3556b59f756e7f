//! Livechat pages visited: what the widget tells of the pages that its visitor sees.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::limits::{Counted, Limit};
use usher_services::page_visits::{CHANGE_LIMIT, HREF_LIMIT, SeenPage, TITLE_LIMIT};
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Public, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static LOCATION: Schema = Schema::closed(&[required("href", text(HREF_LIMIT))]);

static PAGE: Schema = Schema::closed(&[
    required("change", text(CHANGE_LIMIT)),
    required("title", text(TITLE_LIMIT)),
    required("location", Kind::Object(&LOCATION)),
]);

static VISIT: Schema =
    Schema::closed(&[required("token", text(1_024)), optional("rid", text(128)), required("pageInfo", Kind::Object(&PAGE))]);

/// A page that a visitor sees.
#[derive(Deserialize, ToSchema)]
pub struct PageVisitedBody {
    /// The visitor's token. Nobody needs to have it yet.
    token: String,
    /// The visitor's room, if it has one.
    #[serde(rename = "rid")]
    room_id: Option<String>,
    #[serde(rename = "pageInfo")]
    page: VisitedPage,
}

/// The page.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
struct VisitedPage {
    /// What changed: `url` or `title`.
    change: String,
    /// The title.
    title: String,
    location: PageLocation,
}

#[derive(Clone, Deserialize, Serialize, ToSchema)]
struct PageLocation {
    /// The address.
    href: String,
}

impl Input for PageVisitedBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<PageVisitedBody, ApiError> {
        typed_body(&VISIT, given)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::Signals, format!("{} page", self.token)), (Limit::SignalsPerAddress, address.to_string())]
    }
}

#[derive(Serialize, ToSchema)]
pub struct PageVisitedAnswer {
    /// Absent where such changes are not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<NotedPage>,
}

#[derive(Serialize, ToSchema)]
struct NotedPage {
    /// Title and address.
    msg: String,
    navigation: Navigation,
}

#[derive(Serialize, ToSchema)]
struct Navigation {
    page: VisitedPage,
    /// The token as it was given.
    token: String,
}

/// Notes that a visitor sees a page: in its room, or for the next one. The answer is the same whoever has the token.
#[utoipa::path(post, path = "/api/v1/livechat/page.visited", tag = "Livechat Page Visited", request_body = PageVisitedBody,
    responses(
    (status = 200, body = Succeeded<PageVisitedAnswer>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn page_visited(State(api): State<Shared>, call: Public<PageVisitedBody>) -> Answer {
    let PageVisitedBody { token, room_id, page } = call.input;
    let seen = SeenPage {
        token: token.clone(),
        room_id,
        change: page.change.clone(),
        title: page.title.clone(),
        href: page.location.href.clone(),
    };
    let msg = seen.text();
    let is_noted = api.services.note_page(seen).await?;
    success(PageVisitedAnswer { page: is_noted.then_some(NotedPage { msg, navigation: Navigation { page, token } }) })
}
