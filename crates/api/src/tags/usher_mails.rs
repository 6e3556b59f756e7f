//! What became of mails, for administrators.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::mail::MailState;
use usher_services::documents::MailDocument;
use usher_services::mails::MailPage;
use utoipa::{IntoParams, ToSchema};

use crate::access::{EditPrivilegedSetting, ViewPrivilegedSetting};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static LIST: Schema = Schema::closed(&[optional("state", Kind::OneOf(&["waiting", "sent", "failed"]))]).paged();

/// Which mails.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MailsQuery {
    /// Only those that are `waiting`, `sent` or `failed`.
    state: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for MailsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<MailsQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

/// A page of mails.
#[derive(Serialize, ToSchema)]
pub struct MailsAnswer {
    /// Each with `_id`, `kind` (`offline-message` or `transcript`), `state`, `attempts`, `nextAttemptAt` as long as it waits, `failure`
    /// as a code, `createdAt` and `_updatedAt`.
    #[schema(value_type = Vec<Object>)]
    mails: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The mails of the last weeks, the newest first: how far each is and what went wrong, and nothing of what is in them.
#[utoipa::path(get, path = "/api/v1/usher/mails", tag = "Usher Mails", params(MailsQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<MailsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewPrivilegedSetting, MailsQuery>) -> Answer {
    let page = caller.input.paging.page(&api.services.platform().settings)?;
    let state = caller.input.state.as_deref().and_then(MailState::from_name);
    let (mails, total) = api.services.mails(MailPage { state, offset: page.offset, count: page.count }).await?;
    let mails = page.show(mails.iter().map(MailDocument::from))?;
    success(MailsAnswer { count: mails.len(), mails, offset: page.offset, total })
}

static RETRY: Schema = Schema::closed(&[required("mailId", text(128))]);

/// A mail that is to be tried again.
#[derive(Deserialize, ToSchema)]
pub struct MailRetryBody {
    /// Which.
    #[serde(rename = "mailId")]
    mail_id: String,
}

impl Input for MailRetryBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<MailRetryBody, ApiError> {
        typed_body(&RETRY, given)
    }
}

/// Tries a mail again at once that was given up or waits for its next attempt.
#[utoipa::path(post, path = "/api/v1/usher/mails.retry", tag = "Usher Mails", request_body = MailRetryBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn retry(State(api): State<Shared>, caller: Caller<EditPrivilegedSetting, MailRetryBody>) -> Answer {
    api.services.retry_mail(caller.input.mail_id).await?;
    success(Done {})
}
