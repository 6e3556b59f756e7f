//! The second factor: codes of an authenticator program, backup codes for when it is lost, and when one of them has to be shown.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use usher_domain::password::PasswordDigest;
use usher_domain::settings::{TWO_FACTOR, TWO_FACTOR_PASSWORD_FALLBACK, TWO_FACTOR_REMEMBERED_SECONDS, TWO_FACTOR_TOLERANCE};
use usher_domain::totp::TotpSecret;
use usher_domain::{Random, id};
use usher_store::q;
use usher_store::q::users::User;

use super::Account;
use crate::error::Proof;
use crate::{Error, Refusal, Services};

/// How many backup codes there are.
const BACKUP_CODES: usize = 12;

/// The length of a backup code.
const BACKUP_CODE_LENGTH: usize = 8;

/// What was shown beside a login.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The code: of the authenticator program, a backup code, or the hexadecimal SHA-256 of the password.
    pub code: Option<String>,
    /// Whether the code is that of the password.
    pub is_password: bool,
}

/// A second factor that is being set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpEnrolment {
    /// The secret in Base32.
    pub secret: String,
    /// The same as an address, for a picture to read.
    pub address: String,
}

impl Services {
    /// Checks the code of a login. Gives when it was shown, or `None` if the user needs none.
    pub(super) async fn check_code_at_login(&self, user: &User, code: Option<String>) -> Result<Option<i64>, Error> {
        let Some(secret) = self.enabled_secret(&user.id).await? else { return Ok(None) };
        let code = code.ok_or(Refusal::ProofRequired(Proof::Code))?;
        if !self.is_code_right(&user.id, &secret, code).await? {
            return Err(Refusal::ProofInvalid(Proof::Code).into());
        }
        Ok(Some(self.now()))
    }

