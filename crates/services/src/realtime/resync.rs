//! What happened since: for clients that lost their connection and know as of which change they know a room, or their own list.

use usher_domain::ChangeKind;
use usher_domain::message::Message;
use usher_domain::visitor::VisitorToken;
use usher_store::q;

use crate::logins::Account;
use crate::rooms::RoomWithMessage;
use crate::subscriptions::{ChangedList, SubscribedRoom};
use crate::{Error, Refusal, Services};

/// The most changes that are told at once. Whoever missed more reads the room anew.
const MOST: i64 = 500;

/// How far a list goes back before the moment that is asked for, in milliseconds: longer than a transaction lasts, so that none is missed
/// that began before that moment and ended after it. What comes twice is the same twice.
const OVERLAP: i64 = 35_000;

/// How long it is known what has left a list, in milliseconds.
const REMEMBERED: i64 = 30 * 86_400_000;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Asking {
    /// The visitor with this token.
    Visitor(VisitorToken),
    /// A user.
    User(Box<Account>),
}

/// What happened in a room.
#[derive(Debug, Clone)]
pub struct RoomChanges {
    /// The number of the latest change that is told of.
    pub seq: i64,
    /// What happened; `None` if it has to be read anew.
    pub changes: Option<Happened>,
}

/// What happened, as it is by now.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The room, if anything happened.
    pub room: Option<RoomWithMessage>,
    /// Messages that came or changed, oldest first.
    pub messages: Vec<Message>,
    /// The ids of messages that are gone.
    pub deleted: Vec<String>,
}

/// What happened to a user's list.
#[derive(Debug, Clone)]
pub struct ListChanges {
    /// What to ask for next time.
    pub seq: i64,
    /// What happened; `None` if the list has to be read anew.
    pub changes: Option<(ChangedList<SubscribedRoom>, ChangedList<RoomWithMessage>)>,
}

impl Services {
    /// What happened in a room since its change `since`.
    ///
    /// # Errors
    ///
    /// There is no such room, or whoever asks may not read it: the two look alike.
    pub async fn room_changes(&self, asking: Asking, room_id: String, since: i64) -> Result<RoomChanges, Error> {
        let may = match &asking {
            Asking::Visitor(token) => self.is_room_of(token.as_str(), &room_id).await?,
            Asking::User(account) => self.may_speak(account, &room_id).await?,
        };
        if !may {
            return Err(Refusal::InvalidRoom.into());
        }
        self.store
            .read(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::InvalidRoom)?;
                let seq = room.seq;
                if !(0..=seq).contains(&since) {
                    return Ok(RoomChanges { seq, changes: None });
                }
                let changes = q::changes::since(tx, &room_id, since, MOST)?;
                let is_whole = changes.iter().zip(since + 1..).all(|(change, seq)| change.seq == seq)
                    && changes.last().map_or(since, |change| change.seq) == seq;
                if !is_whole {
                    return Ok(RoomChanges { seq, changes: None });
                }
                let named =
                    changes.iter().filter(|change| matches!(change.kind, ChangeKind::MessagePosted | ChangeKind::MessageChanged));
                let mut ids: Vec<&str> = named.map(|change| change.reference.as_str()).collect();
                ids.sort_unstable();
                ids.dedup();
                let mut messages = q::messages::by_ids(tx, &ids)?;
                messages.retain(|message| !message.is_deleted);
                messages.sort_by_key(|message| message.ts);
                let is_there = |id: &&str| messages.iter().any(|message| message.id == *id);
                let deleted = ids.iter().filter(|id| !is_there(id)).map(|id| (*id).to_owned()).collect();
                let room = if changes.is_empty() { None } else { Some(RoomWithMessage::read(tx, room)?) };
                Ok(RoomChanges { seq, changes: Some(Happened { room, messages, deleted }) })
            })
            .await
    }

    /// What happened to a user's list since an earlier answer gave `since`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn list_changes(&self, account: &Account, since: i64) -> Result<ListChanges, Error> {
        let seq = self.now();
        if since < seq - REMEMBERED + OVERLAP || since > seq {
            return Ok(ListChanges { seq, changes: None });
        }
        let from = Some(since - OVERLAP);
        let subscriptions = self.subscriptions_of_user(account, from).await?;
        let rooms = self.rooms_of_user(account, from).await?;
        Ok(ListChanges { seq, changes: Some((subscriptions, rooms)) })
    }
}
