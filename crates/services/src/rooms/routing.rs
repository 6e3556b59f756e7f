//! Routing: giving a room to an agent, and keeping the reason.

use serde::Serialize;
use serde_json::{Value, json};
use usher_domain::department::Department;
use usher_domain::id::Sequence;
use usher_domain::room::{Person, Room};
use usher_domain::routing::{Candidate, Limits, Presence, RoutingMethod, Search, Verdict, choose};
use usher_domain::settings::{
    ACCEPT_WITHOUT_AGENTS, ASSIGN_TO_BOT, CONTACT_MANAGER_ROUTING, ENABLED_WHEN_AGENT_IDLE, LAST_CHATTED_AGENT_ROUTING,
    MAX_CHATS_PER_AGENT, ROUTING_METHOD, Settings,
};
use usher_store::q::routing_decisions::Decision;
use usher_store::{StoreError, Tx, q};
use utoipa::ToSchema;

use crate::documents::Date;
use crate::{Error, Refusal, Services};

/// How many agents a record of a decision names at most.
const NAMED: usize = 100;

/// How many decisions about a room are given at most.
const DECISIONS: i64 = 500;

/// How agents are found at the moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The method.
    pub method: RoutingMethod,
    /// Whether agents count who are not there.
    pub enabled_when_idle: bool,
    /// How many chats everybody may have.
    pub chats_of_everybody: Option<i64>,
    /// Whether chats are opened while nobody is there.
    pub accept_without_agents: bool,
    /// Whether programs get all new chats.
    pub assign_to_bot: bool,
    /// Whether visitors get the manager of their contact.
    pub prefers_manager: bool,
    /// Whether visitors get the agent who served them last.
    pub prefers_last_agent: bool,
    /// Whether visitors' records keep which agent was the latest.
    pub remembers_last_agent: bool,
}

impl Rules {
    /// What the settings say.
    pub(crate) fn of(settings: &Settings) -> Rules {
        let method = RoutingMethod::from_name(settings.choice(&ROUTING_METHOD));
        Rules {
            method,
            enabled_when_idle: settings.get(&ENABLED_WHEN_AGENT_IDLE),
            chats_of_everybody: Some(settings.get(&MAX_CHATS_PER_AGENT)).filter(|limit| *limit > 0),
            accept_without_agents: settings.get(&ACCEPT_WITHOUT_AGENTS),
            assign_to_bot: settings.get(&ASSIGN_TO_BOT),
            prefers_manager: settings.get(&CONTACT_MANAGER_ROUTING),
            prefers_last_agent: settings.get(&LAST_CHATTED_AGENT_ROUTING),
            remembers_last_agent: settings.get(&LAST_CHATTED_AGENT_ROUTING) && method.config().auto_assign_agent,
        }
    }

    /// How many chats agents may have who serve the department.
    pub(crate) fn limits(&self, department: Option<&Department>) -> Limits {
        Limits { department: department.and_then(Department::chat_limit), of_everybody: self.chats_of_everybody }
    }

    /// How much agents have to be there to be chosen.
    pub(crate) fn presence(&self) -> Presence {
        Presence::asked_for(self.enabled_when_idle)
    }
}

/// What made the server decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A chat was opened.
    Opened,
    /// A chat waited, and somebody might have become free.
    Waiting,
    /// An agent took a chat.
    Taken,
    /// An agent returned a chat to the queue.
    Returned,
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Cause::Opened => "opened",
            Cause::Waiting => "waiting",
            Cause::Taken => "taken",
            Cause::Returned => "returned",
        }
    }
}

/// What came out of a look at the candidates.
pub(crate) struct Found {
    /// Who is to get the chat.
    pub agent: Option<Person>,
    /// Why.
    pub reason: &'static str,
    /// Who was looked at, and what became of each.
    considered: Vec<Value>,
}

impl Found {
    /// An agent whom nobody had to look for.
    pub(crate) fn without_a_search(agent: Option<Person>, reason: &'static str) -> Found {
        Found { agent, reason, considered: Vec::new() }
    }

