//! `bench realtime`: what a connection costs while nothing happens, how fast an agent's message reaches all who hear of a room, also beside
//! some who do not read, and how long after a message was sent over REST it is there; beside a bare WebSocket server of the same library.

mod idle;
mod listener;
mod reach;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use usher_services::Hub;

use crate::figures::{Spread, grouped, milliseconds, print_heading, print_table};
use crate::fill::{Conversation, Plan, fill, open};
use crate::freshness::usher_program;
use crate::load::Connection;
use crate::process::Server;
use crate::session::User;
use crate::staff::{call_all, create_agents, let_agents_take, taking};
use crate::workplace::Workplace;
use idle::at_rest;
use reach::{Reached, Round, paced};

/// How many bytes an idle connection may take.
const MEMORY_GOAL: f64 = 12.0 * 1_024.0;

/// How much slower than the bare server a message may reach all.
const RATE_GOAL: f64 = 2.0;

/// How many conversations there are while messages are sent at a pace.
const CONVERSATIONS: usize = 200;

/// How many agents serve them.
const AGENTS: usize = 20;

/// How many messages there are in a round at most.
const MESSAGES: usize = 4_000;

/// How many hear of the room in which some do not read.
const BESIDE_SLOW: usize = 100;

/// How many of those there are.
const SLOW: usize = 10;

/// How many messages are sent beside them, and how many characters each has besides what it says: far more than a connection's buffers hold.
const BESIDE_SLOW_MESSAGES: (usize, usize) = (3_000, 4_000);

/// How it is measured.
#[derive(clap::Args)]
pub struct Options {
    /// How many connections are idle.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..=50_000))]
    idle: u64,
    /// How many hear of the same room.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 100, 1_000])]
    subscribers: Vec<usize>,
    /// How many frames are to arrive in each round.
    #[arg(long, default_value_t = 100_000)]
    frames: usize,
    /// How many send at once.
    #[arg(long, default_value_t = 32)]
    senders: usize,
    /// How many rounds there are, in turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=20))]
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
    let conversations = &conversations[..CONVERSATIONS];
    let agents = employ(&runtime, &server, conversations)?;
    let round = |side: Side, number: u64| Round {
        address: if side == Side::Usher { server.address } else { bare.address },
        side,
        conversation: &conversations[number as usize % conversations.len()],
        agent: &agents[number as usize % agents.len()],
        senders: options.senders,
        subscribers: BESIDE_SLOW,
        slow: 0,
        messages: BESIDE_SLOW_MESSAGES.0,
        padding: 0,
    };
    let mut unheard = Vec::new();
    for number in 0..options.rounds {
        eprintln!("nobody hears, round {}", number + 1);
        let round = Round { subscribers: 0, messages: MESSAGES, ..round(Side::Usher, number) };
        unheard.push(runtime.block_on(round.run())?.answered);
    }
    let mut rows = Vec::new();
    let mut slowest = 0.0_f64;
    for subscribers in &options.subscribers {
        let messages = (options.frames / subscribers).clamp(options.senders, MESSAGES);
        let mut rounds = [Vec::new(), Vec::new()];
        for number in 0..options.rounds {
            eprintln!("{subscribers} subscribers, round {}", number + 1);
            for (side, reached) in [Side::Usher, Side::Bare].into_iter().zip(&mut rounds) {
                let round = Round { subscribers: *subscribers, messages, ..round(side, number) };
                reached.push(runtime.block_on(round.run())?);
            }
        }
        let [rate, bare_rate] = rounds.each_ref().map(|reached| Spread::of(reached.iter().map(|reached| reached.rate)));
        let [late, bare_late] = rounds.each_ref().map(|reached| lateness(reached));
        slowest = slowest.max(bare_rate.median / rate.median);
        let answered = Spread::of(rounds[0].iter().map(|reached| reached.answered));
        let row = [answered, rate, bare_rate, late, bare_late].map(|spread| spread.to_string());
        let [answered, rate, bare_rate, late, bare_late] = row;
        rows.push([grouped(*subscribers as f64), answered, rate, bare_rate, late, bare_late]);
    }
    let mut beside = [Vec::new(), Vec::new()];
    for number in 0..options.rounds {
        eprintln!("beside {SLOW} who do not read, round {}", number + 1);
        for (slow, reached) in [0, SLOW].into_iter().zip(&mut beside) {
            let round = Round { slow, padding: BESIDE_SLOW_MESSAGES.1, ..round(Side::Usher, number) };
            reached.push(runtime.block_on(round.run())?);
        }
    }
    eprintln!("{} messages a second for {} s", options.pace, options.seconds);
    let heard = runtime.block_on(paced(server.address, conversations, &agents, options.pace, options.seconds))?;

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
        "\nOne room: an agent's messages sent over REST by {} senders, each with the next when the last is answered, until about {} frames \
         have arrived (the bare server: texts of the same length over as many sockets, each with the next when it has come back). Late: the time \
         from sending until a frame is there, of 99 in 100. Median of {} rounds in turns, with the lowest and the highest. While nobody hears, {} \
         messages a second are answered.\n",
        options.senders,
        grouped(options.frames as f64),
        options.rounds,
        Spread::of(unheard),
    );
    let head = ["Subscribers", "Usher, messages/s", "Usher, frames/s", "Bare, frames/s", "Usher, late, ms", "Bare, late, ms"];
    print_table(head, &rows);
    let [alone, beside] = beside.each_ref().map(|reached| lateness(reached).to_string());
    println!(
        "\nBeside {SLOW} who do not read, {BESIDE_SLOW} hear {} messages of {} characters, each of them all: 99 in 100 frames are there after {beside} \
         ms; without the {SLOW} after {alone} ms. All {SLOW} are cut.",
        grouped(BESIDE_SLOW_MESSAGES.0 as f64),
        grouped(BESIDE_SLOW_MESSAGES.1 as f64),
    );
    println!(
        "\nThe other side: {} messages a second of {AGENTS} agents for {} s to {CONVERSATIONS} rooms, over REST; from sending until the visitor's \
         socket has it: {} ms (half of them), {} ms (99 in 100), {} ms (all).\n",
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

/// How late frames were, in milliseconds, round by round.
fn lateness(rounds: &[Reached]) -> Spread {
    Spread::of(rounds.iter().map(|reached| reached.late.as_secs_f64() * 1e3))
}

/// Makes agents, each of whom takes the chats at its places.
fn employ(runtime: &Runtime, server: &Server, conversations: &[Conversation]) -> Result<Vec<User>> {
    let mut connection = runtime.block_on(Connection::open(server.address))?;
    let administrator = runtime.block_on(User::administrator(&mut connection))?;
    runtime.block_on(let_agents_take(&mut connection, &administrator))?;
    let agents = create_agents(server, &administrator, AGENTS)?;
    let chats: Vec<(&User, &str)> =
        agents.iter().cycle().zip(conversations).map(|(agent, conversation)| (agent, conversation.room_id.as_str())).collect();
    call_all(server, taking(server, &chats, AGENTS)?, AGENTS).context("chats could not be taken")?;
    Ok(agents)
}

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The real one.
    Usher,
    /// The bare one.
    Bare,
}
