//! What each operation keeps of what it is sent, and that erasing leaves nothing of it but what is about staff.
//!
//! A mark of its own is put into every place that the document names, one place at a time. `traces.txt` says of each place what becomes of
//! its mark: it is kept and gone once all visitors are erased (`erased`), it `stays` because it is no visitor's, it `passes` because nothing
//! keeps it, or it is `refused` because it cannot be there. A place that is not in the table, such as a new one, fails the test with the
//! line that is missing.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp};

use crate::bad_input::accepted::Stage;
use crate::bad_input::members;
use crate::files::{kept as files_of, tidy};
use crate::permissions::grant;
use crate::requests::{Good, Subject, address, good, insert_field, names_in};
use crate::support::{KEEP_CONNECTION, VISITOR, column, rows, tamper, with_removal};

const TABLE: &str = include_str!("traces.txt");

/// A custom field of visitors.
const VISITOR_FIELD: &str = "wish";

/// A custom field of rooms.
const ROOM_FIELD: &str = "order";

/// What becomes of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Erased,
    Stays,
    Passes,
    Refused,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Fate::Erased => "erased",
            Fate::Stays => "stays",
            Fate::Passes => "passes",
            Fate::Refused => "refused",
        }
    }
}

/// A text that is nowhere else, in any case of its letters.
fn mark(number: usize) -> String {
    format!("zq7mark{number:05}z")
}

/// Every place of every operation that the document names, as `METHOD /path in name`.
fn places() -> Vec<(String, String)> {
    let document = serde_json::to_value(usher_api::document()).expect("a document is JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            let mut places = BTreeSet::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let text = |member: &str| parameter[member].as_str().expect("a parameter has a place and a name");
                places.insert(format!("{} {}", text("in"), text("name")));
            }
            for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|contents| contents.values()) {
                members(&content["schema"], &document, "", &mut places);
            }
            let name = format!("{} {path}", method.to_uppercase());
            found.extend(places.into_iter().map(|place| (name.clone(), place)));
        }
    }
    found
}

/// The values that are tried in a body: the mark as a text, as an address of mail and one of the web, and within lists and objects.
fn values(mark: &str) -> [Value; 7] {
    [
        json!([{"title": mark, "text": mark}]),
        json!({VISITOR_FIELD: mark, ROOM_FIELD: mark}),
        json!(mark),
        json!(format!("{mark}@example.org")),
        json!(format!("https://example.org/{mark}")),
        json!([mark]),
        json!({mark: mark}),
    ]
}

/// The request that a mark is put into: with everything that it takes for other things to be looked at.
fn full(operation: &str, about: &Subject) -> Good {
    let request = good(operation, about);
    let body = match operation.split_once("/api/v1/").map_or("", |(_, name)| name) {
        "livechat/visitor" => json!({"visitor": {
            "token": format!("new {}", about.number),
            "customFields": [{"key": VISITOR_FIELD, "value": "blue", "overwrite": true}],
        }}),
        "livechat/room.survey" => {
            let answers = json!([{"name": "additionalFeedback", "value": "Good"}]);
            json!({"rid": about.room, "token": about.token, "data": answers})
        }
        "livechat/room.closeByUser" => {
            let transcript = json!({"sendToVisitor": true, "requestData": {"email": "mary@example.com", "subject": "Chat"}});
            json!({"rid": about.room, "comment": "Done", "transcriptEmail": transcript})
        }
        "chat.postMessage" => json!({"roomId": about.room}),
        _ => return request,
    };
    Good { body: Some(body), ..request }
}

/// A good request with a mark at a place, in each of the ways in which it can be there.
fn marked(operation: &str, place: &str, good: &Good, mark: &str) -> Vec<Good> {
    match place.split_once(' ').expect("a place has a kind and a name") {
        ("query", name) => {
            let name: &'static str = name.to_owned().leak();
            let others = good.query.iter().filter(|(known, _)| *known != name).cloned();
            vec![Good { query: others.chain([(name, mark.to_owned())]).collect(), ..good.clone() }]
        }
        ("path", name) => {
            let names = names_in(operation).into_iter();
            let path = names.zip(&good.path).map(|(known, value)| if known == name { mark.to_owned() } else { value.clone() });
            vec![Good { path: path.collect(), ..good.clone() }]
        }
        ("body", "/file") => {
            let form = Form::file(&format!("{mark}.txt"), "text/plain", mark.as_bytes());
            vec![Good { form: Some(form), ..good.clone() }]
        }
        ("body", member) if good.form.is_some() => {
            let form = good.form.clone().map(|form| form.with_text(member.trim_start_matches('/'), mark));
            vec![Good { form, ..good.clone() }]
        }
        ("body", pointer) => {
            let bodies = values(mark).map(|value| {
                let mut body = good.body.clone().unwrap_or_else(|| json!({}));
                put(&mut body, pointer, value);
                body
            });
            bodies.map(|body| Good { body: Some(body), ..good.clone() }).into()
        }
        // A header says who calls.
        _ => vec![Good { visitor_token: Some(mark.to_owned()), ..good.clone() }],
    }
}

