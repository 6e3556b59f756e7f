//! Livechat messages: what visitors write and read.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::room::{Source as RoomSource, SourceKind};
use usher_domain::time::parse_iso;
use usher_domain::visitor::VisitorToken;
use usher_services::Refusal;
use usher_services::documents::{Date, Eyes, MessageDocument};
use usher_services::limits::{Counted, Limit};
use usher_services::messages::{Change, HISTORY_LIMIT, HistoryPage, VisitorMessage, WrittenQuery};
use utoipa::{IntoParams, ToSchema};

use crate::access::{LoggedIn, ViewRoom};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, Visitor, VisitorInput, legacy};
use crate::parse::paging::{self, Paging};
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
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::Visitor(call.token.as_str())) })
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
    let links = api.services.file_links();
    let shown = messages.iter().map(|message| MessageDocument::for_visitor(message, call.token.as_str(), &links));
    success(HistoryAnswer { messages: shown.collect() })
}

static ONE: Schema = Schema::closed(&[required("token", text(1_024)), required("rid", text(128))]);

/// Whose message it is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// The visitor's token.
    token: String,
    /// The room.
    #[serde(rename = "rid")]
    room_id: String,
    #[serde(skip)]
    #[param(ignore)]
    message_id: String,
}

impl Input for MessageQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<MessageQuery, ApiError> {
        let query: MessageQuery = legacy(&ONE, given)?;
        Ok(MessageQuery { message_id: path.get("_id"), ..query })
    }
}

impl VisitorInput for MessageQuery {
    fn token(&self) -> &str {
        &self.token
    }
}

/// A message of a visitor's room, open or closed.
#[utoipa::path(get, path = "/api/v1/livechat/message/{_id}", tag = "Livechat Messages",
    params(("_id" = String, Path, description = "The message"), MessageQuery), responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn message(State(api): State<Shared>, call: Visitor<MessageQuery>) -> Answer {
    let MessageQuery { room_id, message_id, .. } = call.input;
    let message = api.services.message_of_visitor(call.token.clone(), room_id, message_id).await?;
    let message = MessageDocument::for_visitor(&message, call.token.as_str(), &api.services.file_links());
    success(MessageAnswer { message })
}

static EDIT: Schema = Schema::closed(&[required("token", text(1_024)), required("rid", text(128)), required("msg", text(100_000))]);

/// A visitor's message with another text.
#[derive(Deserialize, ToSchema)]
pub struct MessageEditBody {
    /// The visitor's token.
    token: String,
    /// The room.
    #[serde(rename = "rid")]
    room_id: String,
    /// The text.
    #[serde(rename = "msg")]
    text: String,
    #[serde(skip)]
    #[schema(ignore)]
    message_id: String,
}

impl Input for MessageEditBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<MessageEditBody, ApiError> {
        let body: MessageEditBody = legacy(&EDIT, given)?;
        Ok(MessageEditBody { message_id: path.get("_id"), ..body })
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Messages, self.token.clone())]
    }
}

impl VisitorInput for MessageEditBody {
    fn token(&self) -> &str {
        &self.token
    }
}

/// Gives a visitor's own message another text.
#[utoipa::path(put, path = "/api/v1/livechat/message/{_id}", tag = "Livechat Messages", request_body = MessageEditBody,
    params(("_id" = String, Path, description = "The message")), responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn edit_message(State(api): State<Shared>, call: Visitor<MessageEditBody>) -> Answer {
    let MessageEditBody { room_id, message_id, text, .. } = call.input;
    let change = Change { room_id, message_id };
    let message = api.services.edit_visitor_message(call.token.clone(), change, text).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::Visitor(call.token.as_str())) })
}

/// A visitor's message that is to go.
#[derive(Deserialize, ToSchema)]
pub struct MessageDeletionBody {
    /// The visitor's token.
    token: String,
    /// The room.
    #[serde(rename = "rid")]
    room_id: String,
    #[serde(skip)]
    #[schema(ignore)]
    message_id: String,
}

impl Input for MessageDeletionBody {
    const SOURCE: Source = Source::BodyOrQuery;

    fn read(given: Value, path: &Path) -> Result<MessageDeletionBody, ApiError> {
        let body: MessageDeletionBody = legacy(&ONE, given)?;
        Ok(MessageDeletionBody { message_id: path.get("_id"), ..body })
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Messages, self.token.clone())]
    }
}

impl VisitorInput for MessageDeletionBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct DeletedMessageAnswer {
    message: DeletedMessage,
}

#[derive(Serialize, ToSchema)]
struct DeletedMessage {
    #[serde(rename = "_id")]
    id: String,
    /// When it went.
    ts: Date,
}

