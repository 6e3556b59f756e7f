//! `bench realtime`: what a connection costs while nothing happens, how fast a message reaches all who hear of a room, and how long after a
//! message was sent over REST it is there; beside a bare WebSocket server of the same library.

mod listener;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::runtime::Runtime;
use usher_services::Hub;

use crate::figures::{Spread, cpu_time, grouped, milliseconds, print_heading, print_table, quantile};
use crate::fill::{Conversation, Plan, fill, open};
use crate::freshness::usher_program;
use crate::load::{Connection, request};
use crate::process::Server;
use crate::window::now;
use crate::workplace::Workplace;
use listener::{Listener, Speaker};

/// How many bytes an idle connection may take.
const MEMORY_GOAL: f64 = 12.0 * 1_024.0;

/// How much slower than the bare server a message may reach all.
const RATE_GOAL: f64 = 2.0;

/// How long the processor's time is watched while nothing happens.
const REST: Duration = Duration::from_secs(5);

/// How many send at once.
const SENDERS: usize = 4;

/// How many conversations there are while messages are sent at a pace.
const CONVERSATIONS: usize = 200;

/// How it is measured.
#[derive(clap::Args)]
pub struct Options {
    /// How many connections are idle.
    #[arg(long, default_value_t = 9_000, value_parser = clap::value_parser!(u64).range(10..=9_500))]
    idle: u64,
    /// How many hear of the same room.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 100, 1_000])]
    subscribers: Vec<usize>,
    /// How many frames are to arrive in each round.
    #[arg(long, default_value_t = 100_000)]
    frames: usize,
    /// How many rounds there are, in turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// How many messages are sent in a second, to be heard by the other side.
    #[arg(long, default_value_t = 1_000)]
    pace: u64,
    /// For how many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let program = usher_program()?;
    let workplace = Workplace::new(options.folder.as_deref())?;
    let runtime = Runtime::new()?;
    let idle = usize::try_from(options.idle)?;
    eprintln!("filling");
    let conversations = {
        let store = open(&workplace.path().join("data"), &Arc::new(Hub::default()))?;
        runtime.block_on(fill(&store, Plan { rooms: idle.max(CONVERSATIONS), messages_of_room: 2 }))?
    };
    let server = Server::usher(&program, workplace.path(), None)?;
    let bare = Server::bare(workplace.path())?;

    eprintln!("{idle} idle connections");
    let idle_usher = runtime.block_on(at_rest(&server, &conversations[..idle], Side::Usher))?;
    let idle_bare = runtime.block_on(at_rest(&bare, &conversations[..idle], Side::Bare))?;
    let mut rows = Vec::new();
    let mut slowest = 0.0_f64;
    for subscribers in &options.subscribers {
        let messages = (options.frames / subscribers).clamp(SENDERS, 4_000);
        let mut rounds = [Vec::new(), Vec::new()];
        for number in 0..options.rounds {
            eprintln!("{subscribers} subscribers, round {}", number + 1);
            let conversation = &conversations[usize::try_from(number)?];
            rounds[0].push(runtime.block_on(reach(server.address, conversation, *subscribers, messages, Side::Usher))?);
            rounds[1].push(runtime.block_on(reach(bare.address, conversation, *subscribers, messages, Side::Bare))?);
        }
        let [rate, bare_rate] = [0, 1].map(|side: usize| Spread::of(rounds[side].iter().map(|reached| reached.rate)));
        let [late, bare_late] =
            [0, 1].map(|side: usize| Spread::of(rounds[side].iter().map(|reached| reached.late.as_secs_f64() * 1e3)));
        slowest = slowest.max(bare_rate.median / rate.median);
        let row = [rate, bare_rate, late, bare_late].map(|spread| spread.to_string());
        let [rate, bare_rate, late, bare_late] = row;
        rows.push([grouped(*subscribers as f64), rate, bare_rate, late, bare_late]);
    }
    eprintln!("{} messages a second for {} s", options.pace, options.seconds);
    let heard = runtime.block_on(paced(server.address, &conversations[..CONVERSATIONS], options.pace, options.seconds))?;

