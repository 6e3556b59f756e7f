//! The real server, as a process of its own.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::http::Client;
use super::wait::{PATIENCE, Stopwatch, wait_until};

/// The administrator's password on the usual server.
pub const ADMIN_PASSWORD: &str = "a password for proofs only";

/// What a server is started with.
#[derive(Clone)]
pub struct Setup {
    /// Everything of this server: `data`, what it prints in `output`, and its `temporary` files.
    pub folder: PathBuf,
    /// How much it logs.
    pub log: &'static str,
    /// Whether it slows callers down: `on` or `off`.
    pub rate_limits: &'static str,
    /// Arguments beyond the usual ones.
    pub arguments: Vec<String>,
    /// Variables: the administrator's password, and those beyond the usual ones.
    pub environment: Vec<(&'static str, OsString)>,
}

impl Setup {
    /// The usual server in `folder`.
    pub fn usual(folder: &Path) -> Setup {
        let environment = vec![("USHER_ADMIN_PASSWORD", ADMIN_PASSWORD.into())];
        Setup { folder: folder.to_owned(), log: "warn", rate_limits: "off", arguments: Vec::new(), environment }
    }

    /// The same with two more arguments: `flag` and `value`.
    pub fn with(mut self, flag: &str, value: &str) -> Setup {
        self.arguments.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// The same with one more variable.
    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Setup {
        self.environment.push((name, value.into()));
        self
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The file of the embedded database.
    pub fn database(&self) -> PathBuf {
        self.data().join("usher.db")
    }

    /// The folder with what the server printed, a pair of files for each start.
    pub fn output(&self) -> PathBuf {
        self.folder.join("output")
    }
}

/// The server's program with no variables but those it cannot do without.
pub fn program() -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// Runs a command to its end. Gives whether it ended well, and all that it printed.
pub fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("the server's program can be run");
    (output.status.success(), [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat())
}

/// A server's process. Dropping it is `kill -9`: it gets no chance to put anything in order.
pub struct Process {
    child: Child,
    watch: Stopwatch,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the server can be killed");
    }
}

impl Process {
    /// Starts a server, and does not wait for it.
    pub fn spawn(setup: &Setup) -> Process {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let start = STARTS.fetch_add(1, Ordering::Relaxed);
        let (output, temporary) = (setup.output(), setup.folder.join("temporary"));
        for folder in [&setup.data(), &output, &temporary] {
            std::fs::create_dir_all(folder).expect("a folder can be made");
        }
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| output.join(format!("{name}-{start}")));
        let file = |path: &Path| Stdio::from(File::create(path).expect("a file can be made"));
        let watch = Stopwatch::start();
        let child = program()
            .env("TMPDIR", temporary)
            .env("OVERWRITE_SETTING_Livechat_accept_chats_with_no_agents", "true")
            .env("OVERWRITE_SETTING_Livechat_Allow_collect_and_store_HTTP_header_informations", "true")
            .envs(setup.environment.iter().cloned())
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", setup.rate_limits, "--log", setup.log, "--data"])
            .arg(setup.data())
            .args(&setup.arguments)
            .stdout(file(&stdout))
            .stderr(file(&stderr))
            .spawn()
            .expect("the server's program can be run");
        Process { child, watch, stdout, stderr }
    }

    /// Waits until the server is ready. If it ends instead, gives its exit status and what it complained of.
    pub fn ready(mut self) -> Result<Server, String> {
        let (mut address, mut ended) = (None, None);
        wait_until("the server is ready or has ended", PATIENCE, || {
            ended = self.child.try_wait().expect("the server can be asked whether it has ended");
            address = announced_address(&self.stdout);
            address.is_some() || ended.is_some()
        });
        let took = self.watch.elapsed();
        match (ended, address) {
            (None, Some(address)) => Ok(Server { address, took, process: self }),
            (ended, _) => Err(format!("{}\n{}", ended.unwrap_or_default(), self.complaints())),
        }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process wrote to its standard output so far.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// What the process wrote to its standard error so far.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Asks the process to end (SIGTERM), and does not wait for it.
    pub fn ask_to_end(&self) {
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the server is there to be asked");
    }

    /// Waits until the process has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("the server ends", PATIENCE, || {
            ended = self.child.try_wait().expect("the server can be asked whether it has ended");
            ended.is_some()
        });
        ended.expect("it was waited for")
    }
}

/// A server that is ready. Dropping it is `kill -9`.
pub struct Server {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub address: String,
    /// How long it took from the start of its process until it was ready.
    pub took: Duration,
    /// Its process.
    pub process: Process,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub fn start(setup: &Setup) -> Result<Server, String> {
        Process::spawn(setup).ready()
    }

    /// A caller of this server.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Ends it as an operator would (SIGTERM). It must end well.
    pub fn stop(mut self) {
        self.process.ask_to_end();
        let status = self.process.ended();
        assert!(status.success(), "after SIGTERM: {status}\n{}", self.process.complaints());
    }
}

/// The server's program: the one that was built with the tests, unless `USHER_PROOF_BINARY` names another.
fn binary() -> OsString {
    std::env::var_os("USHER_PROOF_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_usher").into())
}

/// The address in the line that the server prints when it is ready.
fn announced_address(stdout: &Path) -> Option<String> {
    let text = std::fs::read_to_string(stdout).ok()?;
    let line = text.split_inclusive('\n').find(|line| line.ends_with('\n') && line.starts_with("Usher is ready at "))?;
    line.split_whitespace().last().map(str::to_owned)
}
