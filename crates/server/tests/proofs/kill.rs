//! `kill -9` of the server at random moments: no message that was acknowledged is lost, doubled or out of order.

use std::time::Duration;

use rusqlite::Connection;
use usher_testkit::engines::Folder;
use usher_testkit::postgres;

use crate::common::figures::{grouped, scale, seconds};
use crate::common::moments::{Random, let_run};
use crate::common::server::{Process, Server, Setup};
use crate::common::writers::{Writers, Written, verify};

/// How many write at once.
const WRITERS: usize = 32;

/// How long a start may take until the server is ready.
const START_LIMIT: Duration = Duration::from_secs(2);

/// A server that was killed again and again, and what was written to it meanwhile.
struct Survivor {
    server: Server,
    written: Vec<Written>,
    slowest_start: Duration,
    killed_while_starting: usize,
}

impl Survivor {
    /// Kills the server `kills` times at random moments under load, some of the next starts as well.
    fn of(setup: &Setup, kills: usize, random: &mut Random) -> Survivor {
        let mut server = Server::start(setup).expect("the first start works");
        let writers = Writers::begin(WRITERS, &server.address);
        let (mut slowest_start, mut killed_while_starting) = (server.took, 0);
        for _ in 0..kills {
            let_run(random, 0, 500);
            writers.lose();
            drop(server);
            if random.between(0, 5) == 0 {
                let starting = Process::spawn(setup);
                let_run(random, 0, 300);
                drop(starting);
                killed_while_starting += 1;
            }
            server = Server::start(setup).expect("a killed server starts again");
            slowest_start = slowest_start.max(server.took);
            writers.find(&server.address);
        }
        let_run(random, 200, 201);
        Survivor { server, written: writers.finish(), slowest_start, killed_while_starting }
    }
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let (folder, mut random, kills) = (Folder::default(), Random::of("kill -9"), scale().of(200, 20));
    let setup = Setup::usual(folder.path());
    let survivor = Survivor::of(&setup, kills, &mut random);
    report("kill -9", kills, &survivor);
    one_message_taken_away_is_noticed(&setup, survivor);
}

#[test]
fn kill_9_loses_nothing_on_postgres() {
    let Some(database) = postgres::database() else { return };
    let (folder, mut random, kills) = (Folder::default(), Random::of("kill -9 on PostgreSQL"), scale().of(50, 5));
    let setup = Setup::usual(folder.path()).with("--database-url", &database.url);
    report("kill -9 on PostgreSQL", kills, &Survivor::of(&setup, kills, &mut random));
}

/// Checks and prints what is left.
fn report(test: &str, kills: usize, survivor: &Survivor) {
    let Survivor { server, written, slowest_start, killed_while_starting } = survivor;
    let summary = verify(&server.client(), written).expect("all that was acknowledged is there");
    assert!(summary.acknowledged > kills * WRITERS / 4, "too little was written to prove anything: {summary:?}");
    println!(
        "{test}: {kills} kills under {WRITERS} writers ({killed_while_starting} of the starts were killed as well), {} acknowledged, \
         0 lost, slowest start {}",
        grouped(summary.acknowledged),
        seconds(*slowest_start),
    );
    assert!(*slowest_start < START_LIMIT, "a start took {slowest_start:?}");
}

/// The negative control: what the check would say if the server had lost a single message of all.
fn one_message_taken_away_is_noticed(setup: &Setup, survivor: Survivor) {
    survivor.server.stop();
    let victim = survivor.written.iter().find_map(|written| written.acknowledged.last()).expect("something was acknowledged");
    let file = Connection::open(setup.database()).expect("the stopped server's file opens");
    assert_eq!(file.execute("DELETE FROM messages WHERE id = ?1", [&victim.id]).expect("a row can be deleted"), 1);
    drop(file);
    let server = Server::start(setup).expect("the server starts");
    let complaint = verify(&server.client(), &survivor.written).expect_err("the check notices one lost message");
    assert!(complaint.contains(&victim.id), "{complaint}");
    println!("kill -9, control: one message taken away: {complaint}");
}
