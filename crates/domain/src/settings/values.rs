//! The values in force: the defaults, and what is set over them.

use std::collections::HashMap;

use serde_json::Value;

use super::read::{Readable, texts};
use super::{Choice, Definition, Kind, List, Setting, definition};

/// The values in force at one moment: the defaults, and what was set over them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    held: HashMap<&'static str, Held>,
}

/// A value that is no default.
#[derive(Debug, Clone)]
struct Held {
    /// As it was set.
    set: Value,
    /// As the setting's type, if it can be read so.
    read: Option<Value>,
}

impl Settings {
    /// The defaults with `overrides` (id and value) over them, a later one over an earlier one.
    ///
    /// # Errors
    ///
    /// The id that no setting has.
    pub fn with(overrides: impl IntoIterator<Item = (impl AsRef<str>, Value)>) -> Result<Settings, UnknownSetting> {
        let mut held = HashMap::new();
        for (id, set) in overrides {
            let definition = known(id.as_ref())?;
            if set == definition.default {
                held.remove(definition.id);
            } else {
                held.insert(definition.id, Held { read: definition.read(&set), set });
            }
        }
        Ok(Settings { held })
    }

    /// The defaults with `forced` (id and text, as an environment variable has it) over them.
    ///
    /// # Errors
    ///
    /// The id that no setting has, or whose text is no value of its type.
    pub fn forced(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Settings, ForcedSettingError> {
        Settings::with(forced(pairs)?).map_err(ForcedSettingError::Unknown)
    }

    /// The value of `setting`.
    pub fn get<T: Readable + Copy>(&self, setting: &Setting<T>) -> T {
        self.read(setting).and_then(T::read).unwrap_or(setting.default)
    }

    /// The value of a setting that is a text.
    pub fn text(&self, setting: &Setting<&'static str>) -> &str {
        self.read(setting).and_then(Value::as_str).unwrap_or(setting.default)
    }

    /// The option that is chosen, in its own spelling. A value that is no option is given as it was set.
    pub fn choice(&self, setting: &Setting<Choice>) -> &str {
        self.read(setting).and_then(Value::as_str).unwrap_or(setting.default.0)
    }

    /// The options that are chosen, each as [`Settings::choice`] gives it.
    pub fn list(&self, setting: &Setting<List>) -> Vec<&str> {
        let set = self.read(setting).and_then(Value::as_array);
        set.map_or_else(|| setting.default.to_vec(), |items| items.iter().filter_map(Value::as_str).collect())
    }

    /// The value of the setting that `definition` describes, as it was set: what clients see.
    pub fn value<'a>(&'a self, definition: &'a Definition) -> &'a Value {
        self.held.get(definition.id).map_or(&definition.default, |held| &held.set)
    }

    /// What differs from the defaults, as it was set, in no order.
    pub fn overrides(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.held.iter().map(|(&id, held)| (id, &held.set))
    }

    fn read<T>(&self, setting: &Setting<T>) -> Option<&Value> {
        self.held.get(setting.id)?.read.as_ref()
    }
}

fn known(id: &str) -> Result<&'static Definition, UnknownSetting> {
    definition(id).ok_or_else(|| UnknownSetting(id.to_owned()))
}

/// Reads `pairs` (id and text, as an environment variable has it) as values of their settings.
///
/// # Errors
///
/// The id that no setting has, or whose text is no value of its type.
pub fn forced(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Vec<(&'static str, Value)>, ForcedSettingError> {
    let read = |(id, text): (String, String)| {
        let definition = known(&id).map_err(ForcedSettingError::Unknown)?;
        Ok((definition.id, definition.value_of(&text)?))
    };
    pairs.into_iter().map(read).collect()
}

impl Definition {
    /// Reads a text, as an environment variable has it, as a value of this setting's type.
    ///
    /// # Errors
    ///
    /// [`ForcedSettingError::Unreadable`].
    pub fn value_of(&self, text: &str) -> Result<Value, ForcedSettingError> {
        let (value, takes) = match self.kind {
            Kind::Boolean => (text.parse::<bool>().map(Value::from).ok(), "`true` or `false`"),
            Kind::Integer => (text.parse::<i64>().map(Value::from).ok(), "a whole number"),
            Kind::MultiSelect => (texts(&text.into()).map(Value::from), "a list of texts as JSON, such as `[\"uj\"]`"),
            Kind::Asset => (serde_json::from_str(text).ok().filter(Value::is_object), "an object as JSON"),
            Kind::Text | Kind::Select | Kind::Color | Kind::Password | Kind::Code | Kind::Language => (Some(text.into()), "a text"),
        };
        value.ok_or_else(|| ForcedSettingError::Unreadable { id: self.id.to_owned(), takes })
    }
}

/// There is no setting of this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSetting(
    /// The id.
    pub String,
);

impl std::fmt::Display for UnknownSetting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "there is no setting `{}`", self.0)
    }
}

impl std::error::Error for UnknownSetting {}

/// A setting cannot be forced to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForcedSettingError {
    /// There is no such setting.
    Unknown(UnknownSetting),
    /// The text is no value of its type.
    Unreadable {
        /// The setting's id.
        id: String,
        /// What it takes.
        takes: &'static str,
    },
}

impl std::fmt::Display for ForcedSettingError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ForcedSettingError::Unknown(unknown) => unknown.fmt(formatter),
            ForcedSettingError::Unreadable { id, takes } => write!(formatter, "the setting `{id}` takes {takes}"),
        }
    }
}

impl std::error::Error for ForcedSettingError {}
