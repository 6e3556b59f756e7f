//! `bench chat`: the calls that a chat is made of, to the real server over 64 connections, beside a bare server that parses the same
//! bodies and sends the same bytes, and stores nothing. The load generator shares the cores with both, and they take turns.
//!
//! Messages and pages of the history can be asked for again and again: they are measured for a while. A chat is opened, taken and closed
//! once: of these there is a number of each in a round, and the time is that of all.

mod stage;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::comparison::{Call, Rounds, print_calls, verdict};
use crate::figures::{grouped, metric, print_heading};
use crate::freshness::usher_program;
use crate::load::{Caller, Connection, Ids, request};
use crate::process::Server;
use crate::workplace::Workplace;
use stage::{Stage, Visitor};

/// What is to be reached for a visitor's message: this share of the bare server's requests, in percent.
const GOAL: f64 = 20.0;

/// How the server is measured.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    rounds: Rounds,
    /// How many connections call at once. Messages and history: each for a visitor and room of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=3_000))]
    connections: u16,
    /// How many agents there are; in each round each of them takes some chats.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=9_999))]
    agents: u16,
    /// How many chats each agent takes and closes in a round.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    chats: u16,
    /// Which ids the messages have.
    #[arg(long, value_enum, default_value_t = Ids::Rising)]
    ids: Ids,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Commits and the transactions in them.
#[derive(Clone, Copy)]
struct Commits {
    commits: f64,
    transactions: f64,
}

/// Everything that is measured.
struct Calls {
    message: Call,
    message_to_agent: Call,
    reply: Call,
    history: Call,
    room: Call,
    take: Call,
    close: Call,
}

/// The two servers, and what was prepared at the real one.
struct Benchmark<'o> {
    options: &'o Options,
    runtime: Runtime,
    connection: Connection,
    stage: Stage,
    servers: [Server; 2],
    /// Visitors whom nobody serves.
    waiting: Vec<Visitor>,
    /// Visitors each of whom has an agent: the one at the same place.
    served: Vec<Visitor>,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let program = usher_program()?;
    let workplace = Workplace::new(options.folder.as_deref())?;
    let mut benchmark = Benchmark::prepare(options, &program, &workplace)?;
    let mut calls = Calls {
        message: Call::new("message of a visitor"),
        message_to_agent: Call::new("the same, in a chat that an agent serves"),
        reply: Call::new("message of the agent"),
        history: Call::new("history, the newest 50"),
        room: Call::new("room, opened"),
        take: Call::new("take"),
        close: Call::new("close"),
    };
    let messages_of_commit = benchmark.measure_messages(&mut calls)?;
    for round in 0..options.rounds.rounds {
        benchmark.measure_chats(&mut calls, round)?;
    }
    print_heading(workplace.path())?;
    print(options, &calls, messages_of_commit);
    Ok(())
}

