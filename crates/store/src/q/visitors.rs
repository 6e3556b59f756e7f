//! Visitors.

use usher_domain::visitor::{Connection, LastChat, Visitor, VisitorToken};

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    BY_TOKEN = "SELECT id, username, name, email, phone, department_id, status, contact_id, last_chat_room_id, last_chat_at,
                       user_agent, ip, host, created_at, updated_at
                FROM visitors WHERE token = ?1";
    EXISTS = "SELECT 1 FROM visitors WHERE id = ?1";
    INSERT = "INSERT INTO visitors (id, internal_id, token, username, name, email, phone, department_id, status, contact_id,
                                    user_agent, ip, host, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    UPDATE = "UPDATE visitors SET name = ?2, email = ?3, phone = ?4, department_id = ?5, status = ?6,
                     user_agent = ?7, ip = ?8, host = ?9, updated_at = ?10
              WHERE id = ?1";
    SET_LAST_CHAT = "UPDATE visitors SET last_chat_room_id = ?2, last_chat_at = ?3, updated_at = ?3 WHERE id = ?1";
    INTERNAL_ID = "SELECT internal_id FROM visitors WHERE id = ?1";
    DISABLE = "UPDATE visitors SET token = NULL WHERE id = ?1";
    CONTACT_ID = "SELECT contact_id FROM visitors WHERE id = ?1";
    DELETE = "DELETE FROM visitors WHERE id = ?1";
}

/// The visitor whose token this is.
pub fn by_token(tx: &mut Tx<'_>, token: &VisitorToken) -> Result<Option<Visitor>, StoreError> {
    tx.query_optional(BY_TOKEN, values![token.as_str()], read)
}

/// Whether some visitor has this id.
pub fn exists(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(EXISTS, values![id], |_| Ok(()))?.is_some())
}

/// Adds a visitor. `internal_id` is what the ledger of erasures will call it.
pub fn insert(tx: &mut Tx<'_>, visitor: &Visitor, token: &VisitorToken, internal_id: &str) -> Result<(), StoreError> {
    tx.execute_one(
        INSERT,
        values![
            &visitor.id,
            internal_id,
            token.as_str(),
            &visitor.username,
            &visitor.name,
            &visitor.email,
            &visitor.phone,
            &visitor.department_id,
            &visitor.status,
            &visitor.contact_id,
            &visitor.connection.user_agent,
            &visitor.connection.ip,
            &visitor.connection.host,
            visitor.created_at,
            visitor.updated_at,
        ],
    )
}

/// Stores what may change about a registered visitor.
pub fn update(tx: &mut Tx<'_>, visitor: &Visitor) -> Result<(), StoreError> {
    tx.execute_one(
        UPDATE,
        values![
            &visitor.id,
            &visitor.name,
            &visitor.email,
            &visitor.phone,
            &visitor.department_id,
            &visitor.status,
            &visitor.connection.user_agent,
            &visitor.connection.ip,
            &visitor.connection.host,
            visitor.updated_at,
        ],
    )
}

/// Stores which room was the latest.
pub fn set_last_chat(tx: &mut Tx<'_>, id: &str, last_chat: &LastChat) -> Result<(), StoreError> {
    tx.execute_one(SET_LAST_CHAT, values![id, &last_chat.room_id, last_chat.at])
}

/// The name of a visitor in the ledger of erasures.
pub fn internal_id(tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    tx.query_one(INTERNAL_ID, values![id], |row| row.text(0))
}

/// Takes the token away: from now on nobody can act as this visitor.
pub fn disable(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute_one(DISABLE, values![id])
}

/// The contact that a visitor belongs to.
pub fn contact_id(tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    tx.query_one(CONTACT_ID, values![id], |row| row.text(0))
}

/// Deletes a visitor.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![id])
}

fn read(row: &Row<'_>) -> Result<Visitor, StoreError> {
    let last_chat = match (row.optional_text(8)?, row.optional_integer(9)?) {
        (Some(room_id), Some(at)) => Some(LastChat { room_id, at }),
        _ => None,
    };
    Ok(Visitor {
        id: row.text(0)?,
        username: row.text(1)?,
        name: row.optional_text(2)?,
        email: row.optional_text(3)?,
        phone: row.optional_text(4)?,
        department_id: row.optional_text(5)?,
        status: row.text(6)?,
        contact_id: row.text(7)?,
        last_chat,
        connection: Connection { user_agent: row.optional_text(10)?, ip: row.optional_text(11)?, host: row.optional_text(12)? },
        created_at: row.integer(13)?,
        updated_at: row.integer(14)?,
    })
}
