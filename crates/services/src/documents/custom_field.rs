//! Custom fields as the wire shows them.

use serde::Serialize;
use serde_json::{Map, Value};
use usher_domain::custom_field::CustomField;
use utoipa::ToSchema;

use super::Date;

/// A custom field.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomFieldDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    label: &'a str,
    /// `visitor` or `room`.
    scope: &'static str,
    /// `visible` or `hidden`.
    visibility: &'a str,
    #[serde(flatten)]
    #[schema(value_type = UsualMembers)]
    members: &'a Map<String, Value>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

/// What most fields say besides. There may be more.
#[derive(Debug, Serialize, ToSchema)]
struct UsualMembers {
    /// `input` or `select`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// What values have to contain.
    regexp: Option<String>,
    /// Whether there has to be a value.
    required: Option<bool>,
    #[serde(rename = "defaultValue")]
    default_value: Option<String>,
    /// What can be selected, with commas between.
    options: Option<String>,
    /// Whether the widget shows it.
    public: Option<bool>,
    /// Whether visitors are found by it.
    searchable: Option<bool>,
}

impl<'a> From<&'a CustomField> for CustomFieldDocument<'a> {
    fn from(field: &'a CustomField) -> CustomFieldDocument<'a> {
        CustomFieldDocument {
            id: &field.id,
            label: &field.label,
            scope: field.scope.name(),
            visibility: &field.visibility,
            members: &field.members,
            updated_at: Date(field.updated_at),
        }
    }
}
