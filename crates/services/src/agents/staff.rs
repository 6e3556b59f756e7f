//! Making users agents or managers, listing them, and keeping what is known of agents.

use serde_json::{Map, Value};
use usher_domain::UserEventKind;
use usher_domain::department::DepartmentAgent;
use usher_domain::permission::{EDIT_OMNICHANNEL_CONTACT, TRANSFER_LIVECHAT_GUEST, VIEW_LIVECHAT_MANAGER};
use usher_domain::user::Availability;
use usher_store::q::users::{User, Wanted};
use usher_store::{Tx, q};

use super::availability::put;
use super::{Staff, is_agent, settle, with_consequences};
use crate::logins::Account;
use crate::users::{Page, UserChoice, stored};
use crate::{Error, Refusal, Services};

/// Which agents or managers are wanted. All but the term is about agents alone.
#[derive(Debug, Clone, Default)]
pub struct StaffChoice {
    /// Name, user name or e-mail address contains this.
    pub term: Option<String>,
    /// Only those who take chats.
    pub only_available: bool,
    /// Not the one with this id.
    pub except_id: Option<String>,
    /// Only those who are there, and programs.
    pub are_there: bool,
}

/// Somebody who works with chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffMember {
    /// The record.
    pub user: User,
    /// The ids of the departments it is in.
    pub departments: Vec<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffListed {
    /// Those of the page.
    pub members: Vec<StaffMember>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Services {
    /// A page of the agents or managers that are wanted.
    pub async fn staff(&self, account: &Account, kind: Staff, choice: StaffChoice, page: Page) -> Result<StaffListed, Error> {
        let may = |permission| self.permits(&account.user, permission);
        let is_permitted = match kind {
            Staff::Agent => may(TRANSFER_LIVECHAT_GUEST) || may(EDIT_OMNICHANNEL_CONTACT),
            Staff::Manager => may(VIEW_LIVECHAT_MANAGER),
        };
        if !is_permitted {
            return Err(Refusal::NotPermitted.into());
        }
        let of_agents = if kind == Staff::Agent { choice.clone() } else { StaffChoice::default() };
        let wanted = Wanted {
            roles: vec![kind.role().to_owned()],
            term: choice.term,
            availability: of_agents.only_available.then_some(Availability::Available),
            except_id: of_agents.except_id,
            are_there: of_agents.are_there,
            ..Wanted::default()
        };
        self.store
            .read(move |tx| {
                let users = q::users::list(tx, &wanted, &page)?;
                let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
                let places = q::department_agents::of_agents(tx, &ids)?;
                let departments_of = |user: &User| {
                    let own = places.iter().filter(|(agent_id, _)| *agent_id == user.id);
                    own.map(|(_, department_id)| department_id.clone()).collect()
                };
                let members = users.into_iter().map(|user| StaffMember { departments: departments_of(&user), user }).collect();
                Ok(StaffListed { members, total: q::users::count(tx, &wanted)? })
            })
            .await
    }

    /// Makes a user an agent or a manager; one who is already stays it. Who is made an agent takes chats at once.
    pub async fn add_staff(&self, kind: Staff, username: String) -> Result<User, Error> {
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let user = UserChoice::Username(username.clone()).find(tx)?.ok_or(Refusal::InvalidUser)?;
                let role = kind.role().to_owned();
                if user.roles.contains(&role) {
                    return Ok(user);
                }
                q::users::add_role(tx, &user.id, &role)?;
                let roles = user.roles.iter().cloned().chain([role]).collect();
                let user = User { roles, ..user };
                let is_new_agent = kind == Staff::Agent && user.active;
                Ok(if is_new_agent { put(tx, &user, Availability::Available, false, now)? } else { user })
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Makes somebody no agent or manager any more. One who is none already is no error.
    pub async fn remove_staff(&self, kind: Staff, choice: UserChoice) -> Result<(), Error> {
        let now = self.now();
        self.store
            .write(move |tx| {
                let user = choice.find(tx)?.ok_or(Refusal::InvalidUser)?;
                if user.roles.iter().any(|role| role == kind.role()) {
                    q::users::remove_role(tx, &user.id, kind.role())?;
                    let roles = user.roles.iter().filter(|role| *role != kind.role()).cloned().collect();
                    follow_roles(tx, is_agent(&user), User { roles, ..user }, now)?;
                }
                Ok(())
            })
            .await
    }

    /// Keeps `data` of an agent, instead of what was kept, and puts the agent into exactly these departments. Those that do not exist are
    /// skipped; places that are there stay as they are.
    pub async fn save_agent(&self, agent_id: String, data: Map<String, Value>, departments: Vec<String>) -> Result<(), Error> {
        let data = stored(data.into_iter().filter(|(_, value)| !value.is_null()).collect())?;
        let mut departments: Vec<(String, String)> = departments.into_iter().map(|id| (id, self.new_id())).collect();
        departments.sort_unstable();
        departments.dedup_by(|one, other| one.0 == other.0);
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let agent = q::users::by_id(tx, &agent_id)?.filter(is_agent).ok_or(Refusal::UserIsNotAgent)?;
                q::agents::set_data(tx, &agent.id, Some(&data), now)?;
                let places = q::department_agents::of_agent(tx, &agent.id)?;
                let is_kept = |place: &DepartmentAgent| departments.iter().any(|(id, _)| *id == place.department_id);
                for place in places.iter().filter(|place| !is_kept(place)) {
                    q::department_agents::remove(tx, &place.department_id, &agent.id)?;
                    q::departments::count_agents(tx, &place.department_id, now)?;
                }
                for (id, place_id) in &departments {
                    if !places.iter().any(|place| place.department_id == *id) {
                        enter(tx, &agent, id, place_id, now)?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// The departments that somebody is in: the places, each with the department's name.
    pub async fn departments_of_agent(
        &self,
        agent_id: String,
        only_enabled: bool,
    ) -> Result<Vec<(DepartmentAgent, String)>, Error> {
        self.store
            .read(move |tx| {
                let mut places = q::department_agents::of_agent(tx, &agent_id)?;
                places.retain(|place| place.department_enabled || !only_enabled);
                let ids: Vec<&str> = places.iter().map(|place| place.department_id.as_str()).collect();
                let names = q::departments::names(tx, &ids)?;
                let named = |place: DepartmentAgent| names.get(&place.department_id).cloned().map(|name| (place, name));
                Ok::<_, Error>(places.into_iter().filter_map(named).collect())
            })
            .await
    }
}

/// Puts an agent into a department, if there is such a one.
fn enter(tx: &mut Tx<'_>, agent: &User, department_id: &str, place_id: &str, now: i64) -> Result<(), Error> {
    let Some(department) = q::departments::by_id(tx, department_id)? else { return Ok(()) };
    let place = DepartmentAgent {
        id: place_id.to_owned(),
        department_id: department.id,
        agent_id: agent.id.clone(),
        username: agent.username.clone(),
        department_enabled: department.enabled,
        count: 0,
        order: 0,
        updated_at: now,
    };
    q::department_agents::upsert(tx, &place)?;
    Ok(q::departments::count_agents(tx, department_id, now)?)
}

/// Does what follows for an agent from a change of its roles, which are stored already.
pub(crate) fn follow_roles(tx: &mut Tx<'_>, was_agent: bool, after: User, now: i64) -> Result<(), Error> {
    let settled = with_consequences(was_agent, after);
    let settled = User { updated_at: now, ..settled };
    q::users::update(tx, &settled, UserEventKind::Record)?;
    Ok(settle(tx, was_agent, &settled, now)?)
}
