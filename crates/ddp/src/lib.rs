//! The realtime connection of Usher: DDP over WebSocket, plain and as SockJS frames it.
//!
//! What comes in goes through the same use cases as REST. What was committed goes out by the `announcer`, to whoever subscribed to it
//! (`topics`). Depends on `services` and `domain`.

mod announcer;
pub mod codec;
mod connection;
mod frames;
mod logins;
mod presence;
mod queue;
pub mod session;
pub mod sockjs;
pub mod subscription;
mod topics;
mod visitors;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use usher_services::Services;
use usher_services::realtime::Follower;

use connection::{Connection, Framing};
use logins::Logins;
use session::Close;
use topics::Topics;

/// The longest frame that is read, in bytes: as long as the longest body of REST.
const FRAME_LIMIT: usize = 512 << 10;

/// The size of a connection's buffer for reading, in bytes. Most frames are smaller, and most connections are idle.
const READ_BUFFER: usize = 4 << 10;

/// Tells from which address a request comes.
pub type ClientOf = Arc<dyn Fn(&Parts) -> IpAddr + Send + Sync>;

/// The realtime side of a server.
pub struct Realtime {
    services: Arc<Services>,
    topics: Topics,
    logins: Logins,
    visitors: visitors::Visitors,
    changed: presence::Changed,
    process_id: String,
    follower: Follower,
    client_of: ClientOf,
    stopping: AtomicBool,
}

/// What runs beside the connections.
pub struct Running {
    realtime: Arc<Realtime>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Realtime {
    /// The realtime side over `services`. `client_of` tells from which address a request comes.
    pub fn new(services: Arc<Services>, client_of: ClientOf) -> Arc<Realtime> {
        let follower = Follower::new(services.clock.now());
        let process_id = services.new_id();
        Arc::new(Realtime {
            services,
            topics: Topics::default(),
            logins: Logins::default(),
            visitors: visitors::Visitors::default(),
            changed: presence::Changed::default(),
            process_id,
            follower,
            client_of,
            stopping: AtomicBool::new(false),
        })
    }

    /// Whether all connections are being ended.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.services.hub.connections()
    }

    /// Starts telling the connections what is new.
    pub fn start(self: &Arc<Realtime>) -> Running {
        let (stop, stopped) = watch::channel(false);
        // Whatever is committed from now on is heard, also before the task runs.
        let listener = self.services.hub.listen();
        let tasks = vec![
            tokio::spawn(announcer::run(Arc::clone(self), listener, stopped.clone())),
            tokio::spawn(logins::watch(Arc::clone(self), stopped.clone())),
            tokio::spawn(presence::run(Arc::clone(self), stopped)),
        ];
        Running { realtime: Arc::clone(self), stop, tasks }
    }
}

impl Running {
    /// Ends all connections, and what runs beside them.
    pub async fn stop(self) {
        self.realtime.stopping.store(true, Ordering::Release);
        self.realtime.topics.cut_all(Close::AWAY);
        // Whoever does not listen any more has stopped already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a task of the realtime side panicked");
            }
        }
    }
}

/// The paths of the realtime connection.
pub fn router(realtime: Arc<Realtime>) -> Router {
    Router::new()
        .route("/websocket", get(plain))
        .route("/sockjs/info", get(info))
        .route("/sockjs/{server}/{session}/websocket", get(framed))
        .route("/sockjs/websocket", get(plain))
        .with_state(realtime)
}

async fn plain(State(realtime): State<Arc<Realtime>>, head: Parts, upgrade: WebSocketUpgrade) -> Response {
    open(realtime, &head, upgrade, Framing::Plain)
}

async fn framed(
    State(realtime): State<Arc<Realtime>>,
    Path((server, _session)): Path<(String, String)>,
    head: Parts,
    upgrade: WebSocketUpgrade,
) -> Response {
    if server.len() != 3 || !server.bytes().all(|byte| byte.is_ascii_digit()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    open(realtime, &head, upgrade, Framing::SockJs)
}

/// What clients of SockJS ask before they connect.
async fn info(State(realtime): State<Arc<Realtime>>) -> Response {
    let info = serde_json::json!({
        "websocket": true,
        "origins": ["*:*"],
        "cookie_needed": false,
        "entropy": realtime.services.entropy(),
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "no-store, no-cache, no-transform, must-revalidate, max-age=0"),
    ];
    (headers, info.to_string()).into_response()
}

fn open(realtime: Arc<Realtime>, head: &Parts, upgrade: WebSocketUpgrade, framing: Framing) -> Response {
    let address = (realtime.client_of)(head);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(FRAME_LIMIT)
        .max_frame_size(FRAME_LIMIT)
        .on_upgrade(move |socket| async move { Connection::new(realtime, socket, framing, address).serve().await })
}
