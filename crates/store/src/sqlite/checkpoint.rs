//! Moves the write-ahead log into the database file, beside the callers' path.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use async_channel::Receiver;
use rusqlite::Connection;

use super::State;
use crate::dialect;

/// Starts the checkpointer: one passive checkpoint for each message. It ends when its inbox is closed and empty.
pub(super) fn start(connection: Connection, due: Receiver<()>, state: Arc<State>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while due.recv_blocking().is_ok() {
            let _alone = state.moving_log.lock().unwrap_or_else(PoisonError::into_inner);
            move_beside(&connection, &state);
        }
    })
}

/// Moves what there is of the log into the file, beside whoever reads and writes. The caller holds [`State::moving_log`].
pub(super) fn move_beside(connection: &Connection, state: &State) {
    let moved = connection.query_row(dialect::CHECKPOINT_PASSIVE, [], |row| row.get::<_, i64>(0));
    match moved {
        Ok(_) => {}
        Err(rusqlite::Error::SqliteFailure(code, _)) if code.code == rusqlite::ErrorCode::SystemIoFailure => {
            tracing::error!("a checkpoint could not be flushed: writing stops until the server is started again");
            state.stopped.store(true, Ordering::Release);
        }
        Err(error) => tracing::warn!(%error, "a checkpoint did not come through"),
    }
}
