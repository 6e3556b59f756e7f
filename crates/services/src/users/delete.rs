//! Deleting users.

use usher_domain::user::SYSTEM_USER;
use usher_store::q;

use super::{UserChoice, keep_an_administrator};
use crate::agents::forget;
use crate::{Error, Refusal, Services};

impl Services {
    /// Deletes a user with everything that belongs to it: logins, tokens, second factor, roles, places in departments. Whether the caller
    /// may is declared where it is called.
    pub async fn delete_user(&self, choice: UserChoice) -> Result<(), Error> {
        let now = self.now();
        self.store
            .write(move |tx| {
                let user = choice.find(tx)?.ok_or(Refusal::NoSuchUser)?;
                if user.id == SYSTEM_USER {
                    return Err(Refusal::ActionNotAllowed("Deleting the user of the server is not allowed").into());
                }
                keep_an_administrator(tx, &user)?;
                q::login_tokens::delete_all(tx, &user.id)?;
                q::second_factors::delete(tx, &user.id)?;
                q::presences::remove_of_user(tx, &user.id)?;
                forget(tx, &user.id, now)?;
                Ok(q::users::delete(tx, &user.id)?)
            })
            .await
    }
}
