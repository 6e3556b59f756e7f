//! Backups: made beside a server that goes on, restored without those who were erased since, and refused when anything of them is wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use usher_testkit::engines::Folder;
use usher_testkit::{Form, postgres};

use crate::common::agents::{register, room, text};
use crate::common::figures::{grouped, scale};
use crate::common::http::Client;
use crate::common::moments::{Random, let_run};
use crate::common::server::{Server, Setup, program, run};
use crate::common::wait::Stopwatch;
use crate::erasure::markers::Marker;
use crate::erasure::scan::Scanner;
use crate::erasure::stage::{even, is_even, wait_until_sealed};

/// A visitor, of whom all that can be found again carries the marker.
struct Visitor {
    marker: Marker,
    room: String,
    file: String,
}

impl Visitor {
    /// Registers, opens a room, writes into it and sends a file.
    fn new(client: &Client, random: &mut Random) -> Visitor {
        let marker = Marker::new(random);
        let token = marker.text();
        register(client, &token);
        let room = text(&room(client, &token), "_id");
        let message = json!({"token": token, "rid": room, "msg": format!("{token} writes")});
        assert_eq!(client.post("/api/v1/livechat/message", &message).expect("the server answers").status, 200);
        let form = Form::file("words.txt", "text/plain", format!("{token} sends").as_bytes());
        let path = format!("/api/v1/livechat/upload/{room}");
        let sent = client.upload(&path, &[("x-visitor-token", &token)], form).expect("the server answers").json();
        Visitor { marker, room, file: text(&sent["attachments"][0], "title_link") }
    }

    fn erase(&self, client: &Client) {
        let answer = client.call("DELETE", &format!("/api/v1/livechat/visitor/{}", self.marker.text()), &[], &json!(null));
        assert_eq!(answer.expect("the server answers").status, 200);
    }

    /// Whether message and file can be read.
    fn is_whole(&self, client: &Client) -> bool {
        let token = self.marker.text();
        let history = client.get(&format!("/api/v1/livechat/messages.history/{}?token={token}", self.room));
        let file = client.get(&format!("{}?rc_room_type=l&rc_rid={}&rc_token={token}", self.file, self.room));
        history.expect("the server answers").text.contains(&format!("{token} writes"))
            && file.expect("the server answers").text == format!("{token} sends")
    }
}

/// Runs a command of the program on the data of a server; gives whether it ended well and what it printed.
fn command(setup: &Setup, arguments: &[&str]) -> (bool, String) {
    run(program().args(arguments).arg("--data").arg(setup.data()).args(&setup.arguments))
}

fn back_up(setup: &Setup, file: &Path) -> String {
    let (is_done, printed) = command(setup, &["backup", &file.to_string_lossy()]);
    assert!(is_done, "usher backup: {printed}");
    printed
}

