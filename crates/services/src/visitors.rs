//! Registering and reading visitors.

use usher_domain::id::Sequence;
use usher_domain::settings::{KEEP_CONNECTION, MATCH_GUESTS_BY_CONTACT};
use usher_domain::visitor::{Connection, Visitor, VisitorToken, normalise_email};
use usher_store::{Tx, q};

use crate::custom_fields::{GivenValue, registration_fields, search_key};
use crate::rooms::RoomWork;
use crate::{Error, Refusal, Services};

/// What a visitor says of itself. What is `None` or blank leaves a registered visitor's value as it is.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The id or name of the department asked for.
    pub department: Option<String>,
    /// The user name of a new visitor.
    pub username: Option<String>,
    /// The id of a new visitor.
    pub id: Option<String>,
    /// Values of custom fields.
    pub custom_fields: Vec<GivenValue>,
    /// What the request's headers say.
    pub connection: Connection,
}

/// A visitor who has registered, and the token under which it is known from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The visitor.
    pub visitor: Visitor,
    /// The token.
    pub token: String,
}

/// All that registering depends on.
#[derive(Clone)]
pub(crate) struct Terms {
    said: Registration,
    /// Whether a visitor is recognised by phone number or e-mail address.
    matches_by_contact: bool,
    internal_id: String,
    guest_number: i64,
    ids: Sequence,
    now: i64,
}

impl Services {
    /// Registers the holder of `token`, or changes what is known of a registered one.
    ///
    /// Nobody is recognised by phone number or e-mail address unless the setting says so: whoever knows those would otherwise become
    /// that person.
    ///
    /// # Errors
    ///
    /// There is no such department, the id is somebody else's, or a required custom field is missing.
    pub async fn register_visitor(&self, token: VisitorToken, registration: Registration) -> Result<Registered, Error> {
        let terms = self.registration_terms(registration).await?;
        self.store.write(move |tx| register(tx, &token, &terms)).await
    }

    /// What registering depends on at the moment.
    pub(crate) async fn registration_terms(&self, registration: Registration) -> Result<Terms, Error> {
        let keeps_connection = self.platform().settings.get(&KEEP_CONNECTION);
        let connection = if keeps_connection { registration.connection } else { Connection::default() };
        Ok(Terms {
            said: Registration { connection, ..registration },
            matches_by_contact: self.platform().settings.get(&MATCH_GUESTS_BY_CONTACT),
            internal_id: usher_domain::id::unordered(self.random.as_ref()),
            guest_number: self.next_guest_number().await?,
            ids: self.ids(),
            now: self.now(),
        })
    }

    /// The visitor whose token this is.
    ///
    /// # Errors
    ///
    /// Nobody has it.
    pub async fn visitor(&self, token: VisitorToken) -> Result<Visitor, Error> {
        self.store.read(move |tx| q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken.into())).await
    }

    /// Says in a visitor's open rooms whether it is there.
    ///
    /// # Errors
    ///
    /// Nobody has the token.
    pub async fn set_visitor_status(&self, token: VisitorToken, status: String) -> Result<(), Error> {
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                say_status(tx, &visitor.id, &status, &mut ids.clone(), now)
            })
            .await
    }
}

/// Says in a visitor's open rooms whether it is there.
pub(crate) fn say_status(tx: &mut Tx<'_>, visitor_id: &str, status: &str, ids: &mut Sequence, now: i64) -> Result<(), Error> {
    for mut room in q::rooms::open(tx, visitor_id)? {
        if room.visitor_status != status {
            status.clone_into(&mut room.visitor_status);
            RoomWork::on(tx, room, ids, now).finish()?;
        }
    }
    Ok(())
}

/// Registers the holder of `token`, or changes what is known of a registered one.
pub(crate) fn register(tx: &mut Tx<'_>, token: &VisitorToken, terms: &Terms) -> Result<Registered, Error> {
    let mut ids = terms.ids.clone();
    let department = department(tx, terms)?;
    let (visitor, token) = match known(tx, token, terms)? {
        Some((known, token)) => (changed(tx, known, department, terms)?, token),
        None => (added(tx, token, department, terms, &mut ids)?, token.as_str().to_owned()),
    };
    registration_fields(tx, &visitor.id, &visitor.contact_id, &terms.said.custom_fields)?;
    let visitor = q::visitors::by_id(tx, &visitor.id)?.ok_or(Error::Broken("a visitor who registered is not there"))?;
    rename_open_rooms(tx, &visitor, &mut ids, terms.now)?;
    Ok(Registered { visitor, token })
}

