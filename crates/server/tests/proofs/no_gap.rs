//! No gap: hundreds of clients whose connections are cut all the time, both ways and one way, and servers that are killed. After its own steps of
//! coming back each holds what a client reads that knows nothing, and everything that was acknowledged; and none ever sees a room's
//! messages in another order. In the end nobody is cut any more while others go on writing: then frames alone must bring everything.

use std::collections::{BTreeMap, HashSet};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::park_timeout;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};
use usher_testkit::engines::Folder;
use usher_testkit::postgres;

use crate::common::agents::{register, room, text};
use crate::common::figures::{grouped, scale};
use crate::common::http::Client;
use crate::common::moments::Random;
use crate::common::server::{Server, Setup};
use crate::common::wait::Stopwatch;

/// How many hear of each room.
const TABS_OF_ROOM: usize = 5;

/// How many messages are read at once.
const PAGE: usize = 1_000;

/// How long a client waits for a frame before it looks whether there is something else to do.
const GLANCE: Duration = Duration::from_millis(20);

/// How long it may take until a client that stays connected holds everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the servers are that are there.
struct Places(Mutex<Vec<Option<String>>>);

impl Places {
    fn set(&self, number: usize, address: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[number] = address;
    }

    /// One of them.
    fn any(&self, random: &mut Random) -> Option<String> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there: Vec<&String> = places.iter().flatten().collect();
        if there.is_empty() { None } else { Some(there[random.below(there.len())].clone()) }
    }
}

/// A room with its visitor.
#[derive(Clone)]
struct Chat {
    token: String,
    room: String,
}

/// What a visitor wrote, as a client reads it that knows nothing.
fn history(client: &Client, chat: &Chat) -> Option<BTreeMap<String, String>> {
    let mut read = BTreeMap::new();
    for page in 0.. {
        let offset = page * PAGE;
        let path = format!("/api/v1/livechat/messages.history/{}?token={}&limit={PAGE}&offset={offset}", chat.room, chat.token);
        let answer = client.get(&path).ok().filter(|answer| answer.status == 200)?.json();
        let messages = answer["messages"].as_array()?;
        let written = messages.iter().filter(|message| message.get("t").is_none());
        read.extend(written.map(|message| (text(message, "_id"), text(message, "msg"))));
        if messages.len() < PAGE {
            break;
        }
    }
    Some(read)
}

/// How it ends.
#[derive(Default)]
struct End {
    /// Nobody is cut any more.
    is_calm: AtomicBool,
    /// Nobody writes any more.
    is_written: AtomicBool,
    /// What a client reads then that knows nothing, for each chat.
    fresh: OnceLock<Vec<BTreeMap<String, String>>>,
}

/// A tab of a visitor.
struct Tab<'a> {
    chat: &'a Chat,
    places: &'a Places,
    random: Random,
    /// The number of the change as of which it last read the room.
    seq: i64,
    shows: BTreeMap<String, String>,
    /// The time of the newest message that this connection brought.
    newest: i64,
    cuts: usize,
    /// How often it had to come again after it had come to stay.
    lost: usize,
}

type Socket = WebSocket<TcpStream>;

