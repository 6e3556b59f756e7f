//! A chat that nobody could take is never forgotten: the next agent who can gets it, also after the server was killed.

use std::path::Path;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;
use usher_testkit::postgres;

use crate::common::agents::{make_agent, register, room, server_of, text};
use crate::common::figures::seconds;
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::wait::{PATIENCE, Stopwatch, wait_until};

/// How many chats wait.
const CHATS: usize = 5;

/// After how many seconds the server looks at the queue by itself: after the end of every test.
const NEVER: &str = "100000";

fn tokens() -> Vec<String> {
    (0..CHATS).map(|number| format!("visitor-{number}")).collect()
}

/// Opens chats while no agent is there. Gives their rooms in the order in which they came.
fn open_chats(client: &Client) -> Vec<String> {
    let open = |token: &String| {
        register(client, token);
        let room = room(client, token);
        assert_eq!(server_of(&room), None, "nobody is there yet");
        text(&room, "_id")
    };
    tokens().iter().map(open).collect()
}

/// How many chats are served.
fn served(client: &Client) -> usize {
    tokens().iter().filter(|token| server_of(&room(client, token)) == Some("ana")).count()
}

/// When each chat got its agent, in the order in which the chats came.
fn given_in_order(client: &Client, administrator: &Session, rooms: &[String]) -> bool {
    let moments: Vec<String> = rooms
        .iter()
        .map(|room| {
            let path = format!("/api/v1/livechat/inquiries.getOne?roomId={room}");
            let one: Value = administrator.demand(client, "GET", &path, &Value::Null);
            text(&one["inquiry"], "takenAt")
        })
        .collect();
    moments.is_sorted()
}

fn setup(folder: &Path) -> Setup {
    Setup::usual(folder).variable("OVERWRITE_SETTING_Omnichannel_queue_delay_timeout", NEVER)
}

/// Kills the server while chats wait; after its start the first agent who comes gets them all.
fn waits_through_a_kill(engine: &str, setup: &Setup) {
    let server = Server::start(setup).expect("the server starts");
    let rooms = open_chats(&server.client());
    // kill -9
    drop(server);
    let server = Server::start(setup).expect("the server starts again");
    let client = server.client();
    assert_eq!(served(&client), 0, "{engine}: nobody is there yet");
    let administrator = Session::of_administrator(&client);
    make_agent(&administrator, &client, "ana");
    let watch = Stopwatch::start();
    wait_until("all chats are given", PATIENCE, || served(&client) == CHATS);
    let took = watch.elapsed();
    assert!(given_in_order(&client, &administrator, &rooms), "{engine}: who came first is served first");
    println!("waiting on {engine}: {CHATS} chats, kill -9, start; {} after an agent came all were given", seconds(took));
    server.stop();
}

#[test]
fn what_waits_is_given_after_a_kill() {
    let folder = Folder::default();
    waits_through_a_kill("SQLite", &setup(folder.path()));
}

#[test]
fn what_waits_is_given_after_a_kill_on_postgres() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    waits_through_a_kill("PostgreSQL", &setup(folder.path()).with("--database-url", &database.url));
}

/// A server that starts looks at once for what waits: agents may be there already. Before, the negative control: where agents help
/// themselves nothing is given, however long they are there.
#[test]
fn a_server_that_starts_gives_what_waits_at_once() {
    let folder = Folder::default();
    let manual = setup(folder.path()).variable("OVERWRITE_SETTING_Livechat_Routing_Method", "Manual_Selection");
    let server = Server::start(&manual).expect("the server starts");
    let client = server.client();
    let rooms = open_chats(&client);
    let administrator = Session::of_administrator(&client);
    let ana = make_agent(&administrator, &client, "ana");
    for status in ["not-available", "available"] {
        ana.demand(&client, "POST", "/api/v1/livechat/agent.status", &json!({"status": status}));
    }
    assert_eq!(served(&client), 0, "nothing is given where agents help themselves");
    server.stop();

    let automatic = setup(folder.path()).variable("OVERWRITE_SETTING_Livechat_Routing_Method", "Auto_Selection");
    let server = Server::start(&automatic).expect("the server starts again");
    let client = server.client();
    wait_until("all chats are given", PATIENCE, || served(&client) == CHATS);
    assert!(given_in_order(&client, &Session::of_administrator(&client), &rooms), "who came first is served first");
    server.stop();
}
