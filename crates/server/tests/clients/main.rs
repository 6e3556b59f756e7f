//! Clients that others wrote: with each of them an administrator does its work, and visitors and agents go through a whole chat, on
//! the real program, as a process of its own.
//!
//! The scripts are in `scripts`, with the exact versions of all that they need. Where the clients cannot be fetched, the tests say
//! that they are skipped, and fail if `USHER_REQUIRE_ALL=1` forbids that. `cargo test -- --nocapture` shows what each script does.

mod bucket;
#[expect(dead_code, reason = "the proofs use more of it")]
#[path = "../proofs/common/mod.rs"]
mod common;
mod installation;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use usher_testkit::engines::Folder;

use common::figures;
use common::server::{ADMIN_PASSWORD, Server, Setup};
use common::wait::wait_until;
use installation::{Installation, Platform};

/// How the administrator is called.
const ADMIN: [&str; 2] = ["admin", "admin@example.com"];

/// The browser.
const BROWSER: &str = "/usr/bin/chromium";

/// How long a script may take: some wait until a one-time code may be followed by the next.
const LIMIT: Duration = Duration::from_secs(180);

#[test]
fn the_python_client_does_an_administrators_work() {
    administer(Platform::Python, "python_client.py");
}

#[test]
fn the_client_of_the_web_application_does_an_administrators_work() {
    administer(Platform::Node, "api_client.mjs");
}

#[test]
fn the_client_for_bots_does_an_administrators_work() {
    administer(Platform::Node, "sdk.mjs");
}

#[test]
fn agents_and_visitors_chat_with_the_python_client() {
    chat(Platform::Python, "python_chats.py");
}

#[test]
fn agents_answer_with_the_client_of_the_web_application() {
    chat(Platform::Node, "api_client_chats.mjs");
}

#[test]
fn a_bot_answers_with_the_client_for_bots() {
    chat(Platform::Node, "sdk_chats.mjs");
}

#[test]
fn a_visitor_chats_with_the_client_of_the_widget() {
    chat(Platform::Node, "ddp_client.mjs");
}

#[test]
fn a_visitor_chats_with_the_client_of_earlier_widgets() {
    chat(Platform::Node, "sdk_of_widgets.mjs");
}

#[test]
fn a_bot_answers_over_the_realtime_connection() {
    chat(Platform::Node, "bot_live.mjs");
}

#[test]
fn agents_and_visitors_chat_over_the_realtime_connection() {
    chat(Platform::Node, "ddp_client_live.mjs");
}

#[test]
fn a_visitor_chats_over_the_realtime_connection_of_earlier_widgets() {
    chat(Platform::Node, "sdk_of_widgets_live.mjs");
}

#[test]
fn a_bot_answers_with_the_python_client_of_the_realtime_connection() {
    chat(Platform::Python, "python_live.py");
}

/// The official widget in a page. Without its files there is nothing to be seen.
#[test]
fn a_visitor_chats_with_the_widget_in_a_browser() {
    let installation = match Installation::of(Platform::Node) {
        Ok(installation) => installation,
        Err(missing) => return figures::skip(&missing),
    };
    if !Path::new(BROWSER).exists() {
        return figures::skip(&format!("there is no {BROWSER} (apt-get install chromium)"));
    }
    let run = |widget: Option<PathBuf>| {
        let folder = Folder::default();
        let mut setup = Setup::usual(folder.path()).variable("USHER_ADMIN_EMAIL", ADMIN[1]);
        if let Some(widget) = widget {
            setup = setup.variable("USHER_WIDGET_DIR", widget);
        }
        let server = Server::start(&setup).expect("the server starts");
        let (is_done, printed) = drive(&installation, "browser.mjs", &folder, &server, ADMIN_PASSWORD);
        let complaints = server.process.complaints();
        server.stop();
        (is_done, printed, complaints)
    };
    let (is_done, printed, _) = run(None);
    assert!(!is_done, "nobody notices that there is no widget:\n{printed}");
    let (is_done, printed, complaints) = run(Some(installation.package("@rocket.chat/livechat").join("build")));
    assert!(is_done, "{printed}\nThe server: {complaints}");
    print!("{printed}");
}

/// Runs a script on a new server. Where the server does not do what the client needs, the script must fail: it does when its
/// administrator is refused.
fn administer(platform: Platform, script: &str) {
    let installation = match Installation::of(platform) {
        Ok(installation) => installation,
        Err(missing) => return figures::skip(&missing),
    };
    let folder = Folder::default();
    let setup = Setup::usual(folder.path()).variable("USHER_ADMIN_EMAIL", ADMIN[1]);
    let server = Server::start(&setup).expect("the server starts");
    let run = |password| drive(&installation, script, &folder, &server, password);

    let (is_done, printed) = run("not the administrator's password");
    assert!(!is_done, "{script} does not notice that its administrator is refused:\n{printed}");
    let (is_done, printed) = run(ADMIN_PASSWORD);
    assert!(is_done, "{script}:\n{printed}\nThe server: {}", server.process.complaints());
    print!("{printed}");
    server.stop();
}

/// Runs a script on a new server. On one that lets no message be edited it must fail: in the middle of the chat, and for that.
fn chat(platform: Platform, script: &str) {
    let installation = match Installation::of(platform) {
        Ok(installation) => installation,
        Err(missing) => return figures::skip(&missing),
    };
    let run = |editing: &str| {
        let folder = Folder::default();
        let setup = Setup::usual(folder.path())
            .variable("USHER_ADMIN_EMAIL", ADMIN[1])
            .variable("OVERWRITE_SETTING_Message_AllowEditing", editing);
        let server = Server::start(&setup).expect("the server starts");
        let (is_done, printed) = drive(&installation, script, &folder, &server, ADMIN_PASSWORD);
        let complaints = server.process.complaints();
        server.stop();
        (is_done, printed, complaints)
    };

    let (is_done, printed, _) = run("false");
    assert!(!is_done, "{script} does not notice that messages cannot be edited:\n{printed}");
    assert!(printed.contains("error-action-not-allowed"), "{script} fails for another reason than editing:\n{printed}");
    let (is_done, printed, complaints) = run("true");
    assert!(is_done, "{script}:\n{printed}\nThe server: {complaints}");
    print!("{printed}");
}

/// Runs a script to its end. Gives whether it found all as it should be, and all that it printed.
fn drive(installation: &Installation, script: &str, folder: &Folder, server: &Server, password: &str) -> (bool, String) {
    let printed = folder.path().join("printed");
    let output = File::create(&printed).expect("a file can be made");
    let mut child = installation
        .script(script)
        .arg(&server.address)
        .args(ADMIN)
        .arg(password)
        .stdout(output.try_clone().expect("a file can be opened twice"))
        .stderr(output)
        .spawn()
        .expect("a script can be run");
    let mut ended = None;
    wait_until(script, LIMIT, || {
        ended = child.try_wait().expect("the script can be asked whether it has ended");
        ended.is_some()
    });
    let text = std::fs::read_to_string(printed).expect("what it printed is there");
    (ended.is_some_and(|status| status.success()), text)
}
