//! Records as the wire shows them.
//!
//! The visitor's token is the visitor's secret: documents show it only to who presented it.

mod account;
mod message;
mod room;
mod visitor;

pub use account::AccountDocument;
pub use message::MessageDocument;
pub use room::RoomDocument;
pub use visitor::{VisitorDocument, addresses, phones};

use serde::{Serialize, Serializer};
use usher_domain::time;
use utoipa::ToSchema;

/// A moment as REST shows it: ISO 8601 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Date(
    /// Milliseconds UTC.
    pub i64,
);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time::iso(self.0))
    }
}
