//! Visitors whose every input carries a marker of its own.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::Form;

use super::markers::Marker;
use crate::common::http::{Answer, Client};
use crate::common::moments::Random;
use crate::common::wait::{PATIENCE, Stopwatch};

/// How long the text of a message may be beyond its marker.
const LONGEST_PADDING: u64 = 800;

/// How long the id of a message may be beyond its marker.
const LONGEST_TAIL: u64 = 80;

/// How many threads write at once.
const WRITERS: usize = 16;

/// How long somebody waits before trying again what the server was too busy for.
const PAUSE: Duration = Duration::from_millis(20);

/// Everything that a visitor can put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Input {
    Token,
    Id,
    Name,
    Email,
    Phone,
    Username,
    /// The `User-Agent` of the registration.
    UserAgent,
    /// The `Host` of the registration.
    Host,
    /// The client's address at the registration.
    Address,
    /// The `Host` of the widget that opened the room.
    Destination,
    /// The name of the visitor's file.
    FileName,
    /// What is in it.
    FileContent,
    MessageId,
    MessageText,
}

impl Input {
    /// What a visitor puts in once.
    const ONCE: [Input; 12] = [
        Input::Token,
        Input::Id,
        Input::Name,
        Input::Email,
        Input::Phone,
        Input::Username,
        Input::UserAgent,
        Input::Host,
        Input::Address,
        Input::Destination,
        Input::FileName,
        Input::FileContent,
    ];

    /// What a visitor puts in with each message.
    const EACH_MESSAGE: [Input; 2] = [Input::MessageId, Input::MessageText];

    /// Every input.
    pub fn all() -> impl Iterator<Item = Input> {
        Input::ONCE.into_iter().chain(Input::EACH_MESSAGE)
    }
}

/// A message.
struct Message {
    markers: [Marker; 2],
    /// How many more characters the id has.
    tail: usize,
    /// How many more characters the text has.
    padding: usize,
}

impl Message {
    /// A message whose id and text have lengths of their own: rows of many lengths leave more behind in a file's pages than rows of
    /// one, because what is moved fits less often into what has become free.
    fn new(random: &mut Random) -> Message {
        let [tail, padding] = [LONGEST_TAIL, LONGEST_PADDING].map(|longest| random.between(0, longest) as usize);
        Message { markers: [Marker::new(random), Marker::new(random)], tail, padding }
    }

    fn id(&self) -> String {
        self.markers[0].text() + &"-".repeat(self.tail)
    }

    fn text(&self) -> String {
        self.markers[1].text() + &" ".repeat(self.padding)
    }
}

/// A visitor.
pub struct Person {
    once: HashMap<Input, Marker>,
    messages: Vec<Message>,
    /// The room's id, as soon as it is open.
    room: OnceLock<String>,
    /// Where its file is, as soon as it is sent.
    file: OnceLock<String>,
}

impl Person {
    fn new(random: &mut Random, messages: usize) -> Person {
        let once = Input::ONCE.map(|input| (input, Marker::new(random))).into();
        let messages = (0..messages).map(|_| Message::new(random)).collect();
        Person { once, messages, room: OnceLock::new(), file: OnceLock::new() }
    }

    /// Every marker of this visitor with its input.
    pub fn markers(&self) -> impl Iterator<Item = (Marker, Input)> {
        let once = self.once.iter().map(|(input, marker)| (*marker, *input));
        once.chain(self.messages.iter().flat_map(|message| message.markers.into_iter().zip(Input::EACH_MESSAGE)))
    }

    /// Lets the text of every message have `padding` characters beyond its marker.
    pub fn write_at_length(&mut self, padding: usize) {
        self.messages.iter_mut().for_each(|message| message.padding = padding);
    }

    /// What this visitor puts into `input`.
    fn text(&self, input: Input) -> String {
        let marker = self.once[&input];
        match input {
            Input::Email => format!("{}@example.org", marker.text()),
            Input::Address => marker.address(),
            _ => marker.text(),
        }
    }

    /// The visitor's token.
    pub fn token(&self) -> String {
        self.text(Input::Token)
    }

    /// The visitor's room.
    pub fn room(&self) -> &str {
        self.room.get().expect("the room is open")
    }

    /// Registers.
    fn register(&self, client: &Client) {
        let [token, id, name, email, phone, username] =
            [Input::Token, Input::Id, Input::Name, Input::Email, Input::Phone, Input::Username].map(|input| self.text(input));
        let (agent, host, address) = (self.text(Input::UserAgent), self.text(Input::Host), self.text(Input::Address));
        let headers = [("User-Agent", agent.as_str()), ("Host", host.as_str()), ("X-Real-IP", address.as_str())];
        let body =
            json!({"visitor": {"token": token, "id": id, "name": name, "email": email, "phone": phone, "username": username}});
        done(|| client.call("POST", "/api/v1/livechat/visitor", &headers, &body));
    }

