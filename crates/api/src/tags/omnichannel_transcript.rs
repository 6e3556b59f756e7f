//! Transcripts of chats, by mail and printed.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::limits::{Counted, Limit};
use usher_services::transcripts::WantedTranscript;
use utoipa::ToSchema;

use crate::access::{RequestPrintedTranscript, SendTranscript};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, Visitor, VisitorInput, legacy, typed_body};
use crate::parse::schema::{Schema, optional, required, text};
use crate::{ApiError, Shared};

static OWN: Schema = Schema::closed(&[
    required("rid", text(128)),
    required("token", text(1_024)),
    required("email", text(320)),
    optional("subject", text(1_024)),
]);

/// What a visitor wants to have in writing.
#[derive(Deserialize, ToSchema)]
pub struct OwnTranscriptBody {
    /// The room.
    #[serde(rename = "rid")]
    room_id: String,
    /// The visitor's token.
    token: String,
    /// Where it goes.
    email: String,
    /// Taken because clients send it; the subject is that of the settings.
    #[expect(dead_code, reason = "it is documented and accepted, and the subject is the settings'")]
    subject: Option<String>,
}

impl Input for OwnTranscriptBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<OwnTranscriptBody, ApiError> {
        typed_body(&OWN, given)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::Transcripts, address.to_string())]
    }
}

impl VisitorInput for OwnTranscriptBody {
    fn token(&self) -> &str {
        &self.token
    }

    fn nobody() -> ApiError {
        ApiError::plain("error-invalid-visitor")
    }
}

#[derive(Serialize, ToSchema)]
pub struct OwnTranscriptAnswer {
    message: &'static str,
}

/// Sends a visitor the transcript of its chat, be it open or closed.
#[utoipa::path(post, path = "/api/v1/livechat/transcript", tag = "Omnichannel Transcript", request_body = OwnTranscriptBody, responses(
    (status = 200, body = Succeeded<OwnTranscriptAnswer>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn send(State(api): State<Shared>, call: Visitor<OwnTranscriptBody>) -> Answer {
    let OwnTranscriptBody { room_id, email, .. } = call.input;
    let wanted = WantedTranscript { room_id, email, subject: String::new() };
    api.services.send_transcript_to_visitor(call.token, wanted).await?;
    success(OwnTranscriptAnswer { message: "Omnichannel transcript sent" })
}

static REQUEST: Schema = Schema::closed(&[required("email", text(320)), required("subject", text(1_024))]);

/// A transcript that is to be sent later.
#[derive(Deserialize, ToSchema)]
pub struct TranscriptRequestBody {
    /// Where it goes.
    email: String,
    /// The subject of the mail; a general one while it is empty.
    subject: String,
    #[serde(skip)]
    #[schema(ignore)]
    room_id: String,
}

impl Input for TranscriptRequestBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<TranscriptRequestBody, ApiError> {
        let body: TranscriptRequestBody = legacy(&REQUEST, given)?;
        Ok(TranscriptRequestBody { room_id: path.get("rid"), ..body })
    }
}

/// Notes that the transcript of an open chat is to be sent when it is closed.
#[utoipa::path(post, path = "/api/v1/livechat/transcript/{rid}", tag = "Omnichannel Transcript",
    params(("rid" = String, Path, description = "The room")), request_body = TranscriptRequestBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn request(State(api): State<Shared>, caller: Caller<SendTranscript, TranscriptRequestBody>) -> Answer {
    let TranscriptRequestBody { email, subject, room_id } = caller.input;
    api.services.request_transcript(&caller.account.user, WantedTranscript { room_id, email, subject }).await?;
    success(Done {})
}

/// The room in the path.
pub struct RoomPath(String);

impl Input for RoomPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<RoomPath, ApiError> {
        Ok(RoomPath(path.get("rid")))
    }
}

/// Forgets that the transcript of an open chat was to be sent when it is closed.
#[utoipa::path(delete, path = "/api/v1/livechat/transcript/{rid}", tag = "Omnichannel Transcript",
    params(("rid" = String, Path, description = "The room")), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn discard(State(api): State<Shared>, caller: Caller<SendTranscript, RoomPath>) -> Answer {
    api.services.discard_transcript(caller.input.0).await?;
    success(Done {})
}

/// Has the transcript of a closed chat printed as a PDF, which then is shown in the chat. One that is there already, or was asked for within
/// the last 15 seconds, is not printed again.
#[utoipa::path(post, path = "/api/v1/omnichannel/{rid}/request-transcript", tag = "Omnichannel Transcript",
    params(("rid" = String, Path, description = "The room")), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn print(State(api): State<Shared>, caller: Caller<RequestPrintedTranscript, RoomPath>) -> Answer {
    api.services.request_printed_transcript(&caller.account, caller.input.0).await?;
    success(Done {})
}
