//! Figures: what is measured of a process and of the disk, and how it is written.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::window::now;

/// How long a clock tick of `/proc` lasts, in milliseconds: the kernel's interface has 100 in a second, whatever the machine.
const TICK: u64 = 10;

/// How often the disk is probed.
const PROBES: usize = 101;

/// The lowest, the median and the highest of several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The lowest.
    pub low: f64,
    /// The middle one, or what lies between the two in the middle.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// The spread of `values`, of which there is at least one.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Spread { low: values[0], median: f64::midpoint(values[last / 2], values[last.div_ceil(2)]), high: values[last] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({}-{})", grouped(self.median), grouped(self.low), grouped(self.high))
    }
}

/// The value that `share` of the sorted `values` do not exceed; of none it is nothing.
pub fn quantile<T: Copy>(values: &[T], share: f64) -> Option<T> {
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}

/// The middle one of `values`, of an even number the greater of the two; of none it is nothing.
pub fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort_unstable();
    quantile(&values, 0.5)
}

/// A whole figure with its thousands apart: `183,112`.
pub fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in milliseconds, with two decimals.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// The CPU time that each of `count` pieces of work took, in microseconds.
pub fn microseconds_each(cpu: Duration, count: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// Prints a table: its head, whose first column holds names and the others figures, and its rows.
pub fn print_table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    println!("| {} |", head.join(" | "));
    let rules: Vec<&str> = (0..N).map(|column| if column == 0 { "---" } else { "---:" }).collect();
    println!("| {} |", rules.join(" | "));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Prints the heading of a section: the command line that makes it, and what it ran on. `folder` is where the data were.
pub fn print_heading(folder: &Path) -> Result<()> {
    let cores = std::thread::available_parallelism().context("the number of cores cannot be asked for")?;
    let times = flush_times(folder)?;
    let flush = |share| quantile(&times, share).map_or_else(String::new, |time| grouped(time.as_secs_f64() * 1e6));
    let profile = if cfg!(debug_assertions) { "" } else { "--release " };
    println!("## `cargo run {profile}-p bench -- {}`\n", command_line(std::env::args().skip(1)));
    if cfg!(debug_assertions) {
        println!("**Built without `--release`: these figures say nothing.**\n");
    }
    println!(
        "{cores} cores, shared by everything that is measured. A 16 KB append with fdatasync takes {} µs (median of {PROBES}; a tenth \
         took less than {}, a tenth more than {}).\n",
        flush(0.5),
        flush(0.1),
        flush(0.9)
    );
    Ok(())
}

/// The arguments as they were given, but for the database's URL: it may hold a password.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let mut text: Vec<String> = Vec::new();
    for argument in arguments {
        let is_url = text.last().is_some_and(|before| before == "--database-url");
        match argument.split_once('=') {
            _ if is_url => text.push("URL".to_owned()),
            Some(("--database-url", _)) => text.push("--database-url=URL".to_owned()),
            _ => text.push(argument),
        }
    }
    text.join(" ")
}

/// The median time of appending 16 KB to a file in `folder` and flushing them.
pub fn flush_time(folder: &Path) -> Result<Duration> {
    median(flush_times(folder)?).context("the disk was probed")
}

/// The times of appending 16 KB to a file in `folder` and flushing them, sorted.
fn flush_times(folder: &Path) -> Result<Vec<Duration>> {
    let path = folder.join("probe");
    let probe = || -> std::io::Result<Vec<Duration>> {
        let (mut file, block) = (File::create(&path)?, [0x55_u8; 16 << 10]);
        let mut times = Vec::new();
        for _ in 0..PROBES {
            let begun = now();
            file.write_all(&block)?;
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        std::fs::remove_file(&path)?;
        times.sort_unstable();
        Ok(times)
    };
    probe().with_context(|| format!("the disk cannot be probed in {}", folder.display()))
}

/// What a preloaded library adds to a flush, at least: the time of flushing what the system refuses to flush, at once.
pub fn added_to_flushes() -> Result<Duration> {
    let file = File::open("/dev/null").context("/dev/null cannot be opened")?;
    let mut least = Duration::MAX;
    for _ in 0..5 {
        let begun = now();
        // It is refused, and what is asked for is only when.
        let _ = file.sync_data();
        least = least.min(begun.elapsed());
    }
    Ok(least)
}

/// The CPU time of a running process so far: all of its threads, its own work and the system's for it.
pub fn cpu_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read: has the process ended?"))?;
    let ticks = ticks(&text).with_context(|| format!("{path} has another form than expected: {text}"))?;
    Ok(Duration::from_millis(ticks * TICK))
}

/// The fields 14 and 15 together. The name in field 2 may contain anything, but the last parenthesis ends it.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// The value of a metric without labels in the text form of Prometheus.
pub fn metric(text: &str, name: &str) -> Result<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
    value.with_context(|| format!("/metrics has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_that_of_the_sorted_rounds() {
        let spread = Spread::of([2_000.0, 10_000_000.4, 999.0]);
        assert_eq!(spread, Spread { low: 999.0, median: 2_000.0, high: 10_000_000.4 });
        assert_eq!(spread.to_string(), "2,000 (999-10,000,000)");
        assert_eq!(Spread::of([4.0, 1.0]), Spread { low: 1.0, median: 2.5, high: 4.0 }, "neither of the two is the middle");
        assert_eq!(Spread::of([7.0]), Spread { low: 7.0, median: 7.0, high: 7.0 });
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<u32> = (1..=101).collect();
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.99), quantile(&values, 1.0)), (Some(51), Some(100), Some(101)));
        assert_eq!(quantile::<u32>(&[], 0.5), None);
    }

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "77 (a (b) 1 2 3) S 1 77 77 0 -1 4194304 10 20 30 40 250 50 7 8 20 0 4 0 100";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("nothing of the kind"), None);
        assert!(cpu_time(std::process::id()).is_ok());
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# TYPE usher_a counter\nusher_a_total{kind=\"x\"} 5\nusher_a_totals 6\nusher_a_total 7\n# EOF\n";
        assert_eq!(metric(text, "usher_a_total").ok(), Some(7.0));
        assert!(metric(text, "usher_b").is_err());
    }

    #[test]
    fn the_heading_keeps_the_databases_password() {
        let shown = |arguments: &[&str]| command_line(arguments.iter().map(|argument| (*argument).to_owned()));
        assert_eq!(shown(&["scale", "--database-url", "postgres://u:p@h/d", "--calls", "5"]), "scale --database-url URL --calls 5");
        assert_eq!(shown(&["scale", "--database-url=postgres://u:p@h/d"]), "scale --database-url=URL");
    }
}
