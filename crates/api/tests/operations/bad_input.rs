//! Bad input: at every place of every operation that takes anything, every bad value is answered 200 or 4xx as the tables say, never
//! 5xx and never with a panic; and what is answered 4xx has changed nothing in any table.
//!
//! The document says which places there are. One that is not in the tables fails these tests by its name.

pub mod accepted;
mod places;
mod values;

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_testkit::TestApp;
use usher_testkit::application::{Call, Login, Reply};
use usher_testkit::engines::Engine;

use crate::requests::insert_field;
use crate::support::{KEEP_CONNECTION, LOGIN, MESSAGE, ROOM, Rows, VISITOR, encoded, history, rows, usual};
use places::{At, FORMS, Form, Given, Place};
use values::{Bad, Sent};

/// Stands in a body where the bad value goes.
const HERE: &str = "the bad value goes here";

/// An application with a visitor who has a room, and an administrator who is logged in.
pub struct Stage {
    app: TestApp,
    room: String,
    login: Login,
    /// Counts the requests, so that each can choose names that no other has.
    number: usize,
}

impl Stage {
    async fn new(engine: &Engine) -> Stage {
        let app = usual().setting(KEEP_CONNECTION, "true").trusting("192.0.2.0/24").start(engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        app.message("token-1", &room, "Hello").await;
        insert_field(&app, "shoe", Scope::Visitor).await;
        let login = app.admin().await;
        Stage { app, room, login, number: 0 }
    }

    /// Makes what the next request needs.
    async fn prepare(&mut self, form: &Form) {
        self.number += 1;
        if form.is_consuming {
            self.app.register(&format!("fresh-{}", self.number), "Fresh").await;
        }
        if form.is_logged_in && !self.is_logged_in().await {
            self.login = self.app.admin().await;
        }
    }

    async fn is_logged_in(&self) -> bool {
        let (user_id, token) = (self.login.user_id.clone(), &self.login.token);
        self.app.services.authenticate(user_id, token).await.expect("logins can be read").is_some()
    }

    /// Sends the form's request, with a bad value at a place if one is given.
    async fn send(&self, form: &Form, bad: Option<(At, &Bad)>) -> Reply {
        let given = (form.given)(self);
        let (method, template) = form.operation.split_once(' ').expect("an operation is a method and a path");
        let method: Method = method.parse().expect("it is a method");
        let mut path = with_path_value(template, &given, bad);
        path.push_str(&with_query_value(&given, bad));
        let call = self.app.call(method, &path);
        let call = with_headers(call, form, &self.login, bad);
        match with_body_value(&given, bad) {
            None => call.send().await,
            Some(body) if matches!(bad, Some((At::Header("content-type"), _))) => call.untyped(body).send().await,
            Some(body) => call.bytes("application/json", body).send().await,
        }
    }
}

fn with_path_value(template: &str, given: &Given, bad: Option<(At, &Bad)>) -> String {
    let Some((before, rest)) = template.split_once('{') else { return template.to_owned() };
    assert!(rest.ends_with('}'), "{template}: a value in the path comes last");
    match bad {
        Some((At::Path(_), Bad { sent: Sent::Text(text), .. })) => format!("{before}{text}"),
        _ => format!("{before}{}", encoded(&given.path)),
    }
}

fn with_query_value(given: &Given, bad: Option<(At, &Bad)>) -> String {
    let mut pairs: Vec<String> = Vec::new();
    let replaced = match bad {
        Some((At::Query(name), bad)) => {
            if let Sent::Text(text) = &bad.sent {
                pairs.push(text.replace(values::NAME, name));
            }
            Some(name)
        }
        _ => None,
    };
    let kept = given.query.iter().filter(|(name, _)| Some(*name) != replaced);
    pairs.extend(kept.map(|(name, value)| format!("{name}={}", encoded(value))));
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn with_body_value(given: &Given, bad: Option<(At, &Bad)>) -> Option<Vec<u8>> {
    let mut body = given.body.clone()?;
    let Some((At::Body(place), bad)) = bad else { return Some(body.to_string().into_bytes()) };
    let Sent::Bytes(bytes) = &bad.sent else {
        let Some((parent, member)) = place.rsplit_once('/') else { return Some(Vec::new()) };
        remove(body.pointer_mut(parent).unwrap_or(&mut Value::Null), member);
        return Some(body.to_string().into_bytes());
    };
    *body.pointer_mut(place).unwrap_or_else(|| panic!("{place} is not in the request")) = json!(HERE);
    let text = body.to_string();
    let (before, after) = text.split_once(&json!(HERE).to_string()).expect("it was just put there");
    Some([before.as_bytes(), bytes, after.as_bytes()].concat())
}

/// Takes a member out of an object, or an item out of a list.
fn remove(parent: &mut Value, member: &str) {
    match parent {
        Value::Object(members) => assert!(members.remove(member).is_some(), "{member} is not in the request"),
        Value::Array(items) => drop(items.remove(member.parse().expect("an item has a number"))),
        _ => panic!("{member} is not in the request"),
    }
}

fn with_headers<'a>(mut call: Call<'a>, form: &Form, login: &Login, bad: Option<(At, &Bad)>) -> Call<'a> {
    let replaced = match bad {
        Some((At::Header(name), _)) => Some(name),
        _ => None,
    };
    if form.is_logged_in {
        for (name, value) in [("x-user-id", &login.user_id), ("x-auth-token", &login.token)] {
            if replaced != Some(name) {
                call = call.header(name, value);
            }
        }
    }
    match bad {
        Some((At::Header(name), Bad { sent: Sent::Bytes(bytes), .. })) => call.raw_header(name, bytes),
        _ => call,
    }
}

