//! The bare server: what HTTP alone costs. It reads and parses a body, where there is one, as the real server must, and sends the bytes
//! that the real server sent for such a request. It stores nothing and checks nothing.

use std::path::PathBuf;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::calls;

/// How many texts may wait for one connection.
const WAITING: usize = 4_096;

/// The size of a connection's buffer for reading, in bytes: as large as the real server's.
const READ_BUFFER: usize = 4 << 10;

/// What the bare server is told.
#[derive(clap::Args)]
pub struct Options {
    /// The folder with the bodies of its answers, a file for each kind of call.
    #[arg(long)]
    answers: PathBuf,
}

/// Serves until it is killed.
pub fn run(options: &Options) -> Result<()> {
    let mut router = Router::new();
    for kind in calls::ALL {
        if let Some(body) = kind.kept_answer(&options.answers)? {
            let handler = if kind.posts { post(answer_body) } else { get(answer) };
            router = router.route(kind.path, handler.with_state(Bytes::from(body)));
        }
    }
    let (everybody, _) = broadcast::channel(WAITING);
    let router =
        router.route("/websocket", get(hear).with_state(everybody.clone())).route("/speak", get(speak).with_state(everybody));
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("The bare server is ready at http://{}", listener.local_addr()?);
        // As the real server does: what is answered is wanted at once.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

async fn hear(State(everybody): State<broadcast::Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    let said = everybody.subscribe();
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(|socket| relay(socket, said))
}

async fn speak(State(everybody): State<broadcast::Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(|socket| take(socket, everybody))
}

/// Sends on whatever is said.
async fn relay(mut socket: WebSocket, mut said: broadcast::Receiver<Utf8Bytes>) {
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            text = said.recv() => {
                let Ok(text) = text else { return };
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Tells each text to everybody who hears, and answers with it.
async fn take(mut socket: WebSocket, everybody: broadcast::Sender<Utf8Bytes>) {
    while let Some(Ok(received)) = socket.recv().await {
        if let Message::Text(text) = received {
            // Whether anybody hears it is not asked.
            let _ = everybody.send(text.clone());
            if socket.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    }
}

async fn answer(State(answer): State<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn answer_body(answering: State<Bytes>, body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(parsed) => {
            // Seen by nobody else, it might not be made at all.
            std::hint::black_box(parsed);
            answer(answering).await
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
