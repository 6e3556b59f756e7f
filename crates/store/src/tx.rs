//! One transaction, the same on both engines: statements with typed values in, typed rows out.
//!
//! Statements are written with SQLite's numbered places (`?1`); PostgreSQL gets them as `$1`. A statement that fails poisons the
//! transaction: every further one fails with the same error and nothing of it is kept, so no closure can catch a failure and go on.

use rusqlite::types::ValueRef;

use usher_domain::Event;

use crate::error::StoreError;
use crate::{postgres, sqlite};

/// A value handed to a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A whole number: counts and milliseconds.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// A truth value.
    Boolean(bool),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Integer(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(value)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(value: &'a Option<String>) -> Self {
        value.as_deref().into()
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Value::Null, Value::Text)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Value::Null, Value::Integer)
    }
}

/// Makes the list of values for a statement.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*]
    };
}

/// A value that is read without knowing its type. SQLite keeps truth values as the numbers 0 and 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anything {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
    /// A text.
    Text(String),
}

impl From<&Anything> for serde_json::Value {
    fn from(value: &Anything) -> Self {
        match value {
            Anything::Null => serde_json::Value::Null,
            Anything::Integer(value) => (*value).into(),
            Anything::Boolean(value) => (*value).into(),
            Anything::Text(text) => text.as_str().into(),
        }
    }
}

impl<'a> From<&'a Anything> for Value<'a> {
    fn from(value: &'a Anything) -> Self {
        match value {
            Anything::Null => Value::Null,
            Anything::Integer(value) => Value::Integer(*value),
            Anything::Boolean(value) => Value::Boolean(*value),
            Anything::Text(value) => Value::Text(value),
        }
    }
}

/// One row of an answer. Columns are counted from 0.
pub enum Row<'r> {
    /// A row of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// A row of PostgreSQL.
    Postgres(&'r ::postgres::Row),
}

impl Row<'_> {
    /// The whole number in `column`.
    pub fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.optional_integer(column)?.ok_or(StoreError::Column(column))
    }

    /// The whole number in `column`, or `None` for NULL.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.read(column)
    }

    /// The text in `column`.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or(StoreError::Column(column))
    }

    /// The text in `column`, or `None` for NULL.
    pub fn optional_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.read(column)
    }

    /// The truth value in `column`.
    pub fn boolean(&self, column: usize) -> Result<bool, StoreError> {
        self.optional_boolean(column)?.ok_or(StoreError::Column(column))
    }

    /// The truth value in `column`, or `None` for NULL.
    pub fn optional_boolean(&self, column: usize) -> Result<Option<bool>, StoreError> {
        self.read(column)
    }

    /// What is in `column`, whatever it is.
    pub fn anything(&self, column: usize) -> Result<Anything, StoreError> {
        let wrong = || StoreError::Column(column);
        match self {
            Row::Sqlite(row) => match row.get_ref(column).map_err(|_| wrong())? {
                ValueRef::Null => Ok(Anything::Null),
                ValueRef::Integer(value) => Ok(Anything::Integer(value)),
                ValueRef::Text(value) => String::from_utf8(value.to_vec()).map(Anything::Text).map_err(|_| wrong()),
                ValueRef::Real(_) | ValueRef::Blob(_) => Err(wrong()),
            },
            Row::Postgres(row) => match row.columns().get(column).map(|column| column.type_().name()) {
                Some("bool") => Ok(self.optional_boolean(column)?.map_or(Anything::Null, Anything::Boolean)),
                Some("int8") => Ok(self.optional_integer(column)?.map_or(Anything::Null, Anything::Integer)),
                _ => Ok(self.optional_text(column)?.map_or(Anything::Null, Anything::Text)),
            },
        }
    }

    /// What is in `column`, if it is of this type.
    fn read<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: rusqlite::types::FromSql + for<'v> ::postgres::types::FromSql<'v>,
    {
        let read = match self {
            Row::Sqlite(row) => row.get(column).ok(),
            Row::Postgres(row) => row.try_get(column).ok(),
        };
        read.ok_or(StoreError::Column(column))
    }
}

