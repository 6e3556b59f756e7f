//! The queue of mails: what is handed out, what is noted, and what is left of what was sent.

use std::sync::Arc;

use usher_domain::mail::{Mail, MailKind, MailState};
use usher_store::q::mails::{self, NewMail};
use usher_store::{Nobody, Store, StoreError, Tx, values};
use usher_testkit::ManualClock;
use usher_testkit::engines::Engine;

fn open(engine: &Engine) -> Store {
    engine.open(Arc::new(ManualClock::default()), Arc::new(Nobody))
}

fn mail(subject: &str) -> Mail {
    Mail {
        from: Some("Mary".to_owned()),
        reply_to: None,
        to: "support@example.com".to_owned(),
        subject: subject.to_owned(),
        html: "<p>\u{0}😀</p>".to_owned(),
        text: "😀".to_owned(),
    }
}

fn new(id: &str, visitor_id: Option<&str>, about: &str) -> NewMail {
    NewMail {
        id: id.to_owned(),
        kind: MailKind::Transcript,
        visitor_id: visitor_id.map(str::to_owned),
        room_id: None,
        about: about.to_owned(),
        mail: mail(id),
    }
}

async fn insert(store: &Store, id: &str, visitor_id: Option<&str>, about: &str, now: i64) {
    let new = new(id, visitor_id, about);
    store.write::<_, StoreError, _>(move |tx| mails::insert(tx, &new, now)).await.expect("a mail can be added");
}

async fn hand_out(store: &Store, now: i64, until: i64) -> Option<(String, i64)> {
    let out = store.write::<_, StoreError, _>(move |tx| mails::hand_out(tx, now, until)).await.expect("mails can be handed out");
    out.map(|due| {
        assert_eq!(due.mail, Some(mail(&due.id)), "it is the mail that was put in");
        (due.id, due.attempts)
    })
}

async fn write(store: &Store, work: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static) {
    store.write::<_, StoreError, _>(work).await.expect("it can be written");
}

