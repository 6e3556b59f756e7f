//! Methods about messages, for users.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::message::Message;

use super::parameters::moment;
use super::{MethodError, Outcome, Parameters};
use crate::documents::{Date, Eyes, MessageDocument, extended};
use crate::logins::Account;
use crate::messages::{Change, HISTORY_LIMIT, UserMessage};
use crate::{Error, Refusal, Services};

/// The most characters of an id.
pub(super) const ID_LIMIT: usize = 128;

/// How many messages a page has if nobody says.
const USUAL_PAGE: i64 = 20;

/// The most messages that are asked for by id at once.
const AT_ONCE: usize = 100;

/// By how many milliseconds the sender's clock may be off.
const CLOCK_TOLERANCE: i64 = 60_000;

/// A message as it is shown to a user.
pub(super) fn shown(message: &Message, account: &Account) -> Value {
    extended(&MessageDocument::new(message, Eyes::User(&account.user.id)))
}

fn list(messages: &[Message], account: &Account) -> Vec<Value> {
    messages.iter().map(|message| shown(message, account)).collect()
}

/// Checks the id at a place and takes it.
pub(super) fn id(parameters: &Parameters, place: usize) -> Result<String, MethodError> {
    MatchKind::Text(ID_LIMIT).check_parameter(parameters.get(place)).map_err(MethodError::Mismatch)?;
    parameters.text(place)
}

static ANYTHING: MatchPattern = MatchPattern::open(&[]);

static MESSAGE: MatchPattern = MatchPattern::open(&[
    MatchField::required("rid", MatchKind::Text(ID_LIMIT)),
    MatchField::optional("_id", MatchKind::Text(ID_LIMIT)),
    MatchField::optional("msg", MatchKind::Text(100_000)),
    MatchField::optional("alias", MatchKind::Text(512)),
    MatchField::optional("avatar", MatchKind::Text(2_048)),
    MatchField::optional("emoji", MatchKind::Text(256)),
    MatchField::optional("attachments", MatchKind::List(&ANYTHING)),
    MatchField::optional("customFields", MatchKind::Object(&ANYTHING)),
    MatchField::optional("tmid", MatchKind::Text(ID_LIMIT)),
    MatchField::optional("tshow", MatchKind::Boolean),
    MatchField::optional("ts", MatchKind::Any),
]);

/// What a message may have besides, by the names under which it is kept.
const DETAILS: [&str; 6] = ["alias", "avatar", "emoji", "attachments", "customFields", "tmid"];

pub(super) async fn send(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let mut sent: Map<String, Value> = parameters.object(0, &MESSAGE)?;
    if let Some(at) = sent.get("ts").filter(|at| !at.is_null()) {
        let skew = moment(at)?.abs_diff(services.now());
        if skew > CLOCK_TOLERANCE.unsigned_abs() {
            return Err(Refusal::TimeOutOfSync.into());
        }
    }
    let mut take = |name: &str| sent.remove(name).and_then(|value| Some(value.as_str()?.to_owned()));
    let (room_id, text, id) = (take("rid").unwrap_or_default(), take("msg").unwrap_or_default(), take("_id"));
    let given = DETAILS.into_iter().filter_map(|name| Some((name.to_owned(), sent.remove(name)?)));
    let mut details: Map<String, Value> = given.filter(|(_, value)| value != "").collect();
    if sent.get("tshow") == Some(&Value::Bool(true)) {
        if !details.contains_key("tmid") {
            return Err(Refusal::ShownWithoutThread.into());
        }
        details.insert("tshow".to_owned(), true.into());
    }
    let where_to = room_id.clone();
    let message = UserMessage { room_id, text, id: id.filter(|id| !id.trim().is_empty()), details };
    match services.post_user_message(&account, message).await {
        Ok(stored) => Ok(Some(shown(&stored, &account))),
        Err(refusal) => {
            let refusal = MethodError::from(refusal);
            let told = refusal.document();
            services.tell_unsent(&account, &where_to, told["reason"].as_str().or(told["error"].as_str()).unwrap_or_default());
            Err(refusal)
        }
    }
}

