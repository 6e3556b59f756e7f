//! Files that visitors send.

use std::net::IpAddr;

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use usher_services::documents::{Eyes, MessageDocument};
use usher_services::files::{Caption, FileSender};
use usher_services::limits::{Counted, Limit};
use usher_services::{Error, Refusal};
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Source, Upload, Visitor, VisitorInput};
use crate::{ApiError, Shared};

/// The texts that a visitor's form may have. Some are taken because clients send them, and say nothing here.
const TEXTS: [&str; 5] = ["description", "msg", "avatar", "emoji", "alias"];

/// Whose room the file is for.
pub struct VisitorUpload {
    room_id: String,
    token: String,
}

impl Input for VisitorUpload {
    const SOURCE: Source = Source::VisitorHeader;

    fn read(given: Value, path: &Path) -> Result<VisitorUpload, ApiError> {
        let token = given["token"].as_str().unwrap_or_default().to_owned();
        Ok(VisitorUpload { room_id: path.get("rid"), token })
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Messages, self.token.clone())]
    }
}

impl VisitorInput for VisitorUpload {
    fn token(&self) -> &str {
        &self.token
    }

    fn nobody() -> ApiError {
        ApiError::Unauthorized
    }
}

/// A file with what is said of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read part by part")]
pub struct VisitorFileForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What stands below it.
    description: Option<String>,
    /// The text of the message.
    msg: Option<String>,
    /// Taken, and not used.
    avatar: Option<String>,
    /// Taken, and not used.
    emoji: Option<String>,
    /// Taken, and not used.
    alias: Option<String>,
}

/// The message that shows the file.
#[derive(Serialize, ToSchema)]
pub struct UploadAnswer<'a> {
    #[serde(flatten)]
    message: MessageDocument<'a>,
    #[serde(rename = "newRoom")]
    is_new_room: bool,
    #[serde(rename = "showConnecting")]
    shows_connecting: bool,
}

/// Sends a file into a visitor's open room, and posts a message that shows it.
#[utoipa::path(post, path = "/api/v1/livechat/upload/{rid}", tag = "Omnichannel Rooms",
    params(("rid" = String, Path, description = "The room"), ("x-visitor-token" = String, Header, description = "The visitor's token")),
    request_body(content = VisitorFileForm, content_type = "multipart/form-data"), responses(
    (status = 200, body = Succeeded<UploadAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn by_visitor(State(api): State<Shared>, upload: Upload<Visitor<VisitorUpload>>) -> Answer {
    let Upload { call: Visitor { token, input, .. }, form } = upload;
    let sender = FileSender::Visitor(token.clone());
    let permit = api.services.permit_file(sender, input.room_id).await.map_err(in_words_of_widgets)?;
    let (arrival, mut texts) = form.receive(permit, &TEXTS).await.map_err(in_words_of_widgets)?;
    let mut text = |name: &str| texts.remove(name).unwrap_or_default();
    let caption = Caption { text: text("msg"), description: text("description"), ..Caption::default() };
    let message = api.services.post_visitor_file(token.clone(), arrival, caption).await.map_err(in_words_of_widgets)?;
    success(UploadAnswer {
        message: MessageDocument::new(&message, Eyes::Visitor(token.as_str())),
        is_new_room: false,
        shows_connecting: api.services.shows_connecting(),
    })
}

/// What goes wrong, as widgets read it: they look at the reason.
fn in_words_of_widgets(error: Error) -> ApiError {
    let Error::Refused(refusal) = error else { return error.into() };
    match refusal {
        Refusal::FilesDisabled => ApiError::of_file("error-file-upload-disabled", None),
        Refusal::FileTypeNotAllowed => ApiError::of_file("error-type-not-allowed", None),
        Refusal::FileTooLarge { .. } => ApiError::of_file("error-size-not-allowed", Some(refusal)),
        Refusal::NoFile => ApiError::of_file("error-no-file-uploaded", Some(refusal)),
        Refusal::InvalidToken | Refusal::InvalidRoom | Refusal::RoomClosed | Refusal::NoSuchFile => ApiError::Unauthorized,
        other => other.into(),
    }
}
