//! What is noted of a chat: its topic, tags and values, what is known of its visitor, and what the visitor thinks of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use usher_domain::custom_field::{CustomField, Scope};
use usher_domain::message::Message;
use usher_domain::permission::{EDIT_LIVECHAT_ROOM_CUSTOMFIELDS, SAVE_OTHERS_LIVECHAT_ROOM_INFO};
use usher_domain::visitor::{Visitor, VisitorToken, normalise_email};
use usher_store::{Tx, q};

use super::may_read;
use super::tags::distinct;
use super::work::RoomWork;
use crate::custom_fields::search_key;
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// What a user knows of a visitor. What is `None` or blank leaves the visitor's value as it is.
#[derive(Debug, Clone, Default)]
pub struct GuestInfo {
    /// The visitor's id.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// Values of custom fields, by their ids. A blank one takes the value away.
    pub fields: BTreeMap<String, String>,
}

/// What a user notes of a room.
#[derive(Debug, Clone, Default)]
pub struct RoomInfo {
    /// The room.
    pub id: String,
    /// What it is about; a blank one takes the topic away, `None` leaves it.
    pub topic: Option<String>,
    /// All of its tags.
    pub tags: Vec<String>,
    /// Values of custom fields, by their ids. A blank one takes the value away.
    pub fields: BTreeMap<String, String>,
    /// The priority.
    pub priority: Option<String>,
    /// The service level.
    pub service_level: Option<String>,
}

/// What visitors are asked, and what they can answer from 1 to 5.
const QUESTIONS: [&str; 4] = ["satisfaction", "agentKnowledge", "agentResposiveness", "agentFriendliness"];

/// What visitors can say in their own words.
const IN_OWN_WORDS: &str = "additionalFeedback";

impl Services {
    /// Keeps what a user notes of a chat and its visitor: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// There is no such room, it is another agent's, the visitor is not the room's, or a value is none of its field.
    pub async fn save_room_info(&self, account: &Account, guest: GuestInfo, info: RoomInfo) -> Result<(), Error> {
        let user_id = account.user.id.clone();
        let may_save_others = self.permits(&account.user, SAVE_OTHERS_LIVECHAT_ROOM_INFO);
        let may_edit_fields = self.permits(&account.user, EDIT_LIVECHAT_ROOM_CUSTOMFIELDS);
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &info.id)?.ok_or(Refusal::NoSuchRoom)?;
                if !room.is_served_by(&user_id) && !may_save_others {
                    return Err(Refusal::Unauthorized.into());
                }
                let visitor = q::visitors::by_id(tx, &guest.id)?.filter(|visitor| visitor.id == room.visitor_id);
                let visitor = visitor.ok_or(Refusal::NotVisitorOfRoom)?;
                save_guest(tx, visitor, &guest, may_edit_fields, now)?;
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                if may_edit_fields {
                    save_room_fields(&mut work, &info.fields)?;
                }
                refuse_unknown_levels(&info)?;
                note(&mut work, &info)?;
                work.finish()?;
                Ok(())
            })
            .await
    }

    /// Keeps what a visitor thinks of a chat, open or closed, in place of what it thought before. Gives what was kept.
    ///
    /// # Errors
    ///
    /// Nobody has the token, the room is not the visitor's, or nothing of it answers a question.
    pub async fn save_survey(
        &self,
        token: VisitorToken,
        room_id: String,
        answers: Vec<(String, String)>,
    ) -> Result<Map<String, Value>, Error> {
        let (ids, now) = (self.ids(), self.now());
        let kept = kept_answers(answers);
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                let room = q::rooms::by_id(tx, &room_id)?.filter(|room| room.visitor_id == visitor.id);
                let mut room = room.ok_or(Refusal::InvalidRoom)?;
                if kept.is_empty() {
                    return Err(Refusal::InvalidSurvey.into());
                }
                room.survey = Some(Value::Object(kept.clone()).to_string());
                RoomWork::on(tx, room, &mut ids.clone(), now).finish()?;
                Ok(kept.clone())
            })
            .await
    }

    /// The message that a chat begins with; `None` if there is no such room.
    ///
    /// # Errors
    ///
    /// The user may not read the room.
    pub async fn first_message_of_room(&self, account: &Account, room_id: String) -> Result<Option<Message>, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let Some(room) = q::rooms::by_id(tx, &room_id)? else { return Ok(None) };
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                Ok(q::messages::first(tx, &room.id)?)
            })
            .await
    }
}

