//! What is said and kept nowhere: that somebody is typing, that a message was not sent, that all has been read.

use serde_json::{Value, json};
use usher_domain::settings::USE_REAL_NAMES;
use usher_domain::user::SYSTEM_USER;
use usher_domain::{Stream, Topic};

use crate::documents::{Date, extended};
use crate::hub::Signal;
use crate::logins::Account;
use crate::{Error, Services};

/// Older clients listen to this, and say `true` or `false`.
const TYPING: &str = "typing";

/// Newer clients listen to this, and say what is going on.
const ACTIVITY: &str = "user-activity";

/// What goes on when somebody is typing.
const USER_TYPING: &str = "user-typing";

/// The most characters of a name, and of what is going on.
const LIMIT: usize = 256;

/// The most things that can go on at once.
const ACTIVITIES: usize = 8;

impl Services {
    /// Tells the others in a room that somebody is typing, or is not any more; `given` is what a client wrote into the stream. Whoever may not
    /// is not told so: nothing happens.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) async fn say_in_room(&self, account: Option<&Account>, given: &[Value], from: Option<u64>) -> Result<(), Error> {
        let [Value::String(event), Value::String(name), said, rest @ ..] = given else { return Ok(()) };
        let Some((room_id, kind)) = event.split_once('/') else { return Ok(()) };
        if name.chars().nth(LIMIT).is_some() {
            return Ok(());
        }
        let Some(activities) = activities(kind, said) else { return Ok(()) };
        let token = rest.first().and_then(|shown| shown.get("token")).and_then(Value::as_str);
        let may = match (token, account) {
            (Some(token), _) => self.is_room_of(token, room_id).await?,
            (None, Some(account)) => self.is_called(account, name) && self.may_speak(account, room_id).await?,
            (None, None) => false,
        };
        if !may {
            return Ok(());
        }
        let is_typing = activities.iter().any(|activity| activity == USER_TYPING);
        let tell = |kind: &str, said: Value| {
            let topic = Topic::of(Stream::NotifyRoom, room_id, kind);
            self.say(Signal { topic, arguments: vec![name.as_str().into(), said], from });
        };
        // Whoever says it in one way is heard by those who listen to the other.
        if kind == TYPING || is_typing || activities.is_empty() {
            tell(TYPING, is_typing.into());
        }
        tell(ACTIVITY, json!(activities));
        Ok(())
    }

    /// Tells a user where it wrote why a message was not sent. It is kept nowhere.
    pub(crate) fn tell_unsent(&self, account: &Account, room_id: &str, why: &str) {
        let shown = json!({
            "_id": self.new_id(),
            "rid": room_id,
            "ts": extended(&Date(self.now())),
            "msg": why,
            "u": {"_id": SYSTEM_USER, "username": SYSTEM_USER},
            "private": true,
        });
        self.say(Signal { topic: Topic::of(Stream::NotifyUser, &account.user.id, "message"), arguments: vec![shown], from: None });
    }

    /// Tells a room up to when (milliseconds UTC) all of its members have read it. Whoever misses it sees it in the room's subscriptions.
    pub(crate) fn tell_read(&self, room_id: &str, until: i64) {
        let read = json!({"until": extended(&Date(until))});
        self.say(Signal { topic: Topic::of(Stream::NotifyRoom, room_id, "messagesRead"), arguments: vec![read], from: None });
    }

    /// Says something to all who listen, at every process.
    fn say(&self, signal: Signal) {
        self.store.say(signal.written());
        self.hub.signal(signal);
    }

    /// Whether a user is shown under this name.
    fn is_called(&self, account: &Account, name: &str) -> bool {
        let by_real_name = self.platform().settings.get(&USE_REAL_NAMES);
        let shown = if by_real_name { account.user.name.as_deref() } else { None };
        shown.unwrap_or(&account.user.username) == name
    }
}

/// What goes on, as a client says it in either way; `None` if it says nothing that others are told.
fn activities(kind: &str, said: &Value) -> Option<Vec<String>> {
    match (kind, said) {
        (TYPING, Value::Bool(true)) => Some(vec![USER_TYPING.to_owned()]),
        (TYPING, _) => Some(Vec::new()),
        (ACTIVITY, Value::Array(activities)) if activities.len() <= ACTIVITIES => {
            let named = |activity: &Value| activity.as_str().filter(|name| name.chars().nth(LIMIT).is_none()).map(str::to_owned);
            activities.iter().map(named).collect()
        }
        (ACTIVITY, Value::Null) => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_read_in_both_ways() {
        let typing = Some(vec![USER_TYPING.to_owned()]);
        for (kind, said, expected) in [
            (TYPING, json!(true), typing.clone()),
            (TYPING, json!(false), Some(Vec::new())),
            (ACTIVITY, json!(["user-typing"]), typing),
            (ACTIVITY, json!(["user-uploading"]), Some(vec!["user-uploading".to_owned()])),
            (ACTIVITY, json!([]), Some(Vec::new())),
            (ACTIVITY, json!([1]), None),
            (ACTIVITY, json!("user-typing"), None),
            (ACTIVITY, json!(vec!["x"; 9]), None),
            ("deleteMessage", json!([]), None),
        ] {
            assert_eq!(activities(kind, &said), expected, "{kind} {said}");
        }
    }
}
