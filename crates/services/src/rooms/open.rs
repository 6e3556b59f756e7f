//! Opening rooms.

use serde_json::{Map, json};
use usher_domain::department::Department;
use usher_domain::id::Sequence;
use usher_domain::inquiry::{DefaultAgent, Inquiry, InquiryStatus};
use usher_domain::message::{Author, NAVIGATED, STARTED};
use usher_domain::room::{Room, Source};
use usher_domain::routing::initial_status;
use usher_domain::settings::{LIVECHAT_ENABLED, NAVIGATION_AS_MESSAGE, SHOW_AGENT_INFO, WAITING_QUEUE};
use usher_domain::visitor::{LastChat, Visitor, VisitorToken};
use usher_domain::{ChangeKind, message::Message};
use usher_store::{Tx, q};

use super::RoomWithMessage;
use super::preferred::{Preferred, bot, preferred};
use super::routing::{Cause, Found, Rules, find, is_staffed, record, staffed_or_fallback};
use super::work::{RoomWork, SystemMessage, system_user};
use crate::custom_fields::join_contact;
use crate::{Error, Refusal, Services};

/// What a visitor asks for when it asks for its room.
#[derive(Debug, Clone)]
pub struct RoomRequest {
    /// This room and no other.
    pub room_id: Option<String>,
    /// The agent wished for.
    pub agent_id: Option<String>,
    /// The service level of a new room.
    pub service_level: Option<String>,
    /// The priority of a new room.
    pub priority: Option<String>,
    /// Where the visitor comes from.
    pub source: Source,
}

/// A room as its visitor gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRoom {
    /// The room.
    pub room: Room,
    /// Its latest message.
    pub last_message: Option<Message>,
    /// Whether it was opened just now.
    pub is_new: bool,
}

/// All that opening a room depends on, besides the visitor.
#[derive(Clone)]
pub(crate) struct Opening {
    /// Where the visitor comes from.
    pub source: Source,
    /// The agent wished for.
    pub agent_id: Option<String>,
    /// The text with which the chat begins.
    pub message: String,
    pub(super) rules: Rules,
    waiting_queue: bool,
    shows_agents: bool,
    navigation_is_shown: bool,
    refusal: Option<Refusal>,
    ids: Sequence,
    pub(super) now: i64,
}

impl Services {
    /// The visitor's open room, or a new one if there is none. However many ask at once, there is one open room for a visitor and
    /// source.
    pub async fn room_of_visitor(&self, token: VisitorToken, request: RoomRequest) -> Result<OpenRoom, Error> {
        // Most calls find a room, and a read disturbs nobody.
        let (reader, wanted) = (token.clone(), request.room_id.clone());
        let found = self.store.read(move |tx| find_open(tx, &reader, wanted.as_deref())).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let mut opening = self.opening(request.source, request.agent_id, String::new());
        if request.service_level.is_some() {
            // There are no service levels and no priorities yet, so whatever is asked for is unknown.
            opening.refusal.get_or_insert(Refusal::InvalidServiceLevel);
        } else if request.priority.is_some() {
            opening.refusal.get_or_insert(Refusal::InvalidPriority);
        }
        let opened = self
            .store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                opened_for(tx, &visitor, token.as_str(), &opening)
            })
            .await?;
        if opened.is_new && opened.room.served_by.is_none() {
            self.chat_may_be_taken();
        }
        Ok(opened)
    }

    /// What opening a room depends on at the moment.
    pub(crate) fn opening(&self, source: Source, agent_id: Option<String>, message: String) -> Opening {
        let platform = self.platform();
        let settings = &platform.settings;
        Opening {
            source,
            agent_id,
            message,
            rules: self.rules(),
            waiting_queue: settings.get(&WAITING_QUEUE),
            shows_agents: settings.get(&SHOW_AGENT_INFO),
            navigation_is_shown: settings.get(&NAVIGATION_AS_MESSAGE),
            refusal: (!settings.get(&LIVECHAT_ENABLED)).then_some(Refusal::LivechatDisabled),
            ids: self.ids(),
            now: self.now(),
        }
    }
}

/// The room asked for, or the first open one. `None` if the visitor has none; a room that was asked for must be there.
fn find_open(tx: &mut Tx<'_>, token: &VisitorToken, wanted: Option<&str>) -> Result<Option<OpenRoom>, Error> {
    let visitor = q::visitors::by_token(tx, token)?.ok_or(Refusal::InvalidToken)?;
    let Some(wanted) = wanted else { return first_open(tx, &visitor) };
    let found = q::rooms::by_id(tx, wanted)?.filter(|room| room.visitor_id == visitor.id && room.is_open);
    known(tx, found.ok_or(Refusal::InvalidRoom)?).map(Some)
}

