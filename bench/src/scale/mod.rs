//! `bench scale`: the time of single calls to the real server with millions of messages, against that with a hundredth. Nothing that
//! somebody waits for may grow with what others have stored, lists with their totals and searches not beyond what nobody notices.
//!
//! Two servers run at once and are called in turns over one connection each, so that whatever the machine does meets both.

mod calls;
mod database;
mod fill;
mod pages;
mod side;
mod stage;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::{Builder, Runtime};
use usher_services::Hub;
use usher_store::Location;

use crate::figures::{grouped, median, milliseconds, print_heading, print_table, quantile};
use crate::fill::open_at;
use crate::freshness::usher_program;
use crate::process::Server;
use crate::window::now;
use crate::workplace::Workplace;
use calls::{Goal, OPERATIONS, Operation, SEALING, Turn};
use database::Database;
use pages::Page;
use side::Side;
use stage::Stage;
use world::{MESSAGES_OF_ROOM, UNIT, World};

/// What the smaller store holds of the larger.
const SMALLER: usize = 100;

/// How many times longer a call may take with the larger.
const LIMIT: f64 = 3.0;

/// How long a list with its total may take.
const LISTED: Duration = Duration::from_millis(50);

/// How long a search may take.
const SEARCHED: Duration = Duration::from_millis(200);

/// How the calls are measured.
#[derive(clap::Args)]
pub struct Options {
    /// How many rooms the larger store holds. It has half as many visitors and ten times as many messages.
    #[arg(long, default_value_t = 200_000)]
    rooms: usize,
    /// How often each call is made; what uses something up less often.
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
    /// How many rooms the smaller and the larger store hold.
    fn rooms(&self) -> Result<[usize; 2]> {
        let least = 5 * UNIT * SMALLER;
        let is_possible = self.rooms >= least && self.rooms.is_multiple_of(UNIT * SMALLER);
        ensure!(is_possible, "the number of rooms must be a multiple of {}, at least {least}", UNIT * SMALLER);
        Ok([self.rooms / SMALLER, self.rooms])
    }
}

/// How long the calls of one kind took.
struct Times {
    operation: &'static Operation,
    smaller: Duration,
    larger: Duration,
    /// What 99 of 100 calls did not take longer than, with the larger.
    slow: Duration,
}

impl Times {
    fn ratio(&self) -> f64 {
        self.larger.as_secs_f64() / self.smaller.as_secs_f64()
    }

    fn is_too_long(&self) -> bool {
        match self.operation.goal {
            Goal::Steady => self.ratio() > LIMIT,
            Goal::Listed => self.slow > LISTED,
            Goal::Searched => self.slow > SEARCHED,
            Goal::None => false,
        }
    }

    /// The goal, and whether it is reached.
    fn verdict(&self) -> String {
        let goal = match self.operation.goal {
            Goal::Steady => format!("{LIMIT} times"),
            Goal::Listed => format!("p99 {} ms", LISTED.as_millis()),
            Goal::Searched => format!("p99 {} ms", SEARCHED.as_millis()),
            Goal::None => return "none".to_owned(),
        };
        format!("{goal}: {}", if self.is_too_long() { "**missed**" } else { "reached" })
    }

    fn row(&self) -> [String; 6] {
        [
            self.operation.name.to_owned(),
            milliseconds(self.smaller),
            milliseconds(self.larger),
            format!("{:.2}", self.ratio()),
            milliseconds(self.slow),
            self.verdict(),
        ]
    }

    fn complaint(&self) -> String {
        format!("{}: {:.2} times, p99 {} ms", self.operation.name, self.ratio(), milliseconds(self.slow))
    }
}

/// What both engines are measured with.
struct Benchmark<'o> {
    options: &'o Options,
    rooms: [usize; 2],
    program: PathBuf,
    workplace: Workplace,
}

/// Measures and prints. An error if anything misses its goal.
pub fn run(options: &Options) -> Result<()> {
    // The program is looked at once and now: filling takes minutes.
    let (rooms, program) = (options.rooms()?, usher_program()?);
    let benchmark = Benchmark { options, rooms, program, workplace: Workplace::new(options.folder.as_deref())? };
    print_heading(benchmark.workplace.path())?;
    println!(
        "Median of {} calls of each kind over one connection (fewer of take, close and DELETE, after each of which sealing is waited for), \
         to two servers in turns. {} agents and {} departments; visitors have two rooms each, of all rooms 2 % are in the queue, 1.5 % \
         served, half a percent on hold, and the rest closed, with tags and custom fields. A tenth of the rooms has 55 messages, the others \
         have 5, written in turns with all other rooms. A page has 50 entries.\n",
        options.calls,
        stage::AGENTS,
        stage::DEPARTMENTS,
    );
    let mut complaints = benchmark.measure("Embedded store", None)?;
    if let Some(url) = &options.database_url {
        let databases = [Database::create(url, "smaller")?, Database::create(url, "larger")?];
        complaints.extend(benchmark.measure("PostgreSQL", Some(&databases))?);
    }
    if !complaints.is_empty() {
        bail!("these miss their goals:\n- {}", complaints.join("\n- "));
    }
    Ok(())
}

