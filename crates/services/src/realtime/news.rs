//! What to tell of what was committed: the events of a batch, with all that they name as it is by now, read in one transaction. What is
//! missing of a room is read from its log.

use std::collections::{BTreeSet, HashMap};

use usher_domain::inquiry::InquiryStatus;
use usher_domain::message::Message;
use usher_domain::room::{Person, Room};
use usher_domain::subscription::Subscription;
use usher_domain::user::UserStatus;
use usher_domain::{Change, ChangeKind, Event, PlaceEvent, PlaceEventKind, RoleEvent, UserEvent, UserEventKind};
use usher_store::q::department_agents::DepartmentAgent;
use usher_store::q::users::User;
use usher_store::{Tx, q};

use super::follower::{Coming, Follower};
use crate::agents::AgentSeen;
use crate::platform::Platform;
use crate::rooms::{RoomReader, RoomWithMessage};
use crate::{Error, Services};

/// How many changes of one room are read at once. Whoever misses more of them has to read the room again.
const CHANGES: i64 = 1_000;

/// Who listens, as far as it says what has to be read.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    /// Whether anybody hears of what concerns users: their lists, their queue.
    pub has_users: bool,
    /// The ids of the users who hear the messages of all rooms that they may read.
    pub readers: Vec<String>,
}

/// What is to be told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Of rooms.
    pub rooms: Vec<RoomNews>,
    /// Of users.
    pub users: Vec<UserNews>,
    /// Of roles that users got or lost.
    pub roles: Vec<RoleNews>,
    /// Of agents' places in departments.
    pub places: Vec<PlaceNews>,
}

/// What is to be told of a room.
#[derive(Debug, Clone)]
pub struct RoomNews {
    /// The room's id.
    pub room_id: String,
    /// The room as it is by now; `None` if it is gone.
    pub room: Option<RoomWithMessage>,
    /// Whether it came into being.
    pub is_new: bool,
    /// Messages that came or changed, in this order.
    pub messages: Vec<Posted>,
    /// The ids of messages that are gone.
    pub deleted: Vec<String>,
    /// Its members, if something changed that their lists show.
    pub members: Vec<Subscription>,
    /// The ids of users who became members.
    pub joined: Vec<String>,
    /// Who is no member any more.
    pub gone: Vec<Gone>,
    /// The id of its inquiry, if it left the queue for good.
    pub inquiry_removed: Option<String>,
    /// Whether another agent serves it, or nobody any more.
    pub agent_changed: bool,
    /// Who serves it, as visitors see it.
    pub agent: Option<AgentSeen>,
    /// The ids of the agents who might take it, if it has just come into the queue.
    pub candidates: Vec<String>,
    /// For each of [`Audience::readers`] who may read the room, whether it is a member.
    pub readers: Vec<(String, bool)>,
}

/// A message that is to be told of.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The message.
    pub message: Message,
    /// Whether it is new.
    pub is_new: bool,
}

/// Somebody who lost a room.
#[derive(Debug, Clone)]
pub struct Gone {
    /// The id of the subscription.
    pub id: String,
    /// Who lost it.
    pub user: Person,
}

/// What is to be told of a user.
#[derive(Debug, Clone)]
pub struct UserNews {
    /// What changed.
    pub event: UserEvent,
    /// The user as it is by now; `None` if it is gone.
    pub user: Option<User>,
    /// The open rooms that it serves, if its status changed.
    pub serves: Vec<String>,
}

/// What is to be told of a role that a user got or lost.
#[derive(Debug, Clone)]
pub struct RoleNews {
    /// What happened.
    pub event: RoleEvent,
    /// The user.
    pub user: User,
}

/// What is to be told of an agent's place in a department.
#[derive(Debug, Clone)]
pub struct PlaceNews {
    /// What happened.
    pub event: PlaceEvent,
    /// The place as it is by now; `None` if it is gone.
    pub place: Option<DepartmentAgent>,
}

impl Services {
    /// Reads what is to be told of a batch of events, in the order in which it is to be told.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn told(&self, follower: &Follower, events: Vec<Event>, audience: &Audience) -> Result<Told, Error> {
        let (mut changes, mut others) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Room(change) => changes.push(change),
                // Only users hear of these.
                Event::Role(_) | Event::Place(_) if !audience.has_users => {}
                other if !others.contains(&other) => others.push(other),
                _ => {}
            }
        }
        let coming = follower.take(changes);
        if coming.is_empty() && others.is_empty() {
            return Ok(Told::default());
        }
        let (platform, audience, began_at) = (self.platform(), audience.clone(), follower.began_at);
        let (read, mut told) = self
            .store
            .read(move |tx| {
                let readers = readers(tx, &audience)?;
                let mut rooms = Vec::new();
                for coming in &coming {
                    rooms.push(read_room(tx, coming, began_at, &platform, &readers, audience.has_users)?);
                }
                Ok::<_, Error>((rooms, read_others(tx, &others)?))
            })
            .await?;
        for (seq, mut news, agent) in read {
            let is_over = news.room.is_none();
            follower.told(&news.room_id, seq, is_over);
            news.agent = agent.map(|agent| self.seen_by_visitors(agent));
            told.rooms.push(news);
        }
        Ok(told)
    }
}

