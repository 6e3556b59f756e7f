//! Chat: messages of users in the rooms that they may read.

pub mod change;
pub mod marks;
pub mod read;
pub mod send;

use serde::Serialize;
use usher_services::documents::MessageDocument;
use utoipa::ToSchema;

use crate::ApiError;

/// The most characters of an id.
pub(super) const ID_LIMIT: usize = 128;

/// The most characters of a text, which settings limit further.
pub(super) const TEXT_LIMIT: usize = 100_000;

#[derive(Serialize, ToSchema)]
#[schema(as = ChatMessageAnswer)]
pub struct MessageAnswer<'a> {
    pub(super) message: MessageDocument<'a>,
}

/// A parameter that has to be there, told in the words of an operation that looks for it by itself.
fn needed(given: Option<String>, code: &'static str, told: &str) -> Result<String, ApiError> {
    given.filter(|text| !text.is_empty()).ok_or_else(|| ApiError::coded(code, Some(told)))
}
