//! Faults: whatever goes wrong with one piece of work, the others come out right and the store goes on or cleanly refuses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use usher_domain::{Change, ChangeKind, Event};
use usher_store::{Nobody, Options, Publish, SQLITE_FILE, Store, StoreError, Tx, q, values};
use usher_testkit::ManualClock;
use usher_testkit::engines::{Engine, Folder};

fn open(engine: &Engine) -> Arc<Store> {
    Arc::new(engine.open(Arc::new(ManualClock::default()), Arc::new(Nobody)))
}

async fn take(store: &Store, name: &'static str) -> Result<i64, StoreError> {
    store.write(move |tx| q::counters::take(tx, name, 1)).await
}

async fn value(store: &Store, name: &'static str) -> Option<i64> {
    let read =
        move |tx: &mut Tx<'_>| tx.query_optional("SELECT value FROM counters WHERE name = ?1", values![name], |row| row.integer(0));
    store.read(read).await.expect("a counter can be read")
}

/// The embedded store twice: as tests use it, where each job runs twice in a savepoint of its own, and as it is delivered, where a
/// group takes savepoints only once it needs them.
fn both_ways() -> [(Engine, Arc<Store>); 2] {
    let (rehearsing, delivered) = (Engine::sqlite(), Engine::sqlite());
    let (clock, nobody) = (Arc::new(ManualClock::default()), Arc::new(Nobody));
    let stores = (rehearsing.open(clock.clone(), nobody.clone()), delivered.open_for_crowds(clock, nobody));
    [(rehearsing, Arc::new(stores.0)), (delivered, Arc::new(stores.1))]
}

