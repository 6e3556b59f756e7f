//! Unlinking the bytes of files whose rows are gone.

use usher_store::q::files::Removed;
use usher_store::{StoreError, Tx, q};

use super::ARRIVAL_PATIENCE;
use crate::{Error, Services};

/// How many files one transaction looks at.
const BATCH: i64 = 200;

/// How long a file may wait for the message that is to show it (milliseconds).
const POSTING_PATIENCE: i64 = 24 * 60 * 60 * 1_000;

impl Services {
    /// For the start: removes files that an earlier process was receiving, and bytes that no row knows. Where other processes keep their
    /// files in the same place nothing can be told yet.
    ///
    /// # Errors
    ///
    /// Store or storage failed.
    pub async fn recover_files(&self) -> Result<(), Error> {
        let Some(storage) = self.outside.storage.as_ref().filter(|storage| !storage.is_shared()) else { return Ok(()) };
        let now = self.now();
        while self.remove_files(move |tx| q::files::arriving(tx, now, BATCH)).await? > 0 {}
        for ids in storage.recover().await?.chunks(BATCH as usize) {
            let asked = ids.to_vec();
            let known = self.store.read(move |tx| q::files::known(tx, &asked).map_err(Error::from)).await?;
            for id in ids.iter().filter(|id| !known.contains(id)) {
                storage.delete(id).await?;
            }
        }
        Ok(())
    }

    /// Removes files that began to arrive long ago and that no message ever showed. Gives how many.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn remove_abandoned_files(&self) -> Result<u64, Error> {
        let before = self.now() - POSTING_PATIENCE;
        let mut removed = 0;
        loop {
            match self.remove_files(move |tx| q::files::abandoned(tx, before, BATCH)).await? {
                0 => return Ok(removed),
                more => removed += more,
            }
        }
    }

    /// Removes the files that `chosen` names, whose bytes nobody writes any more. Gives how many.
    async fn remove_files<F>(&self, chosen: F) -> Result<u64, Error>
    where
        F: Fn(&mut Tx<'_>) -> Result<Vec<String>, StoreError> + Send + 'static,
    {
        let now = self.now();
        let remove = move |tx: &mut Tx<'_>| {
            let ids = chosen(tx)?;
            for id in &ids {
                q::files::discard(tx, id, now)?;
            }
            Ok::<u64, Error>(ids.len() as u64)
        };
        let removed = self.store.write_freeing_space(remove).await?;
        if removed > 0 {
            self.unsealed.notify_one();
        }
        Ok(removed)
    }

    /// Removes a file that is not wanted after all.
    pub(super) async fn discard_file(&self, id: String) {
        let now = self.now();
        // Where this fails the file is abandoned, and goes with those.
        let _ = self.store.write_freeing_space(move |tx| q::files::discard(tx, &id, now).map_err(Error::from)).await;
        self.unsealed.notify_one();
    }

    /// Unlinks the bytes of all files whose rows are gone.
    ///
    /// # Errors
    ///
    /// The storage failed, or a file may still be arriving at another process.
    pub(crate) async fn unlink_removed_files(&self) -> Result<(), Error> {
        loop {
            let removed = self.store.read(|tx| q::files::removed(tx, BATCH).map_err(Error::from)).await?;
            if removed.is_empty() {
                return Ok(());
            }
            let Some(storage) = &self.outside.storage else {
                return Err(Error::Storage("files are to be unlinked, and nothing says where they are: give --files-url"));
            };
            let mut unlinked = Vec::new();
            for file in removed {
                if file.was_arriving {
                    self.arrivals.stop(&file.id).await;
                    let is_wanted = self.is_file(file.id.clone()).await?;
                    if is_wanted || self.may_still_arrive(&file, storage.is_shared()) {
                        continue;
                    }
                }
                storage.delete(&file.id).await?;
                unlinked.push(file.id);
            }
            if unlinked.is_empty() {
                return self.wait_for_arrivals().await;
            }
            self.store.write_freeing_space(move |tx| q::files::forget_removed(tx, &unlinked).map_err(Error::from)).await?;
        }
    }

    /// Nothing could be unlinked of what was read just now. Fails if there is anything left to unlink.
    async fn wait_for_arrivals(&self) -> Result<(), Error> {
        let left = self.store.read(|tx| q::files::removed(tx, 1).map_err(Error::from)).await?;
        if left.is_empty() { Ok(()) } else { Err(Error::Storage("files are still arriving")) }
    }

    /// Whether there is a file with this id by now.
    async fn is_file(&self, id: String) -> Result<bool, Error> {
        self.store.read(move |tx| q::files::is_known(tx, &id).map_err(Error::from)).await
    }

    /// Whether another process may still write bytes of a file.
    fn may_still_arrive(&self, file: &Removed, is_shared: bool) -> bool {
        let patience = i64::try_from(ARRIVAL_PATIENCE.as_millis()).unwrap_or(i64::MAX);
        is_shared && self.now() - file.removed_at <= patience
    }
}
