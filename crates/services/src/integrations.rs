//! Integrations: how other servers are told of chats.

use serde_json::Value;
use usher_domain::settings::{
    self, Definition, WEBHOOK_ON_AGENT_MESSAGE, WEBHOOK_ON_CLOSE, WEBHOOK_ON_FORWARD, WEBHOOK_ON_OFFLINE_MESSAGE,
    WEBHOOK_ON_QUEUED, WEBHOOK_ON_START, WEBHOOK_ON_TAKEN, WEBHOOK_ON_VISITOR_MESSAGE, WEBHOOK_SECRET,
    WEBHOOK_TIMEOUT_MILLISECONDS, WEBHOOK_URL,
};

use crate::settings::SettingChange;
use crate::{Error, Services};

/// The settings of integrations, in the order in which they are shown.
pub const SETTINGS: [&str; 11] = [
    WEBHOOK_URL.id,
    WEBHOOK_SECRET.id,
    WEBHOOK_TIMEOUT_MILLISECONDS.id,
    WEBHOOK_ON_START.id,
    WEBHOOK_ON_CLOSE.id,
    WEBHOOK_ON_TAKEN.id,
    WEBHOOK_ON_QUEUED.id,
    WEBHOOK_ON_FORWARD.id,
    WEBHOOK_ON_OFFLINE_MESSAGE.id,
    WEBHOOK_ON_VISITOR_MESSAGE.id,
    WEBHOOK_ON_AGENT_MESSAGE.id,
];

impl Services {
    /// The definitions of the settings of integrations.
    pub fn integration_settings(&self) -> Vec<&'static Definition> {
        SETTINGS.iter().filter_map(|id| settings::definition(id)).collect()
    }

    /// Changes settings of integrations: all of them, or none. Texts are trimmed; what is no setting of integrations is left alone.
    /// Whoever may manage livechat may do this, so the permissions to change settings are not asked for.
    pub async fn set_integration_settings(&self, changes: Vec<(String, Value)>) -> Result<(), Error> {
        let known = changes.into_iter().filter(|(id, _)| SETTINGS.contains(&id.as_str()));
        let changes = known.map(|(id, value)| SettingChange { id, value: trimmed(value), editor: None });
        self.store_checked_settings(changes.collect()).await
    }
}

fn trimmed(value: Value) -> Value {
    match value {
        Value::String(text) => text.trim().into(),
        other => other,
    }
}
