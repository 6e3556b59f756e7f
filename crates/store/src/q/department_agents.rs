//! The places of agents in departments.

pub use usher_domain::department::DepartmentAgent;
use usher_domain::{Event, PlaceEvent, PlaceEventKind};

use super::statement::Statement;
use super::statements;
use crate::{Row, StoreError, Tx, Value, values};

/// A place with all that is kept of it, and the agent's user name.
macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT place.id, place.department_id, place.agent_id, users.username, place.enabled, place.routed_count, place.position,
                    place.updated_at
             FROM department_agents AS place JOIN users ON users.id = place.agent_id WHERE ",
            $where
        )
    };
}

statements! {
    ONE = select!("place.department_id = ?1 AND place.agent_id = ?2");
    OF_DEPARTMENT = select!("place.department_id = ?1 ORDER BY users.username");
    OF_AGENT = select!("place.agent_id = ?1 ORDER BY place.department_id");
    PAGE_BY_USERNAME = select!("place.department_id = ?1 ORDER BY users.username LIMIT ?2 OFFSET ?3");
    PAGE_BY_USERNAME_FROM_END = select!("place.department_id = ?1 ORDER BY users.username DESC LIMIT ?2 OFFSET ?3");
    PAGE_BY_COUNT = select!("place.department_id = ?1 ORDER BY place.routed_count, users.username LIMIT ?2 OFFSET ?3");
    PAGE_BY_COUNT_FROM_END =
        select!("place.department_id = ?1 ORDER BY place.routed_count DESC, users.username DESC LIMIT ?2 OFFSET ?3");
    PAGE_BY_ORDER = select!("place.department_id = ?1 ORDER BY place.position, users.username LIMIT ?2 OFFSET ?3");
    PAGE_BY_ORDER_FROM_END =
        select!("place.department_id = ?1 ORDER BY place.position DESC, users.username DESC LIMIT ?2 OFFSET ?3");
    COUNT = "SELECT COUNT(*) FROM department_agents WHERE department_id = ?1";
    ENABLED_OF_AGENT = "SELECT department_id FROM department_agents WHERE agent_id = ?1 AND enabled ORDER BY department_id";
    UPSERT = "INSERT INTO department_agents (id, department_id, agent_id, enabled, routed_count, position, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
              ON CONFLICT (department_id, agent_id) DO UPDATE SET enabled = excluded.enabled, routed_count = excluded.routed_count,
                  position = excluded.position, updated_at = excluded.updated_at
              RETURNING id, department_id, agent_id";
    REMOVE = "DELETE FROM department_agents WHERE department_id = ?1 AND agent_id = ?2 RETURNING id, department_id, agent_id";
    REMOVE_OF_DEPARTMENT = "DELETE FROM department_agents WHERE department_id = ?1 RETURNING id, department_id, agent_id";
    REMOVE_OF_AGENT = "DELETE FROM department_agents WHERE agent_id = ?1 RETURNING id, department_id, agent_id";
    SET_ENABLED = "UPDATE department_agents SET enabled = ?2, updated_at = ?3 WHERE department_id = ?1
                   RETURNING id, department_id, agent_id";
}

/// The order of the agents of a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By user name.
    Username,
    /// By how many chats they got.
    Count,
    /// By who comes first.
    Order,
}

/// Which part of the agents of a department is wanted, in which order.
pub type Page = super::Page<Order>;

/// The place of an agent in a department.
pub fn one(tx: &mut Tx<'_>, department_id: &str, agent_id: &str) -> Result<Option<DepartmentAgent>, StoreError> {
    tx.query_optional(ONE, values![department_id, agent_id], read)
}

/// The agents of a department, by user name.
pub fn of_department(tx: &mut Tx<'_>, department_id: &str) -> Result<Vec<DepartmentAgent>, StoreError> {
    tx.query(OF_DEPARTMENT, values![department_id], read)
}

/// One page of the agents of a department.
pub fn page(tx: &mut Tx<'_>, department_id: &str, page: &Page) -> Result<Vec<DepartmentAgent>, StoreError> {
    let sql = match (page.order, page.descending) {
        (Order::Username, false) => PAGE_BY_USERNAME,
        (Order::Username, true) => PAGE_BY_USERNAME_FROM_END,
        (Order::Count, false) => PAGE_BY_COUNT,
        (Order::Count, true) => PAGE_BY_COUNT_FROM_END,
        (Order::Order, false) => PAGE_BY_ORDER,
        (Order::Order, true) => PAGE_BY_ORDER_FROM_END,
    };
    tx.query(sql, values![department_id, page.limit(), page.offset], read)
}

