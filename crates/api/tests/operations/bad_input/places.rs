//! The tables: at which places of which requests bad values are tried, and which of them are answered 200 there.

use std::fmt;

use serde_json::{Value, json};
use usher_testkit::application::PASSWORD;

use super::Stage;

/// A place in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// In the body; empty for the body itself.
    Body(&'static str),
    /// In the query.
    Query(&'static str),
    /// In the path.
    Path(&'static str),
    /// A header.
    Header(&'static str),
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Body(place) => write!(formatter, "body {place}"),
            At::Query(name) => write!(formatter, "query {name}"),
            At::Path(name) => write!(formatter, "path {name}"),
            At::Header(name) => write!(formatter, "header {name}"),
        }
    }
}

/// A place, and the bad values that are answered 200 there. All others are answered 4xx.
pub struct Place {
    /// The place.
    pub at: At,
    /// The names of the values.
    pub accepts: &'static [&'static str],
}

/// A request with nothing bad in it.
#[derive(Default)]
pub struct Given {
    /// The value in the path.
    pub path: String,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// The body, if the operation takes one.
    pub body: Option<Value>,
}

/// A form in which an operation can be called.
pub struct Form {
    /// Method and path.
    pub operation: &'static str,
    /// The request with nothing bad in it.
    pub given: fn(&Stage) -> Given,
    /// Whether it has to come from somebody who is logged in.
    pub is_logged_in: bool,
    /// Whether every request needs a new visitor, `fresh-` and the request's number.
    pub is_consuming: bool,
    /// Where bad values are tried.
    pub places: &'static [Place],
}

impl Form {
    const fn new(operation: &'static str, given: fn(&Stage) -> Given, places: &'static [Place]) -> Form {
        Form { operation, given, is_logged_in: false, is_consuming: false, places }
    }
}

