//! Users: what they prefer, and a name for those who have none.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::users::merged_preferences;
use utoipa::ToSchema;

use super::{ANYTHING, LIMIT};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static SET: Schema = Schema::open(&[optional("userId", text(LIMIT)), required("data", Kind::Object(&ANYTHING))]);

/// What somebody prefers.
#[derive(Deserialize, ToSchema)]
pub struct PreferencesBody {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    /// Names and choices; null takes one back.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

impl Input for PreferencesBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<PreferencesBody, ApiError> {
        typed_body(&SET, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct SetPreferencesAnswer {
    user: UserWithPreferences,
}

#[derive(Serialize, ToSchema)]
struct UserWithPreferences {
    #[serde(rename = "_id")]
    id: String,
    settings: Preferences,
}

#[derive(Serialize, ToSchema)]
pub struct Preferences {
    #[schema(value_type = Object)]
    preferences: Map<String, Value>,
}

/// Says what somebody prefers: the caller, or with a permission somebody else.
#[utoipa::path(post, path = "/api/v1/users.setPreferences", tag = "Users", request_body = PreferencesBody, responses(
    (status = 200, body = Succeeded<SetPreferencesAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set(State(api): State<Shared>, caller: Caller<LoggedIn, PreferencesBody>) -> Answer {
    let PreferencesBody { user_id, data } = caller.input;
    let user_id = user_id.filter(|id| !id.is_empty());
    let user = api.services.set_preferences(&caller.account, user_id, data).await?;
    let preferences = merged_preferences(&api.services.platform(), &user).into_owned();
    success(SetPreferencesAnswer { user: UserWithPreferences { id: user.id, settings: Preferences { preferences } } })
}

/// What the caller prefers.
#[utoipa::path(get, path = "/api/v1/users.getPreferences", tag = "Users", responses(
    (status = 200, body = Succeeded<Preferences>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller) -> Answer {
    success(Preferences { preferences: merged_preferences(&api.services.platform(), &caller.account.user).into_owned() })
}

#[derive(Serialize, ToSchema)]
pub struct SuggestionAnswer {
    result: String,
}

/// A user name that nobody has yet.
#[utoipa::path(get, path = "/api/v1/users.getUsernameSuggestion", tag = "Users", responses(
    (status = 200, body = Succeeded<SuggestionAnswer>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn suggest_username(State(api): State<Shared>, caller: Caller) -> Answer {
    success(SuggestionAnswer { result: api.services.suggest_username(&caller.account).await? })
}
