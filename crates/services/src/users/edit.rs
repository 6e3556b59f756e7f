//! Changing users: others by administrators, everybody oneself.

use std::net::IpAddr;

use serde_json::{Map, Value};
use usher_domain::UserEventKind;
use usher_domain::password::PasswordDigest;
use usher_domain::permission::{EDIT_OTHER_USER_ACTIVE_STATUS, EDIT_OTHER_USER_INFO, EDIT_OTHER_USER_PASSWORD, Permission};
use usher_domain::settings::{self as setting};
use usher_domain::user::{SYSTEM_USER, UserStatus};
use usher_store::Tx;
use usher_store::q;
use usher_store::q::users::User;

use super::status::shortened;
use super::{check_email, check_roles, check_username, keep_an_administrator, object, stored};
use crate::agents::{is_agent, settle, with_consequences};
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// What an administrator changes of a user. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// The user name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the address is known to be the user's.
    pub verified: Option<bool>,
    /// The display name.
    pub name: Option<String>,
    /// Another name.
    pub nickname: Option<String>,
    /// What the user says of itself.
    pub bio: Option<String>,
    /// What the user says of its status.
    pub status_text: Option<String>,
    /// The password.
    pub password: Option<PasswordDigest>,
    /// Whether the user has to choose another password.
    pub password_change_required: Option<bool>,
    /// The roles.
    pub roles: Option<Vec<String>>,
    /// Whether the user may log in.
    pub active: Option<bool>,
    /// Custom fields, which are added to those there are.
    pub custom_fields: Option<Map<String, Value>>,
}

/// What users change of themselves.
#[derive(Debug, Clone, Default)]
pub struct OwnChanges {
    /// What changes.
    pub changes: UserChanges,
    /// The present password: needed for another one or another address, unless something else was shown beside the login.
    pub current_password: Option<PasswordDigest>,
    /// Whether something else was.
    pub is_confirmed: bool,
}

impl Services {
    /// Changes a user. A new password ends the user's logins, and so does taking the right to log in away.
    pub async fn update_user(&self, account: &Account, user_id: String, changes: UserChanges) -> Result<User, Error> {
        let platform = self.platform();
        let may = |permission: Permission| platform.grants.permit(&account.user.roles, permission.0);
        let refused = !may(EDIT_OTHER_USER_INFO)
            || changes.password.is_some() && !may(EDIT_OTHER_USER_PASSWORD)
            || changes.active.is_some() && !may(EDIT_OTHER_USER_ACTIVE_STATUS);
        if refused {
            return Err(Refusal::ActionNotAllowed("Editing user is not allowed").into());
        }
        let before = self.user(super::UserChoice::Id(user_id)).await?.ok_or(Refusal::NoSuchUser)?;
        let roles = changes.roles.clone().map(|roles| check_roles(&platform, account, roles, &before.roles)).transpose()?;
        self.change_user(before.id, UserChanges { roles, ..changes }, account).await
    }

    /// Changes the caller, who is at `address`, as far as settings allow it.
    pub async fn update_own(&self, account: &Account, own: OwnChanges, address: IpAddr) -> Result<User, Error> {
        let OwnChanges { changes, current_password, is_confirmed } = own;
        let platform = self.platform();
        let forbidden = [
            (true, &setting::PROFILE_CHANGE, "Not allowed"),
            (changes.username.is_some(), &setting::USERNAME_CHANGE, "Username change is not allowed"),
            (changes.name.is_some(), &setting::NAME_CHANGE, "Name change is not allowed"),
            (changes.email.is_some(), &setting::EMAIL_CHANGE, "Email change is not allowed"),
            (changes.password.is_some(), &setting::PASSWORD_CHANGE, "Password change is not allowed"),
            (changes.status_text.is_some(), &setting::STATUS_MESSAGE_CHANGE, "Status change is not allowed"),
        ];
        if let Some((.., sentence)) = forbidden.iter().find(|(changes, setting, _)| *changes && !platform.settings.get(setting)) {
            return Err(Refusal::ChangeNotAllowed(sentence).into());
        }
        if !is_confirmed && (changes.email.is_some() || changes.password.is_some()) {
            self.check_current_password(account, current_password, address).await?;
        }
        let UserChanges { username, email, name, nickname, bio, status_text, password, custom_fields, .. } = changes;
        let password_change_required = password.as_ref().map(|_| false);
        let changes = UserChanges {
            username,
            email,
            name,
            nickname,
            bio,
            status_text,
            password,
            password_change_required,
            custom_fields,
            ..UserChanges::default()
        };
        self.change_user(account.user.id.clone(), changes, account).await
    }

