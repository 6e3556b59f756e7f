//! Methods of visitors, whose token is in the parameters. Older widgets call them.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::room::{Source, SourceKind};
use usher_domain::visitor::{Visitor, VisitorToken};

use super::parameters::moment;
use super::{MethodError, Outcome, Parameters};
use crate::custom_fields::GivenValue;
use crate::documents::{Eyes, MessageDocument, addresses, extended};
use crate::limits::Limit;
use crate::messages::{HISTORY_LIMIT, HistoryPage, VisitorMessage};
use crate::page_visits::{CHANGE_LIMIT, HREF_LIMIT, SeenPage, TITLE_LIMIT};
use crate::visitors::{Registered, Registration};
use crate::{Error, Refusal, Services};

/// How many messages a page has if nobody says.
const USUAL_PAGE: i64 = 20;

static CUSTOM_FIELD: MatchPattern = MatchPattern::open(&[
    MatchField::required("key", MatchKind::Text(256)),
    MatchField::required("value", MatchKind::Text(4_096)),
    MatchField::optional("overwrite", MatchKind::Boolean),
    MatchField::optional("scope", MatchKind::Text(64)),
]);

static GUEST: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::optional("name", MatchKind::Text(512)),
    MatchField::optional("email", MatchKind::Text(320)),
    MatchField::optional("department", MatchKind::Text(128)),
    MatchField::optional("customFields", MatchKind::List(&CUSTOM_FIELD)),
]);

static CONNECTION: MatchPattern = MatchPattern::open(&[MatchField::required("token", MatchKind::Text(1_024))]);

#[derive(Deserialize)]
struct Guest {
    token: String,
    name: Option<String>,
    email: Option<String>,
    department: Option<String>,
    #[serde(default, rename = "customFields")]
    custom_fields: Vec<GuestField>,
}

/// A value of a custom field, of the guest unless it says otherwise.
#[derive(Deserialize)]
struct GuestField {
    key: String,
    value: String,
    overwrite: Option<bool>,
    scope: Option<String>,
}

/// The values that guests say of themselves.
fn of_guest(fields: Vec<GuestField>) -> Vec<GivenValue> {
    let own = fields.into_iter().filter(|field| field.scope.as_deref() != Some("room"));
    let value =
        |field: GuestField| GivenValue { key: field.key, value: field.value, overwrite: field.overwrite.unwrap_or_default() };
    own.map(value).collect()
}

/// Clients that ask for it bind the connection to the visitor: the realtime side does so, once it is known that this is a token.
pub(super) fn set_up_connection(parameters: &Parameters) -> Outcome {
    parameters.object::<Map<String, Value>>(0, &CONNECTION)?;
    Ok(None)
}

pub(super) async fn register(services: &Services, parameters: Parameters, address: IpAddr) -> Outcome {
    let guest: Guest = parameters.object(0, &GUEST)?;
    services.count(Limit::RegistrationsPerToken, &guest.token)?;
    services.count(Limit::RegistrationsPerAddress, &address.to_string())?;
    let token = VisitorToken::new(guest.token).ok_or(Refusal::InvalidToken)?;
    let registration = Registration {
        name: guest.name,
        email: guest.email,
        department: guest.department,
        custom_fields: of_guest(guest.custom_fields),
        ..Registration::default()
    };
    let Registered { visitor, token } = services.register_visitor(token, registration).await?;
    Ok(Some(json!({"userId": visitor.id, "visitor": shown(&visitor, &token)})))
}

fn shown(visitor: &Visitor, token: &str) -> Value {
    let mut shown = json!({"_id": visitor.id, "token": token, "username": visitor.username});
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

static LOCATION: MatchPattern = MatchPattern::open(&[MatchField::required("href", MatchKind::Text(HREF_LIMIT))]);

static PAGE: MatchPattern = MatchPattern::open(&[
    MatchField::required("change", MatchKind::Text(CHANGE_LIMIT)),
    MatchField::required("title", MatchKind::Text(TITLE_LIMIT)),
    MatchField::required("location", MatchKind::Object(&LOCATION)),
]);

#[derive(Deserialize)]
struct VisitedPage {
    change: String,
    title: String,
    location: Location,
}

#[derive(Deserialize)]
struct Location {
    href: String,
}

/// Notes that a visitor sees a page, and tells nothing.
pub(super) async fn page_visited(services: &Services, parameters: Parameters, address: IpAddr) -> Outcome {
    let (token, room_id) = (parameters.text(0)?, parameters.optional_text(1)?);
    let page: VisitedPage = parameters.object(2, &PAGE)?;
    services.count(Limit::Signals, &format!("{token} page"))?;
    services.count(Limit::SignalsPerAddress, &address.to_string())?;
    let VisitedPage { change, title, location: Location { href } } = page;
    services.note_page(SeenPage { token, room_id, change, title, href }).await?;
    Ok(None)
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

static AGENT: MatchPattern = MatchPattern::open(&[
    MatchField::required("agentId", MatchKind::Text(128)),
    MatchField::required("username", MatchKind::Text(256)),
]);

#[derive(Deserialize)]
struct WantedAgent {
    #[serde(rename = "agentId")]
    id: String,
}

/// Posts a visitor's message. Whoever has no room gets one: its own id for it, if the client sent one, is not taken.
pub(super) async fn send_message(services: &Services, parameters: Parameters) -> Outcome {
    let sent: SentMessage = parameters.object(0, &MESSAGE)?;
    let agent: Option<WantedAgent> = parameters.get(1).is_some().then(|| parameters.object(1, &AGENT)).transpose()?;
    services.count(Limit::Messages, &sent.token)?;
    let token = VisitorToken::new(sent.token).ok_or(Refusal::InvalidToken)?;
    let id = Some(sent.id).filter(|id| !id.is_empty());
    let message = VisitorMessage { room_id: sent.rid, text: sent.msg, id };
    let source = Source { kind: SourceKind::Api, destination: None };
    let stored = services.post_opening_message(token.clone(), message, source, agent.map(|agent| agent.id)).await?;
    Ok(Some(extended(&MessageDocument::new(&stored, Eyes::Visitor(token.as_str())))))
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
    let document = |message| extended(&MessageDocument::new(message, Eyes::Visitor(token.as_str())));
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