impl Services {
    /// Looks whether anything was committed that nobody told of: in these rooms, and in the lists of these users since the moment `since`
    /// (milliseconds UTC). Gives what has to be told.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn overlooked(
        &self,
        follower: &Follower,
        rooms: Vec<String>,
        users: Vec<String>,
        since: i64,
    ) -> Result<Vec<Event>, Error> {
        let (looked_at, seqs) = self
            .store
            .read(move |tx| {
                let mut looked_at: BTreeSet<String> = rooms.iter().cloned().collect();
                for user_id in &users {
                    looked_at.extend(q::subscriptions::rooms_changed_since(tx, user_id, since, CHANGES)?);
                }
                let ids: Vec<&str> = looked_at.iter().map(String::as_str).collect();
                let seqs: HashMap<String, i64> = q::rooms::seqs(tx, &ids)?.into_iter().collect();
                Ok::<_, Error>((looked_at, seqs))
            })
            .await?;
        let mut events = Vec::new();
        let mut behind = Vec::new();
        for room_id in looked_at {
            let told = follower.known().get(&room_id).copied();
            match (seqs.get(&room_id).copied(), told) {
                (Some(seq), told) if told.is_none_or(|told| told < seq) => behind.push((room_id, told.unwrap_or(seq - 1))),
                // It was erased.
                (None, Some(told)) => {
                    let kind = ChangeKind::RoomErased;
                    events.push(Event::Room(Change { reference: room_id.clone(), room_id, seq: told + 1, kind }));
                }
                _ => {}
            }
        }
        if behind.is_empty() {
            return Ok(events);
        }
        // What happened is in the log, and nowhere else.
        let logged = self
            .store
            .read(move |tx| {
                let mut changes = Vec::new();
                for (room_id, told) in &behind {
                    changes.extend(q::changes::since(tx, room_id, *told, CHANGES)?);
                }
                Ok::<_, Error>(changes)
            })
            .await?;
        events.extend(logged.into_iter().map(Event::Room));
        Ok(events)
    }
}

/// The users who hear the messages of all rooms that they may read.
fn readers(tx: &mut Tx<'_>, audience: &Audience) -> Result<Vec<User>, Error> {
    let ids: Vec<&str> = audience.readers.iter().map(String::as_str).collect();
    if ids.is_empty() { Ok(Vec::new()) } else { Ok(q::users::by_ids(tx, &ids)?) }
}

/// Reads what is to be told of anything but rooms.
fn read_others(tx: &mut Tx<'_>, events: &[Event]) -> Result<Told, Error> {
    let mut told = Told::default();
    for event in events {
        match event {
            Event::Room(_) => {}
            Event::User(event) => told.users.push(read_user(tx, event)?),
            Event::Role(event) => {
                // Of a user who is gone by now only that is told.
                let user = q::users::by_id(tx, &event.user_id)?;
                told.roles.extend(user.map(|user| RoleNews { event: event.clone(), user }));
            }
            Event::Place(event) => {
                let place = q::department_agents::one(tx, &event.department_id, &event.agent_id)?;
                let place = place.filter(|place| place.id == event.id);
                // Of a place that is gone by now only that is told.
                if place.is_some() || event.kind == PlaceEventKind::Removed {
                    told.places.push(PlaceNews { event: event.clone(), place });
                }
            }
        }
    }
    Ok(told)
}

fn read_user(tx: &mut Tx<'_>, event: &UserEvent) -> Result<UserNews, Error> {
    let user = q::users::by_id(tx, &event.user_id)?;
    let serves = match event.kind {
        UserEventKind::Status => q::rooms::open_of_agent(tx, &event.user_id)?,
        _ => Vec::new(),
    };
    Ok(UserNews { event: event.clone(), user, serves })
}

