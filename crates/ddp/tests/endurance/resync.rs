//! No gap: however often connections are cut, after a client's own steps of coming back it holds what the server has.

use std::collections::BTreeMap;

use axum::http::Method;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use usher_domain::Stream;
use usher_testkit::engines::Engine;
use usher_testkit::{RealtimeClient, Setup, TestApp};

use crate::support::{shown, usual, visitor};

/// How many visitors there are, each with two tabs.
const VISITORS: usize = 5;

/// How many things happen.
const STEPS: usize = 400;

/// A tab of a visitor, and what it shows.
struct Tab {
    token: String,
    room: String,
    /// The number of the change as of which it last read the room.
    seq: i64,
    shows: BTreeMap<String, String>,
    client: Option<RealtimeClient>,
    /// The time of the newest message that this connection brought.
    newest: i64,
}

impl Tab {
    /// Connects, and does what a client does then: subscribes, and reads what it missed.
    async fn come(&mut self, app: &TestApp) {
        let mut client = RealtimeClient::connect(app).await;
        client.follow(Stream::RoomMessages, json!([self.room, shown(&self.token)])).await;
        client.follow(Stream::NotifyRoom, json!([format!("{}/deleteMessage", self.room), shown(&self.token)])).await;
        self.client = Some(client);
        self.newest = 0;
        let path = format!("/api/v1/usher/rooms/{}/changes?token={}&since={}", self.room, self.token, self.seq);
        let missed = app.get(&path).await.ok();
        if missed["refetch"] == true {
            self.shows = history(app, &self.token, &self.room).await;
        }
        for message in missed["messages"].as_array().expect("it is a list") {
            self.show(message);
        }
        for id in missed["deleted"].as_array().expect("it is a list") {
            self.shows.remove(id.as_str().expect("it is an id"));
        }
        self.seq = missed["seq"].as_i64().expect("it is a number");
    }

    fn show(&mut self, message: &Value) {
        if message.get("t").is_none() {
            let text = |name: &str| message[name].as_str().expect("it is a text").to_owned();
            self.shows.insert(text("_id"), text("msg"));
        }
    }

    /// Takes everything in that was told by now.
    async fn hear(&mut self, app: &TestApp) {
        let Some(mut client) = self.client.take() else { return };
        for told in client.told_by_now(app, Stream::RoomMessages, &self.room).await {
            let message = &told[0];
            let (id, ts) =
                (message["_id"].as_str().expect("it has an id"), message["ts"]["$date"].as_i64().expect("it has a time"));
            if !self.shows.contains_key(id) && message.get("t").is_none() {
                assert!(ts > self.newest, "a message came before an earlier one");
                self.newest = ts;
            }
            self.show(message);
        }
        for told in client.told_by_now(app, Stream::NotifyRoom, &format!("{}/deleteMessage", self.room)).await {
            self.shows.remove(told[0]["_id"].as_str().expect("it has an id"));
        }
        self.client = Some(client);
    }
}

