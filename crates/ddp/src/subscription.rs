//! What a client wants to hear, as its `sub` frame says it. Pure.

use serde_json::Value;
use usher_domain::{Stream, Topic};
use usher_services::realtime::Credentials;

/// Publications that clients of the platform ask for right after they have connected. There is nothing in them here.
const EMPTY: [&str; 4] = ["meteor.loginServiceConfiguration", "meteor_autoupdate_clientVersions", "userData", "activeUsers"];

/// The most characters of an event's name, and of a user's id.
const EVENT_LIMIT: usize = 256;

/// What a client wants to hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Nothing that ever comes.
    Empty,
    /// A topic.
    Topic {
        /// Which.
        topic: Topic,
        /// Whether the client waits for an `added` frame first.
        is_collection: bool,
        /// What it shows besides.
        shown: Credentials,
    },
    /// Whether some users are there, those and no others any more.
    Presence {
        /// Whom to hear of besides.
        added: Vec<String>,
        /// Whom not to hear of any more.
        removed: Vec<String>,
    },
    /// Something without a name.
    Nameless,
    /// There is no such publication.
    Unknown,
}

impl Wanted {
    /// Reads what a client wants.
    pub fn read(name: &str, parameters: &[Value]) -> Wanted {
        if EMPTY.contains(&name) {
            return Wanted::Empty;
        }
        let Some(stream) = Stream::from_name(name) else { return Wanted::Unknown };
        let options = parameters.get(1);
        if stream == Stream::UserPresence {
            return Wanted::Presence { added: ids(options, "added"), removed: ids(options, "removed") };
        }
        let event = parameters.first().and_then(Value::as_str).unwrap_or_default();
        if !is_name(event) {
            return Wanted::Nameless;
        }
        let is_collection = match options {
            Some(Value::Bool(is_collection)) => *is_collection,
            Some(options) => options.get("useCollection") == Some(&Value::Bool(true)),
            None => false,
        };
        let shown = options.and_then(|options| options.get("args")).and_then(|given| given.get(0));
        let text = |key: &str| shown.and_then(|shown| shown.get(key)).and_then(Value::as_str).map(str::to_owned);
        let shown = Credentials { token: text("token"), visitor_token: text("visitorToken") };
        Wanted::Topic { topic: Topic::new(stream, event), is_collection, shown }
    }
}

/// Whether a text can name an event or a user.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().nth(EVENT_LIMIT).is_none()
}

/// The ids in a list of the options.
fn ids(options: Option<&Value>, key: &str) -> Vec<String> {
    let given = options.and_then(|options| options.get(key)).and_then(Value::as_array);
    given.into_iter().flatten().filter_map(Value::as_str).filter(|id| is_name(id)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn topic(event: &str, is_collection: bool, token: Option<&str>, visitor_token: Option<&str>) -> Wanted {
        let shown = Credentials { token: token.map(str::to_owned), visitor_token: visitor_token.map(str::to_owned) };
        Wanted::Topic { topic: Topic::new(Stream::RoomMessages, event), is_collection, shown }
    }

    #[test]
    fn subscriptions_are_read_as_clients_write_them() {
        let both = json!({"useCollection": false, "args": [{"token": "t", "visitorToken": "t"}]});
        for (parameters, expected) in [
            (json!(["room", both]), topic("room", false, Some("t"), Some("t"))),
            (json!(["room", {"useCollection": true, "args": [{"visitorToken": "t"}]}]), topic("room", true, None, Some("t"))),
            (json!(["__my_messages__", true]), topic("__my_messages__", true, None, None)),
            (json!(["room", false]), topic("room", false, None, None)),
            (json!(["room"]), topic("room", false, None, None)),
            (json!(["room", {"useCollection": false, "args": [false]}]), topic("room", false, None, None)),
            (json!(["room", {"useCollection": false, "args": [null]}]), topic("room", false, None, None)),
            (json!(["room", {"args": [{"token": {"$ne": ""}, "visitorToken": 7}]}]), topic("room", false, None, None)),
            (json!(["", both]), Wanted::Nameless),
            (json!([]), Wanted::Nameless),
            (json!([{"$ne": ""}]), Wanted::Nameless),
            (json!(["x".repeat(257)]), Wanted::Nameless),
        ] {
            let given = parameters.as_array().unwrap();
            assert_eq!(Wanted::read("stream-room-messages", given), expected, "{parameters}");
        }
        assert_eq!(Wanted::read("stream-apps", &[json!("apps")]), Wanted::Unknown);
        assert_eq!(Wanted::read("meteor.loginServiceConfiguration", &[]), Wanted::Empty);
        let presence = Wanted::Presence { added: vec!["a".to_owned()], removed: vec!["b".to_owned()] };
        assert_eq!(Wanted::read("stream-user-presence", &[json!(""), json!({"added": ["a", 1, ""], "removed": ["b"]})]), presence);
    }
}