impl<'o> Benchmark<'o> {
    /// Starts both servers, and prepares what is written to and read.
    fn prepare(options: &'o Options, program: &Path, workplace: &Workplace) -> Result<Benchmark<'o>> {
        let runtime = Runtime::new()?;
        let usher = Server::usher(program, workplace.path(), None)?;
        let mut connection = runtime.block_on(Connection::open(usher.address))?;
        let stage = Stage::set(&runtime, &usher, &mut connection, usize::from(options.agents))?;
        let count = usize::from(options.connections);
        let waiting = stage.open_chats(&usher, "waiting", count)?;
        let served = stage.open_chats(&usher, "served", count)?;
        stage.take(&usher, &served)?;
        stage.write_pages(&usher, &waiting)?;
        runtime.block_on(stage.keep_answers(&usher, &mut connection, [&waiting[0], &served[0]], workplace.path()))?;
        let servers = [usher, Server::bare(workplace.path())?];
        Ok(Benchmark { options, runtime, connection, stage, servers, waiting, served })
    }

    /// Measures what can be done again and again. Gives how many messages shared a commit while visitors wrote.
    fn measure_messages(&mut self, calls: &mut Calls) -> Result<f64> {
        let Options { rounds, ids, .. } = *self.options;
        let count = self.waiting.len();
        let (messages, before) = (self.messages_of_all()?, self.commits()?);
        let post = |first: usize| {
            move |(number, visitor): (usize, &Visitor)| Caller::posting(first + number, &visitor.token, &visitor.room_id, ids)
        };
        let callers: Vec<Caller> = self.waiting.iter().enumerate().map(post(0)).collect::<Result<_>>()?;
        calls.message.run_in_turns(rounds, &self.servers, &callers)?;
        let after = self.commits()?;

        let callers: Vec<Caller> = self.served.iter().enumerate().map(post(count)).collect::<Result<_>>()?;
        calls.message_to_agent.run_in_turns(rounds, &self.servers, &callers)?;
        let reply = |(number, visitor): (usize, &Visitor)| {
            Caller::sending(2 * count + number, self.stage.agent(number), &visitor.room_id, ids)
        };
        let callers: Vec<Caller> = self.served.iter().enumerate().map(reply).collect::<Result<_>>()?;
        calls.reply.run_in_turns(rounds, &self.servers, &callers)?;
        let acknowledged = [&calls.message, &calls.message_to_agent, &calls.reply].map(Call::answered).iter().sum::<u64>();
        let counted = self.messages_of_all()? - messages;
        // Figures of a server that lost some would be worthless.
        ensure!(counted == acknowledged, "the rooms count {counted} messages more, but {acknowledged} were acknowledged");

        let pages: Vec<Caller> = self.waiting.iter().map(|visitor| Caller::repeating(visitor.history())).collect();
        calls.history.run_in_turns(rounds, &self.servers, &pages)?;
        Ok((after.transactions - before.transactions) / (after.commits - before.commits).max(1.0))
    }

    /// Measures the life of many chats: each is opened, taken and closed.
    fn measure_chats(&mut self, calls: &mut Calls, round: u32) -> Result<()> {
        let connections = usize::from(self.options.connections);
        let count = usize::from(self.options.agents) * usize::from(self.options.chats);
        let visitors = self.stage.register(&self.servers[0], &format!("of round {round}"), count)?;
        let opening: Vec<Vec<u8>> = visitors.iter().map(|token| stage::room(token)).collect();
        let opened = calls.room.run_once(&self.servers, &opening, connections)?;
        let chats: Vec<Visitor> =
            visitors.into_iter().zip(&opened).map(|(token, answer)| Visitor::of_new_room(token, answer)).collect::<Result<_>>()?;
        ensure!(self.waiting_chats()? == self.waiting.len() + count, "not every room that was opened is in the queue");

        let taking = self.stage.taking(&self.servers[0], &chats)?;
        calls.take.run_once(&self.servers, &taking, connections)?;
        ensure!(self.waiting_chats()? == self.waiting.len(), "not every chat that was taken has left the queue");

        let closing: Vec<Vec<u8>> =
            chats.iter().enumerate().map(|(number, chat)| stage::closing(self.stage.agent(number), &chat.room_id)).collect();
        calls.close.run_once(&self.servers, &closing, connections)?;
        let closed = self.total("/api/v1/livechat/rooms?open=false&count=1")?;
        // One was closed for the sample.
        ensure!(closed == count * (round as usize + 1) + 1, "not every chat that was closed is: {closed}");
        Ok(())
    }

    /// How many chats are in the queue.
    fn waiting_chats(&mut self) -> Result<usize> {
        self.total("/api/v1/livechat/inquiries.list?count=1")
    }

    fn total(&mut self, path: &str) -> Result<usize> {
        let call = self.stage.administrator.call(&mut self.connection, "GET", path, &Value::Null);
        let total = self.runtime.block_on(call)?["total"].as_u64().context("a list has a total")?;
        Ok(total as usize)
    }

    /// How many messages the rooms count that messages are written to.
    fn messages_of_all(&mut self) -> Result<u64> {
        let mut counted = 0;
        for visitor in self.waiting.iter().chain(&self.served) {
            let room = stage::room(&visitor.token);
            let answer = self.runtime.block_on(self.connection.call(&room))?.json()?;
            counted += answer["room"]["msgs"].as_u64().context("a room counts its messages")?;
        }
        Ok(counted)
    }

    fn commits(&mut self) -> Result<Commits> {
        let answer = self.runtime.block_on(self.connection.call(&request("GET", "/metrics", &Value::Null)))?;
        let text = answer.text().context("the metrics could not be read")?;
        let (commits, transactions) = ("usher_store_commits_total", "usher_store_transactions_total");
        Ok(Commits { commits: metric(text, commits)?, transactions: metric(text, transactions)? })
    }
}

fn print(options: &Options, calls: &Calls, messages_of_commit: f64) {
    let Options { rounds, connections, agents, chats, ids, .. } = options;
    let ids = match ids {
        Ids::Rising => "rising within each connection",
        Ids::Random => "random",
    };
    let lives = grouped(f64::from(*agents) * f64::from(*chats));
    println!(
        "Over {connections} connections, each with the next request as soon as the last is answered. {rounds} The bare server parses the \
         same bodies and sends the same bytes. Usher answers when what was written is durable: embedded store, `synchronous=FULL` (the \
         default).\n\n\
         - Messages and history: each connection has a visitor and a room of its own; ids chosen by the client, {ids}. While visitors wrote \
           to chats that nobody serves, {messages_of_commit:.1} messages shared a commit on average; afterwards the rooms count every \
           acknowledged message.\n\
         - Room, take and close: a round is not {} s but {lives} chats, each of which is opened by a visitor, taken and closed by an agent, \
           one step for all before the next for any. Agents take chats themselves (`Manual_Selection`); there are {agents} of them, in \
           departments of {}, and each has up to {chats} of these chats at once. After each step the lists count every chat.\n",
        rounds.seconds,
        stage::AGENTS_OF_DEPARTMENT,
    );
    let Calls { message, message_to_agent, reply, history, room, take, close } = calls;
    print_calls(&[message, message_to_agent, reply, history, room, take, close]);
    println!("{}", verdict(message, GOAL));
}
