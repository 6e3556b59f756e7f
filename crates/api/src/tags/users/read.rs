//! Users: looking at one.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::permission::VIEW_FULL_OTHER_USER_INFO;
use usher_services::documents::{UserDocument, avatar_url};
use usher_services::users::UserChoice;
use utoipa::{IntoParams, ToSchema};

use super::{LIMIT, UserSelection};
use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Public, Source, typed_query};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

static INFO: Schema = Schema::open(&[
    optional("userId", text(LIMIT)),
    optional("username", text(LIMIT)),
    optional("user", text(LIMIT)),
    optional("email", text(LIMIT)),
    optional("includeUserRooms", Kind::Boolean),
])
.paged();

/// Which user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InfoQuery {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    username: Option<String>,
    /// The same as `username`.
    user: Option<String>,
    email: Option<String>,
}

impl Input for InfoQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<InfoQuery, ApiError> {
        typed_query(&INFO, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct InfoAnswer<'a> {
    user: SeenUser<'a>,
}

#[derive(Serialize, ToSchema)]
struct SeenUser<'a> {
    #[serde(flatten)]
    user: UserDocument<'a>,
    /// Whether the caller may see all that is known of everybody.
    #[serde(rename = "canViewAllInfo")]
    sees_all: bool,
}

/// A user, as far as the caller may see it.
#[utoipa::path(get, path = "/api/v1/users.info", tag = "Users", params(InfoQuery), responses(
    (status = 200, body = Succeeded<InfoAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn info(State(api): State<Shared>, caller: Caller<LoggedIn, InfoQuery>) -> Answer {
    let InfoQuery { user_id, username, user, email } = caller.input;
    let by_email = email.filter(|email| !email.trim().is_empty()).map(UserChoice::Email);
    let selection = UserSelection { user_id, username, user };
    let choice = match (selection.clone().choice(), by_email) {
        (None, Some(by_email)) => by_email,
        _ => selection.required()?,
    };
    let seen = api.services.see_user(&caller.account, choice).await?;
    let sees_all = api.services.permits(&caller.account.user, VIEW_FULL_OTHER_USER_INFO);
    success(InfoAnswer { user: SeenUser { user: (&seen).into(), sees_all } })
}

static AVATAR: Schema =
    Schema::open(&[optional("userId", text(LIMIT)), optional("username", text(LIMIT)), optional("user", text(LIMIT))]);

/// Whose picture.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AvatarQuery {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    username: Option<String>,
    /// The same as `username`.
    user: Option<String>,
}

impl Input for AvatarQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<AvatarQuery, ApiError> {
        typed_query(&AVATAR, given)
    }
}

/// Sends to the picture of a user.
#[utoipa::path(get, path = "/api/v1/users.getAvatar", tag = "Users", params(AvatarQuery), responses(
    (status = 307, description = "`Location` is where the picture is"),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn avatar(State(api): State<Shared>, call: Public<AvatarQuery>) -> Answer {
    let AvatarQuery { user_id, username, user } = call.input;
    let choice = UserSelection { user_id, username, user }.required()?;
    let found = api.services.user(choice).await?.ok_or(usher_services::Refusal::NoSuchUser)?;
    let platform = api.services.platform();
    let place = HeaderValue::try_from(avatar_url(&found, &platform));
    // Administrators may have put anything into the address of this server.
    let place = place
        .or_else(|_| HeaderValue::try_from(format!("/avatar/{}", found.username)))
        .map_err(|_| ApiError::broken("a user name cannot be in a header"))?;
    Ok((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, place)]).into_response())
}
