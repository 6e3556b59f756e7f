//! How messages of agents reach those who hear of their rooms.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Side;
use super::listener::{Listener, Speaker, text};
use crate::figures::quantile;
use crate::fill::Conversation;
use crate::load::Connection;
use crate::session::User;
use crate::window::now;

/// What is sent into one room, and who hears of it.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The server.
    pub address: SocketAddr,
    /// Which one it is.
    pub side: Side,
    /// The room.
    pub conversation: &'a Conversation,
    /// Who sends.
    pub agent: &'a User,
    /// How many send at once, each with the next message when the last is answered.
    pub senders: usize,
    /// How many hear of it.
    pub subscribers: usize,
    /// How many hear of it besides, and read nothing.
    pub slow: usize,
    /// How many messages there are.
    pub messages: usize,
    /// How many characters each has besides what it says, in bytes.
    pub padding: usize,
}

/// How messages reached all who heard of a room.
pub struct Reached {
    /// Messages that were answered in a second.
    pub answered: f64,
    /// Frames that arrived in a second.
    pub rate: f64,
    /// How long 99 in 100 took at most.
    pub late: Duration,
}

impl Round<'_> {
    /// Sends the messages. Each subscriber must hear each of them, and whoever reads nothing must be cut.
    pub async fn run(&self) -> Result<Reached> {
        let mut hearing = Vec::new();
        for _ in 0..self.subscribers {
            let listener = Listener::open(self.address, self.conversation, self.side).await?;
            hearing.push(tokio::spawn(listener.hear(self.messages)));
        }
        let mut slow = Vec::new();
        for _ in 0..self.slow {
            slow.push(Listener::open_slow(self.address, self.conversation, self.side).await?);
        }
        let begun = now();
        let sent = self.send().await?;
        let answered = self.messages as f64 / begun.elapsed().as_secs_f64();
        let mut late = Vec::with_capacity(self.subscribers * self.messages);
        let mut last = begun;
        for listener in hearing {
            let heard = listener.await.context("a listener does not panic")??;
            for (number, moment) in heard {
                late.push(moment.saturating_duration_since(sent[number]));
                last = last.max(moment);
            }
        }
        for listener in slow {
            let heard = listener.hear_until_cut().await?;
            ensure!(heard < self.messages, "one who read nothing was sent all of {heard} messages");
        }
        late.sort_unstable();
        let rate = if late.is_empty() { 0.0 } else { late.len() as f64 / (last - begun).as_secs_f64() };
        Ok(Reached { answered, rate, late: quantile(&late, 0.99).unwrap_or_default() })
    }

    /// Sends all messages. Gives when each was sent.
    async fn send(&self) -> Result<Vec<Instant>> {
        let mut sending = Vec::new();
        for sender in 0..self.senders {
            let mut speaker = Speaker::open(self.address, self.conversation, self.agent, self.side).await?;
            let numbers: Vec<usize> = (0..self.messages).filter(|number| number % self.senders == sender).collect();
            let padding = self.padding;
            sending.push(tokio::spawn(async move {
                let mut sent = Vec::new();
                for number in numbers {
                    sent.push((number, now()));
                    speaker.say(number, padding).await?;
                }
                anyhow::Ok(sent)
            }));
        }
        let mut sent = vec![now(); self.messages];
        for sender in sending {
            for (number, moment) in sender.await.context("a sender does not panic")?? {
                sent[number] = moment;
            }
        }
        Ok(sent)
    }
}

/// How long messages took to the other side.
pub struct Heard {
    /// Half of them at most.
    pub half: Duration,
    /// 99 in 100 at most.
    pub most: Duration,
    /// All of them at most.
    pub all: Duration,
}

/// Sends messages at a pace into many rooms, each by the agent at the same place, and hears each at the visitor's socket.
pub async fn paced(address: SocketAddr, conversations: &[Conversation], agents: &[User], pace: u64, seconds: u64) -> Result<Heard> {
    let each = usize::try_from(pace * seconds)? / conversations.len();
    let mut hearing = Vec::new();
    for conversation in conversations {
        let listener = Listener::open(address, conversation, Side::Usher).await?;
        hearing.push(tokio::spawn(listener.hear(each)));
    }
    let mut sending = Vec::new();
    let (begun, gap) = (now(), Duration::from_secs_f64(conversations.len() as f64 / pace as f64));
    for (place, conversation) in conversations.iter().enumerate() {
        let mut connection = Connection::open(address).await?;
        let (agent, room_id) = (agents[place % agents.len()].clone(), conversation.room_id.clone());
        let first = begun + gap.mul_f64(place as f64 / conversations.len() as f64);
        sending.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for number in 0..each {
                let due = first + gap * u32::try_from(number)?;
                tokio::time::sleep(due.saturating_duration_since(now())).await;
                // From when it was due: a server that falls behind does not make its own clock stand still.
                sent.push(due);
                connection.call(&agent.message(&room_id, &text(number, 0))).await?.json()?;
            }
            anyhow::Ok(sent)
        }));
    }
    let mut late = Vec::new();
    for (sender, listener) in sending.into_iter().zip(hearing) {
        let sent = sender.await.context("a sender does not panic")??;
        let heard = listener.await.context("a listener does not panic")??;
        late.extend(heard.into_iter().map(|(number, moment)| moment.saturating_duration_since(sent[number])));
    }
    late.sort_unstable();
    let at = |share: f64| quantile(&late, share).context("something was heard");
    Ok(Heard { half: at(0.5)?, most: at(0.99)?, all: at(1.0)? })
}
