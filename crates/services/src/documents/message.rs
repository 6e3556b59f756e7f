//! Messages as the wire shows them.

use serde::Serialize;
use serde_json::{Map, Value};
use usher_domain::message::{Author, Block, Message, blocks, links};
use usher_domain::room::Person;
use utoipa::ToSchema;

use super::details::Detail;
use super::{Date, Details, Eyes};
use crate::files::{ATTACHMENTS, FILE, FILES, FileLinks, SIZE};

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
    #[serde(rename = "editedAt", skip_serializing_if = "Option::is_none")]
    edited_at: Option<Date>,
    #[serde(rename = "editedBy", skip_serializing_if = "Option::is_none")]
    edited_by: Option<PersonDocument<'a>>,
    #[serde(rename = "_hidden", skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    urls: Vec<Link<'a>>,
    #[schema(value_type = Vec<Object>)]
    mentions: [(); 0],
    #[schema(value_type = Vec<Object>)]
    channels: [(); 0],
    #[schema(value_type = Vec<Object>)]
    md: Vec<Block<'a>>,
    /// Only the caller's own mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<[Star<'a>; 1]>,
    /// The file that it shows.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Detail<'a>>,
    /// The same again, as a list.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Detail<'a>>,
    /// Quotes, files, and what clients attach.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<Detail<'a>>,
    /// Where programs fetch its file.
    #[serde(rename = "fileUpload", skip_serializing_if = "Option::is_none")]
    file_upload: Option<FileUpload<'a>>,
    /// What only some messages have.
    #[serde(flatten)]
    #[schema(ignore)]
    details: Details<'a>,
}

/// Who wrote a message, as named at the time.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> From<&'a Author> for AuthorDocument<'a> {
    fn from(author: &'a Author) -> AuthorDocument<'a> {
        AuthorDocument { id: &author.id, username: &author.username, name: author.name.as_deref() }
    }
}

/// A user, as named at the time.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PersonDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
}

impl<'a> From<&'a Person> for PersonDocument<'a> {
    fn from(person: &'a Person) -> PersonDocument<'a> {
        PersonDocument { id: &person.id, username: &person.username }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Link<'a> {
    url: &'a str,
}

/// The mark of a user who wants to find the message again.
#[derive(Debug, Serialize, ToSchema)]
struct Star<'a> {
    #[serde(rename = "_id")]
    user_id: &'a str,
}

/// Of the details of a message, what stands in its document otherwise.
const ALIAS: &str = "alias";

/// Of the details of a message, the ids of the users who marked it.
pub(crate) const STARRED: &str = "starred";

impl<'a> MessageDocument<'a> {
    /// The message for these eyes.
    pub fn new(message: &'a Message, eyes: Eyes<'a>) -> MessageDocument<'a> {
        let author = &message.author;
        let given_alias = message.details.get(ALIAS).and_then(Value::as_str);
        MessageDocument {
            id: &message.id,
            rid: &message.room_id,
            msg: &message.text,
            t: message.kind.as_deref(),
            token: author.is_visitor.then(|| eyes.token(&author.id)),
            alias: author.name.as_deref().filter(|_| author.is_visitor).or(given_alias),
            ts: Date(message.ts),
            u: author.into(),
            groupable: message.kind.as_ref().map(|_| false),
            edited_at: message.edited.as_ref().map(|edited| Date(edited.at)),
            edited_by: message.edited.as_ref().map(|edited| (&edited.by).into()),
            hidden: message.is_hidden.then_some(true),
            updated_at: Date(message.updated_at),
            urls: links(&message.text).into_iter().map(|url| Link { url }).collect(),
            mentions: [],
            channels: [],
            md: blocks(&message.text),
            starred: star(message, eyes),
            file: message.details.get(FILE).map(Detail),
            files: message.details.get(FILES).map(Detail),
            attachments: message.details.get(ATTACHMENTS).map(Detail),
            file_upload: None,
            details: Details { members: &message.details, without: &[ALIAS, STARRED, FILE, FILES, ATTACHMENTS, SIZE] },
        }
    }

    /// The message for the visitor with this token, with the address of its file.
    pub fn for_visitor(message: &'a Message, token: &'a str, links: &FileLinks) -> MessageDocument<'a> {
        let document = MessageDocument::new(message, Eyes::Visitor(token));
        MessageDocument { file_upload: FileUpload::of(message, links), ..document }
    }

    /// The messages for these eyes.
    pub fn list(messages: &'a [Message], eyes: Eyes<'a>) -> Vec<MessageDocument<'a>> {
        messages.iter().map(|message| MessageDocument::new(message, eyes)).collect()
    }
}

/// Where the file of a message is.
#[derive(Debug, Serialize, ToSchema)]
struct FileUpload<'a> {
    #[serde(rename = "publicFilePath")]
    public_file_path: String,
    #[serde(rename = "type")]
    media_type: &'a str,
    size: i64,
}

impl<'a> FileUpload<'a> {
    fn of(message: &'a Message, links: &FileLinks) -> Option<FileUpload<'a>> {
        let media_type = message.details.get(FILE)?.get("type")?.as_str()?;
        let size = message.details.get(SIZE)?.as_i64()?;
        Some(FileUpload { public_file_path: links.of(message)?, media_type, size })
    }
}

/// The mark of whoever looks.
fn star<'a>(message: &Message, eyes: Eyes<'a>) -> Option<[Star<'a>; 1]> {
    let user_id = eyes.user_id()?;
    let stars = message.details.get(STARRED)?.as_array()?;
    stars.iter().any(|star| star == user_id).then_some([Star { user_id }])
}

/// A moment inside the details of a message.
pub(crate) fn stored_moment(milliseconds: i64) -> Value {
    Value::Object(Map::from_iter([("$date".to_owned(), Value::from(milliseconds))]))
}
