//! Pictures of users: the first letter of a name on a coloured ground. Unknown names have one as well, because visitors have no accounts.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use usher_domain::settings::{AVATAR_CACHE_SECONDS, AVATAR_PROTECTED, Settings};
use usher_services::users::UserChoice;

use crate::extract::credentials::Credentials;
use crate::{ApiError, Shared};

/// The grounds, one of which each name gets.
const COLORS: [&str; 12] = [
    "#F44336", "#E91E63", "#9C27B0", "#673AB7", "#3F51B5", "#0277BD", "#00796B", "#388E3C", "#827717", "#E65100", "#BF360C",
    "#795548",
];

/// A picture never changes.
const DRAWN: &str = "Thu, 01 Jan 2015 00:00:00 GMT";

/// The most characters of a name that are looked at.
const NAME_LIMIT: usize = 256;

/// `/avatar/{username}`, `/avatar/uid/{userId}` and `/avatar/room/{rid}`.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/avatar/{username}", get(of_name))
        .route("/avatar/uid/{id}", get(of_user))
        .route("/avatar/room/{id}", get(of_name))
}

async fn of_name(State(api): State<Shared>, Path(name): Path<String>, request: Request) -> Result<Response, ApiError> {
    picture(&api, name.trim_start_matches('@'), request).await
}

async fn of_user(State(api): State<Shared>, Path(id): Path<String>, request: Request) -> Result<Response, ApiError> {
    let user = if id.contains('\0') { None } else { api.services.user(UserChoice::Id(id)).await? };
    picture(&api, user.as_ref().map_or("?", |user| &user.username), request).await
}

async fn picture(api: &Shared, name: &str, request: Request) -> Result<Response, ApiError> {
    let (head, _) = request.into_parts();
    let platform = api.services.platform();
    if platform.settings.get(&AVATAR_PROTECTED) && !is_logged_in(api, &Credentials::of(&head)).await? {
        return Ok((StatusCode::FORBIDDEN, "Forbidden").into_response());
    }
    let is_known = head.headers.get(IF_MODIFIED_SINCE).is_some_and(|since| since == DRAWN);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { draw(name).into_response() };
    add_headers(response.headers_mut(), &platform.settings);
    Ok(response)
}

/// Whether the request comes from somebody who is logged in.
async fn is_logged_in(api: &Shared, credentials: &Credentials<'_>) -> Result<bool, ApiError> {
    let (user_id, token) = credentials.login();
    Ok(api.services.authenticate(user_id.to_owned(), token).await?.is_some())
}

fn add_headers(headers: &mut HeaderMap, settings: &Settings) {
    let seconds = settings.get(&AVATAR_CACHE_SECONDS).max(0);
    if let Ok(cached) = HeaderValue::try_from(format!("public, max-age={seconds}")) {
        headers.insert(CACHE_CONTROL, cached);
    }
    for (name, value) in [
        (CONTENT_TYPE, "image/svg+xml"),
        (LAST_MODIFIED, DRAWN),
        (CONTENT_DISPOSITION, "inline"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The picture. Only a letter or digit of the name gets into it, so no name can write into the picture.
fn draw(name: &str) -> String {
    let letter = name.chars().take(NAME_LIMIT).find(|character| character.is_alphanumeric());
    let letter: String = letter.map_or("?".to_owned(), |letter| letter.to_uppercase().collect());
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let color = COLORS[(hasher.finish() % COLORS.len() as u64) as usize];
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 200 200\" width=\"200\" height=\"200\">\
         <rect width=\"200\" height=\"200\" fill=\"{color}\"/>\
         <text x=\"50%\" y=\"50%\" dy=\"0.36em\" text-anchor=\"middle\" fill=\"#ffffff\" font-family=\"Helvetica, Arial, sans-serif\" \
         font-size=\"125\">{letter}</text></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_picture_shows_the_first_letter_and_nothing_else_of_the_name() {
        assert!(draw("mary").contains(">M</text>"));
        assert!(draw("guest-12").contains(">G</text>"));
        assert!(draw("<script>").contains(">S</text>"), "no mark-up of a name gets into it");
        assert!(draw("éva").contains(">É</text>"));
        assert!(draw("").contains(">?</text>") && draw("--").contains(">?</text>"));
        assert_eq!(draw("mary"), draw("mary"));
    }
}