fn is_given(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// The value given, or else the one known.
fn given_or(given: Option<&String>, known: Option<String>) -> Option<String> {
    given.filter(|text| is_given(Some(text))).cloned().or(known)
}

/// The id of the department asked for.
fn department(tx: &mut Tx<'_>, terms: &Terms) -> Result<Option<String>, Error> {
    let Some(wanted) = given_or(terms.said.department.as_ref(), None) else { return Ok(None) };
    let found = q::departments::by_id_or_name(tx, &wanted)?.ok_or(Refusal::InvalidDepartment)?;
    Ok(Some(found.id))
}

/// The visitor who registers, if it is known, and its token from now on: the holder of the token, or else, where visitors are recognised
/// by them, the one with the phone number, who keeps the former token, or the one with the e-mail address, who gets the new one.
fn known(tx: &mut Tx<'_>, token: &VisitorToken, terms: &Terms) -> Result<Option<(Visitor, String)>, Error> {
    if let Some(holder) = q::visitors::by_token(tx, token)? {
        return Ok(Some((holder, token.as_str().to_owned())));
    }
    if !terms.matches_by_contact {
        return Ok(None);
    }
    if let Some(phone) = given_or(terms.said.phone.as_ref(), None)
        && let Some((visitor, kept)) = q::visitors::by_phone(tx, &phone)?
    {
        q::page_visits::rebind(tx, token.as_str(), &kept)?;
        return Ok(Some((visitor, kept)));
    }
    let Some(email) = terms.said.email.as_deref().and_then(normalise_email) else { return Ok(None) };
    let Some((visitor, former)) = q::visitors::by_email(tx, &email)? else { return Ok(None) };
    q::visitors::set_token(tx, &visitor.id, token, terms.now)?;
    q::page_visits::rebind(tx, &former, token.as_str())?;
    Ok(Some((visitor, token.as_str().to_owned())))
}

fn added(
    tx: &mut Tx<'_>,
    token: &VisitorToken,
    department_id: Option<String>,
    terms: &Terms,
    ids: &mut Sequence,
) -> Result<Visitor, Error> {
    let said = &terms.said;
    let (id, contact_id) = (given_or(said.id.as_ref(), None).unwrap_or_else(|| ids.next_id()), ids.next_id());
    if q::visitors::exists(tx, &id)? {
        return Err(Refusal::Registration.into());
    }
    let visitor = Visitor {
        id,
        username: given_or(said.username.as_ref(), None).unwrap_or_else(|| format!("guest-{}", terms.guest_number)),
        name: given_or(said.name.as_ref(), None),
        email: said.email.as_deref().and_then(normalise_email),
        phone: given_or(said.phone.as_ref(), None),
        department_id,
        status: "online".to_owned(),
        contact_id,
        last_chat: None,
        connection: said.connection.clone(),
        last_agent: None,
        fields: Vec::new(),
        activity: Vec::new(),
        created_at: terms.now,
        updated_at: terms.now,
    };
    let search_key = search_key(tx, &visitor.id, visitor.name.as_deref(), &visitor.username)?;
    q::visitors::insert(tx, &visitor, token, &terms.internal_id, &search_key)?;
    Ok(visitor)
}

fn changed(tx: &mut Tx<'_>, known: Visitor, department_id: Option<String>, terms: &Terms) -> Result<Visitor, Error> {
    let said = &terms.said;
    let visitor = Visitor {
        name: given_or(said.name.as_ref(), known.name),
        email: said.email.as_deref().and_then(normalise_email).or(known.email),
        phone: given_or(said.phone.as_ref(), known.phone),
        department_id: department_id.or(known.department_id),
        status: "online".to_owned(),
        connection: Connection {
            user_agent: said.connection.user_agent.clone().or(known.connection.user_agent),
            ip: said.connection.ip.clone().or(known.connection.ip),
            host: said.connection.host.clone().or(known.connection.host),
        },
        updated_at: terms.now,
        ..known
    };
    let search_key = search_key(tx, &visitor.id, visitor.name.as_deref(), &visitor.username)?;
    q::visitors::update(tx, &visitor, &search_key)?;
    Ok(visitor)
}

/// Open rooms carry the visitor's name.
fn rename_open_rooms(tx: &mut Tx<'_>, visitor: &Visitor, ids: &mut Sequence, now: i64) -> Result<(), Error> {
    for mut room in q::rooms::open(tx, &visitor.id)? {
        if room.name != visitor.display_name() {
            room.name = visitor.display_name().to_owned();
            q::subscriptions::touch(tx, &room.id, now)?;
            RoomWork::on(tx, room, ids, now).finish()?;
        }
    }
    Ok(())
}
