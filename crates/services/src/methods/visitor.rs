//! Methods of visitors, whose token is in the parameters. Older widgets call them.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::visitor::{Visitor, VisitorToken};

use super::parameters::moment;
use super::{MethodError, Outcome, Parameters};
use crate::documents::{MessageDocument, addresses, extended};
use crate::limits::Limit;
use crate::messages::{HISTORY_LIMIT, HistoryPage, VisitorMessage};
use crate::visitors::Registration;
use crate::{Error, Refusal, Services};

/// How many messages a page has if nobody says.
const USUAL_PAGE: i64 = 20;

static CUSTOM_FIELD: MatchPattern =
    MatchPattern::open(&[MatchField::required("key", MatchKind::Text(256)), MatchField::required("value", MatchKind::Text(4_096))]);

static GUEST: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::optional("name", MatchKind::Text(512)),
    MatchField::optional("email", MatchKind::Text(320)),
    MatchField::optional("department", MatchKind::Text(128)),
    MatchField::optional("customFields", MatchKind::List(&CUSTOM_FIELD)),
]);

#[derive(Deserialize)]
struct Guest {
    token: String,
    name: Option<String>,
    email: Option<String>,
    department: Option<String>,
}

pub(super) async fn register(services: &Services, parameters: Parameters, address: IpAddr) -> Outcome {
    let guest: Guest = parameters.object(0, &GUEST)?;
    services.count(Limit::RegistrationsPerToken, &guest.token)?;
    services.count(Limit::RegistrationsPerAddress, &address.to_string())?;
    let token = VisitorToken::new(guest.token).ok_or(Refusal::InvalidToken)?;
    let registration =
        Registration { name: guest.name, email: guest.email, department: guest.department, ..Registration::default() };
    let visitor = services.register_visitor(token.clone(), registration).await?;
    Ok(Some(json!({"userId": visitor.id, "visitor": shown(&visitor, &token)})))
}

fn shown(visitor: &Visitor, token: &VisitorToken) -> Value {
    let mut shown = json!({"_id": visitor.id, "token": token.as_str(), "username": visitor.username});
    let optional = [
        ("name", visitor.name.as_deref().map(Value::from)),
        ("visitorEmails", addresses(visitor).map(|emails| json!(emails))),
        ("department", visitor.department_id.as_deref().map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            shown[name] = value;
        }
    }
    shown
}

/// Tells the visitor's id, or nothing if nobody has the token.
pub(super) async fn log_in(services: &Services, parameters: Parameters) -> Outcome {
    let Some(token) = VisitorToken::new(parameters.text(0)?) else { return Ok(None) };
    match services.visitor(token).await {
        Ok(visitor) => Ok(Some(json!({"_id": visitor.id}))),
        Err(Error::Refused(Refusal::InvalidToken)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

static MESSAGE: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(128)),
    MatchField::required("rid", MatchKind::Text(128)),
    MatchField::required("msg", MatchKind::Text(100_000)),
    MatchField::required("token", MatchKind::Text(1_024)),
]);

#[derive(Deserialize)]
struct SentMessage {
    #[serde(rename = "_id")]
    id: String,
    rid: String,
    msg: String,
    token: String,
}

pub(super) async fn send_message(services: &Services, parameters: Parameters) -> Outcome {
    let sent: SentMessage = parameters.object(0, &MESSAGE)?;
    services.count(Limit::Messages, &sent.token)?;
    let token = VisitorToken::new(sent.token).ok_or(Refusal::InvalidToken)?;
    let id = Some(sent.id).filter(|id| !id.is_empty());
    let message = VisitorMessage { room_id: sent.rid, text: sent.msg, id };
    let stored = services.post_visitor_message(token.clone(), message).await?;
    Ok(Some(extended(&MessageDocument::for_visitor(&stored, token.as_str()))))
}

static HISTORY: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::required("rid", MatchKind::Text(128)),
    MatchField::optional("end", MatchKind::Any),
    MatchField::optional("limit", MatchKind::Any),
    MatchField::optional("ls", MatchKind::Any),
]);

/// A page of the history, newest first, and what of it is unread if the caller says what was read last.
pub(super) async fn load_history(services: &Services, parameters: Parameters) -> Outcome {
    // Without a token nobody asks.
    if parameters.get(0).and_then(Value::as_object).is_some_and(|given| given.get("token").is_none_or(Value::is_null)) {
        return Ok(None);
    }
    let given: Map<String, Value> = parameters.object(0, &HISTORY)?;
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let at = |name: &str| given.get(name).filter(|value| !value.is_null()).map(moment).transpose();
    let limit = given.get("limit").and_then(Value::as_i64).unwrap_or(USUAL_PAGE).clamp(0, HISTORY_LIMIT);
    let (token, room_id, seen) = (VisitorToken::new(text("token")).ok_or(Refusal::InvalidToken)?, text("rid"), at("ls")?);
    let page = HistoryPage { room_id: room_id.clone(), before: at("end")?, offset: 0, limit };
    let messages = services.history_for_visitor(token.clone(), page).await.map_err(older_words)?;
    let oldest = messages.last().map_or(i64::MAX, |message| message.ts);
    let document = |message| extended(&MessageDocument::for_visitor(message, token.as_str()));
    let mut answer = json!({"messages": messages.iter().map(document).collect::<Vec<_>>(), "unreadNotLoaded": 0});
    if let Some(seen) = seen {
        let unread = services.unread_of_visitor(token.clone(), room_id, seen, oldest).await.map_err(older_words)?;
        answer["unreadNotLoaded"] = unread.not_loaded.into();
        if let Some(first) = &unread.first {
            answer["firstUnread"] = document(first);
        }
    }
    Ok(Some(answer))
}

/// This method calls a visitor that it does not know otherwise than all others do.
fn older_words(error: Error) -> MethodError {
    match error {
        Error::Refused(Refusal::InvalidToken) => Refusal::InvalidVisitor.into(),
        other => other.into(),
    }
}
