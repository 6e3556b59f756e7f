//! Departments: who answers which kind of question.

use serde_json::{Map, Value};
use usher_domain::department::FORWARD_TARGETS;
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern, check_match};
use usher_domain::permission::{ADD_LIVECHAT_DEPARTMENT_AGENTS, MANAGE_LIVECHAT_DEPARTMENTS, VIEW_LIVECHAT_DEPARTMENTS};
use usher_domain::settings::DEPARTMENT_REMOVAL;
use usher_domain::{Change, ChangeKind};
use usher_store::{StoreError, Tx, q};

pub use usher_store::q::department_agents::{DepartmentAgent, Order as PlaceOrder, Page as PlacePage};
pub use usher_store::q::departments::{Department, Order, Page, Wanted};

use crate::logins::Account;
use crate::users::stored;
use crate::{Error, Refusal, Services};

/// The most characters of a text of a department.
const LIMIT: usize = 10_000;

/// How many rooms leave a department in one step.
const ROOMS_AT_ONCE: usize = 500;

/// The name of the member that says where chats go that nobody here can take.
const FALLBACK: &str = "fallbackForwardDepartment";

/// Members that are the server's own: clients send them back with the rest of what they were told.
const OWN: [&str; 9] =
    ["_id", "_updatedAt", "type", "numAgents", "archived", "parentId", "ancestors", "businessHourId", "numDepartments"];

/// What is known of the members of a department.
static MEMBERS: MatchPattern = MatchPattern::open(&[
    MatchField::required("enabled", MatchKind::Boolean),
    MatchField::required("name", MatchKind::Text(LIMIT)),
    MatchField::required("showOnRegistration", MatchKind::Boolean),
    MatchField::required("email", MatchKind::Text(LIMIT)),
    MatchField::required("showOnOfflineForm", MatchKind::Boolean),
    MatchField::optional("description", MatchKind::Text(LIMIT)),
    MatchField::optional("requestTagBeforeClosingChat", MatchKind::Boolean),
    MatchField::optional("chatClosingTags", MatchKind::Texts(LIMIT)),
    MatchField::optional(FALLBACK, MatchKind::Text(LIMIT)),
    MatchField::optional("offlineMessageChannelName", MatchKind::Text(LIMIT)),
    MatchField::optional("abandonedRoomsCloseCustomMessage", MatchKind::Text(LIMIT)),
    MatchField::optional("waitingQueueMessage", MatchKind::Text(LIMIT)),
    MatchField::optional("allowReceiveForwardOffline", MatchKind::Boolean),
]);

/// A department with all of its agents.
#[derive(Debug, Clone, PartialEq)]
pub struct Staffed {
    /// The department.
    pub department: Department,
    /// The places in it.
    pub places: Vec<DepartmentAgent>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct DepartmentsListed {
    /// The departments of the page.
    pub departments: Vec<Department>,
    /// How many there are on all pages.
    pub total: i64,
}

/// A page of the agents of a department.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacesListed {
    /// The places of the page.
    pub places: Vec<DepartmentAgent>,
    /// How many there are on all pages.
    pub total: i64,
}

/// The place that an agent is to have in a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPlace {
    /// The agent.
    pub agent_id: String,
    /// How many chats count as given to the agent so far.
    pub count: i64,
    /// Who comes first among those with the same count.
    pub order: i64,
}

/// How the agents of a department change.
#[derive(Debug, Clone, Default)]
pub struct PlaceChanges {
    /// The places that are made or changed.
    pub upsert: Vec<WantedPlace>,
    /// The ids of the agents who leave.
    pub remove: Vec<String>,
}

impl Services {
    /// A page of the departments that are wanted.
    pub async fn departments(&self, wanted: Wanted, page: Page) -> Result<DepartmentsListed, Error> {
        self.store
            .read(move |tx| {
                let departments = q::departments::list(tx, &wanted, &page)?;
                Ok::<_, Error>(DepartmentsListed { departments, total: q::departments::count(tx, &wanted)? })
            })
            .await
    }

    /// A department, and its agents if they are wanted and the caller may see them.
    pub async fn department(
        &self,
        account: &Account,
        id: String,
        with_agents: bool,
    ) -> Result<(Option<Department>, Option<Vec<DepartmentAgent>>), Error> {
        let sees_agents = with_agents && self.permits(&account.user, VIEW_LIVECHAT_DEPARTMENTS);
        self.store
            .read(move |tx| {
                let department = q::departments::by_id(tx, &id)?;
                let places = if sees_agents { Some(q::department_agents::of_department(tx, &id)?) } else { None };
                Ok::<_, Error>((department, places))
            })
            .await
    }