    async fn check_current_password(
        &self,
        account: &Account,
        current: Option<PasswordDigest>,
        address: IpAddr,
    ) -> Result<(), Error> {
        let current = current.ok_or(Refusal::InvalidPassword)?;
        let is_right = self.is_password_right(account, current, address).await?;
        if is_right { Ok(()) } else { Err(Refusal::InvalidPassword.into()) }
    }

    async fn change_user(&self, user_id: String, changes: UserChanges, account: &Account) -> Result<User, Error> {
        let password_hash = match changes.password.clone() {
            Some(password) => Some(self.passwords.hash(password, self.random.as_ref()).await?),
            None => None,
        };
        let (now, own_token) = (self.now(), account.token_hash.clone());
        self.store
            .write(move |tx| {
                let before = q::users::by_id(tx, &user_id)?.ok_or(Refusal::NoSuchUser)?;
                if before.id == SYSTEM_USER {
                    return Err(Refusal::ActionNotAllowed("Editing the user of the server is not allowed").into());
                }
                let was_agent = is_agent(&before);
                let after = changed(tx, before.clone(), &changes, password_hash.clone(), now)?;
                let after = with_consequences(was_agent, after);
                let loses_administration = !after.active || !after.roles.iter().any(|role| role == usher_domain::role::ADMIN);
                if loses_administration {
                    keep_an_administrator(tx, &before)?;
                }
                q::users::update(tx, &after, UserEventKind::Record)?;
                if after.roles != before.roles {
                    q::users::set_roles(tx, &after.id, &after.roles)?;
                }
                settle(tx, was_agent, &after, now)?;
                if !after.active {
                    q::login_tokens::delete_all(tx, &after.id)?;
                } else if password_hash.is_some() {
                    q::login_tokens::delete_others(tx, &after.id, &own_token)?;
                }
                Ok::<_, Error>(after)
            })
            .await
    }
}

/// The user with the changes in it.
fn changed(tx: &mut Tx<'_>, before: User, changes: &UserChanges, password_hash: Option<String>, now: i64) -> Result<User, Error> {
    if let Some(username) = &changes.username {
        check_username(tx, username, &before.id)?;
    }
    if let Some(email) = &changes.email {
        check_email(tx, email, &before.id)?;
    }
    let is_other_address = changes.email.is_some() && changes.email != before.email;
    let status_text = changes.status_text.as_deref().map(shortened);
    // Whoever may not log in is not there.
    let leaves = changes.active == Some(false);
    let status_updated_at = if leaves || status_text.is_some() { now } else { before.status_updated_at };
    let custom_fields = match &changes.custom_fields {
        Some(added) => {
            let mut fields = object(&before.custom_fields);
            fields.extend(added.clone());
            stored(fields)?
        }
        None => before.custom_fields,
    };
    Ok(User {
        username: changes.username.clone().unwrap_or(before.username),
        email: changes.email.clone().or(before.email),
        email_verified: changes.verified.unwrap_or(before.email_verified && !is_other_address),
        name: changes.name.clone().or(before.name),
        nickname: changes.nickname.clone().or(before.nickname),
        bio: changes.bio.clone().or(before.bio),
        status: if leaves { UserStatus::Offline.name().to_owned() } else { before.status },
        status_text: status_text.unwrap_or(before.status_text),
        status_updated_at,
        password_hash: password_hash.unwrap_or(before.password_hash),
        password_change_required: changes.password_change_required.unwrap_or(before.password_change_required),
        roles: changes.roles.clone().unwrap_or(before.roles),
        active: changes.active.unwrap_or(before.active),
        custom_fields,
        updated_at: now,
        ..before
    })
}
