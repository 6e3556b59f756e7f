//! The pattern check that some routes had before they had schemas: nothing is coerced, and the message says where it went wrong.
//!
//! Its texts are those clients compare. What is given is gone through first, key by key, and only then what is missing is told.

use serde_json::{Map, Value};

/// The keys of an object.
#[derive(Debug)]
pub struct MatchPattern {
    fields: &'static [MatchField],
    is_closed: bool,
}

/// One key of an object.
#[derive(Debug)]
pub struct MatchField {
    name: &'static str,
    kind: MatchKind,
    is_required: bool,
}

/// What a value has to be.
#[derive(Debug)]
pub enum MatchKind {
    /// A text of at most this many characters, none of them NUL.
    Text(usize),
    /// A boolean.
    Boolean,
    /// A whole number.
    Integer,
    /// A list of texts of at most this many characters, none of them NUL.
    Texts(usize),
    /// Anything at all, unlooked at: who uses it has to bound it.
    Any,
    /// An object.
    Object(&'static MatchPattern),
    /// A list of objects.
    List(&'static MatchPattern),
}

impl MatchPattern {
    /// An object with these keys and no others.
    pub const fn closed(fields: &'static [MatchField]) -> MatchPattern {
        MatchPattern { fields, is_closed: true }
    }

    /// An object with these keys, others being left alone.
    pub const fn open(fields: &'static [MatchField]) -> MatchPattern {
        MatchPattern { fields, is_closed: false }
    }
}

impl MatchField {
    /// A key that has to be there.
    pub const fn required(name: &'static str, kind: MatchKind) -> MatchField {
        MatchField { name, kind, is_required: true }
    }

    /// A key that may be left out, but is not null.
    pub const fn optional(name: &'static str, kind: MatchKind) -> MatchField {
        MatchField { name, kind, is_required: false }
    }
}

/// Checks that `value`, which is at `path` (empty for the whole request), is an object that fits `pattern`.
///
/// # Errors
///
/// The message about the first mismatch, such as `Match error: Missing key 'token' in field visitor`.
pub fn check_match(value: &Value, pattern: &MatchPattern, path: &str) -> Result<(), String> {
    let given = match value {
        Value::Object(given) => given,
        // For a script a list is an object as well, only not a plain one.
        Value::Array(_) => return Err(failure("Expected plain object", path)),
        other => return Err(unexpected("object", other, path)),
    };
    for (name, value) in given {
        match pattern.fields.iter().find(|field| field.name == name) {
            Some(field) => field.kind.check(value, &below(path, name))?,
            None if pattern.is_closed => return Err(failure("Unknown key", &below(path, name))),
            None => {}
        }
    }
    match missing(pattern, given) {
        Some(name) => Err(failure(&format!("Missing key '{name}'"), path)),
        None => Ok(()),
    }
}

fn missing(pattern: &MatchPattern, given: &Map<String, Value>) -> Option<&'static str> {
    pattern.fields.iter().find(|field| field.is_required && !given.contains_key(field.name)).map(|field| field.name)
}

impl MatchKind {
    /// Checks a parameter of a method; `None` stands for one that is not there.
    ///
    /// # Errors
    ///
    /// The message about the first mismatch, such as `Match error: Expected string, got undefined`.
    pub fn check_parameter(&self, value: Option<&Value>) -> Result<(), String> {
        match (self, value) {
            (_, Some(value)) => self.check(value, ""),
            (MatchKind::Any, None) => Ok(()),
            (MatchKind::Text(_), None) => Err(failure("Expected string, got undefined", "")),
            (MatchKind::Integer, None) => Err(failure("Expected Integer, got undefined", "")),
            (MatchKind::Texts(_), None) => Err(failure("Expected array, got undefined", "")),
            (MatchKind::Boolean, None) => Err(failure("Expected boolean, got undefined", "")),
            (MatchKind::Object(_), None) => Err(failure("Expected object, got undefined", "")),
            (MatchKind::List(_), None) => Err(failure("Expected array, got undefined", "")),
        }
    }

