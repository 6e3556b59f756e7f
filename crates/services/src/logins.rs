//! Logging in, and knowing who calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use usher_domain::id;
use usher_domain::password::PasswordDigest;
use usher_domain::settings::LOGIN_EXPIRATION_DAYS;
use usher_store::q::{self, users::User};

use crate::{Error, Refusal, Services};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// Who wants to log in.
#[derive(Debug, Clone)]
pub enum LoginName {
    /// By user name.
    Username(String),
    /// By e-mail address.
    Email(String),
}

/// A user who is logged in, or about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The record.
    pub user: User,
    /// The roles, in the order of their names.
    pub roles: Vec<String>,
}

/// A login that worked.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who.
    pub account: Account,
    /// The secret that stands for this login from now on. Only its hash is stored.
    pub token: String,
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name.
    pub name: String,
    /// The password.
    pub password: PasswordDigest,
    /// The roles.
    pub roles: Vec<&'static str>,
}

impl Services {
    /// Logs a user in by name and password. Unknown names and wrong passwords look alike, in what is said and in how long it takes.
    pub async fn log_in(&self, name: LoginName, password: PasswordDigest) -> Result<Login, Error> {
        let known: Option<User> = self
            .store
            .read(move |tx| {
                match &name {
                    LoginName::Username(username) => q::users::by_username(tx, username),
                    LoginName::Email(email) => q::users::by_email(tx, email),
                }
                .map_err(Error::from)
            })
            .await?;
        let stored = known.as_ref().map(|user| user.password_hash.clone());
        let is_right = self.passwords.verify(password, stored).await?;
        let user = known.filter(|_| is_right).ok_or(Refusal::WrongPassword)?;
        if !user.active {
            return Err(Refusal::Deactivated.into());
        }
        self.begin_session(user).await
    }

    async fn begin_session(&self, user: User) -> Result<Login, Error> {
        let token = id::secret(self.random.as_ref());
        let (hash, now, expired) = (token_hash(&token), self.now(), self.oldest_login());
        let account = self
            .store
            .write(move |tx| {
                q::users::delete_expired_login_tokens(tx, &user.id, expired)?;
                q::users::add_login_token(tx, &hash, &user.id, now)?;
                Ok::<_, Error>(Account { roles: q::users::roles(tx, &user.id)?, user: user.clone() })
            })
            .await?;
        Ok(Login { account, token })
    }

    /// Continues a login by its token: the same token goes on.
    pub async fn resume(&self, token: String) -> Result<Login, Error> {
        let (hash, expired) = (token_hash(&token), self.oldest_login());
        let account = self
            .store
            .read(move |tx| {
                let user = q::users::by_any_login_token(tx, &hash, expired)?.ok_or(Refusal::LoggedOut)?;
                Ok::<_, Error>(Account { roles: q::users::roles(tx, &user.id)?, user })
            })
            .await?;
        if !account.user.active {
            return Err(Refusal::Deactivated.into());
        }
        Ok(Login { account, token })
    }

    /// Who calls with this id and login token; `None` unless both belong together and still count.
    pub async fn authenticate(&self, user_id: String, token: &str) -> Result<Option<Account>, Error> {
        if user_id.is_empty() || token.is_empty() {
            return Ok(None);
        }
        let (hash, expired) = (token_hash(token), self.oldest_login());
        self.store
            .read(move |tx| match q::users::by_login_token(tx, &hash, &user_id, expired)? {
                Some(user) if user.active => Ok(Some(Account { roles: q::users::roles(tx, &user.id)?, user })),
                _ => Ok(None),
            })
            .await
    }

    /// Ends the login that `token` stands for. One that has ended already is no error.
    pub async fn log_out(&self, token: &str) -> Result<(), Error> {
        let hash = token_hash(token);
        self.store.write(move |tx| q::users::delete_login_token(tx, &hash).map_err(Error::from)).await
    }

    /// Makes the first user, an administrator. Gives whether there was none before; otherwise nothing is done.
    pub async fn create_first_user(&self, new: NewUser) -> Result<bool, Error> {
        let password_hash = self.passwords.hash(new.password, self.random.as_ref()).await?;
        let now = self.now();
        let user = User {
            id: self.new_id(),
            username: new.username,
            email: new.email,
            name: Some(new.name),
            password_hash,
            active: true,
            created_at: now,
            updated_at: now,
        };
        self.store
            .write(move |tx| {
                if q::users::any(tx)? {
                    return Ok(false);
                }
                q::users::insert(tx, &user, &new.roles)?;
                Ok::<_, Error>(true)
            })
            .await
    }

    /// Whether there is any user yet.
    pub async fn has_users(&self) -> Result<bool, Error> {
        self.store.read(|tx| q::users::any(tx).map_err(Error::from)).await
    }

    /// Gives a user another password and ends all of the user's sessions. `false` if there is no such user.
    pub async fn reset_password(&self, username: String, password: PasswordDigest) -> Result<bool, Error> {
        let password_hash = self.passwords.hash(password, self.random.as_ref()).await?;
        let now = self.now();
        self.store
            .write(move |tx| {
                let Some(user) = q::users::by_username(tx, &username)? else { return Ok(false) };
                q::users::set_password(tx, &user.id, &password_hash, now)?;
                q::users::delete_login_tokens(tx, &user.id)?;
                Ok::<_, Error>(true)
            })
            .await
    }

    /// A password nobody has thought of: 43 characters.
    pub fn generate_password(&self) -> String {
        id::secret(self.random.as_ref())
    }

    /// Logins made at or before this moment have expired.
    fn oldest_login(&self) -> i64 {
        self.now() - self.settings.get(&LOGIN_EXPIRATION_DAYS).max(1) * DAY
    }
}

/// What is stored of a login token.
fn token_hash(token: &str) -> String {
    STANDARD.encode(Sha256::digest(token.as_bytes()))
}
