//! Livechat: what the widget asks before anything else.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::visitor::VisitorToken;
use utoipa::{IntoParams, ToSchema};

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Public, Source, typed_query};
use crate::parse::schema::{Schema, optional, text};
use crate::{ApiError, Shared};

static CONFIG: Schema =
    Schema::open(&[optional("token", text(1_024)), optional("department", text(128)), optional("businessUnit", text(128))]);

/// Who asks, if it is known, and for which part of the site.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConfigQuery {
    /// The visitor's token. One that nobody has is no error.
    token: Option<String>,
    /// The id of a department.
    #[expect(dead_code, reason = "there are no departments to choose among; the parameter is documented and accepted")]
    department: Option<String>,
    /// The id of a unit.
    #[serde(rename = "businessUnit")]
    #[expect(dead_code, reason = "there are no units to choose among; the parameter is documented and accepted")]
    business_unit: Option<String>,
}

impl Input for ConfigQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ConfigQuery, ApiError> {
        typed_query(&CONFIG, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct ConfigAnswer {
    /// How the widget looks and behaves; only `enabled` where livechat is switched off.
    #[schema(value_type = Object)]
    config: Value,
}

/// The widget's configuration, with the guest and its open room if the token is known.
#[utoipa::path(get, path = "/api/v1/livechat/config", tag = "Livechat", params(ConfigQuery), responses(
    (status = 200, body = Succeeded<ConfigAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn config(State(api): State<Shared>, call: Public<ConfigQuery>) -> Answer {
    let token = call.input.token.and_then(VisitorToken::new);
    let config = api.services.livechat_config(token).await?;
    success(ConfigAnswer { config })
}
