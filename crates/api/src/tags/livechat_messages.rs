//! Livechat messages: what visitors write and read.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::time::parse_iso;
use usher_services::documents::MessageDocument;
use usher_services::limits::{Counted, Limit};
use usher_services::messages::{HISTORY_LIMIT, HistoryPage, VisitorMessage};
use utoipa::{IntoParams, ToSchema};

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Source, Visitor, VisitorInput, legacy};

use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// How many messages a page of the history has unless another number is asked for.
const HISTORY_PAGE: i64 = 20;

static AGENT: Schema = Schema::open(&[required("agentId", text(128)), required("username", text(256))]);

static MESSAGE: Schema = Schema::closed(&[
    required("token", text(1_024)),
    required("rid", text(128)),
    required("msg", text(100_000)),
    optional("_id", text(128)),
    optional("agent", Kind::Object(&AGENT)),
]);

static HISTORY: Schema = Schema::closed(&[
    required("token", text(1_024)),
    optional("limit", Kind::Integer),
    optional("offset", Kind::Integer),
    optional("end", text(64)),
    optional("ls", text(64)),
    optional("searchText", text(1_024)),
    optional("count", Kind::Integer),
    optional("sort", text(1_024)),
]);

/// A visitor's message.
#[derive(Deserialize, ToSchema)]
pub struct MessageBody {
    /// The visitor's token.
    token: String,
    /// The room.
    #[serde(rename = "rid")]
    room_id: String,
    /// The text.
    #[serde(rename = "msg")]
    text: String,
    /// The message's id, if the client chooses it: sending it again stores nothing and answers the same.
    #[serde(rename = "_id")]
    id: Option<String>,
    /// The agent wished for, where a room has to be opened; an open room ignores it.
    #[expect(dead_code, reason = "a message needs an open room, and that has its agent; the member is documented and accepted")]
    #[schema(value_type = Option<Object>)]
    agent: Option<Map<String, Value>>,
}

impl Input for MessageBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<MessageBody, ApiError> {
        legacy(&MESSAGE, given)
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Messages, self.token.clone())]
    }
}

impl VisitorInput for MessageBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct MessageAnswer<'a> {
    message: MessageDocument<'a>,
}

/// Stores a visitor's message; answers when it is durable.
#[utoipa::path(post, path = "/api/v1/livechat/message", tag = "Livechat Messages", request_body = MessageBody, responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn post_message(State(api): State<Shared>, call: Visitor<MessageBody>) -> Answer {
    let MessageBody { room_id, text, id, .. } = call.input;
    let message = VisitorMessage { room_id, text, id: id.filter(|id| !id.trim().is_empty()) };
    let message = api.services.post_visitor_message(call.token.clone(), message).await?;
    success(MessageAnswer { message: MessageDocument::for_visitor(&message, call.token.as_str()) })
}

/// Which messages of a room are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// The visitor's token.
    token: String,
    /// How many at most: 20 unless said otherwise, 1,000 for 0 and at most.
    limit: Option<i64>,
    /// How many of the newest to leave out.
    offset: Option<i64>,
    /// Only messages before this moment (ISO 8601).
    end: Option<String>,
    /// The same as `limit`, where that is not given: some clients page by it.
    count: Option<i64>,
    #[serde(skip)]
    #[param(ignore)]
    room_id: String,
}

impl Input for HistoryQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<HistoryQuery, ApiError> {
        let query: HistoryQuery = legacy(&HISTORY, given)?;
        Ok(HistoryQuery { room_id: path.get("rid"), ..query })
    }
}

impl VisitorInput for HistoryQuery {
    fn token(&self) -> &str {
        &self.token
    }

    fn nobody() -> ApiError {
        ApiError::plain("error-token-param-not-provided")
    }
}

impl HistoryQuery {
    fn page(self) -> Result<HistoryPage, ApiError> {
        let before = match self.end.filter(|end| !end.is_empty()) {
            None => None,
            Some(end) => {
                Some(parse_iso(&end).ok_or_else(|| ApiError::legacy_parameters("must match format \"date-time\"".to_owned()))?)
            }
        };
        let limit = match self.limit.or(self.count).unwrap_or(HISTORY_PAGE) {
            0 => HISTORY_LIMIT,
            limit if limit < 0 => HISTORY_PAGE,
            limit => limit,
        };
        Ok(HistoryPage { room_id: self.room_id, before, offset: self.offset.unwrap_or(0), limit })
    }
}

#[derive(Serialize, ToSchema)]
pub struct HistoryAnswer<'a> {
    messages: Vec<MessageDocument<'a>>,
}

/// The messages of a visitor's room, newest first. Closed rooms can be read as well.
#[utoipa::path(get, path = "/api/v1/livechat/messages.history/{rid}", tag = "Livechat Messages",
    params(("rid" = String, Path, description = "The room"), HistoryQuery), responses(
    (status = 200, body = Succeeded<HistoryAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn history(State(api): State<Shared>, call: Visitor<HistoryQuery>) -> Answer {
    let messages = api.services.history_for_visitor(call.token.clone(), call.input.page()?).await?;
    let token = call.token.as_str();
    success(HistoryAnswer { messages: messages.iter().map(|message| MessageDocument::for_visitor(message, token)).collect() })
}
