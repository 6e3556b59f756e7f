//! The operations that have no form of their own: bad values at every place that the document names, against a table of those that
//! are answered 200 there.
//!
//! The table is `accepted.txt`: operation, place and the names of the values. All others, and all at places that it does not name,
//! are answered 4xx and change nothing. Whoever changes what an operation takes gets the new lines from the failing test, looks at
//! each, and puts them there.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use usher_services::logins::Account;
use usher_testkit::application::{Call, Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::places::FORMS;
use super::values::{Bad, NAME, Sent, in_body, in_header, in_path, in_query};
use super::{HERE, documented_places};
use crate::requests::{Good, Subject, account, address, good, is_about_messages, names_in, person, with_values};
use crate::support::{encoded, rows, with_removal};

const TABLE: &str = include_str!("accepted.txt");

/// Parts of the names of operations that are about a visitor and its room.
const NEEDS_A_ROOM: [&str; 10] = [
    "/livechat/custom.field",
    "/livechat/room.",
    "/usher/rooms/",
    "/agent.info/",
    "/livechat/inquir",
    "/livechat/page.visited",
    "/livechat/transcript",
    "/livechat/upload",
    "/livechat/visitor",
    "/request-transcript",
];

/// Where a bad value goes.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Body(&'a str),
    Query(&'a str),
    Path(&'a str),
    Header(&'a str),
}

impl Place<'_> {
    /// The place that [`documented_places`] calls so.
    fn of(text: &str) -> Place<'_> {
        match text.split_once(' ').expect("a place has a kind and a name") {
            ("body", pointer) => Place::Body(pointer),
            ("query", name) => Place::Query(name),
            ("path", name) => Place::Path(name),
            (_, name) => Place::Header(name),
        }
    }

    fn values(self) -> Vec<Bad> {
        match self {
            Place::Body(_) => in_body(),
            Place::Query(_) => in_query(),
            Place::Path(_) => in_path(),
            Place::Header(_) => in_header(),
        }
    }
}

/// The operations, each with the places that its document names.
fn operations(is_wanted: fn(&str) -> bool) -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            let name = format!("{} {path}", method.to_uppercase());
            if is_wanted(&name) && !FORMS.iter().any(|form| form.operation == name) {
                found.push((name, documented_places(operation, &document).into_iter().collect()));
            }
        }
    }
    found
}

/// The application and whoever calls: an administrator, another one whenever the last one is logged out or another person
/// altogether.
pub struct Stage {
    /// The application.
    pub app: TestApp,
    root: Account,
    /// Whoever calls.
    pub caller: Login,
    number: usize,
}

impl Stage {
    /// One for the application of this setup.
    pub async fn with(setup: Setup, engine: &Engine) -> Stage {
        let app = setup.start(engine).await;
        let root = account(&app, &app.admin().await).await.expect("the administrator is logged in");
        let caller = person(&app, &root, "caller-0", &["admin", "user"]).await;
        Stage { app, root, caller, number: 0 }
    }

    /// Makes what an operation is about.
    pub async fn prepare(&mut self, operation: &str) -> Subject {
        self.number += 1;
        let mut known = account(&self.app, &self.caller).await;
        if known.is_none() {
            self.caller = person(&self.app, &self.root, &format!("caller-{}", self.number), &["admin", "user"]).await;
            known = account(&self.app, &self.caller).await;
        }
        let mut subject = Subject::numbered(self.number);
        if NEEDS_A_ROOM.iter().any(|part| operation.contains(part)) || is_about_messages(operation) {
            subject.token = format!("token-{}", self.number);
            let visitor = self.app.register(&subject.token, "Mary").await;
            subject.name = visitor["_id"].as_str().expect("a visitor has an id").to_owned();
            subject.room = self.app.room(&subject.token).await;
        }
        subject.prepare(&self.app, operation, known.as_ref()).await;
        if is_about_messages(operation) {
            subject.post_message(&self.app, &subject.token, &subject.room).await;
        }
        subject
    }

