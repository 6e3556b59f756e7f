//! Reading a request's body: bounded in length and time, and lenient about what is in it.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

use crate::ApiError;
use crate::parse::query;

/// The longest body, in bytes.
pub const LIMIT: usize = 512 << 10;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the body says. No body, one of an unknown type and one that cannot be read all count as an empty object, and then what is
/// missing is told.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if announced.is_some_and(|length: u64| length > LIMIT as u64) {
        return Err(ApiError::LongBody);
    }
    let arriving = Limited::new(body, LIMIT).collect();
    let collected = tokio::time::timeout(PATIENCE, arriving).await.map_err(|_| ApiError::SlowBody)?;
    let bytes = collected.map_err(|_| ApiError::LongBody)?.to_bytes();
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let said = if kind.eq_ignore_ascii_case("application/json") {
        serde_json::from_slice(&bytes).ok()
    } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        std::str::from_utf8(&bytes).ok().and_then(|text| query::parse(text).ok()).map(Value::Object)
    } else {
        None
    };
    Ok(said.unwrap_or_else(|| Value::Object(Map::new())))
}
