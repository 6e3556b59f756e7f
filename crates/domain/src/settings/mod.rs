//! The settings: one typed table of every id there is, with its default and what it does; and the values in force over it.
//!
//! Values are JSON and are kept as clients send them; reading is lenient (`"true"` is true, `"5"` is 5, `multiple` is the option
//! `Multiple`). A value that cannot be read as its setting's type counts as the default.
//!
//! A setting is one line of a file in `table`: it gives a constant, by which the server reads the setting, and a [`Definition`], by
//! which clients and documents see it.

use std::collections::HashMap;
use std::sync::LazyLock;

mod check;
mod definition;
mod read;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use check::Rejected;
pub use definition::{Definition, Kind};
pub use read::Readable;
pub use table::*;
pub use values::{ForcedSettingError, Settings, UnknownSetting, forced};

/// A setting whose value is read as `T`.
#[derive(Debug, Clone, Copy)]
pub struct Setting<T: 'static> {
    /// The id on the wire.
    pub id: &'static str,
    /// The value while nothing else is set.
    pub default: T,
}

/// The value of a setting that is one of several options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice(
    /// The option.
    pub &'static str,
);

/// The value of a setting that is any number of several options.
pub type List = &'static [&'static str];

/// The value of a setting that is a file; there is none by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset;

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(table::all);

static BY_ID: LazyLock<HashMap<&'static str, &'static Definition>> =
    LazyLock::new(|| definitions().iter().map(|definition| (definition.id, definition)).collect());

/// Every setting there is, those of one section beside each other.
pub fn definitions() -> &'static [Definition] {
    &DEFINITIONS
}

/// The setting of this id.
pub fn definition(id: &str) -> Option<&'static Definition> {
    BY_ID.get(id).copied()
}
