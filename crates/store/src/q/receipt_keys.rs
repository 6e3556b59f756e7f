//! The keys by which receipts can be verified.

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    ALL = "SELECT id, public_key, since FROM receipt_keys ORDER BY since, id";
    ADD = "INSERT INTO receipt_keys (id, public_key, since) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKey {
    /// Its id, made of the key itself.
    pub id: String,
    /// The public half, in base64.
    pub public_key: String,
    /// Since when receipts are signed with it (milliseconds UTC).
    pub since: i64,
}

/// All keys that there ever were, the oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<ReceiptKey>, StoreError> {
    let read = |row: &Row<'_>| Ok(ReceiptKey { id: row.text(0)?, public_key: row.text(1)?, since: row.integer(2)? });
    tx.query(ALL, values![], read)
}

/// Adds a key, unless it is known.
pub fn add(tx: &mut Tx<'_>, key: &ReceiptKey) -> Result<(), StoreError> {
    tx.execute(ADD, values![&key.id, &key.public_key, key.since]).map(|_| ())
}
