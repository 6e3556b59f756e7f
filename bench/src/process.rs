//! Servers as processes of their own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::window::now;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long is waited between two looks at a starting server.
const PAUSE: Duration = Duration::from_millis(5);

/// The administrator's password on the real server.
pub const ADMIN_PASSWORD: &str = "a password for benchmarks only";

/// A server that is ready. Dropping it kills it.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts the real server, `program`, on the data in `folder`, or on the database at `database_url`. What it prints goes to `folder`
    /// as well.
    pub fn usher(program: &Path, folder: &Path, database_url: Option<&str>) -> Result<Server> {
        let mut command = Command::new(program);
        command
            // Nothing from outside may switch anything: what is measured are the defaults, above all that commits are flushed.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("USHER_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("OVERWRITE_SETTING_Livechat_accept_chats_with_no_agents", "true")
            // Without it no visitor with an open room could be erased.
            .env("OVERWRITE_SETTING_Livechat_Allow_collect_and_store_HTTP_header_informations", "true")
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "off", "--log", "warn", "--data"])
            .arg(folder.join("data"));
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        Server::start(&mut command, folder, "usher")
    }

    /// Starts the bare server, which answers with what is kept in `folder` for each kind of call.
    pub fn bare(folder: &Path) -> Result<Server> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        Server::start(Command::new(program).args(["bare-server", "--answers"]).arg(folder), folder, "bare")
    }

    fn start(command: &mut Command, folder: &Path, name: &str) -> Result<Server> {
        let [stdout, stderr] = ["stdout", "stderr"].map(|stream| folder.join(format!("{name}.{stream}")));
        let file = |path: &PathBuf| File::create(path).with_context(|| format!("{} cannot be written", path.display()));
        command.stdin(Stdio::null()).stdout(file(&stdout)?).stderr(file(&stderr)?);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        // From here on whatever goes wrong ends the process.
        let mut server = Server { address: SocketAddr::from(([0, 0, 0, 0], 0)), child };
        server.address = server.announced(&stdout).with_context(|| {
            let complaint = std::fs::read_to_string(&stderr).unwrap_or_default();
            format!("{name} did not get ready; it said:\n{complaint}")
        })?;
        Ok(server)
    }

    /// Waits for the line that says where the server is.
    fn announced(&mut self, stdout: &Path) -> Result<SocketAddr> {
        let begun = now();
        while begun.elapsed() < PATIENCE {
            if let Some(address) = announced_address(&std::fs::read_to_string(stdout)?) {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended: {status}");
            }
            std::thread::sleep(PAUSE);
        }
        bail!("it said nothing for {PATIENCE:?}")
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("process {} could not be ended: {error}", self.child.id());
        }
    }
}

/// The address in a server's output, once its line is complete.
fn announced_address(output: &str) -> Option<SocketAddr> {
    let line = output.split_inclusive('\n').find(|line| line.ends_with('\n') && line.contains(" is ready at "))?;
    line.trim_end().rsplit_once(" is ready at http://")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_announces() {
        let address = "127.0.0.1:3000".parse().ok();
        assert_eq!(announced_address("The administrator is admin\nUsher is ready at http://127.0.0.1:3000\n"), address);
        assert_eq!(announced_address("Usher is ready at http://127.0.0.1:300"), None);
    }
}
