//! Brute force: whoever tries thousands of passwords is stopped after a few, and neither stops the rightful user nor fills the memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use usher_testkit::engines::Folder;

use crate::common::figures::{grouped, scale};
use crate::common::http::{Answer, Client};
use crate::common::line::Line;
use crate::common::server::{Server, Setup};
use crate::common::session::{LOGIN, Session, credentials, try_to_log_in};
use crate::common::wait::{PATIENCE, Stopwatch, wait_until};

/// Whose word on addresses counts: the proofs themselves.
const PROXY: &str = "127.0.0.1";

/// The rightful user.
const USER: (&str, &str) = ("mary", "The password of Mary alone");

/// How many connections the attack has.
const CONNECTIONS: usize = 64;

/// How many threads keep them busy.
const THREADS: usize = 2;

/// How often the rightful user logs in meanwhile.
const LOGINS: usize = 20;

/// From where: one address may log in with one name ten times a minute.
const HOMES: [&str; 4] = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"];

/// Where the attack comes from if it comes from one place.
const ATTACKER: &str = "203.0.113.66";

/// How long a login of the rightful user may take. The promise is one of the program as it is delivered; one without optimisation gets
/// the time that it needs, beside other proofs.
const LIMIT: Duration = if cfg!(debug_assertions) { Duration::from_secs(2) } else { Duration::from_millis(200) };

/// How many passwords may be looked at from one address: fifty in five minutes, and those that are under way by then.
const MOST_GUESSES: usize = 50 + CONNECTIONS;

/// By how many bytes the server's memory may grow after the first tenth of an attack.
const GROWTH: usize = 8_000_000;

/// By how many bytes it may grow at all: hashing takes 20 MB, and happens twice at once.
const HASHING: usize = 50_000_000;

/// The answers to an attack: how often each status with each error.
type Answers = BTreeMap<(u16, String), usize>;

/// What is answered to a wrong password that was looked at.
const WRONG: &str = "Unauthorized";

/// A server with its usual limits, the administrator's client, and the rightful user.
fn start(folder: &Folder) -> Server {
    let setup = Setup { rate_limits: "on", ..Setup::usual(folder.path()) }.with("--trusted-proxies", PROXY);
    let server = Server::start(&setup).expect("the server starts");
    let client = server.client();
    let (name, password) = USER;
    Session::of_administrator(&client).create_user(&client, name, password);
    server
}

/// Logs in from `address`.
fn log_in(client: &Client, address: &str, name: &str, password: &str) -> Answer {
    try_to_log_in(client, &[("X-Real-IP", address)], name, password)
}

/// The rightful user logs in from `address`, which must work in time.
fn log_in_rightfully(client: &Client, address: &str) -> Duration {
    let (name, password) = USER;
    let watch = Stopwatch::start();
    let login = log_in(client, address, name, password);
    let took = watch.elapsed();
    assert_eq!(login.status, 200, "the rightful user from {address}, after {took:?}: {}", login.text);
    took
}

/// An attack under way: how far it is, and whether it may end.
struct Attack {
    made: AtomicUsize,
    /// How many attempts it has at least.
    least: usize,
    /// Whether nobody needs it any longer.
    is_over: AtomicBool,
}

impl Attack {
    fn new(least: usize, is_over: bool) -> Attack {
        Attack { made: AtomicUsize::new(0), least, is_over: AtomicBool::new(is_over) }
    }

    /// Tries wrong passwords over all lines until there were enough. `target` says from where and with which name the attempt of a
    /// number is made.
    fn run(&self, lines: &mut [Line], target: &dyn Fn(usize) -> (String, String)) -> Answers {
        let mut answers = Answers::new();
        loop {
            let mut sent = 0;
            for line in &mut *lines {
                let number = self.made.fetch_add(1, Ordering::Relaxed);
                if number >= self.least && self.is_over.load(Ordering::Acquire) {
                    break;
                }
                let (address, name) = target(number);
                line.post(LOGIN, &[("X-Real-IP", &address)], &credentials(&name, &format!("guess {number}")));
                sent += 1;
            }
            for line in &mut lines[..sent] {
                *answers.entry(known(&line.answer())).or_default() += 1;
            }
            if sent < lines.len() {
                return answers;
            }
        }
    }

