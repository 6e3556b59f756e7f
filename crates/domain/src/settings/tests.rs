//! Tests of the table as a whole, and of how values are read and checked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::settings as setting;

fn set(id: &str, value: Value) -> Settings {
    Settings::with([(id, value)]).expect("the setting exists")
}

fn defined(id: &str) -> &'static Definition {
    definition(id).unwrap_or_else(|| panic!("there is no setting `{id}`"))
}

#[test]
fn ids_are_unique_and_found() {
    let ids: BTreeSet<_> = definitions().iter().map(|definition| definition.id).collect();
    assert_eq!(ids.len(), definitions().len());
    for known in definitions() {
        assert_eq!(definition(known.id), Some(known));
    }
    assert_eq!(definition("Livechat_x"), None);
}

/// A section that came twice would be two tables of the same name in the document.
#[test]
fn settings_of_a_section_are_beside_each_other() {
    let mut seen = BTreeSet::new();
    for section in definitions().chunk_by(|one, next| (one.group, one.section) == (next.group, next.section)) {
        assert!(seen.insert((section[0].group, section[0].section)), "{} comes twice", section[0].id);
    }
}

#[test]
fn every_default_is_a_value_of_its_setting() {
    for definition in definitions() {
        let Definition { id, default, .. } = definition;
        assert_eq!(definition.read(default).as_ref(), Some(default), "{id}");
        assert_eq!(definition.accepts(default), Ok(()), "{id}");
        let chosen: Vec<&str> = match definition.kind {
            Kind::Select => default.as_str().into_iter().collect(),
            Kind::MultiSelect => default.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            _ => {
                assert!(definition.options.is_empty(), "{id} has no options");
                continue;
            }
        };
        assert!(definition.options.len() > 1, "{id} offers a choice");
        assert!(chosen.iter().all(|option| definition.options.contains(option)), "{id}: {chosen:?}");
        let spellings: BTreeSet<String> = definition.options.iter().map(|option| option.to_ascii_lowercase()).collect();
        assert_eq!(spellings.len(), definition.options.len(), "{id}: options differ by more than their case");
    }
}

#[test]
fn every_description_is_a_sentence_and_every_setting_is_placed() {
    for Definition { id, group, section, description, .. } in definitions() {
        assert!(description.starts_with(|first: char| first.is_ascii_uppercase()), "{id}: {description}");
        assert!(description.ends_with('.') && !description.contains('|') && description.len() > 15, "{id}: {description}");
        assert!(!group.is_empty() && section.is_none_or(|section| !section.is_empty()), "{id}");
    }
}

#[test]
fn hidden_and_secret_settings_are_never_public() {
    for definition in definitions() {
        let is_kept = definition.is_hidden || definition.is_secret || definition.kind == Kind::Password;
        assert!(!(is_kept && definition.is_public), "{}", definition.id);
    }
}

#[test]
fn usher_has_limits_that_let_somebody_through() {
    let limits: Vec<_> = definitions().iter().filter(|definition| definition.id.starts_with("Usher_Limit_")).collect();
    assert_eq!(limits.len(), 6);
    assert!(limits.iter().all(|limit| limit.minimum == Some(1)));
}

