//! Who may call what: every operation of the document by every kind of caller, against a table that was thought about.
//!
//! The table is `access.txt`. What it says is held against what the application answers and against what its document declares; a
//! new operation fails here until it has a row. Callers differ in what they present and in nothing else. Each refusal is followed
//! by the same request from somebody who may, which must be let through: what was refused was the caller.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::http::Method;
use serde_json::Value;
use usher_services::logins::Account;
use usher_testkit::TestApp;
use usher_testkit::application::{Call, Login, Reply};
use usher_testkit::engines::Engine;

use crate::requests::{Subject, account, address, good, insert_file, is_about_messages, log_in_again, person};
use crate::support::{KEEP_CONNECTION, plain, usual, with_removal};

/// The table.
const TABLE: &str = include_str!("access.txt");

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Somebody who presents nothing that anybody has.
    Anonymous,
    /// A visitor with a token and a room of its own, who wants what is another visitor's.
    AnotherVisitor,
    /// The visitor whose record, room and messages these are.
    TheVisitor,
    /// Somebody with an account and no more.
    User,
    /// Who talks to visitors.
    Agent,
    /// Who watches over them.
    Monitor,
    /// Who manages them.
    Manager,
    /// Who administers the server.
    Administrator,
}

/// Everybody, in the order of the table's columns.
const CALLERS: [Who; 8] =
    [Who::Anonymous, Who::AnotherVisitor, Who::TheVisitor, Who::User, Who::Agent, Who::Monitor, Who::Manager, Who::Administrator];

impl Who {
    /// The name of the account and its roles, of those who have one.
    fn user(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Who::Anonymous | Who::AnotherVisitor | Who::TheVisitor => None,
            Who::User => Some(("user", &["user"])),
            Who::Agent => Some(("agent", &["livechat-agent", "user"])),
            Who::Monitor => Some(("monitor", &["livechat-monitor", "user"])),
            Who::Manager => Some(("manager", &["livechat-manager", "user"])),
            Who::Administrator => Some(("administrator", &["admin", "user"])),
        }
    }
}

/// A row of the table.
struct Row {
    access: String,
    cells: Vec<String>,
    needs: String,
}

/// The rows by operation.
fn table() -> BTreeMap<String, Row> {
    let rows = TABLE.split_once("\n\n").expect("the words come before the rows").1.lines();
    rows.filter(|line| !line.starts_with('#')).map(row).collect()
}

fn row(line: &str) -> (String, Row) {
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut next = || words.next().unwrap_or_else(|| panic!("a row is too short: {line}"));
    let operation = format!("{} {}", next(), next());
    let access = next();
    let cells = CALLERS.iter().map(|_| next()).collect();
    (operation, Row { access, cells, needs: words.collect::<Vec<_>>().join(" ") })
}

/// What the words of the cells stand for: status and text.
fn words() -> Vec<(&'static str, &'static str)> {
    let words = TABLE.split_once("\n\n").expect("the words come before the rows").0.lines();
    let pair = |line: &'static str| line.split_once(' ').map(|(word, meaning)| (word, meaning.trim()));
    words.filter(|line| !line.starts_with('#')).filter_map(pair).collect()
}

/// The cells of those who were let through.
const LET_THROUGH: [&str; 5] = ["yes", "sent", "nothing", "unknown", "no-level"];

fn is_let_through(cell: &str) -> bool {
    LET_THROUGH.contains(&cell)
}

/// An answer as the table writes it; in full where there is no word for it.
fn cell(reply: &Reply) -> String {
    let status = reply.status.as_u16();
    let meaning = match status {
        200 | 307 => status.to_string(),
        _ => format!("{status} {}", reply.body["error"].as_str().unwrap_or("without a text")),
    };
    words().into_iter().find(|(_, known)| *known == meaning).map_or(meaning, |(word, _)| word.to_owned())
}

/// A visitor with a room.
struct Guest {
    id: String,
    token: String,
    room: String,
}

impl Guest {
    async fn new(app: &TestApp, token: String) -> Guest {
        let record = app.register(&token, "Mary").await;
        let room = app.room(&token).await;
        app.message(&token, &room, "Hello").await;
        Guest { id: record["_id"].as_str().expect("a visitor has an id").to_owned(), token, room }
    }
}

/// Everybody.
struct Scene<'a> {
    app: &'a TestApp,
    visitor: Guest,
    other: Guest,
    /// Who logs the others in.
    root: Account,
    logins: BTreeMap<Who, Login>,
    number: usize,
}

