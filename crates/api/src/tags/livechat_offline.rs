//! Livechat messages that visitors leave while nobody is there.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::mail::OfflineMessage;
use usher_services::limits::{Counted, Limit};
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Public, Source, legacy};
use crate::parse::schema::{Schema, optional, required, text};
use crate::{ApiError, Shared};

static MESSAGE: Schema = Schema::closed(&[
    required("name", text(512)),
    required("email", text(320)),
    required("message", text(100_000)),
    optional("department", text(256)),
    optional("host", text(2_048)),
]);

/// A message that a visitor leaves.
#[derive(Deserialize, ToSchema)]
pub struct OfflineMessageBody {
    /// Who leaves it.
    name: String,
    /// Where the answer goes.
    email: String,
    /// The text.
    message: String,
    /// The department it is for, by id or name.
    department: Option<String>,
    /// The page it is left on.
    host: Option<String>,
}

impl Input for OfflineMessageBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<OfflineMessageBody, ApiError> {
        legacy(&MESSAGE, given)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::OfflineMessages, address.to_string())]
    }
}

#[derive(Serialize, ToSchema)]
pub struct OfflineMessageAnswer {
    message: &'static str,
}

/// Takes a message for whoever reads them later, and sends it there by mail.
#[utoipa::path(post, path = "/api/v1/livechat/offline.message", tag = "Livechat Messages", request_body = OfflineMessageBody,
    responses(
    (status = 200, body = Succeeded<OfflineMessageAnswer>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn leave_message(State(api): State<Shared>, call: Public<OfflineMessageBody>) -> Answer {
    let OfflineMessageBody { name, email, message, department, host } = call.input;
    api.services.leave_offline_message(OfflineMessage { name, email, message, host }, department).await?;
    success(OfflineMessageAnswer { message: "Livechat offline message sent" })
}
