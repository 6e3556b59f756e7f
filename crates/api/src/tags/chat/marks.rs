//! Reactions, pins and stars.

use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use usher_services::documents::{Eyes, MessageDocument};
use utoipa::ToSchema;

use super::{ID_LIMIT, MessageAnswer, needed};
use crate::access::LoggedIn;
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

/// Refuses a call that names no message.
fn message_id(given: Option<String>) -> Result<String, ApiError> {
    needed(given, "error-messageid-param-not-provided", "The required \"messageId\" param is missing.")
}

static REACT: Schema = Schema::open(&[
    optional("messageId", text(ID_LIMIT)),
    optional("emoji", text(256)),
    optional("reaction", text(256)),
    optional("shouldReact", Kind::Boolean),
]);

/// A reaction to a message.
#[derive(Deserialize, ToSchema)]
pub struct ReactBody {
    /// The message.
    #[serde(rename = "messageId")]
    message_id: Option<String>,
    /// The name of the reaction, with or without colons around it.
    emoji: Option<String>,
    /// The same, if there is no `emoji`.
    reaction: Option<String>,
    /// Whether it is added or taken away; without it the one or the other, whatever changes something.
    #[serde(rename = "shouldReact")]
    wanted: Option<bool>,
}

impl Input for ReactBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ReactBody, ApiError> {
        typed_body(&REACT, given)
    }
}

/// Adds the caller's reaction to a message or takes it away.
#[utoipa::path(post, path = "/api/v1/chat.react", tag = "Chat", request_body = ReactBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn react(State(api): State<Shared>, caller: Caller<LoggedIn, ReactBody>) -> Answer {
    let ReactBody { message_id: given, emoji, reaction, wanted } = caller.input;
    let id = message_id(given)?;
    let emoji = emoji.filter(|emoji| !emoji.is_empty()).or(reaction);
    let emoji = needed(emoji, "error-emoji-param-not-provided", "The required \"emoji\" param is missing.")?;
    api.services.react(&caller.account, id, &emoji, wanted).await?;
    success(Done {})
}

static MARK: Schema = Schema::open(&[optional("messageId", text(ID_LIMIT))]);

/// A message that is to be marked.
#[derive(Deserialize, ToSchema)]
pub struct MarkBody {
    /// The message.
    #[serde(rename = "messageId")]
    message_id: Option<String>,
}

impl Input for MarkBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<MarkBody, ApiError> {
        typed_body(&MARK, given)
    }
}

/// Pins a message for all who read the room.
#[utoipa::path(post, path = "/api/v1/chat.pinMessage", tag = "Chat", request_body = MarkBody, responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn pin(State(api): State<Shared>, caller: Caller<LoggedIn, MarkBody>) -> Answer {
    let message = api.services.pin(&caller.account, message_id(caller.input.message_id)?, true).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&caller.account.user.id)) })
}

/// Takes the pin from a message.
#[utoipa::path(post, path = "/api/v1/chat.unPinMessage", tag = "Chat", request_body = MarkBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn unpin(State(api): State<Shared>, caller: Caller<LoggedIn, MarkBody>) -> Answer {
    api.services.pin(&caller.account, message_id(caller.input.message_id)?, false).await?;
    success(Done {})
}

/// Marks a message for the caller alone.
#[utoipa::path(post, path = "/api/v1/chat.starMessage", tag = "Chat", request_body = MarkBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn star(State(api): State<Shared>, caller: Caller<LoggedIn, MarkBody>) -> Answer {
    api.services.star(&caller.account, message_id(caller.input.message_id)?, true).await?;
    success(Done {})
}

/// Takes the caller's mark from a message.
#[utoipa::path(post, path = "/api/v1/chat.unStarMessage", tag = "Chat", request_body = MarkBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn unstar(State(api): State<Shared>, caller: Caller<LoggedIn, MarkBody>) -> Answer {
    api.services.star(&caller.account, message_id(caller.input.message_id)?, false).await?;
    success(Done {})
}
