//! Users: changing them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::password::PasswordDigest;
use usher_services::documents::UserDocument;
use usher_services::users::{OwnChanges, UserChanges};
use utoipa::ToSchema;

use super::{ANYTHING, LIMIT, LONG_LIMIT, UserAnswer, password};
use crate::access::{Delicate, EditOtherUserActiveStatus, LoggedIn};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

static DATA: Schema = Schema::open(&[
    optional("username", text(LIMIT)),
    optional("email", text(LIMIT)),
    optional("verified", Kind::Boolean),
    optional("name", text(LIMIT)),
    optional("nickname", text(LIMIT)),
    optional("bio", text(LONG_LIMIT)),
    optional("statusText", text(LIMIT)),
    optional("password", Kind::Any),
    optional("newPassword", Kind::Any),
    optional("currentPassword", text(LIMIT)),
    optional("requirePasswordChange", Kind::Boolean),
    optional("roles", Kind::List(&Kind::Text(LIMIT))),
    optional("active", Kind::Boolean),
    optional("customFields", Kind::Object(&ANYTHING)),
]);

static UPDATE: Schema = Schema::open(&[required("userId", text(LIMIT)), required("data", Kind::Object(&DATA))]);

static UPDATE_OWN: Schema =
    Schema::open(&[required("data", Kind::Object(&DATA)), optional("customFields", Kind::Object(&ANYTHING))]);

/// What changes of a user. What is left out stays.
#[derive(Deserialize, ToSchema)]
struct Data {
    username: Option<String>,
    email: Option<String>,
    verified: Option<bool>,
    name: Option<String>,
    nickname: Option<String>,
    bio: Option<String>,
    #[serde(rename = "statusText")]
    status_text: Option<String>,
    /// In clear, or `{digest, algorithm: "sha-256"}`.
    #[serde(default)]
    password: Value,
    /// The same for oneself.
    #[serde(default, rename = "newPassword")]
    new_password: Value,
    /// The present password, in clear or as its SHA-256.
    #[serde(rename = "currentPassword")]
    current_password: Option<String>,
    #[serde(rename = "requirePasswordChange")]
    password_change_required: Option<bool>,
    roles: Option<Vec<String>>,
    active: Option<bool>,
    #[serde(rename = "customFields")]
    #[schema(value_type = Option<Object>)]
    custom_fields: Option<Map<String, Value>>,
}

impl Data {
    fn changes(self, password: Option<PasswordDigest>) -> UserChanges {
        // Clients send the fields of their forms, also those that nobody filled in.
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        UserChanges {
            username: given(self.username),
            email: given(self.email),
            verified: self.verified,
            name: given(self.name),
            nickname: self.nickname,
            bio: self.bio,
            status_text: self.status_text,
            password,
            password_change_required: self.password_change_required,
            roles: self.roles,
            active: self.active,
            custom_fields: self.custom_fields,
        }
    }
}

/// A user and what changes of it.
#[derive(Deserialize, ToSchema)]
pub struct UpdateBody {
    #[serde(rename = "userId")]
    user_id: String,
    data: Data,
}

impl Input for UpdateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<UpdateBody, ApiError> {
        typed_body(&UPDATE, given)
    }
}

/// Changes a user. A new password ends the user's other logins.
#[utoipa::path(post, path = "/api/v1/users.update", tag = "Users", request_body = UpdateBody, responses(
    (status = 200, body = Succeeded<UserAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update(State(api): State<Shared>, caller: Caller<Delicate<LoggedIn>, UpdateBody>) -> Answer {
    let UpdateBody { user_id, mut data } = caller.input;
    let password = password(data.password.take())?;
    let user = api.services.update_user(&caller.account, user_id, data.changes(password)).await?;
    success(UserAnswer { user: UserDocument::whole(&user) })
}

/// What the caller changes of itself.
#[derive(Deserialize, ToSchema)]
pub struct UpdateOwnBody {
    data: Data,
    #[serde(rename = "customFields")]
    #[schema(value_type = Option<Object>)]
    custom_fields: Option<Map<String, Value>>,
}

impl Input for UpdateOwnBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<UpdateOwnBody, ApiError> {
        typed_body(&UPDATE_OWN, given)
    }
}

/// Changes the caller itself. Another password or e-mail address needs the present password, or a second factor shown of late.
#[utoipa::path(post, path = "/api/v1/users.updateOwnBasicInfo", tag = "Users", request_body = UpdateOwnBody, responses(
    (status = 200, body = Succeeded<UserAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update_own(State(api): State<Shared>, caller: Caller<LoggedIn, UpdateOwnBody>) -> Answer {
    let UpdateOwnBody { mut data, custom_fields } = caller.input;
    let new_password = password(data.new_password.take())?;
    let current_password = data.current_password.take().map(|given| current(&given));
    let mut changes = data.changes(new_password);
    changes.custom_fields = custom_fields.or(changes.custom_fields);
    // Clients send the address that the user has along with everything else.
    changes.email = changes.email.filter(|email| caller.account.user.email.as_ref() != Some(email));
    let is_delicate = changes.password.is_some() || changes.email.is_some();
    let is_confirmed = is_delicate && api.services.confirm(&caller.account, caller.shown, caller.address, true).await?;
    let user =
        api.services.update_own(&caller.account, OwnChanges { changes, current_password, is_confirmed }, caller.address).await?;
    success(UserAnswer { user: UserDocument::whole(&user) })
}

/// The present password: clients send its digest, people the password itself.
fn current(given: &str) -> PasswordDigest {
    let is_digest = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { PasswordDigest::of_client(given) } else { PasswordDigest::of_plain(given) }
}

static SET_ACTIVE: Schema = Schema::open(&[
    required("userId", text(LIMIT)),
    required("activeStatus", Kind::Boolean),
    optional("confirmRelinquish", Kind::Boolean),
]);

/// Whether a user may log in.
#[derive(Deserialize, ToSchema)]
pub struct SetActiveBody {
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "activeStatus")]
    active: bool,
}

impl Input for SetActiveBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<SetActiveBody, ApiError> {
        typed_body(&SET_ACTIVE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct ActiveAnswer {
    user: ActiveUser,
}

#[derive(Serialize, ToSchema)]
struct ActiveUser {
    #[serde(rename = "_id")]
    id: String,
    active: bool,
}

/// Lets a user log in, or does not any more, which ends all of its logins at once.
#[utoipa::path(post, path = "/api/v1/users.setActiveStatus", tag = "Users", request_body = SetActiveBody, responses(
    (status = 200, body = Succeeded<ActiveAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_active(State(api): State<Shared>, caller: Caller<EditOtherUserActiveStatus, SetActiveBody>) -> Answer {
    let user = api.services.set_active(caller.input.user_id, caller.input.active).await?;
    success(ActiveAnswer { user: ActiveUser { id: user.id, active: user.active } })
}
