//! `bench http`: posting messages to the real server over 64 connections, beside a bare server that parses the same bodies and sends the
//! same bytes, and stores nothing. The load generator shares the cores with both, and they take turns.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::comparison::{Rounds, Side, print_comparison, run_in_turns};
use crate::figures::{metric, print_heading};
use crate::freshness::usher_program;
use crate::load::{Caller, Connection, Ids, POST_MESSAGE, request};
use crate::process::Server;
use crate::workplace::Workplace;

/// What is to be reached: this share of the bare server's requests, in percent.
const GOAL: f64 = 20.0;

/// How the server is measured.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    rounds: Rounds,
    /// How many connections post at once, each for a visitor and room of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=9_999))]
    connections: u64,
    /// Which ids the messages have.
    #[arg(long, value_enum, default_value_t = Ids::Rising)]
    ids: Ids,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A visitor with its open room.
struct Visitor {
    token: String,
    room_id: String,
}

/// Commits and the transactions in them.
#[derive(Clone, Copy)]
struct Commits {
    commits: f64,
    transactions: f64,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let program = usher_program()?;
    let workplace = Workplace::new(options.folder.as_deref())?;
    let runtime = Runtime::new()?;
    let server = Server::usher(&program, workplace.path(), None)?;
    let mut connection = runtime.block_on(Connection::open(server.address))?;
    let visitors = runtime.block_on(register(&mut connection, options.connections))?;
    let answer = workplace.path().join("answer.json");
    let sample = runtime.block_on(sample_answer(&mut connection, &visitors[0]))?;
    std::fs::write(&answer, sample).context("the sample answer cannot be written")?;

    let post = |(number, visitor): (usize, &Visitor)| Caller::posting(number, &visitor.token, &visitor.room_id, options.ids);
    let callers: Vec<Caller> = visitors.iter().enumerate().map(post).collect();
    let bare = Server::bare(workplace.path(), &answer)?;
    let before = runtime.block_on(commits(&mut connection))?;
    let mut sides = [Side::new("Usher", server, callers.clone()), Side::new("Bare axum server", bare, callers)];
    run_in_turns(options.rounds, &mut sides)?;
    let after = runtime.block_on(commits(&mut connection))?;
    runtime.block_on(check(&mut connection, &visitors, sides[0].answered()))?;

    print_heading(workplace.path())?;
    print(options, &sides, (after.transactions - before.transactions) / (after.commits - before.commits).max(1.0));
    Ok(())
}

/// Registers visitors and opens a room for each.
async fn register(connection: &mut Connection, count: u64) -> Result<Vec<Visitor>> {
    let mut visitors = Vec::new();
    for number in 0..count {
        let token = format!("the token of the visitor number {number:07}");
        let body = json!({"visitor": {"token": token, "name": format!("Visitor {number}")}});
        let registered = connection.call(&request("POST", "/api/v1/livechat/visitor", &body)).await?;
        registered.json().context("a visitor could not be registered")?;
        let room = room(connection, &token).await?;
        let room_id = room["_id"].as_str().context("a room has an id")?.to_owned();
        visitors.push(Visitor { token, room_id });
    }
    Ok(visitors)
}

/// The open room of the visitor with this token.
async fn room(connection: &mut Connection, token: &str) -> Result<Value> {
    let path = format!("/api/v1/livechat/room?token={}", token.replace(' ', "%20"));
    let answer = connection.call(&request("GET", &path, &Value::Null)).await?;
    Ok(answer.json().context("a room could not be opened")?["room"].take())
}

/// Posts one message, and gives the body of the answer.
async fn sample_answer(connection: &mut Connection, visitor: &Visitor) -> Result<Vec<u8>> {
    let mut caller = Caller::posting(9_999, &visitor.token, &visitor.room_id, Ids::Rising);
    let answer = connection.call(caller.next()?).await?;
    answer.json().context("a message could not be posted")?;
    Ok(answer.body.to_vec())
}

async fn commits(connection: &mut Connection) -> Result<Commits> {
    let answer = connection.call(&request("GET", "/metrics", &Value::Null)).await?;
    let text = answer.text().context("the metrics could not be read")?;
    let (commits, transactions) = ("usher_store_commits_total", "usher_store_transactions_total");
    Ok(Commits { commits: metric(text, commits)?, transactions: metric(text, transactions)? })
}

/// Checks that the rooms count every message that was acknowledged. Figures of a server that lost some would be worthless.
async fn check(connection: &mut Connection, visitors: &[Visitor], acknowledged: u64) -> Result<()> {
    let mut counted = 0;
    for visitor in visitors {
        counted += room(connection, &visitor.token).await?["msgs"].as_u64().context("a room counts its messages")?;
    }
    // Each room began with a message of the system, and one has the sample.
    let expected = acknowledged + visitors.len() as u64 + 1;
    ensure!(counted == expected, "the rooms count {counted} messages, but {expected} were acknowledged");
    Ok(())
}

fn print(options: &Options, sides: &[Side; 2], messages_of_commit: f64) {
    let (rounds, connections) = (options.rounds, options.connections);
    let ids = match options.ids {
        Ids::Rising => "rising within each connection",
        Ids::Random => "random",
    };
    println!(
        "`POST {POST_MESSAGE}` over {connections} connections, each with its own visitor and room and the next message as soon as the last is \
         answered; ids chosen by the client, {ids}. {rounds} Usher answers when the message is durable: embedded store, `synchronous=FULL` \
         (the default), {messages_of_commit:.1} messages in a commit on average; afterwards its rooms count every acknowledged message. The \
         bare server parses the same body and sends the same bytes.\n"
    );
    print_comparison(sides, "message", GOAL);
}
