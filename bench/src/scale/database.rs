//! Databases of PostgreSQL for one benchmark.

use anyhow::{Context, Result};
use postgres::{Client, NoTls};

/// A database that is gone when the benchmark is over.
pub struct Database {
    /// How to connect to it.
    pub url: String,
    name: String,
    given_url: String,
}

impl Database {
    /// Makes an empty database on the server that `given_url` leads to. Blocks.
    pub fn create(given_url: &str, purpose: &str) -> Result<Database> {
        let name = format!("usher_bench_{}_{purpose}", std::process::id());
        let url = beside(given_url, &name).context("the URL of the database has another form than postgres://HOST/NAME")?;
        let mut client = Client::connect(given_url, NoTls).context("the database cannot be connected to")?;
        let statement = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
        client.batch_execute(&statement).context("a database cannot be made beside the given one")?;
        Ok(Database { url, name, given_url: given_url.to_owned() })
    }

    /// Does what the server would do by itself a little later, so that it does not do it amid the calls. Blocks.
    pub fn tidy(&self) -> Result<()> {
        let mut client = Client::connect(&self.url, NoTls).context("the database cannot be connected to")?;
        client.batch_execute("VACUUM ANALYZE").context("the database cannot be tidied up")?;
        client.batch_execute("CHECKPOINT").context("the database cannot be flushed: this takes a superuser")
    }

    fn remove(&self) -> Result<(), postgres::Error> {
        Client::connect(&self.given_url, NoTls)?.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("the database {} is left over: {error}", self.name);
        }
    }
}

/// The URL of the database `name` on the same server.
fn beside(url: &str, name: &str) -> Option<String> {
    let (plain, parameters) = url.split_once('?').map_or((url, None), |(plain, parameters)| (plain, Some(parameters)));
    let (scheme, rest) = plain.split_once("://")?;
    let host = rest.split('/').next()?;
    let parameters = parameters.map_or_else(String::new, |parameters| format!("?{parameters}"));
    Some(format!("{scheme}://{host}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_differs() {
        let table = [
            ("postgres://u:p@host:5432/first", "postgres://u:p@host:5432/second"),
            ("postgres://host", "postgres://host/second"),
            ("postgres://host/first?connect_timeout=5", "postgres://host/second?connect_timeout=5"),
        ];
        for (given, expected) in table {
            assert_eq!(beside(given, "second").as_deref(), Some(expected));
        }
        assert_eq!(beside("host=localhost", "second"), None);
    }
}
