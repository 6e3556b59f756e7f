//! Who may read a room.

use usher_domain::access::{self, Reader};
use usher_domain::role::MANAGER;
use usher_domain::room::Room;
use usher_domain::routing::RoutingMethod;
use usher_domain::settings::ROUTING_METHOD;
use usher_store::q::users::User;
use usher_store::{StoreError, Tx, q};

use crate::platform::Platform;
use crate::{Error, Refusal};

/// Whether a user may read a room. To look at several, use [`RoomReader`].
pub(crate) fn may_read(tx: &mut Tx<'_>, platform: &Platform, user: &User, room: &Room) -> Result<bool, StoreError> {
    Ok(RoomReader::of(tx, platform, user)?.may_read(room))
}

/// The room with this id, if there is one and a user may read it.
pub(crate) fn readable(tx: &mut Tx<'_>, platform: &Platform, user: &User, room_id: &str) -> Result<Option<Room>, StoreError> {
    let Some(room) = q::rooms::by_id(tx, room_id)? else { return Ok(None) };
    Ok(if may_read(tx, platform, user, &room)? { Some(room) } else { None })
}

/// The same; the user is told whether there is no such room or it may not be read.
pub(crate) fn readable_or_refused(tx: &mut Tx<'_>, platform: &Platform, user: &User, room_id: &str) -> Result<Room, Error> {
    let room = q::rooms::by_id(tx, room_id)?.ok_or(Refusal::NoSuchRoom)?;
    if may_read(tx, platform, user, &room)? { Ok(room) } else { Err(Refusal::RoomNotAllowed.into()) }
}

/// A user who wants to read rooms, with all that is asked of the store to tell which.
pub(crate) struct RoomReader<'a> {
    platform: &'a Platform,
    user: &'a User,
    /// The departments whose agent the user is, as far as they are in service.
    departments: Vec<String>,
    all_departments: Vec<String>,
}

impl<'a> RoomReader<'a> {
    /// Reads in which departments the user is.
    pub(crate) fn of(tx: &mut Tx<'_>, platform: &'a Platform, user: &'a User) -> Result<RoomReader<'a>, StoreError> {
        let places = q::department_agents::of_agent(tx, &user.id)?;
        let all_departments: Vec<String> = places.iter().map(|place| place.department_id.clone()).collect();
        let enabled = places.into_iter().filter(|place| place.department_enabled);
        let departments: Vec<String> = enabled.map(|place| place.department_id).collect();
        Ok(RoomReader { platform, user, departments, all_departments })
    }

    /// Whether the user may read a room.
    pub(crate) fn may_read(&self, room: &Room) -> bool {
        let RoomReader { platform, user, departments, all_departments } = self;
        let reader = Reader {
            user_id: &user.id,
            holds: &|permission| platform.grants.permit(&user.roles, permission.0),
            is_manager: user.roles.iter().any(|role| role == MANAGER),
            departments,
            all_departments,
        };
        let method = RoutingMethod::from_name(platform.settings.choice(&ROUTING_METHOD));
        access::may_read(room, &reader, method.config().preview_room)
    }
}
