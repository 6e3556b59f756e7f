//! Visitors.

use usher_domain::room::Person;
use usher_domain::visitor::{Connection, LastAgent, LastChat, Visitor, VisitorToken};

use super::{rooms, statements};
use crate::{Columns, Row, StoreError, Tx, values};

/// A visitor with all that is kept of it.
macro_rules! select {
    ($more:literal, $condition:literal) => {
        concat!(
            "SELECT id, username, name, email, phone, department_id, status, contact_id, last_chat_room_id, last_chat_at, user_agent, ip,
                    host, last_agent_id, last_agent_username, last_agent_at, created_at, updated_at,
                    (SELECT string_agg(field || '\u{1f}' || value, '\u{1e}' ORDER BY field) FROM visitor_fields
                     WHERE visitor_fields.visitor_id = visitors.id),
                    (SELECT activity FROM contacts WHERE contacts.id = visitors.contact_id)",
            $more,
            " FROM visitors WHERE ",
            $condition
        )
    };
}
pub(super) use select;

statements! {
    BY_TOKEN = select!("", "token = ?1");
    BY_ID = select!("", "id = ?1 AND token IS NOT NULL");
    BY_EMAIL = select!(", token", "email = ?1 AND token IS NOT NULL ORDER BY created_at, id LIMIT 1");
    BY_PHONE = select!(", token", "phone = ?1 AND token IS NOT NULL ORDER BY created_at, id LIMIT 1");
    EXISTS = "SELECT 1 FROM visitors WHERE id = ?1";
    INSERT = "INSERT INTO visitors (id, internal_id, token, username, name, email, phone, department_id, status, contact_id,
                                    user_agent, ip, host, created_at, updated_at, name_key, search_key)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    UPDATE = "UPDATE visitors SET name = ?2, email = ?3, phone = ?4, department_id = ?5, status = ?6,
                     user_agent = ?7, ip = ?8, host = ?9, updated_at = ?10, name_key = ?11, search_key = ?12
              WHERE id = ?1";
    SET_TOKEN = "UPDATE visitors SET token = ?2, updated_at = ?3 WHERE id = ?1";
    SET_LAST_CHAT = "UPDATE visitors SET last_chat_room_id = ?2, last_chat_at = ?3, updated_at = ?3 WHERE id = ?1";
    SET_CONTACT = "UPDATE visitors SET contact_id = ?2 WHERE id = ?1";
    SET_LAST_AGENT = "UPDATE visitors SET last_agent_id = ?2, last_agent_username = ?3, last_agent_at = ?4 WHERE id = ?1";
    TOKEN = "SELECT token FROM visitors WHERE id = ?1";
    EMAIL = "SELECT email FROM visitors WHERE id = ?1";
    TOKEN_AND_CONTACT = "SELECT token, contact_id FROM visitors WHERE id = ?1";
    BY_INTERNAL_ID = "SELECT id, token FROM visitors WHERE internal_id = ?1";
    INTERNAL_ID = "SELECT internal_id FROM visitors WHERE id = ?1";
    DISABLE = "UPDATE visitors SET token = NULL WHERE id = ?1";
    OF_CONTACT = "SELECT id, token FROM visitors WHERE contact_id = ?1 ORDER BY id";
    CONTACT_ID = "SELECT contact_id FROM visitors WHERE id = ?1";
    DELETE = "DELETE FROM visitors WHERE id = ?1";
}

/// The visitor whose token this is.
pub fn by_token(tx: &mut Tx<'_>, token: &VisitorToken) -> Result<Option<Visitor>, StoreError> {
    tx.query_optional(BY_TOKEN, values![token.as_str()], read)
}

/// The visitor with this id, unless it is being erased.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Visitor>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The first visitor with this e-mail address, and its token.
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<(Visitor, String)>, StoreError> {
    tx.query_optional(BY_EMAIL, values![email], with_token)
}

/// The first visitor with this phone number, and its token.
pub fn by_phone(tx: &mut Tx<'_>, phone: &str) -> Result<Option<(Visitor, String)>, StoreError> {
    tx.query_optional(BY_PHONE, values![phone], with_token)
}

/// Whether some visitor has this id.
pub fn exists(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(EXISTS, values![id], |_| Ok(()))?.is_some())
}

/// Adds a visitor. `internal_id` is what the ledger of erasures will call it, `search_key` what is searched for a term.
pub fn insert(
    tx: &mut Tx<'_>,
    visitor: &Visitor,
    token: &VisitorToken,
    internal_id: &str,
    search_key: &str,
) -> Result<(), StoreError> {
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
            &name_key(visitor),
            search_key,
        ],
    )
}

