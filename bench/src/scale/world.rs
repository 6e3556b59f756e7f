//! What the stores of `bench scale` hold: visitors with two rooms each, of which most are closed, and their messages.
//!
//! Messages are written one in every room before the next in any: a room's messages lie as far apart as they can, which is the worst case
//! for reading and for deleting them.

use usher_adapters::{SystemClock, SystemRandom};
use usher_domain::inquiry::{Inquiry, InquiryStatus};
use usher_domain::message::{Author, CLOSED, Message, STARTED};
use usher_domain::metrics::Metrics;
use usher_domain::room::{Closer, Closing, Person, Room, ServedBy};
use usher_domain::visitor::{Connection, Visitor};
use usher_domain::{Clock, id};

use super::stage::{ACCOUNT, AGENTS, PRODUCT, Stage, TARIFF};
use crate::fill::written;
use crate::session::User;

/// How many messages a room has on average.
pub const MESSAGES_OF_ROOM: usize = 10;

/// How many messages every tenth room has: more than a page.
const MANY: usize = 55;

/// How many messages all others have.
const FEW: usize = 5;

/// Of how many rooms the number of all must be a multiple: half of them are the latest of their visitors, and those repeat after 100.
pub const UNIT: usize = 200;

/// How many chats the first agent serves, however many there are: who asks for its own list is to get the same in both stores.
const CHATS_OF_FIRST_AGENT: usize = 30;

/// How long ago the first room was opened, in milliseconds.
const SPAN: i64 = 365 * 24 * 60 * 60 * 1_000;

/// The time from one message of a room to the next, in milliseconds.
const PAUSE: i64 = 20_000;

const FIRST_NAMES: [&str; 20] = [
    "Mary", "James", "Anna", "Peter", "Jürgen", "Sofia", "Chen", "Fatima", "Olga", "Luca", "Noah", "Emma", "Ravi", "Aiko", "Pedro",
    "Zoë", "Ivan", "Leila", "Hugo", "Nina",
];

const LAST_NAMES: [&str; 25] = [
    "Miller", "Jones", "Garcia", "Schmidt", "Rossi", "Novak", "Kim", "Singh", "Sato", "Costa", "Dubois", "Larsen", "Kowalski",
    "Haddad", "Okafor", "Silva", "Moreau", "Weber", "Ricci", "Horvat", "Petrov", "Nielsen", "Lopez", "Cohen", "Archer",
];

/// The tags of closed rooms.
pub const TAGS: [&str; 12] =
    ["order", "delivery", "return", "complaint", "praise", "billing", "login", "size", "colour", "repair", "spam", "other"];

/// How far a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In the queue.
    Queued,
    /// In the hands of the agent with this number.
    Served(usize),
    /// Put aside by the agent with this number.
    OnHold(usize),
    /// Closed by the agent with this number, or by the visitor.
    Closed(Option<usize>),
}

/// The contents of one store.
pub struct World {
    /// Who works with the chats.
    pub stage: Stage,
    /// How many rooms there are.
    pub rooms: usize,
    /// When the first room was opened (milliseconds UTC).
    pub begun: i64,
    /// The ids of rooms.
    pub room_ids: Vec<String>,
    /// The ids of visitors.
    pub visitor_ids: Vec<String>,
    contact_ids: Vec<String>,
}

impl World {
    /// Makes up everybody's ids.
    pub fn new(stage: Stage, rooms: usize) -> World {
        let begun = SystemClock::default().now() - SPAN;
        let ids = |count: usize| (0..count).map(|number| id::new(begun + number as i64, &SystemRandom)).collect();
        World { stage, rooms, begun, room_ids: ids(rooms), visitor_ids: ids(rooms / 2), contact_ids: ids(rooms / 2) }
    }

    /// How many visitors there are.
    pub fn visitors(&self) -> usize {
        self.rooms / 2
    }

    /// The visitor of a room.
    pub fn visitor_of(&self, room: usize) -> usize {
        room % self.visitors()
    }

    /// The token of a visitor.
    pub fn token(visitor: usize) -> String {
        format!("the token of the visitor number {visitor:07}")
    }

    /// The name of a visitor.
    pub fn name(visitor: usize) -> String {
        let (first, last) = (visitor % FIRST_NAMES.len(), visitor / FIRST_NAMES.len() % LAST_NAMES.len());
        format!("{} {}", FIRST_NAMES[first], LAST_NAMES[last])
    }

    /// The account number of a visitor.
    pub fn account(visitor: usize) -> String {
        format!("K{visitor:07}")
    }

