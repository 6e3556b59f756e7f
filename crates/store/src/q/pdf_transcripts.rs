//! Transcripts that are to be printed: of which rooms, and since when.

use usher_domain::room::Room;

use super::{rooms, statements};
use crate::{StoreError, Tx, values};

statements! {
    REQUEST = "UPDATE rooms SET pdf_requested_at = ?2, pdf_file_id = NULL
               WHERE id = ?1 AND (pdf_requested_at IS NULL OR pdf_requested_at <= ?3)";
    NEXT = rooms::select!("WHERE pdf_requested_at IS NOT NULL AND NOT erasing ORDER BY pdf_requested_at, id LIMIT 1");
    FORGET = "UPDATE rooms SET pdf_requested_at = NULL, pdf_file_id = ?2
              WHERE id = ?1 AND pdf_requested_at IS NOT NULL AND NOT erasing";
}

/// Notes that the transcript of a room is to be printed, unless somebody asked for that after `unless_after` (milliseconds UTC). Gives
/// whether it was noted.
pub fn request(tx: &mut Tx<'_>, room_id: &str, now: i64, unless_after: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(REQUEST, values![room_id, now, unless_after])? == 1)
}

/// The room whose transcript has been waited for longest.
pub fn next(tx: &mut Tx<'_>) -> Result<Option<Room>, StoreError> {
    tx.query_optional(NEXT, values![], rooms::read)
}

/// Notes that nobody waits for the transcript of a room any more, and the file that it was printed to. Gives whether somebody did until
/// now: the room may be gone, or another process was quicker.
pub fn forget(tx: &mut Tx<'_>, room_id: &str, file_id: Option<&str>) -> Result<bool, StoreError> {
    Ok(tx.execute(FORGET, values![room_id, file_id])? == 1)
}