/// Tries every bad value at every place of the operations that `is_wanted` wants.
async fn try_all(is_wanted: impl Fn(&str) -> bool) {
    for engine in Engine::all() {
        let mut stage = Stage::new(&engine).await;
        let mut tried = 0;
        for form in FORMS.iter().filter(|form| is_wanted(form.operation)) {
            for place in form.places {
                tried += try_place(&mut stage, form, place).await;
            }
            // The control: without a bad value the same request is answered 200.
            stage.prepare(form).await;
            stage.send(form, None).await.ok();
        }
        assert!(tried > 0, "nothing was tried");
        let mary = stage.app.get(&format!("{VISITOR}/token-1")).await.ok();
        assert_eq!(mary["visitor"]["name"], "Mary", "whatever was sent, others are left alone");
    }
}

/// Tries every bad value at one place; gives how many.
async fn try_place(stage: &mut Stage, form: &Form, place: &Place) -> usize {
    let bad_values = place.at.values();
    for name in place.accepts {
        assert!(bad_values.iter().any(|bad| bad.name == *name), "{} {}: there is no value {name}", form.operation, place.at);
    }
    let mut before: Option<Rows> = None;
    for bad in &bad_values {
        let what = format!("{} with {} as {}", form.operation, bad.name, place.at);
        stage.prepare(form).await;
        if place.accepts.contains(&bad.name) {
            let reply = stage.send(form, Some((place.at, bad))).await;
            assert_eq!(reply.status.as_u16(), 200, "{what}: {}", reply.body);
            before = None;
            continue;
        }
        if before.is_none() || form.is_consuming {
            before = Some(rows(&stage.app).await);
        }
        let reply = stage.send(form, Some((place.at, bad))).await;
        assert!(reply.status.is_client_error(), "{what}: {} {}", reply.status, reply.body);
        assert_eq!(reply.body["success"], false, "{what}");
        let after = rows(&stage.app).await;
        assert!(before.as_ref() == Some(&after), "{what} was refused and changed something all the same");
    }
    bad_values.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_and_erasing() {
    try_all(|operation| operation.contains("/livechat/visitor")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    try_all(|operation| operation.contains("/livechat/message")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_others() {
    try_all(|operation| !operation.contains("/livechat/visitor") && !operation.contains("/livechat/message")).await;
}

/// Collects the members of what `schema` describes, as places in a body.
pub fn members(schema: &Value, document: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.trim_start_matches('#');
        return members(document.pointer(place).expect("a reference leads somewhere"), document, prefix, found);
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        schema[kind].as_array().into_iter().flatten().for_each(|one| members(one, document, prefix, found));
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{prefix}/{name}");
        found.insert(format!("body {place}"));
        members(member, document, &place, found);
    }
    if schema["items"].is_object() {
        members(&schema["items"], document, &format!("{prefix}/0"), found);
    }
}

/// Every place that the document says an operation takes something at.
fn documented_places(operation: &Value, document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let text = |member: &str| parameter[member].as_str().expect("a parameter has a place and a name");
        found.insert(format!("{} {}", text("in"), text("name")));
    }
    if operation["requestBody"].is_object() {
        found.insert("body ".to_owned());
        members(&operation["requestBody"]["content"]["application/json"]["schema"], document, "", &mut found);
    }
    if operation["x-usher-access"] == "caller" {
        found.extend(["header x-user-id".to_owned(), "header x-auth-token".to_owned()]);
    }
    found
}

#[test]
fn every_place_of_every_operation_is_tried() {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            let name = format!("{} {path}", method.to_uppercase());
            let forms: Vec<&Form> = FORMS.iter().filter(|form| form.operation == name).collect();
            if forms.is_empty() {
                // What has no form of its own is tried at every place that the document names.
                continue;
            }
            let tried: BTreeSet<String> = forms.iter().flat_map(|form| form.places).map(|place| place.at.to_string()).collect();
            let missing: Vec<_> =
                documented_places(operation, &document).into_iter().filter(|place| !tried.contains(place)).collect();
            assert!(missing.is_empty(), "{name}: no bad input is tried as {missing:?}");
        }
    }
}