    /// The id of the inquiry of a room.
    pub fn inquiry_id(room: usize) -> String {
        format!("{:024x}", room + 1)
    }

    /// The number that all orders have that are named in a room.
    pub fn order_number(room: usize) -> usize {
        700_000 + room
    }

    /// How many messages a room has.
    pub fn messages_of(room: usize) -> usize {
        if room % 10 == 9 { MANY } else { FEW }
    }

    /// When a room was opened (milliseconds UTC).
    pub fn opened_at(&self, room: usize) -> i64 {
        self.begun + SPAN / self.rooms as i64 * room as i64
    }

    /// The department of a room: one in 21 has none.
    pub fn department_of(&self, room: usize) -> Option<String> {
        self.stage.departments.get(room % (self.stage.departments.len() + 1)).cloned()
    }

    /// How far a room is: of all rooms 2 % are in the queue, 1.5 % are served, half a percent is on hold.
    pub fn state(&self, room: usize) -> State {
        // Rooms that differ by 1,050 have the same agent and department.
        let closed_by = (room % 35 != 34).then_some(room * 7 % AGENTS);
        let Some(later) = room.checked_sub(self.visitors()) else { return State::Closed(closed_by) };
        let (hundred, place) = (later / 100, later % 100);
        match place {
            0..4 => State::Queued,
            4..7 => match hundred * 3 + place - 4 {
                0..CHATS_OF_FIRST_AGENT => State::Served(0),
                chat => State::Served(1 + chat % (AGENTS - 1)),
            },
            7 => State::OnHold(1 + hundred % (AGENTS - 1)),
            _ => State::Closed(closed_by),
        }
    }

    /// The numbers of the rooms in the queue.
    pub fn queued(&self) -> Vec<usize> {
        self.in_state(|state| state == State::Queued)
    }

    /// The numbers of the rooms that the first agent serves.
    pub fn served_by_first(&self) -> Vec<usize> {
        self.in_state(|state| state == State::Served(0))
    }

    fn in_state(&self, is_wanted: impl Fn(State) -> bool) -> Vec<usize> {
        (self.visitors()..self.rooms).filter(|room| is_wanted(self.state(*room))).collect()
    }

    fn agent_of(&self, room: usize) -> Option<&User> {
        match self.state(room) {
            State::Queued | State::Closed(None) => None,
            State::Served(agent) | State::OnHold(agent) | State::Closed(Some(agent)) => self.stage.agents.get(agent),
        }
    }

    /// The record of a visitor.
    pub fn visitor(&self, visitor: usize) -> Visitor {
        let at = self.opened_at(visitor);
        let tariff = ["free", "small", "large"][visitor % 3];
        Visitor {
            id: self.visitor_ids[visitor].clone(),
            username: format!("guest-{visitor}"),
            name: Some(World::name(visitor)),
            email: Some(format!("visitor-{visitor}@example.com")),
            phone: Some(format!("+49 30 {visitor:08}")),
            department_id: self.department_of(visitor),
            status: "online".to_owned(),
            contact_id: self.contact_ids[visitor].clone(),
            last_chat: None,
            connection: Connection::default(),
            last_agent: None,
            fields: [(ACCOUNT, World::account(visitor)), (TARIFF, tariff.to_owned())]
                .map(|(id, value)| (id.to_owned(), value))
                .into(),
            activity: Vec::new(),
            created_at: at,
            updated_at: at,
        }
    }

    /// The record of a room, as it is after its last message, whose id is `last_message_id`.
    pub fn room(&self, room: usize, last_message_id: Option<String>) -> Room {
        let (visitor, opened_at, count) = (self.visitor_of(room), self.opened_at(room), World::messages_of(room) as i64);
        let (state, agent) = (self.state(room), self.agent_of(room).map(person));
        let is_open = !matches!(state, State::Closed(_));
        let last_ts = opened_at + PAUSE * (count - 1);
        let by_visitor = || Person { id: self.visitor_ids[visitor].clone(), username: format!("guest-{visitor}") };
        let closing = |agent: Option<Person>| {
            let closer = if agent.is_some() { Closer::User } else { Closer::Visitor };
            Closing { at: last_ts, closer, by: agent.unwrap_or_else(by_visitor) }
        };
        Room {
            visitor_id: self.visitor_ids[visitor].clone(),
            visitor_username: format!("guest-{visitor}"),
            contact_id: self.contact_ids[visitor].clone(),
            name: World::name(visitor),
            department_id: self.department_of(room),
            is_open,
            on_hold: matches!(state, State::OnHold(_)),
            served_by: agent.clone().map(|agent| ServedBy { agent, since: opened_at + PAUSE }),
            waiting_response: agent.is_none(),
            message_count: count,
            users_count: if is_open && agent.is_some() { 2 } else { 1 },
            seq: count + 1,
            last_message_id,
            last_message_at: last_ts,
            last_ts,
            visitor_last_message_at: Some(opened_at + PAUSE),
            tags: if is_open { Vec::new() } else { tags_of(room) },
            fields: if room.is_multiple_of(2) { vec![(PRODUCT.to_owned(), product_of(room))] } else { Vec::new() },
            closing: (!is_open).then(|| closing(agent.clone())),
            inquiry: is_open.then(|| inquiry(room, state, opened_at)),
            metrics: Metrics { chat_duration: (!is_open).then_some(last_ts - opened_at), ..Metrics::default() },
            updated_at: last_ts,
            ..Room::new(self.room_ids[room].clone(), opened_at)
        }
    }

