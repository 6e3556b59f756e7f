//! Limits hold: however many chats come at the same moment, and however many end meanwhile, no agent ever has more than may be.

use std::collections::BTreeMap;
use std::sync::Barrier;

use usher_testkit::engines::Folder;
use usher_testkit::postgres::{self, Database};

use crate::common::agents::{close, limit_agent, make_agent, register, room, server_of, text};
use crate::common::figures::{grouped, scale, seconds};
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::wait::{PATIENCE, Stopwatch, wait_until};

/// How many agents there are.
const AGENTS: usize = 10;

/// How many chats each of them may have.
const LIMIT: usize = 2;

/// How many chats come at the same moment: more than may be served.
const CHATS: usize = 50;

/// How many times they come when all is tried.
const ROUNDS: usize = 100;

/// Servers, agents who have a limit, and visitors.
struct Stage {
    clients: Vec<Client>,
    visitors: Vec<String>,
}

/// The chats of one moment: of each visitor the room and who serves it.
type Chats = Vec<(String, Option<String>)>;

impl Stage {
    fn new(servers: &[&Server]) -> Stage {
        let client = servers[0].client();
        let administrator = Session::of_administrator(&client);
        for number in 0..AGENTS {
            let agent = make_agent(&administrator, &client, &format!("agent-{number}"));
            limit_agent(&administrator, &client, &agent, LIMIT);
        }
        let visitors: Vec<String> = (0..CHATS).map(|number| format!("visitor-{number}")).collect();
        visitors.iter().for_each(|token| register(&client, token));
        Stage { clients: (0..CHATS).map(|number| servers[number % servers.len()].client()).collect(), visitors }
    }

    /// Lets visitors do something at the same moment; gives what came of each.
    fn at_once<T: Send>(&self, visitors: &[usize], act: impl Fn(&Client, &str) -> T + Sync) -> Vec<T> {
        let (barrier, act) = (&Barrier::new(visitors.len()), &act);
        std::thread::scope(|scope| {
            let start = |number: &usize| {
                let (client, token) = (&self.clients[*number], self.visitors[*number].as_str());
                scope.spawn(move || {
                    barrier.wait();
                    act(client, token)
                })
            };
            let acting: Vec<_> = visitors.iter().map(start).collect();
            acting.into_iter().map(|one| one.join().expect("a visitor gets through")).collect()
        })
    }

    /// Opens the chats of all visitors at the same moment.
    fn open(&self) {
        let all: Vec<usize> = (0..CHATS).collect();
        self.at_once(&all, |client, token| drop(room(client, token)));
    }

    /// All chats as they are now.
    fn look(&self) -> Chats {
        let shown = self.visitors.iter().map(|token| room(&self.clients[0], token));
        shown.map(|room| (text(&room, "_id"), server_of(&room).map(str::to_owned))).collect()
    }

    /// Closes what is served, at the same moment.
    fn close_served(&self, chats: &Chats) {
        let served: Vec<usize> = (0..CHATS).filter(|number| chats[*number].1.is_some()).collect();
        self.at_once(&served, |client, token| {
            let number: usize = token.trim_start_matches("visitor-").parse().expect("a visitor has a number");
            close(client, token, &chats[number].0);
        });
    }
}

/// How many chats each agent has.
fn shares(chats: &Chats) -> BTreeMap<&str, usize> {
    let mut shares = BTreeMap::new();
    for agent in chats.iter().filter_map(|(_, agent)| agent.as_deref()) {
        *shares.entry(agent).or_default() += 1;
    }
    shares
}

/// Whoever has more than may be.
fn over_the_limit(chats: &Chats) -> Vec<(String, usize)> {
    shares(chats).into_iter().filter(|(_, share)| *share > LIMIT).map(|(agent, share)| (agent.to_owned(), share)).collect()
}

/// Lets chats come, end, and come again at the same moment, some rounds long. Gives who had more than may be as soon as somebody has.
fn race(servers: &[&Server], rounds: usize) -> Vec<(String, usize)> {
    let stage = Stage::new(servers);
    for _ in 0..rounds {
        // Of those that wait, some are given while others come.
        stage.open();
        let mut chats = stage.look();
        let full = |chats: &Chats| shares(chats).values().sum::<usize>() >= AGENTS * LIMIT;
        wait_until("as many chats are served as may be", PATIENCE, || {
            chats = stage.look();
            full(&chats)
        });
        let over = over_the_limit(&chats);
        if !over.is_empty() {
            return over;
        }
        // What ends makes room for what waits: again nobody gets too much.
        stage.close_served(&chats);
        let waiting: Vec<usize> = (0..CHATS).filter(|number| chats[*number].1.is_none()).collect();
        wait_until("what waits is given", PATIENCE, || {
            let now = waiting.iter().map(|number| room(&stage.clients[0], &stage.visitors[*number]));
            now.filter(|room| server_of(room).is_some()).count() >= AGENTS * LIMIT
        });
        let over = over_the_limit(&stage.look());
        if !over.is_empty() {
            return over;
        }
        stage.close_served(&stage.look());
    }
    Vec::new()
}

/// The race that must have no winner.
fn hold(engine: &str, servers: &[&Server]) {
    let (rounds, watch) = (scale().of(ROUNDS, ROUNDS / 10), Stopwatch::start());
    let over = race(servers, rounds);
    assert!(over.is_empty(), "{engine}: agents may have {LIMIT} chats at a time, but some have more: {over:?}");
    println!(
        "limits on {engine}: {} times {CHATS} chats at once for {AGENTS} agents with {LIMIT} each, in {}: nobody had more",
        grouped(rounds),
        seconds(watch.elapsed())
    );
}

fn on_postgres(folder: &Folder, database: &Database, number: usize) -> Setup {
    Setup::usual(&folder.path().join(number.to_string())).with("--database-url", &database.url).with("--files-url", "off")
}

#[test]
fn nobody_gets_more_chats_than_may_be() {
    let folder = Folder::default();
    let server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    hold("SQLite", &[&server]);
}

#[test]
fn nobody_gets_more_chats_than_may_be_on_postgres() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let server = Server::start(&on_postgres(&folder, &database, 0)).expect("the server starts");
    hold("PostgreSQL", &[&server]);
}

#[test]
fn nobody_gets_more_chats_than_may_be_on_two_servers() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let servers = [0, 1].map(|number| Server::start(&on_postgres(&folder, &database, number)).expect("the server starts"));
    hold("PostgreSQL with two servers", &[&servers[0], &servers[1]]);
}

/// The negative control: where writes come between each other, somebody gets too many.
#[test]
fn weaker_isolation_breaks_the_limit() {
    let Some(database) = postgres::database() else { return };
    let folder = Folder::default();
    let setup = |number| on_postgres(&folder, &database, number).with("--unsafe-read-committed", "on");
    let servers = [0, 1].map(|number| Server::start(&setup(number)).expect("the server starts"));
    let over = race(&[&servers[0], &servers[1]], ROUNDS);
    assert!(!over.is_empty(), "with weaker isolation nobody had too many chats: then this proof shows nothing");
    println!("limits with weaker isolation: broken, as they must be, by {over:?}");
}
