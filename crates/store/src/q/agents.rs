//! Agents: whether they take chats, since when, and who of them might get the next one.

use serde_json::{Map, Value as Json};
use usher_domain::UserEventKind;
use usher_domain::department::limit;
use usher_domain::routing::{Attendance, Candidate};
use usher_domain::user::{Availability, UserStatus};

use super::{statements, users};
use crate::{Row, StoreError, Tx, values};

/// Candidates: who they are, what they did, and how many chats they have now. The cross joins make SQLite begin with the few rooms that an
/// agent has, not with all that a department ever had.
macro_rules! candidates {
    ($count:literal, $order:literal, $and_department:literal, $from:literal) => {
        concat!(
            "SELECT users.id, users.username, users.status,
                    users.active AND COALESCE(users.availability, '') = 'available'
                        AND EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id AND role = 'livechat-agent'),
                    EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id AND role = 'bot'), ",
            $count,
            ", ",
            $order,
            ", (SELECT COUNT(*) FROM subscriptions CROSS JOIN rooms
                WHERE rooms.id = subscriptions.room_id AND subscriptions.user_id = users.id AND rooms.is_open AND NOT rooms.on_hold),
               (SELECT COUNT(*) FROM subscriptions CROSS JOIN rooms
                WHERE rooms.id = subscriptions.room_id AND subscriptions.user_id = users.id AND rooms.is_open AND NOT rooms.on_hold",
            $and_department,
            "), users.agent_data, users.last_routed_at ",
            $from
        )
    };
}

/// Who is in service and there, without a count of anybody's chats.
macro_rules! attendance {
    ($from:literal) => {
        concat!(
            "SELECT users.status,
                    users.active AND COALESCE(users.availability, '') = 'available'
                        AND EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id AND role = 'livechat-agent'),
                    EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id AND role = 'bot') ",
            $from
        )
    };
}

statements! {
    SET_AVAILABILITY = "UPDATE users SET availability = ?2, unavailable_by_system = ?3, updated_at = ?4 WHERE id = ?1";
    SET_DATA = "UPDATE users SET agent_data = ?2, updated_at = ?3 WHERE id = ?1";
    START_SESSION = "INSERT INTO agent_sessions (agent_id, started_at, stopped_at)
                     SELECT ?1, ?2, NULL
                     WHERE NOT EXISTS (SELECT 1 FROM agent_sessions WHERE agent_id = ?1 AND stopped_at IS NULL)
                     ON CONFLICT (agent_id, started_at) DO UPDATE SET stopped_at = NULL";
    STOP_SESSION = "UPDATE agent_sessions SET stopped_at = ?2 WHERE agent_id = ?1 AND stopped_at IS NULL";
    SESSIONS = "SELECT started_at, stopped_at FROM agent_sessions WHERE agent_id = ?1 ORDER BY started_at";
    FORGET_SESSIONS = "DELETE FROM agent_sessions WHERE agent_id = ?1";
    LEAVE_CONTACTS = "UPDATE contacts SET manager_id = NULL, updated_at = ?2 WHERE manager_id = ?1";
    CANDIDATES_OF_DEPARTMENT = candidates!(
        "place.routed_count",
        "place.position",
        " AND rooms.department_id = ?1",
        "FROM department_agents AS place JOIN users ON users.id = place.agent_id WHERE place.department_id = ?1 ORDER BY users.id"
    );
    CANDIDATES = candidates!(
        "users.routed_count",
        "CAST(0 AS BIGINT)",
        "",
        "FROM user_roles AS holder JOIN users ON users.id = holder.user_id
         WHERE holder.role = 'livechat-agent' AND users.availability = 'available' AND users.active ORDER BY users.id"
    );
    ATTENDANCE_OF_DEPARTMENT = attendance!(
        "FROM department_agents AS place JOIN users ON users.id = place.agent_id WHERE place.department_id = ?1"
    );
    ATTENDANCE = attendance!(
        "FROM user_roles AS holder JOIN users ON users.id = holder.user_id
         WHERE holder.role = 'livechat-agent' AND users.availability = 'available' AND users.active"
    );
    BOTS_OF_DEPARTMENT = candidates!(
        "place.routed_count",
        "place.position",
        " AND rooms.department_id = ?1",
        "FROM department_agents AS place JOIN users ON users.id = place.agent_id
         WHERE place.department_id = ?1 AND users.active
           AND EXISTS (SELECT 1 FROM user_roles AS holder WHERE holder.user_id = users.id AND holder.role = 'bot')
         ORDER BY place.routed_count, place.position, users.username LIMIT 1"
    );
    BOTS = candidates!(
        "users.routed_count",
        "CAST(0 AS BIGINT)",
        "",
        "FROM user_roles AS holder JOIN users ON users.id = holder.user_id
         WHERE holder.role = 'bot' AND users.active
           AND EXISTS (SELECT 1 FROM user_roles AS other WHERE other.user_id = users.id AND other.role = 'livechat-agent')
         ORDER BY users.routed_count, users.username LIMIT 1"
    );
    CANDIDATE = candidates!(
        "users.routed_count",
        "CAST(0 AS BIGINT)",
        " AND rooms.department_id = COALESCE(?2, rooms.department_id)",
        "FROM users WHERE users.id = ?1"
    );
    COUNT_ROUTED_IN_DEPARTMENT = "UPDATE department_agents SET routed_count = routed_count + 1, updated_at = ?3
                                  WHERE department_id = ?1 AND agent_id = ?2";
    COUNT_ROUTED = "UPDATE users SET routed_count = routed_count + 1 WHERE id = ?1";
    ROUTED = "UPDATE users SET last_routed_at = ?2 WHERE id = ?1";
}

