//! The calls that `bench scale` makes: single ones that may not grow with what is stored, lists with their totals, and searches.

use serde_json::{Value, json};

use super::stage::PRODUCT;
use super::world::{MESSAGES_OF_ROOM, TAGS, World};
use crate::calls::{CLOSE, POST_MESSAGE, SEND_MESSAGE, TAKE};
use crate::load::{TEXT, encoded, request};

/// How many entries a page has.
const PAGE: usize = 50;

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// How fast something has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// With all the data it takes at most three times as long as with a hundredth.
    Steady,
    /// It takes at most 50 ms, 99 times of 100.
    Listed,
    /// It takes at most 200 ms, 99 times of 100.
    Searched,
    /// Nobody waits for it.
    None,
}

/// How often something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// As often as one likes.
    Always,
    /// No more often than half of the smaller store's queue is long.
    WhileChatsWait,
    /// For no more than a few visitors.
    Seldom,
}

/// What is called.
pub struct Operation {
    /// Its name in the table.
    pub name: &'static str,
    /// How fast it has to be.
    pub goal: Goal,
    /// How often it can be done.
    pub often: Often,
    /// The call number `n`.
    pub request: fn(world: &World, n: Turn) -> Vec<u8>,
    /// The list in the answer that may not be empty, or what the answer must have.
    pub member: &'static str,
}

/// The number of a call, and how many there are of its kind.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The number.
    pub call: usize,
    /// How many there are.
    pub calls: usize,
}

impl Turn {
    /// One of `count` things: over all calls they are spread evenly, and met in no order.
    fn spread(self, count: usize) -> usize {
        // Steps of a prime number that is greater than the number of calls meet every place once.
        self.call * 7_919 % self.calls * count / self.calls
    }

    /// The room with many messages that this call is for. Every tenth has them, and all that end so are closed.
    fn long_room(self, world: &World) -> usize {
        self.spread(world.rooms / 10) * 10 + 9
    }
}

const fn steady(name: &'static str, member: &'static str, request: fn(&World, Turn) -> Vec<u8>) -> Operation {
    Operation { name, goal: Goal::Steady, often: Often::Always, request, member }
}

const fn listed(name: &'static str, member: &'static str, request: fn(&World, Turn) -> Vec<u8>) -> Operation {
    Operation { name, goal: Goal::Listed, often: Often::Always, request, member }
}

const fn searched(name: &'static str, member: &'static str, request: fn(&World, Turn) -> Vec<u8>) -> Operation {
    Operation { name, goal: Goal::Searched, often: Often::Always, request, member }
}

