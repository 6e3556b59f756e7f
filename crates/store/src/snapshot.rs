//! Reading everything as it is at one moment, beside a server that goes on writing: for backups.

use crate::error::{OpenError, StoreError};
use crate::store::Location;
use crate::tx::{Backend, Tx};
use crate::{dialect, migrations, postgres, sqlite};

/// Runs `work` in one transaction that sees one state of the data and changes nothing, however long it takes. Blocks. Sealing of erasures
/// waits for it.
///
/// # Errors
///
/// There are no data, they are of another version than this program's, or `work` fails.
pub fn snapshot<T, E>(location: &Location, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send) -> Result<T, E>
where
    T: Send,
    E: From<OpenError> + From<StoreError> + Send,
{
    match location {
        Location::Folder(folder) => {
            let connection = sqlite::read_beside(folder)?;
            look(&mut Tx::new(Backend::Sqlite(&connection)), work)
        }
        Location::Postgres(url) => postgres::apart(|| {
            let mut connection = postgres::Connection::open(url)?;
            connection.batch(dialect::POSTGRES_BEGIN_READ)?;
            look(&mut Tx::new(Backend::Postgres(&mut connection)), work)
        }),
    }
}

fn look<T, E: From<OpenError>>(tx: &mut Tx<'_>, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
    migrations::check_current(tx)?;
    work(tx)
}