impl Benchmark<'_> {
    /// Measures one engine and prints its tables. Gives what misses its goal.
    fn measure(&self, engine: &str, databases: Option<&[Database; 2]>) -> Result<Vec<String>> {
        // One thread: an answer is read by whoever waits for it, not by another thread that has to wake it.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let folders = [0, 1].map(|place| self.workplace.folder(&format!("{engine}-{}", self.rooms[place])));
        let [smaller, larger] = folders;
        let folders = [smaller?, larger?];
        let start = |place: usize| {
            let url = databases.map(|databases| databases[place].url.clone());
            let (world, server) = self.fill(&runtime, &folders[place], self.rooms[place], url)?;
            if let Some(databases) = databases {
                databases[place].tidy()?;
            }
            Ok::<_, anyhow::Error>((world, server))
        };
        let [(first, smaller), (second, larger)] = [start(0)?, start(1)?];
        let mut sides = [
            runtime.block_on(Side::connect(smaller, Arc::clone(&first)))?,
            runtime.block_on(Side::connect(larger, Arc::clone(&second)))?,
        ];
        let mut all = Vec::new();
        for operation in OPERATIONS {
            let calls = operation.calls(self.options.calls as usize, self.rooms[0]);
            let times = runtime.block_on(compare(&mut sides, operation, calls))?;
            times.iter().for_each(|times| eprintln!("{engine}: {}", times.complaint()));
            all.extend(times);
        }
        drop(sides);
        self.print(engine, &all);
        let mut complaints: Vec<String> =
            all.iter().filter(|times| times.is_too_long()).map(|times| format!("{engine}: {}", times.complaint())).collect();
        if databases.is_none() {
            let data = [folders[0].join("data"), folders[1].join("data")];
            let pages = pages::measure([&data[0], &data[1]], [&first, &second])?;
            complaints.extend(print_pages(&pages).map(|count| format!("{engine}: {count} pages of lists")));
        }
        Ok(complaints)
    }

    /// Fills a store and starts a server on it. Who works with the chats is made by another one before.
    fn fill(&self, runtime: &Runtime, folder: &std::path::Path, rooms: usize, url: Option<String>) -> Result<(Arc<World>, Server)> {
        let begun = now();
        let server = Server::usher(&self.program, folder, url.as_deref())?;
        let stage = Stage::set(runtime, &server)?;
        drop(server);
        let location = match &url {
            Some(url) => Location::Postgres(url.clone()),
            None => Location::Folder(folder.join("data")),
        };
        let world = Arc::new(World::new(stage, rooms));
        let store = open_at(&location, &Arc::new(Hub::default()))?;
        runtime.block_on(fill::fill(&store, &world))?;
        drop(store);
        eprintln!("{} rooms filled in {:.0} s", grouped(rooms as f64), begun.elapsed().as_secs_f64());
        Ok((world, Server::usher(&self.program, folder, url.as_deref())?))
    }

    fn print(&self, engine: &str, all: &[Times]) {
        let heads = self.rooms.map(|rooms| {
            let [visitors, rooms, messages] = [rooms / 2, rooms, rooms * MESSAGES_OF_ROOM].map(|count| grouped(count as f64));
            format!("{visitors} visitors, {rooms} rooms, {messages} messages: ms")
        });
        println!("### {engine}\n");
        let (single, lists): (Vec<_>, Vec<_>) =
            all.iter().partition(|times| matches!(times.operation.goal, Goal::Steady | Goal::None));
        for part in [single, lists] {
            let rows: Vec<_> = part.into_iter().map(Times::row).collect();
            print_table(["Call", &heads[0], &heads[1], "Ratio", "p99 of the latter, ms", "Goal"], &rows);
            println!();
        }
        let missed = all.iter().filter(|times| times.is_too_long()).count();
        println!("{} of {} reach their goals.\n", all.len() - missed, all.len());
    }
}

/// Prints how long the pages of lists take. Gives how many take too long, unless none does.
fn print_pages(pages: &[Page]) -> Option<usize> {
    println!(
        "The pages of these lists alone, without their totals: every statement that the store puts together for one and that searches no \
         term, {} of them, on the files of both stores.\n",
        pages.len()
    );
    let mut lists: Vec<&str> = pages.iter().map(|page| page.list).collect();
    lists.dedup();
    let rows: Vec<[String; 5]> = lists.iter().map(|list| row_of_list(list, pages)).collect();
    print_table(["List", "Statements", "Slowest in the larger store, ms", "Greatest ratio", "More than 3 times"], &rows);
    println!();
    let slow: Vec<&Page> = pages.iter().filter(|page| page.ratio() > LIMIT).collect();
    let mut conditions: Vec<(&str, &str)> = slow.iter().map(|page| (page.list, page.condition.as_str())).collect();
    conditions.dedup();
    if !conditions.is_empty() {
        let rows: Vec<[String; 5]> = conditions.into_iter().map(|condition| row_of_condition(condition, &slow)).collect();
        print_table(["Those of more than 3 times", "List", "Orders", "Slowest: smaller store, ms", "Larger store, ms"], &rows);
        println!();
    }
    let reached = pages.len() - slow.len();
    println!(
        "Goal: with {SMALLER} times the data no page takes more than {LIMIT} times as long: {reached} of {} reach it.",
        pages.len()
    );
    Some(slow.len()).filter(|count| *count > 0)
}

