//! Making users: by an administrator, or by those who register themselves.

use serde_json::{Map, Value};
use usher_domain::id;
use usher_domain::password::PasswordDigest;
use usher_domain::permission::CREATE_USER;
use usher_domain::role;
use usher_domain::settings::{self as setting};
use usher_store::q;
use usher_store::q::users::User;

use super::{check_email, check_roles, check_username, stored};
use crate::agents::{settle, with_consequences};
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// A user as an administrator wants it.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The display name.
    pub name: String,
    /// The password; one that nobody knows without it.
    pub password: Option<PasswordDigest>,
    /// Whether the user may log in.
    pub active: bool,
    /// The roles, instead of the usual ones.
    pub roles: Option<Vec<String>>,
    /// Whether the address is known to be the user's.
    pub verified: bool,
    /// Whether the user has to choose another password.
    pub password_change_required: bool,
    /// What the user says of its status.
    pub status_text: String,
    /// What the user says of itself.
    pub bio: Option<String>,
    /// Another name.
    pub nickname: Option<String>,
    /// Custom fields.
    pub custom_fields: Map<String, Value>,
}

/// Somebody who registers.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The display name.
    pub name: String,
    /// The password.
    pub password: PasswordDigest,
    /// The last part of the secret address, if it was called.
    pub secret: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Services {
    /// Makes a user.
    pub async fn create_user(&self, account: &Account, new: NewUser) -> Result<User, Error> {
        let platform = self.platform();
        if !platform.grants.permit(&account.user.roles, CREATE_USER.0) {
            return Err(Refusal::ActionNotAllowed("Adding user is not allowed").into());
        }
        let usual = vec![role::USER.to_owned()];
        let roles = check_roles(&platform, account, new.roles.unwrap_or_else(|| usual.clone()), &usual)?;
        let password = new.password.unwrap_or_else(|| PasswordDigest::of_plain(&id::secret(self.random.as_ref())));
        let is_bot = roles.iter().any(|role| role == role::BOT) && !roles.iter().any(|role| role == role::USER);
        let user = User {
            username: new.username,
            email: Some(new.email),
            email_verified: new.verified,
            name: Some(new.name),
            kind: if is_bot { "bot" } else { "user" }.to_owned(),
            active: new.active,
            password_change_required: new.password_change_required,
            status_text: new.status_text,
            bio: new.bio,
            nickname: new.nickname,
            custom_fields: stored(new.custom_fields)?,
            roles,
            ..User::new(self.new_id(), self.now())
        };
        self.add_user(user, password).await
    }

    /// Makes an account for somebody who registers.
    pub async fn register_user(&self, newcomer: Newcomer) -> Result<User, Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        match settings.choice(&setting::REGISTRATION) {
            "Disabled" => return Err(Refusal::RegistrationDisabled.into()),
            "Secret URL" => {
                let secret = settings.text(&setting::REGISTRATION_SECRET);
                if secret.is_empty() || newcomer.secret.as_deref() != Some(secret) {
                    return Err(Refusal::RegistrationSecret.into());
                }
            }
            _ => {}
        }
        let usual = settings.text(&setting::DEFAULT_ROLES).split(',').map(str::trim);
        let mut roles: Vec<String> = usual.filter(|role| platform.role(role).is_some()).map(str::to_owned).collect();
        roles.sort_unstable();
        roles.dedup();
        let user = User {
            username: newcomer.username,
            email: Some(newcomer.email),
            name: Some(newcomer.name),
            active: !settings.get(&setting::MANUAL_APPROVAL),
            registration_reason: newcomer.reason,
            roles,
            ..User::new(self.new_id(), self.now())
        };
        self.add_user(user, newcomer.password).await
    }

    async fn add_user(&self, user: User, password: PasswordDigest) -> Result<User, Error> {
        let password_hash = self.passwords.hash(password, self.random.as_ref()).await?;
        let user = with_consequences(false, User { password_hash, ..user });
        let now = self.now();
        self.store
            .write(move |tx| {
                check_username(tx, &user.username, &user.id)?;
                if let Some(email) = &user.email {
                    check_email(tx, email, &user.id)?;
                }
                q::users::insert(tx, &user)?;
                settle(tx, false, &user, now)?;
                Ok::<_, Error>(user.clone())
            })
            .await
    }

    /// A user name that nobody has yet, made of what is known of somebody.
    pub async fn suggest_username(&self, account: &Account) -> Result<String, Error> {
        let known = account.user.name.clone().unwrap_or_else(|| account.user.username.clone());
        let allowed = known.to_lowercase().split_whitespace().collect::<Vec<_>>().join(".");
        let allowed: String =
            allowed.chars().filter(|character| character.is_ascii_alphanumeric() || ".-_".contains(*character)).collect();
        let (stem, user_id) = (if allowed.is_empty() { "user".to_owned() } else { allowed }, account.user.id.clone());
        let spare = self.new_id();
        self.store
            .read(move |tx| {
                let numbered = (1..20).map(|number| if number == 1 { stem.clone() } else { format!("{stem}-{number}") });
                for name in numbered {
                    if check_username(tx, &name, &user_id).is_ok() {
                        return Ok(name);
                    }
                }
                Ok::<_, Error>(format!("{stem}-{spare}"))
            })
            .await
    }
}
