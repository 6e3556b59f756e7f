//! The real server beside a bare one: both get the same load in turns, and what counts is the ratio.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::figures::{Spread, grouped, microseconds_each, print_table, quantile};
use crate::load::{self, Caller, Load};
use crate::process::Server;

/// How long and how often both are measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Rounds {
    /// How long each round takes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many rounds each server has.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

impl std::fmt::Display for Rounds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rounds { seconds, rounds } = self;
        write!(formatter, "Median of {rounds} interleaved rounds of {seconds} s, with the lowest and the highest.")
    }
}

/// A server, those who call it, and what came of each round.
pub struct Side {
    name: &'static str,
    server: Server,
    callers: Vec<Caller>,
    rounds: Vec<Load>,
}

impl Side {
    /// A server that these callers will call.
    pub fn new(name: &'static str, server: Server, callers: Vec<Caller>) -> Side {
        Side { name, server, callers, rounds: Vec::new() }
    }

    /// How many requests were answered, in the windows and around them.
    pub fn answered(&self) -> u64 {
        self.rounds.iter().map(|load| load.count.whole).sum()
    }

    fn measure(&mut self, length: Duration) -> Result<()> {
        let load = load::run(self.server.address, self.server.process(), &mut self.callers, length);
        self.rounds.push(load.with_context(|| format!("{} could not be measured", self.name))?);
        Ok(())
    }

    fn spread(&self, figure: impl Fn(&Load) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(figure))
    }

    fn rate(&self) -> Spread {
        self.spread(|load| load.per_second)
    }

    fn row(&self) -> [String; 6] {
        let latency = |share| {
            let quantile = |load: &Load| quantile(&load.latencies, share).map_or(f64::NAN, |time| f64::from(time) / 1e3);
            format!("{:.2}", self.spread(quantile).median)
        };
        let cpu = |time: fn(&Load) -> Duration| {
            format!("{:.1}", self.spread(|load| microseconds_each(time(load), load.count.measured)).median)
        };
        [
            self.name.to_owned(),
            self.rate().to_string(),
            latency(0.5),
            latency(0.99),
            cpu(|load| load.server_cpu),
            cpu(|load| load.own_cpu),
        ]
    }
}

/// Measures both in turns.
pub fn run_in_turns(rounds: Rounds, sides: &mut [Side; 2]) -> Result<()> {
    for round in 1..=rounds.rounds {
        for side in &mut *sides {
            side.measure(Duration::from_secs(rounds.seconds))?;
            eprintln!("round {round}: {}: {} requests/s", side.name, side.rate());
        }
    }
    Ok(())
}

/// Prints the table of both, the real server first, and whether that reaches `goal` percent of the other's requests. `each` names
/// what a request is for.
pub fn print_comparison(sides: &[Side; 2], each: &str, goal: f64) {
    let [usher, bare] = sides;
    let cpu = ["Server", "Load generator"].map(|who| format!("{who}, CPU µs/{each}"));
    print_table(["Server", "Requests/s", "p50, ms", "p99, ms", &cpu[0], &cpu[1]], &[usher.row(), bare.row()]);
    println!("\n{}", verdict(usher.rate().median, bare.rate().median, goal));
}

fn verdict(usher: f64, bare: f64, goal: f64) -> String {
    let percent = usher / bare * 100.0;
    let verdict = if percent >= goal { "reached" } else { "missed" };
    format!("Usher answers **{percent:.1} %** of the bare server's requests/s. Goal: at least {} %: {verdict}.", grouped(goal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_is_a_share_of_the_bare_server() {
        let begin = "Usher answers **50.0 %** of the bare server's requests/s. Goal: at least ";
        assert_eq!(verdict(4_000.0, 8_000.0, 50.0), format!("{begin}50 %: reached."));
        assert_eq!(verdict(4_000.0, 8_000.0, 51.0), format!("{begin}51 %: missed."));
    }
}
