//! Random requests to everything that the document names: none is answered 5xx, none makes a handler panic, every answer is as
//! documented, and afterwards the application still works, whatever settings, roles and permissions it was left with.
//!
//! Values are made from the document's own schemas and then spoilt: wrong types, lists for texts, deep nesting, huge numbers, odd
//! characters, NUL, nothing at all, bytes that are no text. The generator is seeded, so a failure comes again; it prints the
//! request.
//!
//! By default every operation gets a dozen requests, which takes some seconds. `USHER_PROOF=whole` sends several hundred of them,
//! three times over from other seeds, which takes minutes.

use axum::http::Method;
use serde_json::{Map, Value, json};
use usher_domain::permission;
use usher_domain::settings::{self, Definition};
use usher_services::logins::Account;
use usher_services::methods;
use usher_store::{StoreError, q};
use usher_testkit::application::{Login, PASSWORD};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;
use usher_testkit::{SeededRandom, TestApp};

use crate::requests::{Subject, account, good, insert_user, log_in_again, names_in, person, with_values};
use crate::support::{KEEP_CONNECTION, encoded, tamper, usual};

/// Random choices that are the same in every run.
struct Dice(SeededRandom);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        let mut bytes = [0; 8];
        usher_domain::Random::fill(&self.0, &mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).expect("it is below a usize")
    }

    /// Once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Texts that mean something to some part of the server or to none.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "null",
    "true",
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "1e999",
    "NaN",
    "admin",
    "rocket.cat",
    "' OR 1=1 --",
    "%00%FF",
    "a,b,,c",
    "*",
    "@mary",
    "#general",
    "../../etc/passwd",
    "line\r\nX-Header: x",
    "http://[::1]:99999/\u{202e}",
    "{\"name\":1}",
    "{\"name\":-1,\"name\":1}",
    "{\"term\":\"a\",\"exceptions\":[\"mary\"]}",
    "{\"$where\":\"1\"}",
    "{\"a\":{\"a\":{\"a\":[[[[]]]]}}}",
    "[]",
    "2024-01-31T12:00:00.000Z",
    "+292278994-08-17T07:12:55.807Z",
    "0000-00-00",
    "\u{feff}\u{200b}\u{202e}\u{fffd}\u{ffff}",
    "e\u{301}\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{10ffff}",
    "ıİßſK",
];

/// What requests are about, besides. The administrator who repairs what random requests break is not among it.
const KNOWN: &[&str] = &[
    "mary",
    "mary@example.com",
    "token-1",
    "livechat-agent",
    "livechat-manager",
    "user",
    "guest",
    "view-logs",
    "view-d-room",
    "access-permissions",
    "change-setting-Livechat_title",
    "Livechat_title",
    "Users",
    "online",
    "offline",
    "active",
    "sha-256",
];

/// Makes requests.
struct Maker {
    dice: Dice,
    document: Value,
    room: String,
}

impl Maker {
    fn text(&mut self) -> String {
        match self.dice.below(8) {
            0..3 => (*self.dice.pick(TEXTS)).to_owned(),
            3..6 => (*self.dice.pick(KNOWN)).to_owned(),
            6 => self.room.clone(),
            _ => self.scribble(),
        }
    }

    /// Any characters, now and then very many.
    fn scribble(&mut self) -> String {
        let length = if self.dice.once_in(20) { 70_000 } else { self.dice.below(12) };
        let characters = [
            'a', 'Z', '7', ' ', '\t', '\0', '\u{1}', '\u{7f}', '"', '\\', '/', '%', '$', '.', '[', '{', '\'', 'é', '\u{300}', '😀',
            '\u{2028}',
        ];
        (0..length).map(|_| *self.dice.pick(&characters)).collect()
    }

