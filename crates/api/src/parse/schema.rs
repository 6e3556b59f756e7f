//! What a request may carry, declared property by property, checked and coerced in one go.
//!
//! The rules, their order and their texts are those of the JSON-schema validator whose messages clients compare. Only the first
//! violation is told, and not where it is. Texts, numbers and booleans turn into each other; a list or an object never turns
//! into one of them, nor one of them into a list or an object.

use serde_json::{Map, Number, Value};

use super::paging;

/// From here on not every whole number has a float of its own.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;

/// The properties of an object.
#[derive(Debug)]
pub struct Schema {
    fields: &'static [Field],
    is_closed: bool,
    is_paged: bool,
    /// Whether properties that are not declared are kept, unlooked at.
    keeps_others: bool,
}

/// One property of an object.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    is_required: bool,
    is_nullable: bool,
}

/// What a value has to be.
#[derive(Debug)]
pub enum Kind {
    /// A text of at most this many characters, none of them NUL. Numbers, booleans and null (as nothing) become one.
    Text(usize),
    /// A number. Numerals, booleans (as 0 and 1) and null (as 0) become one.
    Number,
    /// A whole number that fits 64 bits. What becomes a whole number becomes one.
    Integer,
    /// A boolean. `"true"`, `"false"`, 0, 1 and null (as false) become one.
    Boolean,
    /// An object.
    Object(&'static Schema),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of one kind of values.
    List(&'static Kind),
    /// Anything at all, unlooked at: who uses it has to bound it.
    Any,
}

/// A text of at most `limit` characters.
pub const fn text(limit: usize) -> Kind {
    Kind::Text(limit)
}

/// A property that has to be there.
pub const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: true, is_nullable: false }
}

/// A property that may be left out.
pub const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: false, is_nullable: false }
}

impl Field {
    /// The same property, which may also be null and then stays it.
    pub const fn nullable(self) -> Field {
        Field { is_nullable: true, ..self }
    }

    fn check(&self, value: Value) -> Result<Value, String> {
        if self.is_nullable && value.is_null() { Ok(value) } else { self.kind.check(value) }
    }
}

impl Schema {
    /// An object with these properties and no others.
    pub const fn closed(fields: &'static [Field]) -> Schema {
        Schema { fields, is_closed: true, is_paged: false, keeps_others: false }
    }

    /// An object with these properties, others being dropped.
    pub const fn open(fields: &'static [Field]) -> Schema {
        Schema { fields, is_closed: false, is_paged: false, keeps_others: false }
    }

    /// An object of whatever properties: who uses them has to bound them.
    pub const fn anything() -> Schema {
        Schema { fields: &[], is_closed: false, is_paged: false, keeps_others: true }
    }

    /// The same object, which may also carry the parameters of every list.
    pub const fn paged(self) -> Schema {
        Schema { is_paged: true, ..self }
    }

    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().chain(paging::PARAMETERS.iter().filter(|_| self.is_paged))
    }

    /// Checks `value` and gives it back coerced, with no properties but the declared ones.
    ///
    /// # Errors
    ///
    /// The validator's message about the first violation: missing properties come first, then unknown ones, then those of a
    /// wrong kind, each in the order they are declared in.
    pub fn check(&self, value: Value) -> Result<Map<String, Value>, String> {
        let Value::Object(mut given) = value else { return refuse("must be object") };
        if let Some(missing) = self.missing(&given) {
            return Err(format!("must have required property '{missing}'"));
        }
        if self.is_closed && !given.keys().all(|name| self.knows(name)) {
            return refuse("must NOT have additional properties");
        }
        if self.keeps_others {
            return Ok(given);
        }
        let mut checked = Map::new();
        for field in self.fields() {
            if let Some(value) = given.remove(field.name) {
                checked.insert(field.name.to_owned(), field.check(value)?);
            }
        }
        Ok(checked)
    }

    fn missing(&self, given: &Map<String, Value>) -> Option<&'static str> {
        self.fields().find(|field| field.is_required && !given.contains_key(field.name)).map(|field| field.name)
    }

    fn knows(&self, name: &str) -> bool {
        self.fields().any(|field| field.name == name)
    }
}