/// A time in which an agent was in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentSession {
    /// When it began (milliseconds UTC).
    pub started_at: i64,
    /// When it ended (milliseconds UTC), unless it still runs.
    pub stopped_at: Option<i64>,
}

/// Stores whether an agent takes chats; `None` for a user who is no agent any more.
pub fn set_availability(
    tx: &mut Tx<'_>,
    agent_id: &str,
    availability: Option<Availability>,
    by_system: bool,
    now: i64,
) -> Result<(), StoreError> {
    tx.execute_one(SET_AVAILABILITY, values![agent_id, availability.map(Availability::name), by_system, now])?;
    users::announce(tx, agent_id, UserEventKind::Availability);
    Ok(())
}

/// Stores what administrators keep of an agent.
pub fn set_data(tx: &mut Tx<'_>, agent_id: &str, data: Option<&str>, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_DATA, values![agent_id, data, now])
}

/// Begins a time in service, unless one runs already.
pub fn start_session(tx: &mut Tx<'_>, agent_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(START_SESSION, values![agent_id, now]).map(|_| ())
}

/// Ends the time in service that runs, if any does.
pub fn stop_session(tx: &mut Tx<'_>, agent_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(STOP_SESSION, values![agent_id, now]).map(|_| ())
}

/// The times in which an agent was in service, in their order.
pub fn sessions(tx: &mut Tx<'_>, agent_id: &str) -> Result<Vec<AgentSession>, StoreError> {
    let read = |row: &Row<'_>| Ok(AgentSession { started_at: row.integer(0)?, stopped_at: row.optional_integer(1)? });
    tx.query(SESSIONS, values![agent_id], read)
}

/// Forgets when an agent was in service.
pub fn forget_sessions(tx: &mut Tx<'_>, agent_id: &str) -> Result<(), StoreError> {
    tx.execute(FORGET_SESSIONS, values![agent_id]).map(|_| ())
}

/// Takes somebody off the contacts it looks after.
pub fn leave_contacts(tx: &mut Tx<'_>, agent_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(LEAVE_CONTACTS, values![agent_id, now]).map(|_| ())
}

/// Who might get a chat: everybody in the department, or without one every agent in service.
pub fn candidates(tx: &mut Tx<'_>, department_id: Option<&str>) -> Result<Vec<Candidate>, StoreError> {
    match department_id {
        Some(department_id) => tx.query(CANDIDATES_OF_DEPARTMENT, values![department_id], read_candidate),
        None => tx.query(CANDIDATES, values![], read_candidate),
    }
}

/// The program among the agents that got the fewest chats so far: of the department, or without one of all. Whether it takes chats is
/// not asked.
pub fn first_bot(tx: &mut Tx<'_>, department_id: Option<&str>) -> Result<Option<Candidate>, StoreError> {
    match department_id {
        Some(department_id) => tx.query_optional(BOTS_OF_DEPARTMENT, values![department_id], read_candidate),
        None => tx.query_optional(BOTS, values![], read_candidate),
    }
}

/// One user as a candidate for a chat of the department, or of none; counted without regard to departments.
pub fn candidate(tx: &mut Tx<'_>, user_id: &str, department_id: Option<&str>) -> Result<Option<Candidate>, StoreError> {
    tx.query_optional(CANDIDATE, values![user_id, department_id], read_candidate)
}

/// Counts a chat of the department, or without one, as routed to an agent.
pub fn count_routed(tx: &mut Tx<'_>, agent_id: &str, department_id: Option<&str>, now: i64) -> Result<(), StoreError> {
    match department_id {
        None => tx.execute_one(COUNT_ROUTED, values![agent_id]),
        Some(department_id) => tx.execute(COUNT_ROUTED_IN_DEPARTMENT, values![department_id, agent_id, now]).map(|_| ()),
    }
}

/// Remembers when a chat was last routed to an agent.
pub fn note_time_routed(tx: &mut Tx<'_>, agent_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(ROUTED, values![agent_id, now])
}

/// Who is there of those who might get a chat: everybody in the department, or without one every agent in service.
pub fn attendance(tx: &mut Tx<'_>, department_id: Option<&str>) -> Result<Vec<Attendance>, StoreError> {
    let read = |row: &Row<'_>| {
        let status = UserStatus::from_name(&row.text(0)?).unwrap_or(UserStatus::Offline);
        Ok(Attendance { status, is_in_service: row.boolean(1)?, is_bot: row.boolean(2)? })
    };
    match department_id {
        Some(department_id) => tx.query(ATTENDANCE_OF_DEPARTMENT, values![department_id], read),
        None => tx.query(ATTENDANCE, values![], read),
    }
}

fn read_candidate(row: &Row<'_>) -> Result<Candidate, StoreError> {
    let data: Map<String, Json> = row.optional_text(9)?.and_then(|data| serde_json::from_str(&data).ok()).unwrap_or_default();
    Ok(Candidate {
        id: row.text(0)?,
        username: row.text(1)?,
        status: UserStatus::from_name(&row.text(2)?).unwrap_or(UserStatus::Offline),
        is_in_service: row.boolean(3)?,
        is_bot: row.boolean(4)?,
        count: row.integer(5)?,
        order: row.integer(6)?,
        chats: row.integer(7)?,
        chats_in_department: row.integer(8)?,
        limit: limit(data.get("maxNumberSimultaneousChat")),
        last_routed_at: row.optional_integer(10)?,
    })
}