fn first_open(tx: &mut Tx<'_>, visitor: &Visitor) -> Result<Option<OpenRoom>, Error> {
    match q::rooms::first_open(tx, &visitor.id)? {
        Some(room) => known(tx, room).map(Some),
        None => Ok(None),
    }
}

fn known(tx: &mut Tx<'_>, room: Room) -> Result<OpenRoom, Error> {
    let RoomWithMessage { room, last_message } = RoomWithMessage::read(tx, room)?;
    Ok(OpenRoom { room, last_message, is_new: false })
}

/// The visitor's open room, or a new one.
pub(crate) fn opened_for(tx: &mut Tx<'_>, visitor: &Visitor, token: &str, opening: &Opening) -> Result<OpenRoom, Error> {
    if let Some(found) = first_open(tx, visitor)? {
        return Ok(found);
    }
    if let Some(refusal) = &opening.refusal {
        return Err(refusal.clone().into());
    }
    if q::contacts::is_blocked(tx, &visitor.id, opening.source.kind)? {
        return Err(Refusal::ChannelBlocked.into());
    }
    open(tx, visitor, token, opening)
}

/// For whom a new chat is.
struct Destination {
    department: Option<Department>,
    agent: Option<Preferred>,
}

/// Finds out for whom a new chat is: the department asked for or one that stands in for it, or else the first one that takes chats; and
/// an agent who gets it without a search.
fn destination(tx: &mut Tx<'_>, visitor: &Visitor, opening: &Opening) -> Result<Destination, Error> {
    let rules = &opening.rules;
    let preferred = preferred(tx, visitor, opening)?;
    let (mut department, mut is_staffed_there) = (None, false);
    if let Some(wanted) = &visitor.department_id {
        let staffed = staffed_or_fallback(tx, rules, wanted)?;
        is_staffed_there = staffed.is_some();
        department = match staffed {
            Some(staffed) => Some(staffed),
            None => q::departments::by_id(tx, wanted)?,
        };
    } else if preferred.is_none() {
        department = department_for_everybody(tx, rules)?;
        is_staffed_there = department.is_some();
    }
    let department_id = department.as_ref().map(|department| department.id.as_str());
    let agent = match preferred {
        Some(preferred) => Some(preferred),
        None => bot(tx, opening, department_id)?,
    };
    let may_open = rules.accept_without_agents
        || match (&agent, &opening.agent_id) {
            (Some(_), _) => true,
            (None, Some(_)) => false,
            (None, None) => is_staffed_there || department.is_none() && is_staffed(tx, rules, None)?,
        };
    if may_open { Ok(Destination { department, agent }) } else { Err(Refusal::NoAgentOnline.into()) }
}

/// The department that chats get whose visitors asked for none: the oldest one that is offered to them and staffed.
pub(crate) fn department_for_everybody(tx: &mut Tx<'_>, rules: &Rules) -> Result<Option<Department>, Error> {
    let wanted = q::departments::Wanted { enabled: Some(true), archived: Some(false), ..q::departments::Wanted::default() };
    let page = q::departments::Page { order: q::departments::Order::CreatedAt, ..q::departments::Page::whole() };
    for department in q::departments::list(tx, &wanted, &page)? {
        let is_offered = department.show_on_registration && department.agent_count > 0;
        if is_offered && is_staffed(tx, rules, Some(&department.id))? {
            return Ok(Some(department));
        }
    }
    Ok(None)
}

/// Opens a room: its contact, the pages that the visitor saw before, the message that begins it, its place in the queue, and its agent
/// where one is found at once.
fn open(tx: &mut Tx<'_>, visitor: &Visitor, token: &str, opening: &Opening) -> Result<OpenRoom, Error> {
    let Destination { department, agent } = destination(tx, visitor, opening)?;
    let (mut ids, now) = (opening.ids.clone(), opening.now);
    let room = new_room(tx, visitor, department.as_ref(), opening, &mut ids)?;
    let mut work = RoomWork::on(tx, room, &mut ids, now);
    let id = work.room.id.clone();
    work.note(ChangeKind::RoomOpened, &id)?;
    bind_pages(&mut work, token, opening.navigation_is_shown)?;
    let started = SystemMessage { is_news: true, ..SystemMessage::quiet(STARTED, visitor.into()) };
    let (message_id, ts) = (work.ids.next_id(), now.max(work.room.last_ts + i64::from(work.room.message_count > 0)));
    work.post_at(started, message_id, ts)?;
    route(&mut work, department.as_ref(), agent, opening)?;
    let room = work.finish()?;
    let RoomWithMessage { room, last_message } = RoomWithMessage::read(tx, room)?;
    Ok(OpenRoom { room, last_message, is_new: true })
}