impl<'a> Tab<'a> {
    /// Connects, and does what a client does then: subscribes, and reads what it missed. `None` if the server is not there.
    fn come(&mut self) -> Option<(Socket, Client)> {
        let address = self.places.any(&mut self.random)?;
        let authority = address.strip_prefix("http://")?;
        let stream = TcpStream::connect(authority).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let (mut socket, _) = tungstenite::client(format!("ws://{authority}/websocket"), stream).ok()?;
        let Chat { token, room } = self.chat;
        let shown = json!({"useCollection": false, "args": [{"token": token, "visitorToken": token}]});
        self.newest = 0;
        for (frame, awaited) in [
            (json!({"msg": "connect", "version": "1", "support": ["1"]}), "connected"),
            (json!({"msg": "sub", "id": "1", "name": "stream-room-messages", "params": [room, shown]}), "ready"),
            (
                json!({"msg": "sub", "id": "2", "name": "stream-notify-room", "params": [format!("{room}/deleteMessage"), shown]}),
                "ready",
            ),
        ] {
            socket.send(Message::text(frame.to_string())).ok()?;
            loop {
                let frame = read(&mut socket).ok()??;
                if frame["msg"] == awaited {
                    break;
                }
                self.take(&frame);
            }
        }
        socket.get_ref().set_read_timeout(Some(GLANCE)).ok()?;
        let client = Client::new(&address);
        let path = format!("/api/v1/usher/rooms/{room}/changes?token={token}&since={}", self.seq);
        let missed = client.get(&path).ok().filter(|answer| answer.status == 200)?.json();
        if missed["refetch"] == true {
            self.shows = history(&client, self.chat)?;
        }
        for message in missed["messages"].as_array()? {
            self.show(message);
        }
        for id in missed["deleted"].as_array()? {
            self.shows.remove(id.as_str()?);
        }
        self.seq = missed["seq"].as_i64()?;
        Some((socket, client))
    }

    /// Takes in what a frame tells.
    fn take(&mut self, frame: &Value) {
        // It was read before what this tab has read, and comes after it.
        if frame["seq"].as_i64().is_some_and(|seq| seq <= self.seq) {
            return;
        }
        let told = &frame["fields"]["args"][0];
        match frame["collection"].as_str() {
            Some("stream-room-messages") if told.get("t").is_none() => {
                let (id, ts) = (text(told, "_id"), told["ts"]["$date"].as_i64().expect("a message has a time"));
                // One that was edited may be new to whoever has just read that it was deleted after that.
                if !self.shows.contains_key(&id) && told.get("editedAt").is_none() {
                    assert!(ts > self.newest, "{id} came after a later message");
                    self.newest = ts;
                }
                self.show(told);
            }
            Some("stream-notify-room") => drop(self.shows.remove(told["_id"].as_str().unwrap_or_default())),
            _ => {}
        }
    }

    fn show(&mut self, message: &Value) {
        if message.get("t").is_none() {
            self.shows.insert(text(message, "_id"), text(message, "msg"));
        }
    }

