//! Roles: those that every server has, and those that administrators made.

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    ALL = "SELECT id, name, description, scope, is_protected, needs_second_factor, updated_at FROM roles ORDER BY id";
    REMOVED_SINCE = "SELECT id, removed_at FROM removed_roles WHERE removed_at > ?1 ORDER BY removed_at";
    INSERT = "INSERT INTO roles (id, name, description, scope, is_protected, needs_second_factor, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
    UPDATE = "UPDATE roles SET name = ?2, description = ?3, scope = ?4, needs_second_factor = ?5, updated_at = ?6 WHERE id = ?1";
    DELETE = "DELETE FROM roles WHERE id = ?1";
    REMEMBER_REMOVED = "INSERT INTO removed_roles (id, removed_at) VALUES (?1, ?2)";
    IS_HELD = "SELECT 1 FROM user_roles WHERE role = ?1 LIMIT 1";
}

/// A role as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What people read.
    pub description: String,
    /// What it is held in: `Users` or `Subscriptions`.
    pub scope: String,
    /// Whether every server has it.
    pub is_protected: bool,
    /// Whether those who hold it have to have a second factor.
    pub needs_second_factor: bool,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// Every role, in the order of the ids.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Role>, StoreError> {
    tx.query(ALL, values![], read)
}

/// The roles that were deleted after `since`, with the time of it.
pub fn removed_since(tx: &mut Tx<'_>, since: i64) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(REMOVED_SINCE, values![since], |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// Adds a role unless one of its id is there already.
pub fn add(tx: &mut Tx<'_>, role: &Role) -> Result<(), StoreError> {
    let values = values![
        &role.id,
        &role.name,
        &role.description,
        &role.scope,
        role.is_protected,
        role.needs_second_factor,
        role.updated_at,
    ];
    tx.execute(INSERT, values).map(|_| ())
}

/// Stores a role that exists anew.
pub fn update(tx: &mut Tx<'_>, role: &Role) -> Result<(), StoreError> {
    tx.execute_one(UPDATE, values![&role.id, &role.name, &role.description, &role.scope, role.needs_second_factor, role.updated_at])
}

/// Deletes a role, and remembers when.
pub fn delete(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![id])?;
    tx.execute_one(REMEMBER_REMOVED, values![id, now])
}

/// Whether any user holds the role.
pub fn is_held(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(IS_HELD, values![id], |_| Ok(()))?.is_some())
}

fn read(row: &Row<'_>) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.text(0)?,
        name: row.text(1)?,
        description: row.text(2)?,
        scope: row.text(3)?,
        is_protected: row.boolean(4)?,
        needs_second_factor: row.boolean(5)?,
        updated_at: row.integer(6)?,
    })
}
