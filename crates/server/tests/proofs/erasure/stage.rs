//! A server with visitors, and what of them is on disk.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OpenFlags};
use usher_testkit::engines::Folder;

use super::markers::Marker;
use super::people::{Input, People};
use super::scan::{Place, Scanner};
use crate::common::http::Client;
use crate::common::moments::Random;
use crate::common::server::{Server, Setup};
use crate::common::wait::{PATIENCE, wait_until};

/// How many messages an ordinary visitor writes.
pub const MESSAGES: usize = 20;

/// Who calls for all visitors: the proxy whose word on their addresses counts.
const PROXY: &str = "127.0.0.1/32";

/// A server with visitors.
pub struct Stage {
    /// What the server is started with.
    pub setup: Setup,
    /// The visitors.
    pub people: People,
    scanner: Scanner,
    // Dropped last: the server must be gone before its folder.
    _folder: Folder,
}

impl Stage {
    /// A stage for visitors of whom each has as many messages as `messages` says. The server logs all it can.
    pub fn new(random: &mut Random, messages: &[usize]) -> Stage {
        let folder = Folder::default();
        let setup = Setup { log: "debug", ..Setup::usual(folder.path()) }.with("--trusted-proxies", PROXY);
        Stage { setup, people: People::new(random, messages), scanner: Scanner::new(), _folder: folder }
    }

    /// Starts the server and lets everybody in.
    pub fn begin(&self, random: &mut Random) -> Server {
        let server = Server::start(&self.setup).expect("the server starts");
        self.people.move_in(random, &server.address);
        server
    }

    /// Every marker that is on disk at present, wherever and in whatever form, and how many bytes were looked at.
    pub fn on_disk(&self) -> (HashMap<Marker, Place>, usize) {
        self.scanner.scan_folder(&self.setup.folder)
    }

    /// Every marker in `bytes`.
    pub fn within(&self, bytes: &[u8]) -> HashMap<Marker, ()> {
        let mut found = HashMap::new();
        self.scanner.scan(bytes, |marker, _| {
            found.insert(marker, ());
        });
        found
    }

    /// Fails unless every marker is among `found`; names the inputs that are not.
    pub fn assert_all_there<P>(&self, found: &HashMap<Marker, P>) {
        let mut missing: BTreeMap<Input, usize> = BTreeMap::new();
        for (marker, input) in self.people.everybody.iter().flat_map(|person| person.markers()) {
            if !found.contains_key(&marker) {
                *missing.entry(input).or_default() += 1;
            }
        }
        let inputs = Input::all().count();
        assert!(missing.is_empty(), "of {inputs} inputs these never get there, so their erasure shows nothing: {missing:?}");
    }

    /// What servers logged as errors so far.
    pub fn errors_logged(&self) -> String {
        let entries = std::fs::read_dir(self.setup.folder.join("output")).expect("servers print");
        let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
        let lines =
            texts.flat_map(|text| text.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect::<Vec<_>>());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The files that are kept and have no row: what is left of those that were arriving, or are gone.
    pub fn files_without_a_row(&self) -> Vec<String> {
        let names: Vec<String> = match std::fs::read_dir(self.setup.data().join("files")) {
            Ok(entries) => {
                entries.map(|entry| entry.expect("a folder can be read").file_name().to_string_lossy().into_owned()).collect()
            }
            Err(_) => return Vec::new(),
        };
        let opened = Connection::open_with_flags(self.setup.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let database = opened.expect("another process may read the file");
        let mut known = database.prepare("SELECT 1 FROM files WHERE id = ?1").expect("there is a table of files");
        names.into_iter().filter(|name| !known.exists([name]).expect("it can be asked")).collect()
    }

    /// What is left of those who should be gone: for each input how many markers, with a place where one is.
    pub fn left_of(&self, should_be_gone: impl Fn(usize) -> bool) -> BTreeMap<Input, (usize, Place)> {
        self.of_those(&self.on_disk().0, should_be_gone)
    }

    /// Of the markers `found` those that belong to certain visitors.
    pub fn of_those<P: Clone>(&self, found: &HashMap<Marker, P>, belongs: impl Fn(usize) -> bool) -> BTreeMap<Input, (usize, P)> {
        let mut left: BTreeMap<Input, (usize, P)> = BTreeMap::new();
        for (marker, place) in found {
            if let Some((_, input)) = self.people.owner(*marker).filter(|(person, _)| belongs(*person)) {
                left.entry(input).or_insert_with(|| (0, place.clone())).0 += 1;
            }
        }
        left
    }

    /// Erases the visitors `whom`, several at once.
    pub fn erase(&self, address: &str, whom: &[usize]) {
        self.people.each(address, whom, |client, person, _| person.erase_surely(client));
    }

    /// Another process that reads the present state of the data, and goes on seeing it until it is dropped. It can only read, so it
    /// leaves the files as they are.
    pub fn reader(&self) -> Connection {
        let opened = Connection::open_with_flags(self.setup.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let reader = opened.expect("another process may read the file");
        reader.execute_batch("BEGIN; SELECT count(*) FROM messages").expect("a read can begin");
        reader
    }

    /// Erases the visitors `whom`, and kills the server before it can seal anything.
    pub fn erase_and_kill_unsealed(&self, server: Server, whom: &[usize]) {
        let reader = self.reader();
        self.erase(&server.address, whom);
        assert_eq!(unsealed(&server.client()), whom.len() as u64, "nothing is sealed while another process reads the old state");
        drop(server);
        drop(reader);
    }
}

/// How many erasures the server has not sealed yet, by its own account.
pub fn unsealed(client: &Client) -> u64 {
    let metrics = client.get("/metrics").expect("the server answers").text;
    let line = metrics.lines().find_map(|line| line.strip_prefix("usher_erasures_unsealed "));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("there is no usher_erasures_unsealed in:\n{metrics}"))
}

/// Waits until every erasure is sealed.
pub fn wait_until_sealed(client: &Client) {
    wait_until("every erasure is sealed", PATIENCE, || unsealed(client) == 0);
}

/// Those with an even number: who is erased and who stays are neighbours everywhere.
pub fn is_even(person: usize) -> bool {
    person.is_multiple_of(2)
}

/// The numbers below `count` that are even.
pub fn even(count: usize) -> Vec<usize> {
    (0..count).filter(|person| is_even(*person)).collect()
}
