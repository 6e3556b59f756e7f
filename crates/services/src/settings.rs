//! Reading and changing settings.

use serde_json::Value;
use usher_domain::permission::{self, EDIT_PRIVILEGED_SETTING, MANAGE_SELECTED_SETTINGS, Permission, VIEW_PRIVILEGED_SETTING};
use usher_domain::settings::{self, Definition, Rejected};
use usher_store::q;

use crate::logins::Account;
use crate::platform::{Platform, mark_changed};
use crate::{Error, Refusal, Services};

/// The longest value, in bytes of JSON. Whoever takes one from outside holds it to this.
pub const VALUE_LIMIT: usize = 64 << 10;

/// A setting and what it is to be.
#[derive(Debug, Clone)]
pub struct SettingChange {
    /// The id.
    pub id: String,
    /// The value.
    pub value: Value,
    /// How a colour was entered.
    pub editor: Option<String>,
}

/// Which settings are wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedSettings {
    /// Only those that everybody may see.
    pub only_public: bool,
    /// Only those with these ids.
    pub ids: Option<Vec<String>>,
}

impl Services {
    /// The settings that are wanted, in the order of their ids. Hidden ones are in no list.
    pub fn settings_list(&self, wanted: &WantedSettings) -> Vec<&'static Definition> {
        let is_wanted = |definition: &&Definition| {
            let is_named = wanted.ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == definition.id));
            !definition.is_hidden && (definition.is_public || !wanted.only_public) && is_named
        };
        let mut list: Vec<_> = settings::definitions().iter().filter(is_wanted).collect();
        list.sort_unstable_by_key(|definition| definition.id);
        list
    }

    /// The ids of the settings that were changed after `since` (milliseconds UTC).
    pub async fn settings_changed_since(&self, since: i64) -> Result<Vec<String>, Error> {
        self.store.read(move |tx| q::settings::changed_since(tx, since).map_err(Error::from)).await
    }

    /// Whether the caller sees settings that are not for everybody.
    pub fn sees_all_settings(&self, account: &Account) -> bool {
        self.permits(&account.user, VIEW_PRIVILEGED_SETTING)
    }

    /// The setting of this id, unless it is hidden.
    pub fn visible_setting(&self, id: &str) -> Result<&'static Definition, Refusal> {
        settings::definition(id).filter(|definition| !definition.is_hidden).ok_or(Refusal::NoSuchSetting)
    }

    /// Changes one setting. The value is kept as it was sent; only bounds of numbers are looked at.
    pub async fn set_setting(&self, account: &Account, change: SettingChange) -> Result<(), Error> {
        let definition = self.visible_setting(&change.id)?;
        let platform = self.platform();
        if !may_change(&platform, account, definition.id) {
            return Err(Refusal::SettingsNotAllowed(vec![change.id]).into());
        }
        definition.accepts(&change.value).map_err(|rejected| refusal(rejected, &change.value))?;
        self.store_settings(vec![change]).await
    }

    /// Changes several settings: all of them, or none. Values must be of their settings' types.
    pub async fn set_settings(&self, account: &Account, changes: Vec<SettingChange>) -> Result<(), Error> {
        let platform = self.platform();
        let forbidden: Vec<String> =
            changes.iter().filter(|change| !may_change(&platform, account, &change.id)).map(|change| change.id.clone()).collect();
        if !forbidden.is_empty() {
            return Err(Refusal::SettingsNotAllowed(forbidden).into());
        }
        self.store_checked_settings(changes).await
    }

    /// Changes several settings, whoever wants it: all of them, or none. Values must be of their settings' types.
    pub(crate) async fn store_checked_settings(&self, changes: Vec<SettingChange>) -> Result<(), Error> {
        for change in &changes {
            let definition = self.visible_setting(&change.id)?;
            definition.accepts_strictly(&change.value).map_err(|rejected| refusal(rejected, &change.value))?;
        }
        self.store_settings(changes).await
    }

    async fn store_settings(&self, changes: Vec<SettingChange>) -> Result<(), Error> {
        let now = self.now();
        self.store
            .write(move |tx| {
                for change in &changes {
                    q::settings::put(tx, &change.id, &change.value.to_string(), change.editor.as_deref(), now)?;
                }
                Ok::<_, Error>(mark_changed(tx)?)
            })
            .await?;
        self.load_platform().await
    }
}

/// Whether the caller may change a setting: any, or this one by a permission of its own.
fn may_change(platform: &Platform, account: &Account, id: &str) -> bool {
    let may = |permission: Permission| platform.grants.permit(&account.user.roles, permission.0);
    let may_this = || platform.grants.permit(&account.user.roles, &permission::to_change_setting(id));
    may(EDIT_PRIVILEGED_SETTING) || may(MANAGE_SELECTED_SETTINGS) && may_this()
}

fn refusal(rejected: Rejected, value: &Value) -> Refusal {
    match rejected {
        Rejected::OutOfRange | Rejected::NotWhole => Refusal::InvalidSettingValue(value.to_string()),
        Rejected::NotJson => Refusal::SettingNotJson,
        Rejected::Mismatch { expected, got } => Refusal::SettingType { expected, got },
    }
}
