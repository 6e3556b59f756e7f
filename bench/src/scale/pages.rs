//! The pages of lists without their totals: the statements of the store itself, on the files of both stores.
//!
//! A total counts all that is listed, so it grows with it. A page must not, unless a term is searched: then it looks until it has found
//! enough.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use usher_store::{SQLITE_FILE, q};

use super::world::World;
use crate::figures::median;
use crate::window::now;

/// How often each page is read.
const READS: usize = 11;

/// The settings that matter for a read, as the store has them.
const PRAGMAS: &str =
    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA case_sensitive_like = ON; PRAGMA query_only = ON;";

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// A page, and how long it took in the smaller and in the larger store.
pub struct Page {
    /// What it is a page of.
    pub list: &'static str,
    /// Its condition.
    pub condition: String,
    /// Its order.
    pub order: String,
    /// The time in the smaller store.
    pub smaller: Duration,
    /// The time in the larger store.
    pub larger: Duration,
}

impl Page {
    /// How many times longer it takes in the larger.
    pub fn ratio(&self) -> f64 {
        self.larger.as_secs_f64() / self.smaller.as_secs_f64()
    }
}

/// One of the two files.
struct File<'w> {
    connection: Connection,
    world: &'w World,
}

/// Reads a page of every kind from both files, in turns.
pub fn measure(folders: [&Path; 2], worlds: [&World; 2]) -> Result<Vec<Page>> {
    let files = [File::open(folders[0], worlds[0])?, File::open(folders[1], worlds[1])?];
    let lists = [
        ("rooms", q::room_lists::lists()),
        ("queue", q::queue::lists()),
        ("visitors", q::visitor_lists::lists()),
        ("users", q::users::lists()),
        ("departments", q::departments::lists()),
        ("custom fields", q::custom_fields::lists()),
    ];
    let mut pages = Vec::new();
    for (list, statements) in lists {
        for sql in statements.iter().filter(|sql| sql.contains("LIMIT") && !sql.contains("LIKE")) {
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..READS {
                for (file, times) in files.iter().zip(&mut times) {
                    times.push(file.read(sql)?);
                }
            }
            let [smaller, larger] = times.map(|times| median(times).context("it was read"));
            let (condition, order) = shown(sql);
            pages.push(Page { list, condition, order, smaller: smaller?, larger: larger? });
        }
    }
    Ok(pages)
}

/// What tells a statement from others: what follows its `WHERE`, and its order.
fn shown(sql: &str) -> (String, String) {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let text = words.join(" ");
    let (before, order) = text.rsplit_once(" ORDER BY ").unwrap_or((&text, ""));
    let inner = before.split_once("WHERE id IN (SELECT id FROM rooms WHERE ").map(|(_, rest)| rest);
    let outer = || before.rsplit_once(" WHERE ").map(|(_, rest)| rest);
    let condition = inner.or_else(outer).unwrap_or(before);
    let end = |text: &str, word: &str| text.split(word).next().unwrap_or_default().trim().to_owned();
    (end(condition, " ORDER BY "), end(order, " LIMIT "))
}