/// All that is called, in this order: visitors who are registered open rooms next, and chats that are taken are closed next.
pub const OPERATIONS: &[Operation] = &[
    steady("history page, the newest 50", "messages", |world, turn| {
        let room = turn.long_room(world);
        let (id, token) = (&world.room_ids[room], encoded(&World::token(world.visitor_of(room))));
        request("GET", &format!("/api/v1/livechat/messages.history/{id}?token={token}&limit={PAGE}"), &Value::Null)
    }),
    steady("the same for an agent, with its total", "messages", |world, turn| {
        let id = &world.room_ids[turn.long_room(world)];
        as_administrator(world, &format!("/api/v1/livechat/{id}/messages?count={PAGE}"))
    }),
    steady("a room", "room", |world, turn| {
        let id = &world.room_ids[turn.spread(world.rooms)];
        as_administrator(world, &format!("/api/v1/rooms.info?roomId={id}"))
    }),
    steady("a place in the queue", "inquiry", |world, turn| {
        let queued = world.queued();
        let id = &world.room_ids[queued[turn.spread(queued.len())]];
        as_agent(world, &format!("/api/v1/livechat/inquiries.getOne?roomId={id}"))
    }),
    steady("subscriptions of an agent who serves 30 chats", "update", |world, _| as_agent(world, "/api/v1/subscriptions.get")),
    steady("rooms of the same agent", "update", |world, _| as_agent(world, "/api/v1/rooms.get")),
    listed("livechat/rooms", "rooms", |world, _| rooms(world, "")),
    listed("livechat/rooms, the 10 pages after half of them", "rooms", |world, turn| {
        rooms(world, &format!("&offset={}", world.rooms / 2 + turn.call % 10 * PAGE))
    }),
    listed("livechat/rooms, open=true", "rooms", |world, _| rooms(world, "&open=true")),
    listed("livechat/rooms, open=false", "rooms", |world, _| rooms(world, "&open=false")),
    listed("livechat/rooms, queued=true", "rooms", |world, _| rooms(world, "&queued=true")),
    listed("livechat/rooms, onhold=true", "rooms", |world, _| rooms(world, "&onhold=true")),
    listed("livechat/rooms, an agent", "rooms", |world, turn| rooms(world, &agent(world, turn))),
    listed("livechat/rooms, an agent, open=true, asked by the agent", "rooms", |world, _| {
        let path = format!("/api/v1/livechat/rooms?count={PAGE}&open=true&{}={}", encoded("agents[]"), world.stage.agents[0].id);
        as_agent(world, &path)
    }),
    listed("livechat/rooms, an agent, open=false", "rooms", |world, turn| rooms(world, &(agent(world, turn) + "&open=false"))),
    listed("livechat/rooms, a department", "rooms", |world, turn| rooms(world, &department(world, turn))),
    listed("livechat/rooms, a department, open=false", "rooms", |world, turn| {
        rooms(world, &(department(world, turn) + "&open=false"))
    }),
    listed("livechat/rooms, a department and an agent", "rooms", |world, turn| {
        rooms(world, &(department(world, turn) + &agent_of_department(world, turn)))
    }),
    listed("livechat/rooms, opened within a month", "rooms", |world, turn| rooms(world, &span("createdAt", world, turn))),
    listed("livechat/rooms, closed within a month", "rooms", |world, turn| rooms(world, &span("closedAt", world, turn))),
    listed("livechat/rooms, opened within a month, a department, open=false", "rooms", |world, turn| {
        rooms(world, &(span("createdAt", world, turn) + &department(world, turn) + "&open=false"))
    }),
    listed("livechat/rooms, a tag", "rooms", |world, turn| rooms(world, &tag(world, turn))),
    listed("livechat/rooms, a tag, a department, open=false", "rooms", |world, turn| {
        rooms(world, &(tag(world, turn) + &department(world, turn) + "&open=false"))
    }),
    listed("livechat/rooms, a custom field", "rooms", |world, turn| {
        let fields = json!({PRODUCT: format!("widget {}", turn.call % 40)}).to_string();
        rooms(world, &format!("&customFields={}", encoded(&fields)))
    }),
    listed("livechat/rooms, a whole name", "rooms", |world, turn| {
        let name = format!("\"{}\"", World::name(turn.call));
        rooms(world, &format!("&roomName={}", encoded(&name)))
    }),
    listed("livechat/rooms, by name", "rooms", |world, _| rooms(world, &sorted(r#"{"fname":1}"#))),
    listed("livechat/rooms, by the time of closing", "rooms", |world, _| rooms(world, &sorted(r#"{"closedAt":-1}"#))),
    listed("livechat/rooms, by the latest message, open=true", "rooms", |world, _| {
        rooms(world, &(sorted(r#"{"lm":-1}"#) + "&open=true"))
    }),
    listed("visitors.search, everybody", "visitors", |world, _| visitors(world, "", "")),
    listed("visitors.search, everybody, by the latest chat", "visitors", |world, _| {
        visitors(world, "", &sorted(r#"{"lastChat.ts":-1}"#))
    }),
    listed("visitors.search, everybody, after half of them", "visitors", |world, _| {
        visitors(world, "", &format!("&offset={}", world.visitors() / 2))
    }),
    listed("visitors.chatHistory", "history", |world, turn| {
        let visitor = turn.spread(world.visitors());
        let (room, visitor) = (&world.room_ids[visitor], &world.visitor_ids[visitor]);
        as_administrator(world, &format!("/api/v1/livechat/visitors.chatHistory/room/{room}/visitor/{visitor}?count={PAGE}"))
    }),
    listed("inquiries.list", "inquiries", |world, _| {
        as_administrator(world, &format!("/api/v1/livechat/inquiries.list?count={PAGE}"))
    }),
    listed("inquiries.list, a department", "inquiries", |world, turn| {
        let departments: Vec<String> = world.queued().into_iter().filter_map(|room| world.department_of(room)).collect();
        let department = &departments[turn.call % departments.len()];
        as_administrator(world, &format!("/api/v1/livechat/inquiries.list?count={PAGE}&department={department}"))
    }),
    listed("inquiries.queuedForUser", "inquiries", |world, _| {
        as_agent(world, &format!("/api/v1/livechat/inquiries.queuedForUser?count={PAGE}"))
    }),
    listed("livechat/queue", "queue", |world, _| {
        as_administrator(world, &format!("/api/v1/livechat/queue?includeOfflineAgents=true&count={PAGE}"))
    }),
    listed("livechat/department", "departments", |world, _| as_administrator(world, "/api/v1/livechat/department?count=50")),
    listed("livechat/custom-fields", "customFields", |world, _| as_administrator(world, "/api/v1/livechat/custom-fields?count=50")),
    listed("livechat/users/agent", "users", |world, _| as_administrator(world, "/api/v1/livechat/users/agent?count=50")),
    searched("visitors.search, a name of many", "visitors", |world, turn| {
        visitors(world, ["jones", "SATO", "ova"][turn.call % 3], "")
    }),
    searched("visitors.search, a name of many, by the latest chat", "visitors", |world, turn| {
        visitors(world, ["jones", "SATO", "ova"][turn.call % 3], &sorted(r#"{"lastChat.ts":-1}"#))
    }),
    searched("visitors.search, the value of a field", "visitors", |world, turn| {
        visitors(world, &World::account(turn.spread(world.visitors())), "")
    }),
    searched("visitors.search, an e-mail address", "visitors", |world, turn| {
        visitors(world, &format!("visitor-{}@example.com", turn.spread(world.visitors())), "")
    }),
    searched("visitors.search, what nobody has", "", |world, _| visitors(world, "zebra", "")),
    searched("visitors.autocomplete", "items", |world, turn| {
        let selector = json!({"term": (["ma", "Peter", "zo"][turn.call % 3])}).to_string();
        as_administrator(world, &format!("/api/v1/livechat/visitors.autocomplete?selector={}", encoded(&selector)))
    }),
    searched("livechat/rooms, part of a name", "rooms", |world, turn| {
        rooms(world, &format!("&roomName={}", ["jones", "SATO", "ova"][turn.call % 3]))
    }),
    searched("livechat/rooms, part of a name, open=false", "rooms", |world, turn| {
        rooms(world, &format!("&roomName={}&open=false", ["jones", "SATO", "ova"][turn.call % 3]))
    }),
    searched("livechat/rooms, part of a name that nobody has", "", |world, _| rooms(world, "&roomName=zebra")),
    searched("livechat/{rid}/messages, a term", "messages", |world, turn| {
        let id = &world.room_ids[turn.long_room(world)];
        as_administrator(world, &format!("/api/v1/livechat/{id}/messages?count={PAGE}&searchTerm=larger"))
    }),
    searched("chat.search", "messages", |world, turn| {
        let served = world.served_by_first();
        let id = &world.room_ids[served[turn.spread(served.len())]];
        as_agent(world, &format!("/api/v1/chat.search?roomId={id}&searchText=larger&count={PAGE}"))
    }),
    searched("visitors.searchChats", "history", |world, turn| {
        let visitor = turn.spread(world.visitors());
        let (room, id, text) = (&world.room_ids[visitor], &world.visitor_ids[visitor], World::order_number(visitor));
        let path = format!("/api/v1/livechat/visitors.searchChats/room/{room}/visitor/{id}?searchText={text}&count={PAGE}");
        as_administrator(world, &path)
    }),
    steady("registration", "visitor", |_, turn| {
        let email = format!("fresh-{}@example.com", turn.call);
        let body = json!({"visitor": {"token": fresh(turn), "name": "A fresh visitor", "email": email}});
        request("POST", "/api/v1/livechat/visitor", &body)
    }),
    steady("room opening", "room", |_, turn| {
        request("GET", &format!("/api/v1/livechat/room?token={}", encoded(&fresh(turn))), &Value::Null)
    }),
    steady("message of a visitor", "message", |world, turn| {
        let queued = world.queued();
        let room = queued[turn.spread(queued.len())];
        let (token, id) = (World::token(world.visitor_of(room)), format!("scale-{:011}", turn.call));
        request("POST", POST_MESSAGE.path, &json!({"token": token, "rid": world.room_ids[room], "msg": TEXT, "_id": id}))
    }),
    steady("message of an agent", "message", |world, turn| {
        let served = world.served_by_first();
        let (room, id) = (served[turn.spread(served.len())], format!("agent-{:011}", turn.call));
        let body = json!({"message": {"rid": world.room_ids[room], "msg": TEXT, "_id": id}});
        world.stage.agents[0].request("POST", SEND_MESSAGE.path, &body)
    }),
    Operation {
        name: "take",
        goal: Goal::Steady,
        often: Often::WhileChatsWait,
        request: |world, turn| {
            let body = json!({"inquiryId": World::inquiry_id(taken(world, turn))});
            world.stage.agents[0].request("POST", TAKE.path, &body)
        },
        member: "",
    },
    Operation {
        name: "close",
        goal: Goal::Steady,
        often: Often::WhileChatsWait,
        request: |world, turn| {
            let body = json!({"rid": world.room_ids[taken(world, turn)], "comment": "It is on its way."});
            world.stage.agents[0].request("POST", CLOSE.path, &body)
        },
        member: "",
    },
    Operation {
        name: "DELETE of a visitor, its answer",
        goal: Goal::Steady,
        often: Often::Seldom,
        request: |world, turn| {
            let token = World::token(turn.spread(world.visitors()));
            request("DELETE", &format!("/api/v1/livechat/visitor/{}", encoded(&token)), &Value::Null)
        },
        member: "visitor",
    },
];

/// What follows on a DELETE, until nothing of the visitor is in any file.
pub const SEALING: Operation = Operation {
    name: "(sealing after that DELETE, no goal)",
    goal: Goal::None,
    often: Often::Seldom,
    request: |_, _| request("GET", "/metrics", &Value::Null),
    member: "",
};

impl Operation {
    /// Whether it leaves something to seal.
    pub fn erases(&self) -> bool {
        self.often == Often::Seldom
    }

    /// How often it is called if others are called `calls` times, and the smaller store has so many rooms.
    pub fn calls(&self, calls: usize, smaller_rooms: usize) -> usize {
        let most = match self.often {
            Often::Always => usize::MAX,
            Often::WhileChatsWait => smaller_rooms / 100,
            Often::Seldom => 50.min(smaller_rooms / MESSAGES_OF_ROOM),
        };
        calls.min(most).max(1)
    }

    /// Whether an answer is what it should be.
    pub fn is_right(&self, answer: &Value) -> bool {
        let is_there = match &answer[self.member] {
            _ if self.member.is_empty() => true,
            Value::Array(list) => !list.is_empty(),
            Value::Object(_) => true,
            _ => false,
        };
        is_there && answer["success"] == true
    }
}

fn as_administrator(world: &World, path: &str) -> Vec<u8> {
    world.stage.administrator.request("GET", path, &Value::Null)
}

fn as_agent(world: &World, path: &str) -> Vec<u8> {
    world.stage.agents[0].request("GET", path, &Value::Null)
}

fn rooms(world: &World, narrowed: &str) -> Vec<u8> {
    as_administrator(world, &format!("/api/v1/livechat/rooms?count={PAGE}{narrowed}"))
}

fn visitors(world: &World, term: &str, more: &str) -> Vec<u8> {
    as_administrator(world, &format!("/api/v1/livechat/visitors.search?count={PAGE}&term={}{more}", encoded(term)))
}

fn sorted(by: &str) -> String {
    format!("&sort={}", encoded(by))
}

fn agent(world: &World, turn: Turn) -> String {
    format!("&{}={}", encoded("agents[]"), world.stage.agents[turn.call % world.stage.agents.len()].id)
}

fn department(world: &World, turn: Turn) -> String {
    format!("&departmentId={}", world.stage.departments[turn.call % world.stage.departments.len()])
}

/// An agent who closed chats of that department: rooms with numbers that differ by 1,050 have the same agent and department.
fn agent_of_department(world: &World, turn: Turn) -> String {
    let agents = &world.stage.agents;
    format!("&{}={}", encoded("agents[]"), agents[turn.call % world.stage.departments.len() * 7 % agents.len()].id)
}

/// A tag that chats of that department have.
fn tag(world: &World, turn: Turn) -> String {
    format!("&{}={}", encoded("tags[]"), TAGS[turn.call % world.stage.departments.len() % TAGS.len()])
}

/// A month somewhere in the time in which there were rooms.
fn span(name: &str, world: &World, turn: Turn) -> String {
    let start = world.begun + DAY * (turn.call % 11) as i64 * 30;
    let moment = |at: i64| usher_domain::time::iso(at);
    let span = json!({"start": moment(start), "end": moment(start + 30 * DAY)}).to_string();
    format!("&{name}={}", encoded(&span))
}

/// The token of a visitor that this benchmark registers.
fn fresh(turn: Turn) -> String {
    format!("a fresh visitor {:07}", turn.call)
}

/// The room in the queue that the call with this number takes, and later closes.
fn taken(world: &World, turn: Turn) -> usize {
    world.queued()[turn.call]
}
