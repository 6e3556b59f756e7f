//! People who log in: their records, roles and login tokens.

use super::statements;
use crate::{Row, StoreError, Tx, values};

/// A user with all that is shown of it.
macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT users.id, users.username, users.email, users.name, users.password_hash, users.active, users.created_at,
                    users.updated_at
             FROM ",
            $from
        )
    };
}

statements! {
    BY_USERNAME = select!("users WHERE username_key = ?1");
    BY_EMAIL = select!("users WHERE email_key = ?1");
    BY_LOGIN_TOKEN = select!("login_tokens AS token JOIN users ON users.id = token.user_id
                              WHERE token.token_hash = ?1 AND token.user_id = ?2 AND token.created_at > ?3");
    BY_ANY_LOGIN_TOKEN = select!("login_tokens AS token JOIN users ON users.id = token.user_id
                                  WHERE token.token_hash = ?1 AND token.created_at > ?2");
    ANY = "SELECT 1 FROM users LIMIT 1";
    INSERT = "INSERT INTO users (id, username, username_key, email, email_key, name, password_hash, active, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)";
    ADD_ROLE = "INSERT INTO user_roles (user_id, role) VALUES (?1, ?2)";
    ROLES = "SELECT role FROM user_roles WHERE user_id = ?1 ORDER BY role";
    SET_PASSWORD = "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1";
    ADD_LOGIN_TOKEN = "INSERT INTO login_tokens (token_hash, user_id, created_at) VALUES (?1, ?2, ?3)";
    DELETE_LOGIN_TOKEN = "DELETE FROM login_tokens WHERE token_hash = ?1";
    DELETE_LOGIN_TOKENS = "DELETE FROM login_tokens WHERE user_id = ?1";
    DELETE_EXPIRED_LOGIN_TOKENS = "DELETE FROM login_tokens WHERE user_id = ?1 AND created_at <= ?2";
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The slow hash of the password's digest.
    pub password_hash: String,
    /// Whether the user may log in.
    pub active: bool,
    /// When the user came into being (milliseconds UTC).
    pub created_at: i64,
    /// When the record last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// The user with this name, compared without regard to case.
pub fn by_username(tx: &mut Tx<'_>, username: &str) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_USERNAME, values![username.to_lowercase().as_str()], read)
}

/// The user with this e-mail address, compared without regard to case.
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_EMAIL, values![email.to_lowercase().as_str()], read)
}

/// The user who logged in with the token of this hash after `since`.
pub fn by_login_token(tx: &mut Tx<'_>, token_hash: &str, user_id: &str, since: i64) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_LOGIN_TOKEN, values![token_hash, user_id, since], read)
}

/// The user, whoever it is, who logged in with the token of this hash after `since`.
pub fn by_any_login_token(tx: &mut Tx<'_>, token_hash: &str, since: i64) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_ANY_LOGIN_TOKEN, values![token_hash, since], read)
}

/// Whether there is any user.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.query_optional(ANY, values![], |_| Ok(()))?.is_some())
}

/// Adds a user with roles.
pub fn insert(tx: &mut Tx<'_>, user: &User, roles: &[&str]) -> Result<(), StoreError> {
    let email_key = user.email.as_ref().map(|email| email.to_lowercase());
    tx.execute_one(
        INSERT,
        values![
            &user.id,
            &user.username,
            user.username.to_lowercase().as_str(),
            &user.email,
            &email_key,
            &user.name,
            &user.password_hash,
            user.active,
            user.created_at,
        ],
    )?;
    roles.iter().try_for_each(|role| tx.execute_one(ADD_ROLE, values![&user.id, *role]))
}

/// A user's roles, in the order of their names.
pub fn roles(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<String>, StoreError> {
    tx.query(ROLES, values![user_id], |row| row.text(0))
}

/// Stores another password hash.
pub fn set_password(tx: &mut Tx<'_>, user_id: &str, password_hash: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_PASSWORD, values![user_id, password_hash, now])
}

/// Adds a login token by its hash.
pub fn add_login_token(tx: &mut Tx<'_>, token_hash: &str, user_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(ADD_LOGIN_TOKEN, values![token_hash, user_id, now])
}

/// Ends the session whose token has this hash, if there is one.
pub fn delete_login_token(tx: &mut Tx<'_>, token_hash: &str) -> Result<(), StoreError> {
    tx.execute(DELETE_LOGIN_TOKEN, values![token_hash]).map(|_| ())
}

/// Ends every session of a user.
pub fn delete_login_tokens(tx: &mut Tx<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute(DELETE_LOGIN_TOKENS, values![user_id]).map(|_| ())
}

/// Deletes those login tokens of a user that were made at or before `until`.
pub fn delete_expired_login_tokens(tx: &mut Tx<'_>, user_id: &str, until: i64) -> Result<(), StoreError> {
    tx.execute(DELETE_EXPIRED_LOGIN_TOKENS, values![user_id, until]).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.text(0)?,
        username: row.text(1)?,
        email: row.optional_text(2)?,
        name: row.optional_text(3)?,
        password_hash: row.text(4)?,
        active: row.boolean(5)?,
        created_at: row.integer(6)?,
        updated_at: row.integer(7)?,
    })
}
