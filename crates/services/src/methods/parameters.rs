//! The parameters of a method, checked as they are taken.

use serde::de::DeserializeOwned;
use serde_json::Value;
use usher_domain::match_check::{MatchKind, MatchPattern};

use super::MethodError;
use crate::Error;

/// The most characters of a text.
const LIMIT: usize = 10_000;

/// The list.
pub(super) struct Parameters(pub Vec<Value>);

impl Parameters {
    /// The parameter at a place; null counts as none, because that is how clients send one that is not there.
    pub(super) fn get(&self, place: usize) -> Option<&Value> {
        self.0.get(place).filter(|value| !value.is_null())
    }

    /// The text at a place.
    pub(super) fn text(&self, place: usize) -> Result<String, MethodError> {
        MatchKind::Text(LIMIT).check_parameter(self.get(place)).map_err(MethodError::Mismatch)?;
        Ok(self.get(place).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// The text at a place, if there is one.
    pub(super) fn optional_text(&self, place: usize) -> Result<Option<String>, MethodError> {
        if self.get(place).is_none() { Ok(None) } else { self.text(place).map(Some) }
    }

    /// The moment at a place, if there is one (milliseconds UTC).
    pub(super) fn moment(&self, place: usize) -> Result<Option<i64>, MethodError> {
        self.get(place).map(moment).transpose()
    }

    /// The object at a place, as its pattern says.
    pub(super) fn object<T: DeserializeOwned>(&self, place: usize, pattern: &'static MatchPattern) -> Result<T, MethodError> {
        MatchKind::Object(pattern).check_parameter(self.get(place)).map_err(MethodError::Mismatch)?;
        let given = self.get(place).cloned().unwrap_or_default();
        serde_json::from_value(given).map_err(|_| Error::Broken("a pattern let through what its type does not hold").into())
    }

    /// The list of objects at a place, as their pattern says.
    pub(super) fn list<T: DeserializeOwned>(&self, place: usize, pattern: &'static MatchPattern) -> Result<Vec<T>, MethodError> {
        MatchKind::List(pattern).check_parameter(self.get(place)).map_err(MethodError::Mismatch)?;
        let given = self.get(place).cloned().unwrap_or_default();
        serde_json::from_value(given).map_err(|_| Error::Broken("a pattern let through what its type does not hold").into())
    }
}

/// Reads `{"$date": milliseconds}`.
pub(super) fn moment(given: &Value) -> Result<i64, MethodError> {
    let read = given.get("$date").and_then(Value::as_f64).filter(|moment| moment.abs() < 9e15).map(|moment| moment as i64);
    read.ok_or_else(|| MethodError::Mismatch("Match error: Expected Date".to_owned()))
}