fn row_of_condition((list, condition): (&str, &str), slow: &[&Page]) -> [String; 5] {
    let pages: Vec<&&Page> = slow.iter().filter(|page| page.list == list && page.condition == condition).collect();
    let orders: Vec<&str> = pages.iter().map(|page| page.order.as_str()).collect();
    let (smaller, larger) =
        pages.iter().map(|page| (page.smaller, page.larger)).max_by_key(|(_, larger)| *larger).unwrap_or_default();
    [format!("`{condition}`"), list.to_owned(), format!("`{}`", orders.join("`, `")), milliseconds(smaller), milliseconds(larger)]
}

fn row_of_list(list: &str, pages: &[Page]) -> [String; 5] {
    let pages: Vec<&Page> = pages.iter().filter(|page| page.list == list).collect();
    let slowest = pages.iter().map(|page| page.larger).max().unwrap_or_default();
    let greatest = pages.iter().map(|page| page.ratio()).fold(0.0, f64::max);
    let slow = pages.iter().filter(|page| page.ratio() > LIMIT).count();
    [list.to_owned(), pages.len().to_string(), milliseconds(slowest), format!("{greatest:.2}"), slow.to_string()]
}

/// Makes calls of one kind to both servers in turns. Of a DELETE there are two times: that of its answer and that of its sealing.
async fn compare(sides: &mut [Side; 2], operation: &'static Operation, calls: usize) -> Result<Vec<Times>> {
    let mut answers = [Vec::new(), Vec::new()];
    let mut seals = [Vec::new(), Vec::new()];
    for call in 0..calls {
        for (place, side) in sides.iter_mut().enumerate() {
            answers[place].push(side.call(operation, Turn { call, calls }).await?);
            if operation.erases() {
                seals[place].push(side.sealed().await?);
            }
        }
    }
    let mut all = vec![times(operation, answers)?];
    if operation.erases() {
        all.push(times(&SEALING, seals)?);
    }
    Ok(all)
}

fn times(operation: &'static Operation, [smaller, mut larger]: [Vec<Duration>; 2]) -> Result<Times> {
    let none = "there was no call";
    larger.sort_unstable();
    let slow = quantile(&larger, 0.99).context(none)?;
    Ok(Times { operation, smaller: median(smaller).context(none)?, larger: median(larger).context(none)?, slow })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_goal(goal: Goal) -> &'static Operation {
        OPERATIONS.iter().chain([&SEALING]).find(|operation| operation.goal == goal).expect("there is one of every goal")
    }

    #[test]
    fn each_goal_has_its_measure() {
        let is_too_long = |goal, [smaller, larger, slow]: [u64; 3]| {
            let [smaller, larger, slow] = [smaller, larger, slow].map(Duration::from_millis);
            Times { operation: of_goal(goal), smaller, larger, slow }.is_too_long()
        };
        assert!(!is_too_long(Goal::Steady, [100, 300, 10_000]) && is_too_long(Goal::Steady, [100, 301, 301]));
        assert!(!is_too_long(Goal::Listed, [1, 50, 50]) && is_too_long(Goal::Listed, [50, 50, 51]));
        assert!(!is_too_long(Goal::Searched, [1, 200, 200]) && is_too_long(Goal::Searched, [1, 1, 201]));
        assert!(!is_too_long(Goal::None, [1, 10_000, 10_000]));
    }

    #[test]
    fn the_smaller_store_has_a_hundredth() {
        let options = |rooms| Options { rooms, calls: 200, database_url: None, folder: None };
        assert_eq!(options(200_000).rooms().ok(), Some([2_000, 200_000]));
        for rooms in [0, 80_000, 200_001, 210_000] {
            assert!(options(rooms).rooms().is_err(), "{rooms}");
        }
    }

    #[test]
    fn what_uses_something_up_is_called_less_often() {
        let calls =
            |name: &str| OPERATIONS.iter().find(|operation| operation.name == name).map(|operation| operation.calls(200, 2_000));
        assert_eq!(calls("take"), Some(20));
        assert_eq!(calls("a room"), Some(200));
        assert_eq!(calls("DELETE of a visitor, its answer"), Some(50));
    }
}
