//! Contacts: people, with the addresses and channels under which they are known.

use usher_domain::room::SourceKind;
use usher_domain::visitor::{LastChat, Visitor};

use super::statements;
use crate::{Columns, StoreError, Tx, values};

statements! {
    ENSURE = "INSERT INTO contacts (id, name, unknown, last_chat_room_id, last_chat_at, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5)
              ON CONFLICT (id) DO UPDATE SET name = CASE WHEN contacts.unknown THEN excluded.name ELSE contacts.name END,
                                             last_chat_room_id = excluded.last_chat_room_id, last_chat_at = excluded.last_chat_at,
                                             pre_registered = FALSE, updated_at = excluded.updated_at";
    ADD_ADDRESS = "INSERT INTO contact_addresses (contact_id, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    ENSURE_CHANNEL = "INSERT INTO contact_channels (visitor_id, source_type, contact_id, name, verified, blocked,
                                                    last_chat_room_id, last_chat_at)
                      VALUES (?1, ?2, ?3, ?4, FALSE, FALSE, ?5, ?6)
                      ON CONFLICT (visitor_id, source_type)
                      DO UPDATE SET last_chat_room_id = excluded.last_chat_room_id, last_chat_at = excluded.last_chat_at";
    OF_CHANNEL = "SELECT contact_id FROM contact_channels WHERE visitor_id = ?1 AND source_type = ?2";
    WITHOUT_CHANNEL = "SELECT contact.id FROM contact_addresses AS address JOIN contacts AS contact ON contact.id = address.contact_id
                       WHERE address.kind = ?1 AND address.value = ?2 AND contact.pre_registered
                       AND NOT EXISTS (SELECT 1 FROM contact_channels AS channel WHERE channel.contact_id = contact.id)
                       ORDER BY contact.created_at, contact.id LIMIT 1";
    HAS_DUPLICATE = "SELECT 1 FROM contact_addresses WHERE kind = ?1 AND value = ?2 AND contact_id <> ?3 LIMIT 1";
    MARK_DUPLICATE = "UPDATE contacts SET possible_duplicate = TRUE WHERE id = ?1";
    ACTIVITY = "SELECT activity FROM contacts WHERE id = ?1";
    SET_ACTIVITY = "UPDATE contacts SET activity = ?2, updated_at = ?3 WHERE id = ?1";
    BY_ID = "SELECT id, name, unknown, possible_duplicate, pre_registered, manager_id, activity, last_chat_room_id, last_chat_at,
                    created_at, updated_at
             FROM contacts WHERE id = ?1";
    IS_BLOCKED = "SELECT blocked FROM contact_channels WHERE visitor_id = ?1 AND source_type = ?2";
    NAME = "SELECT name FROM contacts WHERE id = ?1";
    HAS_CHANNELS = "SELECT 1 FROM contact_channels WHERE contact_id = ?1 LIMIT 1";
    DELETE_CHANNELS = "DELETE FROM contact_channels WHERE visitor_id = ?1";
    DELETE_ADDRESSES = "DELETE FROM contact_addresses WHERE contact_id = ?1";
    DELETE_HOLD = "DELETE FROM holds WHERE contact_id = ?1";
    DELETE_ALL_CHANNELS = "DELETE FROM contact_channels WHERE contact_id = ?1";
    DELETE = "DELETE FROM contacts WHERE id = ?1";
}

/// Makes sure that the visitor's contact exists with what the visitor said of itself, and with the channel `source`.
pub fn ensure(tx: &mut Tx<'_>, visitor: &Visitor, source: SourceKind, last_chat: &LastChat) -> Result<(), StoreError> {
    let contact_id = &visitor.contact_id;
    tx.execute_one(ENSURE, values![contact_id, visitor.display_name(), true, &last_chat.room_id, last_chat.at])?;
    for (kind, address) in addresses(visitor) {
        tx.execute(ADD_ADDRESS, values![contact_id, kind, address])?;
    }
    let channel = source.name();
    tx.execute_one(ENSURE_CHANNEL, values![&visitor.id, channel, contact_id, channel, &last_chat.room_id, last_chat.at])
}

