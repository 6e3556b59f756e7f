//! `bench store`: message appends of the embedded store, which commits in groups, against one commit per call over the same statements;
//! then reads by key.
//!
//! Each measurement is a process of its own on a fresh data folder, so that CPU time is that of one way alone and a slower disk can be
//! put under it: a preloaded library makes every flush take 2 ms longer, about what a disk takes that keeps its word.

mod group;
pub mod measurement;
mod single;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::figures::{Spread, grouped, print_heading, print_table};
use crate::shim::Shim;
use crate::workplace::Workplace;
use measurement::{Measured, Way};

/// How many callers there are at once.
const CALLERS: [u32; 3] = [1, 32, 256];

/// How many callers read at once.
const READERS: u32 = 32;

/// What a flush takes longer on the slower disk.
const LONGER: Duration = Duration::from_millis(2);

/// How the store is measured.
#[derive(clap::Args)]
pub struct Options {
    /// How long each measurement takes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How often each is repeated.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the data are meanwhile; in the build's folder unless it is given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What is measured, and what came of it in each round.
struct Scenario {
    way: Way,
    callers: u32,
    is_slow: bool,
    rounds: Vec<Measured>,
}

impl Scenario {
    fn new(way: Way, callers: u32, is_slow: bool) -> Scenario {
        Scenario { way, callers, is_slow, rounds: Vec::new() }
    }

    fn spread(&self, figure: impl Fn(&Measured) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(figure))
    }

    fn rate(&self) -> Spread {
        self.spread(|measured| measured.per_second)
    }

    fn cpu(&self) -> String {
        grouped(self.spread(|measured| measured.cpu_microseconds).median)
    }
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let workplace = Workplace::new(options.folder.as_deref())?;
    let shim = Shim::compile(workplace.path())?;
    let mut appends = Vec::new();
    for is_slow in [false, true] {
        for callers in CALLERS {
            appends.extend([Way::Group, Way::Single].map(|way| Scenario::new(way, callers, is_slow)));
        }
    }
    let mut reads = Scenario::new(Way::Read, READERS, false);
    for round in 1..=options.rounds {
        for scenario in appends.iter_mut().chain([&mut reads]) {
            let measured = measure(scenario, options, &workplace, &shim)?;
            let (way, callers, rate) = (scenario.way.name(), scenario.callers, grouped(measured.per_second));
            let disk = if scenario.is_slow { ", slower disk" } else { "" };
            eprintln!("round {round}: {way}, {callers} callers{disk}: {rate}/s");
            scenario.rounds.push(measured);
        }
    }
    print(options, &workplace, &appends, &reads)
}

/// Runs one measurement in a process of its own, on a fresh folder.
fn measure(scenario: &Scenario, options: &Options, workplace: &Workplace, shim: &Shim) -> Result<Measured> {
    let folder = workplace.folder("store")?;
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = Command::new(program);
    command.args(["store-run", "--way", scenario.way.name(), "--callers", &scenario.callers.to_string()]);
    command.args(["--seconds", &options.seconds.to_string(), "--folder"]).arg(&folder);
    if scenario.is_slow {
        shim.apply(&mut command, LONGER);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("a measurement cannot be started")?;
    ensure!(output.status.success(), "a measurement failed: {}", output.status);
    let measured: Measured = serde_json::from_slice(&output.stdout).context("a measurement did not print its figures")?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    // Without this the library could be without any effect, or in effect where it must not be, and nobody would notice.
    let (added, longer) = (measured.added_microseconds, LONGER.as_secs_f64() * 1e6);
    let is_as_wanted = (added >= longer) == scenario.is_slow;
    let wanted = if scenario.is_slow { longer } else { 0.0 };
    ensure!(is_as_wanted, "a preloaded library adds {added:.0} µs to a flush where it should add {wanted:.0}");
    Ok(measured)
}

fn print(options: &Options, workplace: &Workplace, appends: &[Scenario], reads: &Scenario) -> Result<()> {
    let (seconds, rounds) = (options.seconds, options.rounds);
    print_heading(workplace.path())?;
    println!(
        "{} rooms; median of {rounds} interleaved rounds of {seconds} s, with the lowest and the highest. A transaction posts one message: the \
         same four statements both ways, `synchronous=FULL` read back, and afterwards every acknowledged message counted. *Group* is the \
         server's own use case over `Store::write`; *single* is a plain connection behind a lock with a thread for each caller and a commit \
         for each call. CPU is that of the whole process, callers included.\n",
        grouped(measurement::ROOMS as f64)
    );
    let rows: Vec<_> = appends.chunks(2).map(|pair| row(&pair[0], &pair[1])).collect();
    let head = [
        "Flush",
        "Callers",
        "Group, tx/s",
        "Single, tx/s",
        "Ratio",
        "Messages in a group",
        "Group, CPU µs/tx",
        "Single, CPU µs/tx",
    ];
    print_table(head, &rows);
    println!();
    let (callers, rate, cpu) = (reads.callers.to_string(), reads.rate().to_string(), reads.spread(|read| read.cpu_microseconds));
    print_table(
        ["Reads by key", "Callers", "Reads/s", "CPU µs/read"],
        &[["visitor by token".to_owned(), callers, rate, format!("{:.1}", cpu.median)]],
    );
    Ok(())
}

fn row(group: &Scenario, single: &Scenario) -> [String; 8] {
    let flush = group.spread(|measured| measured.flush_microseconds).median;
    [
        format!("{} µs{}", grouped(flush), if group.is_slow { " (2 ms added)" } else { "" }),
        group.callers.to_string(),
        group.rate().to_string(),
        single.rate().to_string(),
        format!("{:.1}", group.rate().median / single.rate().median),
        format!("{:.1}", group.spread(|measured| measured.of_group).median),
        group.cpu(),
        single.cpu(),
    ]
}
