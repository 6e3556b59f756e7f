//! Second factors: the secret that an authenticator program shares, and the codes for when it is lost.

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    GET = "SELECT secret, is_enabled FROM second_factors WHERE user_id = ?1";
    PUT = "INSERT INTO second_factors (user_id, secret, is_enabled) VALUES (?1, ?2, FALSE)
           ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, is_enabled = FALSE";
    ENABLE = "UPDATE second_factors SET is_enabled = TRUE WHERE user_id = ?1";
    DELETE = "DELETE FROM second_factors WHERE user_id = ?1";
    ADD_BACKUP_CODE = "INSERT INTO backup_codes (user_id, code_hash) VALUES (?1, ?2)";
    USE_BACKUP_CODE = "DELETE FROM backup_codes WHERE user_id = ?1 AND code_hash = ?2";
    DELETE_BACKUP_CODES = "DELETE FROM backup_codes WHERE user_id = ?1";
    COUNT_BACKUP_CODES = "SELECT COUNT(*) FROM backup_codes WHERE user_id = ?1";
}

/// A second factor as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret in Base32.
    pub secret: String,
    /// Whether its owner has shown a code of it.
    pub is_enabled: bool,
}

/// A user's second factor, if there is one.
pub fn get(tx: &mut Tx<'_>, user_id: &str) -> Result<Option<SecondFactor>, StoreError> {
    tx.query_optional(GET, values![user_id], |row| Ok(SecondFactor { secret: row.text(0)?, is_enabled: row.boolean(1)? }))
}

/// Gives a user a secret that does not count yet.
pub fn put(tx: &mut Tx<'_>, user_id: &str, secret: &str) -> Result<(), StoreError> {
    tx.execute_one(PUT, values![user_id, secret])
}

/// Makes a user's secret count.
pub fn enable(tx: &mut Tx<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute_one(ENABLE, values![user_id])
}

/// Takes a user's second factor and backup codes away.
pub fn delete(tx: &mut Tx<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, values![user_id])?;
    tx.execute(DELETE_BACKUP_CODES, values![user_id]).map(|_| ())
}

/// Replaces a user's backup codes by those with these hashes.
pub fn set_backup_codes(tx: &mut Tx<'_>, user_id: &str, hashes: &[String]) -> Result<(), StoreError> {
    tx.execute(DELETE_BACKUP_CODES, values![user_id])?;
    hashes.iter().try_for_each(|hash| tx.execute_one(ADD_BACKUP_CODE, values![user_id, hash]))
}

/// Uses a backup code up. Gives whether there was one.
pub fn use_backup_code(tx: &mut Tx<'_>, user_id: &str, hash: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(USE_BACKUP_CODE, values![user_id, hash])? == 1)
}

/// How many backup codes a user has left.
pub fn count_backup_codes(tx: &mut Tx<'_>, user_id: &str) -> Result<i64, StoreError> {
    tx.query_one(COUNT_BACKUP_CODES, values![user_id], |row| row.integer(0))
}