    /// Any value.
    fn anything(&mut self, depth: usize) -> Value {
        match self.dice.below(if depth > 3 { 9 } else { 12 }) {
            0 => Value::Null,
            1 => self.dice.once_in(2).into(),
            2 => (*self.dice.pick(&[0, 1, -1, 7, i64::MAX, i64::MIN, 1 << 53, 4_294_967_296])).into(),
            3 => (*self.dice.pick(&[0.5, -0.0, 1e308, -1e-308, 1.0, 9.3e18])).into(),
            4 => u64::MAX.into(),
            5..9 => self.text().into(),
            9 => (0..self.dice.below(4)).map(|_| self.anything(depth + 1)).collect(),
            10 => {
                let members = (0..self.dice.below(4)).map(|_| (self.text(), self.anything(depth + 1)));
                members.collect::<Map<_, _>>().into()
            }
            _ => (0..60).fold(self.anything(9), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) }),
        }
    }

    /// A value as a schema wants it, or nearly.
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if self.dice.once_in(8) || depth > 12 {
            return self.anything(0);
        }
        if let Some(place) = schema["$ref"].as_str() {
            let schema = self.document.pointer(place.trim_start_matches('#')).expect("a reference leads somewhere").clone();
            return self.value(&schema, depth);
        }
        for kind in ["oneOf", "anyOf"] {
            if let Some(schemas) = schema[kind].as_array() {
                let schema = self.dice.pick(schemas).clone();
                return self.value(&schema, depth + 1);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(members) = self.value(part, depth + 1) {
                    whole.extend(members);
                }
            }
            return whole.into();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.dice.pick(kinds).as_str().unwrap_or_default().to_owned(),
            kind => kind.as_str().unwrap_or_default().to_owned(),
        };
        match kind.as_str() {
            "string" => self.text().into(),
            "integer" | "number" => (self.dice.below(200) as i64 - 20).into(),
            "boolean" => self.dice.once_in(2).into(),
            "null" => Value::Null,
            "array" => (0..self.dice.below(4)).map(|_| self.value(&schema["items"], depth + 1)).collect(),
            "object" if schema["properties"].is_object() => self.object(schema, depth),
            _ => self.anything(1),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut made = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let is_given = if required.contains(&name.as_str()) { !self.dice.once_in(20) } else { self.dice.once_in(2) };
            if is_given {
                made.insert(name.clone(), self.value(member, depth + 1));
            }
        }
        if self.dice.once_in(10) {
            made.insert(self.text(), self.anything(1));
        }
        made.into()
    }

    /// The message of a method that exists, with random parameters.
    fn frame(&mut self) -> String {
        let name = self.dice.pick(methods::Method::ALL).name();
        let parameters: Vec<Value> = (0..self.dice.below(4)).map(|_| self.anything(1)).collect();
        json!({"msg": "method", "id": "1", "method": name, "params": parameters}).to_string()
    }

    /// The value in a path.
    fn path(&mut self, operation: &str) -> String {
        let value = if operation.contains("/settings/") && !self.dice.once_in(6) {
            self.dice.pick(settings::definitions()).id.to_owned()
        } else {
            self.text()
        };
        let value: String = value.chars().take(1_000).collect();
        // Without a value it would be another path.
        if value.is_empty() { "x".to_owned() } else { encoded(&value) }
    }

    fn address(&mut self, operation: &str, described: &Value) -> String {
        let template = operation.split_once(' ').expect("an operation is a method and a path").1;
        let values: Vec<String> = names_in(template).iter().map(|_| self.path(operation)).collect();
        let mut address = with_values(template, &values);
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let mut pairs = Vec::new();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let is_given = if parameter["required"] == true { !self.dice.once_in(20) } else { self.dice.once_in(3) };
            if !is_given {
                continue;
            }
            let name = parameter["name"].as_str().expect("a parameter has a name");
            let brackets = *self.dice.pick(&["", "", "", "", "", "", "[]", "[0]", "[$gt]", "[a][b]"]);
            let value = match self.value(&parameter["schema"], 0) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let value: String = value.chars().take(300).collect();
            let value = if self.dice.once_in(30) { "%FF%C3".to_owned() } else { encoded(&value) };
            pairs.push(format!("{name}{brackets}={value}"));
        }
        if !pairs.is_empty() || self.dice.once_in(5) {
            address.push('?');
            address.push_str(&pairs.join("&"));
        }
        address
    }

    /// The bytes of a body: half of them begin with a good one, of which one member is spoilt.
    fn body(&mut self, operation: &str, described: &Value, number: usize) -> Option<Vec<u8>> {
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            return None;
        }
        let mut body = match good(
            operation,
            &Subject { number, token: "token-1".to_owned(), name: "token-1".to_owned(), room: self.room.clone() },
        )
        .body
        {
            Some(mut body) if self.dice.once_in(2) => {
                self.spoil(&mut body);
                body
            }
            _ => self.value(schema, 0),
        };
        if operation.contains("/method.call") && !self.dice.once_in(6) {
            body = json!({"message": self.frame()});
        }
        if operation.ends_with("/settings/{id}") && !self.dice.once_in(6) {
            body = json!({"value": self.anything(0)});
        }
        if operation.ends_with("POST /api/v1/settings") && !self.dice.once_in(6) {
            body = json!({"settings": [{"_id": self.dice.pick(settings::definitions()).id, "value": self.anything(0)}]});
        }
        Some(self.spoilt_bytes(body.to_string()))
    }

    /// The bytes of a form, for what takes one: pieces of forms in any order.
    fn form(&mut self, described: &Value) -> Option<Vec<u8>> {
        const PIECES: &[&[u8]] = &[
            b"--the-end\r\n",
            b"--the-end--\r\n",
            b"\r\n",
            b"Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n",
            b"Content-Disposition: form-data; name=\"description\"\r\n\r\n",
            b"Content-Disposition: form-data; name=\"\"; filename*=UTF-8''%FF\r\n",
            b"Content-Type: image/png\r\n\r\n",
            b"Content-Type: \xff/\0\r\n\r\n",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff",
            b"<svg onload=1>",
            b"words",
            b"\0\xff",
        ];
        if described["requestBody"]["content"]["multipart/form-data"].is_null() {
            return None;
        }
        // Half of them begin as forms begin.
        let mut bytes = if self.dice.once_in(2) { [PIECES[0], PIECES[3]].concat() } else { Vec::new() };
        for _ in 0..self.dice.below(12) {
            let piece: &&[u8] = self.dice.pick(PIECES);
            bytes.extend_from_slice(piece);
        }
        Some(bytes)
    }

    /// Puts anything in place of some member.
    fn spoil(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() && !self.dice.once_in(6) => {
                let number = self.dice.below(members.len());
                let name = members.keys().nth(number).cloned().expect("it is one of them");
                self.spoil(&mut members[&name]);
            }
            Value::Array(items) if !items.is_empty() && !self.dice.once_in(4) => {
                let number = self.dice.below(items.len());
                self.spoil(&mut items[number]);
            }
            other => *other = self.anything(0),
        }
    }

    /// The text as bytes, now and then no JSON or no text any more.
    fn spoilt_bytes(&mut self, text: String) -> Vec<u8> {
        let mut bytes = text.into_bytes();
        if bytes.is_empty() || !self.dice.once_in(12) {
            return bytes;
        }
        let place = self.dice.below(bytes.len());
        match self.dice.below(5) {
            0 => bytes.truncate(place),
            1 => bytes[place] = 0xff,
            2 => drop(bytes.splice(place..place, *b"\\ud800")),
            3 => drop(bytes.splice(place..place, "[".repeat(5_000).into_bytes())),
            _ => drop(bytes.splice(place..place, *b"1e999")),
        }
        bytes
    }
}

