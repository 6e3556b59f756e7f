//! People who log in: making, changing, listing and deleting them, and whether they are there.

mod create;
mod delete;
mod edit;
mod first;
mod list;
mod preferences;
mod status;

use serde_json::{Map, Value};
use usher_domain::permission::VIEW_FULL_OTHER_USER_INFO;
use usher_domain::user::{is_email, is_reserved, is_username};
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::logins::Account;
use crate::platform::Platform;
use crate::{Error, Refusal, Services};

pub use create::{NewUser, Newcomer};
pub use edit::{OwnChanges, UserChanges};
pub use first::FirstUser;
pub use list::{Listed, Order, Page, Wanted};
pub(crate) use preferences::defaults;
pub use preferences::merged_preferences;
pub use status::StatusChange;

/// Which user is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChoice {
    /// The one with this id.
    Id(String),
    /// The one with this name.
    Username(String),
    /// The one with this e-mail address.
    Email(String),
}

/// A user as somebody sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The record.
    pub user: User,
    /// Whether whoever looks may see all of it.
    pub is_whole: bool,
}

impl UserChoice {
    /// Finds the user.
    pub(crate) fn find(&self, tx: &mut Tx<'_>) -> Result<Option<User>, usher_store::StoreError> {
        match self {
            UserChoice::Id(id) => q::users::by_id(tx, id),
            UserChoice::Username(username) => q::users::by_username(tx, username),
            UserChoice::Email(email) => q::users::by_email(tx, email),
        }
    }

    /// The id, name or address.
    pub fn text(&self) -> &str {
        match self {
            UserChoice::Id(text) | UserChoice::Username(text) | UserChoice::Email(text) => text,
        }
    }

    /// Whether it is this user.
    pub(crate) fn is(&self, user: &User) -> bool {
        match self {
            UserChoice::Id(id) => user.id == *id,
            UserChoice::Username(username) => user.username.eq_ignore_ascii_case(username),
            UserChoice::Email(email) => user.email.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(email)),
        }
    }
}

impl Services {
    /// The user that is meant, whoever it is.
    pub async fn user(&self, choice: UserChoice) -> Result<Option<User>, Error> {
        self.store.read(move |tx| choice.find(tx).map_err(Error::from)).await
    }

    /// The user that is meant, as the caller may see it.
    pub async fn see_user(&self, account: &Account, choice: UserChoice) -> Result<Seen, Error> {
        let user = self.user(choice).await?.ok_or(Refusal::UserNotFound)?;
        let is_whole = user.id == account.user.id || self.permits(&account.user, VIEW_FULL_OTHER_USER_INFO);
        Ok(Seen { user, is_whole })
    }
}

/// Refuses a user name that cannot be or that somebody else has.
fn check_username(tx: &mut Tx<'_>, username: &str, user_id: &str) -> Result<(), Error> {
    if !is_username(username) || is_reserved(username) {
        return Err(Refusal::InvalidField { value: username.to_owned(), field: "username" }.into());
    }
    let taken = q::users::by_username(tx, username)?.is_some_and(|other| other.id != user_id);
    if taken { Err(Refusal::FieldUnavailable(username.to_owned()).into()) } else { Ok(()) }
}

/// Refuses an e-mail address that cannot be or that somebody else has.
fn check_email(tx: &mut Tx<'_>, email: &str, user_id: &str) -> Result<(), Error> {
    if !is_email(email) {
        return Err(Refusal::InvalidEmail(email.to_owned()).into());
    }
    let taken = q::users::by_email(tx, email)?.is_some_and(|other| other.id != user_id);
    if taken { Err(Refusal::FieldUnavailable(email.to_owned()).into()) } else { Ok(()) }
}

/// Refuses roles that do not exist, or that the caller may not give. Gives them sorted, each once.
fn check_roles(platform: &Platform, account: &Account, mut roles: Vec<String>, before: &[String]) -> Result<Vec<String>, Error> {
    use usher_domain::permission::{ASSIGN_ADMIN_ROLE, ASSIGN_ROLES};
    use usher_domain::role::ADMIN;

    roles.sort_unstable();
    roles.dedup();
    if roles.iter().any(|role| platform.role(role).is_none()) {
        return Err(Refusal::ActionNotAllowed("The field Roles consist invalid role id").into());
    }
    let may = |permission: usher_domain::permission::Permission| platform.grants.permit(&account.user.roles, permission.0);
    if roles != before && !may(ASSIGN_ROLES) {
        return Err(Refusal::ActionNotAllowed("Assigning roles is not allowed").into());
    }
    let is_admin = |roles: &[String]| roles.iter().any(|role| role == ADMIN);
    if is_admin(&roles) != is_admin(before) && !may(ASSIGN_ADMIN_ROLE) {
        return Err(Refusal::ActionNotAllowed("Assigning admin is not allowed").into());
    }
    Ok(roles)
}

/// Refuses what would leave nobody who could administer the server.
fn keep_an_administrator(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    use usher_domain::role::ADMIN;

    let is_one = user.active && user.roles.iter().any(|role| role == ADMIN);
    if is_one && q::users::count_active_with_role(tx, ADMIN)? <= 1 {
        return Err(Refusal::LastAdministrator.into());
    }
    Ok(())
}

/// The longest preferences and custom fields of one user, in bytes of JSON.
const OBJECT_LIMIT: usize = 64 << 10;

/// The text in which an object is stored. What grows with every call must end somewhere.
pub(crate) fn stored(object: Map<String, Value>) -> Result<String, Error> {
    let text = Value::Object(object).to_string();
    if text.len() > OBJECT_LIMIT { Err(Refusal::ActionNotAllowed("That is more than is kept of a user").into()) } else { Ok(text) }
}

/// The object that a stored text holds.
pub(crate) fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}
