//! Contacts that must not be erased for some time.

use super::statements;
use crate::{Columns, Row, StoreError, Tx, values};

statements! {
    PLACE = "INSERT INTO holds (contact_id, reason, ends_at, placed_by, placed_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (contact_id) DO UPDATE SET reason = excluded.reason, ends_at = excluded.ends_at,
                                                    placed_by = excluded.placed_by, placed_at = excluded.placed_at";
    LIFT = "DELETE FROM holds WHERE contact_id = ?1";
    OF_CONTACT = "SELECT reason, ends_at, placed_by, placed_at FROM holds WHERE contact_id = ?1";
    IS_HELD = "SELECT 1 FROM holds WHERE contact_id = ?1 AND ends_at > ?2";
}

/// Why, until when and by whom a contact is kept from being erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Until when (milliseconds UTC).
    pub ends_at: i64,
    /// The id of the user who placed it.
    pub placed_by: String,
    /// When (milliseconds UTC).
    pub placed_at: i64,
}

/// Keeps a contact from being erased, in place of what was said before.
pub fn place(tx: &mut Tx<'_>, contact_id: &str, hold: &Hold) -> Result<(), StoreError> {
    tx.execute_one(PLACE, values![contact_id, &hold.reason, hold.ends_at, &hold.placed_by, hold.placed_at])
}

/// Lets a contact be erased again. Gives whether there was anything to lift.
pub fn lift(tx: &mut Tx<'_>, contact_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(LIFT, values![contact_id])? == 1)
}

/// The hold on a contact, one that has ended as well.
pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Option<Hold>, StoreError> {
    tx.query_optional(OF_CONTACT, values![contact_id], |row: &Row<'_>| {
        let mut columns = Columns::from(row, 0);
        Ok(Hold { reason: columns.text()?, ends_at: columns.integer()?, placed_by: columns.text()?, placed_at: columns.integer()? })
    })
}

/// Whether a contact must not be erased now.
pub fn is_held(tx: &mut Tx<'_>, contact_id: &str, now: i64) -> Result<bool, StoreError> {
    Ok(tx.query_optional(IS_HELD, values![contact_id, now], |_| Ok(()))?.is_some())
}
