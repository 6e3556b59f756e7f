//! A statement put together from fixed pieces, for lists that are filtered and sorted in many ways.
//!
//! The pieces are constants of this crate; whatever comes from outside is a value.

use super::Page;
use crate::{Row, StoreError, Tx, Value};

/// How many records one statement reads by their ids: a length to which lists are padded, far below what engines take.
const IDS_AT_ONCE: usize = 256;

/// Reads the records with these ids in no order. `select` is a statement that ends where a condition may follow.
pub(crate) fn by_ids<T>(
    tx: &mut Tx<'_>,
    select: &'static str,
    ids: &[&str],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut records = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_AT_ONCE) {
        let mut statement = Statement::new(select);
        statement.add_list("id IN (?)", ids.iter().map(|id| Value::Text(id)));
        records.extend(tx.query(statement.sql(), statement.values(), &read)?);
    }
    Ok(records)
}

/// A statement on its way.
pub(crate) struct Statement<'a> {
    sql: String,
    values: Vec<Value<'a>>,
}

impl<'a> Statement<'a> {
    /// Begins with `piece`.
    pub(crate) fn new(piece: &'static str) -> Statement<'a> {
        Statement { sql: piece.to_owned(), values: Vec::new() }
    }

    /// Adds `piece`, in which each `?` stands for the next of `values`.
    pub(crate) fn add(&mut self, piece: &'static str, values: &[Value<'a>]) {
        let mut values = values.iter();
        self.sql.push(' ');
        for character in piece.chars() {
            self.sql.push(character);
            if character == '?' {
                self.values.extend(values.next());
                self.sql.push_str(&self.values.len().to_string());
            }
        }
    }

    /// Adds `piece`, in which the only `?` stands for a list of all of `values`. An empty list holds nothing.
    ///
    /// The last value is repeated until the list has one of a few lengths, so that engines see few different statements.
    pub(crate) fn add_list(&mut self, piece: &'static str, values: impl IntoIterator<Item = Value<'a>>) {
        let (before, after) = piece.split_once('?').unwrap_or((piece, ""));
        let mut list: Vec<Value<'a>> = values.into_iter().collect();
        list.resize(padded(list.len()), list.last().copied().unwrap_or(Value::Null));
        let places: Vec<String> =
            (self.values.len() + 1..=self.values.len() + list.len()).map(|place| format!("?{place}")).collect();
        self.sql.push_str(&format!(" {before}{}{after}", places.join(", ")));
        self.values.append(&mut list);
    }

    /// Adds rows of `width` values each, with a comma between two rows.
    pub(crate) fn add_rows(&mut self, width: usize, values: impl IntoIterator<Item = Value<'a>>) {
        let mut column = 0;
        for value in values {
            self.sql.push_str(match column {
                0 if self.sql.ends_with(')') => ", (",
                0 => " (",
                _ => ", ",
            });
            self.values.push(value);
            self.sql.push('?');
            self.sql.push_str(&self.values.len().to_string());
            column = (column + 1) % width;
            if column == 0 {
                self.sql.push(')');
            }
        }
    }

    /// Adds the order of a list, as `order` says it, and which part of the list is wanted.
    pub(crate) fn add_page<Order>(&mut self, order: &'static str, page: &Page<Order>) {
        self.add(order, &[]);
        self.add("LIMIT ? OFFSET ?", &[Value::Integer(page.limit()), Value::Integer(page.offset)]);
    }

    /// The text.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The values, in the order of their places.
    pub(crate) fn values(&self) -> &[Value<'a>] {
        &self.values
    }
}

/// The length of a list with `count` values in it: 1, 4, 16, 64 and so on.
fn padded(count: usize) -> usize {
    let mut length = 1;
    while length < count {
        length *= 4;
    }
    length
}

/// A pattern for `LIKE .. ESCAPE '\'` that finds `term` anywhere, in lower case.
pub(crate) fn containing(term: &str) -> String {
    format!("%{}%", escaped(&term.to_lowercase()))
}

/// The same with only ASCII letters in lower case, for text that the engine puts into lower case itself.
pub(crate) fn containing_ascii(term: &str) -> String {
    format!("%{}%", escaped(&term.to_ascii_lowercase()))
}

/// A pattern that finds what begins with `term`, in lower case.
pub(crate) fn beginning_with(term: &str) -> String {
    format!("{}%", escaped(&term.to_lowercase()))
}

fn escaped(term: &str) -> String {
    let mut pattern = String::new();
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_as_they_come() {
        let mut statement = Statement::new("SELECT id FROM users WHERE TRUE");
        statement.add("AND active = ?", &[Value::Boolean(true)]);
        statement.add_list("AND role IN (?)", ["a", "b"].map(Value::Text));
        statement.add_list("AND kind IN (?)", []);
        statement.add("LIMIT ? OFFSET ?", &[Value::Integer(2), Value::Integer(1)]);
        assert_eq!(
            statement.sql(),
            "SELECT id FROM users WHERE TRUE AND active = ?1 AND role IN (?2, ?3, ?4, ?5) AND kind IN (?6) LIMIT ?7 OFFSET ?8"
        );
        let expected = [
            Value::Boolean(true),
            Value::Text("a"),
            Value::Text("b"),
            Value::Text("b"),
            Value::Text("b"),
            Value::Null,
            Value::Integer(2),
            Value::Integer(1),
        ];
        assert_eq!(statement.values(), expected);
    }

    #[test]
    fn rows_have_their_values() {
        let mut statement = Statement::new("INSERT INTO pairs VALUES");
        statement.add_rows(2, [1, 2, 3, 4].map(Value::Integer));
        assert_eq!(statement.sql(), "INSERT INTO pairs VALUES (?1, ?2), (?3, ?4)");
    }

    #[test]
    fn what_means_something_in_a_pattern_is_escaped() {
        assert_eq!(containing("50%_\\Ä"), "%50\\%\\_\\\\ä%");
        assert_eq!(containing_ascii("A%Ä"), "%a\\%Ä%");
        assert_eq!(beginning_with("A_"), "a\\_%");
    }
}
