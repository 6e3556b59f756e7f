//! Logging in, and knowing who calls.

mod attempts;
mod forms;
mod personal_tokens;
mod second_factor;

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use usher_domain::id;
use usher_domain::password::PasswordDigest;
use usher_domain::permission::{LOGOUT_OTHER_USER, USER_GENERATE_ACCESS_TOKEN};
use usher_domain::settings::LOGIN_EXPIRATION_DAYS;
use usher_store::q;
use usher_store::q::users::{Session, User};

use crate::agents::{came, left};
use crate::passwords::is_outdated;
use crate::users::UserChoice;
use crate::{Error, Refusal, Services};

pub(crate) use attempts::Attempts;
pub use forms::LoginForm;
pub use second_factor::{Shown, TotpEnrolment};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// A user who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The record.
    pub user: User,
    /// The login whose token was presented.
    pub session: Session,
    /// The hash of that token.
    pub token_hash: String,
}

/// A login that worked.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who.
    pub user: User,
    /// The secret that stands for this login from now on. Only its hash is stored.
    pub token: String,
    /// When it expires (milliseconds UTC).
    pub expires_at: i64,
}

impl Services {
    /// Logs a user in who is at `address`.
    pub async fn log_in(&self, form: LoginForm, address: IpAddr) -> Result<Login, Error> {
        match form {
            LoginForm::Password { name, password, code } => self.log_in_by_password(name, password, code, address).await,
            LoginForm::Resume(token) => self.resume(token).await,
        }
    }

    /// Unknown names and wrong passwords look alike, in what is said and in how long it takes.
    async fn log_in_by_password(
        &self,
        name: UserChoice,
        password: PasswordDigest,
        code: Option<String>,
        address: IpAddr,
    ) -> Result<Login, Error> {
        let (platform, key) = (self.platform(), name.text().to_lowercase());
        let turn = self.passwords.turn_of(address).await?;
        self.attempts.check(&key, address, &platform.settings, self.now())?;
        let known = self.user(name).await?;
        let stored = known.as_ref().map(|user| user.password_hash.clone());
        let is_right = self.passwords.verify(password.clone(), stored).await?;
        let Some(user) = known.filter(|_| is_right) else {
            self.attempts.failed(&key, address, &platform.settings, self.now());
            return Err(Refusal::WrongPassword.into());
        };
        drop(turn);
        if !user.active {
            return Err(Refusal::Deactivated.into());
        }
        let confirmed_at = match self.check_code_at_login(&user, code).await {
            Err(Error::Refused(refusal @ Refusal::ProofInvalid(_))) => {
                self.attempts.failed(&key, address, &platform.settings, self.now());
                return Err(refusal.into());
            }
            checked => checked?,
        };
        self.attempts.succeeded(&key, address);
        let new_hash =
            if is_outdated(&user.password_hash) { Some(self.passwords.hash(password, self.random.as_ref()).await?) } else { None };
        self.begin_session(user, confirmed_at, new_hash, true).await
    }

    /// `is_own` says that it is the user itself who logs in.
    async fn begin_session(
        &self,
        user: User,
        confirmed_at: Option<i64>,
        new_hash: Option<String>,
        is_own: bool,
    ) -> Result<Login, Error> {
        let token = id::secret(self.random.as_ref());
        let (hash, now, expired) = (token_hash(&token), self.now(), self.oldest_login());
        let user = self
            .store
            .write(move |tx| {
                // Whoever was deactivated or deleted meanwhile gets no token that nobody would take back.
                let user = q::users::by_id(tx, &user.id)?.filter(|user| user.active).ok_or(Refusal::Deactivated)?;
                q::login_tokens::delete_expired(tx, &user.id, expired)?;
                q::login_tokens::add(tx, &hash, &user.id, now, confirmed_at)?;
                q::users::logged_in(tx, &user.id, now)?;
                if let Some(new_hash) = &new_hash {
                    q::users::set_password(tx, &user.id, new_hash, now)?;
                }
                let user = if is_own { came(tx, user, now)? } else { user };
                Ok::<_, Error>(User { last_login_at: Some(now), ..user })
            })
            .await?;
        if is_own {
            self.chat_may_be_taken();
        }
        Ok(Login { user, token, expires_at: now.saturating_add(self.login_lasts()) })
    }

