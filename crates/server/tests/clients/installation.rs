//! The clients, fetched from their registries once and kept in the target folder for all later runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The scripts, and the lists of what they need.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/scripts");

/// What clients are written for. Each names every package, with its version, in a file beside the scripts.
#[derive(Debug, Clone, Copy)]
pub enum Platform {
    /// Python, with the packages of `requirements.txt`.
    Python,
    /// Node, with the packages of `package-lock.json`.
    Node,
}

impl Platform {
    fn name(self) -> &'static str {
        match self {
            Platform::Python => "python",
            Platform::Node => "node",
        }
    }

    fn list(self) -> &'static str {
        match self {
            Platform::Python => "requirements.txt",
            Platform::Node => "package-lock.json",
        }
    }

    /// The program that fetches packages, and how to get it.
    fn installer(self) -> (&'static str, &'static str) {
        match self {
            Platform::Python => ("python3", "apt-get install python3-venv"),
            Platform::Node => ("npm", "apt-get install nodejs npm"),
        }
    }

    /// The commands that install the packages in the folder where they are run.
    fn commands(self) -> &'static [&'static [&'static str]] {
        match self {
            Platform::Python => &[
                &["python3", "-m", "venv", "--clear", "packages"],
                &["packages/bin/python", "-m", "pip", "install", "--retries=1", "--timeout=20", "--requirement=requirements.txt"],
            ],
            Platform::Node => &[&["npm", "ci", "--fetch-retries=1", "--fetch-timeout=20000"]],
        }
    }

    /// The program that runs a script.
    fn runner(self) -> &'static str {
        match self {
            Platform::Python => "packages/bin/python",
            Platform::Node => "node",
        }
    }
}

/// A platform with its clients, ready to run scripts.
pub struct Installation {
    platform: Platform,
    folder: PathBuf,
}

impl Installation {
    /// Installs the clients of `platform` unless that was done before. Says what is missing if it cannot be done here.
    pub fn of(platform: Platform) -> Result<Installation, String> {
        let (installer, remedy) = platform.installer();
        let version =
            run(Path::new("."), &[installer, "--version"]).map_err(|_| format!("{installer} is not installed ({remedy})"))?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(platform.name());
        fs::create_dir_all(&folder).expect("a folder can be made");
        // Whoever comes second waits here until the first has installed all.
        let lock = File::create(folder.join("lock")).expect("a file can be made");
        lock.lock().expect("a file can be locked");
        copy_changed(Path::new(SCRIPTS), &folder);
        let list = fs::read_to_string(folder.join(platform.list())).expect("the list of packages is there");
        let (wanted, mark) = (format!("{version}{list}"), folder.join("installed"));
        if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
            return Ok(Installation { platform, folder });
        }
        for command in platform.commands() {
            run(&folder, command).map_err(|complaint| format!("the clients for {} ({remedy}): {complaint}", platform.name()))?;
        }
        fs::write(mark, wanted).expect("a file can be written");
        Ok(Installation { platform, folder })
    }

    /// Where a package is.
    pub fn package(&self, name: &str) -> PathBuf {
        self.folder.join("node_modules").join(name)
    }

    /// The command that runs the script called `name`.
    pub fn script(&self, name: &str) -> Command {
        let mut command = program(&self.folder, self.platform.runner());
        // A proxy would look for the server on its own machine.
        command.arg(name).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command
    }
}

/// `name` to be run in `folder`. It may be a path from there.
fn program(folder: &Path, name: &str) -> Command {
    let mut command = if name.contains('/') { Command::new(folder.join(name)) } else { Command::new(name) };
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command in `folder`. Gives what it printed, or what it complained of.
fn run(folder: &Path, command: &[&str]) -> Result<String, String> {
    let words = command.join(" ");
    let output = program(folder, command[0]).args(&command[1..]).output().map_err(|error| format!("`{words}`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err([format!("`{words}` failed\n").into_bytes(), output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat())
}

/// Copies the files of `from` that differ from those in `to`.
fn copy_changed(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("the folder can be read");
        if path.is_dir() {
            continue;
        }
        let content = fs::read(&path).expect("the file can be read");
        if fs::read(&target).is_ok_and(|present| present == content) {
            continue;
        }
        fs::write(target, content).expect("a file can be written");
    }
}