    /// Asks for the room, as a widget does.
    fn ask_for_room(&self, client: &Client) -> Value {
        let host = self.text(Input::Destination);
        let headers = [("Cookie", "rc_room_type=l; rc_is_widget=t"), ("Host", host.as_str())];
        let path = format!("/api/v1/livechat/room?token={}", self.token());
        done(|| client.call("GET", &path, &headers, &Value::Null)).json()
    }

    fn open_room(&self, client: &Client) {
        let answer = self.ask_for_room(client);
        let room = answer["room"]["_id"].as_str().expect("a room has an id").to_owned();
        self.room.set(room).expect("a room is opened once");
    }

    /// Sends the message with this number.
    pub fn post(&self, client: &Client, number: usize) -> Result<Answer, ureq::Error> {
        let message = &self.messages[number];
        let body = json!({"token": self.token(), "rid": self.room(), "msg": message.text(), "_id": message.id()});
        client.post("/api/v1/livechat/message", &body)
    }

    /// Sends the visitor's file.
    pub fn send_file(&self, client: &Client) -> Result<Answer, ureq::Error> {
        let name = format!("{}.txt", self.text(Input::FileName));
        let form = Form::file(&name, "text/plain", self.text(Input::FileContent).as_bytes());
        let path = format!("/api/v1/livechat/upload/{}", self.room());
        client.upload(&path, &[("x-visitor-token", &self.token())], form)
    }

    /// Sends the visitor's file, and knows where it is from then on.
    fn keep_file(&self, client: &Client) {
        let message = done(|| self.send_file(client)).json();
        let link = message["attachments"][0]["title_link"].as_str().expect("the message shows the file").to_owned();
        self.file.set(link).expect("it is sent once");
    }

    /// Whether the visitor's file is there, with what is in it.
    pub fn check_file(&self, client: &Client) {
        let file = self.file.get().expect("it was sent");
        let path = format!("{file}?rc_room_type=l&rc_rid={}&rc_token={}", self.room(), self.token());
        assert_eq!(done(|| client.get(&path)).text, self.text(Input::FileContent));
    }

    /// Asks for the visitor's record.
    fn look_up(&self, client: &Client) -> Result<Answer, ureq::Error> {
        client.get(&format!("/api/v1/livechat/visitor/{}", self.token()))
    }

    /// Whether the server still knows the visitor.
    pub fn is_known(&self, client: &Client) -> bool {
        let answer = self.look_up(client).expect("the server answers");
        match (answer.status, answer.json()["errorType"].as_str()) {
            (200, _) => true,
            (400, Some("invalid-token")) => false,
            _ => panic!("neither known nor unknown: {} {}", answer.status, answer.text),
        }
    }

    /// Asks for the erasure. An error says that there was no answer.
    pub fn erase(&self, client: &Client) -> Result<Answer, ureq::Error> {
        client.call("DELETE", &format!("/api/v1/livechat/visitor/{}", self.token()), &[], &Value::Null)
    }

    /// Asks for the erasure until it is done.
    pub fn erase_surely(&self, client: &Client) {
        let answer = done(|| self.erase(client)).json();
        assert_eq!(answer["success"].as_bool(), Some(true), "{answer}");
    }

    /// Reads everything back: the visitor, its room and all its messages. Fails if anything is not as it was put in.
    pub fn read_back(&self, client: &Client) {
        let visitor = &done(|| self.look_up(client)).json()["visitor"];
        let shown = |pointer: &str| visitor.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let pointers = [
            ("/token", Input::Token),
            ("/_id", Input::Id),
            ("/name", Input::Name),
            ("/phone/0/phoneNumber", Input::Phone),
            ("/username", Input::Username),
            ("/userAgent", Input::UserAgent),
            ("/host", Input::Host),
            ("/ip", Input::Address),
        ];
        for (pointer, input) in pointers {
            assert_eq!(shown(pointer), self.text(input), "{input:?} of a visitor: {visitor}");
        }
        assert_eq!(shown("/visitorEmails/0/address"), self.text(Input::Email).to_lowercase());

        let room = self.ask_for_room(client);
        assert_eq!((room["room"]["_id"].as_str(), room["newRoom"].as_bool()), (Some(self.room()), Some(false)), "{room}");
        assert_eq!(room["room"]["source"]["destination"].as_str(), Some(self.text(Input::Destination).as_str()), "{room}");
        self.read_messages_back(client);
        self.check_file(client);
        // Reading the configuration is one more way for a token to get into a log.
        let config = done(|| client.get(&format!("/api/v1/livechat/config?token={}", self.token()))).json();
        assert_eq!(config["config"]["guest"]["_id"].as_str(), Some(self.text(Input::Id).as_str()), "{config}");
    }

