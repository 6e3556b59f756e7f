//! The life of the program: it starts, refuses what it cannot do, says what to do about it, and ends in order.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use usher_testkit::engines::Folder;

use crate::common::http::{Answer, Client};
use crate::common::server::{ADMIN_PASSWORD, Server, Setup, program, run};
use crate::common::wait::{PATIENCE, wait_until};

/// Registers a visitor and opens its room, whose id it gives.
fn open_room(client: &Client, token: &str) -> String {
    let registered = client.post("/api/v1/livechat/visitor", &json!({"visitor": {"token": token}})).expect("the server answers");
    assert_eq!(registered.status, 200, "{}", registered.text);
    let opened = client.get(&format!("/api/v1/livechat/room?token={token}")).expect("the server answers");
    assert_eq!(opened.status, 200, "{}", opened.text);
    opened.json()["room"]["_id"].as_str().expect("a room has an id").to_owned()
}

fn log_in(client: &Client, password: &str) -> Answer {
    client.post("/api/v1/login", &json!({"user": "admin", "password": password})).expect("the server answers")
}

/// A request whose head the server has read and for whose body it waits.
struct InFlight {
    connection: TcpStream,
    body: String,
}

impl InFlight {
    /// Sends the head of a `POST`, and waits until the server asks for the body.
    fn post(address: &str, path: &str, body: &Value) -> InFlight {
        let body = body.to_string();
        let mut connection = TcpStream::connect(address.trim_start_matches("http://")).expect("the server accepts a connection");
        connection.set_read_timeout(Some(PATIENCE)).expect("a limit can be set");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: slow.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Expect: 100-continue\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).expect("the server reads the head");
        let mut invitation = [0; 25];
        connection.read_exact(&mut invitation).expect("the server asks for the body");
        assert_eq!(String::from_utf8_lossy(&invitation), "HTTP/1.1 100 Continue\r\n\r\n");
        InFlight { connection, body }
    }

    /// Sends the body and reads the answer until the server closes the connection.
    fn finish(mut self) -> String {
        self.connection.write_all(self.body.as_bytes()).expect("the server reads the body");
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).expect("the server answers and closes the connection");
        answer
    }
}

#[test]
fn sigterm_finishes_what_is_in_flight() {
    let folder = Folder::default();
    let setup = Setup::usual(folder.path());
    let mut server = Server::start(&setup).expect("the server starts");
    let room = open_room(&server.client(), "slow");
    let message = json!({"token": "slow", "rid": room, "msg": "in flight", "_id": "in-flight"});
    let in_flight = InFlight::post(&server.address, "/api/v1/livechat/message", &message);

    server.process.ask_to_end();
    let address = server.address.trim_start_matches("http://");
    wait_until("no further connections are accepted", PATIENCE, || TcpStream::connect(address).is_err());
    let answer = in_flight.finish();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("in-flight"), "{answer}");
    let status = server.process.ended();
    assert_eq!(status.code(), Some(0), "{}", server.process.complaints());

    let server = Server::start(&setup).expect("the server starts again");
    let history = server.client().get(&format!("/api/v1/livechat/messages.history/{room}?token=slow")).expect("the server answers");
    assert_eq!(history.json()["messages"][0]["_id"], "in-flight", "{}", history.text);
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_server() {
    let folder = Folder::default();
    let mut server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    let _in_flight = InFlight::post(&server.address, "/api/v1/livechat/message", &json!({"token": "x"}));
    server.process.ask_to_end();
    let status = server.process.ended();
    assert_eq!(status.code(), Some(0), "{}", server.process.complaints());
}

#[test]
fn a_folder_has_one_process() {
    let folder = Folder::default();
    let setup = Setup::usual(folder.path());
    let server = Server::start(&setup).expect("the server starts");
    let complaint = Server::start(&setup).err().expect("a second process is refused");
    let data = setup.data().display().to_string();
    for part in ["exit status: 1", &data, "stop it first", "--data"] {
        assert!(complaint.contains(part), "`{part}` is missing: {complaint}");
    }
    for command in [&["purge"][..], &["admin", "reset-password", "admin"]] {
        let (is_done, printed) = run(program().args(command).arg("--data").arg(setup.data()));
        assert!(!is_done && printed.contains("stop it first"), "{command:?}: {printed}");
    }
    assert_eq!(server.client().get("/ready").expect("the first goes on").status, 200);
    drop(server);
    Server::start(&setup).expect("after kill -9 the folder is free");
}

#[test]
fn newer_data_are_refused() {
    let folder = Folder::default();
    let setup = Setup::usual(folder.path());
    Server::start(&setup).expect("the server starts").stop();
    let file = Connection::open(setup.database()).expect("the stopped server's file opens");
    let insert = "INSERT INTO schema_migrations (version, checksum, applied_at) VALUES (99, 'of the future', 0)";
    assert_eq!(file.execute(insert, []).expect("a row can be added"), 1);
    let complaint = Server::start(&setup).err().expect("newer data are refused");
    for part in ["exit status: 1", "version 99", "start the newer program"] {
        assert!(complaint.contains(part), "`{part}` is missing: {complaint}");
    }
    assert_eq!(file.execute("DELETE FROM schema_migrations WHERE version = 99", []).expect("a row can be deleted"), 1);
    drop(file);
    Server::start(&setup).expect("nothing was changed by the refusal");
}