/// Holds the SQLite writer inside one job until `release` is called, so that what comes next is one group.
struct Held {
    release: mpsc::Sender<()>,
    job: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Held {
    async fn new(store: &Arc<Store>) -> Held {
        let (release, wait) = mpsc::channel::<()>();
        let (inside, entered) = tokio::sync::oneshot::channel();
        let store = Arc::clone(store);
        let wait = Mutex::new(wait);
        let mut inside = Some(inside);
        let job = tokio::spawn(async move {
            store
                .write(move |_| {
                    if let Some(inside) = inside.take() {
                        inside.send(()).expect("the test waits");
                        wait.lock().expect("one thread only").recv().expect("the test lets go");
                    }
                    Ok::<(), StoreError>(())
                })
                .await
        });
        entered.await.expect("the job runs");
        Held { release, job }
    }

    async fn release(self) {
        self.release.send(()).expect("the job waits");
        assert_eq!(self.job.await.expect("the job ends"), Ok(()));
    }
}

/// Starts `work` for each of `0..count` behind a held job, so that all of it is one group, and gives the results.
async fn in_one_group<F>(store: &Arc<Store>, count: usize, work: F) -> Vec<Result<i64, StoreError>>
where
    F: Fn(usize, &mut Tx<'_>) -> Result<i64, StoreError> + Send + Sync + Clone + 'static,
{
    let held = Held::new(store).await;
    let mut tasks = Vec::new();
    for number in 0..count {
        let (store, work) = (Arc::clone(store), work.clone());
        let (sent, queued) = tokio::sync::oneshot::channel();
        tasks.push(tokio::spawn(async move {
            let write = store.write(move |tx| work(number, tx));
            tokio::pin!(write);
            // The first poll puts the job into the queue: the order of the jobs is that of the numbers.
            let early = std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context))).await;
            sent.send(()).expect("the test waits");
            match early {
                std::task::Poll::Ready(result) => result,
                std::task::Poll::Pending => write.await,
            }
        }));
        queued.await.expect("the job is queued");
    }
    held.release().await;
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("the caller ends"));
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_wait_together_share_a_commit() {
    for (_engine, store) in both_ways() {
        let results = in_one_group(&store, 100, |_, tx| q::counters::take(tx, "n", 1)).await;
        assert_eq!(results, (1..=100).map(Ok).collect::<Vec<_>>());
        let (groups, jobs) = store.written();
        assert_eq!((groups, jobs), (1, 101), "one commit for the held job and the hundred behind it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_in_a_group_undoes_that_job_alone() {
    for (_engine, store) in both_ways() {
        let results = in_one_group(&store, 20, |number, tx| {
            let taken = q::counters::take(tx, "n", 1)?;
            if number == 7 { Err(StoreError::Column(7)) } else { Ok(taken) }
        })
        .await;
        assert_eq!(results[7], Err(StoreError::Column(7)));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 19);
        assert_eq!(value(&store, "n").await, Some(19));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_statement_in_a_group_undoes_that_job_alone() {
    for (_engine, store) in both_ways() {
        let results = in_one_group(&store, 20, |number, tx| {
            let taken = q::counters::take(tx, "n", 1)?;
            if number == 7 {
                tx.execute("INSERT INTO counters (name, value) VALUES ('n', 1)", values![])?;
            }
            Ok(taken)
        })
        .await;
        assert!(matches!(results[7], Err(StoreError::Duplicate(_))), "{:?}", results[7]);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 19);
        assert_eq!(value(&store, "n").await, Some(19));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_job_undoes_itself_alone() {
    for engine in Engine::all() {
        let store = open(&engine);
        assert_eq!(take(&store, "n").await, Ok(1));
        let panicked = store.write(|tx| {
            q::counters::take(tx, "n", 1)?;
            if value_is_odd(1) { panic!("on purpose") } else { Ok::<(), StoreError>(()) }
        });
        assert_eq!(panicked.await, Err(StoreError::Panicked));
        assert_eq!(take(&store, "n").await, Ok(2), "the store goes on where it was");
    }
}

fn value_is_odd(value: i64) -> bool {
    value % 2 == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_the_middle_of_a_group_undoes_the_offender_alone() {
    for (_engine, store) in both_ways() {
        let pages = |tx: &mut Tx<'_>| tx.query_one("PRAGMA page_count", values![], |row| row.integer(0));
        let now = store.write(pages).await.expect("pages can be counted");
        let limit = format!("PRAGMA max_page_count = {}", now + 8);
        store.write(move |tx| tx.query_one(&limit, values![], |row| row.integer(0))).await.expect("a limit can be set");

        let results = in_one_group(&store, 20, |number, tx| {
            if number == 7 {
                let long = "x".repeat(1 << 20);
                tx.execute("INSERT INTO counters (name, value) VALUES (?1, 1)", values![&long])?;
            }
            q::counters::take(tx, "n", 1)
        })
        .await;
        assert_eq!(results[7], Err(StoreError::Full));
        let before: Vec<_> = (1..=7).map(Ok).collect();
        assert_eq!(results[..7], before, "those before it ran again, in their order, without the offender");
        assert!(results[8..].iter().all(|result| *result == Err(StoreError::Full)), "those behind it are refused");
        assert_eq!(value(&store, "n").await, Some(7));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_only_work_that_frees_space_is_accepted_until_there_is_space() {
    let folder = Folder::default();
    let clock = Arc::new(ManualClock::default());
    let options = Options { ballast: 8_192, ..Options::safe(clock.clone(), Arc::new(Nobody)) };
    let store = Store::open(&usher_store::Location::Folder(folder.path().to_owned()), options).expect("it opens");
    assert_eq!(take(&store, "n").await, Ok(1));
    let ballast = folder.path().join("ballast");
    assert_eq!(std::fs::metadata(&ballast).expect("there is ballast").len(), 8_192);

    let fill = |tx: &mut Tx<'_>| {
        tx.query_one("PRAGMA max_page_count = 1", values![], |row| row.integer(0))?;
        tx.execute("INSERT INTO counters (name, value) VALUES (?1, 1)", values![&"x".repeat(1 << 20)])
    };
    assert_eq!(store.write(fill).await, Err(StoreError::Full));
    assert!(!ballast.exists() && !store.is_writing());
    assert_eq!(take(&store, "n").await, Err(StoreError::Full), "refused without a try");
    let frees = store.write_freeing_space(|tx| tx.execute("DELETE FROM counters WHERE name = ?1", values!["n"]));
    assert_eq!(frees.await, Ok(1));

    clock.advance(Duration::from_secs(2));
    let grow = store.write_freeing_space(|tx| tx.query_one("PRAGMA max_page_count = 100000", values![], |row| row.integer(0)));
    grow.await.expect("the limit can be lifted");
    assert_eq!(take(&store, "n").await, Ok(1), "the ballast fits again, so work is taken again");
    assert!(ballast.exists() && store.is_writing());
}

/// A table whose rule is checked only at COMMIT makes the COMMIT itself fail, on both engines.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_commit_fails_its_callers_and_keeps_nothing() {
    for engine in Engine::all() {
        let store = open(&engine);
        let prepare = |tx: &mut Tx<'_>| {
            tx.execute("CREATE TABLE parent (id BIGINT PRIMARY KEY)", values![])?;
            tx.execute("CREATE TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)", values![])
        };
        store.write(prepare).await.expect("tables can be made");
        let orphan = store.write(|tx| {
            q::counters::take(tx, "n", 1)?;
            tx.execute("INSERT INTO child (id) VALUES (1)", values![])
        });
        assert!(matches!(orphan.await, Err(StoreError::Commit(_))));
        assert_eq!(value(&store, "n").await, None, "nothing was kept");
        assert_eq!(take(&store, "n").await, Ok(1), "the store goes on");
        assert!(store.is_writing());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_of_a_caller_that_left_is_done() {
    for engine in Engine::all() {
        let store = open(&engine);
        let (entered, inside) = tokio::sync::oneshot::channel();
        let mut entered = Some(entered);
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let caller = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                let work = move |tx: &mut Tx<'_>| {
                    if let Some(entered) = entered.take() {
                        entered.send(()).expect("the test waits");
                        wait.lock().expect("one thread only").recv().expect("the test lets go");
                    }
                    q::counters::take(tx, "n", 1)
                };
                store.write(work).await
            }
        });
        inside.await.expect("the job runs");
        caller.abort();
        assert!(caller.await.expect_err("the caller is gone").is_cancelled());
        go_on.send(()).expect("the job waits");
        let seen = loop {
            if let Some(seen) = value(&store, "n").await {
                break seen;
            }
        };
        assert_eq!(seen, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_within_its_patience_and_recovers() {
    let engine = Engine::sqlite();
    let store = open(&engine);
    let held = Held::new(&store).await;
    let callers: Vec<_> = (0..1_100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { take(&store, "n").await })
        })
        .collect();
    let mut refused = 0;
    while callers.iter().filter(|caller| caller.is_finished()).count() < 76 {
        tokio::task::yield_now().await;
    }
    held.release().await;
    for caller in callers {
        match caller.await.expect("the caller ends") {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, StoreError::Busy);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 76, "1,024 wait, the rest is refused");
    assert_eq!(value(&store, "n").await, Some(1_024));
    assert_eq!(take(&store, "n").await, Ok(1_025));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_takes_too_long_is_ended() {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(Engine::sqlite().open(clock.clone(), Arc::new(Nobody)));
    let endless = endless_read(&store, &clock);
    assert_eq!(endless.await, Err(StoreError::Deadline));
    assert_eq!(take(&store, "n").await, Ok(1));
}

/// A read that would never end, and a clock that moves on once it runs.
async fn endless_read(store: &Arc<Store>, clock: &Arc<ManualClock>) -> Result<i64, StoreError> {
    let clock = Arc::clone(clock);
    store
        .read(move |tx| {
            clock.advance(Duration::from_secs(3));
            let count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
            tx.query_one(count, values![], |row| row.integer(0))
        })
        .await
}

/// The length of the write-ahead log.
fn log_length(folder: &Folder) -> u64 {
    std::fs::metadata(folder.path().join(SQLITE_FILE).with_extension("db-wal")).map_or(0, |metadata| metadata.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_ours_delays_sealing_no_longer_than_its_deadline() {
    let folder = Folder::default();
    let clock = Arc::new(ManualClock::default());
    let options = Options { ballast: 0, ..Options::safe(clock.clone(), Arc::new(Nobody)) };
    let store = Arc::new(Store::open(&usher_store::Location::Folder(folder.path().to_owned()), options).expect("it opens"));
    take(&store, "n").await.expect("a write works");
    let (started, running) = mpsc::channel();
    let reading = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let read = move |tx: &mut Tx<'_>| {
                started.send(()).expect("the test waits");
                let count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
                tx.query_one(count, values![], |row| row.integer(0))
            };
            store.read(read).await
        }
    });
    tokio::task::spawn_blocking(move || running.recv().expect("the read runs")).await.expect("it does");
    let sealing = tokio::task::spawn_blocking({
        let store = Arc::clone(&store);
        move || store.seal()
    });
    assert!(!sealing.is_finished());
    clock.advance(Duration::from_secs(3));
    assert_eq!(sealing.await.expect("sealing ends"), Ok(()));
    assert_eq!(reading.await.expect("the read ends"), Err(StoreError::Deadline));
    assert_eq!(log_length(&folder), 0);
}

/// Somebody outside of this process holds the log open: a checkpoint that is kept from its work says so, writing goes on, and once
/// the way is free sealing comes through.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_checkpoint_is_noticed_and_made_up_for() {
    let folder = Folder::default();
    let options = Options { ballast: 0, ..Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody)) };
    let store = Arc::new(Store::open(&usher_store::Location::Folder(folder.path().to_owned()), options).expect("it opens"));
    take(&store, "n").await.expect("a write works");
    let stranger = rusqlite::Connection::open(folder.path().join(SQLITE_FILE)).expect("the file can be opened");
    stranger.execute_batch("BEGIN; SELECT count(*) FROM counters;").expect("it can be read");
    assert_eq!(take(&store, "n").await, Ok(2));

    let seal = |store: &Arc<Store>| {
        let store = Arc::clone(store);
        tokio::task::spawn_blocking(move || store.seal())
    };
    assert_eq!(seal(&store).await.expect("it ends"), Err(StoreError::Busy));
    assert_eq!(take(&store, "n").await, Ok(3), "writing goes on");
    assert!(log_length(&folder) > 0);
    stranger.execute_batch("COMMIT").expect("it lets go");
    assert_eq!(seal(&store).await.expect("it ends"), Ok(()));
    assert_eq!(log_length(&folder), 0);
    assert_eq!(value(&store, "n").await, Some(3));
}

