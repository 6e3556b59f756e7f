//! The envelope of answers that went well.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiError;

/// Most answers fit into so many bytes, so that writing one asks for memory once.
const USUAL_LENGTH: usize = 1_024;

/// What a handler gives.
pub type Answer = Result<Response, ApiError>;

/// The members of an answer, and that it went well.
#[derive(Serialize, ToSchema)]
pub struct Succeeded<T> {
    #[serde(flatten)]
    members: T,
    success: bool,
}

/// Nothing but that it went well.
#[derive(Serialize, ToSchema)]
pub struct Done {}

/// Answers 200 with `members` and `success: true`.
pub fn success<T: Serialize>(members: T) -> Answer {
    json(StatusCode::OK, &Succeeded { members, success: true })
}

/// Answers with `body` as it is.
///
/// The content type is exactly `application/json`: clients compare it as a whole.
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut text = Vec::with_capacity(USUAL_LENGTH);
    serde_json::to_writer(&mut text, body).map_err(|_| ApiError::broken("an answer could not be written"))?;
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response())
}
