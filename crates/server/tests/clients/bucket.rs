//! Files in a bucket, at a server that somebody else wrote: kept, fetched, seen by every process of one database, and gone when their
//! visitor is erased.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use serde_json::json;
use usher_testkit::engines::Folder;
use usher_testkit::{Form, picture, postgres};

use crate::common::agents::{register, room, text};
use crate::common::figures;
use crate::common::http::Client;
use crate::common::server::{Server, Setup};
use crate::common::session::Session;
use crate::common::wait::{PATIENCE, wait_until};
use crate::installation::{Installation, Platform};

/// What the bucket is called.
const BUCKET: &str = "chats";

/// More than one piece of an upload.
const LARGE: usize = 8 << 20;

/// A server of buckets, as a process of its own.
struct Buckets {
    child: Child,
    address: String,
}

impl Drop for Buckets {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the server of buckets can be ended");
    }
}

impl Buckets {
    fn start(installation: &Installation) -> Buckets {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        drop(listener);
        let mut command = installation.script("bucket_server.py");
        let mut child = command.arg(port.to_string()).stdout(Stdio::piped()).spawn().expect("a script can be run");
        let output = child.stdout.take().expect("it prints");
        let buckets = Buckets { child, address: format!("http://127.0.0.1:{port}") };
        let first = BufReader::new(output).lines().next().expect("it prints a line").expect("it can be read");
        assert_eq!(first, "ready");
        let made = buckets.client().call("PUT", &format!("/{BUCKET}"), &[], &json!(null)).expect("the server of buckets answers");
        assert_eq!(made.status, 200, "{}", made.text);
        buckets
    }

    fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// How many objects there are.
    fn objects(&self) -> usize {
        let listed = self.client().get(&format!("/{BUCKET}?list-type=2")).expect("the server of buckets answers");
        assert_eq!(listed.status, 200, "{}", listed.text);
        listed.text.matches("<Key>").count()
    }

    /// The bytes of all objects.
    fn contents(&self) -> Vec<Vec<u8>> {
        let client = self.client();
        let listed = client.get(&format!("/{BUCKET}?list-type=2")).expect("the server of buckets answers").text;
        let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        // It does not look at signatures, but asks for one.
        let signed = [("Authorization", "AWS key:signature")];
        let fetch = |key: &str| client.bytes("GET", &format!("/{BUCKET}/{key}"), &signed).expect("the server of buckets answers");
        let fetched = keys.map(fetch).inspect(|(status, _)| assert_eq!(*status, 200));
        fetched.map(|(_, bytes)| bytes).collect()
    }

    /// A server that keeps its files here.
    fn setup(&self, folder: &Folder, name: &str, database: &str) -> Setup {
        Setup::usual(&folder.path().join(name))
            .with("--database-url", database)
            .with("--files-url", &format!("s3://{BUCKET}/files?endpoint={}", self.address))
            .variable("AWS_ACCESS_KEY_ID", "key")
            .variable("AWS_SECRET_ACCESS_KEY", "secret")
            .variable("AWS_REGION", "us-east-1")
    }
}

/// Sends a file as the visitor with this token; gives where it is, for the visitor.
fn send(client: &Client, token: &str, content: &str) -> String {
    register(client, token);
    let room = text(&room(client, token), "_id");
    let path = format!("/api/v1/livechat/upload/{room}");
    let form = Form::file("words.txt", "text/plain", content.as_bytes());
    let sent = client.upload(&path, &[("x-visitor-token", token)], form).expect("the server answers");
    assert_eq!(sent.status, 200, "{}", sent.text);
    format!("{}?rc_room_type=l&rc_rid={room}&rc_token={token}", text(&sent.json()["attachments"][0], "title_link"))
}

