//! `bench me`: logged-in users ask the real server over 64 connections who they are, beside a bare server that sends the same bytes to
//! anybody. What lies between the two is what every call of a user pays: knowing who it is, and what it may.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::comparison::{Rounds, Side, print_comparison, run_in_turns};
use crate::figures::print_heading;
use crate::freshness::usher_program;
use crate::load::{Caller, Connection, ME, request, request_with};
use crate::process::{ADMIN_PASSWORD, Server};
use crate::workplace::Workplace;

/// What is to be reached: this share of the bare server's requests, in percent.
const GOAL: f64 = 35.0;

/// The password of every user.
const PASSWORD: &str = "A password for 64 users of benchmarks";

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

/// Somebody who is logged in.
struct User {
    id: String,
    token: String,
}

impl User {
    async fn log_in(connection: &mut Connection, username: &str, password: &str) -> Result<User> {
        let body = json!({"user": username, "password": password});
        let login = connection.call(&request("POST", "/api/v1/login", &body)).await?;
        let data = login.json().with_context(|| format!("{username} could not log in"))?["data"].take();
        let text = |name: &str| data[name].as_str().map(str::to_owned).with_context(|| format!("a login has `{name}`"));
        Ok(User { id: text("userId")?, token: text("authToken")? })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        request_with(method, path, &[("X-User-Id", &self.id), ("X-Auth-Token", &self.token)], body)
    }

    fn who_am_i(&self) -> Vec<u8> {
        self.request("GET", ME, &Value::Null)
    }
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
    let answer = workplace.path().join("answer.json");
    std::fs::write(&answer, &sample).context("the sample answer cannot be written")?;

    let callers: Vec<Caller> = users.iter().map(|user| Caller::repeating(user.who_am_i())).collect();
    let bare = Server::bare(workplace.path(), &answer)?;
    let mut sides = [Side::new("Usher", server, callers.clone()), Side::new("Bare axum server", bare, callers)];
    run_in_turns(options.rounds, &mut sides)?;
    runtime.block_on(check(&mut connection, &users))?;

    print_heading(workplace.path())?;
    let (rounds, connections) = (options.rounds, options.connections);
    println!(
        "`GET {ME}` over {connections} connections, each with a user of its own and the next request as soon as the last is answered. \
         {rounds} Usher looks up for every request whose login the token is and whether it still counts; before and after the rounds each \
         user is told its own id. The bare server sends the same {} bytes to anybody.\n",
        sample.len()
    );
    print_comparison(&sides, "request", GOAL);
    Ok(())
}

/// Creates users and logs each of them in.
async fn create_users(connection: &mut Connection, count: u64) -> Result<Vec<User>> {
    let administrator = User::log_in(connection, "admin", ADMIN_PASSWORD).await?;
    let mut users = Vec::new();
    for number in 0..count {
        // Names of one length make answers of one length.
        let username = format!("user-{number:04}");
        let body = json!({
            "username": username,
            "name": format!("User {number:04}"),
            "email": format!("{username}@example.com"),
            "password": PASSWORD,
            "roles": ["user", "livechat-agent"],
        });
        let created = connection.call(&administrator.request("POST", "/api/v1/users.create", &body)).await?;
        created.json().context("a user could not be created")?;
        users.push(User::log_in(connection, &username, PASSWORD).await?);
    }
    Ok(users)
}

/// Checks that each user is told its own id, and gives the body of the first answer. Figures of a server that mixes them up would be
/// worthless.
async fn check(connection: &mut Connection, users: &[User]) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    for user in users {
        let answer = connection.call(&user.who_am_i()).await?;
        let told = answer.json().context("a user is not told who it is")?["_id"].take();
        ensure!(told == user.id.as_str(), "{} is told to be {told}", user.id);
        if first.is_empty() {
            first = answer.body.to_vec();
        }
    }
    Ok(first)
}
