//! Erasing oneself.

use std::time::Duration;

use serde_json::{Value, json};
use usher_domain::message::{Author, Message};
use usher_services::Error;
use usher_store::q::erasures::{Counts, Erasure};
use usher_store::registry::{Rule, TABLES};
use usher_store::{StoreError, q};
use usher_testkit::TestApp;
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use crate::page_visited::see;
use crate::support::{KEEP_CONNECTION, ROOM, Rows, VISITOR, coded, column, history, plain, rows, stored_visitor, tamper, usual};

/// An application in which visitors with open rooms may be erased.
async fn erasing(engine: &Engine) -> TestApp {
    usual().setting(KEEP_CONNECTION, "true").start(engine).await
}

/// A visitor with a room and three messages in it. Gives its id and the room's.
async fn visitor_with_messages(app: &TestApp, token: &str, name: &str) -> (String, String) {
    let visitor = app.register(token, name).await;
    let room = app.room(token).await;
    for text in ["one", "two", "three"] {
        app.message(token, &room, text).await;
    }
    (visitor["_id"].as_str().expect("a visitor has an id").to_owned(), room)
}

/// The only entry of the ledger of erasures.
async fn ledger(app: &TestApp) -> Erasure {
    let ids = column(app, "SELECT id FROM erasures").await;
    let [id] = ids.as_slice() else { panic!("one entry was expected, not {ids:?}") };
    let id = id.clone();
    let entry: Option<Erasure> =
        app.services.store.read(move |tx| q::erasures::by_id(tx, &id).map_err(Error::from)).await.expect("the ledger can be read");
    entry.expect("it is in there")
}

