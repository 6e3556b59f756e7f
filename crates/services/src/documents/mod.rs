//! Records as the wire shows them.
//!
//! The visitor's token is the visitor's secret: documents show it only to who presented it.

mod account;
mod agent;
mod custom_field;
mod department;
mod details;
mod eyes;
mod found;
mod inquiry;
mod mail;
mod message;
mod platform;
mod room;
mod routing;
mod subscription;
mod visitor;

pub use account::{AccountDocument, PresenceDocument, RoleHolderDocument, UserDocument, avatar_url};
pub use agent::{AgentDocument, StaffDocument, StaffListDocument};
pub use custom_field::CustomFieldDocument;
pub use department::{DepartmentAgentDocument, DepartmentDocument};
pub(crate) use details::Details;
pub use eyes::Eyes;
pub use found::{FoundChatDocument, FoundVisitorDocument, OfferedVisitorDocument, OpenRoomDocument};
pub use inquiry::{InquiryDocument, InquirySummary};
pub use mail::MailDocument;
pub use message::{AuthorDocument, MessageDocument, PersonDocument};
pub(crate) use message::{STARRED, stored_moment};
pub use platform::{PermissionDocument, RoleDocument, SettingDocument, WholeSettingDocument};
pub use room::{RoomDocument, ServedByDocument};
pub use routing::RoutingConfigDocument;
pub use subscription::SubscriptionDocument;
pub use visitor::{LastChatDocument, VisitorDocument, addresses, fields, phones};

use std::cell::Cell;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
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
        if EXTENDED.get() {
            let mut extended = serializer.serialize_map(Some(1))?;
            extended.serialize_entry("$date", &self.0)?;
            return extended.end();
        }
        serializer.serialize_str(&time::iso(self.0))
    }
}

thread_local! {
    /// Whether moments are being written as methods and the realtime connection show them.
    static EXTENDED: Cell<bool> = const { Cell::new(false) };
}

/// A document as methods and the realtime connection show it: like that of REST, with moments as `{"$date": milliseconds}`.
pub fn extended(document: &impl Serialize) -> Value {
    let outer = EXTENDED.replace(true);
    let written = serde_json::to_value(document);
    EXTENDED.set(outer);
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_have_two_forms() {
        let moments = [Date(1_706_702_400_000)];
        assert_eq!(extended(&moments), json!([{"$date": 1_706_702_400_000_i64}]));
        assert_eq!(serde_json::to_value(moments).unwrap(), json!(["2024-01-31T12:00:00.000Z"]));
    }
}
