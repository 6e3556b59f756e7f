//! Rooms: the life of a chat, from its opening to its closing.
//!
//! Whatever changes a room does so through a `RoomWork`, which sees to it that the change log misses nothing.

mod access;
mod close;
mod info;
mod join;
pub mod list;
mod open;
mod preferred;
mod queue;
mod routing;
mod tags;
mod take;
mod waiting;
mod work;

pub use close::{ClosingByUser, TranscriptByMail};
pub use info::{GuestInfo, RoomInfo};
pub use open::{OpenRoom, RoomRequest};
pub use queue::{ListedInquiries, QueueOrder, QueuePage};
pub use routing::RoutingRecord;
pub use take::TakeOptions;

pub(crate) use access::{RoomReader, may_read, readable, readable_or_refused};
pub(crate) use open::{department_for_everybody, opened_for, page_message};
pub(crate) use routing::{Rules, find, is_staffed, staffed_or_fallback};
pub(crate) use work::{RoomWork, SystemMessage, system_user};

use std::collections::HashMap;

use usher_domain::message::Message;
use usher_domain::room::Room;
use usher_store::{StoreError, Tx, q};

/// A room with the message that is shown as its latest.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomWithMessage {
    /// The room.
    pub room: Room,
    /// Its latest message.
    pub last_message: Option<Message>,
}

impl RoomWithMessage {
    /// Reads the latest message of a room.
    pub(crate) fn read(tx: &mut Tx<'_>, room: Room) -> Result<RoomWithMessage, StoreError> {
        let last_message = match &room.last_message_id {
            Some(id) => q::messages::by_id(tx, id)?.filter(|message| !message.is_deleted),
            None => None,
        };
        Ok(RoomWithMessage { room, last_message })
    }

    /// Reads the latest messages of some rooms.
    pub(crate) fn read_all(tx: &mut Tx<'_>, rooms: Vec<Room>) -> Result<Vec<RoomWithMessage>, StoreError> {
        let ids: Vec<&str> = rooms.iter().filter_map(|room| room.last_message_id.as_deref()).collect();
        let shown = q::messages::by_ids(tx, &ids)?.into_iter().filter(|message| !message.is_deleted);
        let mut messages: HashMap<String, Message> = shown.map(|message| (message.id.clone(), message)).collect();
        let with_message = |room: Room| {
            let last_message = room.last_message_id.as_ref().and_then(|id| messages.remove(id));
            RoomWithMessage { room, last_message }
        };
        Ok(rooms.into_iter().map(with_message).collect())
    }
}
