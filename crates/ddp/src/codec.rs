//! DDP frames as texts: reading what clients send, writing what they are sent. Pure.
//!
//! Each frame is one JSON object whose `msg` says what it is.

use serde_json::{Map, Value, json};

/// The versions of the protocol that are spoken, which differ in nothing that is used here.
const VERSIONS: [&str; 3] = ["1", "pre2", "pre1"];

/// The longest name that a client may give or call, in bytes.
const NAME_LIMIT: usize = 1_024;

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientFrame {
    /// It wants to begin; whether it speaks a version that is spoken here.
    Connect {
        /// Whether one of its versions is known.
        is_understood: bool,
    },
    /// It asks whether the server is there.
    Ping {
        /// What the answer has to repeat.
        id: Option<String>,
    },
    /// It is there.
    Pong,
    /// It calls a method.
    Method {
        /// What the answer has to name.
        id: String,
        /// The name of the method.
        name: String,
        /// The parameters.
        parameters: Vec<Value>,
    },
    /// It wants to hear of something.
    Subscribe {
        /// The client's name for the subscription.
        id: String,
        /// What to hear of.
        name: String,
        /// What part of it.
        parameters: Vec<Value>,
    },
    /// It does not want to hear of it any more.
    Unsubscribe {
        /// The client's name for the subscription.
        id: String,
    },
}

/// Why a text is no frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Unreadable {
    /// It is no JSON object: nothing can be answered.
    NoFrame,
    /// What has to name an answer, or what is wanted, is not there.
    Nameless,
    /// It is of no known kind. Gives what was sent.
    Unknown(Value),
}

impl ClientFrame {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// It is no frame that clients send.
    pub fn read(text: &str) -> Result<ClientFrame, Unreadable> {
        let mut frame: Map<String, Value> = serde_json::from_str(text).map_err(|_| Unreadable::NoFrame)?;
        let kind = frame.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "connect" => Ok(ClientFrame::Connect { is_understood: is_understood(&frame) }),
            "ping" => Ok(ClientFrame::Ping { id: text_of(&mut frame, "id").ok() }),
            "pong" => Ok(ClientFrame::Pong),
            "method" => {
                let (id, name) = (text_of(&mut frame, "id")?, text_of(&mut frame, "method")?);
                Ok(ClientFrame::Method { id, name, parameters: parameters(&mut frame) })
            }
            "sub" => {
                let (id, name) = (text_of(&mut frame, "id")?, text_of(&mut frame, "name")?);
                Ok(ClientFrame::Subscribe { id, name, parameters: parameters(&mut frame) })
            }
            "unsub" => Ok(ClientFrame::Unsubscribe { id: text_of(&mut frame, "id")? }),
            _ => Err(Unreadable::Unknown(Value::Object(frame))),
        }
    }
}

/// Whether a client that wants to begin speaks a version that is spoken here.
fn is_understood(frame: &Map<String, Value>) -> bool {
    let supported = frame.get("support").and_then(Value::as_array).into_iter().flatten();
    let mut offered = supported.chain(frame.get("version")).filter_map(Value::as_str);
    offered.any(|version| VERSIONS.contains(&version))
}

/// The text under `key`, which must be neither empty nor longer than a name.
fn text_of(frame: &mut Map<String, Value>, key: &str) -> Result<String, Unreadable> {
    match frame.remove(key) {
        Some(Value::String(text)) if !text.is_empty() && text.len() <= NAME_LIMIT => Ok(text),
        _ => Err(Unreadable::Nameless),
    }
}

/// The parameters; none if they are no list.
fn parameters(frame: &mut Map<String, Value>) -> Vec<Value> {
    match frame.remove("params") {
        Some(Value::Array(parameters)) => parameters,
        _ => Vec::new(),
    }
}

/// What a client is sent before anything else. No client reads it.
pub fn greeting() -> String {
    json!({"server_id": "0"}).to_string()
}

/// The client may begin.
pub fn connected(session: &str) -> String {
    json!({"msg": "connected", "session": session}).to_string()
}