static EDIT: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(ID_LIMIT)),
    MatchField::optional("rid", MatchKind::Text(ID_LIMIT)),
    MatchField::required("msg", MatchKind::Text(100_000)),
]);

static NAMED: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(ID_LIMIT)),
    MatchField::optional("rid", MatchKind::Text(ID_LIMIT)),
]);

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    id: String,
    rid: Option<String>,
    #[serde(default)]
    msg: String,
}

impl Named {
    /// What is to be changed. Some clients do not say in which room it is.
    async fn change(self, services: &Services, account: &Account) -> Result<Change, MethodError> {
        let room_id = match self.rid {
            Some(room_id) => room_id,
            None => {
                let found = services.message(account, self.id.clone()).await?;
                found.ok_or_else(|| Refusal::NoSuchMessage(self.id.clone()))?.room_id
            }
        };
        Ok(Change { room_id, message_id: self.id })
    }
}

pub(super) async fn update(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let mut given: Named = parameters.object(0, &EDIT)?;
    let text = std::mem::take(&mut given.msg);
    let change = given.change(services, &account).await?;
    services.edit_message(&account, change, text).await?;
    Ok(None)
}

pub(super) async fn delete(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let given: Named = parameters.object(0, &NAMED)?;
    let change = given.change(services, &account).await?;
    services.delete_message(&account, change, false).await?;
    Ok(None)
}

/// A number at a place, if there is one.
fn number(parameters: &Parameters, place: usize) -> Result<Option<i64>, MethodError> {
    let Some(given) = parameters.get(place) else { return Ok(None) };
    MatchKind::Integer.check_parameter(Some(given)).map_err(MethodError::Mismatch)?;
    Ok(given.as_i64())
}

/// A page of a room's history, the latest first, and what of it is new to those who say what they have seen; `false` where nothing
/// may be read.
pub(super) async fn load_history(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (room_id, before) = (id(&parameters, 0)?, parameters.moment(1)?);
    let limit = number(&parameters, 2)?.unwrap_or(USUAL_PAGE);
    let seen = parameters.moment(3)?;
    history(services, &account, room_id, before, limit, seen).await
}

async fn history(
    services: &Services,
    account: &Account,
    room_id: String,
    before: Option<i64>,
    limit: i64,
    seen: Option<i64>,
) -> Outcome {
    let Some(messages) = services.history_for_user(account, room_id.clone(), before, limit).await? else {
        return Ok(Some(false.into()));
    };
    let mut answer = json!({"messages": list(&messages, account), "unreadNotLoaded": 0});
    if let Some(seen) = seen {
        let oldest = messages.last().map_or(i64::MAX, |message| message.ts);
        let unread = services.unread_of_user(account, room_id, seen, oldest).await?;
        answer["unreadNotLoaded"] = unread.not_loaded.into();
        if let Some(first) = &unread.first {
            answer["firstUnread"] = shown(first, account);
        }
    }
    Ok(Some(answer))
}

/// The messages of a room after a moment, the latest first; `false` where nothing may be read.
pub(super) async fn load_missed(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let room_id = id(&parameters, 0)?;
    let since = parameters.moment(1)?.ok_or_else(|| MethodError::Mismatch("Match error: Expected Date".to_owned()))?;
    match services.messages_changed_since(&account, room_id, since).await {
        Ok(changed) => {
            let mut missed: Vec<Message> = changed.updated.into_iter().filter(|message| message.ts > since).collect();
            missed.sort_by_key(|message| std::cmp::Reverse(message.ts));
            Ok(Some(list(&missed, &account).into()))
        }
        Err(Error::Refused(Refusal::NoSuchRoom | Refusal::RoomNotAllowed)) => Ok(Some(false.into())),
        Err(other) => Err(other.into()),
    }
}

/// The messages of a room after a moment, or from its beginning, the oldest first; `false` where nothing may be read.
pub(super) async fn load_next(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (room_id, after) = (id(&parameters, 0)?, parameters.moment(1)?.unwrap_or(i64::MIN));
    let limit = number(&parameters, 2)?.unwrap_or(USUAL_PAGE);
    let found = services.messages_after(&account, room_id, after, limit).await?;
    Ok(Some(found.map_or(false.into(), |messages| json!({"messages": list(&messages, &account)}))))
}

