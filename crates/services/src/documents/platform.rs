//! Settings, permissions and roles as the wire shows them.

use serde::Serialize;
use serde_json::Value;
use usher_domain::permission::{CHANGE_SETTING, changed_setting};
use usher_domain::settings::{Definition, Settings};
use usher_store::q::roles::Role;
use utoipa::ToSchema;

use super::Date;
use crate::permissions::HeldPermission;

/// A setting with its value.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    /// Whatever was sent.
    #[schema(value_type = Value)]
    value: &'a Value,
    /// Nothing here has a price: every setting works.
    enterprise: bool,
    /// The default, for those who ask for it.
    #[schema(value_type = Option<Value>)]
    #[serde(rename = "packageValue", skip_serializing_if = "Option::is_none")]
    default: Option<&'a Value>,
}

impl<'a> SettingDocument<'a> {
    /// A setting as it is in force.
    pub fn of(definition: &'a Definition, settings: &'a Settings, with_default: bool) -> SettingDocument<'a> {
        SettingDocument {
            id: definition.id,
            value: settings.value(definition),
            enterprise: false,
            default: with_default.then_some(&definition.default),
        }
    }
}

/// A setting with its value and all that there is to know of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeSettingDocument<'a> {
    #[serde(flatten)]
    #[schema(value_type = SettingDocument)]
    setting: SettingDocument<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    group: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'static str>,
    public: bool,
    hidden: bool,
    secret: bool,
    /// Whether nobody may change it.
    blocked: bool,
    /// The name under which clients have a text for it.
    #[serde(rename = "i18nLabel")]
    label: &'static str,
}

impl<'a> WholeSettingDocument<'a> {
    /// A setting as it is in force.
    pub fn of(definition: &'static Definition, settings: &'a Settings) -> WholeSettingDocument<'a> {
        WholeSettingDocument {
            setting: SettingDocument::of(definition, settings, true),
            kind: definition.kind.wire_name(),
            group: definition.group,
            section: definition.section,
            public: definition.is_public,
            hidden: definition.is_hidden,
            secret: definition.is_secret,
            blocked: false,
            label: definition.id,
        }
    }
}

/// A permission with the roles that hold it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    roles: &'a [String],
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    #[serde(flatten)]
    #[schema(value_type = OfSetting)]
    setting: Option<OfSetting>,
}

/// What a permission to change one setting says besides; to the document, what any of them may say.
#[derive(Debug, Serialize, ToSchema)]
struct OfSetting {
    #[schema(required = false)]
    level: &'static str,
    #[schema(required = false)]
    #[serde(rename = "settingId")]
    id: &'static str,
    #[schema(required = false)]
    group: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'static str>,
    #[schema(required = false)]
    #[serde(rename = "groupPermissionId")]
    group_permission: String,
    #[serde(rename = "sectionPermissionId", skip_serializing_if = "Option::is_none")]
    section_permission: Option<String>,
}

impl<'a> From<&'a HeldPermission> for PermissionDocument<'a> {
    fn from(held: &'a HeldPermission) -> PermissionDocument<'a> {
        let of_setting = |definition: &'static Definition| OfSetting {
            level: "settings",
            id: definition.id,
            group: definition.group,
            section: definition.section,
            group_permission: format!("{CHANGE_SETTING}{}", definition.group),
            section_permission: definition.section.map(|section| format!("{CHANGE_SETTING}{section}")),
        };
        PermissionDocument {
            id: &held.id,
            roles: &held.roles,
            updated_at: Date(held.updated_at),
            setting: changed_setting(&held.id).map(of_setting),
        }
    }
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    name: &'a str,
    description: &'a str,
    scope: &'a str,
    protected: bool,
    #[serde(rename = "mandatory2fa")]
    needs_second_factor: bool,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

impl<'a> From<&'a Role> for RoleDocument<'a> {
    fn from(role: &'a Role) -> RoleDocument<'a> {
        RoleDocument {
            id: &role.id,
            name: &role.name,
            description: &role.description,
            scope: &role.scope,
            protected: role.is_protected,
            needs_second_factor: role.needs_second_factor,
            updated_at: Date(role.updated_at),
        }
    }
}
