//! What a setting is: its type, its default, who may see it, and what it does.

use serde_json::{Map, Value};

use super::{Asset, Choice, List, Setting};

/// The types of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A text.
    Text,
    /// One of several options.
    Select,
    /// Any number of several options.
    MultiSelect,
    /// A colour, as CSS writes it.
    Color,
    /// A text that is not shown while it is typed.
    Password,
    /// A text that is JSON, or empty.
    Code,
    /// The code of a language; empty is English.
    Language,
    /// A file.
    Asset,
}

impl Kind {
    /// The name on the wire.
    pub fn wire_name(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Integer => "int",
            Kind::Text => "string",
            Kind::Select => "select",
            Kind::MultiSelect => "multiSelect",
            Kind::Color => "color",
            Kind::Password => "password",
            Kind::Code => "code",
            Kind::Language => "language",
            Kind::Asset => "asset",
        }
    }
}

/// What a setting is, for the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The id on the wire.
    pub id: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The default value.
    pub default: Value,
    /// Whether everybody may read it.
    pub is_public: bool,
    /// Whether clients neither see nor set it: it is the server's own.
    pub is_hidden: bool,
    /// Whether its value is a secret.
    pub is_secret: bool,
    /// Whether clients know it as a paid one. It works here as any other.
    pub is_premium: bool,
    /// The group it is shown in.
    pub group: &'static str,
    /// The section of that group, if it is in one.
    pub section: Option<&'static str>,
    /// The options to choose from, if its type has any.
    pub options: &'static [&'static str],
    /// The least number it takes, if there is one.
    pub minimum: Option<i64>,
    /// Whether its text has several lines.
    pub is_multiline: bool,
    /// What it does.
    pub description: &'static str,
}

/// How the lines of the table make definitions.
impl Definition {
    fn new(id: &'static str, kind: Kind, default: impl Into<Value>) -> Definition {
        Definition {
            id,
            kind,
            default: default.into(),
            is_public: false,
            is_hidden: false,
            is_secret: false,
            is_premium: false,
            group: "",
            section: None,
            options: &[],
            minimum: None,
            is_multiline: false,
            description: "",
        }
    }

    pub(super) fn boolean(id: &'static str, default: bool) -> Definition {
        Definition::new(id, Kind::Boolean, default)
    }

    pub(super) fn integer(id: &'static str, default: i64) -> Definition {
        Definition::new(id, Kind::Integer, default)
    }

    pub(super) fn text(id: &'static str, default: &'static str) -> Definition {
        Definition::new(id, Kind::Text, default)
    }

    pub(super) fn select(id: &'static str, default: &'static str, options: List) -> Definition {
        Definition { options, ..Definition::new(id, Kind::Select, default) }
    }

    pub(super) fn multi_select(id: &'static str, default: List, options: List) -> Definition {
        Definition { options, ..Definition::new(id, Kind::MultiSelect, default) }
    }

    pub(super) fn color(id: &'static str, default: &'static str) -> Definition {
        Definition::new(id, Kind::Color, default)
    }

    pub(super) fn password(id: &'static str, default: &'static str) -> Definition {
        Definition::new(id, Kind::Password, default)
    }

    pub(super) fn code(id: &'static str, default: &'static str) -> Definition {
        Definition::new(id, Kind::Code, default)
    }

    pub(super) fn language(id: &'static str, default: &'static str) -> Definition {
        Definition::new(id, Kind::Language, default)
    }

    /// Clients look into the value for an address: without a file it is an object that has none.
    pub(super) fn asset(id: &'static str, Asset: Asset) -> Definition {
        Definition::new(id, Kind::Asset, Value::Object(Map::new()))
    }

    pub(super) fn public(self) -> Definition {
        Definition { is_public: true, ..self }
    }

    pub(super) fn hidden(self) -> Definition {
        Definition { is_hidden: true, ..self }
    }

    pub(super) fn secret(self) -> Definition {
        Definition { is_secret: true, ..self }
    }

    pub(super) fn premium(self) -> Definition {
        Definition { is_premium: true, ..self }
    }

    pub(super) fn multiline(self) -> Definition {
        Definition { is_multiline: true, ..self }
    }

    pub(super) fn at_least(self, minimum: i64) -> Definition {
        Definition { minimum: Some(minimum), ..self }
    }

    /// An empty section is none.
    pub(super) fn placed(self, group: &'static str, section: &'static str, description: &'static str) -> Definition {
        Definition { group, section: Some(section).filter(|section| !section.is_empty()), description, ..self }
    }
}

/// How the lines of the table make constants; the names are those of the types.
impl Setting<bool> {
    pub(super) const fn boolean(id: &'static str, default: bool) -> Setting<bool> {
        Setting { id, default }
    }
}

impl Setting<i64> {
    pub(super) const fn integer(id: &'static str, default: i64) -> Setting<i64> {
        Setting { id, default }
    }
}

impl Setting<&'static str> {
    pub(super) const fn text(id: &'static str, default: &'static str) -> Setting<&'static str> {
        Setting { id, default }
    }

    pub(super) const fn color(id: &'static str, default: &'static str) -> Setting<&'static str> {
        Setting { id, default }
    }

    pub(super) const fn password(id: &'static str, default: &'static str) -> Setting<&'static str> {
        Setting { id, default }
    }

    pub(super) const fn code(id: &'static str, default: &'static str) -> Setting<&'static str> {
        Setting { id, default }
    }

    pub(super) const fn language(id: &'static str, default: &'static str) -> Setting<&'static str> {
        Setting { id, default }
    }
}

impl Setting<Choice> {
    pub(super) const fn select(id: &'static str, default: &'static str) -> Setting<Choice> {
        Setting { id, default: Choice(default) }
    }
}

impl Setting<List> {
    pub(super) const fn multi_select(id: &'static str, default: List) -> Setting<List> {
        Setting { id, default }
    }
}

impl Setting<Asset> {
    pub(super) const fn asset(id: &'static str, default: Asset) -> Setting<Asset> {
        Setting { id, default }
    }
}
