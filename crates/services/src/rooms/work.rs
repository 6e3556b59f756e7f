//! A room in the hands of a use case.

use serde_json::{Map, Value};
use usher_domain::id::Sequence;
use usher_domain::message::{Author, COMMAND, JOINED, LEFT, Message};
use usher_domain::room::{Person, Room, ServedBy, next_message_ts};
use usher_domain::subscription::Subscription;
use usher_domain::user::SYSTEM_USER;
use usher_domain::{Change, ChangeKind};
use usher_store::{Tx, q};

use super::routing::Rules;
use crate::Error;

/// A room that a transaction changes. Nothing of the record is stored before [`RoomWork::finish`].
pub(crate) struct RoomWork<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The room as it is by now.
    pub room: Room,
    /// New ids.
    pub ids: &'a mut Sequence,
    /// The time of the work (milliseconds UTC).
    pub now: i64,
}

/// A message by which the server says that something happened.
pub(crate) struct SystemMessage {
    /// The type; `None` for one that looks like those that people write.
    pub kind: Option<&'static str>,
    /// The text.
    pub text: String,
    /// Who it was.
    pub author: Author,
    /// What only messages of this type have.
    pub details: Map<String, Value>,
    /// Whether it counts as news: becomes the latest message of the room, and its members have not read it.
    pub is_news: bool,
    /// Whether no history shows it.
    pub is_hidden: bool,
}

impl SystemMessage {
    /// A message without text that is no news.
    pub(crate) fn quiet(kind: &'static str, author: Author) -> SystemMessage {
        SystemMessage { kind: Some(kind), text: String::new(), author, details: Map::new(), is_news: false, is_hidden: false }
    }
}

/// The user in whose name the server itself acts.
pub(crate) fn system_user() -> Person {
    Person { id: SYSTEM_USER.to_owned(), username: SYSTEM_USER.to_owned() }
}

impl<'a, 'c> RoomWork<'a, 'c> {
    /// Takes a room into hand.
    pub(crate) fn on(tx: &'a mut Tx<'c>, room: Room, ids: &'a mut Sequence, now: i64) -> RoomWork<'a, 'c> {
        RoomWork { tx, room, ids, now }
    }

    /// Notes a change in the log.
    pub(crate) fn note(&mut self, kind: ChangeKind, reference: &str) -> Result<(), Error> {
        self.room.seq += 1;
        self.room.updated_at = self.now;
        let change = Change { room_id: self.room.id.clone(), seq: self.room.seq, kind, reference: reference.to_owned() };
        Ok(q::changes::record(self.tx, change)?)
    }

    /// Notes that the record changed, and stores it.
    pub(crate) fn finish(mut self) -> Result<Room, Error> {
        let id = self.room.id.clone();
        self.note(ChangeKind::RoomChanged, &id)?;
        q::rooms::save(self.tx, &self.room)?;
        Ok(self.room)
    }

    /// Adds a message of the server.
    pub(crate) fn post(&mut self, system: SystemMessage) -> Result<Message, Error> {
        let id = self.ids.next_id();
        let ts = next_message_ts(self.now, self.room.last_ts);
        self.post_at(system, id, ts)
    }

    /// Adds a message of the server with an id and a time that are known already.
    pub(crate) fn post_at(&mut self, system: SystemMessage, id: String, ts: i64) -> Result<Message, Error> {
        let message = Message {
            id,
            room_id: self.room.id.clone(),
            ts,
            kind: system.kind.map(str::to_owned),
            text: system.text,
            author: system.author,
            edited: None,
            is_hidden: system.is_hidden,
            is_deleted: false,
            details: system.details,
            updated_at: self.now,
        };
        if !q::messages::insert(self.tx, &message)? {
            return Err(Error::Broken("an id that was made just now is taken"));
        }
        self.room.message_count += 1;
        self.room.last_ts = ts;
        if system.is_news {
            self.room.last_message_id = Some(message.id.clone());
            self.room.last_message_at = ts;
            self.note_unread(&message.author.id, true)?;
        }
        self.note(ChangeKind::MessagePosted, &message.id)?;
        Ok(message)
    }