/// How many agents a department has.
pub fn count(tx: &mut Tx<'_>, department_id: &str) -> Result<i64, StoreError> {
    tx.query_one(COUNT, values![department_id], |row| row.integer(0))
}

/// The places of an agent.
pub fn of_agent(tx: &mut Tx<'_>, agent_id: &str) -> Result<Vec<DepartmentAgent>, StoreError> {
    tx.query(OF_AGENT, values![agent_id], read)
}

/// The departments in service that an agent is in, by id.
pub fn enabled_of_agent(tx: &mut Tx<'_>, agent_id: &str) -> Result<Vec<String>, StoreError> {
    tx.query(ENABLED_OF_AGENT, values![agent_id], |row| row.text(0))
}

/// The departments that these agents are in: pairs of agent and department.
pub fn of_agents(tx: &mut Tx<'_>, agent_ids: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    let statement = departments_of(agent_ids);
    tx.query(statement.sql(), statement.values(), |row| Ok((row.text(0)?, row.text(1)?)))
}

fn departments_of(agent_ids: &[String]) -> Statement<'_> {
    let mut statement = Statement::new("SELECT agent_id, department_id FROM department_agents");
    statement.add_list("WHERE agent_id IN (?)", agent_ids.iter().map(Value::from));
    statement.add("ORDER BY agent_id, department_id", &[]);
    statement
}

/// The statement that is put together: for tests of how it runs.
pub fn lists() -> Vec<String> {
    vec![departments_of(&[String::new()]).sql().to_owned()]
}

/// Puts an agent into a department, or changes the place it has there; a place that is there keeps its id.
pub fn upsert(tx: &mut Tx<'_>, place: &DepartmentAgent) -> Result<(), StoreError> {
    let values = values![
        &place.id,
        &place.department_id,
        &place.agent_id,
        place.department_enabled,
        place.count,
        place.order,
        place.updated_at,
    ];
    let stored = tx.query_one(UPSERT, values, |row| row.text(0))?;
    let kind = if stored == place.id { PlaceEventKind::Inserted } else { PlaceEventKind::Updated };
    let (department_id, agent_id) = (place.department_id.clone(), place.agent_id.clone());
    tx.emit(Event::Place(PlaceEvent { id: stored, department_id, agent_id, kind }));
    Ok(())
}

/// Runs a statement that changes places. Gives how many, and announces each.
fn change(tx: &mut Tx<'_>, sql: &str, values: &[Value<'_>], kind: PlaceEventKind) -> Result<usize, StoreError> {
    let read = |row: &Row<'_>| Ok(PlaceEvent { id: row.text(0)?, department_id: row.text(1)?, agent_id: row.text(2)?, kind });
    let changed = tx.query(sql, values, read)?;
    let count = changed.len();
    changed.into_iter().for_each(|place| tx.emit(Event::Place(place)));
    Ok(count)
}

/// Takes an agent out of a department. Gives whether it was in it.
pub fn remove(tx: &mut Tx<'_>, department_id: &str, agent_id: &str) -> Result<bool, StoreError> {
    Ok(change(tx, REMOVE, values![department_id, agent_id], PlaceEventKind::Removed)? > 0)
}

/// Takes all agents out of a department.
pub fn remove_of_department(tx: &mut Tx<'_>, department_id: &str) -> Result<(), StoreError> {
    change(tx, REMOVE_OF_DEPARTMENT, values![department_id], PlaceEventKind::Removed).map(|_| ())
}

/// Takes an agent out of all departments.
pub fn remove_of_agent(tx: &mut Tx<'_>, agent_id: &str) -> Result<(), StoreError> {
    change(tx, REMOVE_OF_AGENT, values![agent_id], PlaceEventKind::Removed).map(|_| ())
}

/// Notes at the places of a department whether it is in service.
pub fn set_enabled(tx: &mut Tx<'_>, department_id: &str, enabled: bool, now: i64) -> Result<(), StoreError> {
    change(tx, SET_ENABLED, values![department_id, enabled, now], PlaceEventKind::Updated).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<DepartmentAgent, StoreError> {
    Ok(DepartmentAgent {
        id: row.text(0)?,
        department_id: row.text(1)?,
        agent_id: row.text(2)?,
        username: row.text(3)?,
        department_enabled: row.boolean(4)?,
        count: row.integer(5)?,
        order: row.integer(6)?,
        updated_at: row.integer(7)?,
    })
}