    fn read_messages_back(&self, client: &Client) {
        // With the message that shows the file, and the one that the chat begins with.
        let limit = self.messages.len() + 2;
        let path = format!("/api/v1/livechat/messages.history/{}?token={}&limit={limit}", self.room(), self.token());
        self.check_messages(&done(|| client.get(&path)).json());
    }

    /// Fails unless `history` has all of the visitor's messages in the order in which they were sent.
    pub fn check_messages(&self, history: &Value) {
        let newest_first = history["messages"].as_array().expect("a history has messages").iter();
        let read: Vec<(&str, &str)> = newest_first
            .rev()
            .filter(|message| message["t"].is_null() && message["file"].is_null())
            .map(|message| (message["_id"].as_str().unwrap_or_default(), message["msg"].as_str().unwrap_or_default()))
            .collect();
        let sent: Vec<(String, String)> = self.messages.iter().map(|message| (message.id(), message.text())).collect();
        let sent: Vec<(&str, &str)> = sent.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        assert!(read == sent, "of {} there were sent {} messages and {} read: {read:.400?}", self.token(), sent.len(), read.len());
    }
}

/// Calls until the server is not too busy any more, as it asks for; fails unless the call is done then.
fn done(call: impl Fn() -> Result<Answer, ureq::Error>) -> Answer {
    let watch = Stopwatch::start();
    loop {
        let answer = call().expect("the server answers");
        if answer.status != 503 {
            assert_eq!(answer.status, 200, "{}", answer.text);
            return answer;
        }
        assert!(watch.elapsed() < PATIENCE, "the server is still too busy: {}", answer.text);
        std::thread::park_timeout(PAUSE);
    }
}

/// Visitors, and whose each marker is.
pub struct People {
    /// The visitors.
    pub everybody: Vec<Person>,
    owners: HashMap<Marker, (usize, Input)>,
}

impl People {
    /// Visitors of whom each has as many messages as `messages` says.
    pub fn new(random: &mut Random, messages: &[usize]) -> People {
        let everybody: Vec<Person> = messages.iter().map(|messages| Person::new(random, *messages)).collect();
        let mut owners = HashMap::new();
        for (number, person) in everybody.iter().enumerate() {
            for (marker, input) in person.markers() {
                assert!(owners.insert(marker, (number, input)).is_none(), "markers differ");
            }
        }
        People { everybody, owners }
    }

    /// Whose marker this is, and of which input; `None` if it is only something like a marker.
    pub fn owner(&self, marker: Marker) -> Option<(usize, Input)> {
        self.owners.get(&marker).copied()
    }

    /// How many markers there are.
    pub fn markers(&self) -> usize {
        self.owners.len()
    }

    /// How many messages there are.
    pub fn messages(&self) -> usize {
        self.everybody.iter().map(|person| person.messages.len()).sum()
    }

    /// Everybody registers, then everybody opens a room, then everybody writes, each in an order nobody chose; then everybody sends a file.
    pub fn move_in(&self, random: &mut Random, address: &str) {
        self.open_rooms(random, address);
        let mut order: Vec<usize> =
            self.everybody.iter().enumerate().flat_map(|(number, person)| vec![number; person.messages.len()]).collect();
        random.shuffle(&mut order);
        self.each(address, &order, |client, person, turn| {
            done(|| person.post(client, turn));
        });
        let everybody: Vec<usize> = (0..self.everybody.len()).collect();
        self.each(address, &everybody, |client, person, _| person.keep_file(client));
    }

    /// Everybody registers and opens a room, and nobody writes.
    pub fn open_rooms(&self, random: &mut Random, address: &str) {
        let mut order: Vec<usize> = (0..self.everybody.len()).collect();
        random.shuffle(&mut order);
        self.each(address, &order, |client, person, _| person.register(client));
        random.shuffle(&mut order);
        self.each(address, &order, |client, person, _| person.open_room(client));
    }

    /// Calls `act` for each visitor in `order`, from several threads; those of one visitor in turn, and counted from 0.
    pub fn each(&self, address: &str, order: &[usize], act: impl Fn(&Client, &Person, usize) + Sync) {
        std::thread::scope(|scope| {
            for thread in 0..WRITERS {
                let act = &act;
                scope.spawn(move || {
                    let (client, mut turns) = (Client::new(address), HashMap::new());
                    for number in order.iter().filter(|number| *number % WRITERS == thread) {
                        let turn: &mut usize = turns.entry(number).or_default();
                        act(&client, &self.everybody[*number], *turn);
                        *turn += 1;
                    }
                });
            }
        });
    }
}
