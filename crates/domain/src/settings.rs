//! The settings: one typed table of every id that the server reads, with its default.
//!
//! Values are JSON, as clients send them; reading is lenient (`"true"` is true, `"5"` is 5). A value that cannot be read as its
//! setting's type counts as the default.

use std::collections::HashMap;

use serde_json::Value;

/// A setting whose value is read as `T`.
#[derive(Debug)]
pub struct Setting<T: 'static> {
    /// The id on the wire.
    pub id: &'static str,
    /// The value while nothing else is set.
    pub default: T,
}

/// What a setting is, for the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The id on the wire.
    pub id: &'static str,
    /// The default value.
    pub default: Value,
    /// What it does.
    pub description: &'static str,
}

/// Declares the table: one constant per setting, and [`definitions`] over all of them.
macro_rules! settings {
    ($($constant:ident: $type:ty = $id:literal, $default:expr, $description:literal;)*) => {
        $(
            #[doc = $description]
            pub const $constant: Setting<$type> = Setting { id: $id, default: $default };
        )*

        /// Every setting there is.
        pub fn definitions() -> Vec<Definition> {
            vec![$(Definition { id: $id, default: Value::from($default), description: $description }),*]
        }
    };
}

settings! {
    ENABLED: bool = "Livechat_enabled", true, "The master switch of livechat.";
    ACCEPT_WITHOUT_AGENTS: bool = "Livechat_accept_chats_with_no_agents", false, "Rooms may be opened while no agent is online.";
    KEEP_CONNECTION: bool = "Livechat_Allow_collect_and_store_HTTP_header_informations", false, "Visitors' user agent, address and host are kept, and visitors with open rooms may be erased.";
    LIMIT_MESSAGE_LENGTH: bool = "Livechat_enable_message_character_limit", false, "Visitors' messages have a limit of characters.";
    MESSAGE_CHARACTER_LIMIT: i64 = "Livechat_message_character_limit", 0, "That limit.";
    MESSAGE_MAX_ALLOWED_SIZE: i64 = "Message_MaxAllowedSize", 5000, "The limit of characters that is shown to widgets while the one above is 0.";
    REGISTRATION_FORM: bool = "Livechat_registration_form", true, "The widget asks who the visitor is.";
    REGISTRATION_NAME: bool = "Livechat_name_field_registration_form", true, "The form asks for a name.";
    REGISTRATION_EMAIL: bool = "Livechat_email_field_registration_form", true, "The form asks for an e-mail address.";
    REGISTRATION_MESSAGE: &str = "Livechat_registration_form_message", "", "The text above the form.";
    SWITCHING_DEPARTMENTS: bool = "Livechat_allow_switching_departments", true, "Visitors may choose another department.";
    OFFLINE_FORM: bool = "Livechat_display_offline_form", true, "The widget offers a form while nobody is online.";
    OFFLINE_FORM_UNAVAILABLE: &str = "Livechat_offline_form_unavailable", "", "The text shown where that form is off.";
    OFFLINE_TITLE: &str = "Livechat_offline_title", "Leave a message", "The title of the offline form.";
    OFFLINE_TITLE_COLOR: &str = "Livechat_offline_title_color", "#666666", "Its colour.";
    OFFLINE_MESSAGE: &str = "Livechat_offline_message", "", "The text above the offline form.";
    OFFLINE_SUCCESS_MESSAGE: &str = "Livechat_offline_success_message", "", "The text after the offline form was sent.";
    TITLE: &str = "Livechat_title", "Rocket.Chat", "The title of the widget.";
    TITLE_COLOR: &str = "Livechat_title_color", "#C1272D", "Its colour.";
    WIDGET_POSITION: &str = "Livechat_widget_position", "right", "The side of the page the widget is on.";
    WIDGET_BACKGROUND: &str = "Livechat_background", "", "The widget's background (CSS).";
    HIDE_WATERMARK: bool = "Livechat_hide_watermark", false, "The widget does not say who made it.";
    HIDE_EXPAND_CHAT: bool = "Livechat_hide_expand_chat", false, "The widget cannot be opened in a window of its own.";
    SHOW_AGENT_INFO: bool = "Livechat_show_agent_info", true, "Visitors see who serves them.";
    FILE_UPLOAD: bool = "Livechat_fileupload_enabled", true, "Visitors may send files, where files are on at all.";
    FILE_UPLOAD_AT_ALL: bool = "FileUpload_Enabled", true, "Files are on.";
    TRANSCRIPT: bool = "Livechat_enable_transcript", false, "Visitors are offered a transcript at the end.";
    TRANSCRIPT_MESSAGE: &str = "Livechat_transcript_message", "", "The text of that offer.";
    VISITORS_MAY_CLOSE: bool = "Omnichannel_allow_visitors_to_close_conversation", true, "Visitors may close their chats.";
    HISTORY_MONITOR_TYPE: &str = "Livechat_history_monitor_type", "url", "Which page changes are recorded: `url` or `title`.";
    FORCE_CONSENT: bool = "Livechat_force_accept_data_processing_consent", false, "The widget asks for consent before anything else.";
    CONSENT_TEXT: &str = "Livechat_data_processing_consent_text", "", "The text of that question.";
    CLEAR_STORAGE_AT_END: bool = "Livechat_clear_local_storage_when_chat_ended", false, "The widget forgets its visitor when a chat ends.";
    CONVERSATION_FINISHED_MESSAGE: &str = "Livechat_conversation_finished_message", "", "The text at the end of a chat.";
    CONVERSATION_FINISHED_TEXT: &str = "Livechat_conversation_finished_text", "", "The longer text at the end of a chat.";
    CALL_PROVIDER: &str = "Omnichannel_call_provider", "none", "Who carries calls.";
    LANGUAGE: &str = "Language", "", "The language of texts; empty is English.";
    SITE_URL: &str = "Site_Url", "", "Where people reach this server; empty leaves links relative.";
    LOGIN_EXPIRATION_DAYS: i64 = "Accounts_LoginExpiration", 90, "How many days a login lasts.";
    MESSAGES_PER_MINUTE: i64 = "Usher_Limit_Messages_Per_Minute", 60, "Messages a visitor may send per minute, in the long run.";
    MESSAGES_BURST: i64 = "Usher_Limit_Messages_Burst", 20, "Messages a visitor may send at once.";
    REGISTRATIONS_PER_TOKEN: i64 = "Usher_Limit_Registrations_Per_Token", 5, "Registrations per minute with one token.";
    REGISTRATIONS_PER_ADDRESS: i64 = "Usher_Limit_Registrations_Per_Address", 300, "Registrations per minute from one address.";
    ERASURES_PER_TOKEN: i64 = "Usher_Limit_Erasures_Per_Token", 5, "Erasures per minute with one token.";
    LOGINS_PER_NAME_AND_ADDRESS: i64 = "Usher_Limit_Logins", 10, "Logins per minute with one name from one address.";
}