    /// Nobody, because this agent returned the chat.
    pub(crate) fn returned_by(agent_id: &str) -> Found {
        let considered = json!({"agentId": agent_id, "verdict": Verdict::PassedOver.name()});
        Found { agent: None, reason: "returned-to-the-queue", considered: vec![considered] }
    }
}

/// Looks for an agent by the routing method, who is counted as having got the chat.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    rules: &Rules,
    department: Option<&Department>,
    pass_over: Option<&str>,
    now: i64,
) -> Result<Found, Error> {
    let department_id = department.map(|department| department.id.as_str());
    let candidates = q::agents::candidates(tx, department_id)?;
    let limits = rules.limits(department);
    let search = Search { method: rules.method, presence: rules.presence(), limits, pass_over };
    let verdicts = choose(search, &candidates);
    let chosen = verdicts.iter().position(|verdict| *verdict == Verdict::Chosen).map(|place| &candidates[place]);
    if let Some(chosen) = chosen {
        note_routed(tx, rules.method, &chosen.id, department_id, now)?;
    }
    let reason = match chosen {
        Some(_) => reason(rules.method),
        None if !rules.method.config().auto_assign_agent => "waits-to-be-taken",
        None if verdicts.contains(&Verdict::Full) => "all-have-enough-chats",
        None => "nobody-available",
    };
    let considered = candidates.iter().zip(&verdicts).take(NAMED).map(considered).collect();
    Ok(Found { agent: chosen.map(person), reason, considered })
}

/// Looks for a program that gets new chats, if programs do.
pub(crate) fn find_bot(
    tx: &mut Tx<'_>,
    rules: &Rules,
    department_id: Option<&str>,
    now: i64,
) -> Result<Option<Person>, StoreError> {
    if !rules.assign_to_bot {
        return Ok(None);
    }
    let Some(bot) = q::agents::first_bot(tx, department_id)? else { return Ok(None) };
    q::agents::count_routed(tx, &bot.id, department_id, now)?;
    Ok(Some(person(&bot)))
}

/// Remembers what the method goes by: how many chats the agent got so far, or when it got the last one.
fn note_routed(
    tx: &mut Tx<'_>,
    method: RoutingMethod,
    agent_id: &str,
    department_id: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    match method {
        RoutingMethod::LoadBalancing | RoutingMethod::LoadRotation => q::agents::note_time_routed(tx, agent_id, now),
        _ => q::agents::count_routed(tx, agent_id, department_id, now),
    }
}

fn person(candidate: &Candidate) -> Person {
    Person { id: candidate.id.clone(), username: candidate.username.clone() }
}

fn reason(method: RoutingMethod) -> &'static str {
    match method {
        RoutingMethod::LoadBalancing => "fewest-open-chats",
        RoutingMethod::LoadRotation => "longest-without-a-chat",
        _ => "fewest-chats-so-far",
    }
}

fn considered((candidate, verdict): (&Candidate, &Verdict)) -> Value {
    json!({
        "agentId": candidate.id,
        "verdict": verdict.name(),
        "count": candidate.count,
        "order": candidate.order,
        "openChats": candidate.chats,
        "openChatsInDepartment": candidate.chats_in_department,
    })
}

/// Keeps a decision. One that finds nobody, as the one before it did for the same reason, is kept once.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    ids: &mut Sequence,
    room: &Room,
    rules: &Rules,
    cause: Cause,
    found: &Found,
    now: i64,
) -> Result<(), StoreError> {
    let latest = q::routing_decisions::latest(tx, &room.id)?;
    let is_the_same = |latest: &Decision| latest.agent_id.is_none() && latest.reason == found.reason;
    if found.agent.is_none() && cause == Cause::Waiting && latest.as_ref().is_some_and(is_the_same) {
        return Ok(());
    }
    let decision = Decision {
        id: ids.next_id(),
        room_id: room.id.clone(),
        // Decisions about a room have an order, however soon one comes after the other.
        decided_at: latest.map_or(now, |latest| now.max(latest.decided_at + 1)),
        cause: cause.name().to_owned(),
        method: rules.method.name().to_owned(),
        department_id: room.department_id.clone(),
        agent_id: found.agent.as_ref().map(|agent| agent.id.clone()),
        reason: found.reason.to_owned(),
        considered: Value::from(found.considered.clone()).to_string(),
    };
    q::routing_decisions::insert(tx, &decision)
}