/// Each row as `id state attempts failure next_attempt_at`, with what is left of its content.
async fn rows(store: &Store) -> Vec<String> {
    let sql = "SELECT id || ' ' || state || ' ' || CAST(attempts AS TEXT) || ' ' || COALESCE(failure, '-') || ' ' ||
                      CAST(next_attempt_at AS TEXT) || CASE WHEN content IS NULL THEN '' ELSE ' content' END || COALESCE(' ' || about, '')
               FROM mails ORDER BY id";
    let read = store.read::<_, StoreError, _>(move |tx| tx.query(sql, values![], |row| row.text(0)));
    read.await.expect("mails can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_handed_out_one_at_a_time_and_again_when_nothing_was_noted() {
    for engine in Engine::all() {
        let store = open(&engine);
        insert(&store, "second", None, "b@example.com", 2_000).await;
        insert(&store, "first", None, "a@example.com", 1_000).await;
        assert_eq!(hand_out(&store, 999, 5_000).await, None, "none is due");
        assert_eq!(hand_out(&store, 2_000, 5_000).await, Some(("first".to_owned(), 1)));
        assert_eq!(hand_out(&store, 2_000, 6_000).await, Some(("second".to_owned(), 1)));
        assert_eq!(hand_out(&store, 4_999, 9_000).await, None, "both are handed out");
        assert_eq!(hand_out(&store, 5_000, 9_000).await, Some(("first".to_owned(), 2)));
        let next = store.read::<_, StoreError, _>(|tx| mails::next_due(tx, 0)).await.expect("it can be read");
        assert_eq!(next, Some(6_000));
        write(&store, |tx| mails::sent(tx, "first", 5_001)).await;
        assert_eq!(hand_out(&store, 100_000, 200_000).await, Some(("second".to_owned(), 2)), "what was sent is not sent again");
        assert_eq!(rows(&store).await, ["first sent 2 - 9000", "second waiting 2 - 200000 content b@example.com"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_noted() {
    for engine in Engine::all() {
        let store = open(&engine);
        for id in ["again", "never", "new"] {
            insert(&store, id, None, " Mary@Example.COM ", 1_000).await;
        }
        write(&store, |tx| mails::try_again(tx, "again", "unreachable", 60_000, 1_001)).await;
        write(&store, |tx| mails::give_up(tx, "never", "refused", 1_001)).await;
        let expected = [
            "again waiting 0 unreachable 60000 content mary@example.com",
            "never failed 0 refused 1000 content mary@example.com",
            "new waiting 0 - 1000 content mary@example.com",
        ];
        assert_eq!(rows(&store).await, expected);
        // What is not there any more is not missed, and what was given up stays so.
        write(&store, |tx| mails::sent(tx, "gone", 1_002)).await;
        write(&store, |tx| mails::sent(tx, "never", 1_002)).await;
        assert_eq!(rows(&store).await, expected);

        let retry = async |id: &'static str| store.write::<_, StoreError, _>(move |tx| mails::retry(tx, id, 2_000)).await;
        for (id, is_done) in [("again", true), ("never", true), ("new", false), ("gone", false)] {
            assert_eq!(retry(id).await, Ok(is_done), "{id}");
        }
        for id in ["again", "never"] {
            assert_eq!(retry(id).await, Ok(false), "{id} has not failed since");
        }
        let due = ["again waiting 0 - 2000", "never waiting 0 - 2000", "new waiting 0 - 1000"];
        assert_eq!(rows(&store).await, due.map(|row| format!("{row} content mary@example.com")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_held() {
    for engine in Engine::all() {
        let store = open(&engine);
        insert(&store, "old", None, "a@b", 1_000).await;
        insert(&store, "later", None, "a@b", 50_000).await;
        insert(&store, "now", None, "a@b", 5_000).await;
        let changes = async || store.read::<_, StoreError, _>(|tx| mails::any_held_otherwise(tx, "no-server", 10_000, 2_000)).await;
        assert_eq!(changes().await, Ok(true));
        write(&store, |tx| mails::hold(tx, "no-server", 10_000, 2_000)).await;
        assert_eq!(
            rows(&store).await,
            [
                "later waiting 0 - 50000 content a@b",
                "now waiting 0 no-server 5000 content a@b",
                "old failed 0 no-server 1000 content a@b"
            ]
        );
        assert_eq!(changes().await, Ok(false), "once is enough");
        assert_eq!(hand_out(&store, 10_000, 20_000).await, Some(("now".to_owned(), 1)), "it stays due");
        assert_eq!(rows(&store).await[1], "now waiting 1 - 20000 content a@b");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_about_a_visitor_go_with_it() {
    for engine in Engine::all() {
        let store = open(&engine);
        insert(&store, "of-visitor", Some("visitor"), "colleague@example.com", 1).await;
        insert(&store, "of-address", None, "Mary@example.com", 1).await;
        insert(&store, "of-other", Some("other"), "other@example.com", 1).await;
        write(&store, |tx| mails::sent(tx, "of-visitor", 2)).await;
        let delete = |visitor: &'static str, email: Option<&'static str>| {
            store.write::<_, StoreError, _>(move |tx| mails::delete_of_visitor(tx, visitor, email))
        };
        assert_eq!(delete("nobody", None).await, Ok(0));
        assert_eq!(delete("visitor", Some("mary@example.com")).await, Ok(2));
        assert_eq!(rows(&store).await, ["of-other waiting 0 - 1 content other@example.com"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_entries_go() {
    for engine in Engine::all() {
        let store = open(&engine);
        for (id, created_at) in [("sent-old", 100), ("sent-new", 200), ("failed-old", 50), ("failed-new", 100), ("waiting", 1)] {
            insert(&store, id, None, "a@b", created_at).await;
        }
        write(&store, |tx| mails::sent(tx, "sent-old", 1).and_then(|()| mails::sent(tx, "sent-new", 1))).await;
        write(&store, |tx| mails::give_up(tx, "failed-old", "x", 1).and_then(|()| mails::give_up(tx, "failed-new", "x", 1))).await;
        let prune = async || store.write::<_, StoreError, _>(|tx| mails::prune(tx, 150, 75)).await;
        assert_eq!((prune().await, prune().await), (Ok(2), Ok(0)));
        let ids: Vec<String> = rows(&store).await.iter().map(|row| row.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(ids, ["failed-new", "sent-new", "waiting"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_tells_what_became_of_each() {
    for engine in Engine::all() {
        let store = open(&engine);
        for (id, created_at) in [("a", 1), ("b", 2), ("c", 2)] {
            insert(&store, id, None, "a@b", created_at).await;
        }
        write(&store, |tx| mails::give_up(tx, "b", "refused", 7)).await;
        let list = |state: Option<MailState>, offset: i64, count: Option<i64>| {
            store.read::<_, StoreError, _>(move |tx| mails::list(tx, state, offset, count))
        };
        let ids = |(entries, total): (Vec<mails::MailEntry>, i64)| {
            (entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>().join(" "), total)
        };
        for (state, offset, count, expected) in [
            (None, 0, None, ("c b a", 3)),
            (None, 1, Some(1), ("b", 3)),
            (None, 5, None, ("", 3)),
            (Some(MailState::Failed), 0, None, ("b", 1)),
            (Some(MailState::Waiting), 0, Some(50), ("c a", 2)),
            (Some(MailState::Sent), 0, None, ("", 0)),
        ] {
            let found = ids(list(state, offset, count).await.expect("mails can be listed"));
            assert_eq!((found.0.as_str(), found.1), expected, "{state:?} {offset} {count:?}");
        }
        let (entries, _) = list(Some(MailState::Failed), 0, None).await.expect("mails can be listed");
        let entry = &entries[0];
        assert_eq!((entry.kind, entry.state, entry.attempts), (MailKind::Transcript, MailState::Failed, 0));
        assert_eq!((entry.failure.as_deref(), entry.created_at, entry.updated_at), (Some("refused"), 2, 7));
    }
}