/// The columns of one row, taken one after the other.
pub struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl<'a, 'r> Columns<'a, 'r> {
    /// Begins with column `first`.
    pub fn from(row: &'a Row<'r>, first: usize) -> Columns<'a, 'r> {
        Columns { row, next: first }
    }

    /// The next whole number.
    pub fn integer(&mut self) -> Result<i64, StoreError> {
        let column = self.advance();
        self.row.integer(column)
    }

    /// The next whole number, or `None` for NULL.
    pub fn optional_integer(&mut self) -> Result<Option<i64>, StoreError> {
        let column = self.advance();
        self.row.optional_integer(column)
    }

    /// The next text.
    pub fn text(&mut self) -> Result<String, StoreError> {
        let column = self.advance();
        self.row.text(column)
    }

    /// The next text, or `None` for NULL.
    pub fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        let column = self.advance();
        self.row.optional_text(column)
    }

    /// The next truth value.
    pub fn boolean(&mut self) -> Result<bool, StoreError> {
        let column = self.advance();
        self.row.boolean(column)
    }

    /// The next text as what `read` makes of it. What it makes nothing of is broken.
    pub fn named<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let column = self.advance();
        read(&self.row.text(column)?).ok_or(StoreError::Column(column))
    }

    /// The next text as what `read` makes of it, or `None` for NULL.
    pub fn optional_named<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        let column = self.advance();
        match self.row.optional_text(column)? {
            None => Ok(None),
            Some(text) => read(&text).map(Some).ok_or(StoreError::Column(column)),
        }
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

/// Where a transaction's statements go.
pub(crate) enum Backend<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut postgres::Connection),
}

/// One transaction.
pub struct Tx<'c> {
    backend: Backend<'c>,
    events: Vec<Event>,
    failure: Option<StoreError>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(backend: Backend<'c>) -> Tx<'c> {
        Tx { backend, events: Vec::new(), failure: None }
    }

    /// Runs a statement and gives the number of rows it touched.
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.run(|backend| match backend {
            Backend::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Backend::Postgres(connection) => connection.execute(sql, values),
        })
    }

    /// Runs a statement that must touch exactly one row.
    pub fn execute_one(&mut self, sql: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        match self.execute(sql, values)? {
            1 => Ok(()),
            found => self.fail(StoreError::RowCount { expected: 1, found }),
        }
    }

    /// Reads all rows of an answer.
    pub fn query<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.run(|backend| {
            let mut rows = Vec::new();
            let mut each = |row: &Row<'_>| {
                rows.push(read(row)?);
                Ok(())
            };
            match backend {
                Backend::Sqlite(connection) => sqlite::query(connection, sql, values, &mut each),
                Backend::Postgres(connection) => connection.query(sql, values, &mut each),
            }?;
            Ok(rows)
        })
    }

    /// Reads the only row of an answer, or `None` if it has none. More than one row is an error.
    pub fn query_optional<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut rows = self.query(sql, values, read)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            found => self.fail(StoreError::RowCount { expected: 1, found: found as u64 }),
        }
    }

    /// Reads the only row of an answer, which must have one.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.query_optional(sql, values, read)? {
            Some(row) => Ok(row),
            None => self.fail(StoreError::RowCount { expected: 1, found: 0 }),
        }
    }

    /// Announces an event. It goes out after the commit, in commit order, and never if there is none.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The engine that this transaction runs on.
    pub(crate) fn backend(&mut self) -> &mut Backend<'c> {
        &mut self.backend
    }

    /// The first failure of this transaction, if it had one.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    /// What was announced.
    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// Runs one statement unless an earlier one failed, and remembers its failure.
    fn run<T>(&mut self, statement: impl FnOnce(&mut Backend<'c>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        statement(&mut self.backend).or_else(|failure| self.fail(failure))
    }

    fn fail<T>(&mut self, failure: StoreError) -> Result<T, StoreError> {
        self.failure = Some(failure.clone());
        Err(failure)
    }
}
