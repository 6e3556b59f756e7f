//! A visitor with very many messages is exported and erased while others chat.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Folder;

use super::stage::wait_until_sealed;
use crate::common::agents::{register, room, text};
use crate::common::figures::{grouped, scale, seconds};
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::wait::Stopwatch;

/// How many messages go into one request.
const BATCH: usize = 100;

/// How many others chat meanwhile.
const OTHERS: usize = 4;

/// How long 99 of 100 messages of others may take, in a build with optimisation.
const HARDLY_NOTICED: Duration = Duration::from_millis(50);

/// Writes until it is over; gives how long each message took. Each was acknowledged.
fn write(address: &str, token: &str, is_over: &AtomicBool) -> Vec<Duration> {
    let client = crate::common::http::Client::new(address);
    register(&client, token);
    let room = text(&room(&client, token), "_id");
    let mut took = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let message = json!({"token": token, "rid": room, "msg": "Hello", "_id": format!("{token}-{}", took.len())});
        let watch = Stopwatch::start();
        let answer = client.post("/api/v1/livechat/message", &message).expect("the server answers");
        took.push(watch.elapsed());
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let mut kept = 0;
    loop {
        let path = format!("/api/v1/livechat/messages.history/{room}?token={token}&limit=1000&offset={kept}");
        let page = client.get(&path).expect("the server answers").json();
        let page = page["messages"].as_array().map_or(0, Vec::len);
        kept += page;
        if page == 0 {
            break;
        }
    }
    assert!(kept >= took.len(), "{token} has {kept} of {} messages", took.len());
    took
}

#[test]
fn others_hardly_notice_that_a_large_visitor_is_erased() {
    let folder = Folder::default();
    let server = Server::start(&Setup::usual(folder.path())).expect("the server starts");
    let (client, admin) = (server.client(), Session::of_administrator(&server.client()));
    let messages = scale().of(200_000, 10_000);
    register(&client, "large");
    let room = text(&room(&client, "large"), "_id");
    for _ in 0..messages / BATCH {
        let batch: Vec<Value> = (0..BATCH).map(|_| json!({"msg": "A few words that will be gone"})).collect();
        admin.demand(&client, "POST", "/api/v1/livechat/messages", &json!({"visitor": {"token": "large"}, "messages": batch}));
    }
    let record = admin.demand(&client, "GET", &format!("/api/v1/rooms.info?roomId={room}"), &Value::Null);
    let contact = text(&record["room"], "contactId");

    let is_over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..OTHERS)
        .map(|number| {
            let (address, is_over) = (server.address.clone(), Arc::clone(&is_over));
            std::thread::spawn(move || write(&address, &format!("other-{number}"), &is_over))
        })
        .collect();
    let watch = Stopwatch::start();
    let exported = client.bytes("POST", &format!("/api/v1/usher/contacts/{contact}/export"), &admin.headers());
    let (status, bytes) = exported.expect("the server answers");
    let export_took = watch.elapsed();
    let lines = bytes.windows(30).filter(|window| *window == b"A few words that will be gone\"").count();
    assert_eq!((status, lines), (200, messages), "all messages are in the export");

    let watch = Stopwatch::start();
    let erased = client.call("DELETE", "/api/v1/livechat/visitor/large", &[], &Value::Null).expect("the server answers");
    let erasing_took = watch.elapsed();
    assert_eq!(erased.status, 200, "{}", erased.text);
    wait_until_sealed(&client);
    let sealed_after = watch.elapsed();
    is_over.store(true, Ordering::Release);
    let mut took: Vec<Duration> = others.into_iter().flat_map(|other| other.join().expect("nothing was lost")).collect();
    took.sort_unstable();
    let of_100 = |share: usize| took[(took.len() - 1) * share / 100];
    let (half, most) = (of_100(50), of_100(99));
    if cfg!(not(debug_assertions)) {
        assert!(most < HARDLY_NOTICED, "a hundredth of the others' messages took more than {most:?}");
    }
    server.stop();
    println!(
        "large visitor: {} messages exported in {} ({} bytes), erased in {}, sealed after {}; {} messages of others took {half:?} (median), 99 of \
         100 less than {most:?}, none was lost",
        grouped(messages),
        seconds(export_took),
        grouped(bytes.len()),
        seconds(erasing_took),
        seconds(sealed_after),
        grouped(took.len()),
    );
}