    /// Makes a department with these agents. Agents who do not exist are skipped.
    pub async fn create_department(&self, members: Map<String, Value>, agents: Vec<WantedPlace>) -> Result<Staffed, Error> {
        let (id, agents, now) = (self.new_id(), self.with_ids(agents), self.now());
        let done = self
            .store
            .write(move |tx| {
                let empty = Department {
                    id: id.clone(),
                    name: String::new(),
                    email: String::new(),
                    enabled: false,
                    archived: false,
                    show_on_registration: false,
                    show_on_offline_form: false,
                    fallback_id: None,
                    agent_count: 0,
                    members: Map::new(),
                    created_at: now,
                    updated_at: now,
                };
                let department = with_members(empty, &checked(&members)?, now)?;
                check_fallback(tx, &department)?;
                q::departments::insert(tx, &department)?;
                upsert(tx, &department, &agents, now)?;
                staffed(tx, &id)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Changes a department: members that are not given stay as they were. Agents are added or get another place, if the caller may do
    /// that; nobody is taken out.
    pub async fn update_department(
        &self,
        account: &Account,
        id: String,
        members: Map<String, Value>,
        agents: Vec<WantedPlace>,
    ) -> Result<Staffed, Error> {
        if !self.permits(&account.user, MANAGE_LIVECHAT_DEPARTMENTS) {
            return Err(Refusal::DepartmentChangeNotAllowed.into());
        }
        let may_add = self.permits(&account.user, ADD_LIVECHAT_DEPARTMENT_AGENTS);
        let agents = self.with_ids(if may_add { agents } else { Vec::new() });
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let before = q::departments::by_id(tx, &id)?;
                let is_archived = before.as_ref().is_some_and(|department| department.archived);
                if is_archived && members.get("enabled") == Some(&Value::Bool(true)) {
                    return Err(Refusal::ArchivedDepartment.into());
                }
                let members = checked(&members)?;
                let before = before.ok_or(Refusal::DepartmentNotFound)?;
                let was_enabled = before.enabled;
                let department = with_members(before, &members, now)?;
                check_fallback(tx, &department)?;
                q::departments::update(tx, &department)?;
                if department.enabled != was_enabled {
                    q::department_agents::set_enabled(tx, &id, department.enabled, now)?;
                }
                upsert(tx, &department, &agents, now)?;
                staffed(tx, &id)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Deletes a department, if settings allow it: its agents leave it, and its rooms are of no department any more.
    pub async fn delete_department(&self, id: String) -> Result<(), Error> {
        if !self.platform().settings.get(&DEPARTMENT_REMOVAL) {
            return Err(Refusal::DepartmentRemovalDisabled.into());
        }
        let now = self.now();
        // A department may have had many chats: they leave it in steps, and the last ones with the department itself.
        loop {
            let leaving = id.clone();
            let left = self.store.write(move |tx| leave(tx, &leaving, now)).await?;
            if left < ROOMS_AT_ONCE {
                break;
            }
        }
        let done = self
            .store
            .write(move |tx| {
                q::departments::by_id(tx, &id)?.ok_or(Refusal::DepartmentNotFound)?;
                while leave(tx, &id, now)? == ROOMS_AT_ONCE {}
                q::department_agents::remove_of_department(tx, &id)?;
                q::departments::delete(tx, &id, now)?;
                for other in q::departments::list(tx, &Wanted::default(), &Page::whole())? {
                    forget_target(tx, other, &id, now)?;
                }
                Ok::<_, Error>(())
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// A page of the agents of a department; of one that does not exist there are none.
    pub async fn agents_of_department(&self, id: String, page: PlacePage) -> Result<PlacesListed, Error> {
        self.store
            .read(move |tx| {
                let places = q::department_agents::page(tx, &id, &page)?;
                Ok::<_, Error>(PlacesListed { places, total: q::department_agents::count(tx, &id)? })
            })
            .await
    }

    /// Puts agents into a department, gives them another place there, and takes others out of it. Whether the caller may is declared
    /// where it is called.
    pub async fn change_agents_of_department(&self, id: String, changes: PlaceChanges) -> Result<(), Error> {
        let (agents, now) = (self.with_ids(changes.upsert), self.now());
        let done = self
            .store
            .write(move |tx| {
                let department = q::departments::by_id(tx, &id)?.ok_or(Refusal::DepartmentNotFound)?;
                for agent_id in &changes.remove {
                    q::department_agents::remove(tx, &id, agent_id)?;
                }
                upsert(tx, &department, &agents, now)?;
                Ok::<_, Error>(q::departments::count_agents(tx, &id, now)?)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// The departments that chats may be forwarded to from this one; `None` for any.
    pub async fn forward_targets(&self, id: String) -> Result<Option<Vec<String>>, Error> {
        self.store
            .read(move |tx| {
                let department = q::departments::by_id(tx, &id)?;
                Ok::<_, Error>(department.and_then(|department| department.forward_targets()))
            })
            .await
    }

    /// Gives every place an id, in case it is a new one.
    fn with_ids(&self, agents: Vec<WantedPlace>) -> Vec<(String, WantedPlace)> {
        agents.into_iter().map(|agent| (self.new_id(), agent)).collect()
    }
}

/// A department as stored, with its agents.
fn staffed(tx: &mut Tx<'_>, id: &str) -> Result<Staffed, Error> {
    let department = q::departments::by_id(tx, id)?.ok_or(Refusal::DepartmentNotFound)?;
    Ok(Staffed { department, places: q::department_agents::of_department(tx, id)? })
}

/// Stores places in a department, of those agents who exist, and how many it has now.
fn upsert(tx: &mut Tx<'_>, department: &Department, agents: &[(String, WantedPlace)], now: i64) -> Result<(), Error> {
    for (id, agent) in agents {
        let Some(user) = q::users::by_id(tx, &agent.agent_id)? else { continue };
        let place = DepartmentAgent {
            id: id.clone(),
            department_id: department.id.clone(),
            agent_id: user.id,
            username: user.username,
            department_enabled: department.enabled,
            count: agent.count,
            order: agent.order,
            updated_at: now,
        };
        q::department_agents::upsert(tx, &place)?;
    }
    if agents.is_empty() { Ok(()) } else { Ok(q::departments::count_agents(tx, &department.id, now)?) }
}

/// The members that a client gave, without those that are the server's own and those that are null; refuses what cannot be.
fn checked(given: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let own = |name: &String| OWN.contains(&name.as_str());
    let members: Map<String, Value> = given
        .iter()
        .filter(|(name, value)| !own(name) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    check_match(&Value::Object(members.clone()), &MEMBERS, "").map_err(Refusal::Mismatch)?;
    for (name, value) in &members {
        if !can_be_member(name, value) {
            let told = format!("Match error: Failed Match.OneOf, Match.Maybe, or Match.Optional validation in field {name}");
            return Err(Refusal::Mismatch(told).into());
        }
    }
    let has_tags = members.get("chatClosingTags").and_then(Value::as_array).is_some_and(|tags| !tags.is_empty());
    if members.get("requestTagBeforeClosingChat") == Some(&Value::Bool(true)) && !has_tags {
        return Err(Refusal::ClosingTagsMissing.into());
    }
    Ok(members)
}

/// Whether a member may have this value. Members that nobody knows hold what clients keep there.
fn can_be_member(name: &str, value: &Value) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.contains('\0') && text.chars().nth(LIMIT).is_none());
    if name.contains('\0') {
        return false;
    }
    match value {
        Value::String(_) => is_text(value),
        _ if name == FORWARD_TARGETS => value.as_array().is_some_and(|items| items.iter().all(is_text)),
        Value::Bool(_) => true,
        Value::Number(number) => number.is_i64(),
        // Its items are looked at by the pattern.
        Value::Array(_) => name == "chatClosingTags",
        Value::Null | Value::Object(_) => false,
    }
}

/// The department with these members in it.
fn with_members(before: Department, given: &Map<String, Value>, now: i64) -> Result<Department, Error> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let is = |name: &str| given.get(name).and_then(Value::as_bool).unwrap_or_default();
    let typed = ["name", "email", "enabled", "showOnRegistration", "showOnOfflineForm", FALLBACK];
    let others = given.iter().filter(|(name, _)| !typed.contains(&name.as_str()));
    let mut members = before.members;
    members.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    // What grows with every call must end somewhere.
    stored(members.clone())?;
    Ok(Department {
        name: text("name").unwrap_or(before.name),
        email: text("email").unwrap_or(before.email),
        enabled: is("enabled"),
        show_on_registration: is("showOnRegistration"),
        show_on_offline_form: is("showOnOfflineForm"),
        fallback_id: text(FALLBACK).map_or(before.fallback_id, |id| Some(id).filter(|id| !id.is_empty())),
        members,
        updated_at: now,
        ..before
    })
}

/// Refuses a department to fall back to that does not exist, or is the same. Longer circles are no matter: whoever follows them looks
/// out.
fn check_fallback(tx: &mut Tx<'_>, department: &Department) -> Result<(), Error> {
    let Some(fallback) = &department.fallback_id else { return Ok(()) };
    if *fallback == department.id {
        return Err(Refusal::CircularFallback.into());
    }
    q::departments::by_id(tx, fallback)?.map(|_| ()).ok_or_else(|| Refusal::FallbackNotFound.into())
}

/// Takes some of a department's rooms out of it. Gives how many.
fn leave(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<usize, Error> {
    let rooms = q::departments::rooms(tx, id, ROOMS_AT_ONCE as i64)?;
    for (room_id, seq) in &rooms {
        let seq = seq + 1;
        q::departments::leave_room(tx, room_id, seq, now)?;
        let (room_id, reference) = (room_id.clone(), room_id.clone());
        q::changes::record(tx, Change { room_id, seq, kind: ChangeKind::RoomChanged, reference })?;
    }
    Ok(rooms.len())
}

/// Takes a department that is gone off the list of those that chats of another may be forwarded to.
fn forget_target(tx: &mut Tx<'_>, other: Department, id: &str, now: i64) -> Result<(), StoreError> {
    let Some(targets) = other.forward_targets().filter(|targets| targets.iter().any(|target| target == id)) else { return Ok(()) };
    let left = targets.iter().filter(|target| *target != id).cloned().map(Value::from).collect();
    let mut members = other.members.clone();
    members.insert(FORWARD_TARGETS.to_owned(), left);
    q::departments::update(tx, &Department { members, updated_at: now, ..other })
}