/// Reads what is to be told of a room. Gives up to which change, and the agent who serves it now.
fn read_room(
    tx: &mut Tx<'_>,
    coming: &Coming,
    began_at: i64,
    platform: &Platform,
    readers: &[User],
    has_users: bool,
) -> Result<(i64, RoomNews, Option<User>), Error> {
    let room = q::rooms::by_id(tx, &coming.room_id)?;
    let first = coming.changes.first().map_or(0, |change| change.seq);
    let unknown = || if room.as_ref().is_some_and(|room| room.opened_at > began_at) { 0 } else { first - 1 };
    let after = coming.after.unwrap_or_else(unknown);
    // Erased rooms have no log.
    let changes = if coming.is_whole(after) || room.is_none() {
        coming.changes.clone()
    } else {
        q::changes::since(tx, &coming.room_id, after, CHANGES)?
    };
    let seq = changes.last().map_or(after, |change| change.seq);
    let mut news = RoomNews {
        room_id: coming.room_id.clone(),
        room: None,
        is_new: changes.iter().any(|change| change.kind == ChangeKind::RoomOpened),
        messages: Vec::new(),
        deleted: Vec::new(),
        members: Vec::new(),
        joined: Vec::new(),
        gone: Vec::new(),
        inquiry_removed: None,
        agent_changed: changes.iter().any(|change| change.kind == ChangeKind::AgentChanged),
        agent: None,
        candidates: Vec::new(),
        readers: Vec::new(),
    };
    let removed = changes.iter().find(|change| change.kind == ChangeKind::InquiryRemoved);
    news.inquiry_removed = removed.map(|change| change.reference.clone());
    let Some(room) = room else {
        read_members(tx, &changes, &[], &mut news)?;
        return Ok((seq, news, None));
    };
    read_messages(tx, &changes, &mut news)?;
    let members_change = changes.iter().any(is_of_member);
    let are_members_wanted = has_users || members_change || !readers.is_empty();
    let members = if are_members_wanted { q::subscriptions::of_room(tx, &room.id)? } else { Vec::new() };
    read_members(tx, &changes, &members, &mut news)?;
    if has_users && (news.is_new || news.agent_changed) {
        news.candidates = candidates(tx, &room)?;
    }
    let agent = match &room.served_by {
        Some(served) if news.agent_changed => q::users::by_id(tx, &served.agent.id)?,
        _ => None,
    };
    for user in readers.iter().filter(|_| !news.messages.is_empty()) {
        if RoomReader::of(tx, platform, user)?.may_read(&room) {
            news.readers.push((user.id.clone(), members.iter().any(|member| member.user_id == user.id)));
        }
    }
    // All lists show all changes of a room but those of messages that are in it already.
    if has_users && changes.iter().any(|change| change.kind != ChangeKind::MessageChanged) {
        news.members = members;
    }
    news.room = Some(RoomWithMessage::read(tx, room)?);
    Ok((seq, news, agent))
}

/// The agents who might take a room out of the queue, if it is there: who are in service and not away altogether.
fn candidates(tx: &mut Tx<'_>, room: &Room) -> Result<Vec<String>, Error> {
    let Some(inquiry) = room.inquiry.as_ref().filter(|inquiry| inquiry.status == InquiryStatus::Queued) else {
        return Ok(Vec::new());
    };
    if let Some(agent) = &inquiry.default_agent {
        return Ok(vec![agent.id.clone()]);
    }
    let candidates = q::agents::candidates(tx, room.department_id.as_deref())?.into_iter();
    let there = candidates.filter(|candidate| candidate.is_in_service && candidate.status != UserStatus::Offline);
    Ok(there.map(|candidate| candidate.id).collect())
}

/// Reads the messages that changes name, each once: those that are gone apart from the others.
fn read_messages(tx: &mut Tx<'_>, changes: &[Change], news: &mut RoomNews) -> Result<(), Error> {
    let mut named: Vec<(&str, bool)> = Vec::new();
    for change in changes {
        let is_new = match change.kind {
            ChangeKind::MessagePosted => true,
            ChangeKind::MessageChanged => false,
            _ => continue,
        };
        if !named.iter().any(|(id, _)| *id == change.reference) {
            named.push((&change.reference, is_new));
        }
    }
    let ids: Vec<&str> = named.iter().map(|(id, _)| *id).collect();
    let mut found: HashMap<String, Message> =
        q::messages::by_ids(tx, &ids)?.into_iter().map(|message| (message.id.clone(), message)).collect();
    for (id, is_new) in named {
        match found.remove(id) {
            Some(message) if !message.is_deleted => news.messages.push(Posted { message, is_new }),
            // Also of one that nobody was told of: whoever read the room in between has seen it.
            _ => news.deleted.push(id.to_owned()),
        }
    }
    Ok(())
}

/// Finds out who became a member and who is none any more.
fn read_members(tx: &mut Tx<'_>, changes: &[Change], members: &[Subscription], news: &mut RoomNews) -> Result<(), Error> {
    for change in changes.iter().filter(|change| is_of_member(change)) {
        let user_id = &change.reference;
        if members.iter().any(|member| member.user_id == *user_id) {
            if change.kind == ChangeKind::MemberAdded && !news.joined.contains(user_id) {
                news.joined.push(user_id.clone());
            }
        } else if !news.gone.iter().any(|gone| gone.user.id == *user_id) {
            let removed = q::subscriptions::removed_from(tx, user_id, &change.room_id)?.map(|removed| removed.id);
            // Those of a large visitor who is being erased go last.
            let id = match removed {
                Some(id) => Some(id),
                None => q::subscriptions::of_user_in(tx, &change.room_id, user_id)?.map(|subscription| subscription.id),
            };
            let username = q::users::by_id(tx, user_id)?.map(|user| user.username).unwrap_or_default();
            let user = Person { id: user_id.clone(), username };
            news.gone.extend(id.map(|id| Gone { id, user }));
        }
    }
    Ok(())
}

/// Whether a change is one of a member.
fn is_of_member(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::MemberAdded | ChangeKind::MemberChanged)
}
