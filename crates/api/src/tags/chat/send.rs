//! Posting.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::documents::{Eyes, MessageDocument};
use usher_services::messages::UserMessage;
use usher_services::{Error, Refusal};
use utoipa::ToSchema;

use super::{ID_LIMIT, MessageAnswer, TEXT_LIMIT};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Field, Kind, Schema, optional, text};
use crate::{ApiError, Shared};

/// The most rooms that one message goes to.
const MOST_ROOMS: usize = 10;

static ANYTHING: Schema = Schema::anything();
static ATTACHMENT: Kind = Kind::Object(&ANYTHING);

const ALIAS: Field = optional("alias", text(512));
const AVATAR: Field = optional("avatar", text(2_048));
const EMOJI: Field = optional("emoji", text(256));
const ATTACHMENTS: Field = optional("attachments", Kind::List(&ATTACHMENT));
const CUSTOM_FIELDS: Field = optional("customFields", Kind::Object(&ANYTHING));
const THREAD: Field = optional("tmid", text(ID_LIMIT));
const SHOWN: Field = optional("tshow", Kind::Boolean);

static MESSAGE: Schema = Schema::open(&[
    optional("_id", text(ID_LIMIT)),
    optional("rid", text(ID_LIMIT)),
    optional("msg", text(TEXT_LIMIT)),
    ALIAS,
    AVATAR,
    EMOJI,
    ATTACHMENTS,
    CUSTOM_FIELDS,
    THREAD,
    SHOWN,
]);

static SEND: Schema = Schema::open(&[optional("message", Kind::Object(&MESSAGE)), optional("previewUrls", Kind::Any)]);

/// A message for a room.
#[derive(Deserialize, ToSchema)]
pub struct SendBody {
    /// The message; what is not known of it is ignored.
    message: Option<SentMessage>,
    /// Taken because clients send it; nothing of what links lead to is shown.
    #[serde(rename = "previewUrls")]
    #[expect(dead_code, reason = "links have no previews; the member is documented and accepted")]
    #[schema(value_type = Option<Object>)]
    preview: Option<Value>,
}

#[derive(Deserialize, ToSchema)]
struct SentMessage {
    /// The message's id, if the client chooses it: sending it again stores nothing and answers the same.
    #[serde(rename = "_id")]
    id: Option<String>,
    /// The room.
    #[serde(rename = "rid")]
    room_id: Option<String>,
    /// The text.
    #[serde(rename = "msg")]
    text: Option<String>,
    #[serde(flatten)]
    looks: Looks,
    /// The message that this one answers, in the same room.
    #[serde(rename = "tmid")]
    thread: Option<String>,
    /// Whether the answer is shown in the room as well.
    #[serde(rename = "tshow")]
    is_shown: Option<bool>,
}

/// What a message may have besides.
#[derive(Deserialize, ToSchema)]
struct Looks {
    /// The name under which it is shown; needs a permission.
    alias: Option<String>,
    /// The picture with which it is shown; needs the same.
    avatar: Option<String>,
    /// A picture in place of that.
    emoji: Option<String>,
    /// Attachments. Quotes among them are dropped: the server makes those itself.
    #[schema(value_type = Option<Vec<Object>>)]
    attachments: Option<Value>,
    /// Whatever the client wants to keep with it.
    #[serde(rename = "customFields")]
    #[schema(value_type = Option<Object>)]
    custom_fields: Option<Value>,
}

impl Looks {
    fn details(self) -> Map<String, Value> {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Value::String);
        let members = [
            ("alias", text(self.alias)),
            ("avatar", text(self.avatar)),
            ("emoji", text(self.emoji)),
            ("attachments", self.attachments),
            ("customFields", self.custom_fields),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Input for SendBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<SendBody, ApiError> {
        typed_body(&SEND, given)
    }
}

impl SendBody {
    fn message(self) -> Result<UserMessage, ApiError> {
        let missing = || ApiError::coded("error-invalid-params", Some("The \"message\" parameter must be provided."));
        let sent = self.message.ok_or_else(missing)?;
        let no_room = || ApiError::text("The 'rid' property on the message object is missing.");
        let room_id = sent.room_id.filter(|id| !id.is_empty()).ok_or_else(no_room)?;
        let mut details = sent.looks.details();
        let thread = sent.thread.filter(|id| !id.is_empty());
        if sent.is_shown == Some(true) {
            if thread.is_none() {
                return Err(Refusal::ShownWithoutThread.into());
            }
            details.insert("tshow".to_owned(), true.into());
        }
        details.extend(thread.map(|id| ("tmid".to_owned(), id.into())));
        let id = sent.id.filter(|id| !id.trim().is_empty());
        Ok(UserMessage { room_id, text: sent.text.unwrap_or_default(), id, details })
    }
}

/// Stores a user's message; answers when it is durable.
#[utoipa::path(post, path = "/api/v1/chat.sendMessage", tag = "Chat", request_body = SendBody, responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn send(State(api): State<Shared>, caller: Caller<LoggedIn, SendBody>) -> Answer {
    let message = api.services.post_user_message(&caller.account, caller.input.message()?).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&caller.account.user.id)) })
}