/// Prints the request if the test fails while it is on its way.
struct Telling(String);

impl Drop for Telling {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let shown: String = self.0.chars().take(4_000).collect();
            println!("the request was: {shown}");
        }
    }
}

/// The operations: what only reads and what is about users first, what changes how the server behaves last.
fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            found.push((format!("{} {path}", method.to_uppercase()), operation.clone()));
        }
    }
    let changes_all = |name: &str| name.starts_with("POST /api/v1/settings") || name.ends_with("/permissions.update");
    found.sort_by_key(|(name, _)| changes_all(name));
    found
}

/// The application and whoever calls.
struct Stage {
    app: TestApp,
    root: Account,
    caller: Login,
}

impl Stage {
    async fn new(engine: &Engine) -> (Stage, String) {
        let app = usual().setting(KEEP_CONNECTION, "true").start(engine).await;
        let root = account(&app, &app.admin().await).await.expect("the administrator is logged in");
        let caller = person(&app, &root, "fuzzer", &["admin", "user"]).await;
        insert_user(&app, "mary", &["user"]).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        (Stage { app, root, caller }, room)
    }

    /// Gives the caller back what a request took from it: the login, the roles, the permissions.
    async fn repair(&mut self) {
        let caller = account(&self.app, &self.caller).await;
        let is_whole = caller.as_ref().is_some_and(|caller| caller.user.roles.iter().any(|role| role == "admin"));
        if is_whole {
            return;
        }
        self.restore_permissions().await;
        self.caller = log_in_again(&self.app, &self.root, "fuzzer").await;
    }

