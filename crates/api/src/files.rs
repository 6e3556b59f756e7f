//! Handing out files, at the addresses that messages show.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::TryStreamExt;
use usher_domain::file::{self, File, Part};
use usher_domain::time::http_date;
use usher_domain::visitor::VisitorToken;
use usher_services::files::FileReader;
use usher_services::{Error, Refusal};

use crate::extract::credentials::Credentials;
use crate::{ApiError, Shared};

/// `/file-upload/{id}/{name}`. Only the id says which; the name is for those who read the address.
pub fn router() -> Router<Shared> {
    Router::new().route("/file-upload/{id}/{name}", get(fetch))
}

async fn fetch(State(api): State<Shared>, Path((id, _)): Path<(String, String)>, request: Request) -> Result<Response, ApiError> {
    let (head, _) = request.into_parts();
    let credentials = Credentials::of(&head);
    let reader = reader(&api, &credentials).await?;
    let link_token = credentials.link_token().to_owned();
    let found = if id.contains('\0') { Err(Refusal::NoSuchFile.into()) } else { api.services.file(id, reader, link_token).await };
    let file = match found {
        Ok(file) => file,
        Err(Error::Refused(Refusal::NoSuchFile)) => return Ok(StatusCode::NOT_FOUND.into_response()),
        Err(Error::Refused(_)) => return Ok(StatusCode::FORBIDDEN.into_response()),
        Err(other) => return Err(other.into()),
    };
    match answer(&api, &head, &file, credentials.has("download")).await {
        Err(Error::Refused(_)) => Ok(StatusCode::NOT_FOUND.into_response()),
        other => Ok(other?),
    }
}

/// Who asks: the visitor of a room, or a user, by the query or else by cookies.
async fn reader(api: &Shared, credentials: &Credentials<'_>) -> Result<FileReader, ApiError> {
    if credentials.get("rc_room_type") == "l"
        && let Some(token) = VisitorToken::new(credentials.get("rc_token"))
    {
        return Ok(FileReader::Visitor { token, room_id: credentials.get("rc_rid").to_owned() });
    }
    let (user_id, token) = credentials.login();
    let account = api.services.authenticate(user_id.to_owned(), token).await?;
    Ok(account.map_or(FileReader::Nobody, |account| FileReader::User(Box::new(account))))
}

async fn answer(api: &Shared, head: &Parts, file: &File, is_download: bool) -> Result<Response, Error> {
    let size = u64::try_from(file.size).unwrap_or(0);
    let range = head.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, places) = match file::part(range, size) {
        Part::Whole => (StatusCode::OK, None),
        Part::Bytes(first, last) => (StatusCode::PARTIAL_CONTENT, Some((first, last))),
        Part::Nothing => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            insert(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let body = if head.method == Method::HEAD {
        Body::empty()
    } else {
        let pieces = api.services.bytes_of_file(file, places).await?;
        Body::from_stream(pieces.map_err(|failure| std::io::Error::other(failure.0)))
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let length = places.map_or(size, |(first, last)| last - first + 1);
    if let Some((first, last)) = places {
        insert(headers, CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    for (name, value) in [
        (CONTENT_TYPE, file.media_type.as_str()),
        (CONTENT_LENGTH, &length.to_string()),
        (CONTENT_DISPOSITION, &file.disposition(is_download)),
        (LAST_MODIFIED, &http_date(file.created_at)),
        (CACHE_CONTROL, "private, max-age=31536000"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (ACCEPT_RANGES, "bytes"),
    ] {
        insert(headers, name, value);
    }
    Ok(response)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // All values are made here of what can stand in a header.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
