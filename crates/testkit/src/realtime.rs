//! A client of the realtime connection, as plain as it can be: it shows every frame that it gets.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use usher_domain::{Stream, Topic};
use usher_services::hub::Signal;

use crate::TestApp;
use crate::application::Login;

/// How long a frame may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What nobody but this client is told: when it comes, all that was committed before has come.
const FENCE: &str = "fence";

/// A client.
pub struct RealtimeClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames that came while others were waited for.
    waiting: VecDeque<Value>,
    last_id: u64,
}

impl RealtimeClient {
    /// Opens a connection and sends nothing.
    pub async fn open(app: &TestApp, path: &str) -> RealtimeClient {
        let address = app.address().await;
        let (socket, _) = connect_async(format!("ws://{address}{path}")).await.expect("the server takes connections");
        RealtimeClient { socket, waiting: VecDeque::new(), last_id: 0 }
    }

    /// Opens a connection and begins, as every client does.
    pub async fn connect(app: &TestApp) -> RealtimeClient {
        let mut client = RealtimeClient::open(app, "/websocket").await;
        assert_eq!(client.next().await, json!({"server_id": "0"}));
        client.send(&json!({"msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"]})).await;
        let connected = client.next().await;
        assert_eq!(connected["msg"], "connected", "{connected}");
        client
    }

    /// The same, and logs in.
    pub async fn log_in(app: &TestApp, login: &Login) -> RealtimeClient {
        let mut client = RealtimeClient::connect(app).await;
        let answer = client.call("login", json!([{"resume": login.token}])).await;
        assert_eq!(answer["result"]["id"], login.user_id.as_str(), "{answer}");
        client
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text, whatever it is.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the connection is open");
    }

    /// Sends a text, if the connection still takes one.
    pub async fn try_send(&mut self, text: &str) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// All frames that come until the answer to a last ping, or until the connection ends.
    pub async fn all_until_closed(&mut self, ping: &Value) -> Vec<Value> {
        let mut frames = Vec::new();
        if !self.try_send(&ping.to_string()).await {
            return frames;
        }
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    if frame["msg"] == "pong" && frame["id"] == ping["id"] {
                        return frames;
                    }
                    frames.push(frame);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return frames,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Sends bytes, which no client does.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.expect("the connection is open");
    }

    /// The next text that comes.
    pub async fn next_text(&mut self) -> String {
        loop {
            let received = timeout(PATIENCE, self.socket.next()).await.expect("something comes");
            match received.expect("the connection is open").expect("the connection is whole") {
                Message::Text(text) => return text.to_string(),
                Message::Close(frame) => panic!("the server closed the connection: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next frame that comes.
    pub async fn next(&mut self) -> Value {
        match self.waiting.pop_front() {
            Some(frame) => frame,
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Value {
        let text = self.next_text().await;
        serde_json::from_str(&text).expect("frames are JSON")
    }

    /// The next frame that `wanted` is true of. The others are kept for later.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(place).expect("it is there");
        }
        loop {
            let frame = self.read().await;
            if wanted(&frame) {
                return frame;
            }
            self.waiting.push_back(frame);
        }
    }

    /// Calls a method. Gives the frame with its result.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.new_id();
        self.send(&json!({"msg": "method", "method": method, "params": parameters, "id": id})).await;
        let result = self.wait_for(|frame| frame["msg"] == "result" && frame["id"] == id.as_str()).await;
        self.wait_for(|frame| frame["msg"] == "updated" && frame["methods"] == json!([id])).await;
        result
    }

    /// Subscribes. Gives the frame that answers, `ready` or `nosub`, without the client's name for it.
    pub async fn subscribe(&mut self, stream: Stream, parameters: Value) -> Value {
        let id = self.new_id();
        self.subscribe_as(&id, stream.name(), parameters).await
    }

    /// Subscribes under a name of one's own.
    pub async fn subscribe_as(&mut self, id: &str, name: &str, parameters: Value) -> Value {
        self.send(&json!({"msg": "sub", "id": id, "name": name, "params": parameters})).await;
        let is_answer =
            |frame: &Value| frame["msg"] == "ready" && frame["subs"] == json!([id]) || frame["msg"] == "nosub" && frame["id"] == id;
        self.wait_for(is_answer).await
    }

    /// Subscribes to what must be granted.
    pub async fn follow(&mut self, stream: Stream, parameters: Value) {
        let answer = self.subscribe(stream, parameters).await;
        assert_eq!(answer["msg"], "ready", "{answer}");
    }

    /// What is told next of a topic.
    pub async fn told(&mut self, stream: Stream, event: &str) -> Value {
        let is_told = |frame: &Value| {
            frame["msg"] == "changed" && frame["collection"] == stream.name() && frame["fields"]["eventName"] == event
        };
        self.wait_for(is_told).await["fields"]["args"].clone()
    }

    /// Everything that was told of a topic by now and is not read yet.
    pub async fn told_by_now(&mut self, app: &TestApp, stream: Stream, event: &str) -> Vec<Value> {
        self.catch_up(app).await;
        let is_told = |frame: &Value| {
            frame["msg"] == "changed" && frame["collection"] == stream.name() && frame["fields"]["eventName"] == event
        };
        let (told, others) = std::mem::take(&mut self.waiting).into_iter().partition::<VecDeque<_>, _>(is_told);
        self.waiting = others;
        told.into_iter().map(|frame| frame["fields"]["args"].clone()).collect()
    }

    /// Waits until everything has come that was committed before.
    pub async fn catch_up(&mut self, app: &TestApp) {
        let id = self.new_id();
        let event = format!("{FENCE}-{id}");
        assert_eq!(self.subscribe_as(&id, Stream::NotifyAll.name(), json!([event, false])).await["msg"], "ready");
        let topic = Topic::new(Stream::NotifyAll, event.as_str());
        app.services.hub.signal(Signal { topic, arguments: Vec::new(), from: None });
        self.told(Stream::NotifyAll, &event).await;
        self.send(&json!({"msg": "unsub", "id": id})).await;
        self.wait_for(|frame| frame["msg"] == "nosub" && frame["id"] == id.as_str()).await;
    }

    /// Waits until the server closes the connection. Gives the code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            let received = timeout(PATIENCE, self.socket.next()).await.expect("the server closes the connection");
            match received {
                Some(Ok(Message::Close(frame))) => return frame.map_or(1_005, |frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1_006,
            }
        }
    }

    fn new_id(&mut self) -> String {
        self.last_id += 1;
        format!("ddp-{}", self.last_id)
    }
}
