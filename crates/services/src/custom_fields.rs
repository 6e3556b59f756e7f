//! Custom fields: which there are, and their values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use usher_domain::custom_field::{self, CustomField, Scope};
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind};
use usher_store::q::fields::OfContact;
use usher_store::{Tx, q};

pub use usher_store::q::custom_fields::{Order, Page};

use crate::{Error, Refusal, Services};

/// The most bytes, in JSON, of all the members of a field that it need not have.
const MEMBERS_LIMIT: usize = 64 << 10;

/// What every field has, whatever else is sent with it.
const OWN: [&str; 6] = ["_id", "field", "label", "scope", "visibility", "_updatedAt"];

/// How many values of one contact may be contradicted. What comes after these is dropped, so that no visitor can fill the store.
const CONFLICTS_LIMIT: usize = 100;

/// How many visitors are made to be found anew in one transaction.
const BATCH: i64 = 500;

/// A field as an administrator wants it.
#[derive(Debug, Clone)]
pub struct WantedField {
    /// The id of a new field.
    pub id: String,
    /// How people call it.
    pub label: String,
    /// What it belongs to.
    pub scope: Scope,
    /// Who sees it.
    pub visibility: String,
    /// Other members.
    pub members: Map<String, Value>,
}

/// A value that a visitor gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenValue {
    /// The id of the field.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether it takes the place of one that is there already.
    pub overwrite: bool,
}

/// A page of the fields.
#[derive(Debug, Clone)]
pub struct ListedFields {
    /// The fields.
    pub fields: Vec<CustomField>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Services {
    /// A page of the fields, or of those whose label or id contains `term`.
    pub async fn custom_fields(&self, term: Option<String>, page: Page) -> Result<ListedFields, Error> {
        self.store
            .read(move |tx| {
                let (fields, total) =
                    (q::custom_fields::list(tx, term.as_deref(), &page)?, q::custom_fields::count(tx, term.as_deref())?);
                Ok(ListedFields { fields, total })
            })
            .await
    }

    /// The field with this id.
    pub async fn custom_field(&self, id: String) -> Result<Option<CustomField>, Error> {
        self.store.read(move |tx| q::custom_fields::by_id(tx, &id).map_err(Error::from)).await
    }

    /// What the widget is told of the fields that it asks visitors for.
    pub async fn widget_fields(&self) -> Result<Vec<Value>, Error> {
        let fields = self.store.read(|tx| q::custom_fields::of_scope(tx, Scope::Visitor).map_err(Error::from)).await?;
        Ok(fields.iter().filter(|field| field.is_for_widget()).map(CustomField::for_widget).collect())
    }

    /// Makes a field, or changes the one with the id `known`: members that are not given stay. Visitors are found by it, or no
    /// longer, when this returns; where it did not get so far, saving the field again does the rest.
    pub async fn save_custom_field(&self, known: Option<String>, wanted: WantedField) -> Result<CustomField, Error> {
        let now = self.now();
        let (field, was_searchable) = self
            .store
            .write(move |tx| match &known {
                Some(id) => change(tx, id, &wanted, now),
                None => Ok((make(tx, &wanted, now)?, false)),
            })
            .await?;
        if was_searchable || field.is_searchable() {
            self.find_anew(&field.id).await?;
        }
        Ok(field)
    }

    /// Deletes a field. The values that were given for it stay where they are, but nobody is found by them.
    pub async fn delete_custom_field(&self, id: String) -> Result<(), Error> {
        let deleted = id.clone();
        let was_searchable = self
            .store
            .write(move |tx| {
                let field = q::custom_fields::by_id(tx, &deleted)?.ok_or(Refusal::NoFieldToDelete)?;
                q::custom_fields::delete(tx, &field.id)?;
                Ok::<_, Error>(field.is_searchable())
            })
            .await?;
        if was_searchable { self.find_anew(&id).await } else { Ok(()) }
    }

    /// Makes every visitor who has a value of the field be found by what is searchable now.
    async fn find_anew(&self, field: &str) -> Result<(), Error> {
        let mut last = String::new();
        loop {
            let (field, after) = (field.to_owned(), last);
            let batch = self.store.write(move |tx| find_batch_anew(tx, &field, &after)).await?;
            match batch {
                Some(id) => last = id,
                None => return Ok(()),
            }
        }
    }

    /// Gives the visitor whose token this is, its contact and its open rooms these values: all of them, or none. Gives them back in
    /// the order in which they are set: those of rooms come first.
    pub async fn set_custom_values(&self, token: VisitorToken, values: Vec<GivenValue>) -> Result<Vec<GivenValue>, Error> {
        let now = self.now();
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                if values.is_empty() {
                    return Err(Refusal::InvalidCustomField.into());
                }
                let (rooms, visitors) =
                    (q::custom_fields::of_scope(tx, Scope::Room)?, q::custom_fields::of_scope(tx, Scope::Visitor)?);
                let field = |key: &str| rooms.iter().chain(&visitors).find(|field| field.id == key);
                for given in &values {
                    let field = field(&given.key).ok_or(Refusal::InvalidCustomField)?;
                    if !field.accepts(&given.value) {
                        return Err(Refusal::InvalidFieldValue(given.key.clone()).into());
                    }
                }
                let is_of_room = |given: &GivenValue| rooms.iter().any(|field| field.id == given.key);
                let (of_room, of_visitor): (Vec<_>, Vec<_>) = values.iter().cloned().partition(is_of_room);
                apply_to_open_rooms(tx, &visitor.id, &of_room, now)?;
                apply_to_visitor(tx, &visitor.id, &visitor.contact_id, &of_visitor, &visitors, now)?;
                Ok(of_room.into_iter().chain(of_visitor).collect())
            })
            .await
    }
}

