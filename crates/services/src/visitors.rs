//! Registering and reading visitors.

use usher_domain::settings::KEEP_CONNECTION;
use usher_domain::visitor::{Connection, Visitor, VisitorToken, normalise_email};
use usher_domain::{Change, ChangeKind};
use usher_store::{Tx, q};

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
    /// What the request's headers say.
    pub connection: Connection,
}

/// What a new visitor gets if there is none with the token yet: all that a rule cannot make up.
#[derive(Clone)]
struct Fresh {
    id: String,
    internal_id: String,
    contact_id: String,
    guest_number: i64,
}

impl Services {
    /// Registers the holder of `token`, or changes what is known of a registered one.
    ///
    /// Nobody is recognised by phone number or e-mail address: whoever knows those would otherwise become that person.
    pub async fn register_visitor(&self, token: VisitorToken, registration: Registration) -> Result<Visitor, Error> {
        // There are no departments yet, so none can be asked for.
        if is_given(registration.department.as_deref()) {
            return Err(Refusal::InvalidDepartment.into());
        }
        let registration = Registration {
            connection: if self.platform().settings.get(&KEEP_CONNECTION) {
                registration.connection
            } else {
                Connection::default()
            },
            ..registration
        };
        let now = self.now();
        let fresh = Fresh {
            id: registration.id.clone().filter(|id| is_given(Some(id))).unwrap_or_else(|| self.new_id()),
            internal_id: usher_domain::id::unordered(self.random.as_ref()),
            contact_id: self.new_id(),
            guest_number: self.next_guest_number().await?,
        };
        self.store
            .write(move |tx| match q::visitors::by_token(tx, &token)? {
                Some(known) => update(tx, known, &registration, now),
                None => insert(tx, &token, &registration, &fresh, now),
            })
            .await
    }

    /// The visitor whose token this is.
    pub async fn visitor(&self, token: VisitorToken) -> Result<Visitor, Error> {
        self.store.read(move |tx| q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken.into())).await
    }
}

fn is_given(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// The value given, or else the one known.
fn given_or(given: Option<&String>, known: Option<String>) -> Option<String> {
    given.filter(|text| is_given(Some(text))).cloned().or(known)
}

fn insert(tx: &mut Tx<'_>, token: &VisitorToken, said: &Registration, fresh: &Fresh, now: i64) -> Result<Visitor, Error> {
    if q::visitors::exists(tx, &fresh.id)? {
        return Err(Refusal::Registration.into());
    }
    let visitor = Visitor {
        id: fresh.id.clone(),
        username: given_or(said.username.as_ref(), None).unwrap_or_else(|| format!("guest-{}", fresh.guest_number)),
        name: given_or(said.name.as_ref(), None),
        email: said.email.as_deref().and_then(normalise_email),
        phone: given_or(said.phone.as_ref(), None),
        department_id: None,
        status: "online".to_owned(),
        contact_id: fresh.contact_id.clone(),
        last_chat: None,
        connection: said.connection.clone(),
        created_at: now,
        updated_at: now,
    };
    q::visitors::insert(tx, &visitor, token, &fresh.internal_id)?;
    Ok(visitor)
}

fn update(tx: &mut Tx<'_>, known: Visitor, said: &Registration, now: i64) -> Result<Visitor, Error> {
    let visitor = Visitor {
        name: given_or(said.name.as_ref(), known.name),
        email: said.email.as_deref().and_then(normalise_email).or(known.email),
        phone: given_or(said.phone.as_ref(), known.phone),
        status: "online".to_owned(),
        connection: Connection {
            user_agent: said.connection.user_agent.clone().or(known.connection.user_agent),
            ip: said.connection.ip.clone().or(known.connection.ip),
            host: said.connection.host.clone().or(known.connection.host),
        },
        updated_at: now,
        ..known
    };
    q::visitors::update(tx, &visitor)?;
    rename_open_rooms(tx, &visitor, now)?;
    Ok(visitor)
}

/// Open rooms carry the visitor's name.
fn rename_open_rooms(tx: &mut Tx<'_>, visitor: &Visitor, now: i64) -> Result<(), Error> {
    for q::rooms::Stored { room, .. } in q::rooms::open(tx, &visitor.id)? {
        if room.name != visitor.display_name() {
            let seq = room.seq + 1;
            q::rooms::rename(tx, &room.id, visitor.display_name(), seq, now)?;
            let change = Change { room_id: room.id.clone(), seq, kind: ChangeKind::RoomChanged, reference: room.id };
            q::changes::record(tx, change)?;
        }
    }
    Ok(())
}