/// Texts that mean something elsewhere and nothing here.
const TEXTS: [&str; 11] = [
    values::INJECTION,
    "'; DROP TABLE visitors; --",
    r#"{"$ne":null}"#,
    "a[$gt]=",
    "<script>alert(1)</script>",
    "%00 %FF \\u0000 \\ud800",
    "../../etc/passwd",
    "\u{fffd}\u{202e}\u{200b}😀é",
    "\u{1}\u{7f}\u{85}\u{2028}",
    "${jndi:x} {{7*7}} %s %n",
    "null",
];

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_stored_as_given() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for text in TEXTS {
            let members = json!({"token": text, "id": text, "name": text, "username": text, "phone": text, "email": text});
            let registered = app.post(VISITOR, &json!({"visitor": members})).await.ok();
            let visitor = app.get(&format!("{VISITOR}/{}", encoded(text))).await.ok()["visitor"].clone();
            for member in ["token", "_id", "name", "username"] {
                assert_eq!((&visitor[member], &registered["visitor"][member]), (&json!(text), &json!(text)), "{member}");
            }
            assert_eq!(visitor["phone"], json!([{"phoneNumber": text}]));
            assert_eq!(visitor["visitorEmails"], json!([{"address": text.trim().to_lowercase()}]));

            let opened = app.get(&format!("{ROOM}?token={}", encoded(text))).await.ok();
            assert_eq!((&opened["room"]["fname"], &opened["room"]["v"]["_id"]), (&json!(text), &json!(text)));
            let room = opened["room"]["_id"].as_str().expect("a room has an id");
            let posted = app.post(MESSAGE, &json!({"token": text, "rid": room, "msg": text, "_id": text})).await.ok();
            assert_eq!((&posted["message"]["msg"], &posted["message"]["_id"]), (&json!(text), &json!(text)));
            let told = app.get(&history(room, &format!("token={}&limit=1", encoded(text)))).await.ok();
            assert_eq!(told["messages"], json!([posted["message"]]));
        }
        assert_eq!(rows(&app).await["visitors"].len(), TEXTS.len());
        let nobody = app.post(LOGIN, &json!({"user": values::INJECTION, "password": values::INJECTION})).await;
        assert_eq!(nobody.status.as_u16(), 401);
    }
}
