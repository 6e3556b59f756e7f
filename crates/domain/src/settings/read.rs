//! Reading a value as the type of its setting, leniently: clients send numbers as texts and options in another spelling.

use serde_json::Value;

use super::{Definition, Kind};

/// Types that a setting's value can be read as.
pub trait Readable: Sized {
    /// Reads `value` leniently; `None` if it is nothing of this type.
    fn read(value: &Value) -> Option<Self>;
}

impl Readable for bool {
    fn read(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Number(number) => number.as_f64().map(|number| number != 0.0),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }
}

impl Readable for i64 {
    fn read(value: &Value) -> Option<i64> {
        match value {
            Value::Number(_) => whole_number(value),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// The number that `value` is, if it is a whole one. `1.0` is, as it is for the scripts that send it.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    /// Up to here every whole number is one of floating point too.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_float = |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(of_float))
}

impl Definition {
    /// `value` as a value of this setting's type: a boolean, a whole number, a text, or a list of texts. `None` if it is none.
    pub(super) fn read(&self, value: &Value) -> Option<Value> {
        match self.kind {
            Kind::Boolean => bool::read(value).map(Value::from),
            Kind::Integer => i64::read(value).map(Value::from),
            Kind::Text | Kind::Color | Kind::Password | Kind::Code | Kind::Language => text(value).map(Value::from),
            Kind::Select => text(value).map(|text| self.spelled(text).into()),
            Kind::MultiSelect => texts(value).map(|texts| texts.into_iter().map(|text| self.spelled(text)).collect()),
            Kind::Asset => value.is_object().then(|| value.clone()),
        }
    }

    /// An option in its own spelling; anything else as it is.
    fn spelled(&self, text: String) -> String {
        let option = self.options.iter().find(|option| option.eq_ignore_ascii_case(&text));
        option.map_or(text, |&option| option.to_owned())
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A list of texts, or a text that is one as JSON.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(json) => serde_json::from_str(json).ok(),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}
