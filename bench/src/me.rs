//! `bench me`: logged-in users ask the real server over 64 connections who they are, beside a bare server that sends the same bytes to
//! anybody. What lies between the two is what every call of a user pays: knowing who it is, and what it may.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::calls::ME;
use crate::comparison::{Call, Rounds, print_comparison, verdict};
use crate::figures::print_heading;
use crate::freshness::usher_program;
use crate::load::{Caller, Connection};
use crate::process::Server;
use crate::session::{PASSWORD, User};
use crate::workplace::Workplace;

/// What is to be reached: this share of the bare server's requests, in percent.
const GOAL: f64 = 35.0;

/// How the server is measured.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    rounds: Rounds,
    /// How many connections ask at once, each for a user of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=9_999))]
    connections: u64,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let program = usher_program()?;
    let workplace = Workplace::new(options.folder.as_deref())?;
    let runtime = Runtime::new()?;
    let server = Server::usher(&program, workplace.path(), None)?;
    let mut connection = runtime.block_on(Connection::open(server.address))?;
    let users = runtime.block_on(create_users(&mut connection, options.connections))?;
    let sample = runtime.block_on(check(&mut connection, &users))?;
    ME.keep_answer(workplace.path(), &sample)?;

    let callers: Vec<Caller> = users.iter().map(|user| Caller::repeating(who_am_i(user))).collect();
    let servers = [server, Server::bare(workplace.path())?];
    let mut call = Call::new("`me`");
    call.run_in_turns(options.rounds, &servers, &callers)?;
    runtime.block_on(check(&mut connection, &users))?;

    print_heading(workplace.path())?;
    let (rounds, connections, path) = (options.rounds, options.connections, ME.path);
    println!(
        "`GET {path}` over {connections} connections, each with a user of its own and the next request as soon as the last is answered. \
         {rounds} Usher looks up for every request whose login the token is and whether it still counts; before and after the rounds each \
         user is told its own id. The bare server sends the same {} bytes to anybody.\n",
        sample.len()
    );
    print_comparison(&call, "request");
    println!("{}", verdict(&call, GOAL));
    Ok(())
}

/// Creates users and logs each of them in.
async fn create_users(connection: &mut Connection, count: u64) -> Result<Vec<User>> {
    let administrator = User::administrator(connection).await?;
    let mut users = Vec::new();
    for number in 0..count {
        // Names of one length make answers of one length.
        let username = format!("user-{number:04}");
        let created = connection.call(&administrator.creation(&username, &["user", "livechat-agent"])).await?;
        created.json().context("a user could not be created")?;
        users.push(User::log_in(connection, &username, PASSWORD).await?);
    }
    Ok(users)
}

fn who_am_i(user: &User) -> Vec<u8> {
    user.request("GET", ME.path, &Value::Null)
}

/// Checks that each user is told its own id, and gives the body of the first answer. Figures of a server that mixes them up would be
/// worthless.
async fn check(connection: &mut Connection, users: &[User]) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    for user in users {
        let answer = connection.call(&who_am_i(user)).await?;
        let told = answer.json().context("a user is not told who it is")?["_id"].take();
        ensure!(told == user.id.as_str(), "{} is told to be {told}", user.id);
        if first.is_empty() {
            first = answer.body.to_vec();
        }
    }
    Ok(first)
}
