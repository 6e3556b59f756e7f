//! Users: their tokens.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::documents::Date;
use utoipa::ToSchema;

use super::{LIMIT, UserSelection};
use crate::access::{Delicate, LoggedIn};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

static TOKEN: Schema = Schema::open(&[optional("tokenName", text(LIMIT)), optional("bypassTwoFactor", Kind::Boolean)]);

/// Which token.
#[derive(Deserialize, ToSchema)]
pub struct TokenBody {
    /// The name its owner gives it.
    #[serde(default, rename = "tokenName")]
    name: String,
    /// Whether the second factor is not asked for when it is used.
    #[serde(default, rename = "bypassTwoFactor")]
    bypasses: bool,
}

impl Input for TokenBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<TokenBody, ApiError> {
        let body: TokenBody = typed_body(&TOKEN, given)?;
        if body.name.trim().is_empty() {
            return Err(ApiError::text("The 'tokenName' param is required"));
        }
        Ok(body)
    }
}

#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// Shown this once.
    token: String,
}

/// Makes a personal access token: a login for a program, which lasts until it is taken back.
#[utoipa::path(post, path = "/api/v1/users.generatePersonalAccessToken", tag = "Users", request_body = TokenBody, responses(
    (status = 200, body = Succeeded<TokenAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn generate(State(api): State<Shared>, caller: Caller<Delicate<LoggedIn>, TokenBody>) -> Answer {
    let TokenBody { name, bypasses } = caller.input;
    success(TokenAnswer { token: api.services.create_personal_token(&caller.account, name, bypasses).await? })
}

/// Replaces a personal access token by another of the same name.
#[utoipa::path(post, path = "/api/v1/users.regeneratePersonalAccessToken", tag = "Users", request_body = TokenBody, responses(
    (status = 200, body = Succeeded<TokenAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn regenerate(State(api): State<Shared>, caller: Caller<Delicate<LoggedIn>, TokenBody>) -> Answer {
    success(TokenAnswer { token: api.services.renew_personal_token(&caller.account, caller.input.name).await? })
}

#[derive(Serialize, ToSchema)]
pub struct TokensAnswer {
    tokens: Vec<TokenDocument>,
}

#[derive(Serialize, ToSchema)]
struct TokenDocument {
    name: String,
    #[serde(rename = "createdAt")]
    created_at: Date,
    /// Its last characters.
    #[serde(rename = "lastTokenPart")]
    last_part: String,
    #[serde(rename = "bypassTwoFactor")]
    bypasses: bool,
}

/// The caller's personal access tokens, without what they are.
#[utoipa::path(get, path = "/api/v1/users.getPersonalAccessTokens", tag = "Users", responses(
    (status = 200, body = Succeeded<TokensAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller) -> Answer {
    let tokens = api.services.personal_tokens(&caller.account).await?.into_iter().map(|token| TokenDocument {
        name: token.name,
        created_at: Date(token.created_at),
        last_part: token.last_part,
        bypasses: token.bypasses_second_factor,
    });
    success(TokensAnswer { tokens: tokens.collect() })
}

/// Takes a personal access token back.
#[utoipa::path(post, path = "/api/v1/users.removePersonalAccessToken", tag = "Users", request_body = TokenBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn remove(State(api): State<Shared>, caller: Caller<Delicate<LoggedIn>, TokenBody>) -> Answer {
    api.services.delete_personal_token(&caller.account, caller.input.name).await?;
    success(Done {})
}

static WHOSE: Schema =
    Schema::open(&[optional("userId", text(LIMIT)), optional("username", text(LIMIT)), optional("user", text(LIMIT))]);

/// Whose: `userId` or `username`.
#[derive(Deserialize)]
pub struct WhoseBody(UserSelection);

impl Input for WhoseBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<WhoseBody, ApiError> {
        typed_body(&WHOSE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct CreatedTokenAnswer {
    data: CreatedToken,
}

#[derive(Serialize, ToSchema)]
struct CreatedToken {
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "authToken")]
    token: String,
}

/// Logs somebody else in.
#[utoipa::path(post, path = "/api/v1/users.createToken", tag = "Users",
    request_body(content = Object, description = "`{userId}` or `{username}`"), responses(
    (status = 200, body = Succeeded<CreatedTokenAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn create_token(State(api): State<Shared>, caller: Caller<LoggedIn, WhoseBody>) -> Answer {
    let login = api.services.log_in_for(&caller.account, caller.input.0.required()?).await?;
    success(CreatedTokenAnswer { data: CreatedToken { user_id: login.user.id, token: login.token } })
}

#[derive(Serialize, ToSchema)]
pub struct LoggedOutAnswer {
    message: String,
}

/// Ends every login of the caller, or with a permission of somebody else.
#[utoipa::path(post, path = "/api/v1/users.logout", tag = "Users",
    request_body(content = Object, description = "`{userId}`; the caller without it"), responses(
    (status = 200, body = Succeeded<LoggedOutAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_out(State(api): State<Shared>, caller: Caller<LoggedIn, WhoseBody>) -> Answer {
    let user_id = api.services.log_out_everywhere(&caller.account, caller.input.0.choice()).await?;
    success(LoggedOutAnswer { message: format!("User {user_id} has been logged out!") })
}