/// The agent who returned a chat to the queue, if that is the latest that was decided about it.
pub(crate) fn returned_by(tx: &mut Tx<'_>, room_id: &str) -> Result<Option<String>, StoreError> {
    let latest = q::routing_decisions::latest(tx, room_id)?.filter(|latest| latest.cause == Cause::Returned.name());
    let considered: Option<Value> = latest.and_then(|latest| serde_json::from_str(&latest.considered).ok());
    Ok(considered.and_then(|considered| considered[0]["agentId"].as_str().map(str::to_owned)))
}

/// Whether somebody serves the department, or anything at all, at the moment: somebody who is there and in service, or a program.
pub(crate) fn is_staffed(tx: &mut Tx<'_>, rules: &Rules, department_id: Option<&str>) -> Result<bool, StoreError> {
    let presence = if department_id.is_some() { Presence::NotOffline } else { rules.presence() };
    let is_answered = q::agents::attendance(tx, department_id)?.into_iter().any(|attendance| attendance.is_available(presence));
    Ok(is_answered || rules.assign_to_bot && q::agents::first_bot(tx, department_id)?.is_some())
}

/// The department itself if it is staffed, or else the first one that is, of those that stand in for it.
pub(crate) fn staffed_or_fallback(tx: &mut Tx<'_>, rules: &Rules, department_id: &str) -> Result<Option<Department>, StoreError> {
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some(department_id.to_owned());
    while let Some(id) = next.filter(|id| !seen.contains(id)) {
        let Some(department) = q::departments::by_id(tx, &id)? else { return Ok(None) };
        if is_staffed(tx, rules, Some(&id))? {
            return Ok(Some(department));
        }
        seen.push(id);
        next = department.fallback_id;
    }
    Ok(None)
}

/// What became of an agent who was looked at.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is kept as JSON")]
struct ConsideredAgent {
    /// Who.
    #[schema(rename = "agentId")]
    agent_id: String,
    /// `chosen`, `behind`, `full`, `unavailable` or `passed-over`.
    verdict: String,
    /// How many chats the agent had got so far.
    count: i64,
    /// The agent's place among those with the same count.
    order: i64,
    /// How many open chats the agent had.
    #[schema(rename = "openChats")]
    open_chats: i64,
    /// How many of them were in the department.
    #[schema(rename = "openChatsInDepartment")]
    open_chats_in_department: i64,
}

/// A decision as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoutingRecord {
    /// When.
    pub ts: Date,
    /// What made the server decide: `opened`, `waiting`, `taken` or `returned`.
    pub cause: String,
    /// The routing method.
    pub method: String,
    /// The department in which an agent was looked for.
    #[serde(rename = "departmentId", skip_serializing_if = "Option::is_none")]
    pub department_id: Option<String>,
    /// Who got the chat.
    #[serde(rename = "agentId", skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Who was looked at.
    #[schema(value_type = Vec<ConsideredAgent>)]
    pub considered: Value,
}

impl Services {
    /// How agents are found at the moment.
    pub(crate) fn rules(&self) -> Rules {
        Rules::of(&self.platform().settings)
    }

    /// The decisions about a room, oldest first.
    ///
    /// # Errors
    ///
    /// There is no such room.
    pub async fn routing_of_room(&self, room_id: String) -> Result<Vec<RoutingRecord>, Error> {
        self.store
            .read(move |tx| {
                if q::rooms::by_id(tx, &room_id)?.is_none() {
                    return Err(Refusal::InvalidRoom.into());
                }
                let decisions = q::routing_decisions::of_room(tx, &room_id, DECISIONS)?;
                Ok(decisions.into_iter().map(RoutingRecord::from).collect())
            })
            .await
    }
}

impl From<Decision> for RoutingRecord {
    fn from(decision: Decision) -> RoutingRecord {
        RoutingRecord {
            ts: Date(decision.decided_at),
            cause: decision.cause,
            method: decision.method,
            department_id: decision.department_id,
            agent_id: decision.agent_id,
            reason: decision.reason,
            considered: serde_json::from_str(&decision.considered).unwrap_or_default(),
        }
    }
}
