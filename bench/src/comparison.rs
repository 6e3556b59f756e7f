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
    pub seconds: u64,
    /// How many rounds each server has.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
}

impl std::fmt::Display for Rounds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rounds { seconds, rounds } = self;
        write!(formatter, "Median of {rounds} interleaved rounds of {seconds} s, with the lowest and the highest.")
    }
}

/// The names of the two servers, in the order in which they are everywhere here.
const NAMES: [&str; 2] = ["Usher", "Bare axum server"];

/// One kind of call, and what came of its rounds at the real server and at the bare one.
pub struct Call {
    name: &'static str,
    rounds: [Vec<Load>; 2],
}

impl Call {
    /// A kind of call that nobody has made yet.
    pub fn new(name: &'static str) -> Call {
        Call { name, rounds: [Vec::new(), Vec::new()] }
    }

    /// Lets the callers of each server call it, in turns.
    pub fn run_in_turns(&mut self, rounds: Rounds, servers: &[Server; 2], callers: &[Caller]) -> Result<()> {
        let mut callers = [callers.to_vec(), callers.to_vec()];
        for _ in 0..rounds.rounds {
            for (place, server) in servers.iter().enumerate() {
                let length = Duration::from_secs(rounds.seconds);
                let load = load::run(server.address, server.process(), &mut callers[place], length);
                self.add(place, load.with_context(|| format!("{}: {} could not be measured", self.name, NAMES[place]))?);
            }
        }
        Ok(())
    }

    /// Makes each of `requests` once at both servers, over so many connections, and gives the real server's answers.
    pub fn run_once(&mut self, servers: &[Server; 2], requests: &[Vec<u8>], connections: usize) -> Result<Vec<Vec<u8>>> {
        let mut first = None;
        for (place, server) in servers.iter().enumerate() {
            let ran = load::run_once(server.address, server.process(), requests.to_vec(), connections);
            let (load, answers) = ran.with_context(|| format!("{}: {} could not be measured", self.name, NAMES[place]))?;
            self.add(place, load);
            first.get_or_insert(answers);
        }
        first.context("there is a server")
    }

    fn add(&mut self, place: usize, load: Load) {
        self.rounds[place].push(load);
        let rounds = self.rounds[place].len();
        eprintln!("{}, round {rounds}: {}: {} requests/s", self.name, NAMES[place], self.rate(place));
    }

    /// How many requests the real server answered, in the windows and around them.
    pub fn answered(&self) -> u64 {
        self.rounds[0].iter().map(|load| load.count.whole).sum()
    }

    fn spread(&self, place: usize, figure: impl Fn(&Load) -> f64) -> Spread {
        Spread::of(self.rounds[place].iter().map(figure))
    }

    fn rate(&self, place: usize) -> Spread {
        self.spread(place, |load| load.per_second)
    }

    /// What `share` of the answers did not take longer than, in milliseconds.
    fn latency(&self, place: usize, share: f64) -> String {
        let quantile = |load: &Load| quantile(&load.latencies, share).map_or(f64::NAN, |time| f64::from(time) / 1e3);
        format!("{:.2}", self.spread(place, quantile).median)
    }

    fn cpu(&self, place: usize, time: fn(&Load) -> Duration) -> String {
        format!("{:.1}", self.spread(place, |load| microseconds_each(time(load), load.count.measured)).median)
    }

    fn share(&self) -> f64 {
        self.rate(0).median / self.rate(1).median * 100.0
    }
}

/// Prints what came of one kind of call, the real server first. `each` names what a request is for.
pub fn print_comparison(call: &Call, each: &str) {
    let cpu = ["Server", "Load generator"].map(|who| format!("{who}, CPU µs/{each}"));
    let row = |place: usize| {
        [
            NAMES[place].to_owned(),
            call.rate(place).to_string(),
            call.latency(place, 0.5),
            call.latency(place, 0.99),
            call.cpu(place, |load| load.server_cpu),
            call.cpu(place, |load| load.own_cpu),
        ]
    };
    print_table(["Server", "Requests/s", "p50, ms", "p99, ms", &cpu[0], &cpu[1]], &[row(0), row(1)]);
    println!();
}

/// Prints what came of several kinds, a row each.
pub fn print_calls(calls: &[&Call]) {
    let row = |call: &&Call| {
        [
            call.name.to_owned(),
            call.rate(0).to_string(),
            call.rate(1).to_string(),
            format!("{:.1} %", call.share()),
            call.latency(0, 0.5),
            call.latency(0, 0.99),
            call.cpu(0, |load| load.server_cpu),
            call.cpu(1, |load| load.server_cpu),
            call.cpu(0, |load| load.own_cpu),
        ]
    };
    let head = [
        "Call",
        "Usher, requests/s",
        "Bare axum server, requests/s",
        "Share",
        "Usher, p50, ms",
        "Usher, p99, ms",
        "Usher, CPU µs/request",
        "Bare server, CPU µs/request",
        "Load generator, CPU µs/request",
    ];
    print_table(head, &calls.iter().map(row).collect::<Vec<_>>());
    println!();
}

/// Says whether the real server answers `goal` percent of what the bare one does.
pub fn verdict(call: &Call, goal: f64) -> String {
    let percent = call.share();
    let verdict = if percent >= goal { "reached" } else { "missed" };
    format!(
        "{}: Usher answers **{percent:.1} %** of the bare server's requests/s. Goal: at least {} %: {verdict}.",
        call.name,
        grouped(goal)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Count;

    fn load(per_second: f64) -> Load {
        let (count, latencies) = (Count { measured: 2, whole: 3 }, vec![1, 2]);
        Load { count, latencies, per_second, server_cpu: Duration::ZERO, own_cpu: Duration::ZERO }
    }

    #[test]
    fn the_goal_is_a_share_of_the_bare_server() {
        let rounds = [vec![load(4_000.0), load(1.0), load(5_000.0)], vec![load(8_000.0)]];
        let call = Call { name: "a call", rounds };
        let begin = "a call: Usher answers **50.0 %** of the bare server's requests/s. Goal: at least ";
        assert_eq!(verdict(&call, 50.0), format!("{begin}50 %: reached."));
        assert_eq!(verdict(&call, 51.0), format!("{begin}51 %: missed."));
        assert_eq!(call.answered(), 9);
    }
}
