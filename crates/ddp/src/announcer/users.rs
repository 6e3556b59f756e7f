//! What is told of users.

use serde_json::{Value, json};
use usher_domain::user::{Availability, UserStatus};
use usher_domain::{Stream, Topic, UserEventKind};
use usher_services::documents::{DepartmentAgentDocument, extended};
use usher_services::realtime::{PlaceNews, RoleNews, UserNews};

use crate::frames;
use crate::topics::Topics;

/// Tells what is new of a user. `shows_agents` says whether visitors see who serves them.
pub fn tell(topics: &Topics, news: &UserNews, shows_agents: bool) {
    let id = &news.event.user_id;
    let everybody = |event: &str, arguments: Value| {
        let topic = Topic::new(Stream::NotifyLogged, event);
        topics.publish(&topic, None, || frames::of(&topic, &arguments));
    };
    let itself = |told: Value| {
        let topic = Topic::of(Stream::NotifyUser, id, "userData");
        topics.publish(&topic, None, || frames::of(&topic, &json!([told])));
    };
    let Some(user) = &news.user else {
        everybody("Users:Deleted", json!([{"userId": id}]));
        return itself(json!({"type": "removed", "id": id}));
    };
    let changed = |diff: Value| itself(json!({"type": "updated", "id": id, "diff": diff, "unset": {}}));
    match news.event.kind {
        UserEventKind::Status => {
            let presence = json!([user.username, code(&user.status), user.status_text]);
            let status = json!([id, user.username, code(&user.status), user.status_text, user.name, user.roles]);
            everybody("user-status", json!([status]));
            let topic = Topic::new(Stream::UserPresence, id.as_str());
            topics.publish(&topic, None, || frames::presence(id, &presence));
            for room_id in news.serves.iter().filter(|_| shows_agents) {
                let topic = Topic::new(Stream::LivechatRoom, room_id.as_str());
                let told = json!([{"type": "agentStatus", "status": user.status}]);
                topics.publish(&topic, None, || frames::of(&topic, &told));
            }
            changed(json!({"status": user.status, "statusText": user.status_text, "statusDefault": user.status_default}));
        }
        UserEventKind::Availability => changed(json!({"statusLivechat": user.availability.map(Availability::name)})),
        UserEventKind::Record => {
            everybody("Users:NameChanged", json!([{"_id": id, "name": user.name, "username": user.username}]));
            changed(json!({"name": user.name, "username": user.username, "roles": user.roles, "active": user.active,
                "statusLivechat": user.availability.map(Availability::name)}));
        }
        UserEventKind::Removed => {}
    }
}

/// Tells everybody that a user got a role or lost it.
pub fn tell_role(topics: &Topics, news: &RoleNews) {
    let (user, role) = (&news.user, &news.event.role_id);
    let topic = Topic::new(Stream::NotifyLogged, "roles-change");
    topics.publish(&topic, None, || {
        let kind = if news.event.is_held { "added" } else { "removed" };
        let user = json!({"_id": user.id, "username": user.username, "name": user.name});
        frames::of(&topic, &json!([{"type": kind, "_id": role, "u": user}]))
    });
}

/// Tells an agent of its place in a department.
pub fn tell_place(topics: &Topics, news: &PlaceNews) {
    let event = &news.event;
    let topic = Topic::of(Stream::NotifyUser, &event.agent_id, "departmentAgentData");
    topics.publish(&topic, None, || {
        let mut told = match &news.place {
            Some(place) => extended(&DepartmentAgentDocument::from(place)),
            None => json!({"_id": event.id, "departmentId": event.department_id, "agentId": event.agent_id}),
        };
        told["action"] = event.kind.name().into();
        frames::of(&topic, &json!([told]))
    });
}

/// A status as clients count it.
fn code(status: &str) -> i64 {
    match UserStatus::from_name(status) {
        Some(UserStatus::Online) => 1,
        Some(UserStatus::Away) => 2,
        Some(UserStatus::Busy) => 3,
        Some(UserStatus::Offline) | None => 0,
    }
}
