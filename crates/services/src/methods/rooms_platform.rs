//! Methods about rooms as clients of every kind of room ask for them.

use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::{PREVIEW_C_ROOM, VIEW_L_ROOM};
use usher_domain::settings::STORE_LAST_MESSAGE;
use usher_domain::user::UserStatus;
use usher_store::q::users::User;

use super::messages::id;
use super::{Method, MethodError, Outcome, Parameters};
use crate::documents::{Date, Eyes, PresenceDocument, RoomDocument, SubscriptionDocument, extended};
use crate::logins::Account;
use crate::rooms::RoomWithMessage;
use crate::{Error, Refusal, Services};

/// What everybody in a room may know of it.
const PUBLIC: [&str; 32] = [
    "_id",
    "fname",
    "t",
    "cl",
    "lm",
    "topic",
    "_updatedAt",
    "lastMessage",
    "usersCount",
    "msgs",
    "tags",
    "open",
    "ro",
    "livechatData",
    "priorityId",
    "slaId",
    "v",
    "departmentId",
    "servedBy",
    "source",
    "onHold",
    "metrics",
    "ts",
    "waitingResponse",
    "queuedAt",
    "responseBy",
    "departmentAncestors",
    "closedAt",
    "closer",
    "closedBy",
    "verified",
    "transcriptRequest",
];

fn document(found: &RoomWithMessage) -> Value {
    extended(&RoomDocument::new(&found.room, found.last_message.as_ref(), Eyes::Staff))
}

pub(super) async fn mark_read(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    services.mark_read(&account, id(&parameters, 0)?).await?;
    Ok(None)
}

/// A room by its type and what names it: chats with visitors are named by their ids.
pub(super) async fn by_type_and_name(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (kind, room_id) = (parameters.text(0)?, id(&parameters, 1)?);
    if kind != "l" {
        return Err(Refusal::NoSuchRoom.into());
    }
    let found = services.room_for_user(&account, room_id).await.map_err(|error| match error {
        Error::Refused(Refusal::RoomNotFound) => MethodError::from(Refusal::NoSuchRoom),
        Error::Refused(Refusal::RoomInfoNotAllowed) => Refusal::RoomNoPermission.into(),
        other => other.into(),
    })?;
    let mut room = document(&found);
    let hides_last = services.platform().settings.get(&STORE_LAST_MESSAGE) && !services.permits(&account.user, PREVIEW_C_ROOM);
    if let Some(members) = room.as_object_mut() {
        members.retain(|name, _| PUBLIC.contains(&name.as_str()) && !(hides_last && name == "lastMessage"));
    }
    Ok(Some(room))
}

pub(super) async fn by_id(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let found = services.room_for_user(&account, id(&parameters, 0)?).await.map_err(|error| match error {
        Error::Refused(Refusal::RoomNotFound | Refusal::RoomInfoNotAllowed) => MethodError::from(Refusal::RoomNotAllowed),
        other => other.into(),
    })?;
    Ok(Some(document(&found)))
}

/// A room that bots and older clients know by one of its names: chats with visitors are found by their ids.
async fn known(services: &Services, account: &Account, room_id: String) -> Result<RoomWithMessage, MethodError> {
    services.room_for_user(account, room_id).await.map_err(|error| match error {
        Error::Refused(Refusal::RoomNotFound | Refusal::RoomInfoNotAllowed) => MethodError::from(Refusal::RoomNotAllowed),
        other => other.into(),
    })
}

pub(super) async fn id_by_name(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    Ok(Some(known(services, &account, id(&parameters, 0)?).await?.room.id.into()))
}

pub(super) async fn name_by_id(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    Ok(Some(known(services, &account, id(&parameters, 0)?).await?.room.name.into()))
}

pub(super) async fn join(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    if !services.permits(&account.user, VIEW_L_ROOM) {
        return Err(Refusal::UserIsNotAgent.into());
    }
    services.join_room(&account, id(&parameters, 0)?).await?;
    Ok(Some(true.into()))
}

/// Nobody leaves a chat with a visitor: it is closed, forwarded or returned.
pub(super) fn leave(parameters: &Parameters) -> Outcome {
    id(parameters, 0)?;
    Err(Refusal::MethodNotAllowed(Method::LeaveRoom.name()).into())
}

static PART: MatchPattern =
    MatchPattern::open(&[MatchField::optional("limit", MatchKind::Integer), MatchField::optional("skip", MatchKind::Integer)]);

/// The users who have a room in their list: those who are there, or all of them, and those whose names have a text in them.
pub(super) async fn members(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let room_id = id(&parameters, 0)?;
    let shows_all = parameters.get(1) == Some(&Value::Bool(true));
    let part: Map<String, Value> = if parameters.get(2).is_some() { parameters.object(2, &PART)? } else { Map::new() };
    let term = parameters.optional_text(3)?.unwrap_or_default().to_lowercase();
    let number = |name: &str| part.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let members = services.members_of_room(&account, room_id).await?;
    let is_wanted = |member: &&User| {
        let has_term = |name: &str| name.to_lowercase().contains(&term);
        (shows_all || member.status != UserStatus::Offline.name())
            && (has_term(&member.username) || member.name.as_deref().is_some_and(has_term))
    };
    let wanted = members.iter().filter(is_wanted).skip(number("skip").unwrap_or(0)).take(number("limit").unwrap_or(usize::MAX));
    let records: Vec<Value> = wanted.map(|member| extended(&PresenceDocument::from(member))).collect();
    Ok(Some(json!({"total": members.len(), "records": records})))
}

pub(super) async fn show(services: &Services, account: Account, parameters: Parameters, is_shown: bool) -> Outcome {
    services.show_room(&account, id(&parameters, 0)?, is_shown).await?;
    Ok(Some(1.into()))
}

/// All rooms of the caller's list, or with a time what has changed since and what has gone.
pub(super) async fn rooms(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let since = parameters.moment(0)?;
    let changed = services.rooms_of_user(&account, since).await?;
    let removed = changed.removed.into_iter().map(|gone| (gone.room_id, gone.at));
    Ok(Some(synchronised(since, changed.updated.iter().map(document).collect(), removed)))
}

/// All subscriptions of the caller, or with a time what has changed since and what has gone.
pub(super) async fn subscriptions(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let since = parameters.moment(0)?;
    let changed = services.subscriptions_of_user(&account, since).await?;
    let updated = changed.updated.iter().map(|found| extended(&SubscriptionDocument::new(&found.subscription, &found.room)));
    let removed = changed.removed.into_iter().map(|gone| (gone.id, gone.at));
    Ok(Some(synchronised(since, updated.collect(), removed)))
}

fn synchronised(since: Option<i64>, updated: Vec<Value>, removed: impl Iterator<Item = (String, i64)>) -> Value {
    if since.is_none() {
        return updated.into();
    }
    let removed: Vec<Value> = removed.map(|(id, at)| json!({"_id": id, "_deletedAt": extended(&Date(at))})).collect();
    json!({"update": updated, "remove": removed})
}
