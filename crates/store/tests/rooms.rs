//! Rooms as they are stored: nothing of a record is lost, and the statement for visitors' messages does what the rule says.

use std::sync::Arc;

use usher_domain::inquiry::{DefaultAgent, Inquiry, InquiryStatus};
use usher_domain::metrics::{self, First, Metrics};
use usher_domain::room::{Closer, Closing, Person, Responder, Room, ServedBy, Source, SourceKind, TranscriptRequest};
use usher_store::q::rooms::Posted;
use usher_store::{Nobody, Store, StoreError, q};
use usher_testkit::ManualClock;
use usher_testkit::engines::Engine;

fn person(name: &str) -> Person {
    Person { id: format!("id-of-{name}"), username: name.to_owned() }
}

/// A room as it is opened.
fn fresh(id: &str) -> Room {
    Room {
        visitor_id: format!("visitor of {id}"),
        visitor_username: "guest-1".to_owned(),
        contact_id: "contact".to_owned(),
        name: "Mary Ünal".to_owned(),
        source: Source { kind: SourceKind::Widget, destination: Some("shop.example".to_owned()) },
        ..Room::new(id.to_owned(), 1_000)
    }
}

/// A room in which everything that can be there is there.
fn full(id: &str) -> Room {
    Room {
        visitor_status: "away".to_owned(),
        department_id: Some("department".to_owned()),
        is_open: false,
        on_hold: true,
        served_by: Some(ServedBy { agent: person("ana"), since: 2_000 }),
        waiting_response: false,
        responder: Some(Responder { user: person("ben"), first_at: 3_000, last_at: 3_500 }),
        message_count: 7,
        users_count: 3,
        seq: 9,
        last_message_id: Some("message".to_owned()),
        last_message_at: 4_000,
        last_ts: 4_001,
        queued_at: 1_500,
        visitor_last_message_at: Some(2_500),
        visitor_activity: vec!["2026-10".to_owned(), "2026-11".to_owned()],
        topic: Some("A broken lamp".to_owned()),
        tags: vec!["z".to_owned(), "a, with a comma".to_owned()],
        survey: Some(r#"{"satisfaction":"5"}"#.to_owned()),
        closing: Some(Closing { at: 5_000, closer: Closer::User, by: person("ana") }),
        abandonment_at: Some(9_000),
        transcript_request: Some(TranscriptRequest {
            requested_at: 4_500,
            user_id: "id-of-ana".to_owned(),
            username: "ana".to_owned(),
            name: Some("Ana".to_owned()),
            email: "mary@example.com".to_owned(),
            subject: "Your chat".to_owned(),
        }),
        inquiry: Some(Inquiry {
            id: format!("inquiry of {id}"),
            status: InquiryStatus::Taken,
            message: "Hello".to_owned(),
            default_agent: Some(DefaultAgent { id: "id-of-ben".to_owned(), username: None }),
            queued_at: Some(1_500),
            taken_at: Some(2_000),
            updated_at: 2_000,
        }),
        metrics: Metrics {
            asked_at: Some(2_500),
            answered_at: Some(3_000),
            responses: 2,
            response_time: 800,
            first: Some(First { response: 500, reaction: 1_000, at: 3_000 }),
            reaction_time: 1_300,
            chat_duration: Some(4_000),
            service_duration: Some(3_000),
            visitor_inactivity: Some(2),
        },
        updated_at: 5_000,
        ..fresh(id)
    }
}

async fn store(engine: &Engine) -> Store {
    engine.open(Arc::new(ManualClock::default()), Arc::new(Nobody))
}

async fn put(store: &Store, room: &Room) {
    let room = room.clone();
    let put = store.write(move |tx| {
        q::rooms::insert(tx, &room)?;
        q::rooms::save(tx, &room)?;
        q::rooms::set_tags(tx, &room.id, &room.tags)
    });
    put.await.expect("a room can be stored");
}

async fn read(store: &Store, id: &str) -> Room {
    let id = id.to_owned();
    let room = store.read(move |tx| q::rooms::by_id(tx, &id)).await.expect("a room can be read");
    room.expect("the room is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_of_a_room_is_read_again() {
    for engine in Engine::all() {
        let store = store(&engine).await;
        for room in [fresh("a room just opened"), full("a room with everything")] {
            put(&store, &room).await;
            assert_eq!(read(&store, &room.id).await, room);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_read_by_many_ids_at_once() {
    for engine in Engine::all() {
        let store = store(&engine).await;
        let stored: Vec<String> = (0..300).map(|number| format!("room {number}")).collect();
        for id in &stored {
            put(&store, &fresh(id)).await;
        }
        for (first, count) in [(0, 0), (7, 1), (3, 5), (0, 300)] {
            let mut wanted = stored[first..first + count].to_vec();
            let asked = [wanted.clone(), vec!["no room".to_owned(), String::new()]].concat();
            let found = store.read(move |tx| q::rooms::by_ids(tx, &asked.iter().map(String::as_str).collect::<Vec<&str>>()));
            let mut found: Vec<String> = found.await.expect("rooms can be read").into_iter().map(|room| room.id).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted);
        }
    }
}

/// The rule says what a visitor's message changes; the statement does the same without reading the room first.
#[tokio::test(flavor = "multi_thread")]
async fn a_visitors_message_changes_what_the_rule_says() {
    let moments = [None, Some(1_000), Some(2_000), Some(3_000)];
    for engine in Engine::all() {
        let store = store(&engine).await;
        let mut number = 0;
        for (asked_at, answered_at) in moments.iter().flat_map(|asked| moments.iter().map(move |answered| (*asked, *answered))) {
            for waiting_response in [false, true] {
                number += 1;
                let room = Room {
                    is_open: true,
                    on_hold: false,
                    waiting_response,
                    metrics: Metrics { asked_at, answered_at, ..Metrics::default() },
                    ..full(&format!("room {number}"))
                };
                put(&store, &room).await;
                let id = room.id.clone();
                let noted: Result<(), StoreError> = store
                    .write(move |tx| {
                        let posted = Posted { room_id: &id, seq: 10, message_id: "new", ts: 6_000, now: 5_999 };
                        q::rooms::add_visitor_message(tx, posted)
                    })
                    .await;
                noted.expect("a message can be noted");
                let mut expected = Room {
                    seq: 10,
                    message_count: room.message_count + 1,
                    last_message_id: Some("new".to_owned()),
                    last_message_at: 6_000,
                    last_ts: 6_000,
                    updated_at: 5_999,
                    ..room
                };
                metrics::visitor_wrote(&mut expected, 6_000);
                let after = read(&store, &expected.id).await;
                assert_eq!(after, expected, "asked {asked_at:?}, answered {answered_at:?}, waiting {waiting_response}");
            }
        }
    }
}
