//! The server is killed while it erases, and finishes by itself after the next start.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use super::people::Input;
use super::stage::{MESSAGES, Stage, even, is_even, unsealed, wait_until_sealed};
use crate::common::figures::{grouped, scale, seconds};
use crate::common::http::Client;
use crate::common::moments::{Random, let_run};
use crate::common::server::Server;
use crate::common::wait::{PATIENCE, wait_until};

/// How many erase at once.
const ERASERS: usize = 4;

/// How many send files meanwhile.
const SENDERS: usize = 2;

/// How many messages a visitor has whose erasure takes more than one transaction.
const MANY_MESSAGES: usize = 800;

/// Who is erased around one kill, and what came of it.
struct Batch<'a> {
    stage: &'a Stage,
    whom: Vec<usize>,
}

#[test]
fn erasures_survive_kill_9() {
    let (visitors, kills) = (scale().of(2_000, 200), scale().of(200, 5));
    let mut random = Random::of("erasure under kill -9");
    let messages = [vec![MESSAGES; visitors], vec![MANY_MESSAGES; kills]].concat();
    let stage = Stage::new(&mut random, &messages);
    let mut server = stage.begin(&mut random);
    let mut erased: HashSet<usize> = HashSet::new();
    let (mut left_by_kills, mut orphans, mut begun, mut slowest) = (0, 0, 0, Duration::ZERO);

    for kill in 0..kills {
        // A large visitor and its share of the small ones.
        let small = (0..visitors).filter(|person| is_even(*person) && person / 2 % kills == kill);
        let batch = Batch { stage: &stage, whom: std::iter::once(visitors + kill).chain(small).collect() };
        let answered = batch.erase_until_killed(server, &mut random);
        let dead = stage.on_disk().0;
        orphans += stage.files_without_a_row().len();
        server = Server::start(&stage.setup).expect("a killed server starts again");
        slowest = slowest.max(server.took);
        let client = server.client();
        wait_until_sealed(&client);
        let gone = batch.gone(&client, &answered);
        erased.extend(&gone);
        begun += gone.len() - answered.len();
        left_by_kills += usize::from(!stage.of_those(&dead, |person| gone.contains(&person)).is_empty());
        wait_until("no file is there without a row", PATIENCE, || stage.files_without_a_row().is_empty());
        let left = stage.left_of(|person| erased.contains(&person));
        assert!(left.is_empty(), "kill {kill}: of {} erased visitors there is left: {left:?}", erased.len());
        let rest: Vec<usize> = batch.whom.iter().copied().filter(|person| !gone.contains(person)).collect();
        stage.erase(&server.address, &rest);
        erased.extend(rest);
    }

    wait_until_sealed(&server.client());
    assert_eq!(erased.len(), visitors / 2 + kills, "everybody had a turn");
    let left = stage.left_of(|person| erased.contains(&person));
    assert!(left.is_empty(), "in the end, of {} erased visitors there is left: {left:?}", erased.len());
    let others: Vec<usize> = (0..messages.len()).filter(|person| !erased.contains(person)).collect();
    stage.people.each(&server.address, &others, |client, person, _| person.read_back(client));
    println!(
        "erasure under kill -9: {kills} kills, {} erased, {begun} of them without an answer; {left_by_kills} kills left something on disk \
         that the next start removed, and {orphans} files without a row; slowest start {}; {} read back whole",
        grouped(erased.len()),
        seconds(slowest),
        grouped(others.len()),
    );
}

/// The control of the above, where chance decides whether a kill leaves anything: here it certainly does, because another process
/// keeps the server from sealing until the kill. So it is the next start that removes it.
#[test]
fn what_a_kill_leaves_is_removed_by_the_next_start() {
    let mut random = Random::of("erasure kept from sealing");
    let stage = Stage::new(&mut random, &vec![MESSAGES; scale().of(200, 40)]);
    let server = stage.begin(&mut random);
    let whom = even(stage.people.everybody.len());
    stage.erase_and_kill_unsealed(server, &whom);
    let left = stage.left_of(is_even);
    assert!(!left.is_empty(), "the kill came when nothing was left to be done");

    let server = Server::start(&stage.setup).expect("a killed server starts again");
    wait_until_sealed(&server.client());
    let gone = stage.left_of(is_even);
    assert!(gone.is_empty(), "after the next start there is left: {gone:?}");
    let inputs: Vec<&Input> = left.keys().collect();
    println!("erasure kept from sealing: the kill left markers of {inputs:?}, the next start none");
}

impl Batch<'_> {
    /// Erases, while files of the same visitors arrive, and kills the server meanwhile. Gives whose erasure was answered.
    fn erase_until_killed(&self, server: Server, random: &mut Random) -> HashSet<usize> {
        let (next, answered) = (Mutex::new(self.whom.iter()), Mutex::new(HashSet::new()));
        std::thread::scope(|scope| {
            for _ in 0..ERASERS {
                let (client, next, answered) = (server.client(), &next, &answered);
                scope.spawn(move || {
                    loop {
                        let Some(person) = next.lock().expect("nobody fails while holding it").next() else { return };
                        // Without an answer the server is dead.
                        let Ok(answer) = self.stage.people.everybody[*person].erase(&client) else { return };
                        assert_eq!(answer.status, 200, "{}", answer.text);
                        answered.lock().expect("nobody fails while holding it").insert(*person);
                    }
                });
            }
            for sender in 0..SENDERS {
                let client = server.client();
                scope.spawn(move || {
                    let whom = self.whom.iter().cycle().skip(sender * self.whom.len() / SENDERS);
                    for person in whom {
                        // Without an answer the server is dead.
                        let Ok(answer) = self.stage.people.everybody[*person].send_file(&client) else { return };
                        let is_right = matches!(answer.status, 200 | 403 | 503);
                        assert!(is_right, "{} {}; {}", answer.status, answer.text, self.stage.errors_logged());
                    }
                });
            }
            let_run(random, 0, 250);
            drop(server);
        });
        answered.into_inner().expect("nobody fails while holding it")
    }

    /// Who of the batch is gone now: at least those whose erasure was answered.
    fn gone(&self, client: &Client, answered: &HashSet<usize>) -> HashSet<usize> {
        let everybody = &self.stage.people.everybody;
        let gone: HashSet<usize> = self.whom.iter().copied().filter(|person| !everybody[*person].is_known(client)).collect();
        assert!(gone.is_superset(answered), "{} erasures were answered, {} visitors are gone", answered.len(), gone.len());
        assert_eq!(unsealed(client), 0, "all of them are sealed");
        gone
    }
}
