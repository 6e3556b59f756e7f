//! Bodies: whatever JSON comes, both checks end, and what the schema lets through has the declared types and passes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use usher_api::parse::schema::{Kind, Schema, optional, required, text};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern, check_match};

static INNER: Schema = Schema::open(&[required("id", text(3)), optional("name", text(5)).nullable()]);
static SCHEMA: Schema = Schema::closed(&[
    required("token", text(5)),
    optional("count", Kind::Integer),
    optional("score", Kind::Number),
    optional("open", Kind::Boolean),
    optional("tags", Kind::List(&Kind::Text(3))),
    optional("agent", Kind::Object(&INNER)),
]);
static FIELD: MatchPattern = MatchPattern::closed(&[MatchField::required("key", MatchKind::Text(5))]);
static PATTERN: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(5)),
    MatchField::optional("fields", MatchKind::List(&FIELD)),
]);

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let _ = check_match(&value, &PATTERN, "");
    if let Ok(checked) = SCHEMA.check(value) {
        assert!(checked["token"].as_str().is_some_and(|token| token.chars().count() <= 5 && !token.contains('\0')));
        assert_eq!(SCHEMA.check(Value::Object(checked.clone())), Ok(checked));
    }
});