impl<'a> Scene<'a> {
    async fn new(app: &'a TestApp) -> Scene<'a> {
        let admin = app.admin().await;
        let root = account(app, &admin).await.expect("the administrator is logged in");
        let mut logins = BTreeMap::new();
        for who in CALLERS {
            if let Some((name, roles)) = who.user() {
                logins.insert(who, person(app, &root, name, roles).await);
            }
        }
        let visitor = Guest::new(app, "visitor-0".to_owned()).await;
        let other = Guest::new(app, "other-0".to_owned()).await;
        Scene { app, visitor, other, root, logins, number: 0 }
    }

    /// Makes what the next call needs: for what belongs to visitors, visitors of its own, so that none stands in the way of the
    /// next.
    async fn prepare(&mut self, operation: &str, who: Who) -> Subject {
        self.number += 1;
        let number = self.number;
        if operation.contains("/livechat/") || is_about_messages(operation) {
            self.visitor = Guest::new(self.app, format!("visitor-{number}")).await;
            self.other = Guest::new(self.app, format!("other-{number}")).await;
        }
        self.keep_logged_in(who).await;
        let caller = match self.logins.get(&who) {
            Some(login) => account(self.app, login).await,
            None => None,
        };
        let subject = Subject { room: self.visitor.room.clone(), ..Subject::numbered(number) };
        subject.prepare(self.app, operation, caller.as_ref()).await;
        if is_about_messages(operation) {
            subject.post_message(self.app, &self.visitor.token, &self.visitor.room).await;
        }
        subject
    }

    /// Logging out was perhaps tried before.
    async fn keep_logged_in(&mut self, who: Who) {
        let Some((name, _)) = who.user() else { return };
        if account(self.app, &self.logins[&who]).await.is_none() {
            let login = log_in_again(self.app, &self.root, name).await;
            self.logins.insert(who, login);
        }
    }

    /// The visitor's token that a caller presents. Those who are no visitors have one of their own for each operation, because some
    /// operations register whoever presents an unknown one.
    fn token(&self, who: Who, operation: &str) -> String {
        match who {
            Who::AnotherVisitor => self.other.token.clone(),
            Who::TheVisitor => self.visitor.token.clone(),
            _ => operation.replace(|character: char| !character.is_ascii_alphanumeric(), "-"),
        }
    }

    /// What a caller puts where the visitor's token is the name of the record: nobody but the visitor knows it, so others try what
    /// they may know.
    fn name(&self, who: Who) -> &str {
        match who {
            Who::TheVisitor => &self.visitor.token,
            Who::Anonymous => "nobody",
            _ => &self.visitor.id,
        }
    }

    /// Adds what a caller presents in headers. Visitors have no login, so they try what they have.
    fn presents<'c>(&self, call: Call<'c>, who: Who) -> Call<'c> {
        let tried = |guest: &Guest| Login { user_id: guest.id.clone(), token: guest.token.clone() };
        match who {
            Who::Anonymous => call,
            Who::AnotherVisitor => call.as_user(&tried(&self.other)),
            Who::TheVisitor => call.as_user(&tried(&self.visitor)),
            _ => call.as_user(&self.logins[&who]),
        }
    }

    /// Makes a call to an operation: for what belongs to the visitor, with what `who` presents.
    async fn call(&self, operation: &str, subject: &Subject, who: Who) -> Reply {
        let subject = Subject {
            token: self.token(who, operation),
            name: self.name(who).to_owned(),
            room: self.visitor.room.clone(),
            ..subject.clone()
        };
        let good = good(operation, &subject);
        let call = self.presents(self.app.call(method_of(operation), &address(operation, &good)), who);
        good.send(call).await
    }
}

fn method_of(operation: &str) -> Method {
    operation.split(' ').next().and_then(|method| method.parse().ok()).expect("it begins with a method")
}

/// The operations of the document: by name, who may call and which permissions are declared, as the table writes it.
fn declared() -> BTreeMap<String, (String, String)> {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    let mut found = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            let access = operation["x-usher-access"].as_str().expect("every operation says who may call").to_owned();
            found.insert(format!("{} {path}", method.to_uppercase()), (access, needs(&operation["x-usher-permissions"])));
        }
    }
    found
}

/// `all: a, b` or `any: a, b`; nothing if a login is enough.
fn needs(declared: &Value) -> String {
    let lists = declared.as_object().into_iter().flatten().map(|(word, ids)| {
        let ids = ids.as_array().into_iter().flatten().map(|id| id.as_str().expect("a permission has an id"));
        format!("{word}: {}", ids.collect::<Vec<_>>().join(", "))
    });
    lists.collect()
}