    /// Has the caller of a delicate operation show what is asked for beside the login; `remembers` lets one that has shown it of late
    /// pass. Gives whether it was shown, now or of late.
    ///
    /// Nothing is asked for while second factors are switched off, with a personal token that bypasses them, of users who came into
    /// being a moment ago, and of those who have no second factor, unless the password is asked for in its place.
    pub async fn confirm(&self, account: &Account, shown: Shown, address: IpAddr, remembers: bool) -> Result<bool, Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        let remembered = settings.get(&TWO_FACTOR_REMEMBERED_SECONDS).max(0).saturating_mul(1_000);
        let is_recent = |moment: i64| moment.saturating_add(remembered) > self.now();
        let is_remembered = remembers && account.session.confirmed_at.is_some_and(is_recent);
        if !settings.get(&TWO_FACTOR)
            || account.session.bypasses_second_factor
            || is_recent(account.user.created_at)
            || is_remembered
        {
            return Ok(is_remembered);
        }
        let secret = self.enabled_secret(&account.user.id).await?;
        if secret.is_none() && !settings.get(&TWO_FACTOR_PASSWORD_FALLBACK) {
            return Ok(false);
        }
        let proof = if secret.is_some() { Proof::Code } else { Proof::Password };
        let code = shown.code.filter(|_| shown.is_password == (proof == Proof::Password)).ok_or(Refusal::ProofRequired(proof))?;
        let is_right = match secret {
            Some(secret) => self.counted(account, address, self.is_code_right(&account.user.id, &secret, code)).await?,
            None => self.is_password_right(account, PasswordDigest::of_client(&code), address).await?,
        };
        if !is_right {
            return Err(Refusal::ProofInvalid(proof).into());
        }
        let (hash, now) = (account.token_hash.clone(), self.now());
        self.store.write(move |tx| q::login_tokens::confirm(tx, &hash, now).map_err(Error::from)).await.map(|()| true)
    }

    /// Whether it is the caller's password. It is one of the things that cannot be tried by the thousand.
    pub(crate) async fn is_password_right(
        &self,
        account: &Account,
        password: PasswordDigest,
        address: IpAddr,
    ) -> Result<bool, Error> {
        self.counted(account, address, self.passwords.verify(password, Some(account.user.password_hash.clone()))).await
    }

    /// Counts whether what the caller shows is right, and does not even look at it after too many failures. Whoever shows much at
    /// once from one address waits for itself.
    async fn counted(
        &self,
        account: &Account,
        address: IpAddr,
        check: impl Future<Output = Result<bool, Error>>,
    ) -> Result<bool, Error> {
        let (platform, counted_as) = (self.platform(), format!("{} confirms", account.user.id));
        let _turn = self.passwords.turn_of(address).await?;
        self.attempts.check(&counted_as, address, &platform.settings, self.now())?;
        let is_right = check.await?;
        if is_right {
            self.attempts.succeeded(&counted_as, address);
        } else {
            self.attempts.failed(&counted_as, address, &platform.settings, self.now());
        }
        Ok(is_right)
    }

    /// Begins to set a second factor up. It does not count before a code of it was shown.
    pub async fn enrol_totp(&self, account: &Account) -> Result<TotpEnrolment, Error> {
        let secret = TotpSecret::generate(self.random.as_ref());
        let enrolment = TotpEnrolment { secret: secret.to_base32(), address: secret.address(&account.user.username) };
        let (user_id, stored) = (account.user.id.clone(), enrolment.secret.clone());
        self.store
            .write(move |tx| {
                if q::second_factors::get(tx, &user_id)?.is_some_and(|factor| factor.is_enabled) {
                    return Err(Refusal::SecondFactorState("The second factor is on already").into());
                }
                Ok(q::second_factors::put(tx, &user_id, &stored)?)
            })
            .await
            .map(|()| enrolment)
    }

    /// Makes a second factor count, if `code` is one of it. Gives the backup codes; every other login of the user ends.
    pub async fn enable_totp(&self, account: &Account, code: String) -> Result<Vec<String>, Error> {
        let (codes, hashes) = backup_codes(self.random.as_ref());
        let (user_id, token_hash) = (account.user.id.clone(), account.token_hash.clone());
        let (now, tolerance) = (self.now(), self.tolerance());
        self.store
            .write(move |tx| {
                let factor = q::second_factors::get(tx, &user_id)?.filter(|factor| !factor.is_enabled);
                let factor = factor.ok_or(Refusal::SecondFactorState("No second factor is being set up"))?;
                let secret = TotpSecret::from_base32(&factor.secret).ok_or(Error::Broken("a stored secret cannot be read"))?;
                if !secret.accepts(&code, now, tolerance) {
                    return Err(Refusal::ProofInvalid(Proof::Code).into());
                }
                q::second_factors::enable(tx, &user_id)?;
                q::second_factors::set_backup_codes(tx, &user_id, &hashes)?;
                q::login_tokens::delete_others(tx, &user_id, &token_hash)?;
                q::login_tokens::confirm(tx, &token_hash, now)?;
                Ok(())
            })
            .await
            .map(|()| codes)
    }

    /// Takes the second factor away again, if `code` is one of it. Gives whether it did.
    pub async fn disable_totp(&self, account: &Account, code: String, address: IpAddr) -> Result<bool, Error> {
        if !self.shows_code(account, code, address).await? {
            return Ok(false);
        }
        let user_id = account.user.id.clone();
        self.store.write(move |tx| q::second_factors::delete(tx, &user_id).map_err(Error::from)).await.map(|()| true)
    }

    /// Gives new backup codes in place of all earlier ones, if `code` is one of the second factor.
    pub async fn renew_backup_codes(&self, account: &Account, code: String, address: IpAddr) -> Result<Vec<String>, Error> {
        if !self.shows_code(account, code, address).await? {
            return Err(Refusal::ProofInvalid(Proof::Code).into());
        }
        let (codes, hashes) = backup_codes(self.random.as_ref());
        let user_id = account.user.id.clone();
        let stored = self.store.write(move |tx| q::second_factors::set_backup_codes(tx, &user_id, &hashes).map_err(Error::from));
        stored.await.map(|()| codes)
    }

    /// How many backup codes the caller has left.
    pub async fn backup_codes_left(&self, account: &Account) -> Result<i64, Error> {
        let user_id = account.user.id.clone();
        self.store.read(move |tx| q::second_factors::count_backup_codes(tx, &user_id).map_err(Error::from)).await
    }

    async fn shows_code(&self, account: &Account, code: String, address: IpAddr) -> Result<bool, Error> {
        let secret = self.enabled_secret(&account.user.id).await?;
        let secret = secret.ok_or(Refusal::SecondFactorState("The second factor is off"))?;
        self.counted(account, address, self.is_code_right(&account.user.id, &secret, code)).await
    }

    /// The secret that counts, if the user has one and second factors are on.
    async fn enabled_secret(&self, user_id: &str) -> Result<Option<TotpSecret>, Error> {
        if !self.platform().settings.get(&TWO_FACTOR) {
            return Ok(None);
        }
        let user_id = user_id.to_owned();
        let factor = self.store.read(move |tx| q::second_factors::get(tx, &user_id).map_err(Error::from)).await?;
        let enabled = factor.filter(|factor| factor.is_enabled);
        let read = |factor: q::second_factors::SecondFactor| TotpSecret::from_base32(&factor.secret);
        enabled.map(|factor| read(factor).ok_or(Error::Broken("a stored secret cannot be read"))).transpose()
    }

    /// Whether `code` is of this moment, or a backup code, which is used up by that.
    async fn is_code_right(&self, user_id: &str, secret: &TotpSecret, code: String) -> Result<bool, Error> {
        if secret.accepts(&code, self.now(), self.tolerance()) {
            return Ok(true);
        }
        if code.len() != BACKUP_CODE_LENGTH {
            return Ok(false);
        }
        let user_id = user_id.to_owned();
        self.store.write(move |tx| q::second_factors::use_backup_code(tx, &user_id, &code_hash(&code)).map_err(Error::from)).await
    }

    fn tolerance(&self) -> u16 {
        u16::try_from(self.platform().settings.get(&TWO_FACTOR_TOLERANCE)).unwrap_or_default()
    }
}

/// New backup codes and their hashes.
fn backup_codes(random: &dyn Random) -> (Vec<String>, Vec<String>) {
    let code = || id::unordered(random).chars().take(BACKUP_CODE_LENGTH).collect::<String>();
    let codes: Vec<String> = (0..BACKUP_CODES).map(|_| code()).collect();
    let hashes = codes.iter().map(|code| code_hash(code)).collect();
    (codes, hashes)
}

fn code_hash(code: &str) -> String {
    hex::encode(Sha256::digest(code.as_bytes()))
}