/// What a visitor wrote, as a client reads it that knows nothing.
async fn history(app: &TestApp, token: &str, room: &str) -> BTreeMap<String, String> {
    let answer = app.get(&format!("/api/v1/livechat/messages.history/{room}?token={token}&limit=1000")).await.ok();
    let messages = answer["messages"].as_array().expect("it is a list").iter().filter(|message| message.get("t").is_none());
    let text = |message: &Value, name: &str| message[name].as_str().expect("it is a text").to_owned();
    messages.map(|message| (text(message, "_id"), text(message, "msg"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_holds_what_the_server_has() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut pick = |limit: usize| random.next_u32() as usize % limit;
        let mut tabs = Vec::new();
        let mut written: Vec<(usize, String)> = Vec::new();
        for number in 0..VISITORS {
            let token = format!("token-{number}");
            let room = visitor(&app, &token).await;
            for _ in 0..2 {
                let (token, room) = (token.clone(), room.clone());
                tabs.push(Tab { token, room, seq: 0, shows: BTreeMap::new(), client: None, newest: 0 });
            }
        }
        let mut cuts = 0;
        for step in 0..STEPS {
            let place = pick(tabs.len());
            let (token, room) = (tabs[place].token.clone(), tabs[place].room.clone());
            match pick(8) {
                0 => {
                    cuts += usize::from(tabs[place].client.take().is_some());
                }
                1 if tabs[place].client.is_none() => tabs[place].come(&app).await,
                2 if !written.is_empty() => {
                    let (place, id) = written[pick(written.len())].clone();
                    let change =
                        json!({"token": tabs[place].token, "rid": tabs[place].room, "msg": format!("edited in step {step}")});
                    app.call(Method::PUT, &format!("/api/v1/livechat/message/{id}")).json(&change).send().await.ok();
                }
                3 if !written.is_empty() => {
                    let (place, id) = written.swap_remove(pick(written.len()));
                    let change = json!({"token": tabs[place].token, "rid": tabs[place].room});
                    app.call(Method::DELETE, &format!("/api/v1/livechat/message/{id}")).json(&change).send().await.ok();
                }
                4 => tabs[place].hear(&app).await,
                _ => {
                    let message = app.message(&token, &room, &format!("step {step}")).await;
                    written.push((place, message["_id"].as_str().expect("it has an id").to_owned()));
                }
            }
        }
        assert!(cuts > 10, "{cuts} connections were cut");
        for tab in &mut tabs {
            if tab.client.is_none() {
                tab.come(&app).await;
            }
            tab.hear(&app).await;
            assert_eq!(tab.shows, history(&app, &tab.token, &tab.room).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_a_hundred_times_is_there_once() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let room = visitor(&app, "mary").await;
        let mut hearing = RealtimeClient::connect(&app).await;
        hearing.follow(Stream::RoomMessages, json!([room, shown("mary")])).await;
        let mut sending = Vec::new();
        for _ in 0..10 {
            let mut client = RealtimeClient::connect(&app).await;
            let message = json!([{"token": "mary", "_id": "chosen-by-the-client", "rid": room, "msg": "Once"}]);
            sending.push(async move {
                for _ in 0..10 {
                    let answer = client.call("sendMessageLivechat", message.clone()).await;
                    assert_eq!(answer["result"]["_id"], "chosen-by-the-client", "{answer}");
                }
            });
        }
        futures_util::future::join_all(sending).await;
        let told = hearing.told_by_now(&app, Stream::RoomMessages, &room).await;
        assert_eq!(told.iter().filter(|told| told[0]["msg"] == "Once").count(), 1);
        assert_eq!(history(&app, "mary", &room).await.len(), 1);
    }
}

/// How many long messages there are: far more than the network between the two holds.
const LONG_MESSAGES: usize = 2_500;

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_and_nobody_else_notices() {
    let app = Setup::default()
        .setting("Livechat_accept_chats_with_no_agents", "true")
        .setting("Livechat_Routing_Method", "Manual_Selection")
        .without_rehearsal()
        .start(&Engine::sqlite())
        .await;
    let room = visitor(&app, "mary").await;
    let subscribed = async || {
        let mut client = RealtimeClient::connect(&app).await;
        client.follow(Stream::RoomMessages, json!([room, shown("mary")])).await;
        client
    };
    let (mut slow, mut quick) = (subscribed().await, subscribed().await);
    let text = "x".repeat(4_990);
    for number in 0..LONG_MESSAGES {
        app.message("mary", &room, &format!("{number} {text}")).await;
        let heard = quick.told(Stream::RoomMessages, &room).await;
        assert!(heard[0]["msg"].as_str().is_some_and(|msg| msg.starts_with(&format!("{number} "))), "each, and in order");
    }
    // It is told why if it reads in time; otherwise the connection is just gone.
    assert!(matches!(slow.closed().await, 1_006 | 1_013));
    let mut tab = Tab { token: "mary".to_owned(), room, seq: 0, shows: BTreeMap::new(), client: None, newest: 0 };
    tab.come(&app).await;
    assert_eq!(tab.shows.len(), LONG_MESSAGES.min(1_000), "who comes again reads the newest thousand");
}