    /// Notes for the members but `author_id` that there is something new; `counts` says whether it counts as unread.
    pub(crate) fn note_unread(&mut self, author_id: &str, counts: bool) -> Result<(), Error> {
        if self.room.users_count > 1 {
            q::subscriptions::note_unread(self.tx, &self.room.id, author_id, i64::from(counts), self.now)?;
        }
        Ok(())
    }

    /// Puts the room into a user's list, unless it is there. Gives whether it was new.
    pub(crate) fn add_member(&mut self, person: &Person, mentions: i64) -> Result<bool, Error> {
        if q::subscriptions::of_user_in(self.tx, &self.room.id, &person.id)?.is_some() {
            return Ok(false);
        }
        let subscription = Subscription {
            id: self.ids.next_id(),
            room_id: self.room.id.clone(),
            user_id: person.id.clone(),
            username: person.username.clone(),
            unread: 1,
            mentions,
            alert: true,
            is_shown: true,
            is_favorite: false,
            last_seen_at: None,
            created_at: self.now,
            updated_at: self.now,
        };
        q::subscriptions::insert(self.tx, &subscription)?;
        self.room.users_count += 1;
        self.note(ChangeKind::MemberAdded, &person.id)?;
        Ok(true)
    }

    /// Takes the room out of the lists of all of its members but `keep`. Gives who they were.
    pub(crate) fn remove_members(&mut self, keep: Option<&str>) -> Result<Vec<Person>, Error> {
        let mut removed = Vec::new();
        for subscription in q::subscriptions::of_room(self.tx, &self.room.id)? {
            if keep == Some(subscription.user_id.as_str()) {
                continue;
            }
            q::subscriptions::remove(self.tx, &subscription, self.now)?;
            self.room.users_count -= 1;
            self.note(ChangeKind::MemberChanged, &subscription.user_id)?;
            removed.push(Person { id: subscription.user_id, username: subscription.username });
        }
        Ok(removed)
    }

    /// Gives the room to an agent, who from now on serves it. Only whoever may have it comes here.
    pub(crate) fn give_to(&mut self, agent: &Person) -> Result<(), Error> {
        if let Some(inquiry) = &mut self.room.inquiry {
            inquiry.take(self.now);
        }
        self.add_member(agent, 1)?;
        self.room.served_by = Some(ServedBy { agent: agent.clone(), since: self.now });
        self.note(ChangeKind::AgentChanged, &self.room.id.clone())?;
        let connected = SystemMessage { text: "connected".to_owned(), ..SystemMessage::quiet(COMMAND, agent.into()) };
        self.post(connected)?;
        self.post(SystemMessage::quiet(JOINED, agent.into()))?;
        Ok(())
    }

    /// Gives the room to an agent whom nobody but the server chose.
    pub(crate) fn assign(&mut self, agent: &Person, rules: &Rules) -> Result<(), Error> {
        self.give_to(agent)?;
        if rules.remembers_last_agent {
            q::visitors::set_last_agent(self.tx, &self.room.visitor_id, agent, self.now)?;
        }
        Ok(())
    }

    /// Takes the room from its agent and out of everybody's list, and puts it back into the queue.
    pub(crate) fn take_back(&mut self) -> Result<(), Error> {
        self.room.served_by = None;
        self.room.queued_at = self.now;
        self.room.abandonment_at = None;
        for person in self.remove_members(None)? {
            let text = person.username.clone();
            self.post(SystemMessage { text, ..SystemMessage::quiet(LEFT, Author::from(&person)) })?;
        }
        self.note(ChangeKind::AgentChanged, &self.room.id.clone())?;
        if let Some(inquiry) = &mut self.room.inquiry {
            inquiry.queue(self.now);
        }
        Ok(())
    }
}