impl Kind {
    fn check(&self, value: Value) -> Result<Value, String> {
        match self {
            Kind::Text(limit) => check_text(value, *limit),
            Kind::Number => number(&value).map_or_else(|| refuse("must be number"), |number| Ok(Value::Number(number))),
            Kind::Integer => integer(&value).map_or_else(|| refuse("must be integer"), |integer| Ok(Value::from(integer))),
            Kind::Boolean => boolean(&value).map_or_else(|| refuse("must be boolean"), |boolean| Ok(Value::Bool(boolean))),
            Kind::Object(schema) => schema.check(value).map(Value::Object),
            Kind::OneOf(options) => check_option(value, options),
            Kind::List(kind) => check_list(value, kind),
            Kind::Any => Ok(value),
        }
    }
}

fn refuse<T>(message: &str) -> Result<T, String> {
    Err(message.to_owned())
}

fn check_text(value: Value, limit: usize) -> Result<Value, String> {
    let Some(text) = characters(value) else { return refuse("must be string") };
    if text.chars().nth(limit).is_some() {
        return Err(format!("must NOT have more than {limit} characters"));
    }
    if text.contains('\0') {
        return refuse("must NOT contain the NUL character");
    }
    Ok(Value::String(text))
}

fn check_option(value: Value, options: &[&str]) -> Result<Value, String> {
    let Some(text) = characters(value) else { return refuse("must be string") };
    if options.contains(&text.as_str()) { Ok(Value::String(text)) } else { refuse("must be equal to one of the allowed values") }
}

fn check_list(value: Value, kind: &Kind) -> Result<Value, String> {
    let Value::Array(items) = value else { return refuse("must be array") };
    items.into_iter().map(|item| kind.check(item)).collect::<Result<_, _>>().map(Value::Array)
}

