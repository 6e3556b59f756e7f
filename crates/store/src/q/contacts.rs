//! Contacts: people, with the addresses and channels under which they are known.

use usher_domain::room::SourceKind;
use usher_domain::visitor::{LastChat, Visitor};

use super::statements;
use crate::{StoreError, Tx, values};

statements! {
    ENSURE = "INSERT INTO contacts (id, name, unknown, last_chat_room_id, last_chat_at, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5)
              ON CONFLICT (id) DO UPDATE SET last_chat_room_id = excluded.last_chat_room_id, last_chat_at = excluded.last_chat_at,
                                             updated_at = excluded.updated_at";
    ADD_ADDRESS = "INSERT INTO contact_addresses (contact_id, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    ENSURE_CHANNEL = "INSERT INTO contact_channels (visitor_id, source_type, contact_id, name, verified, blocked,
                                                    last_chat_room_id, last_chat_at)
                      VALUES (?1, ?2, ?3, ?4, FALSE, FALSE, ?5, ?6)
                      ON CONFLICT (visitor_id, source_type)
                      DO UPDATE SET last_chat_room_id = excluded.last_chat_room_id, last_chat_at = excluded.last_chat_at";
    IS_BLOCKED = "SELECT blocked FROM contact_channels WHERE visitor_id = ?1 AND source_type = ?2";
    NAME = "SELECT name FROM contacts WHERE id = ?1";
    HAS_CHANNELS = "SELECT 1 FROM contact_channels WHERE contact_id = ?1 LIMIT 1";
    DELETE_CHANNELS = "DELETE FROM contact_channels WHERE visitor_id = ?1";
    DELETE_ADDRESSES = "DELETE FROM contact_addresses WHERE contact_id = ?1";
    DELETE = "DELETE FROM contacts WHERE id = ?1";
}

/// Makes sure that the visitor's contact exists with what the visitor said of itself, and with the channel `source`.
pub fn ensure(tx: &mut Tx<'_>, visitor: &Visitor, source: SourceKind, last_chat: &LastChat) -> Result<(), StoreError> {
    let contact_id = &visitor.contact_id;
    tx.execute_one(ENSURE, values![contact_id, visitor.display_name(), true, &last_chat.room_id, last_chat.at])?;
    for (kind, address) in [("email", &visitor.email), ("phone", &visitor.phone)] {
        if let Some(address) = address {
            tx.execute(ADD_ADDRESS, values![contact_id, kind, address])?;
        }
    }
    let channel = source.name();
    tx.execute_one(ENSURE_CHANNEL, values![&visitor.id, channel, contact_id, channel, &last_chat.room_id, last_chat.at])
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
    tx.execute(DELETE_ADDRESSES, values![contact_id])?;
    tx.execute(DELETE, values![contact_id])
}
