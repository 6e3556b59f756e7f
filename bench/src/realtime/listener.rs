//! The two ends of a measurement: who hears, over a WebSocket, and who sends.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Side;
use crate::fill::Conversation;
use crate::load::Connection;
use crate::session::User;
use crate::window::now;

/// How long may be waited for a frame.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many bytes the network holds for one that does not read.
const SLOW_BUFFER: u32 = 4_096;

/// What stands before the number of a message.
const MARK: &str = "number ";

/// The text of a message, with `padding` characters besides what it says.
pub fn text(number: usize, padding: usize) -> String {
    format!("{MARK}{number}, which says nothing else{}", "x".repeat(padding))
}

/// The number in a frame, if it has one.
fn number(frame: &str) -> Option<usize> {
    let digits = &frame[frame.find(MARK)? + MARK.len()..];
    digits[..digits.find(',')?].parse().ok()
}

/// Who hears of a conversation.
pub struct Listener {
    socket: WebSocketStream<TcpStream>,
}

impl Listener {
    /// Connects, and subscribes to the visitor's own room; to the bare server there is nothing to subscribe.
    pub async fn open(address: SocketAddr, conversation: &Conversation, side: Side) -> Result<Listener> {
        let mut listener = Listener::over(TcpStream::connect(address).await?, address, "/websocket").await?;
        listener.subscribe(conversation, side).await?;
        Ok(listener)
    }

    /// The same for one that is not going to read: its side of the network holds next to nothing.
    pub async fn open_slow(address: SocketAddr, conversation: &Conversation, side: Side) -> Result<Listener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SLOW_BUFFER)?;
        let mut listener = Listener::over(socket.connect(address).await?, address, "/websocket").await?;
        listener.subscribe(conversation, side).await?;
        Ok(listener)
    }

    async fn over(stream: TcpStream, address: SocketAddr, path: &str) -> Result<Listener> {
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(format!("ws://{address}{path}"), stream).await?;
        Ok(Listener { socket })
    }

    async fn subscribe(&mut self, conversation: &Conversation, side: Side) -> Result<()> {
        if side == Side::Usher {
            let shown = json!({"useCollection": false, "args": [{"visitorToken": conversation.token}]});
            for (frame, awaited) in [
                (json!({"msg": "connect", "version": "1", "support": ["1"]}), "connected"),
                (
                    json!({"msg": "sub", "id": "1", "name": "stream-room-messages", "params": [conversation.room_id, shown]}),
                    "ready",
                ),
            ] {
                self.socket.send(Message::text(frame.to_string())).await?;
                while !self.next().await?.contains(awaited) {}
            }
        }
        Ok(())
    }

    /// Hears so many messages. Gives their numbers, and when each came.
    pub async fn hear(mut self, messages: usize) -> Result<Vec<(usize, Instant)>> {
        let mut heard = Vec::with_capacity(messages);
        while heard.len() < messages {
            let frame = self.next().await?;
            heard.extend(number(&frame).map(|number| (number, now())));
        }
        Ok(heard)
    }

    /// Hears what comes until the connection ends, which it must. Gives how many messages that were.
    pub async fn hear_until_cut(mut self) -> Result<usize> {
        let mut heard = 0;
        while let Some(received) = timeout(PATIENCE, self.socket.next()).await.context("the connection goes on")? {
            match received {
                Ok(Message::Text(frame)) => heard += usize::from(number(&frame).is_some()),
                Ok(Message::Close(_)) | Err(_) => break,
                Ok(_) => {}
            }
        }
        Ok(heard)
    }

    async fn next(&mut self) -> Result<String> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .context("nothing comes any more")?
                .context("the server went away")??
            {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(frame) => bail!("the server closed the connection: {frame:?}"),
                _ => {}
            }
        }
    }
}

/// Who sends.
pub enum Speaker {
    /// An agent, over REST.
    Agent {
        /// The connection.
        connection: Box<Connection>,
        /// The agent.
        agent: Box<User>,
        /// The room.
        room_id: String,
    },
    /// Somebody at the bare server.
    Bare(Box<Listener>),
}

impl Speaker {
    /// Connects.
    pub async fn open(address: SocketAddr, conversation: &Conversation, agent: &User, side: Side) -> Result<Speaker> {
        Ok(match side {
            Side::Usher => Speaker::Agent {
                connection: Box::new(Connection::open(address).await?),
                agent: Box::new(agent.clone()),
                room_id: conversation.room_id.clone(),
            },
            Side::Bare => Speaker::Bare(Box::new(Listener::over(TcpStream::connect(address).await?, address, "/speak").await?)),
        })
    }

    /// Sends the message of this number, with so many characters besides what it says, and waits until it is answered or has come back.
    pub async fn say(&mut self, number: usize, padding: usize) -> Result<()> {
        match self {
            Speaker::Agent { connection, agent, room_id } => {
                connection.call(&agent.message(room_id, &text(number, padding))).await?.json()?;
            }
            Speaker::Bare(listener) => {
                // As long as the frame of a message.
                let frame = format!("{{\"msg\":\"{}\",\"padding\":\"{}\"}}", text(number, padding), "x".repeat(PADDING));
                listener.socket.send(Message::text(frame)).await?;
                listener.next().await?;
            }
        }
        Ok(())
    }
}

/// What the frame of a message has besides its text, in bytes.
const PADDING: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_frames() {
        assert_eq!(number(&json!({"args": [{"msg": text(17, 3)}]}).to_string()), Some(17));
        assert_eq!(number("{\"msg\":\"ping\"}"), None);
    }
}