/// The answers to what is asked.
fn kept_answers(answers: Vec<(String, String)>) -> Map<String, Value> {
    let is_answer = |(name, value): &(String, String)| {
        let is_mark = matches!(value.as_str(), "1" | "2" | "3" | "4" | "5");
        name == IN_OWN_WORDS || is_mark && QUESTIONS.contains(&name.as_str())
    };
    answers.into_iter().filter(is_answer).map(|(name, value)| (name, value.into())).collect()
}

fn save_guest(tx: &mut Tx<'_>, known: Visitor, guest: &GuestInfo, may_edit_fields: bool, now: i64) -> Result<(), Error> {
    if may_edit_fields {
        for (field, value) in checked(tx, Scope::Visitor, &guest.fields)? {
            match value {
                Some(value) => q::fields::set_visitor_field(tx, &known.id, &field, &value)?,
                None => q::fields::remove_visitor_field(tx, &known.id, &field)?,
            }
        }
    }
    let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let visitor = Visitor {
        name: given(&guest.name).or(known.name),
        email: guest.email.as_deref().and_then(normalise_email).or(known.email),
        phone: given(&guest.phone).or(known.phone),
        updated_at: now,
        ..known
    };
    let search_key = search_key(tx, &visitor.id, visitor.name.as_deref(), &visitor.username)?;
    Ok(q::visitors::update(tx, &visitor, &search_key)?)
}

fn save_room_fields(work: &mut RoomWork<'_, '_>, given: &BTreeMap<String, String>) -> Result<(), Error> {
    for (field, value) in checked(work.tx, Scope::Room, given)? {
        match value {
            Some(value) => q::fields::set_room_field(work.tx, &work.room.id, &field, &value)?,
            None => q::fields::remove_room_field(work.tx, &work.room.id, &field)?,
        }
    }
    Ok(())
}

/// What is given for fields that there are: the value, or nothing where it is to be taken away. What is given for others is skipped.
fn checked(tx: &mut Tx<'_>, scope: Scope, given: &BTreeMap<String, String>) -> Result<Vec<(String, Option<String>)>, Error> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    for field in q::custom_fields::of_scope(tx, scope)? {
        if let Some(value) = given.get(&field.id) {
            let value = fitting(&field, value)?;
            values.push((field.id, value));
        }
    }
    Ok(values)
}

fn fitting(field: &CustomField, value: &str) -> Result<Option<String>, Refusal> {
    match value.trim() {
        "" => Ok(None),
        value if field.accepts(value) => Ok(Some(value.to_owned())),
        _ => Err(Refusal::InvalidFieldValue(field.called().to_owned())),
    }
}

/// There are no priorities and no service levels yet, so whatever is asked for is unknown.
fn refuse_unknown_levels(info: &RoomInfo) -> Result<(), Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if given(&info.priority).is_some() {
        return Err(Refusal::UnknownPriority);
    }
    given(&info.service_level).map_or(Ok(()), |id| Err(Refusal::ServiceLevelNotFound(id)))
}

fn note(work: &mut RoomWork<'_, '_>, info: &RoomInfo) -> Result<(), Error> {
    let room = &mut work.room;
    if let Some(topic) = &info.topic {
        room.topic = Some(topic.trim().to_owned()).filter(|topic| !topic.is_empty());
    }
    let tags = distinct(&info.tags);
    if tags != room.tags {
        q::rooms::set_tags(work.tx, &room.id, &tags)?;
        room.tags = tags;
    }
    Ok(())
}