/// Under a load that never pauses, with somebody always reading: the log is moved into the file and starts over.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short_however_much_is_written() {
    const MEGABYTE: usize = 1 << 20;
    let folder = Folder::default();
    let options = Options { ballast: 0, ..Options::safe(Arc::new(ManualClock::default()), Arc::new(Nobody)) };
    let store = Arc::new(Store::open(&usher_store::Location::Folder(folder.path().to_owned()), options).expect("it opens"));
    let mut longest = 0;
    for number in 0..320_i64 {
        let add = move |tx: &mut Tx<'_>| {
            let long = format!("{number}{}", "x".repeat(MEGABYTE));
            tx.execute("INSERT INTO counters (name, value) VALUES (?1, ?2)", values![&long, number])
        };
        let (added, _) = tokio::join!(store.write(add), value(&store, "n"));
        assert_eq!(added, Ok(1));
        longest = longest.max(log_length(&folder));
    }
    assert!(longest > 8 * MEGABYTE as u64, "the load was large enough to say anything: {longest}");
    // It starts over at 20 MB, or as soon after it as a checkpoint that is under way lets it. Otherwise it would hold all 320.
    assert!(longest < 100 * MEGABYTE as u64, "the log grew to {longest} bytes");
}

/// Remembers what was published, and what the store held at that moment.
#[derive(Default)]
struct Listener {
    heard: Mutex<Vec<Event>>,
    calls: AtomicUsize,
}

