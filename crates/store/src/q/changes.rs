//! The change log of rooms.

use usher_domain::{Change, ChangeKind, Event};

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    RECORD = "INSERT INTO room_changes (room_id, seq, kind, reference) VALUES (?1, ?2, ?3, ?4)";
    SINCE = "SELECT room_id, seq, kind, reference FROM room_changes WHERE room_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    DELETE_OF_VISITOR = "DELETE FROM room_changes WHERE (room_id, seq) IN (
        SELECT change.room_id, change.seq FROM rooms JOIN room_changes AS change ON change.room_id = rooms.id
        WHERE rooms.visitor_id = ?1 LIMIT ?2)";
}

/// Records a change and announces it.
pub fn record(tx: &mut Tx<'_>, change: Change) -> Result<(), StoreError> {
    tx.execute_one(RECORD, values![&change.room_id, change.seq, change.kind.name(), &change.reference])?;
    tx.emit(Event::Room(change));
    Ok(())
}

/// The changes of a room after `seq`, oldest first, at most `limit`.
pub fn since(tx: &mut Tx<'_>, room_id: &str, seq: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
    tx.query(SINCE, values![room_id, seq, limit], read)
}

/// Deletes the log of a visitor's rooms, at most `limit` entries. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, limit: i64) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id, limit])
}

fn read(row: &Row<'_>) -> Result<Change, StoreError> {
    let kind = ChangeKind::from_name(&row.text(2)?).ok_or(StoreError::Column(2))?;
    Ok(Change { room_id: row.text(0)?, seq: row.integer(1)?, kind, reference: row.text(3)? })
}
