//! What is told of rooms.

use serde_json::{Value, json};
use usher_domain::inquiry::InquiryStatus;
use usher_domain::room::Room;
use usher_domain::stream::MY_MESSAGES;
use usher_domain::subscription::Subscription;
use usher_domain::{Stream, Topic};
use usher_services::documents::{
    AgentDocument, Eyes, InquiryDocument, MessageDocument, RoomDocument, SubscriptionDocument, extended,
};
use usher_services::realtime::{Gone, Posted, RoomNews};
use usher_services::rooms::RoomWithMessage;

use crate::frames;
use crate::topics::Topics;

/// The streams that are about one room.
pub(super) const OF_ROOM: [Stream; 4] = [Stream::RoomMessages, Stream::NotifyRoom, Stream::LivechatRoom, Stream::RoomData];

/// How a message begins that tells an agent of another message.
const TITLE: &str = "[Omnichannel] ";

/// Tells what is new of a room.
pub fn tell(topics: &Topics, news: &RoomNews) {
    let Some(found) = &news.room else { return tell_erased(topics, news) };
    let room = &found.room;
    for posted in &news.messages {
        tell_message(topics, room, posted, news);
    }
    for id in &news.deleted {
        let topic = Topic::of(Stream::NotifyRoom, &room.id, "deleteMessage");
        topics.publish(&topic, None, || frames::of_room(&topic, &json!([{"_id": id}]), room.seq));
    }
    let topic = Topic::new(Stream::RoomData, room.id.as_str());
    topics.publish(&topic, None, || frames::of_room(&topic, &json!([document(found)]), room.seq));
    if news.agent_changed {
        tell_agent(topics, news);
    }
    tell_queue(topics, found, news);
    for candidate in &news.candidates {
        let topic = Topic::of(Stream::NotifyUser, candidate, "notification");
        topics.publish(&topic, None, || frames::of(&topic, &json!([invitation(found)])));
    }
    for member in &news.members {
        tell_member(topics, found, member, news.joined.contains(&member.user_id));
    }
    for gone in &news.gone {
        tell_gone(topics, &room.id, gone, Some(found));
    }
}

fn document(found: &RoomWithMessage) -> Value {
    extended(&RoomDocument::new(&found.room, found.last_message.as_ref(), Eyes::Staff))
}

fn tell_message(topics: &Topics, room: &Room, posted: &Posted, news: &RoomNews) {
    let message = extended(&MessageDocument::new(&posted.message, Eyes::Staff));
    let topic = Topic::new(Stream::RoomMessages, room.id.as_str());
    topics.publish(&topic, None, || frames::of_room(&topic, &json!([message]), room.seq));
    let topic = Topic::new(Stream::RoomMessages, MY_MESSAGES);
    for (user_id, is_member) in &news.readers {
        let about = json!({"roomParticipant": is_member, "roomType": "l", "roomName": room.name});
        topics.publish_to_user(&topic, user_id, &frames::of_room(&topic, &json!([message, about]), room.seq));
    }
    let is_written = posted.is_new && posted.message.kind.is_none() && !posted.message.is_hidden;
    let author = &posted.message.author.id;
    for member in news.members.iter().filter(|member| is_written && member.user_id != *author) {
        let topic = Topic::of(Stream::NotifyUser, &member.user_id, "notification");
        topics.publish(&topic, None, || frames::of(&topic, &json!([notification(room, posted)])));
    }
}

/// What an agent is shown of a message in a room that is not looked at.
fn notification(room: &Room, posted: &Posted) -> Value {
    let message = &posted.message;
    let author = &message.author;
    json!({
        "title": format!("{TITLE}{}", room.name),
        "text": message.text,
        "payload": {
            "_id": message.id,
            "rid": room.id,
            "sender": {"_id": author.id, "username": author.username, "name": author.name},
            "type": "l",
            "name": room.name,
            "message": {"msg": message.text},
        },
    })
}

/// What the agents are shown who might take a chat that waits.
fn invitation(found: &RoomWithMessage) -> Value {
    let room = &found.room;
    let message = found.last_message.as_ref().map(|message| message.text.as_str()).unwrap_or_default();
    json!({
        "title": format!("{TITLE}{}", room.name),
        "text": format!("{} started a new conversation", room.name),
        "payload": {
            "_id": room.last_message_id,
            "rid": room.id,
            "sender": {"_id": room.visitor_id, "username": room.visitor_username, "name": room.name},
            "type": "l",
            "name": room.name,
            "message": {"msg": message},
        },
    })
}

/// Tells the visitor who serves the chat now; without anybody there are no data.
fn tell_agent(topics: &Topics, news: &RoomNews) {
    let topic = Topic::new(Stream::LivechatRoom, news.room_id.as_str());
    topics.publish(&topic, None, || {
        let mut told = json!({"type": "agentData"});
        if let Some(agent) = &news.agent {
            told["data"] = extended(&AgentDocument::from(agent));
        }
        frames::of(&topic, &json!([told]))
    });
}