/// Deletes a visitor's own message. Token and room may also stand in the query.
#[utoipa::path(delete, path = "/api/v1/livechat/message/{_id}", tag = "Livechat Messages", request_body = MessageDeletionBody,
    params(("_id" = String, Path, description = "The message")), responses(
    (status = 200, body = Succeeded<DeletedMessageAnswer>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete_message(State(api): State<Shared>, call: Visitor<MessageDeletionBody>) -> Answer {
    let MessageDeletionBody { room_id, message_id, .. } = call.input;
    let deleted = api.services.delete_visitor_message(call.token, Change { room_id, message_id }).await?;
    success(DeletedMessageAnswer { message: DeletedMessage { id: deleted.message.id, ts: Date(deleted.at) } })
}

/// The most messages that are posted at once.
const AT_ONCE: usize = 100;

static WRITER: Schema = Schema::closed(&[required("token", text(1_024))]);

static TEXT: Schema = Schema::closed(&[required("msg", text(100_000))]);

static SEVERAL: Schema =
    Schema::closed(&[required("visitor", Kind::Object(&WRITER)), required("messages", Kind::List(&Kind::Object(&TEXT)))]);

/// Messages that somebody brings in for a visitor.
#[derive(Deserialize, ToSchema)]
pub struct MessagesBody {
    /// Who wrote them: registered if nobody has the token.
    visitor: MessagesWriter,
    /// At least one, at most 100.
    messages: Vec<MessagesText>,
}

#[derive(Deserialize, ToSchema)]
struct MessagesWriter {
    token: String,
}

#[derive(Deserialize, ToSchema)]
struct MessagesText {
    #[serde(rename = "msg")]
    text: String,
}

impl Input for MessagesBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<MessagesBody, ApiError> {
        let body: MessagesBody = legacy(&SEVERAL, given)?;
        let told = match body.messages.len() {
            0 => "must NOT have fewer than 1 items".to_owned(),
            number if number > AT_ONCE => format!("must NOT have more than {AT_ONCE} items"),
            _ => return Ok(body),
        };
        Err(ApiError::legacy_parameters(told))
    }
}

#[derive(Serialize, ToSchema)]
pub struct MessagesAnswer<'a> {
    messages: Vec<PostedMessage<'a>>,
}

/// A message that was brought in.
#[derive(Serialize, ToSchema)]
struct PostedMessage<'a> {
    username: &'a str,
    msg: &'a str,
    ts: Date,
}

/// Posts messages in a visitor's name, in their order and all or none; into the visitor's open room, or a new one.
#[utoipa::path(post, path = "/api/v1/livechat/messages", tag = "Livechat Messages", request_body = MessagesBody, responses(
    (status = 200, body = Succeeded<MessagesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn post_messages(State(api): State<Shared>, caller: Caller<LoggedIn, MessagesBody>) -> Answer {
    let MessagesBody { visitor, messages } = caller.input;
    let token = VisitorToken::new(visitor.token).ok_or(ApiError::from(Refusal::Registration))?;
    let texts = messages.into_iter().map(|message| message.text).collect();
    let source = RoomSource { kind: SourceKind::Api, destination: None };
    let posted = api.services.post_messages_for_visitor(token, texts, source).await?;
    let shown =
        posted.iter().map(|message| PostedMessage { username: &message.author.username, msg: &message.text, ts: Date(message.ts) });
    success(MessagesAnswer { messages: shown.collect() })
}

static WRITTEN: Schema = Schema::closed(&[optional("searchTerm", text(1_024))]).paged();

/// Which messages of a room are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WrittenMessagesQuery {
    /// Part of their text.
    #[serde(rename = "searchTerm")]
    term: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
    #[serde(skip)]
    #[param(ignore)]
    room_id: String,
}

impl Input for WrittenMessagesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<WrittenMessagesQuery, ApiError> {
        let query: WrittenMessagesQuery = legacy(&WRITTEN, given)?;
        Ok(WrittenMessagesQuery { room_id: path.get("rid"), ..query })
    }
}

#[derive(Serialize, ToSchema)]
pub struct WrittenMessagesAnswer {
    #[schema(value_type = Vec<MessageDocument<'static>>)]
    messages: Vec<Value>,
    offset: i64,
    /// How many were asked for.
    count: i64,
    total: i64,
}

async fn written(api: &Shared, caller: Caller<ViewRoom, WrittenMessagesQuery>) -> Answer {
    let WrittenMessagesQuery { term, paging, room_id } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let wanted = WrittenQuery {
        room_id,
        term: term.filter(|term| !term.is_empty()),
        oldest_first: page.sort.iter().find(|(name, _)| name == "ts").is_some_and(|(_, from_the_end)| !from_the_end),
        offset: page.offset,
        limit: page.count.unwrap_or(i64::MAX),
    };
    let listed = api.services.written_in_room(&caller.account, wanted).await?;
    let eyes = Eyes::User(&caller.account.user.id);
    let messages = page.show(listed.messages.iter().map(|message| MessageDocument::new(message, eyes)))?;
    success(WrittenMessagesAnswer { messages, offset: page.offset, count: page.count.unwrap_or_default(), total: listed.total })
}

/// What people wrote in a room, with the message that closed it, the latest first.
#[utoipa::path(get, path = "/api/v1/livechat/{rid}/messages", tag = "Livechat Messages",
    params(("rid" = String, Path, description = "The room"), WrittenMessagesQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<WrittenMessagesAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn messages_of_room(State(api): State<Shared>, caller: Caller<ViewRoom, WrittenMessagesQuery>) -> Answer {
    written(&api, caller).await
}

/// The same in the words of the published document.
#[utoipa::path(get, path = "/api/v1/livechat/messages/{rid}", tag = "Livechat Messages",
    params(("rid" = String, Path, description = "The room"), WrittenMessagesQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<WrittenMessagesAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn messages_of_room_as_published(State(api): State<Shared>, caller: Caller<ViewRoom, WrittenMessagesQuery>) -> Answer {
    written(&api, caller).await
}
