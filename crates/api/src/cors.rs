//! Which pages of other sites may call the API: what a browser is told that asks beforehand.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use usher_domain::settings::{CORS, CORS_ORIGIN, Settings};

/// The headers that a page may send.
pub const ALLOWED_HEADERS: &str = "Origin, X-Requested-With, Content-Type, Accept, X-User-Id, X-Auth-Token, x-visitor-token, \
    Authorization, MCP-Protocol-Version";

/// The methods that a page may use.
const ALLOWED_METHODS: &str = "GET, POST, PUT, DELETE, HEAD, PATCH";

/// Answers `OPTIONS`.
pub fn answer(headers: &HeaderMap, settings: &Settings) -> Response {
    let Some(origin) = headers.get(ORIGIN).filter(|_| headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)) else {
        // Nobody asks for anything.
        return StatusCode::OK.into_response();
    };
    if !settings.get(&CORS) {
        let told = "CORS not enabled. Go to \"Admin > General > REST Api\" to enable it.";
        return (StatusCode::METHOD_NOT_ALLOWED, told).into_response();
    }
    match allowed_origin(origin, settings.text(&CORS_ORIGIN)) {
        Some(allowed) => permit(allowed),
        None => (StatusCode::FORBIDDEN, "Invalid origin").into_response(),
    }
}

/// What stands for the origin in the answer, if it may call: `*` where everybody may.
fn allowed_origin(origin: &HeaderValue, list: &str) -> Option<HeaderValue> {
    if list.trim() == "*" {
        return Some(HeaderValue::from_static("*"));
    }
    let listed = list.split(',').any(|allowed| allowed.trim().as_bytes() == origin.as_bytes());
    listed.then(|| origin.clone())
}

fn permit(origin: HeaderValue) -> Response {
    let mut response = (StatusCode::OK, "OK").into_response();
    let headers = response.headers_mut();
    if origin != "*" {
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    response
}