fn make(tx: &mut Tx<'_>, wanted: &WantedField, now: i64) -> Result<CustomField, Error> {
    let WantedField { id, label, scope, visibility, members } = wanted.clone();
    if q::custom_fields::by_id(tx, &id)?.is_some() {
        return Err(Refusal::FieldExists.into());
    }
    let field = bounded(CustomField { id, label, scope, visibility, members, updated_at: now })?;
    q::custom_fields::insert(tx, &field)?;
    Ok(field)
}

/// Gives the field as it is now, and whether visitors were found by it before.
fn change(tx: &mut Tx<'_>, id: &str, wanted: &WantedField, now: i64) -> Result<(CustomField, bool), Error> {
    let before = q::custom_fields::by_id(tx, id)?.ok_or(Refusal::FieldNotFound)?;
    let was_searchable = before.is_searchable();
    let mut members = before.members;
    members.extend(wanted.members.clone());
    let after = bounded(CustomField {
        id: before.id,
        label: wanted.label.clone(),
        scope: wanted.scope,
        visibility: wanted.visibility.clone(),
        members,
        updated_at: now,
    })?;
    q::custom_fields::update(tx, &after)?;
    Ok((after, was_searchable))
}

/// The field without members that stand elsewhere, unless it is too long.
fn bounded(mut field: CustomField) -> Result<CustomField, Refusal> {
    field.members.retain(|name, _| !OWN.contains(&name.as_str()));
    let length = Value::Object(field.members.clone()).to_string().len();
    if length > MEMBERS_LIMIT { Err(Refusal::FieldTooLong) } else { Ok(field) }
}

/// Makes some visitors be found anew; gives the last of them.
fn find_batch_anew(tx: &mut Tx<'_>, field: &str, after: &str) -> Result<Option<String>, Error> {
    let visitors = q::fields::visitors_with(tx, field, after, BATCH)?;
    let fields = q::custom_fields::of_scope(tx, Scope::Visitor)?;
    for id in &visitors {
        let owner = q::fields::owner(tx, id)?;
        let values = q::fields::visitor_fields(tx, id)?;
        let search_key = custom_field::search_key(owner.name.as_deref(), &owner.username, &values, &fields);
        q::fields::set_search_key(tx, id, &search_key, owner.updated_at)?;
    }
    Ok(visitors.last().cloned())
}

/// What a visitor of this name is found by.
pub(crate) fn search_key(tx: &mut Tx<'_>, visitor_id: &str, name: Option<&str>, username: &str) -> Result<String, Error> {
    let (values, fields) = (q::fields::visitor_fields(tx, visitor_id)?, q::custom_fields::of_scope(tx, Scope::Visitor)?);
    Ok(custom_field::search_key(name, username, &values, &fields))
}

/// Gives a visitor who has just registered the values that came with it. Fields that visitors do not have are skipped, and no pattern
/// is looked at; but whoever gives any has to give all that are required.
pub(crate) fn registration_fields(tx: &mut Tx<'_>, visitor_id: &str, contact_id: &str, values: &[GivenValue]) -> Result<(), Error> {
    if values.is_empty() {
        return Ok(());
    }
    let fields = q::custom_fields::of_scope(tx, Scope::Visitor)?;
    let missing = custom_field::missing(&fields, |id| values.iter().any(|given| given.key == id));
    if !missing.is_empty() {
        return Err(Refusal::FieldsMissing(missing.join(", ")).into());
    }
    let known: Vec<_> = values.iter().filter(|given| fields.iter().any(|field| field.id == given.key)).cloned().collect();
    // The visitor's record has just been written.
    let now = q::fields::owner(tx, visitor_id)?.updated_at;
    apply_to_visitor(tx, visitor_id, contact_id, &known, &fields, now)
}

