//! The whole life of a chat, with everything that a visitor or an agent puts into it: after the visitor is erased nothing of it is left.
//!
//! Every visitor sends files and a picture, of which a smaller one is made, fills custom fields, sees pages before and during the chat, writes, edits, deletes; an agent answers, edits the answer, names
//! the topic, tags and closes the chat with a comment, which has it printed; the visitor answers the survey; a transcript and an offline message wait for a mail
//! server and are sent when it is there. Each of these carries a marker of its own, and each is first found on disk.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;
use usher_testkit::postgres::{self, Database};
use usher_testkit::{Form, picture};

use super::markers::Marker;
use super::scan::Scanner;
use super::stage::{is_even, wait_until_sealed};
use crate::common::figures::{grouped, scale};
use crate::common::http::{Answer, Client};
use crate::common::moments::Random;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::sink::Sink;
use crate::common::wait::wait_until;

/// How long printing all transcripts may take, and sending all mails.
const LONG_PATIENCE: Duration = Duration::from_secs(300);

/// The API.
const API: &str = "/api/v1/livechat";

/// Everything that is put into a chat and its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trace {
    Token,
    Name,
    Email,
    VisitorField,
    RoomField,
    PageBeforeTitle,
    PageBeforeAddress,
    PageDuringTitle,
    PageDuringAddress,
    MessageId,
    Text,
    FormerText,
    EditedText,
    DeletedText,
    Reply,
    FormerReply,
    EditedReply,
    RenamedByAgent,
    Topic,
    Tag,
    Comment,
    Survey,
    OfflineMessage,
    TranscriptSubject,
    FileName,
    FileContent,
    FileCaption,
    DeletedFile,
    AgentFileName,
    AgentFileContent,
    Picture,
}

impl Trace {
    const ALL: [Trace; 31] = [
        Trace::Token,
        Trace::Name,
        Trace::Email,
        Trace::VisitorField,
        Trace::RoomField,
        Trace::PageBeforeTitle,
        Trace::PageBeforeAddress,
        Trace::PageDuringTitle,
        Trace::PageDuringAddress,
        Trace::MessageId,
        Trace::Text,
        Trace::FormerText,
        Trace::EditedText,
        Trace::DeletedText,
        Trace::Reply,
        Trace::FormerReply,
        Trace::EditedReply,
        Trace::RenamedByAgent,
        Trace::Topic,
        Trace::Tag,
        Trace::Comment,
        Trace::Survey,
        Trace::OfflineMessage,
        Trace::TranscriptSubject,
        Trace::FileName,
        Trace::FileContent,
        Trace::FileCaption,
        Trace::DeletedFile,
        Trace::AgentFileName,
        Trace::AgentFileContent,
        Trace::Picture,
    ];
}

/// A visitor with a chat.
struct Life {
    markers: HashMap<Trace, Marker>,
    room: String,
    /// Where the visitor's file is.
    file: String,
    /// The message whose file is deleted again.
    doomed: String,
}

impl Life {
    fn new(random: &mut Random) -> Life {
        Life {
            markers: Trace::ALL.map(|trace| (trace, Marker::new(random))).into(),
            room: String::new(),
            file: String::new(),
            doomed: String::new(),
        }
    }

    fn text(&self, trace: Trace) -> String {
        let marker = self.markers[&trace].text();
        match trace {
            Trace::Email => format!("{}@example.org", marker.to_lowercase()),
            Trace::PageBeforeAddress | Trace::PageDuringAddress => format!("https://example.org/{marker}"),
            _ => marker,
        }
    }

    fn see_page(&self, client: &Client, room: Option<&str>, title: Trace, href: Trace) {
        let page = json!({"change": "url", "title": self.text(title), "location": {"href": self.text(href)}});
        let mut body = json!({"token": self.text(Trace::Token), "pageInfo": page});
        if let Some(room) = room {
            body["rid"] = room.into();
        }
        done(client.post(&format!("{API}/page.visited"), &body));
    }

