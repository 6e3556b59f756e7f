//! Login tokens and personal access tokens. Only their hashes are kept.

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    ADD = "INSERT INTO login_tokens (token_hash, user_id, created_at, confirmed_at) VALUES (?1, ?2, ?3, ?4)";
    ADD_PERSONAL = "INSERT INTO login_tokens (token_hash, user_id, created_at, name, last_part, bypasses_second_factor)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    PERSONAL = "SELECT name, created_at, last_part, bypasses_second_factor FROM login_tokens
                WHERE user_id = ?1 AND name IS NOT NULL ORDER BY name";
    PERSONAL_BY_NAME = "SELECT name, created_at, last_part, bypasses_second_factor FROM login_tokens
                        WHERE user_id = ?1 AND name = ?2 AND name IS NOT NULL";
    DELETE_PERSONAL = "DELETE FROM login_tokens WHERE user_id = ?1 AND name = ?2 AND name IS NOT NULL";
    CONFIRM = "UPDATE login_tokens SET confirmed_at = ?2 WHERE token_hash = ?1";
    DELETE = "DELETE FROM login_tokens WHERE token_hash = ?1";
    DELETE_ALL = "DELETE FROM login_tokens WHERE user_id = ?1";
    DELETE_OTHERS = "DELETE FROM login_tokens WHERE user_id = ?1 AND token_hash <> ?2 AND name IS NULL";
    DELETE_EXPIRED = "DELETE FROM login_tokens WHERE user_id = ?1 AND created_at <= ?2 AND name IS NULL";
}

/// A personal access token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// The name its owner gave it.
    pub name: String,
    /// When it was made (milliseconds UTC).
    pub created_at: i64,
    /// Its last characters.
    pub last_part: String,
    /// Whether the second factor is not asked for when it is used.
    pub bypasses_second_factor: bool,
}

/// Adds a login; `confirmed_at` says when its second factor was shown, if it was.
pub fn add(tx: &mut Tx<'_>, token_hash: &str, user_id: &str, now: i64, confirmed_at: Option<i64>) -> Result<(), StoreError> {
    tx.execute_one(ADD, values![token_hash, user_id, now, confirmed_at])
}

/// Adds a personal access token. Another of that name must not be there.
pub fn add_personal(tx: &mut Tx<'_>, token_hash: &str, user_id: &str, token: &PersonalToken) -> Result<(), StoreError> {
    tx.execute_one(
        ADD_PERSONAL,
        values![token_hash, user_id, token.created_at, &token.name, &token.last_part, token.bypasses_second_factor],
    )
}

/// A user's personal access tokens, in the order of their names.
pub fn personal(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<PersonalToken>, StoreError> {
    tx.query(PERSONAL, values![user_id], read)
}

/// A user's personal access token of this name.
pub fn personal_by_name(tx: &mut Tx<'_>, user_id: &str, name: &str) -> Result<Option<PersonalToken>, StoreError> {
    tx.query_optional(PERSONAL_BY_NAME, values![user_id, name], read)
}

/// Deletes a user's personal access token of this name. Gives whether there was one.
pub fn delete_personal(tx: &mut Tx<'_>, user_id: &str, name: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_PERSONAL, values![user_id, name])? == 1)
}

/// Remembers that the second factor was shown with the token of this hash.
pub fn confirm(tx: &mut Tx<'_>, token_hash: &str, now: i64) -> Result<(), StoreError> {
    // The login may have ended meanwhile.
    tx.execute(CONFIRM, values![token_hash, now]).map(|_| ())
}

/// Ends the session whose token has this hash, if there is one.
pub fn delete(tx: &mut Tx<'_>, token_hash: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, values![token_hash]).map(|_| ())
}

/// Ends every session of a user, and all personal access tokens.
pub fn delete_all(tx: &mut Tx<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute(DELETE_ALL, values![user_id]).map(|_| ())
}

/// Ends every session of a user but the one whose token has this hash. Personal access tokens stay.
pub fn delete_others(tx: &mut Tx<'_>, user_id: &str, token_hash: &str) -> Result<(), StoreError> {
    tx.execute(DELETE_OTHERS, values![user_id, token_hash]).map(|_| ())
}

/// Deletes those logins of a user that began at or before `until`.
pub fn delete_expired(tx: &mut Tx<'_>, user_id: &str, until: i64) -> Result<(), StoreError> {
    tx.execute(DELETE_EXPIRED, values![user_id, until]).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<PersonalToken, StoreError> {
    Ok(PersonalToken {
        name: row.text(0)?,
        created_at: row.integer(1)?,
        last_part: row.text(2)?,
        bypasses_second_factor: row.boolean(3)?,
    })
}