/// No version of the client is spoken here; this one is.
pub fn failed() -> String {
    json!({"msg": "failed", "version": VERSIONS[0]}).to_string()
}

/// Asks whether the client is there.
pub fn ping() -> String {
    json!({"msg": "ping"}).to_string()
}

/// The server is there.
pub fn pong(id: Option<&str>) -> String {
    match id {
        Some(id) => json!({"msg": "pong", "id": id}).to_string(),
        None => json!({"msg": "pong"}).to_string(),
    }
}

/// What a method gave. Nothing is no value: the key is not there.
pub fn result(id: &str, value: Option<&Value>) -> String {
    match value.filter(|value| !value.is_null()) {
        Some(value) => json!({"msg": "result", "id": id, "result": value}).to_string(),
        None => json!({"msg": "result", "id": id}).to_string(),
    }
}

/// Why a method did not happen.
pub fn failure(id: &str, error: &Value) -> String {
    json!({"msg": "result", "id": id, "error": error}).to_string()
}

/// Whatever the method changed has been sent.
pub fn updated(id: &str) -> String {
    json!({"msg": "updated", "methods": [id]}).to_string()
}

/// A subscription is in force.
pub fn ready(id: &str) -> String {
    json!({"msg": "ready", "subs": [id]}).to_string()
}

/// A subscription is not in force (any more).
pub fn no_subscription(id: &str, error: Option<&Value>) -> String {
    match error {
        Some(error) => json!({"msg": "nosub", "id": id, "error": error}).to_string(),
        None => json!({"msg": "nosub", "id": id}).to_string(),
    }
}

/// A frame of the client was of no use.
pub fn error(reason: &str, offending: &Value) -> String {
    json!({"msg": "error", "reason": reason, "offendingMessage": offending}).to_string()
}

/// A document came into a collection.
pub fn added(collection: &str, id: &str, fields: &Value) -> String {
    json!({"msg": "added", "collection": collection, "id": id, "fields": fields}).to_string()
}

/// A document of a collection changed.
pub fn changed(collection: &str, id: &str, fields: &Value) -> String {
    json!({"msg": "changed", "collection": collection, "id": id, "fields": fields}).to_string()
}