    /// Comes, and asks for a chat.
    fn begin(&mut self, client: &Client) {
        let (token, name, email) = (self.text(Trace::Token), self.text(Trace::Name), self.text(Trace::Email));
        self.see_page(client, None, Trace::PageBeforeTitle, Trace::PageBeforeAddress);
        let fields = json!([{"key": "wish", "value": self.text(Trace::VisitorField), "overwrite": true}]);
        let visitor = json!({"visitor": {"token": token, "name": name, "email": email, "customFields": fields}});
        done(client.post(&format!("{API}/visitor"), &visitor));
    }

    /// Opens the room and writes into it.
    fn write(&mut self, client: &Client) {
        let token = self.text(Trace::Token);
        let opened = done(client.get(&format!("{API}/room?token={token}")));
        self.room = opened["room"]["_id"].as_str().expect("a room has an id").to_owned();
        self.see_page(client, Some(&self.room), Trace::PageDuringTitle, Trace::PageDuringAddress);
        let field = json!({"token": token, "key": "order", "value": self.text(Trace::RoomField), "overwrite": true});
        done(client.post(&format!("{API}/custom.field"), &field));
        for (id, trace) in [("", Trace::Text), ("edited", Trace::FormerText), ("deleted", Trace::DeletedText)] {
            let id = format!("{id}{}", self.text(Trace::MessageId));
            let message = json!({"token": token, "rid": self.room, "msg": self.text(trace), "_id": id});
            done(client.post(&format!("{API}/message"), &message));
        }
    }

    /// Sends a picture and two files, one of which is deleted again later, and gets one.
    fn send_files(&mut self, client: &Client, agent: &Session) {
        let token = self.text(Trace::Token);
        let (path, headers) = (format!("{API}/upload/{}", self.room), [("x-visitor-token", token.as_str())]);
        let (name, content) = (self.text(Trace::FileName), self.text(Trace::FileContent));
        let form = Form::file(&name, "text/plain", content.as_bytes()).with_text("description", &self.text(Trace::FileCaption));
        self.file = link(&done(client.upload(&path, &headers, form)));
        let doomed = Form::file("doomed.txt", "text/plain", self.text(Trace::DeletedFile).as_bytes());
        self.doomed = done(client.upload(&path, &headers, doomed))["_id"].as_str().expect("a message has an id").to_owned();
        // Wide enough for a smaller one; beyond its end a picture may have anything.
        let bytes = [picture(600, 2), self.text(Trace::Picture).into_bytes()].concat();
        done(client.upload(&path, &headers, Form::file("wide.png", "image/png", &bytes)));
        let (name, content) = (self.text(Trace::AgentFileName), self.text(Trace::AgentFileContent));
        let form = Form::file(&name, "text/plain", content.as_bytes());
        done(agent.upload(client, &format!("/api/v1/rooms.upload/{}", self.room), form));
    }

    /// The agent answers, and gives the visitor another name.
    fn answer(&self, client: &Client, agent: &Session) -> String {
        let mut last = String::new();
        for trace in [Trace::Reply, Trace::FormerReply] {
            let message = json!({"message": {"rid": self.room, "msg": self.text(trace)}});
            let sent = agent.demand(client, "POST", "/api/v1/chat.sendMessage", &message);
            last = sent["message"]["_id"].as_str().expect("a message has an id").to_owned();
        }
        let record = agent.demand(client, "GET", &format!("/api/v1/rooms.info?roomId={}", self.room), &Value::Null);
        let visitor = record["room"]["v"]["_id"].as_str().expect("a room has a visitor").to_owned();
        let info = json!({
            "guestData": {"_id": visitor, "name": self.text(Trace::RenamedByAgent)},
            "roomData": {"_id": self.room, "topic": self.text(Trace::Topic), "tags": [self.text(Trace::Tag)]},
        });
        agent.demand(client, "POST", &format!("{API}/room.saveInfo"), &info);
        last
    }

