//! Rules after how long visitors are erased who have not come back, and whom they concern.

use super::statement::Statement;
use super::statements;
use crate::{Columns, Row, StoreError, Tx, values};

statements! {
    ALL = "SELECT id, department_id, days, is_dry_run, created_at, followed_at, followed_count FROM retention_rules ORDER BY created_at, id";
    ADD = "INSERT INTO retention_rules (id, department_id, days, is_dry_run, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    REMOVE = "DELETE FROM retention_rules WHERE id = ?1";
    NOTE_FOLLOWED = "UPDATE retention_rules SET followed_at = ?2, followed_count = ?3 WHERE id = ?1";
    HAS_LATER = "SELECT 1 FROM rooms WHERE visitor_id = ?1 AND (is_open OR closed_at >= ?2) LIMIT 1";
}

/// A rule: who has not chatted for so many days, and last in this department, is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// Its id.
    pub id: String,
    /// The department of the last chat; `None` for any and for none.
    pub department_id: Option<String>,
    /// After how many days.
    pub days: i64,
    /// Whether it only counts.
    pub is_dry_run: bool,
    /// When it was made (milliseconds UTC).
    pub created_at: i64,
    /// When it was followed last, and how many visitors that concerned.
    pub followed: Option<(i64, i64)>,
}

/// A chat that was closed long ago, of a visitor who has none that was closed later or is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldChat {
    /// Its id.
    pub room_id: String,
    /// When it was closed (milliseconds UTC).
    pub closed_at: i64,
    /// Whose it is.
    pub visitor_id: String,
}

/// All rules, the oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<RetentionRule>, StoreError> {
    tx.query(ALL, values![], |row| {
        let mut columns = Columns::from(row, 0);
        Ok(RetentionRule {
            id: columns.text()?,
            department_id: columns.optional_text()?,
            days: columns.integer()?,
            is_dry_run: columns.boolean()?,
            created_at: columns.integer()?,
            followed: columns.optional_integer()?.zip(columns.optional_integer()?),
        })
    })
}

/// Adds a rule.
pub fn add(tx: &mut Tx<'_>, rule: &RetentionRule) -> Result<(), StoreError> {
    tx.execute_one(ADD, values![&rule.id, &rule.department_id, rule.days, rule.is_dry_run, rule.created_at])
}

/// Removes a rule. Gives whether there was one.
pub fn remove(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE, values![id])? == 1)
}

/// Notes when a rule was followed, and how many visitors that concerned. One that was removed meanwhile has nothing to note.
pub fn note_followed(tx: &mut Tx<'_>, id: &str, at: i64, count: i64) -> Result<(), StoreError> {
    tx.execute(NOTE_FOLLOWED, values![id, at, count]).map(|_| ())
}

/// Whether a visitor has a chat that is open or was closed at this time or later.
pub fn has_later(tx: &mut Tx<'_>, visitor_id: &str, time: i64) -> Result<bool, StoreError> {
    Ok(tx.query_optional(HAS_LATER, values![visitor_id, time], |_| Ok(()))?.is_some())
}

/// Chats of this department, or of all, that are the last of their visitors and were closed before `before`: those after the one given, in
/// the order in which they were closed. Contacts with a legal hold at `now` are left out.
pub fn old_chats(
    tx: &mut Tx<'_>,
    department_id: Option<&str>,
    before: i64,
    now: i64,
    after: (i64, &str),
    limit: i64,
) -> Result<Vec<OldChat>, StoreError> {
    let statement = listing(department_id, before, now, after, limit);
    tx.query(statement.sql(), statement.values(), |row: &Row<'_>| {
        Ok(OldChat { room_id: row.text(0)?, closed_at: row.integer(1)?, visitor_id: row.text(2)? })
    })
}

fn listing<'a>(department_id: Option<&'a str>, before: i64, now: i64, after: (i64, &'a str), limit: i64) -> Statement<'a> {
    let mut statement = Statement::new("SELECT rooms.id, rooms.closed_at, rooms.visitor_id FROM rooms WHERE");
    statement.add("rooms.closed_at IS NOT NULL AND rooms.closed_at < ? AND rooms.closed_at >= ?", &[before.into(), after.0.into()]);
    statement.add("AND (rooms.closed_at > ? OR rooms.id > ?) AND NOT rooms.erasing", &[after.0.into(), after.1.into()]);
    if let Some(department_id) = department_id {
        statement.add("AND rooms.department_id = ?", &[department_id.into()]);
    }
    const LAST: &str = "AND NOT EXISTS (SELECT 1 FROM rooms AS later WHERE later.visitor_id = rooms.visitor_id
        AND (later.is_open OR later.closed_at > rooms.closed_at OR later.closed_at = rooms.closed_at AND later.id > rooms.id))";
    statement.add(LAST, &[]);
    let held = "AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.contact_id = rooms.contact_id AND holds.ends_at > ?)";
    statement.add(held, &[now.into()]);
    statement.add("ORDER BY rooms.closed_at, rooms.id LIMIT ?", &[limit.into()]);
    statement
}

/// The statements, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    [None, Some("department")].map(|department| listing(department, 1, 1, (0, ""), 50).sql().to_owned()).into()
}
