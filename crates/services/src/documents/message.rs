//! Messages as the wire shows them.

use serde::Serialize;
use usher_domain::message::{Block, Message, blocks, links};
use utoipa::ToSchema;

use super::Date;

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    rid: &'a str,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    ts: Date,
    u: AuthorDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groupable: Option<bool>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    urls: Vec<Link<'a>>,
    #[schema(value_type = Vec<Object>)]
    mentions: [(); 0],
    #[schema(value_type = Vec<Object>)]
    channels: [(); 0],
    #[schema(value_type = Vec<Object>)]
    md: Vec<Block<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AuthorDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Link<'a> {
    url: &'a str,
}

impl<'a> MessageDocument<'a> {
    /// The message for the eyes of the visitor who presented `token`.
    pub fn for_visitor(message: &'a Message, token: &'a str) -> MessageDocument<'a> {
        let author = &message.author;
        MessageDocument {
            id: &message.id,
            rid: &message.room_id,
            msg: &message.text,
            t: message.kind.as_deref(),
            token: author.is_visitor.then_some(token),
            alias: author.name.as_deref().filter(|_| author.is_visitor),
            ts: Date(message.ts),
            u: AuthorDocument { id: &author.id, username: &author.username, name: author.name.as_deref() },
            groupable: message.kind.as_ref().map(|_| false),
            updated_at: Date(message.updated_at),
            urls: links(&message.text).into_iter().map(|url| Link { url }).collect(),
            mentions: [],
            channels: [],
            md: blocks(&message.text),
        }
    }
}
