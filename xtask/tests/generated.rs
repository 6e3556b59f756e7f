//! Documents that are made from tables are as the tables say.

use usher_domain::{permission, settings};
use usher_store::registry;
use xtask::generated::{documents, outdated, present};

fn text(path: &str) -> String {
    let document = documents().into_iter().find(|document| document.path == path);
    document.expect("there is such a document").text
}

#[test]
fn documents_are_as_generated() {
    assert_eq!(outdated(present), Vec::<&str>::new(), "run `cargo xtask gen` and commit what it writes");
}

/// The control: a document that was changed by hand or is missing is noticed, and no other.
#[test]
fn a_changed_document_is_recognised() {
    let without_a_row = |path: &str| {
        let text = documents().into_iter().find(|document| document.path == path)?.text;
        let changed = text.lines().filter(|line| !line.starts_with("| `view-l-room` ")).map(|line| format!("{line}\n"));
        Some(changed.collect::<String>())
    };
    assert_eq!(outdated(without_a_row), ["docs/permissions.md"]);
    assert_eq!(outdated(|_| None), ["docs/settings.md", "docs/permissions.md", "docs/personal-data.md"]);
}

#[test]
fn every_setting_and_every_permission_has_its_row() {
    let (of_settings, of_permissions) = (text("docs/settings.md"), text("docs/permissions.md"));
    for setting in settings::definitions() {
        assert_eq!(of_settings.matches(&format!("\n| `{}` | ", setting.id)).count(), 1, "{}", setting.id);
    }
    for definition in permission::TABLE {
        let id = definition.permission.0;
        assert_eq!(of_permissions.matches(&format!("\n| `{id}` | ")).count(), 1, "{id}");
    }
}

#[test]
fn every_table_and_every_place_has_its_row() {
    let text = text("docs/personal-data.md");
    for table in registry::TABLES {
        assert_eq!(text.matches(&format!("\n| `{}` | ", table.name)).count(), 1, "{}", table.name);
    }
    for (place, _) in registry::PLACES {
        assert_eq!(text.matches(&format!("\n| {place} | ")).count(), 1, "{place}");
    }
    assert!(text.contains("\n| `messages` | the room in `room_id` | deletes the row | `id`, `room_id`, "), "{text}");
    assert!(text.contains("\n| `erasures` | nothing | clears `visitor_id` | "), "{text}");
}

/// A bar that ends a cell too early would shift what follows it.
#[test]
fn rows_have_as_many_cells_as_their_table() {
    for (path, cells) in [("docs/settings.md", 5), ("docs/permissions.md", 3)] {
        for line in text(path).lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.replace("\\|", "").matches('|').count(), cells + 1, "{line}");
        }
    }
}

#[test]
fn rows_tell_what_a_setting_takes() {
    let text = text("docs/settings.md");
    for row in [
        "| `Livechat_enabled` | boolean | `true` | yes | ",
        "| `Livechat_business_hour_type` | select: `Single`, `Multiple` | `Single` | yes | ",
        "| `Livechat_guest_count` | int | `1` | hidden | ",
        "| `Livechat_secret_token` | string, secret | empty | no | ",
        "| `Usher_Limit_Logins` | int, at least 1 | `10` | no | ",
        "| `Accounts_CustomFields` | code (JSON) | empty | yes | ",
    ] {
        assert!(text.contains(&format!("\n{row}")), "{row}");
    }
}
