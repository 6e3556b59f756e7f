//! Visitors are erased while others read, and while they themselves go on writing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::people::Person;
use super::stage::{MESSAGES, Stage, even, is_even, unsealed, wait_until_sealed};
use crate::common::figures::{grouped, scale, seconds};
use crate::common::http::Client;
use crate::common::moments::{Random, let_run};
use crate::common::server::Server;
use crate::common::wait::{Stopwatch, wait_until};

/// How long another process holds on to an old state of the data.
const HOLD: Duration = Duration::from_secs(3);

/// How long the calls of a visitor may take meanwhile, all together.
const HARDLY_NOTICED: Duration = Duration::from_secs(1);

/// How long sealing may take beside a caller that does not read its answer.
const SOON: Duration = Duration::from_secs(10);

/// How many messages the slow caller has: with their length, more than fits into the buffers of a connection.
const SLOW_MESSAGES: usize = 200;

/// How long each of them is.
const SLOW_LENGTH: usize = 50_000;

/// How many threads write for one visitor.
const HANDS: usize = 2;

/// How many messages they have for one visitor.
const MOST_MESSAGES: usize = 400;

/// How many messages each thread sends in vain before it believes that the visitor is gone.
const REFUSALS: usize = 10;

/// Another process (this one) reads the server's file and does not let go: what was erased is still in the log meanwhile, and the
/// server says so. As soon as the reader is gone it seals, without being asked.
#[test]
fn a_reader_of_another_process_holds_sealing_up_and_no_longer() {
    let mut random = Random::of("erasure beside another process");
    let stage = Stage::new(&mut random, &vec![MESSAGES; scale().of(200, 40)]);
    let server = stage.begin(&mut random);
    let client = server.client();

    let reader = stage.reader();
    let count = |reader: &Connection| reader.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0));
    let before = count(&reader).expect("messages can be counted");
    let whom = even(stage.people.everybody.len());
    stage.erase(&server.address, &whom);
    let mut slowest = Duration::ZERO;
    let watch = Stopwatch::start();
    while watch.elapsed() < HOLD {
        assert_ne!(unsealed(&client), 0, "the server says that all is sealed while another process still reads the old state");
        let request = Stopwatch::start();
        stage.people.everybody[1].read_back(&client);
        slowest = slowest.max(request.elapsed());
    }
    assert_eq!(count(&reader).expect("messages can be counted"), before, "the reader still sees what was erased");
    assert!(slowest < HARDLY_NOTICED, "a visitor waited for {slowest:?} because another process reads");
    drop(reader);

    let watch = Stopwatch::start();
    wait_until_sealed(&client);
    let sealed = watch.elapsed();
    let left = stage.left_of(is_even);
    assert!(left.is_empty(), "of {} erased visitors there is left: {left:?}", whom.len());
    println!(
        "erasure beside another process: unsealed while it read for {}, sealed {} later; the slowest calls of a visitor took {} meanwhile",
        seconds(HOLD),
        seconds(sealed),
        seconds(slowest),
    );
}

/// A caller that asks for a long history and does not read the answer holds nothing up.
#[test]
fn a_caller_that_does_not_read_its_answer_holds_nothing_up() {
    let mut random = Random::of("erasure beside a slow caller");
    let ordinary = scale().of(200, 40);
    let mut stage = Stage::new(&mut random, &[vec![MESSAGES; ordinary], vec![SLOW_MESSAGES]].concat());
    stage.people.everybody[ordinary].write_at_length(SLOW_LENGTH);
    let server = stage.begin(&mut random);
    let (client, whom, slow) = (server.client(), even(ordinary), &stage.people.everybody[ordinary]);

    let mut answer = ask_for_history(slow, &server.address);
    stage.erase(&server.address, &whom);
    let watch = Stopwatch::start();
    wait_until("every erasure is sealed", SOON, || unsealed(&client) == 0);
    let sealed = watch.elapsed();
    let left = stage.left_of(|person| whom.contains(&person));
    assert!(left.is_empty(), "of {} erased visitors there is left: {left:?}", whom.len());

    let mut body = Vec::new();
    answer.read_to_end(&mut body).expect("the answer can be read in the end");
    assert!(body.len() > SLOW_MESSAGES * SLOW_LENGTH, "the answer was too short to wait for anybody: {} bytes", body.len());
    slow.check_messages(&serde_json::from_slice(&body).expect("what follows the head is the answer's body"));
    println!(
        "erasure beside a slow caller: {} erasures sealed within {} while {} bytes waited to be read",
        whom.len(),
        seconds(sealed),
        grouped(body.len())
    );
}

/// Asks for the whole history of a visitor's room, and reads no more than the head of the answer.
fn ask_for_history(person: &Person, address: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address.trim_start_matches("http://")).expect("the server accepts a connection");
    connection.set_read_timeout(Some(SOON)).expect("a limit can be set");
    let path = format!("/api/v1/livechat/messages.history/{}?token={}&limit={}", person.room(), person.token(), SLOW_MESSAGES + 1);
    let request = format!("GET {path} HTTP/1.1\r\nHost: slow.example\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("the server reads the request");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).expect("the server answers");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    connection
}

/// While a visitor is erased, its messages keep arriving. Nothing of them is left, and none is taken once the erasure is answered.
#[test]
fn visitors_who_go_on_writing_are_erased_all_the_same() {
    let mut random = Random::of("erasure of those who write");
    let stage = Stage::new(&mut random, &vec![MOST_MESSAGES; scale().of(200, 20)]);
    let server = Server::start(&stage.setup).expect("the server starts");
    let client = server.client();
    stage.people.open_rooms(&mut random, &server.address);
    let (taken, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for person in &stage.people.everybody {
        let (next, is_erased) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..HANDS {
                scope.spawn(|| write_until_refused(person, &server.client(), &next, &is_erased, [&taken, &refused]));
            }
            let_run(&mut random, 10, 60);
            person.erase_surely(&client);
            is_erased.store(true, Ordering::Release);
        });
    }
    wait_until_sealed(&client);
    let left = stage.left_of(|_| true);
    assert!(left.is_empty(), "there is left: {left:?}");
    server.stop();
    let left = stage.left_of(|_| true);
    assert!(left.is_empty(), "after SIGTERM there is left: {left:?}");
    let (visitors, taken, refused) = (stage.people.everybody.len(), taken.into_inner(), refused.into_inner());
    assert!(taken > visitors, "too little was written to prove anything: {taken} messages");
    println!(
        "erasure of those who write: {visitors} visitors erased in the midst of {} messages, {} more refused; nothing of them is left",
        grouped(taken),
        grouped(refused),
    );
}

/// Sends one message after the other, a few more after the first refusal. `counts` are those taken and those refused.
fn write_until_refused(person: &Person, client: &Client, next: &AtomicUsize, is_erased: &AtomicBool, counts: [&AtomicUsize; 2]) {
    let [taken, refused] = counts;
    let mut refusals = 0;
    while refusals < REFUSALS {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= MOST_MESSAGES {
            return;
        }
        let was_erased = is_erased.load(Ordering::Acquire);
        let answer = person.post(client, number).expect("the server answers");
        match answer.status {
            200 => assert!(!was_erased, "a message was taken after the erasure was answered"),
            400 => refusals += 1,
            _ => panic!("neither taken nor refused: {} {}", answer.status, answer.text),
        }
        let count = if answer.status == 200 { taken } else { refused };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
