//! Values of custom fields: of visitors, their contacts, and rooms.

use serde_json::{Map, Value as Json};

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    OF_VISITOR = "SELECT field, value FROM visitor_fields WHERE visitor_id = ?1 ORDER BY field";
    SET_OF_VISITOR = "INSERT INTO visitor_fields (visitor_id, field, value) VALUES (?1, ?2, ?3)
                      ON CONFLICT (visitor_id, field) DO UPDATE SET value = excluded.value";
    REMOVE_OF_VISITOR = "DELETE FROM visitor_fields WHERE visitor_id = ?1 AND field = ?2";
    VISITORS_WITH = "SELECT visitor_id FROM visitor_fields WHERE field = ?1 AND visitor_id > ?2 ORDER BY visitor_id LIMIT ?3";
    OF_ROOM = "SELECT field, value FROM room_fields WHERE room_id = ?1 ORDER BY field";
    SET_OF_ROOM = "INSERT INTO room_fields (room_id, field, value) VALUES (?1, ?2, ?3)
                   ON CONFLICT (room_id, field) DO UPDATE SET value = excluded.value";
    REMOVE_OF_ROOM = "DELETE FROM room_fields WHERE room_id = ?1 AND field = ?2";
    OWNER = "SELECT name, username, contact_id, updated_at FROM visitors WHERE id = ?1";
    SET_SEARCH_KEY = "UPDATE visitors SET search_key = ?2, updated_at = ?3 WHERE id = ?1";
    OPEN_ROOMS = "SELECT id, seq FROM rooms WHERE visitor_id = ?1 AND is_open AND NOT erasing ORDER BY opened_at, id";
    TOUCH_ROOM = "UPDATE rooms SET seq = ?2, updated_at = ?3 WHERE id = ?1";
    CONTACTS = "SELECT DISTINCT contact_id FROM contact_channels WHERE visitor_id = ?1 ORDER BY contact_id";
    OF_CONTACT = "SELECT custom_fields, conflicts FROM contacts WHERE id = ?1";
    SET_OF_CONTACT = "UPDATE contacts SET custom_fields = ?2, conflicts = ?3, updated_at = ?4 WHERE id = ?1";
    DELETE_OF_ROOMS = "DELETE FROM room_fields WHERE room_id IN (SELECT id FROM rooms WHERE visitor_id = ?1)";
    DELETE_OF_VISITOR = "DELETE FROM visitor_fields WHERE visitor_id = ?1";
}

/// A visitor's values, by the ids of their fields.
pub fn visitor_fields(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(OF_VISITOR, values![visitor_id], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// Gives a visitor a value, whatever it had.
pub fn set_visitor_field(tx: &mut Tx<'_>, visitor_id: &str, field: &str, value: &str) -> Result<(), StoreError> {
    tx.execute_one(SET_OF_VISITOR, values![visitor_id, field, storable(value).as_str()])
}

/// Takes a value from a visitor, if it has one.
pub fn remove_visitor_field(tx: &mut Tx<'_>, visitor_id: &str, field: &str) -> Result<(), StoreError> {
    tx.execute(REMOVE_OF_VISITOR, values![visitor_id, field]).map(|_| ())
}

/// The ids of visitors who have a value of a field, those after `after` in the order of ids, at most `limit`.
pub fn visitors_with(tx: &mut Tx<'_>, field: &str, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.query(VISITORS_WITH, values![field, after, limit], |row| row.text(0))
}

/// A room's values, by the ids of their fields.
pub fn room_fields(tx: &mut Tx<'_>, room_id: &str) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(OF_ROOM, values![room_id], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// Gives a room a value, whatever it had.
pub fn set_room_field(tx: &mut Tx<'_>, room_id: &str, field: &str, value: &str) -> Result<(), StoreError> {
    tx.execute_one(SET_OF_ROOM, values![room_id, field, storable(value).as_str()])
}

/// The value without the characters by which records with all their values are taken apart: nobody may make up a value of another
/// field.
fn storable(value: &str) -> String {
    value.replace(['\u{1e}', '\u{1f}'], " ")
}

/// Takes a value from a room, if it has one.
pub fn remove_room_field(tx: &mut Tx<'_>, room_id: &str, field: &str) -> Result<(), StoreError> {
    tx.execute(REMOVE_OF_ROOM, values![room_id, field]).map(|_| ())
}

/// What setting a visitor's values has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The display name.
    pub name: Option<String>,
    /// The user name.
    pub username: String,
    /// The contact that the visitor belongs to.
    pub contact_id: String,
    /// When its record last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// The visitor whose values are to be set.
pub fn owner(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Owner, StoreError> {
    tx.query_one(OWNER, values![visitor_id], |row| {
        Ok(Owner { name: row.optional_text(0)?, username: row.text(1)?, contact_id: row.text(2)?, updated_at: row.integer(3)? })
    })
}

/// Stores what a visitor is found by.
pub fn set_search_key(tx: &mut Tx<'_>, visitor_id: &str, search_key: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_SEARCH_KEY, values![visitor_id, search_key, now])
}

/// The ids of a visitor's open rooms, oldest first, with their `seq`.
pub fn open_rooms(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(OPEN_ROOMS, values![visitor_id], |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// Notes that a room's values changed, as change `seq`.
pub fn touch_room(tx: &mut Tx<'_>, room_id: &str, seq: i64, now: i64) -> Result<(), StoreError> {
    tx.execute_one(TOUCH_ROOM, values![room_id, seq, now])
}

/// The ids of the contacts that have a channel of the visitor.
pub fn contacts(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<String>, StoreError> {
    tx.query(CONTACTS, values![visitor_id], |row| row.text(0))
}

/// What a contact has of custom fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfContact {
    /// The values, by the ids of their fields.
    pub values: Map<String, Json>,
    /// Values of any kind that contradict those of the contact.
    pub conflicts: Vec<Json>,
}

/// What a contact has of custom fields; `None` for one that has not come into being yet.
pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Option<OfContact>, StoreError> {
    tx.query_optional(OF_CONTACT, values![contact_id], |row| {
        Ok(OfContact {
            values: serde_json::from_str(&row.text(0)?).map_err(|_| StoreError::Column(0))?,
            conflicts: serde_json::from_str(&row.text(1)?).map_err(|_| StoreError::Column(1))?,
        })
    })
}

/// Stores what a contact has of custom fields.
pub fn set_of_contact(tx: &mut Tx<'_>, contact_id: &str, fields: &OfContact, now: i64) -> Result<(), StoreError> {
    let (values, conflicts) = (Json::Object(fields.values.clone()).to_string(), Json::Array(fields.conflicts.clone()).to_string());
    tx.execute_one(SET_OF_CONTACT, values![contact_id, values.as_str(), conflicts.as_str(), now])
}

/// Deletes all values of a visitor and of its rooms. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    Ok(tx.execute(DELETE_OF_ROOMS, values![visitor_id])? + tx.execute(DELETE_OF_VISITOR, values![visitor_id])?)
}
