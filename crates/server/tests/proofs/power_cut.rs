//! Power cuts: the server runs on a disk that forgets whatever was not flushed. No message that was acknowledged is lost.
//!
//! The disk is `shim/flush.c`, loaded into the server's process: it keeps a mirror of the data folder that holds only what was
//! flushed. After a kill the mirror is what a real disk would hold.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;
use usher_testkit::engines::Folder;

use crate::common::figures::{grouped, scale, seconds, skip};
use crate::common::moments::{Random, let_run};
use crate::common::server::{Server, Setup};
use crate::common::wait::wait_until;
use crate::common::writers::{Summary, Writers, Written, verify};

/// How many write at once.
const WRITERS: usize = 32;

/// How long a start may take until the server is ready.
const START_LIMIT: Duration = Duration::from_secs(2);

/// How many runs the negative control has: each should lose something, one must.
const CONTROL_RUNS: usize = 3;

/// The library that makes a disk forget. `None`, with a word about it, where there is no C compiler.
fn shim() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (fresh, library) = (folder.join(format!("flush-{}.so", std::process::id())), folder.join("flush.so"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shim/flush.c");
        let arguments = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-pthread", source, "-o"];
        let compiled = Command::new("cc").args(arguments).arg(&fresh).output().ok()?;
        assert!(compiled.status.success(), "cc {source}: {}", String::from_utf8_lossy(&compiled.stderr));
        std::fs::rename(&fresh, &library).expect("the library can be put in place");
        Some(library)
    });
    if library.is_none() {
        skip("there is no C compiler `cc` (apt-get install gcc libc6-dev)");
    }
    library.as_deref()
}

/// A disk that forgets, and the server on it.
struct Disk {
    /// The server on the disk while it has power.
    live: Setup,
    /// The server on what the disk still holds after the power was cut.
    after: Setup,
    /// While this file exists, no flush comes through.
    broken: PathBuf,
}

impl Disk {
    /// An empty disk in `folder`.
    fn new(folder: &Path, shim: &Path) -> Disk {
        let (live, after) = (Setup::usual(&folder.join("live")), Setup::usual(&folder.join("after")));
        for folder in [live.data(), after.data()] {
            std::fs::create_dir_all(folder).expect("a folder can be made");
        }
        let broken = folder.join("broken");
        let live = live
            .clone()
            .variable("LD_PRELOAD", shim)
            .variable("USHER_SHIM_FOLDER", live.data())
            .variable("USHER_SHIM_DURABLE", after.data())
            .variable("USHER_SHIM_FAIL_FLUSH", &broken);
        Disk { live, after, broken }
    }

    /// The same disk, without the shim: what the system's cache holds as well.
    fn with_cache(&self) -> Setup {
        Setup::usual(&self.live.folder)
    }
}

/// Starts a server and checks what was written to it before.
fn check(setup: &Setup, written: &[Written]) -> Result<(Summary, Duration), String> {
    let server = Server::start(setup)?;
    Ok((verify(&server.client(), written)?, server.took))
}

/// Lets writers write, and cuts the power at a random moment.
fn write_until_the_cut(live: &Setup, random: &mut Random) -> Vec<Written> {
    let server = Server::start(live).expect("the server starts on the disk");
    let writers = Writers::begin(WRITERS, &server.address);
    let_run(random, 0, 1_000);
    writers.lose();
    drop(server);
    writers.finish()
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    let Some(shim) = shim() else { return };
    let (mut random, cuts) = (Random::of("power cut"), scale().of(50, 5));
    let (mut acknowledged, mut slowest_start) = (0, Duration::ZERO);
    for _ in 0..cuts {
        let folder = Folder::default();
        let disk = Disk::new(folder.path(), shim);
        let written = write_until_the_cut(&disk.live, &mut random);
        let (summary, took) = check(&disk.after, &written).expect("all that was acknowledged is there");
        acknowledged += summary.acknowledged;
        slowest_start = slowest_start.max(took);
    }
    println!(
        "power cut: {cuts} cuts under {WRITERS} writers, {} acknowledged, 0 lost, slowest start {}",
        grouped(acknowledged),
        seconds(slowest_start)
    );
    assert!(acknowledged > cuts * WRITERS, "too little was written to prove anything");
    assert!(slowest_start < START_LIMIT, "a start took {slowest_start:?}");
}

