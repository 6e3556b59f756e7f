//! What is told of what administrators decide: settings, permissions and roles.

use serde_json::json;
use usher_domain::settings::{DISPLAY_ROLES, definitions};
use usher_domain::{Stream, Topic};
use usher_services::documents::{RoleDocument, SettingDocument, extended};
use usher_services::platform::Platform;

use crate::frames;
use crate::topics::Topics;

/// Tells what differs between what was in force and what is now.
pub fn tell(topics: &Topics, before: &Platform, after: &Platform) {
    let say = |stream: Stream, event: &str, arguments: serde_json::Value| {
        let topic = Topic::new(stream, event);
        topics.publish(&topic, None, || frames::of(&topic, &arguments));
    };
    for definition in definitions() {
        if before.settings.value(definition) == after.settings.value(definition) {
            continue;
        }
        let told = json!(["updated", extended(&SettingDocument::of(definition, &after.settings, false))]);
        if definition.is_public {
            say(Stream::NotifyAll, "public-settings-changed", told.clone());
            say(Stream::NotifyAll, "public-info", json!([["public-settings-changed", told]]));
        }
        if !definition.is_secret {
            say(Stream::NotifyLogged, "private-settings-changed", told.clone());
            say(Stream::NotifyAll, "private-settings-changed", told);
        }
    }
    for permission in after.grants.differing(&before.grants) {
        let told = json!(["updated", {"_id": permission, "roles": after.grants.holders(permission)}]);
        say(Stream::NotifyLogged, "permissions-changed", told);
    }
    let shows_roles = after.settings.get(&DISPLAY_ROLES);
    for role in &after.roles {
        let known = before.role(&role.id);
        if known != Some(role) {
            let kind = if known.is_some() { "changed" } else { "added" };
            let mut told = json!({"type": kind});
            if let (Some(told), Some(role)) = (told.as_object_mut(), extended(&RoleDocument::from(role)).as_object()) {
                told.extend(role.clone());
            }
            say(Stream::Roles, "roles", json!([told]));
            if shows_roles {
                say(Stream::NotifyLogged, "roles-change", json!([{"type": "changed", "_id": role.id}]));
            }
        }
    }
    for role in before.roles.iter().filter(|role| after.role(&role.id).is_none()) {
        if shows_roles {
            say(Stream::NotifyLogged, "roles-change", json!([{"type": "removed", "_id": role.id}]));
        }
        say(Stream::Roles, "roles", json!([{"type": "removed", "_id": role.id, "name": role.name}]));
    }
}
