//! Frames that nobody's client sends.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use usher_ddp::session::{Session, Step};
use usher_ddp::sockjs;
use usher_ddp::subscription::Wanted;
use usher_testkit::RealtimeClient;
use usher_testkit::engines::Engine;

use crate::support::{usual, visitor};

/// How many frames the pure part takes.
const FRAMES: usize = 1_000_000;

/// How many go over a connection.
const OVER_A_CONNECTION: usize = 20_000;

/// Frames as clients send them, to begin with.
const KNOWN: [&str; 10] = [
    r#"{"msg":"connect","version":"1","support":["1","pre2","pre1"]}"#,
    r#"{"msg":"ping","id":"1"}"#,
    r#"{"msg":"method","method":"login","params":[{"resume":"x"}],"id":"1"}"#,
    r#"{"msg":"method","method":"livechat:setUpConnection","params":[{"token":"mary"}],"id":"2"}"#,
    r#"{"msg":"method","method":"stream-notify-room","params":["room/typing","guest-1",true,{"token":"mary"}],"id":"3"}"#,
    r#"{"msg":"method","method":"sendMessageLivechat","params":[{"token":"mary","_id":"m","rid":"r","msg":"x"}],"id":"4"}"#,
    r#"{"msg":"sub","id":"5","name":"stream-room-messages","params":["room",{"useCollection":false,"args":[{"visitorToken":"mary"}]}]}"#,
    r#"{"msg":"sub","id":"6","name":"stream-user-presence","params":["",{"added":["a"],"removed":["b"]}]}"#,
    r#"{"msg":"unsub","id":"5"}"#,
    r#"["{\"msg\":\"ping\"}"]"#,
];

/// What is put into them.
const PIECES: [&str; 16] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "-1e400",
    "\\ud800",
    "\\u0000",
    "{\"$ne\":\"\"}",
    "{\"$date\":1}",
    "true",
    "é漢",
    "\u{feff}",
];

/// A frame, changed in a few places.
fn changed(random: &mut ChaCha8Rng) -> String {
    let mut pick = |limit: usize| random.next_u32() as usize % limit;
    let mut frame: Vec<char> = KNOWN[pick(KNOWN.len())].chars().collect();
    for _ in 0..pick(5) {
        let place = pick(frame.len() + 1);
        match pick(4) {
            0 => drop(frame.splice(place..place, PIECES[pick(PIECES.len())].chars())),
            1 if place < frame.len() => drop(frame.remove(place)),
            2 => frame.truncate(place),
            _ => {
                let other: Vec<char> = KNOWN[pick(KNOWN.len())].chars().collect();
                frame.splice(place..place, other.into_iter().take(pick(40)));
            }
        }
    }
    frame.into_iter().collect()
}

#[test]
fn a_million_frames_lead_to_something() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (mut ended, mut called, mut subscribed) = (0, 0, 0);
    let mut session = Session::new(Duration::ZERO);
    for _ in 0..FRAMES {
        let frame = changed(&mut random);
        let _ = sockjs::texts(&frame);
        match session.take(&frame) {
            Step::End(..) => {
                ended += 1;
                session = Session::new(Duration::ZERO);
                session.take(KNOWN[0]);
            }
            Step::Call { .. } => called += 1,
            Step::Subscribe { name, parameters, .. } => {
                subscribed += 1;
                let _ = Wanted::read(&name, &parameters);
            }
            _ => {}
        }
    }
    assert!(ended > 1_000 && called > 1_000 && subscribed > 1_000, "{ended} {called} {subscribed}");
}

/// The size of this process in bytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("the system tells it");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("it is a number") * 4_096
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_breaks_a_server() {
    let app = usual(&Engine::sqlite()).await;
    visitor(&app, "mary").await;
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut frames = (0..OVER_A_CONNECTION).map(|_| changed(&mut random)).peekable();
    let mut before = None;
    let mut sent = 0;
    while frames.peek().is_some() {
        let mut client = RealtimeClient::connect(&app).await;
        // The server ends the connection sooner or later; what was sent after that is lost with it.
        for frame in frames.by_ref().take(20) {
            sent += 1;
            if !client.try_send(&frame).await {
                break;
            }
        }
        for answer in client.all_until_closed(&json!({"msg": "ping", "id": "end"})).await {
            let error = &answer["error"];
            if *error != Value::Null {
                assert!(error["error"].is_string() || error["error"].is_i64(), "{answer}");
                assert_ne!(error["error"], 500, "{answer}");
            }
        }
        if sent > OVER_A_CONNECTION / 4 && before.is_none() {
            before = Some(memory());
        }
    }
    let (before, after) = (before.expect("it was looked at"), memory());
    assert!(after < before + (64 << 20), "{before} bytes before, {after} after");
}
