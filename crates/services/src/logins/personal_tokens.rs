//! Personal access tokens: logins with a name that their owner makes for programs, and that last until they are taken back.

use usher_domain::id;
use usher_domain::permission::CREATE_PERSONAL_ACCESS_TOKENS;
use usher_store::q;
use usher_store::q::login_tokens::PersonalToken;

use super::{Account, token_hash};
use crate::{Error, Refusal, Services};

/// How many of its last characters a token is known by.
const LAST_PART: usize = 6;

impl Services {
    /// Makes a token called `name`. Gives it, this once.
    pub async fn create_personal_token(&self, account: &Account, name: String, bypasses: bool) -> Result<String, Error> {
        self.may_have_tokens(account, "personalAccessTokens:generateToken")?;
        self.add_personal_token(account, name, bypasses, false).await
    }

    /// Replaces the token called `name` by another of that name. Gives it, this once.
    pub async fn renew_personal_token(&self, account: &Account, name: String) -> Result<String, Error> {
        self.may_have_tokens(account, "personalAccessTokens:regenerateToken")?;
        self.add_personal_token(account, name, false, true).await
    }

    async fn add_personal_token(&self, account: &Account, name: String, bypasses: bool, renews: bool) -> Result<String, Error> {
        let token = id::secret(self.random.as_ref());
        let (user_id, hash, now) = (account.user.id.clone(), token_hash(&token), self.now());
        let last_part = token[token.len() - LAST_PART..].to_owned();
        self.store
            .write(move |tx| {
                let known = q::login_tokens::personal_by_name(tx, &user_id, &name)?;
                let bypasses_second_factor = match (&known, renews) {
                    (None, false) => bypasses,
                    (Some(known), true) => known.bypasses_second_factor,
                    (Some(_), false) => return Err(Refusal::TokenExists.into()),
                    (None, true) => return Err(Refusal::NoSuchToken.into()),
                };
                q::login_tokens::delete_personal(tx, &user_id, &name)?;
                let new =
                    PersonalToken { name: name.clone(), created_at: now, last_part: last_part.clone(), bypasses_second_factor };
                Ok(q::login_tokens::add_personal(tx, &hash, &user_id, &new)?)
            })
            .await
            .map(|()| token)
    }

    /// Takes the token called `name` back.
    pub async fn delete_personal_token(&self, account: &Account, name: String) -> Result<(), Error> {
        self.may_have_tokens(account, "personalAccessTokens:removeToken")?;
        let user_id = account.user.id.clone();
        let deleted =
            self.store.write(move |tx| q::login_tokens::delete_personal(tx, &user_id, &name).map_err(Error::from)).await?;
        if deleted { Ok(()) } else { Err(Refusal::NoSuchToken.into()) }
    }

    /// The caller's tokens, without what they are.
    pub async fn personal_tokens(&self, account: &Account) -> Result<Vec<PersonalToken>, Error> {
        self.may_have_tokens(account, "personalAccessTokens:getPersonalAccessTokens")?;
        let user_id = account.user.id.clone();
        self.store.read(move |tx| q::login_tokens::personal(tx, &user_id).map_err(Error::from)).await
    }

    fn may_have_tokens(&self, account: &Account, method: &'static str) -> Result<(), Error> {
        let may = self.permits(&account.user, CREATE_PERSONAL_ACCESS_TOKENS);
        if may { Ok(()) } else { Err(Refusal::TokensNotAllowed(method).into()) }
    }
}
