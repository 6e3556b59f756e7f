//! Whether users are there, and whether they may log in.

use usher_domain::UserEventKind;
use usher_domain::permission::EDIT_OTHER_USER_INFO;
use usher_domain::settings::{INVISIBLE_STATUS, STATUS_MESSAGE_CHANGE};
use usher_domain::user::{SYSTEM_USER, UserStatus};
use usher_store::q;
use usher_store::q::users::User;

use super::{UserChoice, keep_an_administrator};
use crate::agents::{is_agent, settle, with_consequences};
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// The most characters of a status text.
const TEXT_LIMIT: usize = 120;

/// How many users one question for their presence may name.
const NAMED_LIMIT: usize = 500;

/// How a user's status changes. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct StatusChange {
    /// The name of the status.
    pub status: Option<String>,
    /// The text beside it.
    pub text: Option<String>,
}

impl Services {
    /// Changes whether a user is there: the caller, or with the permission for it somebody else.
    pub async fn set_status(&self, account: &Account, choice: Option<UserChoice>, change: StatusChange) -> Result<User, Error> {
        let choice = choice.unwrap_or_else(|| UserChoice::Id(account.user.id.clone()));
        if !choice.is(&account.user) && !self.permits(&account.user, EDIT_OTHER_USER_INFO) {
            return Err(Refusal::Unauthorized.into());
        }
        let platform = self.platform();
        if change.text.is_some() && !platform.settings.get(&STATUS_MESSAGE_CHANGE) {
            return Err(Refusal::ChangeNotAllowed("Change status is not allowed").into());
        }
        let status = change.status.map(|name| UserStatus::from_name(&name).ok_or(Refusal::InvalidStatus)).transpose()?;
        if status == Some(UserStatus::Offline) && !platform.settings.get(&INVISIBLE_STATUS) {
            return Err(Refusal::InvisibleNotAllowed.into());
        }
        let (text, now) = (change.text.as_deref().map(shortened), self.now());
        let done = self
            .store
            .write(move |tx| {
                let before = choice.find(tx)?.ok_or(Refusal::NoSuchUser)?;
                let status = status.map(|status| status.name().to_owned());
                let after = User {
                    status: status.clone().unwrap_or(before.status),
                    status_default: status.unwrap_or(before.status_default),
                    status_text: text.clone().unwrap_or(before.status_text),
                    status_updated_at: now,
                    updated_at: now,
                    ..before
                };
                q::users::update(tx, &after, UserEventKind::Status)?;
                settle(tx, false, &after, now)?;
                Ok::<_, Error>(after)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Lets a user log in, or does not any more, which ends all of its logins at once. Whether the caller may is declared where it is
    /// called.
    pub async fn set_active(&self, user_id: String, active: bool) -> Result<User, Error> {
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let before = q::users::by_id(tx, &user_id)?.ok_or(Refusal::NoSuchUser)?;
                if before.id == SYSTEM_USER {
                    return Err(Refusal::ActionNotAllowed("Editing the user of the server is not allowed").into());
                }
                let status = if active { before.status.clone() } else { UserStatus::Offline.name().to_owned() };
                if !active {
                    keep_an_administrator(tx, &before)?;
                    q::login_tokens::delete_all(tx, &before.id)?;
                }
                let was_agent = is_agent(&before);
                let after = User { active, status, status_updated_at: now, updated_at: now, ..before };
                let after = with_consequences(was_agent, after);
                q::users::update(tx, &after, UserEventKind::Status)?;
                settle(tx, was_agent, &after, now)?;
                Ok(after)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// The users with these ids; no more than a few hundred of them.
    pub async fn users_by_ids(&self, ids: Vec<String>) -> Result<Vec<User>, Error> {
        let ids: Vec<String> = ids.into_iter().take(NAMED_LIMIT).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = super::Wanted { ids, active: Some(true), ..super::Wanted::default() };
        self.store.read(move |tx| q::users::list(tx, &wanted, &super::Page::whole()).map_err(Error::from)).await
    }

    /// Every user who may log in and does not seem to be away altogether.
    pub async fn users_who_are_there(&self) -> Result<Vec<User>, Error> {
        self.store.read(|tx| q::users::there(tx).map_err(Error::from)).await
    }

    /// The users whose status changed after `since` (milliseconds UTC).
    pub async fn users_with_status_since(&self, since: i64) -> Result<Vec<User>, Error> {
        self.store.read(move |tx| q::users::with_status_since(tx, since).map_err(Error::from)).await
    }
}

/// A status text as far as it is kept.
pub(super) fn shortened(text: &str) -> String {
    text.trim().chars().take(TEXT_LIMIT).collect()
}