const fn body(place: &'static str, accepts: &'static [&'static str]) -> Place {
    Place { at: At::Body(place), accepts }
}

const fn query(name: &'static str, accepts: &'static [&'static str]) -> Place {
    Place { at: At::Query(name), accepts }
}

const fn path(name: &'static str) -> Place {
    Place { at: At::Path(name), accepts: NOTHING }
}

const fn header(name: &'static str, accepts: &'static [&'static str]) -> Place {
    Place { at: At::Header(name), accepts }
}

/// It selects or proves something: nothing bad does.
const NOTHING: &[&str] = &[];

/// A text that may be left out, blank or anything, and nothing but a text.
const TEXT: &[&str] = &["missing", "empty", "blank", "injection"];

/// A text that has to be there, and nothing but a text.
const REQUIRED_TEXT: &[&str] = &["empty", "blank", "injection"];

/// A text that has to be there, and what becomes one.
const SCALAR: &[&str] = &["null", "empty", "blank", "number", "fraction", "2^63", "boolean", "injection"];

/// A text that may be left out, and what becomes one.
const OPTIONAL_SCALAR: &[&str] = &["missing", "null", "empty", "blank", "number", "fraction", "2^63", "boolean", "injection"];

/// A truth value that has to be there, and what becomes one.
const BOOLEAN: &[&str] = &["null", "boolean"];

/// Any text in a query, for what is looked at by nobody.
const QUERY_TEXT: &[&str] = &["missing", "bare", "empty", "blank", "number", "negative", "2^63", "1e999", "boolean", "injection"];

/// Nothing in a query, in its three spellings: as if it were not there.
const ABSENT: &[&str] = &["missing", "bare", "empty"];

/// A whole number in a query.
const WHOLE_NUMBER: &[&str] = &["missing", "number", "negative"];

/// A header without which the request is as good.
const HEADER: &[&str] =
    &["missing", "empty", "blank", "number", "injection", "operator", "invalid UTF-8", "not ASCII", "many parts", "long text"];

/// Adds the headers that any request may have, which prove nothing to an operation that asks for no login.
macro_rules! and_headers {
    ($($place:expr),* $(,)?) => {
        &[
            $($place,)*
            header("user-agent", HEADER),
            header("host", HEADER),
            header("cookie", HEADER),
            header("x-real-ip", HEADER),
            header("x-forwarded-for", HEADER),
            header("x-user-id", HEADER),
            header("x-auth-token", HEADER),
            header("x-visitor-token", HEADER),
        ]
    };
}

/// All forms of all operations.
pub const FORMS: &[Form] = &[
    Form::new("GET /api/v1/livechat/visitor/{token}", |_| own_path(), and_headers![path("token")]),
    Form { is_consuming: true, ..Form::new("DELETE /api/v1/livechat/visitor/{token}", fresh_path, and_headers![path("token")]) },
    // After those above: some of what registers here is as bad a token as they try.
    Form::new(
        "POST /api/v1/livechat/visitor",
        registration,
        and_headers![
            body("", NOTHING),
            body("/visitor", NOTHING),
            // A text that nobody has as a token is a new visitor's token.
            body("/visitor/token", &["injection"]),
            body("/visitor/id", TEXT),
            body("/visitor/name", TEXT),
            body("/visitor/email", TEXT),
            body("/visitor/phone", TEXT),
            body("/visitor/username", TEXT),
            body("/visitor/department", &["missing", "empty", "blank"]),
            body("/visitor/customFields", &["missing", "empty list"]),
            body("/visitor/customFields/0", &["missing"]),
            body("/visitor/customFields/0/key", REQUIRED_TEXT),
            body("/visitor/customFields/0/value", REQUIRED_TEXT),
            body("/visitor/customFields/0/overwrite", &["missing", "boolean"]),
            header("content-type", NOTHING),
        ],
    ),
    Form::new(
        "POST /api/v1/livechat/message",
        message,
        and_headers![
            body("", NOTHING),
            body("/token", NOTHING),
            body("/rid", NOTHING),
            body("/msg", SCALAR),
            body("/_id", OPTIONAL_SCALAR),
            body("/agent", &["missing"]),
            body("/agent/agentId", SCALAR),
            body("/agent/username", SCALAR),
            header("content-type", NOTHING),
        ],
    ),
    Form::new(
        "POST /api/v1/livechat/custom.field",
        |_| own_value(json!({"token": "token-1", "key": "shoe", "value": "42", "overwrite": true})),
        and_headers![
            body("", NOTHING),
            body("/token", NOTHING),
            body("/key", NOTHING),
            body("/value", SCALAR),
            body("/overwrite", BOOLEAN),
            header("content-type", NOTHING),
        ],
    ),
    Form::new(
        "POST /api/v1/livechat/custom.fields",
        |_| own_value(json!({"token": "token-1", "customFields": [{"key": "shoe", "value": "42", "overwrite": true}]})),
        and_headers![
            body("", NOTHING),
            body("/token", NOTHING),
            body("/customFields", NOTHING),
            body("/customFields/0", NOTHING),
            body("/customFields/0/key", NOTHING),
            body("/customFields/0/value", SCALAR),
            body("/customFields/0/overwrite", BOOLEAN),
            header("content-type", NOTHING),
        ],
    ),
    Form::new(
        "GET /api/v1/livechat/messages.history/{rid}",
        history,
        and_headers![
            path("rid"),
            query("token", NOTHING),
            query("limit", WHOLE_NUMBER),
            query("offset", WHOLE_NUMBER),
            query("count", WHOLE_NUMBER),
            query("end", ABSENT),
            query("ls", QUERY_TEXT),
            query("searchText", QUERY_TEXT),
            query("sort", QUERY_TEXT),
            query("unknown", &["missing"]),
        ],
    ),
    Form::new(
        "GET /api/v1/livechat/room",
        own_room,
        and_headers![
            query("token", NOTHING),
            query("rid", ABSENT),
            query("agentId", QUERY_TEXT),
            query("sla", QUERY_TEXT),
            query("priority", QUERY_TEXT),
            query("unknown", &["missing"]),
        ],
    ),
    // Where a room has to be opened, service level and priority select something.
    Form {
        is_consuming: true,
        ..Form::new("GET /api/v1/livechat/room", fresh_room, &[query("sla", ABSENT), query("priority", ABSENT)])
    },
    Form::new(
        "GET /api/v1/livechat/config",
        |_| own_query(),
        and_headers![query("token", QUERY_TEXT), query("department", QUERY_TEXT), query("businessUnit", QUERY_TEXT),],
    ),
    Form::new(
        "POST /api/v1/login",
        |_| login(json!({"user": "admin", "password": PASSWORD})),
        &[body("", NOTHING), body("/user", NOTHING), body("/password", NOTHING), header("content-type", NOTHING)],
    ),
    Form::new(
        "POST /api/v1/login",
        |_| login(json!({"user": {"username": "admin"}, "password": digest("digest")})),
        &[body("/user/username", NOTHING), body("/password/digest", NOTHING), body("/password/algorithm", &["missing"])],
    ),
    Form::new(
        "POST /api/v1/login",
        |_| login(json!({"user": {"email": "admin@example.com"}, "password": digest("hashed")})),
        &[body("/user/email", NOTHING), body("/password/hashed", NOTHING)],
    ),
    Form::new("POST /api/v1/login", |_| login(json!({"username": "admin", "password": PASSWORD})), &[body("/username", NOTHING)]),
    Form::new(
        "POST /api/v1/login",
        |_| login(json!({"email": "admin@example.com", "password": PASSWORD})),
        &[body("/email", NOTHING)],
    ),
    Form::new("POST /api/v1/login", |stage| login(json!({"resume": stage.login.token})), and_headers![body("/resume", NOTHING)]),
    logged_in("GET /api/v1/me"),
    logged_in("POST /api/v1/logout"),
    logged_in("GET /api/v1/logout"),
];

/// An operation that takes nothing but a login.
const fn logged_in(operation: &'static str) -> Form {
    const PLACES: &[Place] = &[header("x-user-id", NOTHING), header("x-auth-token", NOTHING)];
    Form { is_logged_in: true, ..Form::new(operation, |_| Given::default(), PLACES) }
}

fn registration(stage: &Stage) -> Given {
    let name = |what: &str| format!("{what}-{}", stage.number);
    let field = json!({"key": "size", "value": "42", "overwrite": true});
    let members = json!({
        "token": name("token"),
        "id": name("id"),
        "name": name("name"),
        "email": name("email"),
        "phone": name("phone"),
        "username": name("username"),
        "department": "",
        "customFields": [field],
    });
    Given { body: Some(json!({"visitor": members})), ..Given::default() }
}

fn own_path() -> Given {
    Given { path: "token-1".to_owned(), ..Given::default() }
}

fn fresh_path(stage: &Stage) -> Given {
    Given { path: format!("fresh-{}", stage.number), ..Given::default() }
}

fn message(stage: &Stage) -> Given {
    let agent = json!({"agentId": "agent", "username": "agent"});
    let id = format!("message-{}", stage.number);
    let body = json!({"token": "token-1", "rid": stage.room, "msg": "Hello", "_id": id, "agent": agent});
    Given { body: Some(body), ..Given::default() }
}

fn own_value(body: Value) -> Given {
    Given { body: Some(body), ..Given::default() }
}

fn own_query() -> Given {
    Given { query: vec![("token", "token-1".to_owned())], ..Given::default() }
}

fn history(stage: &Stage) -> Given {
    Given { path: stage.room.clone(), ..own_query() }
}

fn own_room(stage: &Stage) -> Given {
    let query = vec![("token", "token-1".to_owned()), ("rid", stage.room.clone())];
    Given { query, ..Given::default() }
}

fn fresh_room(stage: &Stage) -> Given {
    Given { query: vec![("token", format!("fresh-{}", stage.number))], ..Given::default() }
}

fn login(body: Value) -> Given {
    Given { body: Some(body), ..Given::default() }
}

/// The administrator's password as clients send its digest.
fn digest(member: &str) -> Value {
    json!({member: crate::authentication::DIGEST, "algorithm": "sha-256"})
}