    async fn restore_permissions(&self) {
        let held = permission::at_the_start().map(|(id, roles)| (id, roles.iter().map(|role| (*role).to_owned()).collect()));
        self.app.services.set_permissions(held.collect()).await.expect("permissions can be changed");
    }

    /// Sends random requests to one operation.
    async fn try_operation(&mut self, maker: &mut Maker, name: &str, described: &Value, requests: usize) {
        for number in 0..requests {
            let is_anonymous = number % 2 == 1;
            if !is_anonymous {
                self.repair().await;
            }
            let method: Method = name.split(' ').next().and_then(|method| method.parse().ok()).expect("it begins with a method");
            let address = maker.address(name, described);
            let body = maker.body(name, described, number);
            let told = String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned();
            let told =
                Telling(format!("{method} {address} {} {told}", if is_anonymous { "as nobody" } else { "as administrator" }));
            let mut call = self.app.call(method, &address);
            if !is_anonymous {
                call = call.as_user(&self.caller);
            }
            let form = maker.form(described);
            let reply = match body {
                None if form.is_some() => {
                    let call = call.header("x-visitor-token", "token-1");
                    call.bytes("multipart/form-data; boundary=the-end", form.unwrap_or_default()).send().await
                }
                None => call.send().await,
                Some(body) => call.bytes("application/json", body).send().await,
            };
            assert!(reply.status.as_u16() < 500, "{name} answers {} {}", reply.status, reply.body);
            let is_json = reply.headers.get("content-type").is_some_and(|kind| kind == "application/json");
            assert!(is_json || reply.status.as_u16() == 307, "{name} answers {} {}", reply.status, reply.body);
            drop(told);
        }
    }

    /// Puts a value into every setting at once, past everything that looks at values, and in force as from another process.
    async fn put_settings(&self, value: impl Fn(&Definition) -> Value) {
        let shown = settings::definitions().iter().filter(|definition| !definition.is_hidden);
        let values: Vec<(&str, String)> = shown.map(|definition| (definition.id, value(definition).to_string())).collect();
        let write = self.app.services.store.write::<_, StoreError, _>(move |tx| {
            for (id, value) in &values {
                q::settings::put(tx, id, value, None, START)?;
            }
            q::counters::take(tx, "platform", 1).map(|_| ())
        });
        write.await.expect("settings can be stored");
        assert_eq!(self.app.services.follow_platform().await, Ok(true));
    }

    /// The application still does what matters.
    async fn is_well(&mut self) {
        self.restore_permissions().await;
        self.caller = log_in_again(&self.app, &self.root, "fuzzer").await;
        for path in ["/api/v1/me", "/api/v1/livechat/config", "/api/v1/settings?count=0", "/api/v1/settings.public?count=0"] {
            self.app.call(Method::GET, path).as_user(&self.caller).send().await.ok();
        }
        for id in settings::definitions().iter().filter(|definition| !definition.is_hidden).map(|definition| definition.id) {
            self.app.call(Method::GET, &format!("/api/v1/settings/{id}")).as_user(&self.caller).send().await.ok();
        }
        self.put_settings(|definition| definition.default.clone()).await;
        let shown = self.app.get("/api/v1/livechat/config").await.ok()["config"]["theme"]["title"].clone();
        assert_eq!(shown, "Rocket.Chat", "what was set back counts");
    }
}

