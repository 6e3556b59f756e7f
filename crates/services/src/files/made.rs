//! Files that the server makes itself: smaller pictures, and printed transcripts.
//!
//! Their bytes are announced before they are written and get their row when they are shown, so none are left that no row knows.

use bytes::Bytes;
use usher_domain::file::File;
use usher_store::{Tx, q};

use crate::ports::Storage;
use crate::{Error, Services};

impl Services {
    /// Keeps the bytes of a file that has no row yet. They go again unless [`add_made`] gives it one; whoever calls holds its id as one
    /// that is being written until then. Gives how many bytes there are.
    pub(crate) async fn keep_made(&self, storage: &dyn Storage, id: &str, bytes: Bytes) -> Result<i64, Error> {
        let (announced, now) = (id.to_owned(), self.now());
        self.store.write(move |tx| q::files::announce(tx, &announced, now).map_err(Error::from)).await?;
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let mut writer = storage.begin(id);
        writer.write(bytes).await?;
        writer.finish().await?;
        Ok(size)
    }
}

/// Gives a file its row whose bytes are kept, as a smaller picture of `original_id` if there is one.
pub(crate) fn add_made(tx: &mut Tx<'_>, file: &File, original_id: Option<&str>) -> Result<(), Error> {
    if !q::files::take_announced(tx, &file.id)? {
        return Err(Error::Storage("a file was unlinked before it had its row"));
    }
    Ok(q::files::add_made(tx, file, original_id)?)
}