    /// Both change what they wrote.
    fn think_again(&self, client: &Client, agent: &Session, reply: &str) {
        let token = self.text(Trace::Token);
        let id = self.text(Trace::MessageId);
        let edited = json!({"token": token, "rid": self.room, "msg": self.text(Trace::EditedText)});
        done(client.call("PUT", &format!("{API}/message/edited{id}"), &[], &edited));
        done(client.call("DELETE", &format!("{API}/message/deleted{id}"), &[], &json!({"token": token, "rid": self.room})));
        let doomed = json!({"token": token, "rid": self.room});
        done(client.call("DELETE", &format!("{API}/message/{}", self.doomed), &[], &doomed));
        let edited = json!({"roomId": self.room, "msgId": reply, "text": self.text(Trace::EditedReply)});
        agent.demand(client, "POST", "/api/v1/chat.update", &edited);
    }

    /// The chat ends; the transcript and an offline message wait for the mail server.
    fn end(&self, client: &Client, agent: &Session) {
        let (token, email) = (self.text(Trace::Token), self.text(Trace::Email));
        let request = json!({"email": email, "subject": self.text(Trace::TranscriptSubject)});
        agent.demand(client, "POST", &format!("{API}/transcript/{}", self.room), &request);
        let closing = json!({"rid": self.room, "comment": self.text(Trace::Comment), "generateTranscriptPdf": true});
        agent.demand(client, "POST", &format!("{API}/room.closeByUser"), &closing);
        let answers = json!([{"name": "additionalFeedback", "value": self.text(Trace::Survey)}]);
        done(client.post(&format!("{API}/room.survey"), &json!({"token": token, "rid": self.room, "data": answers})));
        let offline =
            json!({"name": "somebody", "email": email, "message": self.text(Trace::OfflineMessage), "host": "example.org"});
        done(client.post(&format!("{API}/offline.message"), &offline));
    }

    /// Everything that is to be there still can be read.
    fn is_intact(&self, client: &Client, agent: &Session) {
        let token = self.text(Trace::Token);
        let visitor = done(client.get(&format!("{API}/visitor/{token}")));
        assert_eq!(visitor["visitor"]["livechatData"]["wish"], self.text(Trace::VisitorField).as_str(), "{visitor}");
        let history = done(client.get(&format!("{API}/messages.history/{}?token={token}&limit=100", self.room)));
        let texts: HashSet<&str> = history["messages"].as_array().into_iter().flatten().filter_map(|m| m["msg"].as_str()).collect();
        for trace in [Trace::Text, Trace::EditedText, Trace::Reply, Trace::EditedReply, Trace::Comment] {
            assert!(texts.contains(self.text(trace).as_str()), "{trace:?} of somebody who stays is gone: {history}");
        }
        let file = client.get(&format!("{}?rc_room_type=l&rc_rid={}&rc_token={token}", self.file, self.room));
        assert_eq!(file.expect("the server answers").text, self.text(Trace::FileContent));
        let room = &agent.demand(client, "GET", &format!("/api/v1/rooms.info?roomId={}", self.room), &Value::Null)["room"];
        assert_eq!(room["topic"], self.text(Trace::Topic).as_str(), "{room}");
        assert_eq!(room["tags"], json!([self.text(Trace::Tag)]), "{room}");
        assert_eq!(room["livechatData"]["order"], self.text(Trace::RoomField).as_str(), "{room}");
        assert_eq!(room["surveyFeedback"]["additionalFeedback"], self.text(Trace::Survey).as_str(), "{room}");
        let pages = agent.demand(client, "GET", &format!("{API}/visitors.pagesVisited/{}", self.room), &Value::Null);
        assert_eq!(pages["total"], 2, "{pages}");
        let routing = agent.demand(client, "GET", &format!("/api/v1/usher/rooms/{}/routing", self.room), &Value::Null);
        assert!(routing.to_string().contains("agentId"), "{routing}");
    }
}

/// How many files there are of each visitor in the end: its own, the agent's, the picture with a smaller one, and the printed transcript.
const FILES: usize = 5;

/// Where the file of a message is.
fn link(message: &Value) -> String {
    message["attachments"][0]["title_link"].as_str().expect("the message shows a file").to_owned()
}

