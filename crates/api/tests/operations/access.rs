//! Who may call what: every operation of the document by every kind of caller, against a table that was thought about.
//!
//! Callers differ in what they present and in nothing else. Each refusal is followed by the same request from somebody who may,
//! which must be answered 200: what was refused was the caller.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Call, Login, PASSWORD, Reply};
use usher_testkit::document::{Document, Operation};
use usher_testkit::engines::Engine;

use crate::support::{KEEP_CONNECTION, LOGIN, MESSAGE, ROOM, VISITOR, history, usual};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Somebody who presents nothing that anybody has.
    Anonymous,
    /// A visitor with a token and a room of its own, who wants what is another visitor's.
    AnotherVisitor,
    /// The visitor whose record, room and messages these are.
    TheVisitor,
    /// A user who is logged in with the role `admin` and has no visitor's token.
    Administrator,
}

const CALLERS: [Who; 4] = [Who::Anonymous, Who::AnotherVisitor, Who::TheVisitor, Who::Administrator];

/// Everybody may.
const EVERYBODY: [&str; 4] = ["200", "200", "200", "200"];

/// Whoever is logged in may.
const WHO_IS_LOGGED_IN: [&str; 4] = [
    "401 You must be logged in to do this.",
    "401 You must be logged in to do this.",
    "401 You must be logged in to do this.",
    "200",
];

/// The visitor may whose token it is; others cannot even name the record without it.
const WHO_HAS_THE_TOKEN: [&str; 4] = ["400 [invalid-token]", "400 [invalid-token]", "200", "400 [invalid-token]"];

/// The visitor may whose room it is.
const WHOSE_ROOM_IT_IS: [&str; 4] = ["400 invalid-token", "400 invalid-room", "200", "400 invalid-token"];

/// The matrix: for each operation what anonymous callers, another visitor, the visitor itself and an administrator are answered.
const MATRIX: [(&str, &str, [&str; 4]); 11] = [
    ("POST /api/v1/login", "public", EVERYBODY),
    ("GET /api/v1/logout", "caller", WHO_IS_LOGGED_IN),
    ("POST /api/v1/logout", "caller", WHO_IS_LOGGED_IN),
    ("GET /api/v1/me", "caller", WHO_IS_LOGGED_IN),
    ("GET /api/v1/livechat/config", "public", EVERYBODY),
    ("POST /api/v1/livechat/message", "visitor", WHOSE_ROOM_IT_IS),
    ("GET /api/v1/livechat/messages.history/{rid}", "visitor", WHOSE_ROOM_IT_IS),
    ("GET /api/v1/livechat/room", "visitor", WHOSE_ROOM_IT_IS),
    ("POST /api/v1/livechat/visitor", "public", EVERYBODY),
    ("GET /api/v1/livechat/visitor/{token}", "visitor", WHO_HAS_THE_TOKEN),
    ("DELETE /api/v1/livechat/visitor/{token}", "visitor", WHO_HAS_THE_TOKEN),
];

/// A visitor with a room.
struct Person {
    id: String,
    token: String,
    room: String,
}

impl Person {
    async fn new(app: &TestApp, token: String) -> Person {
        let record = app.register(&token, "Mary").await;
        let room = app.room(&token).await;
        app.message(&token, &room, "Hello").await;
        Person { id: record["_id"].as_str().expect("a visitor has an id").to_owned(), token, room }
    }
}

/// Everybody; the visitors made anew for each call, so that none stands in the way of the next.
struct Scene<'a> {
    app: &'a TestApp,
    visitor: Person,
    other: Person,
    login: Login,
}

