//! Closing rooms, joining them, and what visitors think of them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::rooms::{ClosingByUser, TranscriptByMail};
use utoipa::{IntoParams, ToSchema};

use crate::access::{CloseRoom, ViewRoom};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, Visitor, VisitorInput, legacy};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most tags that a room is given at once.
pub(super) const TAG_LIMIT: usize = 100;

/// Refuses more tags than a room is given.
pub(super) fn check_tags(tags: &[String]) -> Result<(), ApiError> {
    let told = || ApiError::legacy_parameters(format!("must NOT have more than {TAG_LIMIT} items"));
    if tags.len() > TAG_LIMIT { Err(told()) } else { Ok(()) }
}

static CLOSE: Schema = Schema::closed(&[required("rid", text(128)), required("token", text(1_024))]);

/// A visitor's room.
#[derive(Deserialize, ToSchema)]
pub struct CloseBody {
    /// The room.
    rid: String,
    /// The visitor's token.
    token: String,
}

impl Input for CloseBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CloseBody, ApiError> {
        legacy(&CLOSE, given)
    }
}

impl VisitorInput for CloseBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct CloseAnswer {
    /// The room.
    rid: String,
    /// What is said of its end.
    comment: &'static str,
}

/// Closes a visitor's own room.
#[utoipa::path(post, path = "/api/v1/livechat/room.close", tag = "Omnichannel Rooms", request_body = CloseBody, responses(
    (status = 200, body = Succeeded<CloseAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn by_visitor(State(api): State<Shared>, call: Visitor<CloseBody>) -> Answer {
    let rid = call.input.rid;
    let comment = api.services.close_by_visitor(call.token, rid.clone()).await?;
    success(CloseAnswer { rid, comment })
}

static MAIL: Schema = Schema::closed(&[required("email", text(320)), required("subject", text(1_024))]);

static TRANSCRIPT: Schema =
    Schema::closed(&[required("sendToVisitor", Kind::Boolean), optional("requestData", Kind::Object(&MAIL)).nullable()]);

static CLOSE_BY_USER: Schema = Schema::closed(&[
    required("rid", text(128)),
    optional("comment", text(10_000)).nullable(),
    optional("tags", Kind::List(&Kind::Text(512))).nullable(),
    optional("generateTranscriptPdf", Kind::Boolean).nullable(),
    optional("transcriptEmail", Kind::Object(&TRANSCRIPT)).nullable(),
    optional("forceClose", Kind::Boolean).nullable(),
]);

/// A room and what is said of its end.
#[derive(Deserialize, ToSchema)]
pub struct CloseByUserBody {
    /// The room.
    rid: String,
    /// What is said of it.
    comment: Option<String>,
    /// Tags that it gets.
    tags: Option<Vec<String>>,
    /// Whether the transcript is printed as a PDF.
    #[serde(rename = "generateTranscriptPdf")]
    prints: Option<bool>,
    /// Whether the transcript goes to the visitor by mail. Left out, whoever asked before is heard.
    #[serde(rename = "transcriptEmail")]
    transcript: Option<TranscriptBody>,
    /// Whether a room that is closed already is no error, where the setting allows it.
    #[serde(rename = "forceClose")]
    force: Option<bool>,
}

/// Whether a transcript goes by mail.
#[derive(Deserialize, ToSchema)]
pub struct TranscriptBody {
    /// Whether it does.
    #[serde(rename = "sendToVisitor")]
    to_visitor: bool,
    /// The mail.
    #[serde(rename = "requestData")]
    mail: Option<TranscriptMailBody>,
}

/// The mail that a transcript goes with.
#[derive(Deserialize, ToSchema)]
pub struct TranscriptMailBody {
    /// The address.
    email: String,
    /// The subject.
    subject: String,
}

impl Input for CloseByUserBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CloseByUserBody, ApiError> {
        let body: CloseByUserBody = legacy(&CLOSE_BY_USER, given)?;
        check_tags(body.tags.as_deref().unwrap_or_default())?;
        Ok(body)
    }
}

/// Closes a room in the caller's name.
#[utoipa::path(post, path = "/api/v1/livechat/room.closeByUser", tag = "Omnichannel Rooms", request_body = CloseByUserBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn by_user(State(api): State<Shared>, caller: Caller<CloseRoom, CloseByUserBody>) -> Answer {
    let CloseByUserBody { rid, comment, tags, prints, transcript, force } = caller.input;
    let transcript = transcript.map(|TranscriptBody { to_visitor, mail }| {
        let (email, subject) = mail.map(|mail| (mail.email, mail.subject)).unzip();
        TranscriptByMail { to_visitor, email, subject }
    });
    let closing = ClosingByUser {
        room_id: rid,
        comment: comment.unwrap_or_default(),
        tags: tags.unwrap_or_default(),
        client_action: true,
        transcript,
        prints: prints.unwrap_or(false),
        force: force.unwrap_or(false),
    };
    api.services.close_by_user(&caller.account, closing).await?;
    success(Done {})
}

static JOIN: Schema = Schema::closed(&[required("roomId", text(128))]);

/// A room to join.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JoinQuery {
    /// Which.
    #[serde(rename = "roomId")]
    room_id: String,
}

impl Input for JoinQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<JoinQuery, ApiError> {
        legacy(&JOIN, given)
    }
}

/// Puts an open room into the caller's list. Whoever serves it goes on doing so.
#[utoipa::path(get, path = "/api/v1/livechat/room.join", tag = "Omnichannel Rooms", params(JoinQuery), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn join(State(api): State<Shared>, caller: Caller<ViewRoom, JoinQuery>) -> Answer {
    api.services.join_room(&caller.account, caller.input.room_id).await?;
    success(Done {})
}

static ANSWER: Schema = Schema::closed(&[required("name", text(128)), required("value", text(10_000))]);

static SURVEY: Schema = Schema::closed(&[
    required("rid", text(128)),
    required("token", text(1_024)),
    required("data", Kind::List(&Kind::Object(&ANSWER))),
]);

/// What a visitor thinks of a room.
#[derive(Deserialize, ToSchema)]
pub struct SurveyBody {
    /// The room.
    rid: String,
    /// The visitor's token.
    token: String,
    /// The answers.
    data: Vec<SurveyItem>,
}

/// An answer to one of the questions of a survey.
#[derive(Deserialize, ToSchema)]
pub struct SurveyItem {
    /// `satisfaction`, `agentKnowledge`, `agentResposiveness`, `agentFriendliness` or `additionalFeedback`.
    name: String,
    /// From `1` to `5`; to the last of these a text.
    value: String,
}

impl Input for SurveyBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<SurveyBody, ApiError> {
        let body: SurveyBody = legacy(&SURVEY, given)?;
        if body.data.is_empty() {
            return Err(ApiError::legacy_parameters("must NOT have fewer than 1 items".to_owned()));
        }
        Ok(body)
    }
}

impl VisitorInput for SurveyBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct SurveyAnswer {
    /// The room.
    rid: String,
    /// The answers that were kept.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Keeps what a visitor thinks of a room, be it open or closed.
#[utoipa::path(post, path = "/api/v1/livechat/room.survey", tag = "Omnichannel Rooms", request_body = SurveyBody, responses(
    (status = 200, body = Succeeded<SurveyAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn survey(State(api): State<Shared>, call: Visitor<SurveyBody>) -> Answer {
    let SurveyBody { rid, data, .. } = call.input;
    let answers = data.into_iter().map(|item| (item.name, item.value)).collect();
    let data = api.services.save_survey(call.token, rid.clone(), answers).await?;
    success(SurveyAnswer { rid, data })
}
