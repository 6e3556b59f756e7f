//! The race for a chat: of fifty agents who want it at the same moment exactly one gets it, every time.

use std::sync::{Barrier, Mutex};

use rusqlite::Connection;
use serde_json::{Value, json};
use usher_testkit::engines::Folder;
use usher_testkit::postgres;

use crate::common::agents::{insist, make_agent, register, room, server_of, text};
use crate::common::figures::{grouped, scale, seconds};
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::wait::Stopwatch;

/// How many want each chat.
const AGENTS: usize = 50;

/// How many chats there are when all is tried.
const ROUNDS: usize = 1_000;

/// How many of those who lost try to read the chat, each time.
const READERS: usize = 3;

/// A server on which agents help themselves.
fn setup(folder: &Folder, name: &str) -> Setup {
    Setup::usual(&folder.path().join(name)).variable("OVERWRITE_SETTING_Livechat_Routing_Method", "Manual_Selection")
}

/// An agent with a connection of its own.
struct Racer {
    session: Session,
    client: Client,
}

impl Racer {
    /// Tries to take one of these chats. Gives whether that succeeded.
    fn take(&self, inquiry: &str) -> bool {
        let body = json!({"inquiryId": inquiry, "options": {"clientAction": true}});
        let answer = insist(|| self.session.call(&self.client, "POST", "/api/v1/livechat/inquiries.take", &body));
        if answer.status == 200 {
            return true;
        }
        let already = json!({"success": false, "error": "Inquiry already taken [error-inquiry-taken]",
            "errorType": "error-inquiry-taken"});
        assert_eq!((answer.status, answer.json()), (400, already), "what those are told who lose");
        false
    }

    /// Whether the agent may read a room.
    fn reads(&self, room: &str) -> bool {
        let path = format!("/api/v1/livechat/{room}/messages");
        insist(|| self.session.call(&self.client, "GET", &path, &Value::Null)).status == 200
    }
}

/// All who race, spread over the servers, and the administrator.
struct Field {
    racers: Vec<Racer>,
    administrator: Session,
    client: Client,
}

impl Field {
    fn new(servers: &[&Server]) -> Field {
        let client = servers[0].client();
        let administrator = Session::of_administrator(&client);
        let racer = |number: usize| Racer {
            session: make_agent(&administrator, &client, &format!("agent-{number}")),
            client: servers[number % servers.len()].client(),
        };
        let racers = (0..AGENTS).map(racer).collect();
        Field { racers, administrator, client }
    }

    /// A new chat: the room and its place in the queue.
    fn chat(&self, token: &str) -> (String, String) {
        register(&self.client, token);
        let room = text(&room(&self.client, token), "_id");
        let path = format!("/api/v1/livechat/inquiries.getOne?roomId={room}");
        let one = self.administrator.demand(&self.client, "GET", &path, &Value::Null);
        (room, text(&one["inquiry"], "_id"))
    }

    /// Lets everybody take a chat at the same moment, as often as `prepare` gives some: each takes one of those, in turn. `check` gets
    /// the numbers of those who succeeded.
    fn race(&self, mut prepare: impl FnMut() -> Option<Vec<String>>, mut check: impl FnMut(Vec<usize>)) {
        let (barrier, wanted) = (&Barrier::new(AGENTS + 1), &Mutex::new(None::<Vec<String>>));
        let winners = &Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (number, racer) in self.racers.iter().enumerate() {
                scope.spawn(move || {
                    loop {
                        barrier.wait();
                        let Some(inquiries) = wanted.lock().expect("nobody panicked").clone() else { return };
                        if racer.take(&inquiries[number % inquiries.len()]) {
                            winners.lock().expect("nobody panicked").push(number);
                        }
                        barrier.wait();
                    }
                });
            }
            loop {
                let inquiries = prepare();
                let is_over = inquiries.is_none();
                *wanted.lock().expect("nobody panicked") = inquiries;
                barrier.wait();
                if is_over {
                    return;
                }
                barrier.wait();
                check(std::mem::take(&mut winners.lock().expect("nobody panicked")));
            }
        });
    }
}