    print_heading(workplace.path())?;
    println!(
        "Idle: {} connections of visitors, each with a subscription to its own room, opened by one program and then left alone. The bare \
         server is one of the same library that sends each text to all who are connected.\n",
        grouped(idle as f64),
    );
    print_table(
        ["Server", "Memory for each, bytes", "Processor at rest, % of one"],
        &[idle_usher.row("Usher"), idle_bare.row("Bare WebSocket server")],
    );
    println!(
        "\nOne room: visitors' messages sent over REST by {SENDERS} senders, each with the next when the last is answered, until about {} frames \
         have arrived (the bare server: texts of the same length over {SENDERS} sockets, each with the next when it has come back). Late: the time \
         from sending until a frame is there, of 99 in 100. Median of {} rounds in turns, with the lowest and the highest.\n",
        grouped(options.frames as f64),
        options.rounds,
    );
    let head = ["Subscribers", "Usher, frames/s", "Bare, frames/s", "Usher, late, ms", "Bare, late, ms"];
    print_table(head, &rows);
    println!(
        "\nThe other side: {} messages a second for {} s to {CONVERSATIONS} rooms, over REST; from sending until the socket of the other side \
         has it: {} ms (half of them), {} ms (99 in 100), {} ms (all).\n",
        grouped(options.pace as f64),
        options.seconds,
        milliseconds(heard.half),
        milliseconds(heard.most),
        milliseconds(heard.all),
    );
    let verdict = |is_reached: bool| if is_reached { "reached" } else { "**missed**" };
    println!("Goal: an idle connection takes no more than 12 KB: {}.", verdict(idle_usher.memory <= MEMORY_GOAL));
    println!(
        "Goal: the bare server is no more than twice as fast: {} (at most {slowest:.1} times).",
        verdict(slowest <= RATE_GOAL)
    );
    Ok(())
}

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The real one.
    Usher,
    /// The bare one.
    Bare,
}

/// What idle connections cost.
struct AtRest {
    /// The memory of each, in bytes.
    memory: f64,
    /// The share of a processor that all of them take.
    processor: f64,
}

impl AtRest {
    fn row(&self, name: &str) -> [String; 3] {
        [name.to_owned(), grouped(self.memory), format!("{:.1}", self.processor * 100.0)]
    }
}

async fn at_rest(server: &Server, conversations: &[Conversation], side: Side) -> Result<AtRest> {
    // What any connection needs once is there afterwards.
    drop(Listener::open(server.address, &conversations[0], side).await?);
    let before = resident(server.process())?;
    let mut listeners = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        listeners.push(Listener::open(server.address, conversation, side).await?);
    }
    let memory = (resident(server.process())? - before) / listeners.len() as f64;
    let begun = cpu_time(server.process())?;
    tokio::time::sleep(REST).await;
    let processor = (cpu_time(server.process())? - begun).as_secs_f64() / REST.as_secs_f64();
    Ok(AtRest { memory, processor })
}

/// How much memory a process has, in bytes.
fn resident(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm"))?;
    let pages: f64 = text.split(' ').nth(1).context("it says how much is resident")?.parse()?;
    Ok(pages * 4_096.0)
}

/// How messages reached all who heard of a room.
struct Reached {
    /// Frames that arrived in a second.
    rate: f64,
    /// How long 99 in 100 took at most.
    late: Duration,
}

async fn reach(
    address: SocketAddr,
    conversation: &Conversation,
    subscribers: usize,
    messages: usize,
    side: Side,
) -> Result<Reached> {
    let mut hearing = Vec::new();
    for _ in 0..subscribers {
        let listener = Listener::open(address, conversation, side).await?;
        hearing.push(tokio::spawn(listener.hear(messages)));
    }
    let begun = now();
    let mut sending = Vec::new();
    for sender in 0..SENDERS {
        let mut speaker = Speaker::open(address, conversation, side).await?;
        let numbers: Vec<usize> = (0..messages).filter(|number| number % SENDERS == sender).collect();
        sending.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for number in numbers {
                sent.push((number, now()));
                speaker.say(number).await?;
            }
            anyhow::Ok(sent)
        }));
    }
    let mut sent = vec![begun; messages];
    for sender in sending {
        for (number, moment) in sender.await.context("a sender does not panic")?? {
            sent[number] = moment;
        }
    }
    let mut late = Vec::with_capacity(subscribers * messages);
    let mut last = begun;
    for listener in hearing {
        let heard = listener.await.context("a listener does not panic")??;
        ensure!(heard.len() == messages, "{} of {messages} messages were heard", heard.len());
        for (number, moment) in heard {
            late.push(moment - sent[number]);
            last = last.max(moment);
        }
    }
    late.sort_unstable();
    let rate = late.len() as f64 / (last - begun).as_secs_f64();
    Ok(Reached { rate, late: quantile(&late, 0.99).context("something was heard")? })
}

/// How long messages took to the other side.
struct Heard {
    half: Duration,
    most: Duration,
    all: Duration,
}

async fn paced(address: SocketAddr, conversations: &[Conversation], pace: u64, seconds: u64) -> Result<Heard> {
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
        let (token, room_id) = (conversation.token.clone(), conversation.room_id.clone());
        let first = begun + gap.mul_f64(place as f64 / conversations.len() as f64);
        sending.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for number in 0..each {
                let due = first + gap * u32::try_from(number)?;
                tokio::time::sleep(due.saturating_duration_since(now())).await;
                // From when it was due: a server that falls behind does not make its own clock stand still.
                sent.push(due);
                let body = json!({"token": token, "rid": room_id, "msg": listener::text(number)});
                connection.call(&request("POST", "/api/v1/livechat/message", &body)).await?.json()?;
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
