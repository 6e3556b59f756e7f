//! Mail: it is delivered, although the mail server was down and the process was killed in between; and when it is delivered, no file of
//! the server holds anything of it.

use std::path::Path;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;

use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::sink::Sink;
use crate::common::wait::{PATIENCE, Stopwatch, wait_until};

/// Texts that nobody else writes: the name, address and words of whoever leaves a message, and where a transcript goes.
const MARKERS: [&str; 4] = ["Nx7vQmary", "ax7vq@visitor.example", "Wx7vQwords", "tx7vq@reader.example"];

/// A server whose mails go to a port of this machine.
fn setup(folder: &Path, port: u16) -> Setup {
    Setup::usual(folder)
        .variable("OVERWRITE_SETTING_SMTP_Host", "127.0.0.1")
        .variable("OVERWRITE_SETTING_SMTP_Port", port.to_string())
        .variable("OVERWRITE_SETTING_From_Email", "Chat <chat@example.com>")
        .variable("OVERWRITE_SETTING_Livechat_offline_email", "support@example.com")
        .variable("OVERWRITE_SETTING_Livechat_validate_offline_email", "false")
}

/// Leaves a message, and wants a transcript of a chat.
fn want_mails(client: &Client) {
    let [name, email, words, reader] = MARKERS;
    let demand = |path: &str, body: &Value| {
        let answer = client.post(path, body).expect("the server answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    };
    demand("/api/v1/livechat/offline.message", &json!({"name": name, "email": email, "message": words}));
    demand("/api/v1/livechat/visitor", &json!({"visitor": {"token": "token-1"}}));
    let room = client.get("/api/v1/livechat/room?token=token-1").expect("the server answers").json();
    demand("/api/v1/livechat/message", &json!({"token": "token-1", "rid": room["room"]["_id"], "msg": "Hello"}));
    demand("/api/v1/livechat/transcript", &json!({"token": "token-1", "rid": room["room"]["_id"], "email": reader}));
}

/// The mails as an administrator sees them, those of one state.
fn listed(client: &Client, session: &Session, state: &str) -> Vec<Value> {
    let answer = session.demand(client, "GET", &format!("/api/v1/usher/mails?state={state}"), &Value::Null);
    answer["mails"].as_array().expect("there is a list").clone()
}

/// Waits until both mails were tried and not sent.
fn wait_until_refused(client: &Client, session: &Session) -> Vec<Value> {
    let mut waiting = Vec::new();
    wait_until("both mails are tried", PATIENCE, || {
        waiting = listed(client, session, "waiting");
        waiting.iter().filter(|mail| mail["failure"] == "unreachable" && mail["attempts"] == 1).count() == MARKERS.len() / 2
    });
    waiting
}

/// Which markers are in the files below a folder, whatever the case of their letters.
fn found_in(folder: &Path) -> Vec<&'static str> {
    let mut bytes = Vec::new();
    read_all(folder, &mut bytes);
    bytes.make_ascii_lowercase();
    let holds = |marker: &&&str| {
        let marker = marker.to_ascii_lowercase();
        bytes.windows(marker.len()).any(|part| part == marker.as_bytes())
    };
    MARKERS.iter().filter(holds).copied().collect()
}

fn read_all(folder: &Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            read_all(&path, bytes);
        } else if let Ok(file) = std::fs::read(&path) {
            // A running server may remove a file meanwhile.
            bytes.extend(file);
        }
    }
}

#[test]
fn mails_are_delivered_after_failures_and_then_are_nowhere() {
    let folder = Folder::default();
    let port = Sink::free_port();
    let setup = setup(folder.path(), port);
    let server = Server::start(&setup).expect("the server starts");
    let client = server.client();
    want_mails(&client);
    let waiting = wait_until_refused(&client, &Session::of_administrator(&client));
    assert!(!Value::from(waiting).to_string().contains("@"), "the list names nobody");
    // The control: what waits is there, and the scan finds it.
    assert_eq!(found_in(folder.path()), MARKERS);
    // kill -9 while they wait.
    drop(server);

    let sink = Sink::start(port);
    let server = Server::start(&setup).expect("the server starts again");
    let client = server.client();
    let session = Session::of_administrator(&client);
    let waiting = listed(&client, &session, "waiting");
    assert_eq!(waiting.len(), 2, "nothing is lost by kill -9");
    for mail in &waiting {
        session.demand(&client, "POST", "/api/v1/usher/mails.retry", &json!({"mailId": mail["_id"]}));
    }
    wait_until("both mails are delivered", PATIENCE, || listed(&client, &session, "sent").len() == 2);
    let delivered = Stopwatch::start();
    let mails = sink.mails();
    assert_eq!(mails.len(), 2, "each once");
    let [name, email, words, reader] = MARKERS;
    let holds = |parts: &[&str]| mails.iter().filter(|mail| parts.iter().all(|part| mail.contains(part))).count();
    assert_eq!(holds(&[name, email, words, "To: support@example.com", "chat@example.com"]), 1, "{mails:#?}");
    assert_eq!(holds(&[&format!("To: {reader}"), "Transcript of your", "Hello"]), 1, "{mails:#?}");

    wait_until("no file holds anything of them", PATIENCE, || found_in(folder.path()).is_empty());
    println!(
        "mails: two delivered after a server that was down and kill -9; {:?} later no file held any of them",
        delivered.elapsed()
    );
    server.stop();
    assert_eq!(found_in(folder.path()), Vec::<&str>::new());
}

/// The negative control of delivery: where nobody takes a mail, none is said to be sent.
#[test]
fn a_server_that_is_down_is_noticed() {
    let folder = Folder::default();
    let server = Server::start(&setup(folder.path(), Sink::free_port())).expect("the server starts");
    let client = server.client();
    want_mails(&client);
    let session = Session::of_administrator(&client);
    wait_until_refused(&client, &session);
    assert_eq!(listed(&client, &session, "sent"), Vec::<Value>::new(), "nothing is said to be sent that was not");
}

/// What waits is tried again by itself, without anybody's help: the first time after a minute.
#[test]
fn mails_are_tried_again_by_themselves() {
    let folder = Folder::default();
    let port = Sink::free_port();
    let server = Server::start(&setup(folder.path(), port)).expect("the server starts");
    let client = server.client();
    want_mails(&client);
    let session = Session::of_administrator(&client);
    wait_until_refused(&client, &session);
    let sink = Sink::start(port);
    wait_until("both mails are delivered", 2 * PATIENCE, || listed(&client, &session, "sent").len() == 2);
    assert_eq!(sink.mails().len(), 2, "each once");
}
