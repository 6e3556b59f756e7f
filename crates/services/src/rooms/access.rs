//! Who may read a room.

use usher_domain::access::{self, Reader};
use usher_domain::role::MANAGER;
use usher_domain::room::Room;
use usher_domain::routing::RoutingMethod;
use usher_domain::settings::ROUTING_METHOD;
use usher_store::q::users::User;
use usher_store::{StoreError, Tx, q};

use crate::platform::Platform;

/// Whether a user may read a room.
pub(crate) fn may_read(tx: &mut Tx<'_>, platform: &Platform, user: &User, room: &Room) -> Result<bool, StoreError> {
    let places = q::department_agents::of_agent(tx, &user.id)?;
    let all_departments: Vec<String> = places.iter().map(|place| place.department_id.clone()).collect();
    let enabled = places.into_iter().filter(|place| place.department_enabled);
    let departments: Vec<String> = enabled.map(|place| place.department_id).collect();
    let reader = Reader {
        user_id: &user.id,
        holds: &|permission| platform.grants.permit(&user.roles, permission.0),
        is_manager: user.roles.iter().any(|role| role == MANAGER),
        departments: &departments,
        all_departments: &all_departments,
    };
    let method = RoutingMethod::from_name(platform.settings.choice(&ROUTING_METHOD));
    Ok(access::may_read(room, &reader, method.config().preview_room))
}