impl<'a> Scene<'a> {
    async fn new(app: &'a TestApp, number: usize, login: Login) -> Scene<'a> {
        let visitor = Person::new(app, format!("visitor-{number}")).await;
        let other = Person::new(app, format!("other-{number}")).await;
        Scene { app, visitor, other, login }
    }

    /// The visitor's token that a caller presents.
    fn token(&self, who: Who) -> &str {
        match who {
            Who::AnotherVisitor => &self.other.token,
            Who::TheVisitor => &self.visitor.token,
            Who::Anonymous | Who::Administrator => "nobody",
        }
    }

    /// What a caller puts where the visitor's token is the name of the record: nobody but the visitor knows it, so others try what
    /// they may know.
    fn name(&self, who: Who) -> &str {
        match who {
            Who::TheVisitor => &self.visitor.token,
            Who::Anonymous => "nobody",
            Who::AnotherVisitor | Who::Administrator => &self.visitor.id,
        }
    }

    /// Adds what a caller presents in headers. Visitors have no login, so they try what they have.
    fn presents<'c>(&self, call: Call<'c>, who: Who) -> Call<'c> {
        let tried = |person: &Person| Login { user_id: person.id.clone(), token: person.token.clone() };
        match who {
            Who::Anonymous => call,
            Who::AnotherVisitor => call.as_user(&tried(&self.other)),
            Who::TheVisitor => call.as_user(&tried(&self.visitor)),
            Who::Administrator => call.as_user(&self.login),
        }
    }

    /// Makes a call to an operation: for what belongs to the visitor, with what `who` presents.
    async fn call(&self, operation: &str, who: Who) -> Reply {
        let (room, token, name) = (&self.visitor.room, self.token(who), self.name(who));
        let (path, body) = match operation.split_once(' ').expect("an operation is a method and a path").1 {
            "/api/v1/login" => (LOGIN.to_owned(), json!({"user": "admin", "password": PASSWORD})),
            path @ ("/api/v1/logout" | "/api/v1/me") => (path.to_owned(), Value::Null),
            "/api/v1/livechat/config" => (format!("/api/v1/livechat/config?token={token}"), Value::Null),
            "/api/v1/livechat/message" => (MESSAGE.to_owned(), json!({"token": token, "rid": room, "msg": "Hello"})),
            "/api/v1/livechat/messages.history/{rid}" => (history(room, &format!("token={token}")), Value::Null),
            "/api/v1/livechat/room" => (format!("{ROOM}?token={token}&rid={room}"), Value::Null),
            "/api/v1/livechat/visitor" => (VISITOR.to_owned(), json!({"visitor": {"token": token}})),
            "/api/v1/livechat/visitor/{token}" => (format!("{VISITOR}/{name}"), Value::Null),
            _ => panic!("{operation} needs a request here and a row in the matrix"),
        };
        let method: Method = operation.split(' ').next().and_then(|method| method.parse().ok()).expect("it begins with a method");
        let call = self.presents(self.app.call(method, &path), who);
        if body.is_null() { call.send().await } else { call.json(&body).send().await }
    }
}

/// An answer as the matrix writes it.
fn cell(reply: &Reply) -> String {
    match reply.status.as_u16() {
        200 => "200".to_owned(),
        status => format!("{status} {}", reply.body["error"].as_str().unwrap_or("without a text")),
    }
}

/// The operations of the document by name.
fn operations() -> BTreeMap<String, Operation> {
    let document = Document::new(&usher_api::document());
    let named = |operation: &Operation| (format!("{} {}", operation.method, operation.path), operation.clone());
    document.operations().iter().map(named).collect()
}

#[test]
fn every_operation_has_a_row() {
    let operations = operations();
    for (name, operation) in &operations {
        let row = MATRIX.iter().find(|(known, ..)| known == name);
        let (_, access, _) = row.unwrap_or_else(|| panic!("{name} has no row in the matrix: say who may call it"));
        assert_eq!(operation.access, *access, "{name}");
    }
    for (name, ..) in MATRIX {
        assert!(operations.contains_key(name), "{name} is in the matrix, but no operation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_matrix_says() {
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").start(&engine);
        let (mut number, mut login) = (0, app.admin().await);
        for name in operations().keys() {
            let (_, _, expected) = MATRIX.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("{name} has no row"));
            let permitted = CALLERS.into_iter().zip(expected).find(|(_, cell)| **cell == "200").map(|(who, _)| who);
            let permitted = permitted.unwrap_or_else(|| panic!("{name}: nobody may call it"));
            for (who, expected) in CALLERS.into_iter().zip(expected) {
                number += 1;
                if app.services.authenticate(login.user_id.clone(), &login.token).await == Ok(None) {
                    // Logging out was tried before.
                    login = app.admin().await;
                }
                let scene = Scene::new(&app, number, login.clone()).await;
                let reply = scene.call(name, who).await;
                assert_eq!(cell(&reply), *expected, "{name} by {who:?}");
                if *expected != "200" {
                    let reply = scene.call(name, permitted).await;
                    assert_eq!(cell(&reply), "200", "{name} by {permitted:?}, after {who:?} was refused");
                }
            }
        }
    }
}

/// What everybody may ask still shows everybody only what is their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_shows_only_ones_own_record() {
    for engine in Engine::all() {
        let app = usual().start(&engine);
        let scene = Scene::new(&app, 1, app.admin().await).await;
        for (who, guest) in CALLERS.into_iter().zip([None, Some(&scene.other), Some(&scene.visitor), None]) {
            let config = scene.call("GET /api/v1/livechat/config", who).await.ok()["config"].clone();
            let (id, room) = (guest.map(|guest| guest.id.as_str()), guest.map(|guest| guest.room.as_str()));
            assert_eq!((config["guest"]["_id"].as_str(), config["room"]["_id"].as_str()), (id, room), "{who:?}");
        }
    }
}
