//! Users: making and deleting them.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::password::PasswordDigest;
use usher_services::documents::UserDocument;
use usher_services::limits::{Counted, Limit};
use usher_services::users::{NewUser, Newcomer};
use utoipa::ToSchema;

use super::{ANYTHING, LIMIT, LONG_LIMIT, UserAnswer, UserSelection, password};
use crate::access::{DeleteUser, LoggedIn};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Anyone, Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static CREATE: Schema = Schema::open(&[
    required("email", text(LIMIT)),
    required("name", text(LIMIT)),
    optional("password", Kind::Any),
    required("username", text(LIMIT)),
    optional("active", Kind::Boolean),
    optional("roles", Kind::List(&Kind::Text(LIMIT))),
    optional("verified", Kind::Boolean),
    optional("requirePasswordChange", Kind::Boolean),
    optional("setRandomPassword", Kind::Boolean),
    optional("statusText", text(LIMIT)),
    optional("bio", text(LONG_LIMIT)),
    optional("nickname", text(LIMIT)),
    optional("customFields", Kind::Object(&ANYTHING)),
    optional("joinDefaultChannels", Kind::Boolean),
    optional("sendWelcomeEmail", Kind::Boolean),
]);

/// A user to be made.
#[derive(Deserialize, ToSchema)]
pub struct CreateBody {
    email: String,
    name: String,
    username: String,
    /// In clear, or `{digest, algorithm: "sha-256"}`.
    #[serde(default)]
    password: Value,
    #[serde(default = "yes")]
    active: bool,
    /// Instead of the usual role.
    roles: Option<Vec<String>>,
    #[serde(default)]
    verified: bool,
    #[serde(default, rename = "requirePasswordChange")]
    password_change_required: bool,
    /// Nobody knows the password.
    #[serde(default, rename = "setRandomPassword")]
    random_password: bool,
    #[serde(default, rename = "statusText")]
    status_text: String,
    bio: Option<String>,
    nickname: Option<String>,
    #[serde(default, rename = "customFields")]
    #[schema(value_type = Object)]
    custom_fields: Map<String, Value>,
}

fn yes() -> bool {
    true
}

impl Input for CreateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CreateBody, ApiError> {
        typed_body(&CREATE, given)
    }
}

/// Makes a user.
#[utoipa::path(post, path = "/api/v1/users.create", tag = "Users", request_body = CreateBody, responses(
    (status = 200, body = Succeeded<UserAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn create(State(api): State<Shared>, caller: Caller<LoggedIn, CreateBody>) -> Answer {
    let body = caller.input;
    let password = password(body.password)?.filter(|_| !body.random_password);
    if password.is_none() && !body.random_password {
        return Err(ApiError::typed_body("must have required property 'password'".to_owned()));
    }
    let new = NewUser {
        username: body.username,
        email: body.email,
        name: body.name,
        password,
        active: body.active,
        roles: body.roles,
        verified: body.verified,
        password_change_required: body.password_change_required,
        status_text: body.status_text,
        bio: body.bio,
        nickname: body.nickname,
        custom_fields: body.custom_fields,
    };
    let user = api.services.create_user(&caller.account, new).await?;
    success(UserAnswer { user: UserDocument::whole(&user) })
}

static DELETE: Schema = Schema::open(&[
    optional("userId", text(LIMIT)),
    optional("username", text(LIMIT)),
    optional("user", text(LIMIT)),
    optional("confirmRelinquish", Kind::Boolean),
]);

/// The user to be deleted: `userId` or `username`.
#[derive(Deserialize)]
pub struct DeleteBody(UserSelection);

impl Input for DeleteBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<DeleteBody, ApiError> {
        typed_body(&DELETE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct DeletedAnswer {
    /// Rooms that went with the user.
    #[serde(rename = "deletedRooms")]
    rooms: Vec<String>,
}

/// Deletes a user with everything that belongs to it.
#[utoipa::path(post, path = "/api/v1/users.delete", tag = "Users",
    request_body(content = Object, description = "`{userId}` or `{username}`"), responses(
    (status = 200, body = Succeeded<DeletedAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete(State(api): State<Shared>, caller: Caller<DeleteUser, DeleteBody>) -> Answer {
    api.services.delete_user(caller.input.0.required()?).await?;
    success(DeletedAnswer { rooms: Vec::new() })
}

static REGISTER: Schema = Schema::open(&[
    required("username", text(LIMIT)),
    required("email", text(LIMIT)),
    required("pass", text(LIMIT)),
    required("name", text(LIMIT)),
    optional("secretURL", text(LIMIT)),
    optional("reason", text(LONG_LIMIT)),
]);

/// Somebody who registers.
#[derive(Deserialize, ToSchema)]
pub struct RegisterBody {
    username: String,
    email: String,
    pass: String,
    name: String,
    #[serde(rename = "secretURL")]
    secret: Option<String>,
    /// Why, where an administrator lets newcomers in.
    reason: Option<String>,
}

impl Input for RegisterBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RegisterBody, ApiError> {
        let body: RegisterBody = typed_body(&REGISTER, given)?;
        if body.pass.is_empty() {
            return Err(ApiError::typed_body("must NOT have fewer than 1 characters".to_owned()));
        }
        Ok(body)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::Accounts, address.to_string())]
    }
}

/// Makes an account for whoever asks, where settings let everybody in.
#[utoipa::path(post, path = "/api/v1/users.register", tag = "Users", request_body = RegisterBody, responses(
    (status = 200, body = Succeeded<UserAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn register(State(api): State<Shared>, anyone: Anyone<RegisterBody>) -> Answer {
    if anyone.account.is_some() {
        return Err(ApiError::text("Logged in users can not register again."));
    }
    let body = anyone.call.input;
    let newcomer = Newcomer {
        username: body.username,
        email: body.email,
        name: body.name,
        password: PasswordDigest::of_plain(&body.pass),
        secret: body.secret,
        reason: body.reason,
    };
    let user = api.services.register_user(newcomer).await?;
    success(UserAnswer { user: UserDocument::whole(&user) })
}
