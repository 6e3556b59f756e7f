//! Erasing never takes more than it was asked to: whatever token is given, everybody else stays as they are, byte for byte.

use serde_json::{Value, json};
use usher_testkit::Form;
use usher_testkit::engines::Folder;

use super::stage::wait_until_sealed;
use crate::common::agents::{register, room, text};
use crate::common::figures::{grouped, scale};
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;

/// How many look on.
const BYSTANDERS: usize = 20;

/// Tokens that are nobody's, and that something else may take for everybody's: percent-encoded where they have to be.
const ODD: [&str; 16] = [
    "%20",
    "%20%20",
    "null",
    "undefined",
    "*",
    "%25",
    "_",
    "bystander*",
    "bystander%25",
    "bystander-0%20",
    "%7B%22$ne%22:null%7D",
    "%7B%22$regex%22:%22.*%22%7D",
    "'%20OR%20'1'='1",
    "%5Bobject%20Object%5D",
    "%00",
    "..%2Fbystander-0",
];

/// Registers a visitor with a chat and a file in it; gives the id of its contact.
fn chat(client: &Client, admin: &Session, token: &str) -> String {
    register(client, token);
    let room = text(&room(client, token), "_id");
    let message = json!({"token": token, "rid": room, "msg": format!("{token} writes")});
    assert_eq!(client.post("/api/v1/livechat/message", &message).expect("the server answers").status, 200);
    let form = Form::file("words.txt", "text/plain", token.as_bytes());
    let path = format!("/api/v1/livechat/upload/{room}");
    assert_eq!(client.upload(&path, &[("x-visitor-token", token)], form).expect("the server answers").status, 200);
    let record = admin.demand(client, "GET", &format!("/api/v1/rooms.info?roomId={room}"), &Value::Null);
    text(&record["room"], "contactId")
}

/// All that is held on a contact, as bytes.
fn export(client: &Client, admin: &Session, contact: &str) -> Vec<u8> {
    let answer = client.bytes("POST", &format!("/api/v1/usher/contacts/{contact}/export"), &admin.headers());
    let (status, bytes) = answer.expect("the server answers");
    assert_eq!(status, 200, "{contact}");
    bytes
}

fn erase(client: &Client, token: &str) -> u16 {
    let path = format!("/api/v1/livechat/visitor/{token}");
    client.call("DELETE", &path, &[], &Value::Null).expect("the server answers").status
}

#[test]
fn everybody_else_stays_as_they_are() {
    let folder = Folder::default();
    let server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    let (client, admin) = (server.client(), Session::of_administrator(&server.client()));
    let contacts: Vec<String> = (0..BYSTANDERS).map(|number| chat(&client, &admin, &format!("bystander-{number}"))).collect();
    let before: Vec<Vec<u8>> = contacts.iter().map(|contact| export(&client, &admin, contact)).collect();

    let erasures = scale().of(1_000, 100);
    for number in 0..erasures {
        // Every third one had another token before, which somebody else has by now.
        let token = format!("passer-by-{number}");
        chat(&client, &admin, &token);
        assert_eq!(erase(&client, &token), 200);
        if number % 3 == 0 {
            chat(&client, &admin, &token);
            assert_eq!(erase(&client, &token), 200);
        }
        let odd = ODD[number % ODD.len()];
        assert!(erase(&client, odd) >= 400, "{odd} erased somebody");
    }
    wait_until_sealed(&client);

    for (number, (contact, bytes)) in contacts.iter().zip(&before).enumerate() {
        assert!(export(&client, &admin, contact) == *bytes, "bystander {number} is not what it was");
    }
    // The control: whoever is really asked for is gone, and the comparison notices the least change.
    client
        .post(
            "/api/v1/livechat/message",
            &json!({"token": "bystander-0", "rid": text(&room(&client, "bystander-0"), "_id"), "msg": "!"}),
        )
        .expect("the server answers");
    assert!(export(&client, &admin, &contacts[0]) != before[0], "a change shows in an export");
    assert_eq!(erase(&client, "bystander-0"), 200);
    let gone = client.bytes("POST", &format!("/api/v1/usher/contacts/{}/export", contacts[0]), &admin.headers());
    assert_eq!(gone.expect("the server answers").0, 404);
    server.stop();
    println!("over-deletion: {} erasures, {BYSTANDERS} bystanders the same byte for byte", grouped(erasures));
}