/// Puts a value at a place, and makes what is missing on the way there.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for step in pointer.split('/').skip(1) {
        if step == "0" {
            if at.as_array().is_none_or(Vec::is_empty) {
                *at = json!([{}]);
            }
            at = &mut at[0];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[step];
        }
    }
    *at = value;
}

/// All that an application keeps, as one text.
async fn all_kept(app: &TestApp) -> String {
    let rows = rows(app).await.into_values().flatten();
    let files = files_of(app).into_iter().flat_map(|name| {
        let bytes = std::fs::read(app.files.path().join(&name)).expect("files can be read");
        [name, String::from_utf8_lossy(&bytes).into_owned()]
    });
    rows.chain(files).collect::<Vec<_>>().join("\n").to_lowercase()
}

/// Erases everybody who is a visitor, or becomes one now with what is known of somebody.
async fn erase_everybody(stage: &mut Stage) {
    tamper(&stage.app, "UPDATE holds SET ends_at = 0").await;
    for (number, email) in column(&stage.app, "SELECT DISTINCT about FROM mails").await.into_iter().enumerate() {
        let visitor = json!({"visitor": {"token": format!("who wrote {number}"), "email": email}});
        stage.app.post(VISITOR, &visitor).await.ok();
    }
    for token in column(&stage.app, "SELECT DISTINCT token FROM page_visits").await {
        stage.app.post(VISITOR, &json!({"visitor": {"token": token}})).await.ok();
    }
    for contact in column(&stage.app, "SELECT id FROM contacts").await {
        // Whoever called may be logged out by now.
        stage.prepare("").await;
        let path = format!("/api/v1/usher/contacts/{}/erase", crate::support::encoded(&contact));
        stage.app.call(Method::POST, &path).as_user(&stage.caller).json(&json!({"reason": "asked-for"})).send().await.ok();
    }
    for token in column(&stage.app, "SELECT token FROM visitors").await {
        stage.app.delete(&format!("{VISITOR}/{}", crate::support::encoded(&token))).await.ok();
    }
    tidy(&stage.app).await;
}

/// An application in which nothing is refused for want of a setting, a custom field, a permission or a domain that takes mail.
async fn stage(engine: &Engine) -> Stage {
    let setup = with_removal().setting(KEEP_CONNECTION, "true").setting("Livechat_offline_email", "office@example.com");
    let stage = Stage::with(setup, engine).await;
    insert_field(&stage.app, VISITOR_FIELD, Scope::Visitor).await;
    insert_field(&stage.app, ROOM_FIELD, Scope::Room).await;
    grant(&stage.app, &stage.caller, "message-impersonate", &["admin"]).await;
    stage.app.exchanges.add("example.org");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_visitors_is_erased_with_them() {
    let places = places();
    for engine in Engine::all() {
        let mut stage = stage(&engine).await;
        let (mut is_refused, mut kept) = (BTreeMap::new(), BTreeSet::new());
        for (number, (operation, place)) in places.iter().enumerate() {
            let mut subject = None;
            for way in 0.. {
                let about = match subject.take() {
                    Some(subject) => subject,
                    None => stage.prepare(operation).await,
                };
                let ways = marked(operation, place, &full(operation, &about), &mark(number));
                let Some(request) = ways.get(way) else { break };
                let method: Method = operation.split(' ').next().and_then(|name| name.parse().ok()).expect("it is a method");
                let mut call = stage.app.call(method, &address(operation, request));
                if operation != "POST /api/v1/users.register" {
                    call = call.as_user(&stage.caller);
                }
                let status = request.send(call).await.status.as_u16();
                assert!(status < 500, "{operation} {place}: {status}");
                if status < 400 {
                    is_refused.insert(number, false);
                    if all_kept(&stage.app).await.contains(&mark(number)) {
                        kept.insert(number);
                    }
                } else {
                    is_refused.entry(number).or_insert(true);
                    subject = Some(about);
                }
            }
        }
        erase_everybody(&mut stage).await;
        let after = all_kept(&stage.app).await;
        let fate = |number: usize| match (is_refused[&number], kept.contains(&number), after.contains(&mark(number))) {
            (true, false, false) => Fate::Refused,
            (false, false, false) => Fate::Passes,
            (_, true, false) => Fate::Erased,
            (_, _, true) => Fate::Stays,
        };
        let lines: Vec<String> =
            (0..places.len()).map(|number| format!("{} {}: {}", places[number].0, places[number].1, fate(number).name())).collect();
        let expected: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let missing: Vec<&String> = lines.iter().filter(|line| !expected.contains(&line.as_str())).collect();
        let wrong: Vec<&&str> = expected.iter().filter(|line| !lines.iter().any(|known| known == *line)).collect();
        assert!(missing.is_empty() && wrong.is_empty(), "traces.txt lacks:\n{missing:#?}\nand says what is not so:\n{wrong:#?}");
    }
}
