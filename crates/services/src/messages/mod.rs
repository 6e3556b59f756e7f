//! Messages: posting, reading, editing and deleting them, by visitors and by users.

mod change;
mod marks;
mod quotes;
mod read;
mod user;
mod visitor;

pub use change::{Change, Deleted};
pub use read::{Changed, ListedMessages, WrittenQuery};
pub use user::UserMessage;
pub use visitor::{HISTORY_LIMIT, HistoryPage, Unread, VisitorMessage};

use usher_domain::message::Message;

use crate::{Error, Refusal};

/// The answer to a message id that is taken: the stored message, if it is the same author's in the same room. A deleted one is none.
fn repeated(stored: Message, room_id: &str, author_id: &str, is_visitor: bool) -> Result<Message, Error> {
    let is_by_same = stored.author.id == author_id && stored.author.is_visitor == is_visitor;
    let is_same = stored.room_id == room_id && is_by_same && stored.kind.is_none() && !stored.is_deleted;
    if is_same { Ok(stored) } else { Err(Refusal::InvalidMessage.into()) }
}
