//! Decisions of routing: who was looked at for a chat, and why one of them got it. By ids.

use super::statements;
use crate::{Row, StoreError, Tx, values};

statements! {
    INSERT = "INSERT INTO routing_decisions (id, room_id, decided_at, cause, method, department_id, agent_id, reason, considered)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    OF_ROOM = "SELECT id, room_id, decided_at, cause, method, department_id, agent_id, reason, considered FROM routing_decisions
               WHERE room_id = ?1 ORDER BY decided_at, id LIMIT ?2";
    LATEST = "SELECT id, room_id, decided_at, cause, method, department_id, agent_id, reason, considered FROM routing_decisions
              WHERE room_id = ?1 ORDER BY decided_at DESC, id DESC LIMIT 1";
    DELETE_OF_VISITOR = "DELETE FROM routing_decisions WHERE room_id IN (SELECT id FROM rooms WHERE visitor_id = ?1)";
}

/// A decision as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: String,
    /// The room it was about.
    pub room_id: String,
    /// When (milliseconds UTC).
    pub decided_at: i64,
    /// What made the server decide.
    pub cause: String,
    /// The routing method.
    pub method: String,
    /// The department in which an agent was looked for.
    pub department_id: Option<String>,
    /// Who got the chat.
    pub agent_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Who was looked at, as a JSON list.
    pub considered: String,
}

/// Notes a decision.
pub fn insert(tx: &mut Tx<'_>, decision: &Decision) -> Result<(), StoreError> {
    tx.execute_one(
        INSERT,
        values![
            &decision.id,
            &decision.room_id,
            decision.decided_at,
            &decision.cause,
            &decision.method,
            &decision.department_id,
            &decision.agent_id,
            &decision.reason,
            &decision.considered,
        ],
    )
}

/// The decisions about a room, oldest first, at most `limit`.
pub fn of_room(tx: &mut Tx<'_>, room_id: &str, limit: i64) -> Result<Vec<Decision>, StoreError> {
    tx.query(OF_ROOM, values![room_id, limit], read)
}

/// The latest decision about a room.
pub fn latest(tx: &mut Tx<'_>, room_id: &str) -> Result<Option<Decision>, StoreError> {
    tx.query_optional(LATEST, values![room_id], read)
}

/// Deletes the decisions about a visitor's rooms. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id])
}

fn read(row: &Row<'_>) -> Result<Decision, StoreError> {
    Ok(Decision {
        id: row.text(0)?,
        room_id: row.text(1)?,
        decided_at: row.integer(2)?,
        cause: row.text(3)?,
        method: row.text(4)?,
        department_id: row.optional_text(5)?,
        agent_id: row.optional_text(6)?,
        reason: row.text(7)?,
        considered: row.text(8)?,
    })
}
