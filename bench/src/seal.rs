//! `bench seal`: how long it takes until nothing of an erased visitor is in any file, with databases of several sizes, and how long others
//! wait for their messages meanwhile.
//!
//! Sealing looks at every page, so its time grows with the database; what others notice of it must not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;
use usher_services::Hub;

use crate::figures::{Spread, grouped, metric, milliseconds, print_heading, print_table, quantile};
use crate::fill::{Conversation, Plan, fill, open};
use crate::freshness::usher_program;
use crate::load::{Caller, Connection, Ids, request};
use crate::process::Server;
use crate::window::now;
use crate::workplace::Workplace;

/// About how many bytes a message takes in the database, with all that belongs to it.
const BYTES_OF_MESSAGE: u64 = 357;

/// How many messages a visitor has.
const MESSAGES_OF_ROOM: usize = 100;

/// How long messages are posted before each erasure, for comparison.
const QUIET: Duration = Duration::from_secs(2);

/// How long is waited between two questions whether all is sealed.
const PAUSE: Duration = Duration::from_millis(5);

/// How long others may wait for their messages while pages are scrubbed.
const GOAL: Duration = Duration::from_millis(20);

/// How sealing is measured.
#[derive(clap::Args)]
pub struct Options {
    /// The sizes of the databases, in megabytes.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1_000, 5_000])]
    megabytes: Vec<u64>,
    /// How many visitors are erased in each, one after the other.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u64).range(1..=50))]
    rounds: u64,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What one erasure came to.
struct Round {
    /// From the answer to the erasure until all was sealed.
    sealed: Duration,
    /// How long the slowest message took of those that were posted before.
    before: Duration,
    /// How long the slowest message took of those that were posted between the answer and the seal.
    meanwhile: Duration,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let program = usher_program()?;
    let workplace = Workplace::new(options.folder.as_deref())?;
    let runtime = Runtime::new()?;
    let mut rows = Vec::new();
    let mut slowest = Duration::ZERO;
    for megabytes in &options.megabytes {
        let folder = workplace.folder(&format!("{megabytes}"))?;
        eprintln!("filling {megabytes} MB");
        let rooms = usize::try_from(megabytes * 1_000_000 / BYTES_OF_MESSAGE)? / MESSAGES_OF_ROOM;
        ensure!(rooms as u64 > options.rounds, "{megabytes} MB hold fewer visitors than are erased");
        let data = folder.join("data");
        let conversations = {
            let store = open(&data, &Arc::new(Hub::default()))?;
            runtime.block_on(fill(&store, Plan { rooms, messages_of_room: MESSAGES_OF_ROOM }))?
        };
        let bytes = std::fs::metadata(data.join("usher.db")).context("the database is there")?.len();
        let server = Server::usher(&program, &folder, None)?;
        let mut rounds = Vec::new();
        for number in 0..options.rounds {
            eprintln!("{megabytes} MB: erasure {} of {}", number + 1, options.rounds);
            let (writer, erased) = (&conversations[0], &conversations[1 + usize::try_from(number)?]);
            rounds.push(runtime.block_on(round(server.address, number, writer, erased))?);
        }
        let spread = |of: fn(&Round) -> Duration| Spread::of(rounds.iter().map(|round| of(round).as_secs_f64() * 1e3));
        let meanwhile = spread(|round| round.meanwhile);
        slowest = slowest.max(Duration::from_secs_f64(meanwhile.median / 1e3));
        rows.push([
            format!("{} MB", grouped(bytes as f64 / 1e6)),
            grouped((rooms * MESSAGES_OF_ROOM) as f64),
            spread(|round| round.sealed).to_string(),
            spread(|round| round.before).to_string(),
            meanwhile.to_string(),
        ]);
        drop(server);
        std::fs::remove_dir_all(&folder).context("the data can be removed")?;
    }
    print_heading(workplace.path())?;
    println!(
        "A visitor with {MESSAGES_OF_ROOM} messages is erased, {} times in each database; from the answer on it is looked every {} ms whether \
         all is sealed. Beside that another visitor posts one message after the other: the slowest of them in the {} s before the erasure, and \
         the slowest between answer and seal. All in ms: median (lowest-highest) of the erasures. The files are in the page cache.\n",
        options.rounds,
        PAUSE.as_millis(),
        QUIET.as_secs(),
    );
    let head = ["Database", "Messages", "Sealed after, ms", "Slowest message before, ms", "Slowest message meanwhile, ms"];
    print_table(head, &rows);
    let verdict = if slowest > GOAL { "**missed**" } else { "reached" };
    println!("\nGoal: nobody waits longer than {} ms for a message because pages are scrubbed: {verdict}.", GOAL.as_millis());
    Ok(())
}

/// Erases a visitor while another one posts.
async fn round(address: SocketAddr, number: u64, writer: &Conversation, erased: &Conversation) -> Result<Round> {
    let is_over = Arc::new(AtomicBool::new(false));
    let caller = Caller::posting(usize::try_from(number)?, &writer.token, &writer.room_id, Ids::Rising)?;
    let posting = tokio::spawn(post_until(address, caller, Arc::clone(&is_over)));
    tokio::time::sleep(QUIET).await;
    let mut connection = Connection::open(address).await?;
    let path = format!("/api/v1/livechat/visitor/{}", crate::load::encoded(&erased.token));
    let asked = now();
    connection.call(&request("DELETE", &path, &Value::Null)).await?.json()?;
    let answered = now();
    while metric(connection.call(&request("GET", "/metrics", &Value::Null)).await?.text()?, "usher_erasures_unsealed")? > 0.0 {
        tokio::time::sleep(PAUSE).await;
    }
    let sealed = now();
    is_over.store(true, Ordering::Release);
    let posted = posting.await.context("posting does not panic")??;
    let slowest = |is_within: &dyn Fn(&Posted) -> bool| {
        let mut times: Vec<Duration> = posted.iter().filter(|post| is_within(post)).map(|post| post.end - post.begin).collect();
        times.sort_unstable();
        quantile(&times, 1.0).context("no message was posted")
    };
    let before = slowest(&|post| post.end <= asked)?;
    let meanwhile = slowest(&|post| post.end >= answered && post.begin <= sealed)?;
    eprintln!("sealed after {} ms, slowest message {} ms", milliseconds(sealed - answered), milliseconds(meanwhile));
    Ok(Round { sealed: sealed - answered, before, meanwhile })
}

/// When a message was sent and answered.
struct Posted {
    begin: std::time::Instant,
    end: std::time::Instant,
}

async fn post_until(address: SocketAddr, mut caller: Caller, is_over: Arc<AtomicBool>) -> Result<Vec<Posted>> {
    let mut connection = Connection::open(address).await?;
    let mut posted = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let begin = now();
        connection.call(caller.next()?).await?.json()?;
        posted.push(Posted { begin, end: now() });
    }
    Ok(posted)
}
