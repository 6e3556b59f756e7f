//! Authentication: logging in and out, and who one is.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use usher_domain::password::PasswordDigest;
use usher_services::Refusal;
use usher_services::documents::AccountDocument;
use usher_services::logins::LoginName;
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, json, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Public, Source};
use crate::limits::{Counted, Limit};
use crate::{ApiError, Shared};

/// The most characters of a name, a password or a token.
const LIMIT: usize = 1_024;

/// How somebody logs in.
pub enum LoginBody {
    /// By name and password.
    Password(LoginName, PasswordDigest),
    /// By the token of an earlier login, which goes on.
    Resume(String),
}

impl Input for LoginBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<LoginBody, ApiError> {
        let form = given.as_object().and_then(form);
        form.ok_or(ApiError::LoginRefused(Refusal::WrongPassword))
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        let name = match self {
            LoginBody::Password(LoginName::Username(name) | LoginName::Email(name), _) => name.to_lowercase(),
            LoginBody::Resume(_) => String::new(),
        };
        vec![(Limit::Logins, format!("{address} {name}"))]
    }
}

/// Reads the forms in which clients log in: `user` (a name or address, or an object with one of them), `username` or `email` with
/// `password`, or `resume`.
fn form(given: &Map<String, Value>) -> Option<LoginBody> {
    if let Some(token) = given.get("resume") {
        return Some(LoginBody::Resume(bounded(token)?));
    }
    let name = match given.get("user") {
        Some(Value::Object(user)) => named(user)?,
        Some(user) => {
            let user = bounded(user)?;
            if user.contains('@') { LoginName::Email(user) } else { LoginName::Username(user) }
        }
        None => named(given)?,
    };
    Some(LoginBody::Password(name, password(given.get("password")?)?))
}

fn named(given: &Map<String, Value>) -> Option<LoginName> {
    match (given.get("username"), given.get("email")) {
        (Some(username), _) => bounded(username).map(LoginName::Username),
        (None, Some(email)) => bounded(email).map(LoginName::Email),
        (None, None) => None,
    }
}

/// A password in clear, or as the digest that a client computed.
fn password(given: &Value) -> Option<PasswordDigest> {
    match given {
        Value::String(_) => bounded(given).map(|plain| PasswordDigest::of_plain(&plain)),
        Value::Object(object) => {
            let is_known = object.get("algorithm").is_none_or(|algorithm| algorithm == "sha-256");
            let digest = object.get("digest").or_else(|| object.get("hashed")).filter(|_| is_known)?;
            bounded(digest).map(|digest| PasswordDigest::of_client(&digest))
        }
        _ => None,
    }
}

/// A text that can be looked up: not empty, not too long, without NUL.
fn bounded(given: &Value) -> Option<String> {
    let text = given.as_str()?;
    let can_be = !text.is_empty() && !text.contains('\0') && text.chars().nth(LIMIT).is_none();
    can_be.then(|| text.to_owned())
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
        `password` may be `{digest, algorithm: \"sha-256\"}`"), responses(
    (status = 200, body = LoginAnswer<'static>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_in(State(api): State<Shared>, call: Public<LoginBody>) -> Answer {
    let login = match call.input {
        LoginBody::Password(name, password) => api.services.log_in(name, password).await,
        LoginBody::Resume(token) => api.services.resume(token).await,
    };
    let login = login.map_err(ApiError::of_login)?;
    let data = LoginData { user_id: &login.account.user.id, token: &login.token, me: (&login.account).into() };
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
    (status = 503, body = Failed),
))]
pub async fn log_out(State(api): State<Shared>, caller: Caller) -> Answer {
    api.services.log_out(&caller.token).await?;
    let data = LogoutData { message: "You've been logged out!" };
    json(StatusCode::OK, &LogoutAnswer { status: "success", data })
}

/// The same: older clients call it with GET.
#[utoipa::path(get, path = "/api/v1/logout", tag = "Authentication", responses(
    (status = 200, body = LogoutAnswer),
    (status = 401, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn log_out_by_get(api: State<Shared>, caller: Caller) -> Answer {
    log_out(api, caller).await
}

/// The user who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "Authentication", responses(
    (status = 200, body = Succeeded<AccountDocument<'static>>),
    (status = 401, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn me(caller: Caller) -> Answer {
    success(AccountDocument::from(&caller.account))
}