/// The negative control: without flushes the same cuts lose messages, and nothing but the cut does so.
#[test]
fn without_flushes_power_cuts_lose_messages() {
    let Some(shim) = shim() else { return };
    let mut random = Random::of("power cut, control");
    let lost = (0..CONTROL_RUNS).find_map(|_| {
        let folder = Folder::default();
        let disk = Disk::new(folder.path(), shim);
        let unsafe_live = disk.live.clone().variable("USHER_UNSAFE_SYNCHRONOUS_OFF", "on");
        let written = write_until_the_cut(&unsafe_live, &mut random);
        check(&disk.with_cache(), &written).expect("where the power stays on nothing is lost");
        check(&disk.after, &written).err()
    });
    let complaint = lost.expect("with synchronous = OFF a power cut loses something, or the shim does not work");
    println!("power cut, control: with synchronous = OFF: {}", complaint.lines().next().unwrap_or_default());
}

/// After a flush that failed nobody knows what the disk holds, so nothing is acknowledged any more until the next start.
#[test]
fn after_a_failed_flush_nothing_is_acknowledged() {
    let Some(shim) = shim() else { return };
    let (folder, mut random) = (Folder::default(), Random::of("failed flush"));
    let disk = Disk::new(folder.path(), shim);
    let server = Server::start(&disk.live).expect("the server starts on the disk");
    let client = server.client();
    assert_eq!(client.get("/ready").expect("the server answers").status, 200);
    let writers = Writers::begin(WRITERS, &server.address);
    let_run(&mut random, 100, 500);

    std::fs::write(&disk.broken, "").expect("a file can be made");
    wait_until("/ready says 503", Duration::from_secs(10), || client.get("/ready").expect("the server answers").status == 503);
    std::fs::remove_file(&disk.broken).expect("the file can be removed");
    let written = writers.finish();
    refuses_to_write(&server, &written[0]);
    let shown = verify(&client, &written).expect("what was acknowledged is still shown");
    assert_eq!(shown.unanswered, 0, "what was not acknowledged is not shown as if it were kept");
    assert_eq!(client.get("/health").expect("the server answers").status, 200, "the process itself is well");

    drop(server);
    let (summary, _) = check(&disk.after, &written).expect("all that was acknowledged is on the disk");
    let server = Server::start(&disk.after).expect("the server starts again");
    let body = json!({"token": written[0].token, "rid": written[0].room, "msg": "after"});
    let posted = server.client().post("/api/v1/livechat/message", &body).expect("the server answers");
    assert_eq!(posted.status, 200, "after a restart writing goes on: {}", posted.text);
    println!("failed flush: {} acknowledged before, 0 after, 0 lost", grouped(summary.acknowledged));
}

/// Every kind of write is answered 503, although flushes would come through again.
fn refuses_to_write(server: &Server, written: &Written) {
    let client = server.client();
    let message = json!({"token": written.token, "rid": written.room, "msg": "x", "_id": "after-the-failed-flush"});
    let visitor = json!({"visitor": {"token": "after-the-failed-flush"}});
    let own = format!("/api/v1/livechat/visitor/{}", written.token);
    let answers = [
        client.post("/api/v1/livechat/message", &message),
        client.post("/api/v1/livechat/visitor", &visitor),
        client.call("DELETE", &own, &[], &serde_json::Value::Null),
    ];
    for answer in answers {
        let answer = answer.expect("the server answers");
        assert_eq!((answer.status, answer.json()["success"].as_bool()), (503, Some(false)), "{}", answer.text);
    }
    assert_eq!(client.get("/ready").expect("the server answers").status, 503, "only a restart helps");
}