/// The table says what the list says that was written down apart from it.
#[test]
fn the_table_is_as_expected() {
    let lines: Vec<&str> = include_str!("expected.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() > 200, "the list was found");
    for line in lines {
        let [id, kind, flags, default] = line.splitn(4, " | ").collect::<Vec<_>>()[..] else { panic!("{line} has four parts") };
        let definition = defined(id);
        assert_eq!((kind, flags), (kind_of(definition).as_str(), flags_of(definition).as_str()), "{id}");
        assert_eq!(definition.default, serde_json::from_str::<Value>(default).expect("the default is JSON"), "{id}");
    }
}

fn kind_of(definition: &Definition) -> String {
    let name = definition.kind.wire_name();
    if definition.options.is_empty() { name.to_owned() } else { format!("{name}: {}", definition.options.join(", ")) }
}

fn flags_of(definition: &Definition) -> String {
    let flags = [
        (definition.is_public, "public"),
        (definition.is_hidden, "hidden"),
        (definition.is_secret, "secret"),
        (definition.is_premium, "premium"),
        (definition.is_multiline, "multiline"),
    ];
    let flags: Vec<&str> = flags.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect();
    if flags.is_empty() { "-".to_owned() } else { flags.join(", ") }
}

#[test]
fn booleans_and_numbers_are_read_leniently_and_fall_back_to_the_default() {
    let enabled = |value: Value| set("Livechat_enabled", value).get(&setting::LIVECHAT_ENABLED);
    for value in [json!(true), json!("TRUE"), json!(" true "), json!(1), json!(1.0)] {
        assert!(enabled(value.clone()), "{value}");
    }
    for value in [json!(false), json!("false"), json!(0), json!(0.0)] {
        assert!(!enabled(value.clone()), "{value}");
    }
    for value in [json!({"a": 1}), json!("perhaps"), json!(null), json!([false])] {
        assert!(enabled(value.clone()), "{value} is no boolean and leaves the default");
    }
    let limit = |value: Value| set("Message_MaxAllowedSize", value).get(&setting::MESSAGE_MAX_ALLOWED_SIZE);
    for (value, read) in [(json!(12), 12), (json!("12"), 12), (json!(12.0), 12), (json!(" -3 "), -3)] {
        assert_eq!(limit(value.clone()), read, "{value}");
    }
    for value in [json!(1.5), json!("x"), json!(""), json!(true), json!(null), json!(1e300), json!(u64::MAX)] {
        assert_eq!(limit(value.clone()), 5000, "{value} is no whole number and leaves the default");
    }
}

#[test]
fn texts_are_read_leniently() {
    let title = |value: Value| set("Livechat_title", value).text(&setting::TITLE).to_owned();
    for (value, read) in [(json!("Shop"), "Shop"), (json!(""), ""), (json!(2024), "2024"), (json!(true), "true")] {
        assert_eq!(title(value.clone()), read, "{value}");
    }
    assert_eq!(title(json!(["Shop"])), "Rocket.Chat", "a list is no text and leaves the default");
    assert_eq!(title(json!(null)), "Rocket.Chat");
    assert_eq!(set("SMS_Mobex_password", json!(12)).text(&setting::SMS_MOBEX_PASSWORD), "12");
}

#[test]
fn choices_are_read_in_their_own_spelling() {
    let kind = |value: Value| set("Livechat_business_hour_type", value).choice(&setting::BUSINESS_HOUR_TYPE).to_owned();
    assert_eq!(Settings::default().choice(&setting::BUSINESS_HOUR_TYPE), "Single");
    for (value, read) in [
        (json!("Multiple"), "Multiple"),
        (json!("multiple"), "Multiple"),
        (json!("SINGLE"), "Single"),
        (json!("thrice"), "thrice"),
        (json!(""), ""),
        (json!(null), "Single"),
    ] {
        assert_eq!(kind(value.clone()), read, "{value}");
    }
}

#[test]
fn lists_are_read_from_lists_and_from_json() {
    let hidden = |value: Value| {
        let settings = set("Livechat_hide_system_messages", value);
        settings.list(&setting::WIDGET_HIDDEN_SYSTEM_MESSAGES).join(" ")
    };
    assert_eq!(Settings::default().list(&setting::WIDGET_HIDDEN_SYSTEM_MESSAGES), ["uj", "ul", "livechat-close"]);
    for (value, read) in [
        (json!([]), ""),
        (json!(["ul"]), "ul"),
        (json!(["UL", "other"]), "ul other"),
        (json!(r#"["uj", "ul"]"#), "uj ul"),
        (json!("uj"), "uj ul livechat-close"),
        (json!(["uj", 1]), "uj ul livechat-close"),
        (json!(false), "uj ul livechat-close"),
    ] {
        assert_eq!(hidden(value.clone()), read, "{value}");
    }
}

#[test]
fn clients_see_values_as_they_were_set() {
    let shown = |settings: &Settings, id: &str| settings.value(defined(id)).clone();
    let settings = Settings::with([("Livechat_enabled", json!("false")), ("Livechat_title", json!({"a": 1}))]).expect("they exist");
    assert_eq!(shown(&settings, "Livechat_enabled"), json!("false"));
    assert_eq!(shown(&settings, "Livechat_title"), json!({"a": 1}));
    assert_eq!(shown(&settings, "Livechat_widget_position"), json!("right"));
    assert_eq!(shown(&settings, "Assets_livechat_widget_logo"), json!({}));
}

#[test]
fn only_what_differs_is_held_and_the_last_value_counts() {
    let pairs = [("Livechat_title", json!("A")), ("Site_Name", json!("B")), ("Livechat_title", json!("Rocket.Chat"))];
    let settings = Settings::with(pairs).expect("they exist");
    assert_eq!(settings.overrides().collect::<Vec<_>>(), [("Site_Name", &json!("B"))]);
    assert_eq!(settings.text(&setting::TITLE), "Rocket.Chat");
}

#[test]
fn unknown_ids_are_named() {
    let unknown = Settings::with([("Livechat_x", json!(1))]).expect_err("there is none");
    assert_eq!(unknown.to_string(), "there is no setting `Livechat_x`");
}

#[test]
fn texts_become_values_of_their_setting() {
    let forced = |id: &str, text: &str| Settings::forced([(id.to_owned(), text.to_owned())]);
    let good = |id: &str, text: &str| forced(id, text).expect("the text is a value of the setting");
    assert!(!good("Livechat_enabled", "false").get(&setting::LIVECHAT_ENABLED));
    assert_eq!(good("Livechat_message_character_limit", "7").get(&setting::MESSAGE_CHARACTER_LIMIT), 7);
    assert_eq!(good("Livechat_title", "2024").text(&setting::TITLE), "2024");
    assert_eq!(good("Livechat_business_hour_type", "multiple").choice(&setting::BUSINESS_HOUR_TYPE), "Multiple");
    let hidden = good("Livechat_hide_system_messages", r#"["ul"]"#);
    assert_eq!(hidden.list(&setting::WIDGET_HIDDEN_SYSTEM_MESSAGES), ["ul"]);
    for (id, text, error) in [
        ("Livechat_enabled", "perhaps", "the setting `Livechat_enabled` takes `true` or `false`"),
        ("Livechat_message_character_limit", "x", "the setting `Livechat_message_character_limit` takes a whole number"),
        (
            "Livechat_hide_system_messages",
            "uj,ul",
            r#"the setting `Livechat_hide_system_messages` takes a list of texts as JSON, such as `["uj"]`"#,
        ),
        ("Assets_livechat_widget_logo", "x", "the setting `Assets_livechat_widget_logo` takes an object as JSON"),
        ("Livechat_x", "1", "there is no setting `Livechat_x`"),
    ] {
        assert_eq!(forced(id, text).expect_err(id).to_string(), error);
    }
}

#[test]
fn forced_texts_are_given_as_values_too() {
    let pair = |id: &str, text: &str| (id.to_owned(), text.to_owned());
    let pairs = setting::forced([pair("Livechat_enabled", "false"), pair("Livechat_title", "false")]);
    assert_eq!(pairs, Ok(vec![("Livechat_enabled", json!(false)), ("Livechat_title", json!("false"))]));
}

#[test]
fn a_single_write_takes_everything_that_is_in_range() {
    for (id, value) in [
        ("Livechat_enabled", json!("x")),
        ("SMS_Service", json!("")),
        ("Livechat_title", json!(1)),
        ("Livechat_max_queue_wait_time", json!(-1)),
        ("Usher_Limit_Logins", json!(1)),
        ("Usher_Limit_Logins", json!("7")),
        ("Usher_Limit_Logins", json!("many")),
    ] {
        assert_eq!(defined(id).accepts(&value), Ok(()), "{id}: {value}");
    }
    for value in [json!(0), json!(-5), json!("0"), json!(0.5), json!(-1e300)] {
        assert_eq!(defined("Usher_Limit_Logins").accepts(&value), Err(Rejected::OutOfRange), "{value}");
    }
}

#[test]
fn a_write_of_several_takes_only_values_of_the_type() {
    let mismatch = |expected, got| Err(Rejected::Mismatch { expected, got });
    for (id, value, result) in [
        ("Livechat_enabled", json!(true), Ok(())),
        ("Livechat_enabled", json!("true"), mismatch("boolean", "string")),
        ("Livechat_enabled", json!(1), mismatch("boolean", "number")),
        ("Livechat_http_timeout", json!(1), Ok(())),
        ("Livechat_http_timeout", json!(1.0), Ok(())),
        ("Livechat_http_timeout", json!(-7), Ok(())),
        ("Livechat_http_timeout", json!(1.5), Err(Rejected::NotWhole)),
        ("Livechat_http_timeout", json!("1"), mismatch("number", "string")),
        ("Livechat_http_timeout", json!(null), mismatch("number", "null")),
        ("Usher_Limit_Logins", json!(0), Err(Rejected::OutOfRange)),
        ("Livechat_hide_system_messages", json!(["x"]), Ok(())),
        ("Livechat_hide_system_messages", json!({}), mismatch("array", "object")),
        ("Livechat_hide_system_messages", json!("uj"), mismatch("array", "string")),
        ("Accounts_CustomFields", json!(""), Ok(())),
        ("Accounts_CustomFields", json!(r#"{"a": {"type": "text"}}"#), Ok(())),
        ("Accounts_CustomFields", json!("{a"), Err(Rejected::NotJson)),
        ("Accounts_CustomFields", json!({}), mismatch("string", "object")),
        ("Livechat_title", json!("x"), Ok(())),
        ("Livechat_title", json!(1), mismatch("string", "number")),
        ("Livechat_title", json!([]), mismatch("string", "object")),
        ("Livechat_title_color", json!(true), mismatch("string", "boolean")),
        ("SMS_Service", json!("anything"), Ok(())),
        ("SMS_Service", json!(null), mismatch("string", "null")),
        ("SMS_Mobex_password", json!(1), mismatch("string", "number")),
        ("Language", json!(1), mismatch("string", "number")),
        ("Assets_livechat_widget_logo", json!({}), mismatch("string", "object")),
    ] {
        assert_eq!(defined(id).accepts_strictly(&value), result, "{id}: {value}");
    }
}
