//! Custom fields: which there are. Their values are in [`super::fields`].

use serde_json::Value as Json;

pub use usher_domain::custom_field::{CustomField, Scope};

use super::page::first_pages;
use super::statement::{Statement, containing};
use super::statements;
use crate::{Row, StoreError, Tx, values};

/// A field with all that is kept of it.
macro_rules! select {
    ($condition:literal) => {
        concat!("SELECT id, label, scope, visibility, members, updated_at FROM custom_fields WHERE ", $condition)
    };
}

statements! {
    BY_ID = select!("id = ?1");
    OF_SCOPE = select!("scope = ?1 ORDER BY label, id");
    INSERT = "INSERT INTO custom_fields (id, label, label_key, scope, visibility, members, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    UPDATE = "UPDATE custom_fields SET label = ?2, label_key = ?3, scope = ?4, visibility = ?5, members = ?6, updated_at = ?7
              WHERE id = ?1";
    DELETE = "DELETE FROM custom_fields WHERE id = ?1";
}

/// The field with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<CustomField>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The fields of visitors or of rooms, by label.
pub fn of_scope(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<CustomField>, StoreError> {
    tx.query(OF_SCOPE, values![scope.name()], read)
}

/// Adds a field.
pub fn insert(tx: &mut Tx<'_>, field: &CustomField) -> Result<(), StoreError> {
    store(tx, INSERT, field)
}

/// Stores a field that exists anew.
pub fn update(tx: &mut Tx<'_>, field: &CustomField) -> Result<(), StoreError> {
    store(tx, UPDATE, field)
}

fn store(tx: &mut Tx<'_>, sql: &str, field: &CustomField) -> Result<(), StoreError> {
    let members = Json::Object(field.members.clone()).to_string();
    tx.execute_one(
        sql,
        values![
            &field.id,
            &field.label,
            field.label.to_lowercase().as_str(),
            field.scope.name(),
            &field.visibility,
            members.as_str(),
            field.updated_at,
        ],
    )
}

/// Deletes a field. Its values stay.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute_one(DELETE, values![id])
}

/// The order of a list of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By label.
    #[default]
    Label,
    /// By id.
    Id,
    /// By what they belong to.
    Scope,
    /// By who sees them.
    Visibility,
}

/// Which part of the list is wanted, in which order.
pub type Page = super::Page<Order>;

/// One page of the fields whose label or id contains `term`, without regard to case.
pub fn list(tx: &mut Tx<'_>, term: Option<&str>, page: &Page) -> Result<Vec<CustomField>, StoreError> {
    let pattern = term.map(containing);
    let statement = listing(pattern.as_deref(), Some(page));
    tx.query(statement.sql(), statement.values(), read)
}

/// How many fields there are whose label or id contains `term`.
pub fn count(tx: &mut Tx<'_>, term: Option<&str>) -> Result<i64, StoreError> {
    let pattern = term.map(containing);
    let statement = listing(pattern.as_deref(), None);
    tx.query_one(statement.sql(), statement.values(), |row| row.integer(0))
}

/// The page of the list, or without one its length.
fn listing<'a>(pattern: Option<&'a str>, page: Option<&Page>) -> Statement<'a> {
    const LISTED: &str = select!("TRUE");
    let mut statement = Statement::new(if page.is_some() { LISTED } else { "SELECT COUNT(*) FROM custom_fields WHERE TRUE" });
    if let Some(pattern) = pattern {
        // Ids are ASCII, in which the engines agree on what lower case is.
        const TERM: &str = r"AND (label_key LIKE ? ESCAPE '\' OR lower(id) LIKE ? ESCAPE '\')";
        statement.add(TERM, &[pattern.into(), pattern.into()]);
    }
    if let Some(page) = page {
        statement.add_page(order(page), page);
    }
    statement
}

fn order(page: &Page) -> &'static str {
    match (page.order, page.descending) {
        (Order::Label, false) => "ORDER BY label, id",
        (Order::Label, true) => "ORDER BY label DESC, id DESC",
        (Order::Id, false) => "ORDER BY id",
        (Order::Id, true) => "ORDER BY id DESC",
        (Order::Scope, false) => "ORDER BY scope, label, id",
        (Order::Scope, true) => "ORDER BY scope DESC, label DESC, id DESC",
        (Order::Visibility, false) => "ORDER BY visibility, label, id",
        (Order::Visibility, true) => "ORDER BY visibility DESC, label DESC, id DESC",
    }
}

/// The statements of the list, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    let orders = [Order::Label, Order::Id, Order::Scope, Order::Visibility];
    first_pages(orders).map(|page| listing(None, Some(&page)).sql().to_owned()).collect()
}

fn read(row: &Row<'_>) -> Result<CustomField, StoreError> {
    Ok(CustomField {
        id: row.text(0)?,
        label: row.text(1)?,
        scope: Scope::from_name(&row.text(2)?).ok_or(StoreError::Column(2))?,
        visibility: row.text(3)?,
        members: serde_json::from_str(&row.text(4)?).map_err(|_| StoreError::Column(4))?,
        updated_at: row.integer(5)?,
    })
}