    /// Waits until so many attempts were made.
    fn reach(&self, attempts: usize) {
        wait_until("the attack goes on", PATIENCE, || self.made.load(Ordering::Relaxed) >= attempts);
    }
}

/// The kind of an answer, which must be one that an attacker may get.
fn known(answer: &Answer) -> (u16, String) {
    let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
    match (answer.status, error.as_str()) {
        (401, WRONG | "error-login-blocked-for-user" | "error-login-blocked-for-ip") => (401, error),
        (status @ (429 | 503), _) => (status, String::new()),
        (status, _) => panic!("a wrong password is answered {status} {}", answer.text),
    }
}

/// All answers together.
fn sum(all: impl IntoIterator<Item = Answers>) -> Answers {
    let mut sum = Answers::new();
    for (kind, count) in all.into_iter().flatten() {
        *sum.entry(kind).or_default() += count;
    }
    sum
}

/// How often a password was looked at and found wrong.
fn guesses(answers: &Answers) -> usize {
    answers.get(&(401, WRONG.to_owned())).copied().unwrap_or_default()
}

/// The answers as figures: `50 401 Unauthorized, 9,950 429`.
fn told(answers: &Answers) -> String {
    let tell =
        |((status, error), count): (&(u16, String), &usize)| format!("{} {status} {error}", grouped(*count)).trim().to_owned();
    answers.iter().map(tell).collect::<Vec<_>>().join(", ")
}