async fn survive(seed: u64, requests: usize) {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    for engine in Engine::all() {
        let (mut stage, room) = Stage::new(&engine).await;
        let mut maker = Maker { dice: Dice(SeededRandom::new(seed)), document: document.clone(), room };
        let operations = operations(&document);
        for (name, described) in &operations {
            let many = if name.ends_with("/settings/{id}") { 6 } else { 1 };
            stage.try_operation(&mut maker, name, described, requests * many).await;
        }
        // Once more, with the settings that those requests left behind.
        for (name, described) in &operations {
            stage.try_operation(&mut maker, name, described, requests.div_ceil(4)).await;
        }
        stage.is_well().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_requests_are_survived() {
    let is_whole = std::env::var("USHER_PROOF").is_ok_and(|extent| extent == "whole");
    if is_whole {
        for seed in 1..=3 {
            survive(seed, 300).await;
        }
    } else {
        survive(1, 12).await;
    }
}

/// Every setting at each of these values, one after another: whoever reads it gets its default where it is nothing of its type.
#[tokio::test(flavor = "multi_thread")]
async fn no_setting_stands_in_the_way() {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(i64::MAX),
        json!(1e300),
        json!(""),
        json!("line\nbreak \u{1} \0 é😀"),
        json!("true"),
        json!(["x", 1]),
        json!({"url": {"a": []}}),
    ];
    for engine in Engine::all() {
        let (mut stage, room) = Stage::new(&engine).await;
        for value in &values {
            stage.put_settings(|_| value.clone()).await;
            let told = Telling(format!("all settings at {value}"));
            for (method, path, body) in [
                (Method::GET, "/api/v1/me".to_owned(), None),
                (Method::GET, "/api/v1/settings".to_owned(), None),
                (Method::GET, "/api/v1/users.list".to_owned(), None),
                (Method::GET, "/api/v1/users.getAvatar?username=mary".to_owned(), None),
                (Method::GET, "/api/v1/users.getPreferences".to_owned(), None),
                (Method::GET, "/api/v1/livechat/config".to_owned(), None),
                (Method::GET, "/api/v1/livechat/config?token=token-1".to_owned(), None),
                (Method::GET, "/api/v1/livechat/room?token=token-1".to_owned(), None),
                (Method::OPTIONS, "/api/v1/me".to_owned(), None),
                (Method::POST, "/api/v1/login".to_owned(), Some(json!({"user": "admin", "password": PASSWORD}))),
                (Method::POST, "/api/v1/login".to_owned(), Some(json!({"user": "admin", "password": "wrong"}))),
                (
                    Method::POST,
                    "/api/v1/livechat/message".to_owned(),
                    Some(json!({"token": "token-1", "rid": room, "msg": "Hello"})),
                ),
                (Method::POST, "/api/v1/livechat/visitor".to_owned(), Some(json!({"visitor": {"token": "token-1"}}))),
                (Method::POST, "/api/v1/settings/Livechat_title".to_owned(), Some(json!({"value": "x"}))),
                (Method::GET, "/avatar/mary".to_owned(), None),
            ] {
                let call = stage.app.call(method.clone(), &path).as_user(&stage.caller);
                let call = call.header("origin", "https://example.com").header("access-control-request-method", "GET");
                let reply = match body {
                    None => call.send().await,
                    Some(body) => call.json(&body).send().await,
                };
                assert!(
                    reply.status.as_u16() < 500,
                    "{method} {path} with all settings at {value}: {} {}",
                    reply.status,
                    reply.body
                );
            }
            drop(told);
        }
        stage.is_well().await;
    }
}

/// The control: where something is broken, the same requests find it.
#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "which its document does not know")]
async fn what_is_broken_is_found() {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    let (mut stage, room) = Stage::new(&Engine::sqlite()).await;
    tamper(&stage.app, "ALTER TABLE permissions RENAME TO something_else").await;
    let mut maker = Maker { dice: Dice(SeededRandom::new(1)), document: document.clone(), room };
    let name = "GET /api/v1/permissions.listAll";
    let described = operations(&document).into_iter().find(|(known, _)| known == name).expect("there is such an operation").1;
    stage.try_operation(&mut maker, name, &described, 50).await;
}
