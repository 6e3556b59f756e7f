//! One connection to PostgreSQL with its prepared statements.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use ::postgres::error::SqlState;
use ::postgres::fallible_iterator::FallibleIterator;
use ::postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, NoTls, Statement};

use crate::error::StoreError;
use crate::tx::{Row, Value};

/// A connection, blocking.
pub(crate) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    pub(crate) fn open(url: &str) -> Result<Connection, StoreError> {
        Ok(Connection { client: Client::connect(url, NoTls).map_err(failure)?, statements: HashMap::new() })
    }

    /// Runs one statement without values and without an answer.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(failure)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// What other connections told this one by now; waits for something at most `pause`.
    pub(crate) fn heard(&mut self, pause: Duration) -> Result<Vec<String>, StoreError> {
        let mut heard = Vec::new();
        let mut told = self.client.notifications();
        let first = told.timeout_iter(pause).next().map_err(failure)?;
        heard.extend(first.map(|notification| notification.payload().to_owned()));
        let mut others = told.iter();
        while let Some(notification) = others.next().map_err(failure)? {
            heard.push(notification.payload().to_owned());
        }
        Ok(heard)
    }

    /// Runs a statement; gives the number of rows it touched. Several statements in one text are possible where there are no values.
    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql)?;
        self.client.execute(&statement, &parameters(values)).map_err(failure)
    }

    /// Runs a statement; hands each row of its answer to `each`.
    pub(crate) fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.prepare(sql)?;
        let rows = self.client.query(&statement, &parameters(values)).map_err(failure)?;
        rows.iter().try_for_each(|row| each(&Row::Postgres(row)))
    }

    /// The prepared form of `sql`, whose places `?1` become `$1`. No statement of ours has a question mark elsewhere.
    fn prepare(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql.replace('?', "$")).map_err(failure)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn parameters<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut ::postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Value::Integer(value) if *kind == Type::BOOL => (*value != 0).to_sql(kind, out),
            Value::Integer(value) => value.to_sql(kind, out),
            Value::Text(value) => value.to_sql(kind, out),
            Value::Boolean(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What a failure of PostgreSQL means here. The server's details are left out, because they quote values of rows.
pub(crate) fn failure(error: ::postgres::Error) -> StoreError {
    let Some(refused) = error.as_db_error() else {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        return if error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()) {
            StoreError::Unreachable(cause.into())
        } else {
            StoreError::Engine(cause.into())
        };
    };
    let code = refused.code();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        StoreError::Conflict
    } else if *code == SqlState::UNIQUE_VIOLATION {
        StoreError::Duplicate(refused.constraint().unwrap_or("unknown").into())
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full
    } else if *code == SqlState::QUERY_CANCELED {
        StoreError::Deadline
    } else if *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN || *code == SqlState::CANNOT_CONNECT_NOW {
        StoreError::Unreachable(code.code().into())
    } else {
        StoreError::Engine(format!("SQLSTATE {}", code.code()).into())
    }
}
