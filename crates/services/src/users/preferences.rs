//! What users prefer: the defaults that administrators choose, and each user's own choices over them.

use std::borrow::Cow;

use serde_json::{Map, Value};
use usher_domain::UserEventKind;
use usher_domain::permission::EDIT_OTHER_USER_INFO;
use usher_domain::settings::{self, Settings};
use usher_store::q;
use usher_store::q::users::User;

use super::{UserChoice, object, stored};
use crate::logins::Account;
use crate::platform::Platform;
use crate::{Error, Refusal, Services};

/// The start of the ids of settings that say what users prefer by default.
const PREFIX: &str = "Accounts_Default_User_Preferences_";

/// What users prefer who have chosen nothing.
pub(crate) fn defaults(settings: &Settings) -> Map<String, Value> {
    let named = settings::definitions().iter().filter_map(|definition| Some((definition.id.strip_prefix(PREFIX)?, definition)));
    named.map(|(name, definition)| (name.to_owned(), settings.value(definition).clone())).collect()
}

/// What a user prefers: the defaults, and the user's own choices over them.
pub fn merged_preferences<'a>(platform: &'a Platform, user: &User) -> Cow<'a, Map<String, Value>> {
    let defaults = &platform.default_preferences;
    if user.preferences == "{}" {
        return Cow::Borrowed(defaults);
    }
    let mut preferences = defaults.clone();
    preferences.extend(object(&user.preferences));
    Cow::Owned(preferences)
}

impl Services {
    /// Adds to what a user prefers: the caller, or with the permission for it somebody else. Null takes a choice back.
    pub async fn set_preferences(
        &self,
        account: &Account,
        user_id: Option<String>,
        chosen: Map<String, Value>,
    ) -> Result<User, Error> {
        let user_id = user_id.unwrap_or_else(|| account.user.id.clone());
        if user_id != account.user.id && !self.permits(&account.user, EDIT_OTHER_USER_INFO) {
            return Err(Refusal::ActionNotAllowed("Editing user is not allowed").into());
        }
        let now = self.now();
        self.store
            .write(move |tx| {
                let before = UserChoice::Id(user_id.clone()).find(tx)?.ok_or(Refusal::NoSuchUser)?;
                let mut preferences = object(&before.preferences);
                preferences.extend(chosen.clone());
                preferences.retain(|_, value| !value.is_null());
                let after = User { preferences: stored(preferences)?, updated_at: now, ..before };
                q::users::update(tx, &after, UserEventKind::Record)?;
                Ok::<_, Error>(after)
            })
            .await
    }
}