/// Restores a backup, with these ledgers.
fn restore(setup: &Setup, file: &Path, ledgers: &[PathBuf]) -> (bool, String) {
    let mut arguments = vec!["restore".to_owned(), file.to_string_lossy().into_owned()];
    for ledger in ledgers {
        arguments.extend(["--ledger".to_owned(), ledger.to_string_lossy().into_owned()]);
    }
    command(setup, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The numbers of those visitors of whom anything is in a folder.
fn found(folder: &Path, visitors: &[Visitor]) -> Vec<usize> {
    let (places, _) = Scanner::new().scan_folder(folder);
    (0..visitors.len()).filter(|number| places.contains_key(&visitors[*number].marker)).collect()
}

#[test]
fn a_backup_from_before_an_erasure_comes_back_without_whom_it_erased() {
    let mut random = Random::of("backup");
    let (former, restored) = (Folder::default(), Folder::default());
    let old = Setup::usual(&former.path().join("old"));
    let server = Server::start(&old).expect("the server starts");
    let client = server.client();
    let visitors: Vec<Visitor> = (0..scale().of(200, 40)).map(|_| Visitor::new(&client, &mut random)).collect();
    let (first, second) = (former.path().join("first"), former.path().join("second"));
    let printed = back_up(&old, &first);
    assert!(visitors[0].is_whole(&client), "the server went on meanwhile");

    let gone = even(visitors.len());
    gone.iter().for_each(|number| visitors[*number].erase(&client));
    wait_until_sealed(&client);
    back_up(&old, &second);
    server.stop();
    let key = std::fs::read_to_string(old.data().join("receipt-key")).expect("there is a key");
    let bytes = std::fs::read(&first).expect("the backup can be read");
    let mode = std::fs::metadata(&first).expect("the backup is a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    assert!(!bytes.windows(key.trim().len()).any(|window| window == key.trim().as_bytes()), "the key is in no backup");

    // The control: without a ledger of later times nobody can know.
    let careless = Setup::usual(&restored.path().join("careless"));
    let (is_done, told) = restore(&careless, &first, &[]);
    assert!(is_done && told.contains("No --ledger was given"), "{told}");
    assert_eq!(found(&careless.folder, &visitors).len(), visitors.len());

    for (name, ledger) in [("folder", old.data()), ("newer-backup", second)] {
        let setup = Setup::usual(&restored.path().join(name));
        let (is_done, told) = restore(&setup, &first, &[ledger]);
        assert!(is_done && told.contains(&format!("{} visitors and contacts", gone.len())), "{told}");
        assert!(!setup.folder.join("data.restoring").exists(), "it is in its place");
        let left = found(&setup.folder, &visitors);
        assert!(left.iter().all(|number| !is_even(*number)), "left of those who were erased: {left:?}");
        let server = Server::start(&setup).expect("the server starts");
        let client = server.client();
        for (number, visitor) in visitors.iter().enumerate() {
            assert_eq!(visitor.is_whole(&client), !is_even(number), "visitor {number}");
        }
        server.stop();
    }
    assert!(printed.contains(" rows and "), "{printed}");
    let size = grouped(bytes.len());
    println!("backup: {} visitors in {size} bytes, {} erased since: nothing of them is left", visitors.len(), gone.len());
}

#[test]
fn what_is_wrong_with_a_backup_is_told_and_nothing_is_made_of_it() {
    let mut random = Random::of("damaged backup");
    let folder = Folder::default();
    let old = Setup::usual(&folder.path().join("old"));
    let server = Server::start(&old).expect("the server starts");
    Visitor::new(&server.client(), &mut random);
    let file = folder.path().join("backup");
    back_up(&old, &file);
    let (is_done, told) = command(&old, &["backup", &file.to_string_lossy()]);
    assert!(!is_done && told.contains("is there already"), "{told}");
    server.stop();

    let bytes = std::fs::read(&file).expect("the backup can be read");
    let (damaged, target) = (folder.path().join("damaged"), Setup::usual(&folder.path().join("new")));
    let refuse = |bytes: &[u8], expected: &[&str]| {
        std::fs::write(&damaged, bytes).expect("a file can be written");
        let (is_done, told) = restore(&target, &damaged, &[]);
        assert!(!is_done && expected.iter().any(|text| told.contains(text)), "{told}");
        assert!(!target.data().exists(), "nothing was made of it");
    };
    let flips = scale().of(500, 60);
    for _ in 0..flips {
        let mut flipped = bytes.clone();
        let place = random.between(0, bytes.len() as u64 - 1) as usize;
        flipped[place] ^= 1 << random.between(0, 7);
        refuse(&flipped, &["is damaged", "is no backup", "is of a newer format"]);
    }
    refuse(&bytes[..bytes.len() - 1], &["is damaged"]);
    refuse(b"", &["is no backup"]);
    let mut newer = bytes.clone();
    newer[13] = b'2';
    refuse(&newer, &["is of a newer format"]);

    let (is_done, told) = restore(&old, &file, &[]);
    assert!(!is_done && told.contains("is not empty"), "{told}");

    // What a restore leaves that was stopped is nowhere from where it could be served.
    std::fs::create_dir_all(target.folder.join("data.restoring")).expect("a folder can be made");
    let (is_done, told) = restore(&target, &file, &[]);
    assert!(!is_done && told.contains("is left of a restore that was stopped"), "{told}");
    assert!(!target.data().exists(), "nothing was made of it");
    println!("damaged backups: {flips} flipped bits of {} bytes, each refused", grouped(bytes.len()));
}

/// Half of whom a backup holds was erased since. A restore that is killed, whenever, leaves nothing that could be served, or all of it
/// without those.
#[test]
fn a_killed_restore_brings_nobody_back() {
    let mut random = Random::of("restore under kill -9");
    let folder = Folder::default();
    let old = Setup::usual(&folder.path().join("old"));
    let server = Server::start(&old).expect("the server starts");
    let client = server.client();
    let visitors: Vec<Visitor> = (0..scale().of(200, 40)).map(|_| Visitor::new(&client, &mut random)).collect();
    let file = folder.path().join("backup");
    back_up(&old, &file);
    even(visitors.len()).iter().for_each(|number| visitors[*number].erase(&client));
    wait_until_sealed(&client);
    server.stop();

    let whole = Setup::usual(&folder.path().join("whole"));
    let watch = Stopwatch::start();
    assert!(restore(&whole, &file, &[old.data()]).0, "the control: it can be restored");
    let length = watch.elapsed().as_millis() as u64;
    let (kills, mut unfinished) = (scale().of(100, 10), 0);
    for kill in 0..kills {
        let setup = Setup::usual(&folder.path().join(kill.to_string()));
        let mut begun = program();
        begun.arg("restore").arg(&file).arg("--ledger").arg(old.data()).arg("--data").arg(setup.data()).stdout(Stdio::null());
        let mut process = begun.spawn().expect("the program can be run");
        let_run(&mut random, 0, length + length / 5);
        process.kill().and_then(|()| process.wait()).expect("it can be killed");
        let served = setup.data();
        if !served.exists() {
            unfinished += 1;
            let rest = setup.folder.join("data.restoring");
            if rest.exists() {
                let (is_done, told) = restore(&setup, &file, &[old.data()]);
                assert!(!is_done && told.contains("is left of a restore that was stopped"), "{told}");
                std::fs::remove_dir_all(&rest).expect("it can be removed");
            }
            let (is_done, told) = restore(&setup, &file, &[old.data()]);
            assert!(is_done, "{told}");
        }
        let left = found(&served, &visitors);
        assert!(left.iter().all(|number| !is_even(*number)), "kill {kill}: left of those who were erased: {left:?}");
        assert_eq!(left.len(), visitors.len() / 2, "kill {kill}: everybody else is there");
        std::fs::remove_dir_all(&setup.folder).expect("it can be removed");
    }
    assert!(unfinished > 0, "no kill came before the end");
    println!(
        "restore under kill -9: {kills} kills within {length} ms, {unfinished} before the end; nobody who was erased came back"
    );
}

#[test]
fn a_backup_is_restored_on_the_other_engine() {
    let Some(database) = postgres::database() else { return };
    let mut random = Random::of("backup between engines");
    let folder = Folder::default();
    let on_postgres = Setup::usual(&folder.path().join("first")).with("--database-url", &database.url);
    let server = Server::start(&on_postgres).expect("the server starts");
    let client = server.client();
    let visitors: Vec<Visitor> = (0..10).map(|_| Visitor::new(&client, &mut random)).collect();
    let (first, second) = (folder.path().join("of-postgres"), folder.path().join("of-sqlite"));
    back_up(&on_postgres, &first);
    server.stop();

    let embedded = Setup::usual(&folder.path().join("second"));
    let (is_done, told) = restore(&embedded, &first, &[]);
    assert!(is_done, "{told}");
    let server = Server::start(&embedded).expect("the server starts");
    assert!(visitors.iter().all(|visitor| visitor.is_whole(&server.client())));
    back_up(&embedded, &second);
    server.stop();

    let fresh = postgres::database().expect("there is PostgreSQL");
    let again = Setup::usual(&folder.path().join("third")).with("--database-url", &fresh.url);
    let (is_done, told) = restore(&again, &second, &[]);
    assert!(is_done, "{told}");
    let server = Server::start(&again).expect("the server starts");
    assert!(visitors.iter().all(|visitor| visitor.is_whole(&server.client())));
    server.stop();
    let (is_done, told) = restore(&again, &second, &[]);
    assert!(!is_done && told.contains("not empty"), "{told}");
}