/// Gives a visitor and every contact that has it these values of `fields`.
fn apply_to_visitor(
    tx: &mut Tx<'_>,
    visitor_id: &str,
    contact_id: &str,
    values: &[GivenValue],
    fields: &[CustomField],
    now: i64,
) -> Result<(), Error> {
    let before: BTreeMap<String, String> = q::fields::visitor_fields(tx, visitor_id)?.into_iter().collect();
    let mut after = before.clone();
    for given in values {
        if given.overwrite || after.get(&given.key).is_none_or(String::is_empty) {
            after.insert(given.key.clone(), given.value.clone());
        }
    }
    if after != before {
        for (field, value) in after.iter().filter(|(field, value)| before.get(*field) != Some(value)) {
            q::fields::set_visitor_field(tx, visitor_id, field, value)?;
        }
        let (owner, after) = (q::fields::owner(tx, visitor_id)?, after.into_iter().collect::<Vec<_>>());
        let search_key = custom_field::search_key(owner.name.as_deref(), &owner.username, &after, fields);
        q::fields::set_search_key(tx, visitor_id, &search_key, now)?;
    }
    let mut contacts = q::fields::contacts(tx, visitor_id)?;
    if !contacts.iter().any(|known| known == contact_id) {
        contacts.push(contact_id.to_owned());
    }
    contacts.iter().try_for_each(|contact_id| apply_to_contact(tx, contact_id, values, now))
}

/// Gives a contact these values. One that must not take the place of another contradicts it.
fn apply_to_contact(tx: &mut Tx<'_>, contact_id: &str, values: &[GivenValue], now: i64) -> Result<(), Error> {
    let Some(before) = q::fields::of_contact(tx, contact_id)? else { return Ok(()) };
    let mut after = before.clone();
    for given in values {
        if given.overwrite || is_blank(after.values.get(&given.key)) {
            after.values.insert(given.key.clone(), given.value.as_str().into());
        } else {
            contradict(&mut after, &given.key, &given.value);
        }
    }
    if after != before {
        q::fields::set_of_contact(tx, contact_id, &after, now)?;
    }
    Ok(())
}

fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value == "")
}

/// Notes that a contact is said to have another value. What says the same as it, or as was said before, contradicts nothing.
fn contradict(contact: &mut OfContact, field: &str, value: &str) {
    let conflict = json!({"field": format!("customFields.{field}"), "value": value});
    let is_known = contact.values.get(field).is_some_and(|held| held == value) || contact.conflicts.contains(&conflict);
    if !is_known && contact.conflicts.len() < CONFLICTS_LIMIT {
        contact.conflicts.push(conflict);
    }
}

/// Gives a contact that a visitor joins what the visitor has said of itself so far. A contact about whom nobody said yet who it is takes
/// the visitor's word for it.
pub(crate) fn join_contact(tx: &mut Tx<'_>, visitor_id: &str, contact_id: &str, is_unknown: bool, now: i64) -> Result<(), Error> {
    let (values, fields) = (q::fields::visitor_fields(tx, visitor_id)?, q::custom_fields::of_scope(tx, Scope::Visitor)?);
    let fitting = custom_field::taken_over(&values, &fields).into_iter().filter_map(|(key, value)| {
        let value = value.as_str()?.to_owned();
        Some(GivenValue { key, value, overwrite: is_unknown })
    });
    let fitting: Vec<GivenValue> = fitting.collect();
    apply_to_contact(tx, contact_id, &fitting, now)
}

/// Gives all open rooms of a visitor these values.
fn apply_to_open_rooms(tx: &mut Tx<'_>, visitor_id: &str, values: &[GivenValue], now: i64) -> Result<(), Error> {
    let rooms = if values.is_empty() { Vec::new() } else { q::fields::open_rooms(tx, visitor_id)? };
    let Some((first, _)) = rooms.first() else { return Ok(()) };
    // Whether a value is there already is for the oldest room to say.
    let held = q::fields::room_fields(tx, first)?;
    let is_blank = |key: &str| held.iter().all(|(known, value)| known != key || value.is_empty());
    let wanted: Vec<_> = values.iter().filter(|given| given.overwrite || is_blank(&given.key)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    for (room_id, seq) in rooms {
        for given in &wanted {
            q::fields::set_room_field(tx, &room_id, &given.key, &given.value)?;
        }
        let seq = seq + 1;
        q::fields::touch_room(tx, &room_id, seq, now)?;
        let change = Change { room_id: room_id.clone(), seq, kind: ChangeKind::RoomChanged, reference: room_id };
        q::changes::record(tx, change)?;
    }
    Ok(())
}