/// The same for a document that shows a room as of its change `seq`.
pub fn changed_as_of(collection: &str, id: &str, fields: &Value, seq: i64) -> String {
    json!({"msg": "changed", "collection": collection, "id": id, "fields": fields, "seq": seq}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_of_clients_are_read() {
        let method = ClientFrame::Method { id: "1".to_owned(), name: "login".to_owned(), parameters: vec![json!({"resume": "x"})] };
        let without = ClientFrame::Method { id: "1".to_owned(), name: "logout".to_owned(), parameters: Vec::new() };
        let subscribe = ClientFrame::Subscribe {
            id: "ddp-2".to_owned(),
            name: "stream-room-messages".to_owned(),
            parameters: vec![json!("room"), json!(false)],
        };
        for (text, expected) in [
            (r#"{"msg":"connect","version":"1","support":["1","pre2","pre1"]}"#, ClientFrame::Connect { is_understood: true }),
            (r#"{"msg":"connect","version":"pre1"}"#, ClientFrame::Connect { is_understood: true }),
            (r#"{"msg":"connect","version":"2","support":["2","pre2"]}"#, ClientFrame::Connect { is_understood: true }),
            (r#"{"msg":"connect","version":"2","support":["2"]}"#, ClientFrame::Connect { is_understood: false }),
            (r#"{"msg":"connect"}"#, ClientFrame::Connect { is_understood: false }),
            (r#"{"msg":"ping"}"#, ClientFrame::Ping { id: None }),
            (r#"{"msg":"ping","id":"7"}"#, ClientFrame::Ping { id: Some("7".to_owned()) }),
            (r#"{"msg":"pong","id":"7"}"#, ClientFrame::Pong),
            (r#"{"msg":"method","method":"login","params":[{"resume":"x"}],"id":"1","randomSeed":"s"}"#, method),
            (r#"{"msg":"method","method":"logout","id":"1"}"#, without.clone()),
            (r#"{"msg":"method","method":"logout","id":"1","params":{}}"#, without),
            (r#"{"msg":"sub","id":"ddp-2","name":"stream-room-messages","params":["room",false]}"#, subscribe),
            (r#"{"msg":"unsub","id":"ddp-2"}"#, ClientFrame::Unsubscribe { id: "ddp-2".to_owned() }),
        ] {
            assert_eq!(ClientFrame::read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_frame_is_told_apart() {
        for text in ["", "x", "[]", "7", r#""connect""#, "{", r#"{"msg":"\ud800"}"#] {
            assert_eq!(ClientFrame::read(text), Err(Unreadable::NoFrame), "{text}");
        }
        for text in [
            r#"{"msg":"method","method":"login"}"#,
            r#"{"msg":"method","id":"1"}"#,
            r#"{"msg":"method","id":1,"method":"login"}"#,
            r#"{"msg":"method","id":"","method":"login"}"#,
            r#"{"msg":"sub","id":"1"}"#,
            r#"{"msg":"sub","name":"x"}"#,
            r#"{"msg":"unsub"}"#,
            &format!(r#"{{"msg":"unsub","id":"{}"}}"#, "x".repeat(NAME_LIMIT + 1)),
        ] {
            assert_eq!(ClientFrame::read(text), Err(Unreadable::Nameless), "{text}");
        }
        for text in ["{}", r#"{"msg":"dance"}"#, r#"{"msg":7}"#] {
            assert_eq!(ClientFrame::read(text), Err(Unreadable::Unknown(serde_json::from_str(text).unwrap())), "{text}");
        }
    }

    #[test]
    fn frames_for_clients_have_the_shapes_that_they_know() {
        let parsed = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let refused = json!({"error": "not-allowed"});
        for (frame, expected) in [
            (greeting(), json!({"server_id": "0"})),
            (connected("s"), json!({"msg": "connected", "session": "s"})),
            (failed(), json!({"msg": "failed", "version": "1"})),
            (ping(), json!({"msg": "ping"})),
            (pong(None), json!({"msg": "pong"})),
            (pong(Some("7")), json!({"msg": "pong", "id": "7"})),
            (result("1", Some(&json!(false))), json!({"msg": "result", "id": "1", "result": false})),
            (result("1", Some(&Value::Null)), json!({"msg": "result", "id": "1"})),
            (result("1", None), json!({"msg": "result", "id": "1"})),
            (failure("1", &refused), json!({"msg": "result", "id": "1", "error": {"error": "not-allowed"}})),
            (updated("1"), json!({"msg": "updated", "methods": ["1"]})),
            (ready("2"), json!({"msg": "ready", "subs": ["2"]})),
            (no_subscription("2", None), json!({"msg": "nosub", "id": "2"})),
            (no_subscription("2", Some(&refused)), json!({"msg": "nosub", "id": "2", "error": {"error": "not-allowed"}})),
            (error("Bad request", &json!({})), json!({"msg": "error", "reason": "Bad request", "offendingMessage": {}})),
            (added("c", "id", &json!({"a": 1})), json!({"msg": "added", "collection": "c", "id": "id", "fields": {"a": 1}})),
            (changed("c", "id", &json!({"a": 1})), json!({"msg": "changed", "collection": "c", "id": "id", "fields": {"a": 1}})),
        ] {
            assert_eq!(parsed(frame), expected);
        }
    }

    proptest! {
        /// Whatever is sent is read or refused.
        #[test]
        fn nothing_that_is_sent_breaks_the_reading(text in "\\PC*") {
            let _ = ClientFrame::read(&text);
        }

        /// Calls come out as they were put in, whatever their names are.
        #[test]
        fn calls_come_out_as_they_went_in(id in "\\PC+", name in "\\PC+", texts in proptest::collection::vec("\\PC*", 0..4)) {
            let parameters: Vec<Value> = texts.into_iter().map(Value::from).collect();
            let text = json!({"msg": "method", "id": &id, "method": &name, "params": &parameters}).to_string();
            prop_assert_eq!(ClientFrame::read(&text), Ok(ClientFrame::Method { id, name, parameters }));
        }
    }
}
