//! Who is to get a new chat without a search.

use usher_domain::role::BOT;
use usher_domain::room::Person;
use usher_domain::routing::Presence;
use usher_domain::visitor::Visitor;
use usher_store::q::users::User;
use usher_store::{Tx, q};

use super::open::Opening;
use super::routing::find_bot;
use crate::Error;
use crate::agents::is_agent;

/// An agent whom a new chat is meant for.
pub(super) struct Preferred {
    /// Who.
    pub person: Person,
    /// Whether it is a program.
    pub is_bot: bool,
    /// Whether the agent gets the chat at once, where chats are given at once.
    pub is_available: bool,
    /// Why this one.
    pub reason: &'static str,
}

impl Preferred {
    fn available(person: Person, is_bot: bool, reason: &'static str) -> Preferred {
        Preferred { person, is_bot, is_available: true, reason }
    }
}

/// The agent whom a visitor gets: who looks after its contact, or who served it last, or whom it wishes for. Those who cannot have a
/// chat do not count; only who looks after the contact is waited for, where chats are opened although nobody is there.
pub(super) fn preferred(tx: &mut Tx<'_>, visitor: &Visitor, opening: &Opening) -> Result<Option<Preferred>, Error> {
    if let Some(manager) = manager(tx, visitor, opening)? {
        return Ok(Some(manager));
    }
    if let Some(last) = last_agent(tx, visitor, opening)? {
        return Ok(Some(last));
    }
    match &opening.agent_id {
        Some(agent_id) => usable(tx, agent_id, "asked-for"),
        None => Ok(None),
    }
}

/// A program that gets new chats, if programs do.
pub(super) fn bot(tx: &mut Tx<'_>, opening: &Opening, department_id: Option<&str>) -> Result<Option<Preferred>, Error> {
    let bot = find_bot(tx, &opening.rules, department_id, opening.now)?;
    Ok(bot.map(|person| Preferred::available(person, true, "new-chats-go-to-bots")))
}

/// Somebody who can have a chat now.
fn usable(tx: &mut Tx<'_>, agent_id: &str, reason: &'static str) -> Result<Option<Preferred>, Error> {
    let candidate = q::agents::candidate(tx, agent_id, None)?;
    let usable = candidate.filter(|candidate| candidate.is_available(Presence::NotOffline));
    Ok(usable.map(|candidate| {
        let person = Person { id: candidate.id, username: candidate.username };
        Preferred::available(person, candidate.is_bot, reason)
    }))
}

/// Who looks after the visitor's contact.
fn manager(tx: &mut Tx<'_>, visitor: &Visitor, opening: &Opening) -> Result<Option<Preferred>, Error> {
    if !opening.rules.prefers_manager {
        return Ok(None);
    }
    let contact_id = q::contacts::for_visitor(tx, visitor, opening.source.kind)?;
    let Some(manager_id) = q::contacts::by_id(tx, &contact_id)?.and_then(|contact| contact.manager_id) else { return Ok(None) };
    if let Some(available) = usable(tx, &manager_id, "manages-the-contact")? {
        return Ok(Some(available));
    }
    if !opening.rules.accept_without_agents {
        return Ok(None);
    }
    let manager = q::users::by_id(tx, &manager_id)?.filter(|user| user.active && is_agent(user));
    Ok(manager.map(|User { id, username, roles, .. }| Preferred {
        person: Person { id, username },
        is_bot: roles.iter().any(|role| role == BOT),
        is_available: false,
        reason: "manages-the-contact",
    }))
}

/// Who served the visitor last.
fn last_agent(tx: &mut Tx<'_>, visitor: &Visitor, opening: &Opening) -> Result<Option<Preferred>, Error> {
    if !opening.rules.prefers_last_agent {
        return Ok(None);
    }
    if let Some(last) = &visitor.last_agent
        && let Some(found) = usable(tx, &last.agent.id, "served-the-visitor-last")?
    {
        return Ok(Some(found));
    }
    match q::rooms::latest_served(tx, &visitor.id)?.and_then(|room| room.served_by) {
        Some(served) => usable(tx, &served.agent.id, "served-the-visitor-last"),
        None => Ok(None),
    }
}
