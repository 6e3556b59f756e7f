//! The time that a wrong login takes does not tell whether there is such a user.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;

use crate::common::figures::{Scale, scale};
use crate::common::http::{Answer, Client};
use crate::common::server::{Server, Setup};
use crate::common::session::{LOGIN, Session};
use crate::common::wait::Stopwatch;

/// Users that there are. Two of them, since what lies between two known names is noise.
const KNOWN: [&str; 2] = ["mary", "bob"];

/// A user that there is not.
const UNKNOWN: &str = "eve";

/// What is measured, in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// With a known name and a wrong password.
    Known(&'static str),
    /// With an unknown name.
    Unknown,
    /// With a known name and no password at all: there is nothing to hash, so the check must tell it from the others.
    Control,
}

impl Login {
    const ALL: [Login; 4] = [Login::Known(KNOWN[0]), Login::Unknown, Login::Known(KNOWN[1]), Login::Control];

    fn body(self) -> Value {
        match self {
            Login::Known(name) => json!({"user": name, "password": "not this one"}),
            Login::Unknown => json!({"user": UNKNOWN, "password": "not this one"}),
            Login::Control => json!({"user": KNOWN[0]}),
        }
    }
}

/// How far the ratio of two medians may be from 1. A tenth of the logins, beside other proofs, says only that both are hashed.
fn tolerance() -> f64 {
    match scale() {
        Scale::Whole => 0.15,
        Scale::Tenth => 0.5,
    }
}

/// How far the times of `one` are from those of `other`: 0 if their medians are the same, 0.5 if one is half as long again.
fn apart(one: &[Duration], other: &[Duration]) -> f64 {
    let [one, other] = [one, other].map(|times| quantile(times, 0.5).as_secs_f64());
    one.max(other) / one.min(other) - 1.0
}

/// The time that `share` of the sorted `times` do not exceed.
fn quantile(times: &[Duration], share: f64) -> Duration {
    times[((times.len() - 1) as f64 * share).round() as usize]
}

/// The median, and between what the middle half is.
fn told(times: &[Duration]) -> String {
    let [low, median, high] = [0.25, 0.5, 0.75].map(|share| format!("{:.2}", quantile(times, share).as_secs_f64() * 1e3));
    format!("{median} ms ({low}-{high})")
}

#[test]
fn unknown_names_take_as_long_as_known_ones() {
    let folder = Folder::default();
    let setup = Setup { rate_limits: "on", ..Setup::usual(folder.path()) }.with("--trusted-proxies", "127.0.0.1");
    let server = Server::start(&setup).expect("the server starts");
    let client = server.client();
    let administrator = Session::of_administrator(&client);
    for name in KNOWN {
        administrator.create_user(&client, name, "A password that nobody guesses");
    }
    let count = scale().of(200, 20);
    let mut times: [Vec<Duration>; 4] = Default::default();
    for turn in 0..count {
        for (place, login) in Login::ALL.into_iter().enumerate() {
            // Each comes from an address of its own, so that none is stopped before its password is looked at.
            let number = turn * Login::ALL.len() + place;
            let address = format!("10.0.{}.{}", number >> 8, number & 255);
            let watch = Stopwatch::start();
            let answer = log_in(&client, &address, &login.body());
            times[place].push(watch.elapsed());
            assert_eq!((answer.status, &answer.json()), (401, &refusal()), "{login:?}, turn {turn}");
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());

    let [known, unknown, another, control] = &times;
    let (noise, found, controlled) = (apart(known, another), apart(known, unknown), apart(known, control));
    println!(
        "login timing: {count} wrong logins each in turns, median (middle half): a known name {}, another one {}, {:.1} % apart; an \
         unknown name {}, {:.1} % apart",
        told(known),
        told(another),
        noise * 100.0,
        told(unknown),
        found * 100.0,
    );
    println!("login timing, control: without a password to hash {}, {:.0} % apart", told(control), controlled * 100.0);
    assert!(found <= tolerance(), "an unknown name is told by its time: {:.1} % apart from a known one", found * 100.0);
    assert!(controlled > tolerance(), "the check does not see a login that hashes nothing: {:.1} % apart", controlled * 100.0);
}

fn log_in(client: &Client, address: &str, body: &Value) -> Answer {
    client.call("POST", LOGIN, &[("X-Real-IP", address)], body).expect("a login is answered")
}

/// What is answered to a wrong login, whatever is wrong with it.
fn refusal() -> Value {
    json!({"status": "error", "success": false, "error": "Unauthorized", "message": "Unauthorized"})
}