    /// Sends a good request with a bad value in it.
    async fn send(&self, operation: &str, subject: &Subject, bad: Option<(Place<'_>, &Bad)>) -> Reply {
        let good = good(operation, subject);
        let method: Method = operation.split(' ').next().and_then(|method| method.parse().ok()).expect("it begins with a method");
        let mut call = self.app.call(method, &with_address(operation, &good, bad));
        let replaced = match bad {
            Some((Place::Header(name), _)) => name,
            _ => "",
        };
        // Those who must not be logged in are not.
        let is_caller = operation != "POST /api/v1/users.register";
        for (name, value) in [("x-user-id", &self.caller.user_id), ("x-auth-token", &self.caller.token)] {
            if is_caller && name != replaced {
                call = call.header(name, value);
            }
        }
        if let Some((Place::Header(name), Bad { sent: Sent::Bytes(bytes), .. })) = bad {
            call = call.raw_header(name, bytes);
        }
        if replaced == "x-visitor-token" || matches!(bad, Some((Place::Body(_), _))) && good.form.is_some() {
            return self.send_spoilt_form(call, &good, bad).await;
        }
        match with_body(&good, bad) {
            None => good.send(call).await,
            Some(body) => call.bytes("application/json", body).send().await,
        }
    }
}

impl Stage {
    /// Sends the form of a good request with another visitor's token, or something else in place of the form.
    async fn send_spoilt_form(&self, call: Call<'_>, good: &Good, bad: Option<(Place<'_>, &Bad)>) -> Reply {
        match (bad, &good.visitor_token) {
            (Some((Place::Body(_), Bad { sent: Sent::Bytes(bytes), .. })), Some(token)) => {
                call.header("x-visitor-token", token).bytes("application/json", bytes.clone()).send().await
            }
            (Some((Place::Body(_), Bad { sent: Sent::Bytes(bytes), .. })), None) => {
                call.bytes("application/json", bytes.clone()).send().await
            }
            (Some((Place::Body(_), _)), _) => call.send().await,
            _ => Good { visitor_token: None, ..good.clone() }.send(call).await,
        }
    }
}

fn with_address(operation: &str, good: &Good, bad: Option<(Place<'_>, &Bad)>) -> String {
    match bad {
        Some((Place::Query(name), Bad { sent, .. })) => {
            let mut pairs: Vec<String> = Vec::new();
            if let Sent::Text(text) = sent {
                pairs.push(text.replace(NAME, name));
            }
            let kept = good.query.iter().filter(|(known, _)| *known != name);
            pairs.extend(kept.map(|(name, value)| format!("{name}={}", encoded(value))));
            format!("{}?{}", address(operation, &Good { query: Vec::new(), ..good.clone() }), pairs.join("&"))
        }
        Some((Place::Path(name), Bad { sent: Sent::Text(text), .. })) => {
            let template = operation.split_once(' ').expect("an operation is a method and a path").1;
            let named = names_in(template).into_iter().zip(&good.path);
            let values: Vec<String> =
                named.map(|(known, value)| if known == name { text.clone() } else { encoded(value) }).collect();
            with_values(template, &values)
        }
        _ => address(operation, good),
    }
}

fn with_body(good: &Good, bad: Option<(Place<'_>, &Bad)>) -> Option<Vec<u8>> {
    let body = good.body.as_ref()?;
    let Some((Place::Body(place), bad)) = bad else { return Some(body.to_string().into_bytes()) };
    let Sent::Bytes(bytes) = &bad.sent else {
        let mut body = Some(body.clone()).filter(|_| !place.is_empty());
        if let Some(body) = &mut body {
            put(body, place, None);
        }
        return Some(body.map_or_else(Vec::new, |body| body.to_string().into_bytes()));
    };
    let mut body = body.clone();
    put(&mut body, place, Some(json!(HERE)));
    let text = body.to_string();
    let (before, after) = text.split_once(&json!(HERE).to_string()).expect("it was just put there");
    Some([before.as_bytes(), bytes, after.as_bytes()].concat())
}

/// Puts a value at a place, whether there was one or not; or takes it out.
fn put(body: &mut Value, place: &str, value: Option<Value>) {
    let Some((parent, member)) = place.rsplit_once('/') else {
        *body = value.unwrap_or_default();
        return;
    };
    let members = body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("{parent} is no object"));
    match value {
        Some(value) => drop(members.insert(member.to_owned(), value)),
        None => drop(members.remove(member)),
    }
}

/// Whether a request was let through: the commands, of which there are none, say so in their own way.
fn is_accepted(operation: &str, reply: &Reply) -> bool {
    let status = reply.status.as_u16();
    status == 200 || status == 307 && operation.ends_with("/users.getAvatar")
}

/// The names of the values that are accepted at a place.
async fn accepted(stage: &mut Stage, operation: &str, place: &str, expected: &[&str]) -> Vec<&'static str> {
    let (at, mut accepted) = (Place::of(place), Vec::new());
    let values = at.values();
    let (first, then): (Vec<&Bad>, Vec<&Bad>) = values.iter().partition(|bad| !expected.contains(&bad.name));
    let mut subject = stage.prepare(operation).await;
    let mut before = Some(rows(&stage.app).await);
    for bad in &first {
        let reply = stage.send(operation, &subject, Some((at, bad))).await;
        if is_accepted(operation, &reply) {
            // The table does not say so, which is told in the end; what was changed by it is not what is looked for.
            accepted.push(bad.name);
            subject = stage.prepare(operation).await;
            before = None;
            continue;
        }
        check_refused(operation, place, bad, &reply);
    }
    if let Some(before) = before {
        assert!(
            before == rows(&stage.app).await,
            "{operation}: bad values as {place} were refused and changed something all the same"
        );
    }
    for bad in &then {
        let subject = stage.prepare(operation).await;
        let reply = stage.send(operation, &subject, Some((at, bad))).await;
        if is_accepted(operation, &reply) {
            accepted.push(bad.name);
        } else {
            check_refused(operation, place, bad, &reply);
        }
    }
    // In the order in which they are tried, as the table has them.
    values.iter().map(|bad| bad.name).filter(|name| accepted.contains(name)).collect()
}