/// The ids in what [`needs`] gives.
fn ids(needs: &str) -> Vec<String> {
    let ids = needs.split_once(": ").map_or("", |(_, ids)| ids);
    ids.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_operation_has_a_row_that_says_what_its_document_says() {
    let (table, declared) = (table(), declared());
    for (name, (access, needs)) in &declared {
        let row = table.get(name).unwrap_or_else(|| panic!("{name} has no row in access.txt: say who may call it"));
        assert_eq!((&row.access, &row.needs), (access, needs), "{name}");
    }
    for name in table.keys() {
        assert!(declared.contains_key(name), "{name} is in access.txt, but no operation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says() {
    for engine in Engine::all() {
        let app = with_removal().setting(KEEP_CONNECTION, "true").start(&engine).await;
        let mut scene = Scene::new(&app).await;
        let (mut actual, expected) = (String::new(), table());
        for (operation, (access, needs)) in declared() {
            let mut cells = Vec::new();
            for who in CALLERS {
                let subject = scene.prepare(&operation, who).await;
                let cell = cell(&scene.call(&operation, &subject, who).await);
                if !is_let_through(&cell) {
                    check_permitted(&mut scene, &operation, &subject, expected.get(&operation), who).await;
                }
                cells.push(cell);
            }
            let (method, path) = operation.split_once(' ').expect("an operation is a method and a path");
            let cells: String = cells.iter().map(|cell| format!("{cell:<11}")).collect();
            let line = format!("{method:<6} {path:<43} {access:<8} {cells}{needs}");
            writeln!(actual, "{}", line.trim_end()).expect("a text takes text");
        }
        let rows: Vec<&str> = TABLE.lines().filter(|line| line.contains(" /api/")).collect();
        assert!(rows == actual.lines().collect::<Vec<_>>(), "access.txt does not say what is answered, which is:\n{actual}");
    }
}

/// Checks that somebody who may gets through with the request for which `refused` was refused.
async fn check_permitted(scene: &mut Scene<'_>, operation: &str, subject: &Subject, row: Option<&Row>, refused: Who) {
    let Some(row) = row else { return };
    let permitted = CALLERS.into_iter().zip(&row.cells).rev().find(|(_, cell)| is_let_through(cell)).map(|(who, _)| who);
    let permitted = permitted.unwrap_or_else(|| panic!("{operation}: nobody may call it"));
    scene.keep_logged_in(permitted).await;
    if let Some(caller) = scene.logins.get(&permitted) {
        // Personal tokens belong to whoever made them, files that no message shows to whoever sent them.
        let caller = account(scene.app, caller).await;
        if operation.contains("/rooms.mediaConfirm/") {
            let (file, sender) = (format!("file-{}", subject.number), &caller.as_ref().expect("it is logged in").user.id);
            insert_file(scene.app, &file, &subject.room, sender).await;
        }
        if operation.contains("PersonalAccessToken") {
            let mine = format!("mine-{}", subject.number);
            let made = scene.app.services.create_personal_token(&caller.expect("it is logged in"), mine, false).await;
            made.expect("whoever is permitted may have tokens");
        }
    }
    let reply = scene.call(operation, subject, permitted).await;
    assert!(is_let_through(&cell(&reply)), "{operation} by {permitted:?}, after {refused:?} was refused: {}", reply.body);
}

/// Takes these permissions from every role; gives who held them.
async fn take_away(app: &TestApp, ids: &[String]) -> Vec<(String, Vec<String>)> {
    let held = app.services.permissions(None).await.expect("permissions can be read").into_iter();
    let held: Vec<_> = held.filter(|held| ids.contains(&held.id)).map(|held| (held.id, held.roles)).collect();
    assert_eq!(held.len(), ids.len(), "every one of {ids:?} exists");
    give_back(app, held.iter().map(|(id, _)| (id.clone(), Vec::new())).collect()).await;
    held
}

async fn give_back(app: &TestApp, held: Vec<(String, Vec<String>)>) {
    app.services.set_permissions(held).await.expect("permissions can be changed");
}

/// Nobody is exempt from a declared permission, administrators neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_declared_permission_that_nobody_holds_is_missed_by_the_administrator() {
    let refusal = plain("User does not have the permissions required for this action [error-unauthorized]");
    for engine in Engine::all() {
        let app = with_removal().start(&engine).await;
        let mut scene = Scene::new(&app).await;
        for (operation, (_, needs)) in declared().into_iter().filter(|(_, (_, needs))| !needs.is_empty()) {
            let who = Who::Administrator;
            let subject = scene.prepare(&operation, who).await;
            let ids = ids(&needs);
            let held = take_away(&app, &ids).await;
            scene.call(&operation, &subject, who).await.is(403, &refusal);
            for (id, roles) in &held {
                give_back(&app, vec![(id.clone(), roles.clone())]).await;
                let reply = scene.call(&operation, &subject, who).await;
                let is_enough = ids.len() == 1 || needs.starts_with("any");
                assert_eq!(reply.status.as_u16() != 403, is_enough, "{operation} with {id} alone: {}", reply.body);
                take_away(&app, std::slice::from_ref(id)).await;
            }
            give_back(&app, held).await;
            let subject = scene.prepare(&operation, who).await;
            assert!(is_let_through(&cell(&scene.call(&operation, &subject, who).await)), "{operation}");
        }
    }
}

/// Permissions that an operation asks for by itself, because what is refused is told in other words: with the answer to whoever
/// lacks it.
const ASKED_INSIDE: [(&str, &[&str], &str); 23] = [
    ("POST /api/v1/chat.delete", &["delete-message", "force-delete-message"], "no-delete"),
    ("POST /api/v1/chat.pinMessage", &["pin-message"], "no-pin"),
    ("POST /api/v1/chat.sendMessage", &["view-livechat-rooms"], "unreadable"),
    ("POST /api/v1/chat.update", &["edit-message"], "no-edit"),
    ("GET /api/v1/livechat/rooms", &["view-livechat-rooms"], "no-other"),
    ("POST /api/v1/livechat/room.closeByUser", &["close-others-livechat-room"], "not-member"),
    ("POST /api/v1/livechat/room.saveInfo", &["save-others-livechat-room-info"], "no-other"),
    ("GET /api/v1/livechat/users/{type}", &["edit-omnichannel-contact", "transfer-livechat-guest"], "permission"),
    ("POST /api/v1/livechat/agent.status", &["manage-livechat-agents"], "no-other"),
    ("POST /api/v1/roles.addUserToRole", &["access-permissions"], "no-access"),
    ("POST /api/v1/roles.create", &["access-permissions"], "no-access"),
    ("POST /api/v1/roles.update", &["access-permissions"], "no-access"),
    ("POST /api/v1/settings", &["edit-privileged-setting"], "no-setting"),
    ("POST /api/v1/users.create", &["create-user"], "no-adding"),
    ("POST /api/v1/users.createToken", &["user-generate-access-token"], "no-token"),
    ("POST /api/v1/users.generatePersonalAccessToken", &["create-personal-access-tokens"], "no-tokens"),
    ("POST /api/v1/users.regeneratePersonalAccessToken", &["create-personal-access-tokens"], "no-tokens"),
    ("GET /api/v1/users.getPersonalAccessTokens", &["create-personal-access-tokens"], "no-tokens"),
    ("POST /api/v1/users.removePersonalAccessToken", &["create-personal-access-tokens"], "no-tokens"),
    ("POST /api/v1/users.logout", &["logout-other-user"], "no-other"),
    ("POST /api/v1/users.setPreferences", &["edit-other-user-info"], "no-editing"),
    ("POST /api/v1/users.setStatus", &["edit-other-user-info"], "no-other"),
    ("POST /api/v1/users.update", &["edit-other-user-info"], "no-editing"),
];

#[tokio::test(flavor = "multi_thread")]
async fn so_is_one_that_is_asked_for_inside() {
    for engine in Engine::all() {
        let app = with_removal().start(&engine).await;
        let mut scene = Scene::new(&app).await;
        for (operation, permissions, expected) in ASKED_INSIDE {
            let subject = scene.prepare(operation, Who::Administrator).await;
            let ids: Vec<String> = permissions.iter().map(|id| (*id).to_owned()).collect();
            let held = take_away(&app, &ids).await;
            let reply = scene.call(operation, &subject, Who::Administrator).await;
            assert_eq!(cell(&reply), expected, "{operation} without {permissions:?}");
            give_back(&app, held).await;
            let reply = scene.call(operation, &subject, Who::Administrator).await;
            assert_eq!(cell(&reply), "yes", "{operation} with {permissions:?}: {}", reply.body);
        }
    }
}

/// What everybody may ask still shows everybody only what is their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_shows_only_ones_own_record() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mut scene = Scene::new(&app).await;
        let operation = "GET /api/v1/livechat/config";
        for who in CALLERS {
            let subject = scene.prepare(operation, who).await;
            let guest = match who {
                Who::AnotherVisitor => Some(&scene.other),
                Who::TheVisitor => Some(&scene.visitor),
                _ => None,
            };
            let expected = (guest.map(|guest| guest.id.clone()), guest.map(|guest| guest.room.clone()));
            let config = scene.call(operation, &subject, who).await.ok()["config"].clone();
            let shown = |member: &str| config[member]["_id"].as_str().map(str::to_owned);
            assert_eq!((shown("guest"), shown("room")), expected, "{who:?}");
        }
    }
}
