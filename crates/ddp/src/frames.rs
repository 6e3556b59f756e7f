//! Frames as clients expect them for each thing that happens. Pure.

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};
use usher_domain::{Stream, Topic};
use usher_services::logins::Account;
use usher_services::methods::MethodError;

use crate::codec;

/// The id of every document of a stream.
const ID: &str = "id";

/// Something of a topic: what clients are told with it stands in `arguments`.
pub fn of(topic: &Topic, arguments: &Value) -> Utf8Bytes {
    codec::changed(topic.stream.name(), ID, &json!({"eventName": topic.event, "args": arguments})).into()
}

/// The same of a room, as of its change `seq`: a client that knows the room as of a later one, or of this one, knows all of it.
pub fn of_room(topic: &Topic, arguments: &Value, seq: i64) -> Utf8Bytes {
    codec::changed_as_of(topic.stream.name(), ID, &json!({"eventName": topic.event, "args": arguments}), seq).into()
}

/// Whether a user is there, for those who follow it. Its document has the user's id.
pub fn presence(user_id: &str, arguments: &Value) -> Utf8Bytes {
    let fields = json!({"uid": user_id, "args": [arguments], "eventName": user_id});
    codec::changed(Stream::UserPresence.name(), user_id, &fields).into()
}

/// What some clients wait for before they listen to a topic.
pub fn collection(topic: &Topic) -> String {
    codec::added(topic.stream.name(), ID, &json!({"eventName": topic.event}))
}

/// Who has logged in.
pub fn own_user(account: &Account) -> String {
    let user = &account.user;
    let mut fields = json!({"username": user.username, "name": user.name, "status": user.status, "roles": user.roles});
    if let Some(email) = &user.email {
        fields["emails"] = json!([{"address": email, "verified": user.email_verified}]);
    }
    codec::added("users", &user.id, &fields)
}

/// A refusal that is nothing but a code.
pub fn refusal(code: &'static str) -> Value {
    json!({"isClientSafe": true, "error": code, "message": format!("[{code}]"), "errorType": "Meteor.Error"})
}

/// There is no such publication.
pub fn unknown_subscription(name: &str) -> Value {
    MethodError::UnknownSubscription(name.to_owned()).document()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_shapes_that_clients_know() {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let topic = Topic::of(Stream::NotifyRoom, "room", "typing");
        assert_eq!(
            parsed(&of(&topic, &json!(["mary", true]))),
            json!({"msg": "changed", "collection": "stream-notify-room", "id": "id",
                "fields": {"eventName": "room/typing", "args": ["mary", true]}})
        );
        assert_eq!(
            parsed(&presence("mary", &json!(["mary", 1, ""]))),
            json!({"msg": "changed", "collection": "stream-user-presence", "id": "mary",
                "fields": {"uid": "mary", "args": [["mary", 1, ""]], "eventName": "mary"}})
        );
        assert_eq!(
            parsed(&collection(&Topic::new(Stream::RoomMessages, "__my_messages__"))),
            json!({"msg": "added", "collection": "stream-room-messages", "id": "id", "fields": {"eventName": "__my_messages__"}})
        );
        assert_eq!(
            refusal("not-allowed"),
            json!({"isClientSafe": true, "error": "not-allowed", "message": "[not-allowed]", "errorType": "Meteor.Error"})
        );
        assert_eq!(
            unknown_subscription("x"),
            json!({"isClientSafe": true, "error": 404, "reason": "Subscription 'x' not found",
                "message": "Subscription 'x' not found [404]", "errorType": "Meteor.Error"})
        );
    }
}