/// How many messages are shown around another if nobody says, with that one.
const USUAL_SURROUNDINGS: i64 = 50;

/// A message with what stands around it, the oldest first; `false` where nothing may be read.
pub(super) async fn load_surrounding(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let named: Named = parameters.object(0, &NAMED)?;
    let limit = number(&parameters, 1)?.unwrap_or(USUAL_SURROUNDINGS);
    let Some(found) = services.surroundings(&account, named.id, limit).await? else { return Ok(Some(false.into())) };
    let messages = list(&found.messages, &account);
    Ok(Some(json!({"messages": messages, "moreBefore": found.has_earlier, "moreAfter": found.has_later})))
}

static WANTED: MatchPattern = MatchPattern::open(&[
    MatchField::optional("lastUpdate", MatchKind::Any),
    MatchField::optional("latestDate", MatchKind::Any),
    MatchField::optional("oldestDate", MatchKind::Any),
    MatchField::optional("inclusive", MatchKind::Boolean),
    MatchField::optional("count", MatchKind::Integer),
    MatchField::optional("unreads", MatchKind::Boolean),
]);

/// What happened to the messages of a room since `lastUpdate`, or without it the part of its history between two moments.
pub(super) async fn changes_or_history(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let room_id = id(&parameters, 0)?;
    let wanted: Map<String, Value> = parameters.object(1, &WANTED)?;
    let at = |name: &str| wanted.get(name).filter(|value| !value.is_null()).map(moment).transpose();
    if let Some(since) = at("lastUpdate")? {
        let changed = services.messages_changed_since(&account, room_id, since).await?;
        let gone = |message: &Message| json!({"_id": message.id, "_deletedAt": extended(&Date(message.updated_at))});
        let deleted: Vec<Value> = changed.deleted.iter().map(gone).collect();
        return Ok(Some(json!({"updated": list(&changed.updated, &account), "deleted": deleted})));
    }
    let inclusive = wanted.get("inclusive") == Some(&Value::Bool(true));
    let before = at("latestDate")?.map(|latest| latest.saturating_add(i64::from(inclusive)));
    let after = at("oldestDate")?.map(|oldest| oldest.saturating_sub(i64::from(inclusive)));
    let limit = wanted.get("count").and_then(Value::as_i64).unwrap_or(USUAL_PAGE).clamp(0, HISTORY_LIMIT);
    let found = services.history_for_user(&account, room_id.clone(), before, limit).await?;
    let messages = found.ok_or(Refusal::RoomNotAllowed)?;
    let messages: Vec<Message> = messages.into_iter().filter(|message| after.is_none_or(|after| message.ts > after)).collect();
    let mut answer = json!({"messages": list(&messages, &account)});
    if wanted.get("unreads") == Some(&Value::Bool(true))
        && let Some(after) = after
    {
        let oldest = messages.last().map_or(i64::MAX, |message| message.ts);
        let unread = services.unread_of_user(&account, room_id, after, oldest).await?;
        answer["unreadNotLoaded"] = unread.not_loaded.into();
        if let Some(first) = &unread.first {
            answer["firstUnread"] = shown(first, &account);
        }
    }
    Ok(Some(answer))
}

/// The messages with these ids. Who may not read one of them gets none.
pub(super) async fn several(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    MatchKind::Texts(ID_LIMIT).check_parameter(parameters.get(0)).map_err(MethodError::Mismatch)?;
    let ids = parameters.get(0).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let ids: BTreeSet<&str> = ids.take(AT_ONCE).collect();
    let mut found = Vec::new();
    for id in ids {
        match services.message(&account, id.to_owned()).await? {
            Some(message) => found.push(shown(&message, &account)),
            None => return Err(Refusal::RoomNotAllowed.into()),
        }
    }
    Ok(Some(found.into()))
}

pub(super) async fn single(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let found = services.message(&account, id(&parameters, 0)?).await?.ok_or(Refusal::RoomNotAllowed)?;
    Ok(Some(shown(&found, &account)))
}