    /// Comes and goes until it is calm, then comes to stay, and hears until it holds what there is in its chat, the one with this number.
    fn live(mut self, number: usize, end: &End) -> Tab<'a> {
        while !end.is_calm.load(Ordering::Acquire) {
            let Some((mut socket, _)) = self.come() else {
                park_timeout(GLANCE);
                continue;
            };
            let (watch, stays) = (Stopwatch::start(), Duration::from_millis(100 + self.random.below(3_000) as u64));
            while watch.elapsed() < stays && !end.is_calm.load(Ordering::Acquire) {
                match read(&mut socket) {
                    Ok(Some(frame)) => self.take(&frame),
                    Ok(None) => {}
                    Err(()) => break,
                }
            }
            if self.random.below(2) == 0 {
                // One way: it says nothing and hears nothing, and the server does not know.
                park_timeout(Duration::from_millis(self.random.below(1_000) as u64));
            }
            self.cuts += 1;
        }
        let mut watch = None;
        while watch.as_ref().is_none_or(|watch: &Stopwatch| watch.elapsed() < PATIENCE) {
            if end.fresh.get().is_some() {
                watch.get_or_insert_with(Stopwatch::start);
            }
            match self.come() {
                Some((mut socket, _)) => {
                    if self.stay(&mut socket, number, end) {
                        return self;
                    }
                    self.lost += 1;
                }
                None => park_timeout(GLANCE),
            }
        }
        self
    }

    /// Hears until it holds what there is. Gives whether it does, or the connection has ended or takes too long.
    fn stay(&mut self, socket: &mut Socket, number: usize, end: &End) -> bool {
        let mut watch = None;
        loop {
            match read(socket) {
                Ok(Some(frame)) if frame["msg"] == "ping" => drop(socket.send(Message::text(r#"{"msg":"pong"}"#))),
                Ok(Some(frame)) => self.take(&frame),
                Ok(None) => {}
                Err(()) => return false,
            }
            if let Some(fresh) = end.fresh.get() {
                if fresh[number] == self.shows {
                    return true;
                }
                if watch.get_or_insert_with(Stopwatch::start).elapsed() > PATIENCE {
                    return false;
                }
            }
        }
    }
}

/// The next frame; `None` if none comes for a moment.
fn read(socket: &mut Socket) -> Result<Option<Value>, ()> {
    match socket.read() {
        Ok(Message::Text(text)) => serde_json::from_str(&text).map(Some).map_err(drop),
        Ok(_) => Ok(None),
        Err(tungstenite::Error::Io(error))
            if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
        {
            Ok(None)
        }
        Err(_) => Err(()),
    }
}

/// Writes, edits and deletes in some chats until it is over. Gives the ids of what was acknowledged and is still there, for each chat.
fn write(
    chats: &[(usize, Chat)],
    places: &Places,
    mut random: Random,
    name: usize,
    is_over: &AtomicBool,
) -> Vec<(usize, HashSet<String>)> {
    let mut kept: Vec<(usize, HashSet<String>)> = chats.iter().map(|(number, _)| (*number, HashSet::new())).collect();
    let mut count = 0;
    while !is_over.load(Ordering::Acquire) {
        let Some(address) = places.any(&mut random) else {
            park_timeout(GLANCE);
            continue;
        };
        let client = Client::new(&address);
        for _ in 0..50 {
            let place = random.below(chats.len());
            let (Chat { token, room }, ids) = (&chats[place].1, &mut kept[place].1);
            let known = ids.iter().nth(random.below(ids.len().max(1))).cloned();
            let (method, path, body) = match (random.below(8), known.clone()) {
                (0, Some(id)) => (
                    "PUT",
                    format!("/api/v1/livechat/message/{id}"),
                    json!({"token": token, "rid": room, "msg": format!("edited {count}")}),
                ),
                (1, Some(id)) => ("DELETE", format!("/api/v1/livechat/message/{id}"), json!({"token": token, "rid": room})),
                _ => {
                    count += 1;
                    let id = format!("w{name}-{count}");
                    (
                        "POST",
                        "/api/v1/livechat/message".to_owned(),
                        json!({"token": token, "rid": room, "msg": format!("text {count}"), "_id": id}),
                    )
                }
            };
            if method == "DELETE" {
                // Whether it is gone is not known before the answer.
                ids.remove(known.as_deref().unwrap_or_default());
            }
            match client.call(method, &path, &[], &body) {
                Ok(answer) if answer.status == 200 && method == "POST" => {
                    ids.insert(text(&body, "_id"));
                }
                Ok(_) => {}
                Err(_) => break,
            }
            park_timeout(Duration::from_millis(2));
        }
    }
    kept
}

/// Lets clients come and go while others write, for as long as `disturb` takes.
fn run(name: &str, servers: Vec<Server>, disturb: impl FnOnce(&Places, Vec<Server>) -> Vec<Server>) {
    let tabs = scale().of(500, 500);
    let client = servers[0].client();
    let chats: Vec<Chat> = (0..tabs / TABS_OF_ROOM)
        .map(|number| {
            let token = format!("visitor-{number}");
            register(&client, &token);
            Chat { room: text(&room(&client, &token), "_id"), token }
        })
        .collect();
    let places = Places(Mutex::new(servers.iter().map(|server| Some(server.address.clone())).collect()));
    let (end, mut seeds) = (End::default(), Random::of(name));
    let (hearing, kept, servers) = std::thread::scope(|scope| {
        let (places, chats, end) = (&places, &chats, &end);
        let hearing: Vec<_> = (0..tabs)
            .map(|tab| {
                let (number, random) = (tab / TABS_OF_ROOM, seeds.another());
                let tab = Tab { chat: &chats[number], places, random, seq: 0, shows: BTreeMap::new(), newest: 0, cuts: 0, lost: 0 };
                scope.spawn(move || (number, tab.live(number, end)))
            })
            .collect();
        let writers = 8.min(chats.len());
        let writing: Vec<_> = (0..writers)
            .map(|writer| {
                let own: Vec<(usize, Chat)> =
                    chats.iter().cloned().enumerate().filter(|(number, _)| number % writers == writer).collect();
                let random = seeds.another();
                scope.spawn(move || write(&own, places, random, writer, &end.is_written))
            })
            .collect();
        let servers = disturb(places, servers);
        end.is_calm.store(true, Ordering::Release);
        park_for(length() / 12);
        end.is_written.store(true, Ordering::Release);
        let kept: Vec<(usize, HashSet<String>)> =
            writing.into_iter().flat_map(|writer| writer.join().expect("a writer does not panic")).collect();
        let client = servers[0].client();
        let fresh = chats.iter().map(|chat| history(&client, chat).expect("the history is read")).collect();
        end.fresh.set(fresh).expect("it is read once");
        let hearing: Vec<(usize, Tab<'_>)> = hearing.into_iter().map(|tab| tab.join().expect("a client does not panic")).collect();
        (hearing, kept, servers)
    });
    let fresh = end.fresh.get().expect("it was read");
    for (chat, tab) in &hearing {
        let (shown, there) = (&tab.shows, &fresh[*chat]);
        let missing = there.keys().filter(|id| !shown.contains_key(*id)).count();
        let gone = shown.keys().filter(|id| !there.contains_key(*id)).count();
        let other = there.iter().filter(|(id, text)| shown.get(*id).is_some_and(|shown| shown != *text)).count();
        assert_eq!((missing, gone, other), (0, 0, 0), "{name}: a client of chat {chat} misses, still shows, shows otherwise");
    }
    for (chat, ids) in &kept {
        let lost = ids.iter().filter(|id| !fresh[*chat].contains_key(*id)).count();
        assert_eq!(lost, 0, "{name}: of what was acknowledged in chat {chat} some is not there");
    }
    let cuts: usize = hearing.iter().map(|(_, tab)| tab.cuts).sum();
    let lost: usize = hearing.iter().map(|(_, tab)| tab.lost).sum();
    assert_eq!(lost, 0, "{name}: connections ended that nobody cut");
    let messages: usize = kept.iter().map(|(_, ids)| ids.len()).sum();
    println!(
        "no gap {name}: {} clients, cut {} times; {} messages there in the end, each in every view, in order",
        grouped(tabs),
        grouped(cuts),
        grouped(messages),
    );
    servers.into_iter().for_each(Server::stop);
}

/// How long clients come and go.
fn length() -> Duration {
    Duration::from_secs(scale().of(600, 60) as u64)
}

#[test]
fn nobody_misses_anything() {
    let folder = Folder::default();
    let server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    run("on one process", vec![server], |_, servers| {
        park_for(length());
        servers
    });
}

#[test]
fn nobody_misses_anything_on_two_servers_of_which_one_is_killed() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let setup =
        |name: &str| Setup::usual(&folder.path().join(name)).with("--database-url", &database.url).with("--files-url", "off");
    let (first, second) = (setup("first"), setup("second"));
    let servers = vec![Server::start(&first).expect("it starts"), Server::start(&second).expect("it starts")];
    run("on two processes", servers, |places, mut servers| {
        for _ in 0..3 {
            park_for(length() / 4);
            places.set(1, None);
            drop(servers.pop());
            let again = Server::start(&second).expect("a killed server starts again");
            places.set(1, Some(again.address.clone()));
            servers.push(again);
        }
        park_for(length() / 4);
        servers
    });
}

fn park_for(time: Duration) {
    let watch = Stopwatch::start();
    while watch.elapsed() < time {
        park_timeout(time.saturating_sub(watch.elapsed()));
    }
}
