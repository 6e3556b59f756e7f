//! A PostgreSQL of the tests' own: started once for each test program, with a fresh database for each test.
//!
//! `USHER_TEST_PG_URL` names another server to use. Without either, tests say that they are skipped, and fail if
//! `USHER_REQUIRE_ALL=1` forbids that.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use postgres::{Client, NoTls};

/// A fresh, empty database.
pub struct Database {
    /// How to connect to it.
    pub url: String,
    programs: Option<PathBuf>,
}

impl Database {
    /// All of its content as text, by `pg_dump`.
    pub fn dump(&self) -> Vec<u8> {
        let program = self.programs.as_ref().map_or_else(|| PathBuf::from("pg_dump"), |folder| folder.join("pg_dump"));
        let output = Command::new(program).arg(&self.url).output().expect("pg_dump runs");
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

/// A running server.
struct Server {
    url: String,
    programs: Option<PathBuf>,
    /// Ends, and with it the server, when this program does: it waits on a pipe that the system closes then.
    _keeper: Option<Child>,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Makes a fresh database; `None`, with a word about it, if there is no PostgreSQL here.
pub fn database() -> Option<Database> {
    // The client blocks, which it refuses to do on a thread that serves async work.
    std::thread::scope(|scope| scope.spawn(fresh_database).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn fresh_database() -> Option<Database> {
    let Some(server) = SERVER.get_or_init(server) else {
        let message = "skipped: PostgreSQL is not installed (apt-get install postgresql), nor is USHER_TEST_PG_URL set";
        assert!(std::env::var_os("USHER_REQUIRE_ALL").is_none(), "{message}");
        println!("{message}");
        return None;
    };
    let name = format!("usher_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut client = Client::connect(&format!("{}/postgres", server.url), NoTls).expect("the test server accepts connections");
    client
        .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"))
        .expect("a database can be made");
    Some(Database { url: format!("{}/{name}", server.url), programs: server.programs.clone() })
}

fn server() -> Option<Server> {
    if let Ok(url) = std::env::var("USHER_TEST_PG_URL") {
        return Some(Server { url: url.trim_end_matches('/').to_owned(), programs: None, _keeper: None });
    }
    let programs = programs()?;
    let folder = std::env::temp_dir().join(format!("usher-pg-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    // initdb refuses root, so root lends the work to the user that the package made.
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if is_root {
        let given = Command::new("chown").arg("postgres").arg(&folder).status().expect("chown runs");
        assert!(given.success(), "the folder can be given to the user postgres");
    }
    let script = format!(
        "{programs}/initdb -D {folder}/data -U usher -A trust -E UTF8 --locale=C -N >{folder}/initdb.log 2>&1 || exit 1
         {programs}/postgres -D {folder}/data -k {folder} -c listen_addresses=127.0.0.1 -p {port} -c fsync=off \
           -c max_connections=400 -c shared_buffers=128MB -c log_min_messages=fatal >{folder}/server.log 2>&1 &
         read ended
         kill -INT $!; wait $!; rm -rf {folder}",
        programs = programs.display(),
        folder = folder.display(),
        port = free_port(),
    );
    let port = script.split(" -p ").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned).expect("the script names it");
    let mut command = if is_root { Command::new("setpriv") } else { Command::new("sh") };
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
    }
    let url = format!("postgres://usher@127.0.0.1:{port}");
    let mut keeper =
        command.arg("-c").arg(script).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    for _ in 0..300 {
        if Client::connect(&format!("{url}/postgres"), NoTls).is_ok() {
            return Some(Server { url, programs: Some(programs), _keeper: Some(keeper) });
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    keeper.kill().and_then(|()| keeper.wait()).expect("the shell can be ended");
    panic!("PostgreSQL did not start within 30 s; see {}", folder.display());
}

/// Where the newest installed PostgreSQL keeps its programs.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(Path::new("/usr/lib/postgresql"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