fn new_room(
    tx: &mut Tx<'_>,
    visitor: &Visitor,
    department: Option<&Department>,
    opening: &Opening,
    ids: &mut Sequence,
) -> Result<Room, Error> {
    let now = opening.now;
    let id = ids.next_id();
    let last_chat = LastChat { room_id: id.clone(), at: now };
    let contact_id = q::contacts::for_visitor(tx, visitor, opening.source.kind)?;
    let is_new_contact = q::contacts::by_id(tx, &contact_id)?.is_none();
    let joins = contact_id != visitor.contact_id;
    let visitor = Visitor { contact_id: contact_id.clone(), ..visitor.clone() };
    q::visitors::set_contact(tx, &visitor.id, &contact_id)?;
    q::contacts::ensure(tx, &visitor, opening.source.kind, &last_chat)?;
    if is_new_contact {
        q::contacts::mark_duplicate(tx, &visitor)?;
    }
    if is_new_contact || joins {
        let is_unknown = q::contacts::by_id(tx, &contact_id)?.is_some_and(|contact| contact.is_unknown);
        join_contact(tx, &visitor.id, &contact_id, is_unknown, now)?;
    }
    q::visitors::set_last_chat(tx, &visitor.id, &last_chat)?;
    let inquiry = Inquiry {
        id: ids.next_hexadecimal(),
        status: InquiryStatus::Ready,
        message: opening.message.clone(),
        default_agent: None,
        queued_at: None,
        taken_at: None,
        updated_at: now,
    };
    let room = Room {
        visitor_id: visitor.id.clone(),
        visitor_username: visitor.username.clone(),
        visitor_status: visitor.status.clone(),
        visitor_activity: visitor.activity.clone(),
        name: q::contacts::name(tx, &contact_id)?.unwrap_or_else(|| visitor.display_name().to_owned()),
        contact_id,
        department_id: department.map(|department| department.id.clone()),
        source: opening.source.clone(),
        inquiry: Some(inquiry),
        ..Room::new(id, now)
    };
    q::rooms::insert(tx, &room)?;
    Ok(room)
}

/// Puts the pages that the visitor saw before into the room, with the times at which it saw them.
fn bind_pages(work: &mut RoomWork<'_, '_>, token: &str, are_shown: bool) -> Result<(), Error> {
    let visits = q::page_visits::of_token(work.tx, token)?;
    if visits.is_empty() {
        return Ok(());
    }
    work.room.last_ts = i64::MIN;
    for visit in visits {
        let ts = visit.visited_at.max(work.room.last_ts.saturating_add(1));
        let message = page_message(&visit, &work.room.visitor_id, are_shown);
        work.post_at(message, visit.id, ts)?;
    }
    q::page_visits::delete_of_token(work.tx, token)?;
    Ok(())
}

/// The message that says that the visitor saw a page; histories show it only where they are to.
pub(crate) fn page_message(visit: &q::page_visits::PageVisit, visitor_id: &str, is_shown: bool) -> SystemMessage {
    let page = json!({"change": visit.change, "title": visit.title, "location": {"href": visit.href}});
    // Where the wire has a token, everybody but the visitor finds the visitor's id.
    let navigation = json!({"page": page, "token": visitor_id});
    SystemMessage {
        text: crate::page_visits::text(&visit.title, &visit.href),
        details: Map::from_iter([("navigation".to_owned(), navigation)]),
        is_hidden: !is_shown,
        ..SystemMessage::quiet(NAVIGATED, Author::from(&system_user()))
    }
}

/// Gives the room to the agent whom it is meant for, or to one that routing finds, or puts it into the queue.
fn route(
    work: &mut RoomWork<'_, '_>,
    department: Option<&Department>,
    agent: Option<Preferred>,
    opening: &Opening,
) -> Result<(), Error> {
    let (rules, now) = (&opening.rules, work.now);
    let status = initial_status(rules.method, agent.as_ref().map(|agent| agent.is_bot), opening.waiting_queue);
    let found = if status == InquiryStatus::Queued {
        if let Some(inquiry) = &mut work.room.inquiry {
            inquiry.queue(now);
            inquiry.default_agent = agent.map(|Preferred { person, .. }| DefaultAgent {
                id: person.id,
                username: Some(person.username).filter(|_| opening.shows_agents),
            });
        }
        Found::without_a_search(None, "waits-to-be-taken")
    } else {
        match agent {
            Some(agent) if agent.is_available || agent.is_bot => Found::without_a_search(Some(agent.person), agent.reason),
            _ => find(work.tx, rules, department, None, now)?,
        }
    };
    record(work.tx, work.ids, &work.room, rules, Cause::Opened, &found, now)?;
    match &found.agent {
        Some(agent) => work.assign(agent, rules),
        None => Ok(()),
    }
}
