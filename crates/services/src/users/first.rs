//! The first user, and a new password for one who has lost it: what the command line does.

use usher_domain::id;
use usher_domain::password::PasswordDigest;
use usher_domain::role::{ADMIN, USER};
use usher_store::q;
use usher_store::q::users::User;

use super::UserChoice;
use crate::{Error, Services};

/// The administrator of a server that has nobody yet.
#[derive(Debug, Clone)]
pub struct FirstUser {
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name.
    pub name: String,
    /// The password.
    pub password: PasswordDigest,
}

impl Services {
    /// Makes the first user, an administrator. Gives whether there was none before; otherwise nothing is done.
    pub async fn create_first_user(&self, first: FirstUser) -> Result<bool, Error> {
        let password_hash = self.passwords.hash(first.password, self.random.as_ref()).await?;
        let user = User {
            username: first.username,
            email_verified: first.email.is_some(),
            email: first.email,
            name: Some(first.name),
            password_hash,
            roles: vec![ADMIN.to_owned(), USER.to_owned()],
            ..User::new(self.new_id(), self.now())
        };
        self.store
            .write(move |tx| {
                if q::users::any_person(tx)? {
                    return Ok(false);
                }
                q::users::insert(tx, &user)?;
                Ok::<_, Error>(true)
            })
            .await
    }

    /// Whether there is any user yet, apart from those that the server itself made.
    pub async fn has_users(&self) -> Result<bool, Error> {
        self.store.read(|tx| q::users::any_person(tx).map_err(Error::from)).await
    }

    /// Gives a user another password, takes the second factor away and ends all of the user's logins. `false` if there is no such
    /// user.
    pub async fn reset_password(&self, username: String, password: PasswordDigest) -> Result<bool, Error> {
        let password_hash = self.passwords.hash(password, self.random.as_ref()).await?;
        let now = self.now();
        self.store
            .write(move |tx| {
                let Some(user) = UserChoice::Username(username.clone()).find(tx)? else { return Ok(false) };
                q::users::set_password(tx, &user.id, &password_hash, now)?;
                q::second_factors::delete(tx, &user.id)?;
                q::login_tokens::delete_all(tx, &user.id)?;
                Ok::<_, Error>(true)
            })
            .await
    }

    /// A password nobody has thought of: 43 characters.
    pub fn generate_password(&self) -> String {
        id::secret(self.random.as_ref())
    }
}