    fn check(&self, value: &Value, path: &str) -> Result<(), String> {
        match (self, value) {
            (MatchKind::Text(limit), Value::String(text)) => check_text(text, *limit, path),
            (MatchKind::Text(_), _) => Err(unexpected("string", value, path)),
            (MatchKind::Boolean, Value::Bool(_)) | (MatchKind::Any, _) => Ok(()),
            (MatchKind::Boolean, _) => Err(unexpected("boolean", value, path)),
            (MatchKind::Integer, Value::Number(number)) if number.is_i64() => Ok(()),
            (MatchKind::Integer, _) => Err(unexpected("Integer", value, path)),
            (MatchKind::Texts(limit), Value::Array(items)) => check_texts(items, *limit, path),
            (MatchKind::Texts(_), _) => Err(unexpected("array", value, path)),
            (MatchKind::Object(pattern), _) => check_match(value, pattern, path),
            (MatchKind::List(pattern), Value::Array(items)) => check_items(items, pattern, path),
            (MatchKind::List(_), _) => Err(unexpected("array", value, path)),
        }
    }
}

fn check_text(text: &str, limit: usize, path: &str) -> Result<(), String> {
    if text.chars().nth(limit).is_some() || text.contains('\0') {
        return Err(failure("Failed Match.Where validation", path));
    }
    Ok(())
}

fn check_items(items: &[Value], pattern: &MatchPattern, path: &str) -> Result<(), String> {
    items.iter().enumerate().try_for_each(|(index, item)| check_match(item, pattern, &format!("{path}[{index}]")))
}

fn check_texts(items: &[Value], limit: usize, path: &str) -> Result<(), String> {
    items.iter().enumerate().try_for_each(|(index, item)| MatchKind::Text(limit).check(item, &format!("{path}[{index}]")))
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn failure(message: &str, path: &str) -> String {
    if path.is_empty() { format!("Match error: {message}") } else { format!("Match error: {message} in field {path}") }
}

/// Names the type only: the value itself may be private and would end up in logs.
fn unexpected(expected: &str, value: &Value, path: &str) -> String {
    failure(&format!("Expected {expected}, got {}", type_name(value)), path)
}

/// The type as a script calls it, for which a list is an object.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) | Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static CUSTOM_FIELD: MatchPattern = MatchPattern::open(&[
        MatchField::required("key", MatchKind::Text(5)),
        MatchField::required("value", MatchKind::Text(5)),
        MatchField::required("overwrite", MatchKind::Boolean),
    ]);
    static VISITOR: MatchPattern = MatchPattern::open(&[
        MatchField::required("token", MatchKind::Text(5)),
        MatchField::optional("name", MatchKind::Text(5)),
        MatchField::optional("customFields", MatchKind::List(&CUSTOM_FIELD)),
        MatchField::optional("extra", MatchKind::Any),
    ]);
    static BODY: MatchPattern = MatchPattern::closed(&[MatchField::required("visitor", MatchKind::Object(&VISITOR))]);
    static QUERY: MatchPattern = MatchPattern::closed(&[
        MatchField::required("token", MatchKind::Text(5)),
        MatchField::required("rid", MatchKind::Text(5)),
        MatchField::optional("agent", MatchKind::Object(&MatchPattern::closed(&[]))),
    ]);

    #[test]
    fn mismatches_are_told_with_their_place() {
        let good = json!({"key": "k", "value": "v", "overwrite": true});
        let custom = |field: Value| json!({"visitor": {"token": "t", "customFields": [good, field]}});
        for (pattern, value, message) in [
            (&QUERY, json!(null), "Expected object, got null"),
            (&QUERY, json!("x"), "Expected object, got string"),
            (&QUERY, json!(true), "Expected object, got boolean"),
            (&QUERY, json!([]), "Expected plain object"),
            (&QUERY, json!({}), "Missing key 'token'"),
            (&QUERY, json!({"token": "t"}), "Missing key 'rid'"),
            (&QUERY, json!({"token": 1}), "Expected string, got number in field token"),
            (&QUERY, json!({"token": "123456"}), "Failed Match.Where validation in field token"),
            (&QUERY, json!({"other": 1}), "Unknown key in field other"),
            (&QUERY, json!({"agent": {"id": 1}, "token": 1}), "Unknown key in field agent.id"),
            (&BODY, json!({"visitor": []}), "Expected plain object in field visitor"),
            (&BODY, json!({"visitor": {}}), "Missing key 'token' in field visitor"),
            (&BODY, json!({"visitor": {"name": 1}}), "Expected string, got number in field visitor.name"),
            (&BODY, json!({"visitor": {"token": null}}), "Expected string, got null in field visitor.token"),
            (&BODY, json!({"visitor": {"token": {"$gt": ""}}}), "Expected string, got object in field visitor.token"),
            (&BODY, json!({"visitor": {"token": "t", "name": "ääääää"}}), "Failed Match.Where validation in field visitor.name"),
            (&BODY, json!({"visitor": {"token": "t", "name": "\0"}}), "Failed Match.Where validation in field visitor.name"),
            (&BODY, json!({"visitor": {"customFields": "x"}}), "Expected array, got string in field visitor.customFields"),
            (&BODY, custom(json!(1)), "Expected object, got number in field visitor.customFields[1]"),
            (&BODY, custom(json!({})), "Missing key 'key' in field visitor.customFields[1]"),
            (&BODY, custom(json!({"key": 1})), "Expected string, got number in field visitor.customFields[1].key"),
            (
                &BODY,
                custom(json!({"overwrite": "true"})),
                "Expected boolean, got string in field visitor.customFields[1].overwrite",
            ),
        ] {
            assert_eq!(check_match(&value, pattern, ""), Err(format!("Match error: {message}")), "{value}");
        }
    }

    #[test]
    fn a_part_is_checked_at_its_place() {
        let told = check_match(&json!({}), &VISITOR, "visitor");
        assert_eq!(told, Err("Match error: Missing key 'token' in field visitor".to_owned()));
        let told = check_match(&json!(1), &VISITOR, "visitor");
        assert_eq!(told, Err("Match error: Expected object, got number in field visitor".to_owned()));
    }

    #[test]
    fn what_fits_passes() {
        let field = json!({"key": "k", "value": "", "overwrite": false, "other": 1});
        let visitor = json!({"token": "äääää", "name": "", "customFields": [field], "extra": [null], "unknown": {"a": 1}});
        assert_eq!(check_match(&json!({"visitor": visitor}), &BODY, ""), Ok(()));
        assert_eq!(check_match(&json!({"token": "t", "rid": "r", "agent": {}}), &QUERY, ""), Ok(()));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z]{0,6}".prop_map(Value::from),
        ];
        let names = vec!["visitor", "token", "name", "customFields", "key", "value", "overwrite", "other"];
        leaf.prop_recursive(4, 48, 5, move |inner| {
            let pair = (proptest::sample::select(names.clone()).prop_map(str::to_owned), inner.clone());
            prop_oneof![
                proptest::collection::vec(inner, 0..3).prop_map(Value::from),
                proptest::collection::vec(pair, 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn is_text(value: Option<&Value>) -> bool {
        value.and_then(Value::as_str).is_some_and(|text| text.chars().count() <= 5 && !text.contains('\0'))
    }

    fn is_custom_field(value: &Value) -> bool {
        is_text(value.get("key")) && is_text(value.get("value")) && value["overwrite"].is_boolean()
    }

    proptest! {
        #[test]
        fn what_fits_has_the_declared_types(value in any_json(), name in any_json(), fields in any_json()) {
            let _ = check_match(&value, &BODY, "");
            let visitor = json!({"token": "t", "name": name, "customFields": fields});
            for visitor in [&value, &visitor] {
                if check_match(visitor, &VISITOR, "visitor").is_ok() {
                    prop_assert!(is_text(visitor.get("token")));
                    prop_assert!(visitor.get("name").is_none() || is_text(visitor.get("name")));
                    let fields = visitor.get("customFields").map_or(Some(&Vec::new()), Value::as_array).cloned();
                    prop_assert!(fields.is_some_and(|fields| fields.iter().all(is_custom_field)));
                }
            }
        }
    }
}