/// Tells those who look at the queue what became of the room's place in it.
fn tell_queue(topics: &Topics, found: &RoomWithMessage, news: &RoomNews) {
    let room = &found.room;
    let Some(inquiry) = &room.inquiry else {
        if let Some(id) = &news.inquiry_removed {
            let removed = json!({"_id": id, "rid": room.id, "department": room.department_id, "status": "taken"});
            tell_view(topics, &view(room, None), "removed", &removed);
            tell_inquiry(topics, id, "removed", &json!({"_id": id}));
        }
        return;
    };
    // Whoever looks at the queue does not want to hear of every word in a chat that somebody has taken.
    let is_taken = inquiry.status == InquiryStatus::Taken;
    if is_taken && !news.agent_changed && !news.is_new {
        return;
    }
    let default_agent = inquiry.default_agent.as_ref().map(|agent| agent.id.as_str());
    let shown = extended(&InquiryDocument::of(room, found.last_message.as_ref()));
    let (kind, action) = if news.is_new { ("added", "inserted") } else { ("changed", "updated") };
    tell_view(topics, &view(room, default_agent), kind, &shown);
    tell_inquiry(topics, &inquiry.id, action, &shown);
}

/// The part of the queue that a room is in.
fn view(room: &Room, default_agent: Option<&str>) -> Topic {
    match (default_agent, &room.department_id) {
        (Some(agent), _) => Topic::of(Stream::InquiryQueue, "agent", agent),
        (None, Some(department)) => Topic::of(Stream::InquiryQueue, "department", department),
        (None, None) => Topic::new(Stream::InquiryQueue, "public"),
    }
}

fn tell_view(topics: &Topics, topic: &Topic, kind: &str, inquiry: &Value) {
    topics.publish(topic, None, || {
        let mut told = json!({"type": kind});
        merge(&mut told, inquiry);
        frames::of(topic, &json!([told]))
    });
}

fn tell_inquiry(topics: &Topics, id: &str, action: &str, inquiry: &Value) {
    let topic = Topic::new(Stream::InquiryQueue, id);
    topics.publish(&topic, None, || {
        let mut told = inquiry.clone();
        merge(&mut told, &json!({"clientAction": action}));
        frames::of(&topic, &json!([told]))
    });
}

fn merge(into: &mut Value, from: &Value) {
    if let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) {
        into.extend(from.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// Tells a member what its list shows now.
fn tell_member(topics: &Topics, found: &RoomWithMessage, member: &Subscription, has_joined: bool) {
    let action = if has_joined { "inserted" } else { "updated" };
    let topic = Topic::of(Stream::NotifyUser, &member.user_id, "subscriptions-changed");
    topics
        .publish(&topic, None, || frames::of(&topic, &json!([action, extended(&SubscriptionDocument::new(member, &found.room))])));
    let topic = Topic::of(Stream::NotifyUser, &member.user_id, "rooms-changed");
    topics.publish(&topic, None, || frames::of(&topic, &json!([action, document(found)])));
}

/// Tells somebody that a room is not in the own list any more; its messages do not come any more either.
fn tell_gone(topics: &Topics, room_id: &str, gone: &Gone, found: Option<&RoomWithMessage>) {
    let topic = Topic::of(Stream::NotifyUser, &gone.user.id, "subscriptions-changed");
    let user = json!({"_id": gone.user.id, "username": gone.user.username});
    let removed = json!(["removed", {"_id": gone.id, "u": user, "rid": room_id, "t": "l"}]);
    topics.publish(&topic, None, || frames::of(&topic, &removed));
    let topic = Topic::of(Stream::NotifyUser, &gone.user.id, "rooms-changed");
    // A room that was closed is still there.
    let told = match found {
        Some(found) if !found.room.is_open => json!(["updated", document(found)]),
        _ => json!(["removed", {"_id": room_id}]),
    };
    topics.publish(&topic, None, || frames::of(&topic, &told));
    topics.forget_user(&Topic::new(Stream::RoomMessages, room_id), &gone.user.id);
}

/// Tells that a room is gone with all that belonged to it. Nobody hears of it any more.
fn tell_erased(topics: &Topics, news: &RoomNews) {
    if let Some(id) = &news.inquiry_removed {
        let removed = json!({"_id": id});
        topics.publish_to_all(Stream::InquiryQueue, |event| {
            let of_inquiry = json!([{"_id": id, "clientAction": "removed"}]);
            let told = if event == id { of_inquiry } else { json!([{"type": "removed", "_id": removed["_id"]}]) };
            frames::of(&Topic::new(Stream::InquiryQueue, event), &told)
        });
    }
    for gone in &news.gone {
        tell_gone(topics, &news.room_id, gone, None);
    }
    for stream in OF_ROOM {
        topics.forget_all(stream, &news.room_id);
    }
}
