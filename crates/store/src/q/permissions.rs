//! Permissions, and which roles hold them.

use super::statement::Statement;
use super::statements;
use crate::{StoreError, Tx, Value, values};

/// How many rows one statement adds.
const ROWS: usize = 128;

statements! {
    ALL = "SELECT id, updated_at FROM permissions ORDER BY id";
    GRANTS = "SELECT permission_id, role_id FROM permission_roles ORDER BY permission_id, role_id";
    TOUCH = "UPDATE permissions SET updated_at = ?2 WHERE id = ?1";
    TOUCH_OF_ROLE = "UPDATE permissions SET updated_at = ?2
                     WHERE id IN (SELECT permission_id FROM permission_roles WHERE role_id = ?1)";
    GRANT = "INSERT INTO permission_roles (permission_id, role_id) VALUES (?1, ?2)";
    REVOKE_ALL = "DELETE FROM permission_roles WHERE permission_id = ?1";
    REVOKE_OF_ROLE = "DELETE FROM permission_roles WHERE role_id = ?1";
}

/// Every permission with the time of its last change (milliseconds UTC).
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(ALL, values![], |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// Every pair of a permission and a role that holds it.
pub fn grants(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(GRANTS, values![], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// Adds permissions that are not there, each with the roles that hold it.
pub fn add(tx: &mut Tx<'_>, new: &[(String, &[&str])], now: i64) -> Result<(), StoreError> {
    for some in new.chunks(ROWS) {
        let mut statement = Statement::new("INSERT INTO permissions (id, updated_at) VALUES");
        statement.add_rows(2, some.iter().flat_map(|(id, _)| [Value::from(id), Value::from(now)]));
        tx.execute(statement.sql(), statement.values())?;
    }
    let pairs: Vec<(&str, &str)> = new.iter().flat_map(|(id, roles)| roles.iter().map(move |role| (id.as_str(), *role))).collect();
    for some in pairs.chunks(ROWS) {
        let mut statement = Statement::new("INSERT INTO permission_roles (permission_id, role_id) VALUES");
        statement.add_rows(2, some.iter().flat_map(|(id, role)| [Value::Text(id), Value::Text(role)]));
        tx.execute(statement.sql(), statement.values())?;
    }
    Ok(())
}

/// Makes exactly these roles hold a permission that exists.
pub fn set_roles(tx: &mut Tx<'_>, id: &str, roles: &[String], now: i64) -> Result<(), StoreError> {
    tx.execute_one(TOUCH, values![id, now])?;
    tx.execute(REVOKE_ALL, values![id])?;
    roles.iter().try_for_each(|role| tx.execute_one(GRANT, values![id, role]))
}

/// Takes every permission from a role.
pub fn revoke_of_role(tx: &mut Tx<'_>, role_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(TOUCH_OF_ROLE, values![role_id, now])?;
    tx.execute(REVOKE_OF_ROLE, values![role_id]).map(|_| ())
}