#[test]
fn the_first_password_is_printed_once_and_logged_never() {
    let folder = Folder::default();
    let mut setup = Setup { log: "debug", ..Setup::usual(folder.path()) };
    setup.environment.clear();
    let server = Server::start(&setup).expect("the server starts");
    let printed = server.process.printed();
    let (_, rest) = printed.split_once(" with the password ").unwrap_or_else(|| panic!("no password is printed: {printed}"));
    let password = rest.split_whitespace().next().expect("there is a password").to_owned();
    assert!(password.len() >= 32, "{password}");
    let login = log_in(&server.client(), &password);
    assert_eq!(login.status, 200, "{}", login.text);
    let token = login.json()["data"]["authToken"].as_str().expect("a login has a token").to_owned();
    assert_eq!(log_in(&server.client(), "wrong").status, 401);
    server.stop();

    let server = Server::start(&setup).expect("the server starts again");
    assert_eq!(log_in(&server.client(), &password).status, 200, "the password goes on");
    assert!(!server.process.printed().contains("password"), "{}", server.process.printed());
    server.stop();
    assert_eq!(occurrences(&setup.output(), &password), 1, "the password is printed once, and in no log");
    assert_eq!(occurrences(&setup.output(), &token), 0, "the login's token is in no log");
    for secret in [&password, &token] {
        assert_eq!(occurrences(&setup.data(), secret), 0, "only hashes of secrets are stored");
    }
}

/// How often `text` is in the files of `folder`.
fn occurrences(folder: &Path, text: &str) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder can be read");
    let files = entries.map(|entry| entry.expect("a folder can be read").path()).filter(|path| path.is_file());
    let count = |bytes: Vec<u8>| bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
    files.map(|file| count(std::fs::read(file).expect("a file can be read"))).sum()
}

#[test]
fn a_password_can_be_reset() {
    let folder = Folder::default();
    let setup = Setup::usual(folder.path());
    let server = Server::start(&setup).expect("the server starts");
    let login = log_in(&server.client(), ADMIN_PASSWORD).json();
    server.stop();
    let (is_done, printed) = run(program().args(["admin", "reset-password", "admin", "--data"]).arg(setup.data()));
    assert!(is_done, "{printed}");
    let password = printed.trim().to_owned();
    let (is_done, complaint) = run(program().args(["admin", "reset-password", "nobody", "--data"]).arg(setup.data()));
    assert!(!is_done && complaint.contains("nobody"), "{complaint}");

    let server = Server::start(&setup).expect("the server starts again");
    let client = server.client();
    assert_eq!(log_in(&client, ADMIN_PASSWORD).status, 401, "the old password is over");
    assert_eq!(log_in(&client, &password).status, 200, "the new one counts");
    let resumed = client.post("/api/v1/login", &json!({"resume": login["data"]["authToken"]})).expect("the server answers");
    assert_eq!(resumed.status, 401, "earlier sessions are over: {}", resumed.text);
}

#[test]
fn what_is_unknown_is_named() {
    let refused = |arguments: &[&str], variable: Option<(&str, &str)>, name: &str| {
        let (is_done, printed) = run(program().args(arguments).envs(variable));
        assert!(!is_done && printed.contains(name), "{arguments:?} {variable:?}: {printed}");
    };
    refused(&["serve", "--listn", "127.0.0.1:0"], None, "--listn");
    refused(&["sing"], None, "sing");
    let check = &["config", "check"];
    refused(check, Some(("USHER_LISTN", "127.0.0.1:0")), "USHER_LISTN");
    refused(check, Some(("USHER_RATE_LIMITS", "perhaps")), "USHER_RATE_LIMITS");
    refused(check, Some(("OVERWRITE_SETTING_Livechat_enabld", "true")), "Livechat_enabld");
    refused(&["config", "check", "--database-url", "mysql://somewhere"], None, "database_url");
    let (is_done, printed) = run(program().args(["config", "check"]));
    assert!(is_done, "without any of these it is well: {printed}");
}

#[test]
fn the_configuration_is_shown_without_its_secrets() {
    let mut command = program();
    command.args([
        "config",
        "check",
        "--listen",
        "127.0.0.1:4711",
        "--database-url",
        "postgres://usher:s3cret-one@db.example/usher",
    ]);
    command.env("USHER_ADMIN_PASSWORD", "s3cret-two").env("USHER_LISTEN", "127.0.0.1:1").env("USHER_LOG", "debug");
    let (is_done, printed) = run(&mut command);
    assert!(is_done && printed.contains("127.0.0.1:4711") && printed.contains("debug"), "the values in force: {printed}");
    assert!(!printed.contains("s3cret"), "secrets are hidden: {printed}");
    assert!(!printed.contains("127.0.0.1:1\""), "a flag is over a variable: {printed}");
}

#[test]
fn the_document_of_the_api_is_printed() {
    let (is_done, printed) = run(program().arg("openapi"));
    let document: Value = serde_json::from_str(&printed).expect("the document is JSON");
    let version = document["openapi"].as_str().unwrap_or_default();
    assert!(is_done && version.starts_with("3.1"), "{version}");
    for path in ["/api/v1/livechat/visitor", "/api/v1/livechat/message", "/api/v1/login"] {
        assert!(document["paths"][path]["post"].is_object(), "{path}");
    }

    let folder = Folder::default();
    let server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    let served = server.client().get("/api-docs/openapi.json").expect("the server answers");
    assert_eq!((served.status, served.json()), (200, document), "what is served is what is printed");
}

#[test]
fn an_address_in_use_is_named() {
    let folder = Folder::default();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let mut command = program();
    command.args(["serve", "--listen", &address, "--data"]).arg(folder.path().join("data"));
    let (is_done, printed) = run(&mut command);
    assert!(!is_done && printed.contains(&address) && printed.contains("--listen"), "{printed}");
}