/// The refusal of a token that nobody has.
fn nobody() -> Value {
    coded("[invalid-token]", "invalid-token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_without_rooms_is_erased() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let id = app.register("token-1", "Mary").await["_id"].clone();
        app.advance(Duration::from_millis(1_250));
        let erased = app.delete(&format!("{VISITOR}/token-1")).await;
        erased.is(200, &json!({"visitor": {"_id": id, "ts": "2024-01-31T12:00:01.250Z"}, "success": true}));
        app.get(&format!("{VISITOR}/token-1")).await.is(400, &nobody());
        app.delete(&format!("{VISITOR}/token-1")).await.is(400, &nobody());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_has_erases_nothing() {
    for engine in Engine::all() {
        let app = erasing(&engine).await;
        let (id, room) = visitor_with_messages(&app, "token-1", "Mary").await;
        let before = rows(&app).await;
        for token in ["token-2", "TOKEN-1", "%20", "guest-1", "mary@example.com", &id, &room] {
            app.delete(&format!("{VISITOR}/{token}")).await.is(400, &nobody());
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_stand_in_the_way() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        visitor_with_messages(&app, "token-1", "Mary").await;
        let before = rows(&app).await;
        let answer = app.delete(&format!("{VISITOR}/token-1")).await;
        answer.is(400, &coded("Cannot remove visitors with opened rooms [visitor-has-open-rooms]", "visitor-has-open-rooms"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_go_too_where_the_setting_says_so() {
    for engine in Engine::all() {
        let app = erasing(&engine).await;
        let (id, room) = visitor_with_messages(&app, "token-1", "Mary").await;
        app.advance(Duration::from_secs(1));
        let erased = app.delete(&format!("{VISITOR}/token-1")).await;
        erased.is(200, &json!({"visitor": {"_id": id, "ts": "2024-01-31T12:00:01.000Z"}, "success": true}));

        app.get(&format!("{ROOM}?token=token-1")).await.is(400, &plain("invalid-token"));
        app.get(&history(&room, "token=token-1")).await.is(400, &plain("invalid-token"));
        let counts = Counts { visitors: 1, contacts: 1, rooms: 1, messages: 4, changes: 6, others: 1, ..Counts::default() };
        let now = START + 1_000;
        let entry = ledger(&app).await;
        let unsealed = Erasure {
            id: entry.id.clone(),
            actor: "visitor".to_owned(),
            reason: None,
            requested_at: now,
            erased_at: Some(now),
            sealed_at: None,
            counts,
        };
        assert_eq!(entry, unsealed);

        app.advance(Duration::from_secs(1));
        assert_eq!(app.services.finish_erasures().await, Ok(1));
        assert_eq!(ledger(&app).await, Erasure { sealed_at: Some(now + 1_000), ..unsealed });
    }
}

/// The tables whose rows go with their visitor.
fn personal(rows: &Rows) -> Vec<(&str, usize)> {
    let is_personal = |rule: &Rule| *rule == Rule::DeleteRow;
    let tables = TABLES.iter().filter(|table| table.columns.iter().any(|(_, rule)| is_personal(rule)));
    tables.map(|table| (table.name, rows[table.name].len())).collect()
}

/// Puts something of the only visitor, called Mary, into the tables that a conversation leaves empty.
async fn fill_all_tables(app: &TestApp) {
    for sql in [
        "INSERT INTO visitor_fields SELECT id, 'shoe', '42, says Mary' FROM visitors",
        "INSERT INTO room_fields SELECT id, 'order', 'three for Mary' FROM rooms",
        "INSERT INTO room_tags SELECT id, 'mary', 0 FROM rooms",
        "INSERT INTO visitor_presences SELECT 'process', id FROM visitors",
        "INSERT INTO subscriptions (id, room_id, user_id, unread, mentions, alert, is_shown, is_favorite, created_at, updated_at)
         SELECT 'subscription', id, 'agent', 0, 0, FALSE, TRUE, FALSE, 0, 0 FROM rooms",
        "INSERT INTO mails (id, kind, visitor_id, room_id, about, content, state, attempts, next_attempt_at, created_at, updated_at)
         SELECT 'mail', 'transcript', visitor_id, id, 'mary@example.com', '{}', 'waiting', 0, 0, 0, 0 FROM rooms",
        "INSERT INTO files (id, room_id, visitor_id, sender_id, name, media_type, size, state, needs_preview, created_at)
         SELECT 'file', id, visitor_id, visitor_id, 'mary.png', 'image/png', 3, 'posted', FALSE, 0 FROM rooms",
        "UPDATE rooms SET pdf_requested_at = 0, pdf_file_id = 'file'",
        "INSERT INTO holds (contact_id, reason, ends_at, placed_by, placed_at)
         SELECT id, 'ended, says Mary', 1, 'admin', 0 FROM contacts",
    ] {
        tamper(app, sql).await;
    }
    see(app, "token-1", None, "/three").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_visitor_is_in_any_table() {
    for engine in Engine::all() {
        let app = erasing(&engine).await;
        app.admin().await;
        let (id, room) = visitor_with_messages(&app, "token-1", "Mary").await;
        fill_all_tables(&app).await;
        let before = rows(&app).await;
        for (table, count) in personal(&before) {
            assert!(count > 0, "{table} is empty before the erasure already, so this test shows nothing of it");
        }
        app.delete(&format!("{VISITOR}/token-1")).await.ok();
        let mut after = rows(&app).await;
        assert!(personal(&after).iter().all(|(_, count)| *count == 0), "left behind: {:?}", personal(&after));

        let removed = after.remove("removed_subscriptions").expect("there is such a table");
        assert_eq!(removed, [format!("subscription | agent | {room} | {START}")], "the agent's client is told, by ids");
        let text = format!("{after:?}").to_lowercase();
        for trace in [&id.to_lowercase(), &room.to_lowercase(), "token-1", "mary", "three", "guest-1"] {
            assert!(!text.contains(trace), "{trace} is still in {after:#?}");
        }
        assert_eq!((&after["users"], &after["user_roles"]), (&before["users"], &before["user_roles"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_left_alone() {
    for engine in Engine::all() {
        let app = erasing(&engine).await;
        let (_, room) = visitor_with_messages(&app, "token-1", "Mary").await;
        let told = app.get(&history(&room, "token=token-1")).await.ok();
        let mut before = rows(&app).await;
        visitor_with_messages(&app, "token-2", "Bob").await;
        app.delete(&format!("{VISITOR}/token-2")).await.ok();

        let mut after = rows(&app).await;
        assert_eq!(after.remove("erasures").map(|entries| entries.len()), Some(1));
        before.remove("erasures");
        assert_eq!(after, before);
        app.get(&history(&room, "token=token-1")).await.is(200, &told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registers_with_the_token_again_is_somebody_new() {
    for engine in Engine::all() {
        let app = erasing(&engine).await;
        let (id, room) = visitor_with_messages(&app, "token-1", "Mary").await;
        app.delete(&format!("{VISITOR}/token-1")).await.ok();
        app.advance(Duration::from_secs(1));
        let new = app.register("token-1", "Ann").await;
        assert_ne!(new["_id"], json!(id));
        assert_eq!((&new["username"], &new["ts"]), (&json!("guest-2"), &json!("2024-01-31T12:00:01.000Z")));
        app.get(&history(&room, "token=token-1")).await.is(400, &plain("invalid-room"));
        assert_ne!(app.room("token-1").await, room);
    }
}

/// Puts messages into a room without going through its use case, which would take its time.
async fn fill(app: &TestApp, token: &str, room: &str, count: i64) {
    let visitor = stored_visitor(app, token).await;
    let room = room.to_owned();
    let write = app.services.store.write::<_, StoreError, _>(move |tx| {
        for number in 1..=count {
            let author = Author { id: visitor.id.clone(), username: visitor.username.clone(), name: None, is_visitor: true };
            let (id, ts) = (format!("{room}-{number}"), START + number);
            let message = Message {
                id,
                room_id: room.clone(),
                ts,
                kind: None,
                text: "text".to_owned(),
                author,
                edited: None,
                is_hidden: false,
                is_deleted: false,
                details: serde_json::Map::new(),
                updated_at: ts,
            };
            assert!(q::messages::insert(tx, &message)?, "the id is new");
        }
        Ok(())
    });
    write.await.expect("messages can be stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_visitor_goes_in_chunks() {
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").without_rehearsal().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        fill(&app, "token-1", &room, 2_200).await;
        let (_, before) = app.services.store.written();
        app.delete(&format!("{VISITOR}/token-1")).await.ok();
        let (_, after) = app.services.store.written();
        assert_eq!(after - before, 3, "2,200 messages are more than two chunks and fewer than three");

        let entry = ledger(&app).await;
        assert_eq!(
            entry.counts,
            Counts { visitors: 1, contacts: 1, rooms: 1, messages: 2_201, changes: 3, others: 1, ..Counts::default() }
        );
        assert!(personal(&rows(&app).await).iter().all(|(_, count)| *count == 0));
    }
}