fn characters(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(whole(&number).map_or_else(|| number.to_string(), |whole| whole.to_string())),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => numeral(text.trim()),
        Value::Bool(boolean) => Some(Number::from(u8::from(*boolean))),
        Value::Null => Some(Number::from(0)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number that `text` writes in decimal. What is too large for a float is none, nor are the words for infinity.
fn numeral(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}

fn integer(value: &Value) -> Option<i64> {
    number(value).and_then(|number| whole(&number))
}

/// The value of a number without a fraction: 1.0 is 1.
fn whole(number: &Number) -> Option<i64> {
    let exact = |float: &f64| float.fract() == 0.0 && float.abs() < EXACT_FLOATS;
    number.as_i64().or_else(|| number.as_f64().filter(exact).map(|float| float as i64))
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::Null => Some(false),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match whole(number) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static AGENT: Schema = Schema::open(&[required("id", text(3)), optional("name", text(5)).nullable()]);
    static BODY: Schema = Schema::closed(&[
        required("token", text(5)),
        required("rid", text(5)),
        optional("agent", Kind::Object(&AGENT)),
        optional("count", Kind::Integer),
        optional("score", Kind::Number),
        optional("open", Kind::Boolean),
        optional("tags", Kind::List(&Kind::Text(3))),
        optional("agents", Kind::List(&Kind::Object(&AGENT))),
        optional("extra", Kind::Any),
        optional("until", Kind::Integer).nullable(),
    ]);

    /// Checks an object that has what is required and one property more.
    fn with(name: &str, value: Value) -> Result<Value, String> {
        BODY.check(json!({"token": "t", "rid": "r", name: value})).map(|mut checked| checked.remove(name).unwrap())
    }

    #[test]
    fn violations_are_told_in_order() {
        for (value, message) in [
            (json!(null), "must be object"),
            (json!([]), "must be object"),
            (json!("{}"), "must be object"),
            (json!({}), "must have required property 'token'"),
            (json!({"rid": []}), "must have required property 'token'"),
            (json!({"token": [], "other": 1}), "must have required property 'rid'"),
            (json!({"token": [], "rid": "r", "other": 1}), "must NOT have additional properties"),
            (json!({"token": "123456", "rid": []}), "must NOT have more than 5 characters"),
            (json!({"token": "t", "rid": [], "agent": 1}), "must be string"),
        ] {
            assert_eq!(BODY.check(value.clone()), Err(message.to_owned()), "{value}");
        }
    }

    #[test]
    fn kinds_are_told() {
        for (name, value, message) in [
            ("token", json!(["t"]), "must be string"),
            ("token", json!({"$gt": ""}), "must be string"),
            ("token", json!("ääääää"), "must NOT have more than 5 characters"),
            ("token", json!(123_456), "must NOT have more than 5 characters"),
            ("token", json!("a\0"), "must NOT contain the NUL character"),
            ("agent", json!("x"), "must be object"),
            ("agent", json!({"name": "n"}), "must have required property 'id'"),
            ("agent", json!({"id": "long"}), "must NOT have more than 3 characters"),
            ("count", json!("1.5"), "must be integer"),
            ("count", json!(1.5), "must be integer"),
            ("count", json!(u64::MAX), "must be integer"),
            ("count", json!([1]), "must be integer"),
            ("score", json!(""), "must be number"),
            ("score", json!("inf"), "must be number"),
            ("score", json!("1e999"), "must be number"),
            ("score", json!({}), "must be number"),
            ("open", json!("yes"), "must be boolean"),
            ("open", json!(["true"]), "must be boolean"),
            ("tags", json!("x"), "must be array"),
            ("tags", json!(null), "must be array"),
            ("tags", json!(["x", ["y"]]), "must be string"),
            ("agents", json!([{"id": "1"}, 2]), "must be object"),
        ] {
            assert_eq!(with(name, value.clone()), Err(message.to_owned()), "{name} {value}");
        }
    }

    #[test]
    fn scalars_are_coerced() {
        for (name, value, coerced) in [
            ("token", json!("äääää"), json!("äääää")),
            ("token", json!(true), json!("true")),
            ("token", json!(1.0), json!("1")),
            ("token", json!(-1.5), json!("-1.5")),
            ("token", json!(null), json!("")),
            ("agent", json!({"id": 7, "name": null, "other": {}}), json!({"id": "7", "name": null})),
            ("count", json!("50"), json!(50)),
            ("count", json!(" 1e2 "), json!(100)),
            ("count", json!(null), json!(0)),
            ("count", json!(true), json!(1)),
            ("count", json!(i64::MIN), json!(i64::MIN)),
            ("score", json!("0.5"), json!(0.5)),
            ("open", json!("true"), json!(true)),
            ("open", json!(1), json!(true)),
            ("open", json!(0.0), json!(false)),
            ("open", json!(null), json!(false)),
            ("tags", json!([1, "x", null]), json!(["1", "x", ""])),
            ("until", json!(null), json!(null)),
        ] {
            assert_eq!(with(name, value.clone()), Ok(coerced), "{name} {value}");
        }
    }

    fn is_exactly(value: &Value, kind: &Kind) -> bool {
        match (kind, value) {
            (Kind::Text(limit), Value::String(text)) => text.chars().count() <= *limit && !text.contains('\0'),
            (Kind::Number, value) => value.is_number(),
            (Kind::Integer, value) => value.is_i64(),
            (Kind::Boolean, value) => value.is_boolean(),
            (Kind::OneOf(options), Value::String(text)) => options.contains(&text.as_str()),
            (Kind::Object(schema), Value::Object(object)) => is_exactly_object(object, schema),
            (Kind::List(kind), Value::Array(items)) => items.iter().all(|item| is_exactly(item, kind)),
            (Kind::Any, _) => true,
            _ => false,
        }
    }

    fn is_exactly_object(object: &Map<String, Value>, schema: &Schema) -> bool {
        let fits = |field: &Field| match object.get(field.name) {
            None => !field.is_required,
            Some(Value::Null) if field.is_nullable => true,
            Some(value) => is_exactly(value, &field.kind),
        };
        schema.keeps_others || schema.fields.iter().all(fits) && object.keys().all(|name| schema.knows(name))
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[0-9.e]{0,4}", Just("true".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            prop_oneof![0..3_i64, any::<i64>()].prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        let name =
            prop_oneof![9 => proptest::sample::select(vec!["id", "name", "x"]).prop_map(str::to_owned), 1 => any::<String>()];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((name.clone(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_accepted_has_the_declared_types(value in any_json(), number in 0..BODY.fields.len()) {
            let _ = BODY.check(value.clone());
            let field = &BODY.fields[number];
            if let Ok(checked) = field.check(value.clone()) {
                prop_assert!(is_exactly(&checked, &field.kind) || field.is_nullable && checked.is_null());
            }
            let mut body = json!({"token": "t", "rid": "r"});
            body[field.name] = value;
            if let Ok(checked) = BODY.check(body) {
                prop_assert!(is_exactly_object(&checked, &BODY));
                prop_assert_eq!(BODY.check(Value::Object(checked.clone())), Ok(checked));
            }
        }
    }
}
