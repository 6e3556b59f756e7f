//! Departments: who answers which kind of question.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use usher_domain::room::Room;

pub use usher_domain::department::Department;

use super::page::first_pages;
use super::statement::{Statement, containing};
use super::{statement, statements};
use crate::{Row, StoreError, Tx, Value, values};

/// A department with all that is kept of it.
macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT id, name, email, enabled, archived, show_on_registration, show_on_offline_form, fallback_id, agent_count, members,
                    created_at, updated_at
             FROM departments ",
            $from
        )
    };
}

statements! {
    BY_ID = select!("WHERE id = ?1");
    BY_NAME = select!("WHERE name = ?1 ORDER BY id LIMIT 1");
    INSERT = "INSERT INTO departments (id, name, name_key, email, enabled, archived, show_on_registration, show_on_offline_form,
                  fallback_id, agent_count, members, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    UPDATE = "UPDATE departments SET name = ?2, name_key = ?3, email = ?4, enabled = ?5, archived = ?6, show_on_registration = ?7,
                  show_on_offline_form = ?8, fallback_id = ?9, agent_count = ?10, members = ?11, updated_at = ?13
              WHERE id = ?1 AND created_at = ?12";
    DELETE = "DELETE FROM departments WHERE id = ?1";
    COUNT_AGENTS = "UPDATE departments SET updated_at = ?2,
                        agent_count = (SELECT COUNT(*) FROM department_agents WHERE department_id = departments.id)
                    WHERE id = ?1";
    ROOMS = "SELECT id, seq FROM rooms WHERE department_id = ?1 LIMIT ?2";
    LEAVE_ROOM = "UPDATE rooms SET department_id = NULL, seq = ?2, updated_at = ?3 WHERE id = ?1";
    LEAVE_FALLBACKS = "UPDATE departments SET fallback_id = NULL, updated_at = ?2 WHERE fallback_id = ?1";
}

/// The department with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Department>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The department that a room is in.
pub fn of_room(tx: &mut Tx<'_>, room: &Room) -> Result<Option<Department>, StoreError> {
    match &room.department_id {
        Some(id) => by_id(tx, id),
        None => Ok(None),
    }
}

/// The names of those of these departments that exist, by their ids.
pub fn names(tx: &mut Tx<'_>, ids: &[&str]) -> Result<HashMap<String, String>, StoreError> {
    let names = statement::by_ids(tx, "SELECT id, name FROM departments WHERE", ids, |row| Ok((row.text(0)?, row.text(1)?)))?;
    Ok(names.into_iter().collect())
}

/// The department with this id, or the first one of this name.
pub fn by_id_or_name(tx: &mut Tx<'_>, text: &str) -> Result<Option<Department>, StoreError> {
    match by_id(tx, text)? {
        Some(department) => Ok(Some(department)),
        None => tx.query_optional(BY_NAME, values![text], read),
    }
}

/// Adds a department.
pub fn insert(tx: &mut Tx<'_>, department: &Department) -> Result<(), StoreError> {
    store(tx, INSERT, department)
}

/// Stores a department that exists anew.
pub fn update(tx: &mut Tx<'_>, department: &Department) -> Result<(), StoreError> {
    store(tx, UPDATE, department)
}

fn store(tx: &mut Tx<'_>, sql: &str, department: &Department) -> Result<(), StoreError> {
    let members = Json::Object(department.members.clone()).to_string();
    tx.execute_one(
        sql,
        values![
            &department.id,
            &department.name,
            department.name.to_lowercase().as_str(),
            &department.email,
            department.enabled,
            department.archived,
            department.show_on_registration,
            department.show_on_offline_form,
            &department.fallback_id,
            department.agent_count,
            members.as_str(),
            department.created_at,
            department.updated_at,
        ],
    )
}

/// Rooms of a department with the numbers of their latest changes, at most `limit`.
pub fn rooms(tx: &mut Tx<'_>, id: &str, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(ROOMS, values![id, limit], |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// Takes a room out of its department, as change `seq`.
pub fn leave_room(tx: &mut Tx<'_>, room_id: &str, seq: i64, now: i64) -> Result<(), StoreError> {
    tx.execute_one(LEAVE_ROOM, values![room_id, seq, now])
}

/// Deletes a department and takes it off departments that fall back to it. Its agents and rooms are taken out of it by whoever calls.
pub fn delete(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(LEAVE_FALLBACKS, values![id, now])?;
    tx.execute_one(DELETE, values![id])
}

/// Counts the agents of a department, if there is such a one.
pub fn count_agents(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(COUNT_AGENTS, values![id, now]).map(|_| ())
}

/// Which departments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The name contains this, without regard to case.
    pub term: Option<String>,
    /// Whether they are in service.
    pub enabled: Option<bool>,
    /// Whether they are put away.
    pub archived: Option<bool>,
    /// They have not this id.
    pub except_id: Option<String>,
    /// They have one of these ids.
    pub ids: Option<Vec<String>>,
}

