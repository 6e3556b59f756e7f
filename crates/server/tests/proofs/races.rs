//! Races: however many register or ask for their room at the same moment with one token, there is one visitor and one open room.

use std::collections::HashSet;
use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use usher_testkit::engines::Folder;
use usher_testkit::postgres::{self, Database};

use crate::common::figures::{grouped, seconds};
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::wait::{PATIENCE, Stopwatch};

/// How many call at the same moment.
const RACERS: usize = 1_000;

/// How many files this process and each server must be able to open: a connection is one.
const FILES: usize = 4 * RACERS;

/// How long a racer waits before it tries again what was answered 503.
const PAUSE: Duration = Duration::from_millis(20);

/// What a race came to.
struct Outcome {
    /// The last answer that each racer got.
    answers: Vec<Value>,
    /// How many answers were 503, each tried again.
    busy: usize,
    /// How long the last of them took.
    took: Duration,
}

/// Lets all racers make the same call at the same moment, spread over the servers.
fn race(servers: &[&Server], method: &str, path: &str, body: &Value) -> Outcome {
    let barrier = &Barrier::new(RACERS);
    let results: Vec<(Value, usize, Duration)> = std::thread::scope(|scope| {
        let start = |number: usize| {
            let client = servers[number % servers.len()].client();
            scope.spawn(move || run(&client, barrier, method, path, body))
        };
        let racers: Vec<_> = (0..RACERS).map(start).collect();
        racers.into_iter().map(|racer| racer.join().expect("a racer gets through")).collect()
    });
    Outcome {
        busy: results.iter().map(|(_, busy, _)| busy).sum(),
        took: results.iter().map(|(_, _, took)| *took).max().unwrap_or_default(),
        answers: results.into_iter().map(|(answer, ..)| answer).collect(),
    }
}

/// One racer: its last answer, how often it was told to come again, and how long it took.
fn run(client: &Client, barrier: &Barrier, method: &str, path: &str, body: &Value) -> (Value, usize, Duration) {
    // The connection is there when the race begins.
    let greeting = client.get("/health");
    barrier.wait();
    assert!(greeting.is_ok_and(|answer| answer.status == 200), "the server answers");
    let (watch, mut busy) = (Stopwatch::start(), 0);
    loop {
        let answer = client.call(method, path, &[], body).expect("the server answers");
        match answer.status {
            200 => return (answer.json(), busy, watch.elapsed()),
            503 => busy += 1,
            status => panic!("{method} {path}: {status} {}", answer.text),
        }
        assert!(watch.elapsed() < PATIENCE, "{method} {path}: still busy after {busy} tries");
        std::thread::park_timeout(PAUSE);
    }
}

/// The different texts at `pointer` in the answers.
fn texts(answers: &[Value], pointer: &str) -> HashSet<String> {
    let text = |answer: &Value| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    answers.iter().map(|answer| text(answer).unwrap_or_else(|| panic!("{pointer} is missing: {answer}"))).collect()
}

/// How many answers say that they opened the room.
fn openers(answers: &[Value]) -> usize {
    answers.iter().filter(|answer| answer["newRoom"] == true).count()
}

/// Both races with one token.
fn race_for(token: &str, engine: &str, servers: &[&Server]) {
    let registration = json!({"visitor": {"token": token, "name": "Racer"}});
    let registered = race(servers, "POST", "/api/v1/livechat/visitor", &registration);
    let visitors = texts(&registered.answers, "/visitor/_id");
    assert_eq!(visitors.len(), 1, "{engine}: {RACERS} registrations with one token made {visitors:?}");

    let asked = race(servers, "GET", &format!("/api/v1/livechat/room?token={token}"), &Value::Null);
    let rooms = texts(&asked.answers, "/room/_id");
    assert_eq!(rooms.len(), 1, "{engine}: {RACERS} who asked for the room of one visitor got {rooms:?}");
    assert_eq!(openers(&asked.answers), 1, "{engine}: how many opened the room");
    println!(
        "races on {engine}: {} registrations in {} ({} busy): 1 visitor; {} asked for the room in {} ({} busy): 1 room",
        grouped(RACERS),
        seconds(registered.took),
        registered.busy,
        grouped(RACERS),
        seconds(asked.took),
        asked.busy,
    );
}