/// The body of an answer that must be 200.
#[track_caller]
fn done(answer: Result<Answer, ureq::Error>) -> Value {
    let answer = answer.expect("the server answers");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Says how the site is run: one agent, two custom fields, and what a mail server at `port` needs but its name.
fn prepare(client: &Client, agent: &Session, port: u16) {
    agent.demand(client, "POST", &format!("{API}/users/agent"), &json!({"username": "admin"}));
    for (field, scope) in [("wish", "visitor"), ("order", "room")] {
        let data = json!({"field": field, "label": field, "scope": scope, "visibility": "visible", "searchable": true});
        agent.demand(client, "POST", &format!("{API}/custom-fields.save"), &json!({"customFieldData": data}));
    }
    let settings = [
        ("SMTP_Port", json!(port.to_string())),
        ("SMTP_IgnoreTLS", json!(true)),
        ("From_Email", json!("chat@example.com")),
        ("Livechat_offline_email", json!("office@example.com")),
        ("Livechat_validate_offline_email", json!(false)),
    ];
    for (id, value) in settings {
        set(client, agent, id, value);
    }
}

fn set(client: &Client, agent: &Session, id: &str, value: Value) {
    agent.demand(client, "POST", &format!("/api/v1/settings/{id}"), &json!({"value": value}));
}

/// A server, the lives on it, and what of them was found on disk so far.
struct World {
    setup: Setup,
    /// The database, if it is not a file of the server.
    database: Option<Database>,
    lives: Vec<Life>,
    scanner: Scanner,
    seen: HashSet<Marker>,
}

impl World {
    fn look(&mut self) -> usize {
        let (found, bytes) = self.found();
        self.seen.extend(found.into_keys());
        bytes
    }

    /// Every marker in the files of the server and in the database, with where it is, and how many bytes were looked at.
    fn found(&self) -> (HashMap<Marker, String>, usize) {
        let (places, mut length) = self.scanner.scan_folder(&self.setup.folder);
        let mut found: HashMap<Marker, String> = places.into_iter().map(|(marker, place)| (marker, format!("{place:?}"))).collect();
        if let Some(database) = &self.database {
            let dump = database.dump();
            length += dump.len();
            self.scanner.scan(&dump, |marker, _| {
                found.insert(marker, "the dump".to_owned());
            });
        }
        (found, length)
    }

    /// How many files are kept.
    fn files(&self) -> usize {
        std::fs::read_dir(self.setup.data().join("files")).map_or(0, Iterator::count)
    }

    /// What is on disk of those who should be gone.
    fn left(&self) -> Vec<(usize, Trace, String)> {
        let (found, _) = self.found();
        let mut left = Vec::new();
        for (number, life) in self.lives.iter().enumerate().filter(|(number, _)| is_even(*number)) {
            for (trace, marker) in &life.markers {
                if let Some(place) = found.get(marker) {
                    left.push((number, *trace, place.clone()));
                }
            }
        }
        left
    }

    /// The control: what belongs to those who stay is found where nothing of the others is, but for what they took back and for mail
    /// that was sent.
    fn assert_others_are_there(&self) {
        const GONE_ANYWAY: [Trace; 6] = [
            Trace::FormerText,
            Trace::DeletedText,
            Trace::FormerReply,
            Trace::OfflineMessage,
            Trace::TranscriptSubject,
            Trace::DeletedFile,
        ];
        let (found, _) = self.found();
        for (number, life) in self.lives.iter().enumerate().filter(|(number, _)| !is_even(*number)) {
            for (trace, marker) in life.markers.iter().filter(|(trace, _)| !GONE_ANYWAY.contains(trace)) {
                assert!(found.contains_key(marker), "{trace:?} of visitor {number}, who stays, is not on disk");
            }
        }
    }
}

#[test]
fn nothing_of_a_chat_is_left_when_its_visitor_is_erased() {
    erase_half_of_the_lives(None);
}

#[test]
fn nothing_of_a_chat_is_left_in_postgres_when_its_visitor_is_erased() {
    if let Some(database) = postgres::database() {
        erase_half_of_the_lives(Some(database));
    }
}

fn erase_half_of_the_lives(database: Option<Database>) {
    let mut random = Random::of("erasure of lives");
    let folder = Folder::default();
    let usual = Setup { log: "debug", ..Setup::usual(folder.path()) };
    let (setup, engine) = match &database {
        Some(database) => (usual.with("--database-url", &database.url), "PostgreSQL"),
        None => (usual, "SQLite"),
    };
    let lives = (0..scale().of(2_000, 40)).map(|_| Life::new(&mut random)).collect();
    let mut world = World { setup, database, lives, scanner: Scanner::new(), seen: HashSet::new() };
    let server = Server::start(&world.setup).expect("the server starts");
    let client = server.client();
    let (agent, port) = (Session::of_administrator(&client), Sink::free_port());
    prepare(&client, &agent, port);

    for life in &mut world.lives {
        life.begin(&client);
    }
    world.look();
    let mut replies = Vec::new();
    for life in &mut world.lives {
        life.write(&client);
        life.send_files(&client, &agent);
        replies.push(life.answer(&client, &agent));
    }
    world.look();
    for (life, reply) in world.lives.iter().zip(&replies) {
        life.think_again(&client, &agent, reply);
        life.end(&client, &agent);
    }
    wait_until("all smaller pictures and transcripts are made", LONG_PATIENCE, || world.files() == FILES * world.lives.len());
    let bytes = world.look();
    let missing: Vec<(usize, Trace)> = world
        .lives
        .iter()
        .enumerate()
        .flat_map(|(number, life)| life.markers.iter().map(move |(trace, marker)| (number, *trace, *marker)))
        .filter(|(.., marker)| !world.seen.contains(marker))
        .map(|(number, trace, _)| (number, trace))
        .collect();
    assert!(missing.is_empty(), "these never get to the disk, so their erasure shows nothing: {missing:?}");

    // Half of the mails of those who are erased have been sent by then, the other half never will be.
    let (gone_early, gone_late): (Vec<usize>, Vec<usize>) =
        (0..world.lives.len()).filter(|number| is_even(*number)).partition(|number| number % 4 == 0);
    erase(&world, &client, &gone_early);
    // Until then nobody had said where the mail server is, so that mails wait for that and not for another try.
    let sink = Sink::start(port);
    set(&client, &agent, "SMTP_Host", json!("127.0.0.1"));
    let staying = world.lives.len() - gone_early.len();
    wait_until("the mails of all others are sent", LONG_PATIENCE, || sink.mails().len() >= 2 * staying);
    erase(&world, &client, &gone_late);
    wait_until_sealed(&client);
    assert_eq!(world.files(), FILES * (world.lives.len() - gone_early.len() - gone_late.len()), "files of those who stay");
    let mails = sink.mails();
    for number in &gone_early {
        let text = world.lives[*number].text(Trace::OfflineMessage);
        assert!(!mails.iter().any(|mail| mail.contains(&text)), "a mail of somebody who was erased before was sent all the same");
    }
    assert_eq!(mails.len(), 2 * staying, "each mail is sent once");

    for life in world.lives.iter().enumerate().filter(|(number, _)| !is_even(*number)).map(|(_, life)| life) {
        life.is_intact(&client, &agent);
    }
    server.stop();
    let left = world.left();
    assert!(left.is_empty(), "of the erased visitors there is left: {left:?}");
    world.assert_others_are_there();
    println!(
        "erasure of whole chats on {engine}: {} visitors with {} inputs and {FILES} files each; {} erased, nothing of them in {} bytes",
        grouped(world.lives.len()),
        Trace::ALL.len(),
        gone_early.len() + gone_late.len(),
        grouped(bytes)
    );
}

fn erase(world: &World, client: &Client, whom: &[usize]) {
    for number in whom {
        let token = world.lives[*number].text(Trace::Token);
        done(client.call("DELETE", &format!("{API}/visitor/{token}"), &[], &Value::Null));
    }
}
