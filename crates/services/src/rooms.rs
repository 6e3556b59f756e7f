//! Opening rooms.

use usher_domain::message::{Author, Message, STARTED};
use usher_domain::room::{Room, Source};
use usher_domain::settings::{ACCEPT_WITHOUT_AGENTS, LIVECHAT_ENABLED};
use usher_domain::visitor::{LastChat, Visitor, VisitorToken};
use usher_domain::{Change, ChangeKind};
use usher_store::{Tx, q};

use crate::{Error, Refusal, Services};

/// What a visitor asks for when it asks for its room.
#[derive(Debug, Clone)]
pub struct RoomRequest {
    /// This room and no other.
    pub room_id: Option<String>,
    /// The service level of a new room.
    pub service_level: Option<String>,
    /// The priority of a new room.
    pub priority: Option<String>,
    /// Where the visitor comes from.
    pub source: Source,
}

/// A room as its visitor gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRoom {
    /// The room.
    pub room: Room,
    /// Its latest message.
    pub last_message: Option<Message>,
    /// Whether it was opened just now.
    pub is_new: bool,
}

/// The ids of a room on its way.
#[derive(Clone)]
struct Fresh {
    room_id: String,
    message_id: String,
}

impl Services {
    /// The visitor's open room, or a new one if there is none. However many ask at once, there is one open room for a visitor and
    /// source.
    pub async fn room_of_visitor(&self, token: VisitorToken, request: RoomRequest) -> Result<OpenRoom, Error> {
        // Most calls find a room, and a read disturbs nobody.
        let (reader, wanted) = (token.clone(), request.room_id.clone());
        let found = self.store.read(move |tx| find(tx, &reader, wanted.as_deref())).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let refusal = self.reason_not_to_open(&request);
        let fresh = Fresh { room_id: self.new_id(), message_id: self.new_id() };
        let now = self.now();
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                if let Some(found) = first_open(tx, &visitor)? {
                    return Ok(found);
                }
                if let Some(refusal) = &refusal {
                    return Err(refusal.clone().into());
                }
                if q::contacts::is_blocked(tx, &visitor.id, request.source.kind)? {
                    return Err(Refusal::ChannelBlocked.into());
                }
                open(tx, &visitor, &request.source, &fresh, now)
            })
            .await
    }

    /// Why no new room may be opened at the moment, if none may.
    fn reason_not_to_open(&self, request: &RoomRequest) -> Option<Refusal> {
        if !self.platform().settings.get(&LIVECHAT_ENABLED) {
            Some(Refusal::LivechatDisabled)
        } else if request.service_level.is_some() {
            // There are no service levels and no priorities yet, so whatever is asked for is unknown.
            Some(Refusal::InvalidServiceLevel)
        } else if request.priority.is_some() {
            Some(Refusal::InvalidPriority)
        } else if !self.platform().settings.get(&ACCEPT_WITHOUT_AGENTS) {
            // There are no agents yet, so none is online.
            Some(Refusal::NoAgentOnline)
        } else {
            None
        }
    }
}

/// The room asked for, or the first open one. `None` if the visitor has none; a room that was asked for must be there.
fn find(tx: &mut Tx<'_>, token: &VisitorToken, wanted: Option<&str>) -> Result<Option<OpenRoom>, Error> {
    let visitor = q::visitors::by_token(tx, token)?.ok_or(Refusal::InvalidToken)?;
    let Some(wanted) = wanted else { return first_open(tx, &visitor) };
    let found = q::rooms::by_id(tx, wanted)?.filter(|found| found.room.visitor_id == visitor.id && found.room.is_open);
    with_last_message(tx, found.ok_or(Refusal::InvalidRoom)?).map(Some)
}

fn first_open(tx: &mut Tx<'_>, visitor: &Visitor) -> Result<Option<OpenRoom>, Error> {
    match q::rooms::first_open(tx, &visitor.id)? {
        Some(stored) => with_last_message(tx, stored).map(Some),
        None => Ok(None),
    }
}

fn with_last_message(tx: &mut Tx<'_>, stored: q::rooms::Stored) -> Result<OpenRoom, Error> {
    let last_message = match &stored.last_message_id {
        Some(id) => q::messages::by_id(tx, id)?,
        None => None,
    };
    Ok(OpenRoom { room: stored.room, last_message, is_new: false })
}

/// Opens a room with its contact and the system message that begins it.
fn open(tx: &mut Tx<'_>, visitor: &Visitor, source: &Source, fresh: &Fresh, now: i64) -> Result<OpenRoom, Error> {
    let last_chat = LastChat { room_id: fresh.room_id.clone(), at: now };
    q::contacts::ensure(tx, visitor, source.kind, &last_chat)?;
    q::visitors::set_last_chat(tx, &visitor.id, &last_chat)?;
    let room = Room {
        id: fresh.room_id.clone(),
        visitor_id: visitor.id.clone(),
        visitor_username: visitor.username.clone(),
        visitor_status: visitor.status.clone(),
        contact_id: visitor.contact_id.clone(),
        name: visitor.display_name().to_owned(),
        department_id: visitor.department_id.clone(),
        source: source.clone(),
        is_open: true,
        waiting_response: true,
        message_count: 0,
        users_count: 1,
        seq: 1,
        opened_at: now,
        last_message_at: now,
        queued_at: now,
        visitor_last_message_at: None,
        visitor_waiting_since: None,
        closed_at: None,
        updated_at: now,
    };
    q::rooms::insert(tx, &room)?;
    let opened = Change { room_id: room.id.clone(), seq: 1, kind: ChangeKind::RoomOpened, reference: room.id.clone() };
    q::changes::record(tx, opened)?;
    let started = start_message(tx, &room, visitor, fresh, now)?;
    let room = Room { message_count: 1, seq: 2, ..room };
    Ok(OpenRoom { room, last_message: Some(started), is_new: true })
}

/// Writes the message that says that the visitor began a conversation. It has the room's own time.
fn start_message(tx: &mut Tx<'_>, room: &Room, visitor: &Visitor, fresh: &Fresh, now: i64) -> Result<Message, Error> {
    let message = Message {
        id: fresh.message_id.clone(),
        room_id: room.id.clone(),
        ts: now,
        kind: Some(STARTED.to_owned()),
        text: String::new(),
        author: Author { id: visitor.id.clone(), username: visitor.username.clone(), name: visitor.name.clone(), is_visitor: true },
        updated_at: now,
    };
    if !q::messages::insert(tx, &message)? {
        return Err(Error::Broken("an id that was made just now is taken"));
    }
    let posted = q::rooms::Posted { room_id: &room.id, seq: 2, message_id: &message.id, ts: now, now };
    q::rooms::add_system_message(tx, posted)?;
    let change = Change { room_id: room.id.clone(), seq: 2, kind: ChangeKind::MessagePosted, reference: message.id.clone() };
    q::changes::record(tx, change)?;
    Ok(message)
}
