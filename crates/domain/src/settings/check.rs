//! Whether a value that a client sends is taken.
//!
//! A single write takes nearly everything, and reading is lenient; a write of several settings at once looks at each type.

use serde_json::Value;

use super::read::{Readable, whole_number};
use super::{Definition, Kind};

/// Why a setting does not take a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// The number is too small.
    OutOfRange,
    /// The number is no whole one.
    NotWhole,
    /// The text has to be JSON and is not.
    NotJson,
    /// The value is of another type; both as a script names types.
    Mismatch {
        /// The type that is taken.
        expected: &'static str,
        /// The type of the value.
        got: &'static str,
    },
}

impl Definition {
    /// Whether a single write may store `value`: only numbers are looked at, whether they are in range.
    ///
    /// # Errors
    ///
    /// [`Rejected::OutOfRange`].
    pub fn accepts(&self, value: &Value) -> Result<(), Rejected> {
        match (self.minimum, i64::read(value).map(|number| number as f64).or_else(|| value.as_f64())) {
            (Some(minimum), Some(number)) if number < minimum as f64 => Err(Rejected::OutOfRange),
            _ => Ok(()),
        }
    }

    /// Whether `value` is of this setting's type to the letter, and in range.
    ///
    /// # Errors
    ///
    /// What is wrong with the value.
    pub fn accepts_strictly(&self, value: &Value) -> Result<(), Rejected> {
        let (is_fitting, expected) = match self.kind {
            Kind::Boolean => (value.is_boolean(), "boolean"),
            Kind::Integer => (value.is_number(), "number"),
            Kind::MultiSelect => (value.is_array(), "array"),
            Kind::Text | Kind::Select | Kind::Color | Kind::Password | Kind::Code | Kind::Language | Kind::Asset => {
                (value.is_string(), "string")
            }
        };
        if !is_fitting {
            return Err(Rejected::Mismatch { expected, got: type_name(value) });
        }
        match self.kind {
            Kind::Integer if whole_number(value).is_none() => Err(Rejected::NotWhole),
            Kind::Code if !is_json(value.as_str().unwrap_or_default()) => Err(Rejected::NotJson),
            _ => self.accepts(value),
        }
    }
}

fn is_json(text: &str) -> bool {
    text.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
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