    /// Continues a login by its token: the same token goes on.
    async fn resume(&self, token: String) -> Result<Login, Error> {
        let (hash, expired) = (token_hash(&token), self.oldest_login());
        let known = self.store.read(move |tx| q::users::by_any_login_token(tx, &hash, expired).map_err(Error::from)).await?;
        let (user, session) = known.ok_or(Refusal::LoggedOut)?;
        if !user.active {
            return Err(Refusal::Deactivated.into());
        }
        let user = if user.unavailable_by_system { self.resume_service(user).await? } else { user };
        // A personal token does not expire; clients want a time all the same.
        let begun_at = if session.is_personal { self.now() } else { session.begun_at };
        Ok(Login { user, token, expires_at: begun_at.saturating_add(self.login_lasts()) })
    }

    /// An agent whom the server took out of service goes on with another login: it is back.
    async fn resume_service(&self, user: User) -> Result<User, Error> {
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let known = q::users::by_id(tx, &user.id)?.ok_or(Refusal::LoggedOut)?;
                Ok::<_, Error>(came(tx, known, now)?)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Who calls with this id and login token; `None` unless both belong together and still count.
    pub async fn authenticate(&self, user_id: String, token: &str) -> Result<Option<Account>, Error> {
        if user_id.is_empty() || token.is_empty() {
            return Ok(None);
        }
        self.account(user_id, token_hash(token)).await
    }

    /// A user who was logged in, as it is by now; `None` if that login has ended.
    pub async fn account_again(&self, account: &Account) -> Result<Option<Account>, Error> {
        self.account(account.user.id.clone(), account.token_hash.clone()).await
    }

    async fn account(&self, user_id: String, token_hash: String) -> Result<Option<Account>, Error> {
        let expired = self.oldest_login();
        self.store
            .read(move |tx| {
                let known = q::users::by_login_token(tx, &token_hash, &user_id, expired)?;
                let active = known.filter(|(user, _)| user.active);
                Ok(active.map(|(user, session)| Account { user, session, token_hash: token_hash.clone() }))
            })
            .await
    }

    /// For each of these logins - a user's id and the hash of a token - whether it still counts.
    pub async fn still_logged_in(&self, logins: Vec<(String, String)>) -> Result<Vec<bool>, Error> {
        let expired = self.oldest_login();
        self.store
            .read(move |tx| {
                let mut still = Vec::with_capacity(logins.len());
                for (user_id, token_hash) in &logins {
                    still.push(q::users::by_login_token(tx, token_hash, user_id, expired)?.is_some_and(|(user, _)| user.active));
                }
                Ok(still)
            })
            .await
    }

    /// Ends the login that was presented. One that has ended already is no error.
    pub async fn log_out(&self, account: &Account) -> Result<(), Error> {
        let (hash, user_id, now) = (account.token_hash.clone(), account.user.id.clone(), self.now());
        self.store
            .write(move |tx| {
                q::login_tokens::delete(tx, &hash)?;
                Ok::<_, Error>(left(tx, &user_id, now)?)
            })
            .await
    }

    /// Ends every login of a user: the caller's own, or with the permission for it somebody else's. Gives the user's id.
    pub async fn log_out_everywhere(&self, account: &Account, whose: Option<UserChoice>) -> Result<String, Error> {
        let whose = whose.unwrap_or_else(|| UserChoice::Id(account.user.id.clone()));
        if !whose.is(&account.user) && !self.permits(&account.user, LOGOUT_OTHER_USER) {
            return Err(Refusal::Unauthorized.into());
        }
        let now = self.now();
        self.store
            .write(move |tx| {
                let user = whose.find(tx)?.ok_or(Refusal::NoSuchUser)?;
                q::login_tokens::delete_all(tx, &user.id)?;
                left(tx, &user.id, now)?;
                Ok::<_, Error>(user.id)
            })
            .await
    }

    /// Logs another user in, for whoever has the permission to.
    pub async fn log_in_for(&self, account: &Account, whom: UserChoice) -> Result<Login, Error> {
        if !self.permits(&account.user, USER_GENERATE_ACCESS_TOKEN) {
            return Err(Refusal::LoginForOthersNotAllowed.into());
        }
        let user = self.user(whom).await?.ok_or(Refusal::NoSuchUser)?;
        self.begin_session(user, None, None, false).await
    }

    /// Logins made at or before this moment have expired.
    pub(crate) fn oldest_login(&self) -> i64 {
        self.now().saturating_sub(self.login_lasts())
    }

    /// How long a login lasts, in milliseconds.
    fn login_lasts(&self) -> i64 {
        self.platform().settings.get(&LOGIN_EXPIRATION_DAYS).max(1).saturating_mul(DAY)
    }
}

/// What is stored of a login token.
pub(crate) fn token_hash(token: &str) -> String {
    STANDARD.encode(Sha256::digest(token.as_bytes()))
}