fn check_refused(operation: &str, place: &str, bad: &Bad, reply: &Reply) {
    let what = format!("{operation} with {} as {place}", bad.name);
    assert!(reply.status.is_client_error(), "{what}: {} {}", reply.status, reply.body);
    assert_eq!(reply.body["success"], false, "{what}");
}

/// The table by operation and place.
fn table() -> BTreeMap<String, Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &'static str| {
        let (place, names) = line.split_once(": ").expect("a line has a colon");
        (place.to_owned(), names.split(", ").collect())
    };
    lines.map(pair).collect()
}

/// Tries every bad value at every place of the operations that are wanted.
async fn try_all(is_wanted: fn(&str) -> bool) {
    let (table, operations) = (table(), operations(is_wanted));
    assert!(!operations.is_empty(), "nothing was tried");
    for engine in Engine::all() {
        let mut stage = Stage::with(with_removal(), &engine).await;
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        for (operation, places) in &operations {
            if gives_names(operation) {
                // So that no name is taken by the operation before.
                let fresh = engine_like(&engine);
                stage = Stage::with(with_removal(), &fresh).await;
                kept.push(fresh);
            }
            for place in places {
                let line = format!("{operation} {place}").trim_end().to_owned();
                let expected = table.get(&line).cloned().unwrap_or_default();
                let names = accepted(&mut stage, operation, place, &expected).await;
                if names != expected {
                    found.push(format!("{line}: {}", names.join(", ")).trim_end().to_owned());
                }
            }
            // The control: without a bad value the same request is let through.
            let subject = stage.prepare(operation).await;
            let reply = stage.send(operation, &subject, None).await;
            let is_of_commands = operation.ends_with("/commands.get") || operation.ends_with("/commands.run");
            // There is no service level that a chat could be given.
            let is_of_levels = operation.ends_with("/inquiry.setSLA");
            assert!(
                is_of_commands || is_of_levels || is_accepted(operation, &reply),
                "{operation} without anything bad: {}",
                reply.body
            );
        }
        assert!(found.is_empty(), "accepted.txt does not say what is accepted, which is:\n{}", found.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn making_and_changing_users() {
    try_all(is_about_accounts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_otherwise() {
    try_all(|operation| operation.contains("/users.") && !is_about_accounts(operation)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_permissions_and_roles() {
    try_all(is_about_the_platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_rooms_of_users() {
    try_all(is_about_messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else() {
    try_all(|operation| !operation.contains("/users.") && !is_about_the_platform(operation) && !is_about_messages(operation)).await;
}

/// Whether names that are tried are taken afterwards.
fn gives_names(operation: &str) -> bool {
    is_about_accounts(operation) || operation.starts_with("POST /api/v1/roles.")
}

/// Another engine of the same kind, with nothing in it.
fn engine_like(engine: &Engine) -> Engine {
    let is_same = |other: &Engine| std::mem::discriminant(other) == std::mem::discriminant(engine);
    Engine::all().into_iter().find(is_same).expect("there was one of this kind")
}

fn is_about_accounts(operation: &str) -> bool {
    ["create", "register", "update", "updateOwnBasicInfo"].iter().any(|name| operation.ends_with(&format!("/users.{name}")))
}

fn is_about_the_platform(operation: &str) -> bool {
    ["/settings", "/permissions.", "/roles."].iter().any(|part| operation.contains(part))
}

#[test]
fn the_table_names_what_there_is() {
    let known: Vec<String> = operations(|_| true)
        .into_iter()
        .flat_map(|(operation, places)| places.into_iter().map(move |place| format!("{operation} {place}").trim_end().to_owned()))
        .collect();
    for line in table().keys() {
        assert!(known.contains(line), "{line} is in accepted.txt, but the document has no such place");
    }
}
