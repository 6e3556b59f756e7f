//! Authentication: logging in and out, and who one is.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use usher_services::Refusal;
use usher_services::documents::AccountDocument;
use usher_services::limits::{Counted, Limit};
use usher_services::logins::LoginForm;
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, json, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Public, Source, shown};
use crate::{ApiError, Shared};

/// How somebody logs in.
pub struct LoginBody(LoginForm);

impl Input for LoginBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<LoginBody, ApiError> {
        let form = given.as_object().and_then(LoginForm::read);
        form.map(LoginBody).ok_or(ApiError::LoginRefused(Refusal::WrongPassword))
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::Logins, format!("{address} {}", self.0.name()))]
    }
}

#[derive(Serialize, ToSchema)]
pub struct LoginAnswer<'a> {
    status: &'static str,
    data: LoginData<'a>,
    success: bool,
}

#[derive(Serialize, ToSchema)]
struct LoginData<'a> {
    #[serde(rename = "userId")]
    user_id: &'a str,
    /// To be sent as `X-Auth-Token` from now on.
    #[serde(rename = "authToken")]
    token: &'a str,
    me: AccountDocument<'a>,
}

/// Logs a user in.
#[utoipa::path(post, path = "/api/v1/login", tag = "Authentication",
    request_body(content = Object, description = "`{user, password}`, `{username, password}`, `{email, password}` or `{resume}`; \
        `password` may be `{digest, algorithm: \"sha-256\"}`; `code` is one of the second factor"), responses(
    (status = 200, body = LoginAnswer<'static>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_in(State(api): State<Shared>, call: Public<LoginBody>) -> Answer {
    let mut form = call.input.0;
    if let LoginForm::Password { code: code @ None, .. } = &mut form {
        *code = shown(&call.head.headers).code;
    }
    let login = api.services.log_in(form, call.address).await.map_err(ApiError::of_login)?;
    let platform = api.services.platform();
    let me = AccountDocument::at_login(&login.user, &platform);
    let data = LoginData { user_id: &login.user.id, token: &login.token, me };
    json(StatusCode::OK, &LoginAnswer { status: "success", data, success: true })
}

#[derive(Serialize, ToSchema)]
pub struct LogoutAnswer {
    status: &'static str,
    data: LogoutData,
}

#[derive(Serialize, ToSchema)]
struct LogoutData {
    message: &'static str,
}

/// Ends the login whose token was presented.
#[utoipa::path(post, path = "/api/v1/logout", tag = "Authentication", responses(
    (status = 200, body = LogoutAnswer),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_out(State(api): State<Shared>, caller: Caller) -> Answer {
    api.services.log_out(&caller.account).await?;
    let data = LogoutData { message: "You've been logged out!" };
    json(StatusCode::OK, &LogoutAnswer { status: "success", data })
}

/// The same: older clients call it with GET.
#[utoipa::path(get, path = "/api/v1/logout", tag = "Authentication", responses(
    (status = 200, body = LogoutAnswer),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_out_by_get(api: State<Shared>, caller: Caller) -> Answer {
    log_out(api, caller).await
}

/// The user who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "Authentication", responses(
    (status = 200, body = Succeeded<AccountDocument<'static>>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn me(State(api): State<Shared>, caller: Caller) -> Answer {
    success(AccountDocument::of(&caller.account.user, &api.services.platform()))
}