/// Attacks over all connections, while `meanwhile` runs.
fn attack<T>(
    server: &Server,
    begun: &Attack,
    connections: usize,
    target: &(dyn Fn(usize) -> (String, String) + Sync),
    meanwhile: impl FnOnce() -> T,
) -> (Answers, T) {
    std::thread::scope(|scope| {
        let start = |_| {
            let mut lines: Vec<Line> = (0..connections / THREADS).map(|_| Line::open(&server.address)).collect();
            scope.spawn(move || begun.run(&mut lines, target))
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
        // Even if that failed, the attack has to end for anybody to hear of it.
        begun.is_over.store(true, Ordering::Release);
        let answers = sum(threads.into_iter().map(|thread| thread.join().expect("an attacker's answers are the usual ones")));
        (answers, seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// The memory of the server's process that is in use (`VmRSS`), in bytes.
fn memory(server: &Server) -> usize {
    let path = format!("/proc/{}/status", server.process.id());
    let status = std::fs::read_to_string(&path).expect("the system knows the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the system says how much memory it uses");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("it is a number of kilobytes");
    kilobytes * 1_024
}

/// How much memory the server used before an attack, after its first tenth, and after the last of it.
struct Memory {
    before: usize,
    early: usize,
    end: usize,
}

impl Memory {
    /// Checks that it has not grown.
    fn assert_flat(&self) {
        let Memory { before, early, end } = self;
        assert!(*end < early + GROWTH, "memory grows with the attack: {self}");
        assert!(*end < before + HASHING, "memory is not given back: {self}");
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [before, early, end] = [self.before, self.early, self.end].map(grouped);
        write!(formatter, "{before} bytes before, {early} after a tenth, {end} at the end")
    }
}

/// From one address, in turns with the rightful user's name and with names that nobody has.
fn from_one_address(number: usize) -> (String, String) {
    let name = if number.is_multiple_of(2) { USER.0.to_owned() } else { format!("nobody-{number}") };
    (ATTACKER.to_owned(), name)
}

/// From an address of its own each, every tenth with the rightful user's name and all others with names that nobody has.
fn from_everywhere(number: usize) -> (String, String) {
    let name = if number.is_multiple_of(10) { USER.0.to_owned() } else { format!("nobody-{number}") };
    (format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255), name)
}

#[test]
fn the_rightful_user_logs_in_beside_ten_thousand_guesses() {
    let folder = Folder::default();
    let server = start(&folder);
    let (client, attempts) = (server.client(), scale().of(10_000, 1_000));
    // The rightful user's connection is there, and the memory that the first login takes.
    log_in_rightfully(&client, HOMES[0]);
    let (begun, before) = (Attack::new(attempts, false), memory(&server));
    let (answers, (times, early)) = attack(&server, &begun, CONNECTIONS, &from_one_address, || {
        let (mut times, mut early) = (Vec::new(), 0);
        for login in 0..LOGINS {
            begun.reach((attempts * login / LOGINS).max(1));
            if login == LOGINS / 10 {
                early = memory(&server);
            }
            times.push(log_in_rightfully(&client, HOMES[login % HOMES.len()]));
        }
        (times, early)
    });
    let memory = Memory { before, early, end: memory(&server) };
    let (slowest, all) = (times.iter().max().copied().unwrap_or_default(), answers.values().sum::<usize>());
    println!(
        "brute force: {} wrong logins from one address over {CONNECTIONS} connections: {}; the rightful user's {LOGINS} logins from \
         others meanwhile took {} (median) to {} ms; memory: {memory}",
        grouped(all),
        told(&answers),
        milliseconds(median(&times)),
        milliseconds(slowest),
    );
    assert!(all >= attempts, "{all} of {attempts} attempts were answered");
    assert!(slowest <= LIMIT, "a login of the rightful user took {slowest:?}, the limit is {LIMIT:?}; all of them: {times:?}");
    assert!(guesses(&answers) <= MOST_GUESSES, "{} passwords were looked at for one address", guesses(&answers));
    memory.assert_flat();

    let afterwards = log_in_rightfully(&client, "198.51.100.5");
    assert!(afterwards <= LIMIT, "after the attack a login took {afterwards:?}");
    the_attacker_is_stopped(&client);
}

/// The negative control: it is the limit that answers the attacker. From there not even the right password helps, while the same call
/// from elsewhere is looked at.
fn the_attacker_is_stopped(client: &Client) {
    let (name, password) = USER;
    let stopped = log_in(client, ATTACKER, name, password);
    let kind = known(&stopped);
    assert_ne!(kind.1, WRONG, "the right password from the attacker's address: {}", stopped.text);
    let wrong = log_in(client, "198.51.100.6", name, "a slip of the finger");
    assert_eq!(known(&wrong), (401, WRONG.to_owned()), "a wrong password from elsewhere: {}", wrong.text);
    println!("brute force, control: the right password from the attacker's address: {} {}", stopped.status, stopped.text);
}

#[test]
fn memory_stays_flat_however_many_names_and_addresses() {
    let folder = Folder::default();
    let server = start(&folder);
    let (client, attempts) = (server.client(), scale().of(3_000, 300));
    log_in_rightfully(&client, HOMES[0]);
    let before = memory(&server);
    let run = |first: usize, count: usize| {
        let target = |number: usize| from_everywhere(first + number);
        let (answers, ()) = attack(&server, &Attack::new(count, true), CONNECTIONS, &target, || {});
        (answers, memory(&server))
    };
    let (first, early) = run(0, attempts / 10);
    let (rest, end) = run(attempts / 10, attempts - attempts / 10);
    let memory = Memory { before, early, end };
    println!(
        "brute force: {} wrong logins, each from an address of its own and nearly each with a name of its own: {}; memory: {memory}",
        grouped(attempts),
        told(&sum([first, rest])),
    );
    memory.assert_flat();
    log_in_rightfully(&client, HOMES[0]);
    log_in_rightfully(&client, "198.51.100.7");
}

/// The middle one, of an even number the greater of the two.
fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}