/// Races for one chat after the other; gives how many there were.
fn race(engine: &str, servers: &[&Server]) -> usize {
    let (rounds, field) = (scale().of(ROUNDS, ROUNDS / 10), Field::new(servers));
    let (watch, round) = (Stopwatch::start(), &std::cell::Cell::new(0));
    let current = &std::cell::RefCell::new(String::new());
    let prepare = || {
        round.set(round.get() + 1);
        if round.get() > rounds {
            return None;
        }
        let (room, inquiry) = field.chat(&format!("visitor-{}", round.get()));
        current.replace(room);
        Some(vec![inquiry])
    };
    let check = |winners: Vec<usize>| {
        let (round, id) = (round.get(), current.borrow());
        assert_eq!(winners.len(), 1, "{engine}, round {round}: one of {AGENTS} gets the chat, but {winners:?} were told they did");
        let winner = winners[0];
        let shown = room(&field.client, &format!("visitor-{round}"));
        assert_eq!(server_of(&shown), Some(format!("agent-{winner}").as_str()), "{engine}, round {round}: who serves the chat");
        assert_eq!(shown["usersCount"], 2, "{engine}, round {round}: the visitor and one agent are in it");
        assert!(field.racers[winner].reads(&id), "{engine}, round {round}: who serves the chat reads it");
        for loser in (1..=READERS).map(|step| (winner + step * 7) % AGENTS) {
            assert!(!field.racers[loser].reads(&id), "{engine}, round {round}: agent-{loser} lost and reads it all the same");
        }
    };
    field.race(prepare, check);
    println!(
        "race for a chat on {engine}: {} rounds of {AGENTS} agents in {}: one got it, every time",
        grouped(rounds),
        seconds(watch.elapsed())
    );
    rounds
}

/// The negative control: where there are two chats, the same race has two winners.
fn two_chats_have_two_winners(server: &Server) {
    let field = Field::new(&[server]);
    let mut chats = Some(["one", "two"].map(|token| field.chat(token).1).to_vec());
    let mut won = Vec::new();
    field.race(|| chats.take(), |winners| won = winners);
    assert_eq!(won.len(), 2, "two of {AGENTS} get one of two chats each");
}

#[test]
fn one_agent_gets_the_chat() {
    let folder = Folder::default();
    let setup = setup(&folder, "server");
    let server = Server::start(&setup).expect("the server starts");
    let rounds = race("SQLite", &[&server]);
    server.stop();
    let file = Connection::open(setup.database()).expect("the stopped server's file opens");
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("rows can be counted");
    for sql in [
        "SELECT count(*) FROM messages WHERE kind = 'command' AND text = 'connected'",
        "SELECT count(*) FROM messages WHERE kind = 'uj'",
        "SELECT count(*) FROM subscriptions",
        "SELECT count(DISTINCT room_id) FROM subscriptions",
        "SELECT count(*) FROM routing_decisions WHERE cause = 'taken'",
    ] {
        assert_eq!(count(sql), rounds as i64, "{sql}");
    }
}

#[test]
fn a_race_for_two_chats_has_two_winners() {
    let folder = Folder::default();
    let server = Server::start(&setup(&folder, "server")).expect("the server starts");
    two_chats_have_two_winners(&server);
}

#[test]
fn one_agent_gets_the_chat_on_postgres() {
    race_on_postgres("PostgreSQL", 1);
}

#[test]
fn one_agent_gets_the_chat_on_two_servers() {
    race_on_postgres("PostgreSQL with two servers", 2);
}

fn race_on_postgres(engine: &str, processes: usize) {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let servers: Vec<Server> = (0..processes)
        .map(|number| {
            let setup = setup(&folder, &number.to_string()).with("--database-url", &database.url).with("--files-url", "off");
            Server::start(&setup).expect("the server starts")
        })
        .collect();
    let rounds = race(engine, &servers.iter().collect::<Vec<_>>());
    let dump = String::from_utf8(database.dump()).expect("a dump is text");
    let rows = |table: &str, part: &str| {
        let (_, rest) = dump.split_once(&format!("COPY public.{table} (")).expect("the table is in the dump");
        rest.lines().skip(1).take_while(|line| *line != "\\.").filter(|line| line.contains(part)).count()
    };
    let found = [rows("messages", "\tcommand\tconnected\t"), rows("messages", "\tuj\t"), rows("subscriptions", "")];
    assert_eq!(found, [rounds; 3], "{engine}: each chat has one agent, who joined it once");
}
