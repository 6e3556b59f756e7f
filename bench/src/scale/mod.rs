//! `bench scale`: the time of single calls to the real server with a million messages, against that with a hundredth. Nothing that a
//! visitor waits for may grow with what others have stored.
//!
//! Two servers run at once and are called in turns over one connection each, so that whatever the machine does meets both.

mod database;
mod side;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::{Builder, Runtime};
use usher_services::Hub;
use usher_store::Location;

use crate::figures::{grouped, median, milliseconds, print_heading, print_table};
use crate::fill::{Plan, fill, open_at};
use crate::freshness::usher_program;
use crate::process::Server;
use crate::window::now;
use crate::workplace::Workplace;
use database::Database;
use side::{Operation, Side};

/// What the smaller store holds of the larger.
const SMALLER: usize = 100;

/// How many times longer a call may take with the larger.
const LIMIT: f64 = 3.0;

/// How the calls are measured.
#[derive(clap::Args)]
pub struct Options {
    /// How many messages the larger store holds.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// How many rooms they are in.
    #[arg(long, default_value_t = 10_000)]
    rooms: usize,
    /// How often each call is made; DELETE no more often than for half of the smaller store's visitors.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    calls: u64,
    /// Measures on PostgreSQL as well: a database that can be connected to, `postgres://..`. Two others are made beside it and removed.
    #[arg(long)]
    database_url: Option<String>,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Options {
    /// What the smaller and the larger store hold.
    fn plans(&self) -> Result<[Plan; 2]> {
        let (rooms, messages_of_room) = (self.rooms, self.messages / self.rooms.max(1));
        let is_possible = rooms >= 2 * SMALLER && rooms.is_multiple_of(SMALLER) && messages_of_room * rooms == self.messages;
        let reason = "the number of messages must be a multiple of that of rooms, and that a multiple of 100, at least 200";
        ensure!(is_possible && messages_of_room > 0, "{reason}");
        Ok([Plan { rooms: rooms / SMALLER, messages_of_room }, Plan { rooms, messages_of_room }])
    }
}

/// How long the calls of one kind took.
struct Times {
    operation: Operation,
    smaller: Duration,
    larger: Duration,
}

impl Times {
    fn ratio(&self) -> f64 {
        self.larger.as_secs_f64() / self.smaller.as_secs_f64()
    }

    fn is_too_long(&self) -> bool {
        self.operation.is_waited_for() && self.ratio() > LIMIT
    }

    fn row(&self) -> [String; 4] {
        let name = self.operation.name().to_owned();
        [name, milliseconds(self.smaller), milliseconds(self.larger), format!("{:.2}", self.ratio())]
    }
}

/// What both engines are measured with.
struct Benchmark<'o> {
    options: &'o Options,
    plans: [Plan; 2],
    program: PathBuf,
    workplace: Workplace,
}

/// Measures and prints. An error if anything takes too much longer with the larger store.
pub fn run(options: &Options) -> Result<()> {
    // The program is looked at once and now: filling takes minutes.
    let (plans, program) = (options.plans()?, usher_program()?);
    let benchmark = Benchmark { options, plans, program, workplace: Workplace::new(options.folder.as_deref())? };
    print_heading(benchmark.workplace.path())?;
    println!(
        "Median of {} calls of each kind over one connection ({} of DELETE, after each of which sealing is waited for), to two servers in \
         turns. Every room has {} messages, written in turns with all other rooms.\n",
        options.calls,
        deletions(options, &plans[0]),
        plans[0].messages_of_room
    );
    let mut complaints = benchmark.measure("Embedded store", None)?;
    if let Some(url) = &options.database_url {
        let databases = [Database::create(url, "smaller")?, Database::create(url, "larger")?];
        complaints.extend(benchmark.measure("PostgreSQL", Some(&databases))?);
    }
    if !complaints.is_empty() {
        bail!("these take more than {LIMIT} times as long with {SMALLER} times the data:\n{}", complaints.join("\n"));
    }
    println!("Goal: with {SMALLER} times the data no answer takes more than {LIMIT} times as long: reached.");
    Ok(())
}

/// How often visitors can be erased: half of the smaller store's must be left to write for.
fn deletions(options: &Options, smaller: &Plan) -> usize {
    (smaller.rooms / 2).max(1).min(options.calls as usize)
}

