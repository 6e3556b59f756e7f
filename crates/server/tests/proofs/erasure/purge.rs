//! What an operator can do about erased visitors while the server is stopped.

use usher_testkit::postgres;

use super::stage::{MESSAGES, Stage, even, is_even, wait_until_sealed};
use crate::common::figures::scale;
use crate::common::moments::Random;
use crate::common::server::{Server, program, run};

/// How many visitors there are.
fn visitors() -> usize {
    scale().of(400, 60)
}

/// Runs `usher purge` on the stopped stage; gives what it printed.
fn purge(stage: &Stage, arguments: &[&str]) -> String {
    let (is_done, printed) = run(program().arg("purge").args(arguments).arg("--data").arg(stage.setup.data()));
    assert!(is_done, "usher purge {arguments:?}: {printed}");
    printed
}

#[test]
fn purge_finishes_what_a_killed_server_left() {
    let mut random = Random::of("purge");
    let stage = Stage::new(&mut random, &vec![MESSAGES; visitors()]);
    let server = stage.begin(&mut random);
    let whom = even(visitors());
    stage.erase_and_kill_unsealed(server, &whom);
    assert!(!stage.left_of(is_even).is_empty(), "there is something to purge");

    let printed = purge(&stage, &[]);
    let expected = format!("{} erasures were sealed just now, 0 are left", whom.len());
    assert!(printed.contains(&expected), "{printed}");
    let left = stage.left_of(is_even);
    assert!(left.is_empty(), "after `usher purge` there is left: {left:?}");
    println!("purge: {}", printed.trim());
}

/// Without the scrub copies of erased rows are left in a file, though not in every run; rewriting it removes them.
#[test]
fn a_rewrite_leaves_nothing_but_the_data() {
    let mut random = Random::of("purge --rewrite");
    let mut stage = Stage::new(&mut random, &vec![MESSAGES; visitors()]);
    let safe = stage.setup.clone();
    stage.setup = stage.setup.variable("USHER_UNSAFE_SCRUB_OFF", "on");
    let server = stage.begin(&mut random);
    stage.erase(&server.address, &even(visitors()));
    wait_until_sealed(&server.client());
    server.stop();
    let before = length(&stage);

    let printed = purge(&stage, &["--rewrite"]);
    let left = stage.left_of(is_even);
    assert!(left.is_empty(), "after `usher purge --rewrite` there is left: {left:?}");
    let after = length(&stage);
    assert!(after < before, "a rewritten file has no empty pages: {before} bytes before, {after} after");
    stage.setup = safe;
    read_back(&stage);
    println!("purge --rewrite: {}", printed.trim().replace('\n', " "));
}

/// How long the database's file is.
fn length(stage: &Stage) -> u64 {
    std::fs::metadata(stage.setup.database()).expect("the file is there").len()
}

#[test]
fn a_rewrite_of_postgres_keeps_the_data() {
    let Some(database) = postgres::database() else { return };
    let mut random = Random::of("purge --rewrite on PostgreSQL");
    let mut stage = Stage::new(&mut random, &vec![MESSAGES; visitors()]);
    stage.setup = stage.setup.with("--database-url", &database.url);
    let server = stage.begin(&mut random);
    stage.erase(&server.address, &even(visitors()));
    server.stop();
    let printed = purge(&stage, &["--rewrite", "--database-url", &database.url]);
    let left = stage.of_those(&stage.within(&database.dump()), is_even);
    assert!(left.is_empty(), "after `usher purge --rewrite` there is left: {left:?}");
    read_back(&stage);
    println!("purge --rewrite on PostgreSQL: {}", printed.trim().replace('\n', " "));
}

/// Those who were not erased read back whole.
fn read_back(stage: &Stage) {
    let server = Server::start(&stage.setup).expect("the server starts again");
    let others: Vec<usize> = (0..visitors()).filter(|person| !is_even(*person)).collect();
    stage.people.each(&server.address, &others, |client, person, _| person.read_back(client));
}