#[test]
fn all_processes_of_a_database_keep_their_files_in_one_bucket() {
    let installation = match Installation::of(Platform::Python) {
        Ok(installation) => installation,
        Err(missing) => return figures::skip(&missing),
    };
    let Some(database) = postgres::database() else { return };
    let (folder, buckets) = (Folder::default(), Buckets::start(&installation));
    let first = Server::start(&buckets.setup(&folder, "first", &database.url)).expect("the server starts");
    let second = Server::start(&buckets.setup(&folder, "second", &database.url)).expect("the server starts");

    let large = "words ".repeat(LARGE / 6);
    let files =
        [("mary", "a few words"), ("bob", large.as_str())].map(|(token, content)| (send(&first.client(), token, content), content));
    for server in [&first, &second] {
        for (file, content) in &files {
            let fetched = server.client().get(file).expect("the server answers");
            assert!(fetched.status == 200 && fetched.text == *content, "{} bytes of {}", fetched.text.len(), content.len());
        }
    }
    assert_eq!(buckets.objects(), 2);

    // One that would keep them where no other process sees them does not start.
    let apart = Setup::usual(&folder.path().join("apart")).with("--database-url", &database.url);
    let refused = Server::start(&apart).err().expect("it does not start");
    assert!(refused.contains("--files-url"), "{refused}");

    let erased = second.client().call("DELETE", "/api/v1/livechat/visitor/mary", &[], &json!(null)).expect("the server answers");
    assert_eq!(erased.status, 200, "{}", erased.text);
    wait_until("the file is gone from the bucket", PATIENCE, || buckets.objects() == 1);
    assert_eq!(first.client().get(&files[1].0).expect("the server answers").status, 200, "others keep theirs");
    first.stop();
    second.stop();
}

/// How many files of each visitor are in the bucket: what it wrote, a picture with a smaller one, and the printed transcript.
const FILES: usize = 4;

#[test]
fn nothing_of_erased_visitors_is_left_in_the_bucket() {
    let installation = match Installation::of(Platform::Python) {
        Ok(installation) => installation,
        Err(missing) => return figures::skip(&missing),
    };
    let Some(database) = postgres::database() else { return };
    let (folder, buckets) = (Folder::default(), Buckets::start(&installation));
    let server = Server::start(&buckets.setup(&folder, "only", &database.url)).expect("the server starts");
    let (client, visitors) = (server.client(), figures::scale().of(200, 20));
    let administrator = Session::of_administrator(&client);
    let secret = |number: usize| format!("only visitor {number:04} knows this");
    let mut files = Vec::new();
    for number in 0..visitors {
        let token = format!("visitor-{number}");
        files.push(send(&client, &token, &secret(number)));
        let room = text(&room(&client, &token), "_id");
        // Wide enough for a smaller one.
        let bytes = [picture(600, 2), secret(number).into_bytes()].concat();
        let form = Form::file("wide.png", "image/png", &bytes);
        let path = format!("/api/v1/livechat/upload/{room}");
        let sent = client.upload(&path, &[("x-visitor-token", &token)], form).expect("the server answers");
        assert_eq!(sent.status, 200, "{}", sent.text);
        let closing = json!({"rid": room, "comment": "Done", "generateTranscriptPdf": true});
        administrator.demand(&client, "POST", "/api/v1/livechat/room.closeByUser", &closing);
    }
    let holding = |number: usize| {
        let secret = secret(number);
        buckets.contents().iter().filter(|bytes| bytes.windows(secret.len()).any(|window| window == secret.as_bytes())).count()
    };
    wait_until("all files are in the bucket", PATIENCE, || buckets.objects() == FILES * visitors);
    assert_eq!([holding(0), holding(1)], [2, 2], "the control: words and picture are found there");

    for number in (0..visitors).step_by(2) {
        let path = format!("/api/v1/livechat/visitor/visitor-{number}");
        let erased = client.call("DELETE", &path, &[], &json!(null)).expect("the server answers");
        assert_eq!(erased.status, 200, "{}", erased.text);
    }
    wait_until("half of them are gone", PATIENCE, || buckets.objects() == FILES * visitors / 2);
    let left = buckets.contents().concat();
    for number in (0..visitors).step_by(2) {
        let secret = secret(number);
        assert!(!left.windows(secret.len()).any(|window| window == secret.as_bytes()), "visitor {number} is still in the bucket");
        assert_eq!(client.get(&files[number]).expect("the server answers").status, 404);
    }
    for number in (1..visitors).step_by(2) {
        assert_eq!(client.get(&files[number]).expect("the server answers").text, secret(number));
    }
    println!("erasure in a bucket: {} of {visitors} visitors erased; {FILES} files each, none of theirs left", visitors / 2);
    server.stop();
}