impl Benchmark<'_> {
    /// Measures one engine and prints its table. Gives what takes too long.
    fn measure(&self, engine: &str, databases: Option<&[Database; 2]>) -> Result<Vec<String>> {
        // One thread: an answer is read by whoever waits for it, not by another thread that has to wake it.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let start = |place: usize| self.start(&runtime, engine, self.plans[place], databases.map(|databases| &databases[place]));
        let mut sides = [start(0)?, start(1)?];
        let mut all = Vec::new();
        for operation in Operation::ALL {
            let calls = if operation.erases() { deletions(self.options, &self.plans[0]) } else { self.options.calls as usize };
            eprintln!("{engine}: {}, {calls} calls", operation.name());
            all.extend(runtime.block_on(compare(&mut sides, operation, calls))?);
        }
        self.print(engine, &all);
        let complaint = |times: &Times| format!("- {engine}: {}, {:.2} times", times.operation.name(), times.ratio());
        Ok(all.iter().filter(|times| times.is_too_long()).map(complaint).collect())
    }

    /// Fills a store and starts a server on it.
    fn start(&self, runtime: &Runtime, engine: &str, plan: Plan, database: Option<&Database>) -> Result<Side> {
        let folder = self.workplace.folder(&format!("{engine}-{}", plan.rooms))?;
        let location = match database {
            Some(database) => Location::Postgres(database.url.clone()),
            None => Location::Folder(folder.join("data")),
        };
        let begun = now();
        let store = open_at(&location, &Arc::new(Hub::default()))?;
        let conversations = runtime.block_on(fill(&store, plan))?;
        drop(store);
        if let Some(database) = database {
            database.tidy()?;
        }
        eprintln!("{engine}: {} rooms filled in {:.0} s", plan.rooms, begun.elapsed().as_secs_f64());
        let server = Server::usher(&self.program, &folder, database.map(|database| database.url.as_str()))?;
        runtime.block_on(Side::connect(server, conversations, plan))
    }

    fn print(&self, engine: &str, all: &[Times]) {
        let heads = self.plans.map(|plan| {
            let (messages, rooms) = (plan.rooms * plan.messages_of_room, plan.rooms);
            format!("{} messages in {} rooms, ms", grouped(messages as f64), grouped(rooms as f64))
        });
        println!("### {engine}\n");
        let rows: Vec<_> = all.iter().map(Times::row).collect();
        print_table(["Call", &heads[0], &heads[1], "Ratio"], &rows);
        println!();
    }
}

/// Makes calls of one kind to both servers in turns. Of a DELETE there are two times: that of its answer and that of its sealing.
async fn compare(sides: &mut [Side; 2], operation: Operation, calls: usize) -> Result<Vec<Times>> {
    let mut answers = [Vec::new(), Vec::new()];
    let mut seals = [Vec::new(), Vec::new()];
    for call in 0..calls {
        for (place, side) in sides.iter_mut().enumerate() {
            answers[place].push(side.call(operation, call, calls).await?);
            if operation.erases() {
                seals[place].push(side.sealed().await?);
            }
        }
    }
    let mut all = vec![times(operation, answers)?];
    if operation.erases() {
        all.push(times(Operation::Sealing, seals)?);
    }
    Ok(all)
}

fn times(operation: Operation, [smaller, larger]: [Vec<Duration>; 2]) -> Result<Times> {
    let none = "there was no call";
    Ok(Times { operation, smaller: median(smaller).context(none)?, larger: median(larger).context(none)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_waited_for_may_take_too_long() {
        let too_long = |operation, smaller, larger| {
            Times { operation, smaller: Duration::from_millis(smaller), larger: Duration::from_millis(larger) }.is_too_long()
        };
        for operation in Operation::ALL {
            assert!(!too_long(operation, 100, 300), "{}", operation.name());
            assert!(too_long(operation, 100, 301), "{}", operation.name());
        }
        assert!(!too_long(Operation::Sealing, 100, 10_000));
    }

    #[test]
    fn the_smaller_store_has_a_hundredth_in_rooms_of_the_same_length() {
        let options = |messages, rooms| Options { messages, rooms, calls: 200, database_url: None, folder: None };
        let plans = options(1_000_000, 10_000).plans().expect("this is the usual case");
        assert_eq!(plans.map(|plan| (plan.rooms, plan.messages_of_room)), [(100, 100), (10_000, 100)]);
        assert_eq!(deletions(&options(1_000_000, 10_000), &plans[0]), 50);
        for (messages, rooms) in [(1_000_000, 9_999), (1_000_001, 10_000), (0, 10_000), (100, 100), (1, 0)] {
            assert!(options(messages, rooms).plans().is_err(), "{messages} messages in {rooms} rooms");
        }
    }
}