    /// One of the messages of a room.
    pub fn message(&self, room: usize, turn: usize, id: &str) -> Message {
        let visitor = self.visitor_of(room);
        let by_visitor = Author {
            id: self.visitor_ids[visitor].clone(),
            username: format!("guest-{visitor}"),
            name: Some(World::name(visitor)),
            is_visitor: true,
        };
        let by_agent = self.agent_of(room).map(|agent| Author {
            id: agent.id.clone(),
            username: agent.username.clone(),
            name: None,
            is_visitor: false,
        });
        let is_last = turn + 1 == World::messages_of(room) && matches!(self.state(room), State::Closed(_));
        let (kind, text) = match turn {
            0 => (Some(STARTED), String::new()),
            _ if is_last => (Some(CLOSED), "It is on its way.".to_owned()),
            _ => (None, text(room, turn)),
        };
        let author = if turn > 0 && (turn.is_multiple_of(2) || is_last) { by_agent.unwrap_or(by_visitor) } else { by_visitor };
        let ts = self.opened_at(room) + PAUSE * turn as i64;
        Message { kind: kind.map(str::to_owned), ..written(id, &self.room_ids[room], ts, author, text) }
    }
}

fn person(user: &User) -> Person {
    Person { id: user.id.clone(), username: user.username.clone() }
}

fn tags_of(room: usize) -> Vec<String> {
    let second = room.is_multiple_of(3).then_some(room / 12 % TAGS.len()).filter(|second| *second != room % TAGS.len());
    [Some(room % TAGS.len()), second].into_iter().flatten().map(|tag| TAGS[tag].to_owned()).collect()
}

fn product_of(room: usize) -> String {
    format!("widget {}", room / 2 % 40)
}

fn inquiry(room: usize, state: State, opened_at: i64) -> Inquiry {
    let waits = state == State::Queued;
    Inquiry {
        id: World::inquiry_id(room),
        status: if waits { InquiryStatus::Queued } else { InquiryStatus::Taken },
        message: String::new(),
        default_agent: None,
        queued_at: waits.then_some(opened_at),
        taken_at: (!waits).then_some(opened_at + PAUSE),
        updated_at: opened_at,
    }
}

fn text(room: usize, turn: usize) -> String {
    let order = World::order_number(room);
    match turn % 4 {
        0 => format!("I am looking for order {order}, one moment please. Could you tell me the colour and the size as well?"),
        1 => format!("Hello, is the blue one of order {order} still to be had in a larger size? I would need it by Friday."),
        2 => "Yes, it is. Shall I send it to the same address as last time?".to_owned(),
        _ => format!("That would be wonderful, thank you. Message {turn} of this chat, by the way."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_those_that_are_told() {
        let agents: Vec<User> = (0..AGENTS).map(|_| User::example()).collect();
        let stage = Stage { administrator: User::example(), agents, departments: vec![String::new(); 20] };
        for rooms in [2_000, 20_000] {
            let world = World::new(stage.clone(), rooms);
            let count = |is_wanted: fn(State) -> bool| (0..rooms).filter(|room| is_wanted(world.state(*room))).count();
            assert_eq!(world.queued().len(), rooms / 50);
            assert_eq!(count(|state| matches!(state, State::Served(_))), rooms * 3 / 200);
            assert_eq!(count(|state| matches!(state, State::OnHold(_))), rooms / 200);
            assert_eq!(world.served_by_first().len(), CHATS_OF_FIRST_AGENT);
            assert_eq!((0..rooms).map(World::messages_of).sum::<usize>(), rooms * MESSAGES_OF_ROOM);
        }
    }
}