/// The order of a list of departments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// By the time they came into being.
    CreatedAt,
    /// By how many agents they have.
    AgentCount,
    /// By whether they are in service.
    Enabled,
    /// By whether visitors who register may choose them.
    ShowOnRegistration,
}

/// Which part of a list is wanted, in which order.
pub type Page = super::Page<Order>;

/// One page of the departments that are wanted.
pub fn list(tx: &mut Tx<'_>, wanted: &Wanted, page: &Page) -> Result<Vec<Department>, StoreError> {
    let pattern = wanted.term.as_deref().map(containing);
    let statement = listing(wanted, pattern.as_deref(), Some(page));
    tx.query(statement.sql(), statement.values(), read)
}

/// How many departments are wanted.
pub fn count(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<i64, StoreError> {
    let pattern = wanted.term.as_deref().map(containing);
    let statement = listing(wanted, pattern.as_deref(), None);
    tx.query_one(statement.sql(), statement.values(), |row| row.integer(0))
}

/// The page of a list, or without one its length.
fn listing<'a>(wanted: &'a Wanted, pattern: Option<&'a str>, page: Option<&Page>) -> Statement<'a> {
    const LISTED: &str = select!("WHERE TRUE");
    let mut statement = Statement::new(if page.is_some() { LISTED } else { "SELECT COUNT(*) FROM departments WHERE TRUE" });
    if let Some(pattern) = pattern {
        statement.add(r"AND name_key LIKE ? ESCAPE '\'", &[pattern.into()]);
    }
    if let Some(enabled) = wanted.enabled {
        statement.add("AND enabled = ?", &[enabled.into()]);
    }
    if let Some(archived) = wanted.archived {
        statement.add("AND archived = ?", &[archived.into()]);
    }
    if let Some(id) = &wanted.except_id {
        statement.add("AND id <> ?", &[id.into()]);
    }
    if let Some(ids) = &wanted.ids {
        statement.add_list("AND id IN (?)", ids.iter().map(Value::from));
    }
    if let Some(page) = page {
        statement.add_page(order(page), page);
    }
    statement
}

fn order(page: &Page) -> &'static str {
    match (page.order, page.descending) {
        (Order::Name, false) => "ORDER BY name, id",
        (Order::Name, true) => "ORDER BY name DESC, id DESC",
        (Order::CreatedAt, false) => "ORDER BY created_at, id",
        (Order::CreatedAt, true) => "ORDER BY created_at DESC, id DESC",
        (Order::AgentCount, false) => "ORDER BY agent_count, id",
        (Order::AgentCount, true) => "ORDER BY agent_count DESC, id DESC",
        (Order::Enabled, false) => "ORDER BY enabled, id",
        (Order::Enabled, true) => "ORDER BY enabled DESC, id DESC",
        (Order::ShowOnRegistration, false) => "ORDER BY show_on_registration, id",
        (Order::ShowOnRegistration, true) => "ORDER BY show_on_registration DESC, id DESC",
    }
}

/// The statements of lists, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    let orders = [Order::Name, Order::CreatedAt, Order::AgentCount, Order::Enabled, Order::ShowOnRegistration];
    first_pages(orders).map(|page| listing(&Wanted::default(), None, Some(&page)).sql().to_owned()).collect()
}

fn read(row: &Row<'_>) -> Result<Department, StoreError> {
    Ok(Department {
        id: row.text(0)?,
        name: row.text(1)?,
        email: row.text(2)?,
        enabled: row.boolean(3)?,
        archived: row.boolean(4)?,
        show_on_registration: row.boolean(5)?,
        show_on_offline_form: row.boolean(6)?,
        fallback_id: row.optional_text(7)?,
        agent_count: row.integer(8)?,
        members: members(&row.text(9)?),
        created_at: row.integer(10)?,
        updated_at: row.integer(11)?,
    })
}

fn members(text: &str) -> Map<String, Json> {
    serde_json::from_str(text).unwrap_or_default()
}