impl Publish for Listener {
    fn publish(&self, events: &[Event]) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.heard.lock().expect("nobody panicked").extend_from_slice(events);
    }

    fn lost_track(&self) {}
}

fn seq_of(event: &Event) -> i64 {
    match event {
        Event::Room(change) => change.seq,
        other => panic!("nobody changed anything but rooms: {other:?}"),
    }
}

fn change(seq: i64) -> Change {
    Change { room_id: "room".to_owned(), seq, kind: ChangeKind::RoomChanged, reference: "room".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_go_out_once_after_the_commit_and_before_the_answer() {
    for engine in Engine::all() {
        let listener = Arc::new(Listener::default());
        let store = engine.open(Arc::new(ManualClock::default()), listener.clone());
        for seq in 1..=20 {
            let written = store.write(move |tx| q::changes::record(tx, change(seq))).await;
            assert_eq!(written, Ok(()));
            assert_eq!(listener.heard.lock().expect("nobody panicked").len(), seq as usize, "heard when the answer is here");
        }
        let refused = store.write(|tx| {
            q::changes::record(tx, change(21))?;
            Err::<(), StoreError>(StoreError::Column(0))
        });
        assert_eq!(refused.await, Err(StoreError::Column(0)));
        let heard: Vec<i64> = listener.heard.lock().expect("nobody panicked").iter().map(seq_of).collect();
        assert_eq!(heard, (1..=20).collect::<Vec<_>>(), "in order, once, and nothing of what was refused");
    }
}