/// Stores what may change about a registered visitor.
pub fn update(tx: &mut Tx<'_>, visitor: &Visitor, search_key: &str) -> Result<(), StoreError> {
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
            &name_key(visitor),
            search_key,
        ],
    )
}

/// Stores which room was the latest.
pub fn set_last_chat(tx: &mut Tx<'_>, id: &str, last_chat: &LastChat) -> Result<(), StoreError> {
    tx.execute_one(SET_LAST_CHAT, values![id, &last_chat.room_id, last_chat.at])
}

/// Gives a visitor another token: the former one is nobody's from now on.
pub fn set_token(tx: &mut Tx<'_>, id: &str, token: &VisitorToken, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_TOKEN, values![id, token.as_str(), now])
}

/// Stores to which contact a visitor belongs.
pub fn set_contact(tx: &mut Tx<'_>, id: &str, contact_id: &str) -> Result<(), StoreError> {
    tx.execute_one(SET_CONTACT, values![id, contact_id])
}

/// Stores which agent was the latest.
pub fn set_last_agent(tx: &mut Tx<'_>, id: &str, agent: &Person, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_LAST_AGENT, values![id, &agent.id, &agent.username, now])
}

/// A visitor's token; `None` once its erasure has begun.
pub fn token(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, StoreError> {
    tx.query_one(TOKEN, values![id], |row| row.optional_text(0))
}

/// A visitor's e-mail address, also while it is being erased.
pub fn email(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, StoreError> {
    tx.query_one(EMAIL, values![id], |row| row.optional_text(0))
}

/// The name of a visitor in the ledger of erasures.
pub fn internal_id(tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    tx.query_one(INTERNAL_ID, values![id], |row| row.text(0))
}

/// Token and contact of a visitor.
pub fn token_and_contact(tx: &mut Tx<'_>, id: &str) -> Result<Option<(Option<String>, String)>, StoreError> {
    tx.query_optional(TOKEN_AND_CONTACT, values![id], |row| Ok((row.optional_text(0)?, row.text(1)?)))
}

/// Id and token of the visitor whom the ledger of erasures calls so.
pub fn by_internal_id(tx: &mut Tx<'_>, internal_id: &str) -> Result<Option<(String, Option<String>)>, StoreError> {
    tx.query_optional(BY_INTERNAL_ID, values![internal_id], |row| Ok((row.text(0)?, row.optional_text(1)?)))
}

/// Takes the token away: from now on nobody can act as this visitor.
pub fn disable(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute_one(DISABLE, values![id])
}

/// The visitors of a contact, each with its token if it has one still.
pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
    tx.query(OF_CONTACT, values![contact_id], |row| Ok((row.text(0)?, row.optional_text(1)?)))
}

/// The contact that a visitor belongs to.
pub fn contact_id(tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    tx.query_one(CONTACT_ID, values![id], |row| row.text(0))
}

/// Deletes a visitor.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![id])
}

fn name_key(visitor: &Visitor) -> String {
    visitor.name.as_deref().unwrap_or_default().to_lowercase()
}

fn with_token(row: &Row<'_>) -> Result<(Visitor, String), StoreError> {
    Ok((read(row)?, row.text(20)?))
}

/// Reads what [`select`] selects.
pub(super) fn read(row: &Row<'_>) -> Result<Visitor, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(Visitor {
        id: columns.text()?,
        username: columns.text()?,
        name: columns.optional_text()?,
        email: columns.optional_text()?,
        phone: columns.optional_text()?,
        department_id: columns.optional_text()?,
        status: columns.text()?,
        contact_id: columns.text()?,
        last_chat: last_chat(&mut columns)?,
        connection: Connection {
            user_agent: columns.optional_text()?,
            ip: columns.optional_text()?,
            host: columns.optional_text()?,
        },
        last_agent: last_agent(&mut columns)?,
        created_at: columns.integer()?,
        updated_at: columns.integer()?,
        fields: columns.optional_text()?.as_deref().map(rooms::pairs).unwrap_or_default(),
        activity: columns.optional_text()?.as_deref().map(rooms::months).unwrap_or_default(),
    })
}

fn last_chat(columns: &mut Columns<'_, '_>) -> Result<Option<LastChat>, StoreError> {
    let (room_id, at) = (columns.optional_text()?, columns.optional_integer()?);
    Ok(room_id.zip(at).map(|(room_id, at)| LastChat { room_id, at }))
}

fn last_agent(columns: &mut Columns<'_, '_>) -> Result<Option<LastAgent>, StoreError> {
    let (id, username, at) = (columns.optional_text()?, columns.optional_text()?, columns.optional_integer()?);
    let agent = id.zip(username).map(|(id, username)| Person { id, username });
    Ok(agent.zip(at).map(|(agent, at)| LastAgent { agent, at }))
}
