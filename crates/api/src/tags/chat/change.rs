//! Editing and deleting.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::documents::{AuthorDocument, Eyes, MessageDocument};
use usher_services::messages::Change;
use utoipa::ToSchema;

use super::{ID_LIMIT, MessageAnswer, TEXT_LIMIT};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static UPDATE: Schema =
    Schema::open(&[required("roomId", text(ID_LIMIT)), required("msgId", text(ID_LIMIT)), required("text", text(TEXT_LIMIT))]);

/// A message with another text.
#[derive(Deserialize, ToSchema)]
pub struct ChatUpdateBody {
    /// The room.
    #[serde(rename = "roomId")]
    room_id: String,
    /// The message.
    #[serde(rename = "msgId")]
    message_id: String,
    /// The text.
    text: String,
}

impl Input for ChatUpdateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ChatUpdateBody, ApiError> {
        typed_body(&UPDATE, given)
    }
}

/// Gives a message another text.
#[utoipa::path(post, path = "/api/v1/chat.update", tag = "Chat", request_body = ChatUpdateBody, responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update(State(api): State<Shared>, caller: Caller<LoggedIn, ChatUpdateBody>) -> Answer {
    let ChatUpdateBody { room_id, message_id, text } = caller.input;
    let message = api.services.edit_message(&caller.account, Change { room_id, message_id }, text).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&caller.account.user.id)) })
}

static DELETE: Schema =
    Schema::open(&[required("roomId", text(ID_LIMIT)), required("msgId", text(ID_LIMIT)), optional("asUser", Kind::Boolean)]);

/// A message that is to go.
#[derive(Deserialize, ToSchema)]
pub struct ChatDeleteBody {
    /// The room.
    #[serde(rename = "roomId")]
    room_id: String,
    /// The message.
    #[serde(rename = "msgId")]
    message_id: String,
    /// Whether it goes in the name of whoever wrote it; needs a permission if that is somebody else.
    #[serde(rename = "asUser")]
    as_author: Option<bool>,
}

impl Input for ChatDeleteBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ChatDeleteBody, ApiError> {
        typed_body(&DELETE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct DeleteAnswer<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    /// When (milliseconds UTC), as a text.
    ts: String,
    message: WhatIsLeft<'a>,
}

/// What is told of a message that is gone.
#[derive(Serialize, ToSchema)]
struct WhatIsLeft<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    rid: &'a str,
    u: AuthorDocument<'a>,
}

/// Deletes a message.
#[utoipa::path(post, path = "/api/v1/chat.delete", tag = "Chat", request_body = ChatDeleteBody, responses(
    (status = 200, body = Succeeded<DeleteAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete(State(api): State<Shared>, caller: Caller<LoggedIn, ChatDeleteBody>) -> Answer {
    let ChatDeleteBody { room_id, message_id, as_author } = caller.input;
    let change = Change { room_id, message_id };
    let deleted = api.services.delete_message(&caller.account, change, as_author.unwrap_or(false)).await?;
    let message = &deleted.message;
    success(DeleteAnswer {
        id: &message.id,
        ts: deleted.at.to_string(),
        message: WhatIsLeft { id: &message.id, rid: &message.room_id, u: (&message.author).into() },
    })
}
