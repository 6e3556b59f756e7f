//! Files that users send into rooms: at once with their message, or first the file and then the message.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::file::File;
use usher_services::documents::{Eyes, MessageDocument};
use usher_services::files::{Caption, FileSender};
use utoipa::ToSchema;

use super::chat::{ID_LIMIT, MessageAnswer, TEXT_LIMIT};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, Texts, Upload, typed_body};
use crate::parse::schema::{Schema, optional, text};
use crate::{ApiError, Shared};

/// The texts that a user's form may have.
const TEXTS: [&str; 3] = ["msg", "description", "tmid"];

/// The room that a file is for.
pub struct UserUpload {
    room_id: String,
}

impl Input for UserUpload {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<UserUpload, ApiError> {
        Ok(UserUpload { room_id: path.get("rid") })
    }
}

/// A file with what is said of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read part by part")]
pub struct FileForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The text of the message.
    msg: Option<String>,
    /// What stands below the file.
    description: Option<String>,
    /// The message that it answers.
    tmid: Option<String>,
}

fn caption(mut texts: Texts) -> Caption {
    let thread = texts.remove("tmid").filter(|id| !id.is_empty());
    let mut text = |name: &str| texts.remove(name).unwrap_or_default();
    Caption { text: text("msg"), description: text("description"), name: None, thread }
}

/// Sends a file into a room, and posts a message that shows it.
#[utoipa::path(post, path = "/api/v1/rooms.upload/{rid}", tag = "Rooms", params(("rid" = String, Path, description = "The room")),
    request_body(content = FileForm, content_type = "multipart/form-data"), responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn upload(State(api): State<Shared>, upload: Upload<Caller<LoggedIn, UserUpload>>) -> Answer {
    let Upload { call, form } = upload;
    let sender = FileSender::User(Box::new(call.account.clone()));
    let permit = api.services.permit_file(sender, call.input.room_id).await?;
    let (arrival, texts) = form.receive(permit, &TEXTS).await?;
    let message = api.services.post_file(&call.account, arrival, caption(texts)).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&call.account.user.id)) })
}

/// A file that was sent and that no message shows yet.
#[derive(Serialize, ToSchema)]
struct SentFile {
    #[serde(rename = "_id")]
    id: String,
    url: String,
}

impl From<File> for SentFile {
    fn from(file: File) -> SentFile {
        SentFile { url: file.link(), id: file.id }
    }
}

/// The file that was sent.
#[derive(Serialize, ToSchema)]
pub struct MediaAnswer {
    file: SentFile,
}

/// Sends a file for a room. Nobody but its sender sees it until it is confirmed; within a day it is gone otherwise.
#[utoipa::path(post, path = "/api/v1/rooms.media/{rid}", tag = "Rooms", params(("rid" = String, Path, description = "The room")),
    request_body(content = FileForm, content_type = "multipart/form-data"), responses(
    (status = 200, body = Succeeded<MediaAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn media(State(api): State<Shared>, upload: Upload<Caller<LoggedIn, UserUpload>>) -> Answer {
    let Upload { call, form } = upload;
    let sender = FileSender::User(Box::new(call.account.clone()));
    let permit = api.services.permit_file(sender, call.input.room_id).await?;
    let (arrival, _) = form.receive(permit, &TEXTS).await?;
    success(MediaAnswer { file: arrival.keep().into() })
}

static CONFIRM: Schema = Schema::open(&[
    optional("msg", text(TEXT_LIMIT)),
    optional("description", text(TEXT_LIMIT)),
    optional("tmid", text(ID_LIMIT)),
    optional("fileName", text(1_024)),
]);

/// What is said of a file that was sent.
#[derive(Deserialize, ToSchema)]
pub struct ConfirmBody {
    /// The text of the message.
    msg: Option<String>,
    /// What stands below the file.
    description: Option<String>,
    /// The message that it answers.
    tmid: Option<String>,
    /// What the file is called, if it is not what it came as.
    #[serde(rename = "fileName")]
    file_name: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    room_id: String,
    #[serde(skip)]
    #[schema(ignore)]
    file_id: String,
}

impl Input for ConfirmBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<ConfirmBody, ApiError> {
        let body: ConfirmBody = typed_body(&CONFIRM, given)?;
        Ok(ConfirmBody { room_id: path.get("rid"), file_id: path.get("fileId"), ..body })
    }
}

/// Posts the message that shows a file which the caller sent for this room.
#[utoipa::path(post, path = "/api/v1/rooms.mediaConfirm/{rid}/{fileId}", tag = "Rooms",
    params(("rid" = String, Path, description = "The room"), ("fileId" = String, Path, description = "The file")),
    request_body = ConfirmBody, responses(
    (status = 200, body = Succeeded<MessageAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn confirm(State(api): State<Shared>, caller: Caller<LoggedIn, ConfirmBody>) -> Answer {
    let ConfirmBody { msg, description, tmid, file_name, room_id, file_id } = caller.input;
    let caption = Caption {
        text: msg.unwrap_or_default(),
        description: description.unwrap_or_default(),
        name: file_name.filter(|name| !name.is_empty()),
        thread: tmid.filter(|id| !id.is_empty()),
    };
    let message = api.services.confirm_file(&caller.account, room_id, file_id, caption).await?;
    success(MessageAnswer { message: MessageDocument::new(&message, Eyes::User(&caller.account.user.id)) })
}