/// Types that a setting's value can be read as.
pub trait Readable: Sized {
    /// Reads `value` leniently; `None` if it is nothing of this type.
    fn read(value: &Value) -> Option<Self>;
}

impl Readable for bool {
    fn read(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }
}

impl Readable for i64 {
    fn read(value: &Value) -> Option<i64> {
        match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// The values in force at one moment: the defaults, and what was set over them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: HashMap<&'static str, Value>,
}

impl Settings {
    /// The defaults with `overrides` (id and value) over them. Gives the ids that no setting has as an error.
    pub fn with(overrides: impl IntoIterator<Item = (String, Value)>) -> Result<Settings, UnknownSetting> {
        let known: HashMap<&'static str, ()> = definitions().into_iter().map(|definition| (definition.id, ())).collect();
        let mut values = HashMap::new();
        for (id, value) in overrides {
            let (&id, ()) = known.get_key_value(id.as_str()).ok_or(UnknownSetting(id))?;
            values.insert(id, value);
        }
        Ok(Settings { values })
    }

    /// The value of `setting`.
    pub fn get<T: Readable + Clone>(&self, setting: &Setting<T>) -> T {
        self.values.get(setting.id).and_then(T::read).unwrap_or_else(|| setting.default.clone())
    }

    /// The value of a setting that is a text.
    pub fn text(&self, setting: &Setting<&'static str>) -> &str {
        self.values.get(setting.id).and_then(Value::as_str).unwrap_or(setting.default)
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

impl Settings {
    /// The defaults with `forced` (id and text, as an environment variable has it) over them.
    ///
    /// # Errors
    ///
    /// The id that no setting has, or whose text is no value of its type.
    pub fn forced(forced: impl IntoIterator<Item = (String, String)>) -> Result<Settings, ForcedSettingError> {
        let definitions = definitions();
        let read = |(id, text): (String, String)| {
            let definition = definitions.iter().find(|definition| definition.id == id);
            match definition {
                None => Err(ForcedSettingError::Unknown(UnknownSetting(id))),
                Some(definition) => Ok((definition.value_of(&text)?, id)),
            }
        };
        let values = forced.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Settings::with(values.into_iter().map(|(value, id)| (id, value))).map_err(ForcedSettingError::Unknown)
    }
}

impl Definition {
    /// Reads a text as a value of this setting's type.
    fn value_of(&self, text: &str) -> Result<Value, ForcedSettingError> {
        let (value, takes) = match self.default {
            Value::Bool(_) => (text.parse::<bool>().map(Value::from).ok(), "`true` or `false`"),
            Value::Number(_) => (text.parse::<i64>().map(Value::from).ok(), "a whole number"),
            _ => (Some(Value::from(text)), "a text"),
        };
        value.ok_or_else(|| ForcedSettingError::Unreadable { id: self.id.to_owned(), takes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> = definitions().into_iter().map(|definition| definition.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn values_are_read_leniently_and_fall_back_to_the_default() {
        let set = |value: Value| Settings::with([(ENABLED.id.to_owned(), value)]).unwrap().get(&ENABLED);
        assert!(set(json!(true)) && set(json!("TRUE")) && set(json!(1)));
        assert!(!set(json!(false)) && !set(json!("false")) && !set(json!(0)));
        assert!(set(json!({"a": 1})) && set(json!("perhaps")), "what is no boolean leaves the default");
        let limit = Settings::with([(MESSAGE_CHARACTER_LIMIT.id.to_owned(), json!("12"))]).unwrap();
        assert_eq!(limit.get(&MESSAGE_CHARACTER_LIMIT), 12);
        assert_eq!(Settings::default().text(&WIDGET_POSITION), "right");
    }

    #[test]
    fn unknown_ids_are_named() {
        assert_eq!(
            Settings::with([("Livechat_x".to_owned(), json!(1))]).unwrap_err().to_string(),
            "there is no setting `Livechat_x`"
        );
    }

    #[test]
    fn texts_become_values_of_their_setting() {
        let forced = |id: &str, text: &str| Settings::forced([(id.to_owned(), text.to_owned())]);
        assert!(!forced(ENABLED.id, "false").unwrap().get(&ENABLED));
        assert_eq!(forced(MESSAGE_CHARACTER_LIMIT.id, "7").unwrap().get(&MESSAGE_CHARACTER_LIMIT), 7);
        assert_eq!(forced(TITLE.id, "2024").unwrap().text(&TITLE), "2024");
        for (id, text, error) in [
            ("Livechat_enabled", "perhaps", "the setting `Livechat_enabled` takes `true` or `false`"),
            ("Livechat_message_character_limit", "x", "the setting `Livechat_message_character_limit` takes a whole number"),
            ("Livechat_x", "1", "there is no setting `Livechat_x`"),
        ] {
            assert_eq!(forced(id, text).unwrap_err().to_string(), error);
        }
    }
}