impl File<'_> {
    fn open<'w>(folder: &Path, world: &'w World) -> Result<File<'w>> {
        let connection = Connection::open(folder.join(SQLITE_FILE)).context("the store's file cannot be opened")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(PRAGMAS)?;
        Ok(File { connection, world })
    }

    fn read(&self, sql: &str) -> Result<Duration> {
        let mut statement = self.connection.prepare_cached(sql).with_context(|| sql.to_owned())?;
        for (place, before) in (1..).zip(places(sql)) {
            let value = self.value(before).with_context(|| format!("nobody knows what stands after `{before}` in {sql}"))?;
            statement.raw_bind_parameter(place, value)?;
        }
        let begun = now();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            std::hint::black_box(row.get_ref(0)?);
        }
        Ok(begun.elapsed())
    }

    /// A usual value for the place of a statement that follows `before`.
    fn value(&self, before: &str) -> Option<Value> {
        let stage = &self.world.stage;
        let (visitor, middle) = (self.world.visitors() / 2, self.world.begun + 180 * DAY);
        let text = |text: &str| Value::Text(text.to_owned());
        let known = [
            ("name_key >= ?1 AND name_key LIKE ", text("ma%")),
            ("NOT IN (", text("nobody")),
            ("LIMIT ", Value::Integer(50)),
            ("OFFSET ", Value::Integer(0)),
            (" agent_id IN (", text(&stage.agents[7].id)),
            ("default_agent_id = ", text(&stage.agents[7].id)),
            ("department_id IN (", text(&stage.departments[7])),
            ("department_id = ", text(&stage.departments[7])),
            ("name_key = ", text(&World::name(visitor).to_lowercase())),
            (" name = ", text(&World::name(visitor))),
            ("search_key LIKE ", text("%jones%")),
            ("username_key LIKE ", text("%agent%")),
            ("name_key LIKE ", text("%jones%")),
            ("name_key >= ", text("ma")),
            ("opened_at >= ", Value::Integer(middle)),
            ("opened_at <= ", Value::Integer(middle + 30 * DAY)),
            ("opened_at + 0 >= ", Value::Integer(middle)),
            ("opened_at + 0 <= ", Value::Integer(middle + 30 * DAY)),
            ("closed_at, 0) >= ", Value::Integer(middle)),
            ("closed_at, 0) <= ", Value::Integer(middle + 30 * DAY)),
            ("closed_at + 0 >= ", Value::Integer(middle)),
            ("closed_at + 0 <= ", Value::Integer(middle + 30 * DAY)),
            ("tag IN (", text("order")),
            ("WHERE field = ", text(super::stage::PRODUCT)),
            ("lower(value) LIKE ", text("%widget 1%")),
            ("email = ", text("visitor-7@example.com")),
            ("phone = ", text("+49 30 00000007")),
            ("visitor_id = ", text(&self.world.visitor_ids[visitor])),
            ("source_type LIKE ", text("%api%")),
            ("replace(messages.text, ", text("larger")),
            ("role IN (", text("livechat-agent")),
            ("id IN (", text(&self.world.visitor_ids[visitor])),
        ];
        known.into_iter().find(|(end, _)| before.ends_with(end)).map(|(_, value)| value)
    }
}

/// What stands before each of a statement's places, the first first. A place that comes twice is a list's.
fn places(sql: &str) -> impl Iterator<Item = &str> {
    (1..).map_while(move |place: usize| {
        let name = format!("?{place}");
        let is_whole = |at: &usize| !sql[at + name.len()..].starts_with(|next: char| next.is_ascii_digit());
        let found = sql.match_indices(&name).map(|(at, _)| at).find(is_whole);
        found.map(|at| &sql[..at])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found() {
        let sql = "SELECT id FROM t WHERE a = ?1 AND b IN (?2, ?3) LIMIT ?10 OFFSET ?4";
        let found: Vec<&str> = places(sql).collect();
        assert_eq!(found.len(), 4);
        assert!(found[0].ends_with("a = ") && found[1].ends_with("b IN (") && found[3].ends_with("OFFSET "), "{found:?}");
    }

    #[test]
    fn a_page_is_shown_by_its_condition_and_order() {
        let of = |condition: &str, order: &str| (condition.to_owned(), order.to_owned());
        assert_eq!(shown("SELECT a,\n (SELECT b FROM c)\n FROM d  WHERE TRUE ORDER BY a DESC LIMIT ?1"), of("TRUE", "a DESC"));
        let nested = "SELECT a FROM rooms WHERE id IN (SELECT id FROM rooms WHERE x ORDER BY y, z LIMIT ?1) ORDER BY y, z";
        assert_eq!(shown(nested), of("x", "y, z"));
    }
}
