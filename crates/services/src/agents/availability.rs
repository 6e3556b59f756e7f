//! Whether agents take chats: as they say it, and as it follows from what becomes of their accounts.

use usher_domain::permission::MANAGE_LIVECHAT_AGENTS;
use usher_domain::user::{Availability, UserStatus};
use usher_store::q::users::User;
use usher_store::{StoreError, Tx, q};

use super::{is_agent, is_bot, is_there};
use crate::logins::Account;
use crate::users::UserChoice;
use crate::{Error, Refusal, Services};

impl Services {
    /// Refuses somebody who is no agent: the caller, without an id.
    pub(crate) async fn check_agent(&self, account: &Account, agent_id: Option<String>) -> Result<(), Error> {
        let agent_id = agent_id.unwrap_or_else(|| account.user.id.clone());
        let agent = self.user(UserChoice::Id(agent_id)).await?.filter(is_agent);
        agent.map(|_| ()).ok_or_else(|| Refusal::NoSuchAgent.into())
    }

    /// Changes whether an agent takes chats: to what is wanted, or to the opposite of what it was. Gives what it is now.
    pub async fn set_availability(
        &self,
        account: &Account,
        agent_id: Option<String>,
        wanted: Option<Availability>,
    ) -> Result<Availability, Error> {
        let agent_id = agent_id.unwrap_or_else(|| account.user.id.clone());
        let may = agent_id == account.user.id || self.permits(&account.user, MANAGE_LIVECHAT_AGENTS);
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let agent = q::users::by_id(tx, &agent_id)?.filter(is_agent).ok_or(Refusal::NoSuchAgent)?;
                if !agent.active {
                    return Err(Refusal::UserDeactivated.into());
                }
                let before = agent.availability.unwrap_or(Availability::NotAvailable);
                let after = wanted.unwrap_or(before.opposite());
                if after == before {
                    return Ok(before);
                }
                if !may {
                    return Err(Refusal::Unauthorized.into());
                }
                put(tx, &agent, after, false, now)?;
                Ok(after)
            })
            .await;
        self.chat_may_be_taken();
        done
    }
}

/// Stores whether an agent takes chats, and since when.
pub(super) fn put(
    tx: &mut Tx<'_>,
    agent: &User,
    availability: Availability,
    by_system: bool,
    now: i64,
) -> Result<User, StoreError> {
    q::agents::set_availability(tx, &agent.id, Some(availability), by_system, now)?;
    let after = User { availability: Some(availability), unavailable_by_system: by_system, updated_at: now, ..agent.clone() };
    count_time(tx, &after, now)?;
    Ok(after)
}

/// An agent is in service while it takes chats and is there. What runs already goes on, and what has stopped stays so.
fn count_time(tx: &mut Tx<'_>, agent: &User, now: i64) -> Result<(), StoreError> {
    let is_in_service = agent.availability == Some(Availability::Available) && agent.active && is_there(agent);
    if is_in_service { q::agents::start_session(tx, &agent.id, now) } else { q::agents::stop_session(tx, &agent.id, now) }
}

/// A user's record as it is to be stored, with what follows for an agent: who becomes one takes chats if it is there, and who may not
/// log in any more takes none.
pub(crate) fn with_consequences(was_agent: bool, after: User) -> User {
    if !is_agent(&after) {
        return User { availability: None, unavailable_by_system: false, agent_data: None, ..after };
    }
    let availability = match (was_agent, after.active) {
        (_, false) => Some(Availability::NotAvailable),
        (true, true) => after.availability,
        (false, true) if is_there(&after) => Some(Availability::Available),
        (false, true) => Some(Availability::NotAvailable),
    };
    User { availability, ..after }
}

/// Does what follows from a change of a user that is stored already: who is no agent any more leaves its departments and contacts, and
/// the time in service begins or ends.
pub(crate) fn settle(tx: &mut Tx<'_>, was_agent: bool, after: &User, now: i64) -> Result<(), StoreError> {
    if is_agent(after) {
        return count_time(tx, after, now);
    }
    if was_agent {
        leave(tx, &after.id, now)?;
        q::agents::stop_session(tx, &after.id, now)?;
    }
    Ok(())
}

/// Takes somebody out of its departments, and off the contacts it looks after.
fn leave(tx: &mut Tx<'_>, user_id: &str, now: i64) -> Result<(), StoreError> {
    let places = q::department_agents::of_agent(tx, user_id)?;
    q::department_agents::remove_of_agent(tx, user_id)?;
    places.iter().try_for_each(|place| q::departments::count_agents(tx, &place.department_id, now))?;
    q::agents::leave_contacts(tx, user_id, now)
}

/// Forgets whatever is kept of somebody who is about to be deleted.
pub(crate) fn forget(tx: &mut Tx<'_>, user_id: &str, now: i64) -> Result<(), StoreError> {
    leave(tx, user_id, now)?;
    q::agents::forget_sessions(tx, user_id)
}

/// Somebody logged in: an agent whom the server took out of service is back, unless it chose to look as if it were not there.
pub(crate) fn came(tx: &mut Tx<'_>, user: User, now: i64) -> Result<User, StoreError> {
    let is_back = is_agent(&user)
        && !is_bot(&user)
        && user.active
        && user.unavailable_by_system
        && user.status_default != UserStatus::Offline.name();
    if is_back { put(tx, &user, Availability::Available, false, now) } else { Ok(user) }
}

/// Somebody logged out: an agent takes no chats until it is back. Programs need no login to take them.
pub(crate) fn left(tx: &mut Tx<'_>, user_id: &str, now: i64) -> Result<(), StoreError> {
    match q::users::by_id(tx, user_id)? {
        Some(user) if is_agent(&user) && !is_bot(&user) => put(tx, &user, Availability::NotAvailable, true, now).map(|_| ()),
        _ => Ok(()),
    }
}