/// A contact as stored, without its addresses and channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether nobody said yet who it is.
    pub is_unknown: bool,
    /// Whether another contact has one of its addresses.
    pub is_possible_duplicate: bool,
    /// Whether an agent entered it and nobody has written as this contact yet.
    pub is_pre_registered: bool,
    /// The user who looks after it.
    pub manager_id: Option<String>,
    /// The months in which an agent answered it.
    pub activity: Vec<String>,
    /// The latest room.
    pub last_chat: Option<LastChat>,
    /// When it was made (milliseconds UTC).
    pub created_at: i64,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// The contact with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Contact>, StoreError> {
    tx.query_optional(BY_ID, values![id], |row| {
        let mut columns = Columns::from(row, 0);
        Ok(Contact {
            id: columns.text()?,
            name: columns.text()?,
            is_unknown: columns.boolean()?,
            is_possible_duplicate: columns.boolean()?,
            is_pre_registered: columns.boolean()?,
            manager_id: columns.optional_text()?,
            activity: super::rooms::months(&columns.text()?),
            last_chat: {
                let (room_id, at) = (columns.optional_text()?, columns.optional_integer()?);
                room_id.zip(at).map(|(room_id, at)| LastChat { room_id, at })
            },
            created_at: columns.integer()?,
            updated_at: columns.integer()?,
        })
    })
}

/// The contact to which a visitor belongs who comes from `source`: the one that has this channel, or else one that agents entered with
/// one of the visitor's addresses and that has no channel yet, or else the one set aside for the visitor.
pub fn for_visitor(tx: &mut Tx<'_>, visitor: &Visitor, source: SourceKind) -> Result<String, StoreError> {
    if let Some(known) = tx.query_optional(OF_CHANNEL, values![&visitor.id, source.name()], |row| row.text(0))? {
        return Ok(known);
    }
    for (kind, address) in addresses(visitor) {
        if let Some(found) = tx.query_optional(WITHOUT_CHANNEL, values![kind, address], |row| row.text(0))? {
            return Ok(found);
        }
    }
    Ok(visitor.contact_id.clone())
}

/// Marks the contact as a possible duplicate if another one has one of the visitor's addresses.
pub fn mark_duplicate(tx: &mut Tx<'_>, visitor: &Visitor) -> Result<(), StoreError> {
    let contact_id = &visitor.contact_id;
    for (kind, address) in addresses(visitor) {
        if tx.query_optional(HAS_DUPLICATE, values![kind, address, contact_id], |_| Ok(()))?.is_some() {
            tx.execute(MARK_DUPLICATE, values![contact_id])?;
        }
    }
    Ok(())
}

fn addresses(visitor: &Visitor) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [("email", &visitor.email), ("phone", &visitor.phone)];
    all.into_iter().filter_map(|(kind, address)| Some((kind, address.as_deref()?)))
}

/// The months in which an agent answered a contact.
pub fn activity(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>, StoreError> {
    let stored = tx.query_optional(ACTIVITY, values![id], |row| row.text(0))?;
    Ok(stored.as_deref().map(super::rooms::months).unwrap_or_default())
}

/// Stores the months in which an agent answered a contact.
pub fn set_activity(tx: &mut Tx<'_>, id: &str, activity: &[String], now: i64) -> Result<(), StoreError> {
    tx.execute(SET_ACTIVITY, values![id, &activity.join(","), now]).map(|_| ())
}

/// Whether the contact does not want to be written to by this visitor over this channel. A channel that is unknown yet is not blocked.
pub fn is_blocked(tx: &mut Tx<'_>, visitor_id: &str, source: SourceKind) -> Result<bool, StoreError> {
    Ok(tx.query_optional(IS_BLOCKED, values![visitor_id, source.name()], |row| row.boolean(0))?.unwrap_or(false))
}

/// A contact's name.
pub fn name(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, StoreError> {
    tx.query_optional(NAME, values![id], |row| row.text(0))
}

/// Deletes the visitor's channels, and the contact if that leaves it without any. Gives how many contacts are gone.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, contact_id: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_CHANNELS, values![visitor_id])?;
    if tx.query_optional(HAS_CHANNELS, values![contact_id], |_| Ok(()))?.is_some() {
        return Ok(0);
    }
    delete(tx, contact_id)
}

/// Deletes a contact with all that hangs on it. Gives how many contacts that were.
pub fn delete(tx: &mut Tx<'_>, contact_id: &str) -> Result<u64, StoreError> {
    for statement in [DELETE_ALL_CHANNELS, DELETE_ADDRESSES, DELETE_HOLD] {
        tx.execute(statement, values![contact_id])?;
    }
    tx.execute(DELETE, values![contact_id])
}