static POST: Schema = Schema::open(&[
    optional("roomId", Kind::Any),
    optional("channel", Kind::Any),
    optional("text", text(TEXT_LIMIT)),
    optional("msg", text(TEXT_LIMIT)),
    optional("parseUrls", Kind::Boolean),
    ALIAS,
    AVATAR,
    EMOJI,
    ATTACHMENTS,
    CUSTOM_FIELDS,
    THREAD,
]);

/// A message for one or several rooms.
#[derive(Deserialize, ToSchema)]
pub struct PostBody {
    /// The id of the room, or a list of them.
    #[serde(rename = "roomId")]
    #[schema(value_type = Option<String>)]
    room_id: Option<Value>,
    /// The same, if there is no `roomId`.
    #[schema(value_type = Option<String>)]
    channel: Option<Value>,
    /// The text.
    text: Option<String>,
    /// The same, if there is no `text`.
    msg: Option<String>,
    /// Taken because clients send it; links are always found.
    #[serde(rename = "parseUrls")]
    #[expect(dead_code, reason = "links are found when a message is shown; the member is documented and accepted")]
    parse_urls: Option<bool>,
    #[serde(flatten)]
    looks: Looks,
    /// The message that this one answers, in the same room.
    #[serde(rename = "tmid")]
    thread: Option<String>,
}

impl Input for PostBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<PostBody, ApiError> {
        typed_body(&POST, given)
    }
}

/// The ids of the rooms that are given.
fn room_ids(given: Option<Value>) -> Result<Vec<String>, ApiError> {
    let given = match given {
        Some(Value::Array(items)) if (1..=MOST_ROOMS).contains(&items.len()) => items,
        Some(text @ Value::String(_)) => vec![text],
        _ => return Err(Refusal::InvalidChannel.into()),
    };
    let text = |value: Value| match value {
        Value::String(text) if !text.is_empty() && text.len() <= ID_LIMIT && !text.contains('\0') => Ok(text),
        _ => Err(Refusal::InvalidChannel.into()),
    };
    given.into_iter().map(text).collect()
}

#[derive(Serialize, ToSchema)]
pub struct PostAnswer<'a> {
    /// When (milliseconds UTC).
    ts: i64,
    /// The room.
    channel: &'a str,
    message: MessageDocument<'a>,
}

/// Stores a user's message in one or several rooms; answers with that in the first.
#[utoipa::path(post, path = "/api/v1/chat.postMessage", tag = "Chat", request_body = PostBody, responses(
    (status = 200, body = Succeeded<PostAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn post(State(api): State<Shared>, caller: Caller<LoggedIn, PostBody>) -> Answer {
    let account = &caller.account;
    let PostBody { room_id, channel, text, msg, looks, thread, .. } = caller.input;
    let rooms = room_ids(room_id.filter(|given| !given.is_null()).or(channel))?;
    let mut details = looks.details();
    details.extend(thread.filter(|id| !id.is_empty()).map(|id| ("tmid".to_owned(), id.into())));
    let text = text.or(msg).unwrap_or_default();
    // Nothing is posted anywhere if one of the rooms is none.
    for room_id in &rooms {
        api.services.room_for_user(account, room_id.clone()).await.map_err(no_channel)?;
    }
    let mut first = None;
    for room_id in rooms {
        let message = UserMessage { room_id, text: text.clone(), id: None, details: details.clone() };
        let posted = api.services.post_user_message(account, message).await?;
        first.get_or_insert(posted);
    }
    let message = first.ok_or(ApiError::broken("a message was posted nowhere"))?;
    let document = MessageDocument::new(&message, Eyes::User(&account.user.id));
    success(PostAnswer { ts: message.ts, channel: &message.room_id, message: document })
}

/// The words of this operation for a room where nothing can be posted.
fn no_channel(error: Error) -> ApiError {
    match error {
        Error::Refused(Refusal::RoomNotFound) => Refusal::InvalidChannel.into(),
        Error::Refused(Refusal::RoomInfoNotAllowed) => Refusal::RoomNotAllowed.into(),
        other => other.into(),
    }
}
