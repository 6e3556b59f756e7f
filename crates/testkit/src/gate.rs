//! A gate before the storage of files: a test that closes it holds up whoever has written all bytes of a file, and sees what others do
//! meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;
use usher_services::ports::{Later, Pieces, Storage, StorageFailure, StorageWriter};

/// The gate: open until somebody closes it.
#[derive(Default)]
pub struct Gate {
    is_closed: AtomicBool,
    reached: Notify,
    opened: Notify,
}

impl Gate {
    /// Holds up the next file before it is kept.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Waits until somebody stands before it.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets whoever stands before it through, and everybody after.
    pub fn open(&self) {
        self.is_closed.store(false, Ordering::SeqCst);
        self.opened.notify_one();
    }

    async fn pass(&self) {
        if self.is_closed.load(Ordering::SeqCst) {
            self.reached.notify_one();
            self.opened.notified().await;
        }
    }
}

/// A storage behind a gate.
pub(crate) struct Gated {
    /// The storage.
    pub storage: Arc<dyn Storage>,
    /// The gate.
    pub gate: Arc<Gate>,
}

impl Storage for Gated {
    fn begin(&self, id: &str) -> Box<dyn StorageWriter> {
        Box::new(GatedWriter { writer: self.storage.begin(id), gate: Arc::clone(&self.gate) })
    }

    fn fetch<'a>(&'a self, id: &'a str, places: Option<(u64, u64)>) -> Later<'a, Result<Option<Pieces>, StorageFailure>> {
        self.storage.fetch(id, places)
    }

    fn is_shared(&self) -> bool {
        self.storage.is_shared()
    }

    fn delete<'a>(&'a self, id: &'a str) -> Later<'a, Result<(), StorageFailure>> {
        self.storage.delete(id)
    }

    fn recover(&self) -> Later<'_, Result<Vec<String>, StorageFailure>> {
        self.storage.recover()
    }
}

struct GatedWriter {
    writer: Box<dyn StorageWriter>,
    gate: Arc<Gate>,
}

impl StorageWriter for GatedWriter {
    fn write(&mut self, bytes: Bytes) -> Later<'_, Result<(), StorageFailure>> {
        self.writer.write(bytes)
    }

    fn finish(&mut self) -> Later<'_, Result<(), StorageFailure>> {
        Box::pin(async move {
            self.gate.pass().await;
            self.writer.finish().await
        })
    }

    fn abort(&mut self) -> Later<'_, Result<(), StorageFailure>> {
        self.writer.abort()
    }
}