#[test]
fn one_token_is_one_visitor_with_one_room() {
    allow_many_files();
    let folder = Folder::default();
    let setup = Setup::usual(folder.path());
    let server = Server::start(&setup).expect("the server starts");
    race_for("racer", "SQLite", &[&server]);
    other_tokens_are_told_apart(&server);
    server.stop();
    let file = Connection::open(setup.database()).expect("the stopped server's file opens");
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("rows can be counted");
    assert_eq!(count("SELECT count(*) FROM visitors WHERE token = 'racer'"), 1);
    assert_eq!(count("SELECT count(*) FROM rooms WHERE visitor_id = (SELECT id FROM visitors WHERE token = 'racer')"), 1);
}

#[test]
fn one_token_is_one_visitor_with_one_room_on_postgres() {
    let Some(database) = postgres::database() else { return };
    race_on_postgres(&database, "PostgreSQL", 1);
}

#[test]
fn one_token_is_one_visitor_with_one_room_on_two_servers() {
    let Some(database) = postgres::database() else { return };
    race_on_postgres(&database, "PostgreSQL with two servers", 2);
}

fn race_on_postgres(database: &Database, engine: &str, processes: usize) {
    allow_many_files();
    let folder = Folder::default();
    let servers: Vec<Server> = (0..processes)
        .map(|number| {
            let setup = Setup::usual(&folder.path().join(number.to_string()))
                .with("--database-url", &database.url)
                .with("--files-url", "off");
            Server::start(&setup).expect("the server starts")
        })
        .collect();
    race_for("racer", engine, &servers.iter().collect::<Vec<_>>());
    let dump = String::from_utf8(database.dump()).expect("a dump is text");
    assert_eq!(rows(&dump, "visitors"), 1, "{engine}: visitors in the database");
    assert_eq!(rows(&dump, "rooms"), 1, "{engine}: rooms in the database");
}

/// How many rows a dump has of a table.
fn rows(dump: &str, table: &str) -> usize {
    let (_, rest) = dump.split_once(&format!("COPY public.{table} (")).expect("the table is in the dump");
    rest.lines().skip(1).take_while(|line| *line != "\\.").count()
}

/// The negative control: with another token in the race the same checks find two visitors, two rooms, and two who opened one.
fn other_tokens_are_told_apart(server: &Server) {
    let client = server.client();
    let call = |token: &str| {
        let registration = json!({"visitor": {"token": token}});
        let registered = client.post("/api/v1/livechat/visitor", &registration).expect("the server answers").json();
        let asked = client.get(&format!("/api/v1/livechat/room?token={token}")).expect("the server answers").json();
        (registered, asked)
    };
    let (registered, asked): (Vec<Value>, Vec<Value>) = ["one", "another"].map(call).into_iter().unzip();
    assert_eq!(texts(&registered, "/visitor/_id").len(), 2);
    assert_eq!((texts(&asked, "/room/_id").len(), openers(&asked)), (2, 2));
}

/// Lets this process, and what it starts from now on, open a file for each racer.
fn allow_many_files() {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("the system says what a process may do");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("there is a limit of open files");
    let limit = |place| line.split_whitespace().nth(place).and_then(|figure| figure.parse().ok()).unwrap_or(usize::MAX);
    let (soft, hard): (usize, usize) = (limit(3), limit(4));
    if soft >= FILES {
        return;
    }
    assert!(hard >= FILES, "this proof opens {FILES} files, more than allowed here: raise `ulimit -Hn`");
    let process = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &process, &format!("--nofile={FILES}:")]).status();
    assert!(
        raised.is_ok_and(|status| status.success()),
        "prlimit (util-linux) raises the limit of open files, or `ulimit -n {FILES}`"
    );
}
