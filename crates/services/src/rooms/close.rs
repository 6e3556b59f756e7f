//! Closing a chat.

use serde_json::{Map, Value};
use usher_domain::ChangeKind;
use usher_domain::message::{Author, CLOSED, COMMAND};
use usher_domain::metrics;
use usher_domain::permission::CLOSE_OTHERS_LIVECHAT_ROOM;
use usher_domain::room::{Closer, Closing, Person, Room};
use usher_domain::settings::{FORCE_CLOSE, REQUEST_CLOSING_COMMENT, TRANSCRIPT, TRANSCRIPT_ALWAYS, VISITORS_MAY_CLOSE};
use usher_domain::transcript::Manner;
use usher_domain::visitor::VisitorToken;
use usher_store::{Tx, q};

use super::queue::author_by_name;
use super::tags::distinct;
use super::work::{RoomWork, SystemMessage, system_user};
use crate::logins::Account;
use crate::printed_transcripts::want_printed;
use crate::transcripts::{TranscriptOrder, queue_transcript};
use crate::users::object;
use crate::{Error, Refusal, Services};

/// What a visitor's closing says.
const BY_VISITOR: &str = "Closed by visitor";

/// The preference of agents who want visitors to get the transcript.
const PREFERENCE: &str = "omnichannelTranscriptEmail";

/// The preference of agents who want the transcript printed.
const PRINTS: &str = "omnichannelTranscriptPDF";

/// The subject of a transcript that an agent prefers to be sent.
const SUBJECT: &str = "Transcript of your omnichannel conversation.";

/// How a user closes a chat.
#[derive(Debug, Clone, Default)]
pub struct ClosingByUser {
    /// The room.
    pub room_id: String,
    /// What is said of it.
    pub comment: String,
    /// Tags that the chat gets.
    pub tags: Vec<String>,
    /// Whether a person does it, who can be asked for a tag.
    pub client_action: bool,
    /// Whether the transcript goes to the visitor by mail; `None` leaves that to who asked before.
    pub transcript: Option<TranscriptByMail>,
    /// Whether the transcript is printed as a PDF.
    pub prints: bool,
    /// Whether contradictions in the records are to be overlooked.
    pub force: bool,
}

/// Whether and where the transcript of a closed chat goes by mail.
#[derive(Debug, Clone)]
pub struct TranscriptByMail {
    /// Whether it goes to the visitor.
    pub to_visitor: bool,
    /// The address.
    pub email: Option<String>,
    /// The subject.
    pub subject: Option<String>,
}

/// All that closing depends on.
#[derive(Clone)]
struct Terms {
    closer: Closer,
    by: Author,
    comment: String,
    tags: Vec<String>,
    client_action: bool,
    transcript: Option<TranscriptByMail>,
    /// Whether the user who closes it wants the transcript printed.
    prints: bool,
    /// Whether visitors are offered the transcript.
    offers_transcript: bool,
    /// Whether every visitor gets it.
    always_sends: bool,
    requests_comment: bool,
    /// How transcripts look.
    manner: Manner,
    found: Found,
}

/// What a request to close a room found when it came, before it was its turn.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// Whether the room was open.
    is_open: bool,
    /// Whether the user was in it.
    is_member: bool,
}

impl Terms {
    /// Whether the transcript goes to every visitor.
    fn sends_always(&self) -> bool {
        !self.offers_transcript && self.always_sends
    }
}

impl Services {
    /// Closes a visitor's own chat. Gives what is said of it.
    ///
    /// # Errors
    ///
    /// Visitors may not close chats, the room is not the visitor's, or it is closed.
    pub async fn close_by_visitor(&self, token: VisitorToken, room_id: String) -> Result<&'static str, Error> {
        if !self.platform().settings.get(&VISITORS_MAY_CLOSE) {
            return Err(Refusal::VisitorsMayNotClose.into());
        }
        let nobody_yet = Author { id: String::new(), username: String::new(), name: None, is_visitor: true };
        let found = self.found_by(&room_id, None).await?;
        let terms = Terms { found, ..self.closing_terms(Closer::Visitor, nobody_yet, BY_VISITOR.to_owned()) };
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                let room = q::rooms::by_id(tx, &room_id)?.filter(|room| room.visitor_id == visitor.id);
                let room = room.ok_or(Refusal::InvalidRoom)?;
                if !room.is_open {
                    return Err(closed_already(&terms, Refusal::RoomClosed));
                }
                let terms = Terms { by: Author::from(&visitor), ..terms.clone() };
                close(&mut RoomWork::on(tx, room, &mut ids.clone(), now), &terms)
            })
            .await?;
        self.chat_was_closed();
        Ok(BY_VISITOR)
    }

    /// Closes a chat in a user's name.
    ///
    /// # Errors
    ///
    /// There is no such room, the user may not close it, it is closed, or comment or tags are missing.
    pub async fn close_by_user(&self, account: &Account, closing: ClosingByUser) -> Result<(), Error> {
        let user = &account.user;
        let may_close_others = self.permits(user, CLOSE_OTHERS_LIVECHAT_ROOM);
        let may_force = closing.force && self.platform().settings.get(&FORCE_CLOSE);
        let terms = Terms {
            tags: closing.tags,
            client_action: closing.client_action,
            transcript: closing.transcript,
            prints: closing.prints,
            found: self.found_by(&closing.room_id, Some(&user.id)).await?,
            ..self.closing_terms(Closer::User, user.into(), closing.comment)
        };
        let (ids, now, room_id) = (self.ids(), self.now(), closing.room_id);
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::NoSuchRoom)?;
                // Whoever closed it meanwhile took it out of the list of everybody who was in it.
                let was_member = terms.found.is_open && terms.found.is_member && !room.is_open;
                let is_member = was_member || q::subscriptions::of_user_in(tx, &room.id, &terms.by.id)?.is_some();
                if !is_member && !may_close_others {
                    return Err(Refusal::NotAuthorized.into());
                }
                if !room.is_open {
                    // Whoever forces it wants it closed, and it is.
                    let refusal = closed_already(&terms, Refusal::RoomAlreadyClosed);
                    return if may_force { Ok(()) } else { Err(refusal) };
                }
                close(&mut RoomWork::on(tx, room, &mut ids.clone(), now), &terms)
            })
            .await?;
        self.chat_was_closed();
        Ok(())
    }

    /// Wakes whatever waits for the end of a chat.
    fn chat_was_closed(&self) {
        self.chat_may_be_taken();
        self.mail_is_waiting();
        self.transcript_is_wanted();
    }

    fn closing_terms(&self, closer: Closer, by: Author, comment: String) -> Terms {
        let platform = self.platform();
        let settings = &platform.settings;
        Terms {
            closer,
            by,
            comment,
            tags: Vec::new(),
            client_action: false,
            transcript: None,
            prints: false,
            offers_transcript: settings.get(&TRANSCRIPT),
            always_sends: settings.get(&TRANSCRIPT_ALWAYS),
            requests_comment: settings.get(&REQUEST_CLOSING_COMMENT),
            manner: Manner::of(settings),
            found: Found::default(),
        }
    }

    /// What a request that has just come finds.
    async fn found_by(&self, room_id: &str, user_id: Option<&str>) -> Result<Found, Error> {
        let (room_id, user_id) = (room_id.to_owned(), user_id.map(str::to_owned));
        self.store
            .read(move |tx| {
                let is_open = q::rooms::by_id(tx, &room_id)?.is_some_and(|room| room.is_open);
                let is_member = match &user_id {
                    Some(user_id) => q::subscriptions::of_user_in(tx, &room_id, user_id)?.is_some(),
                    None => false,
                };
                Ok(Found { is_open, is_member })
            })
            .await
    }
}

/// What somebody is told whose room is closed. Whoever found it open lost a race against somebody else who closed it, and clients try
/// again then.
fn closed_already(terms: &Terms, otherwise: Refusal) -> Error {
    if terms.found.is_open { Refusal::ClosedMeanwhile.into() } else { otherwise.into() }
}

/// Closes an open room.
fn close(work: &mut RoomWork<'_, '_>, terms: &Terms) -> Result<(), Error> {
    if terms.requests_comment && terms.comment.trim().is_empty() {
        return Err(Refusal::CommentRequired.into());
    }
    let tags = closing_tags(work.tx, &work.room, terms)?;
    let now = work.now;
    let by = Person { id: terms.by.id.clone(), username: terms.by.username.clone() };
    let answered = answer_after_visitor(work.tx, &work.room)?;
    work.remove_members(None)?;
    if let Some(inquiry) = work.room.inquiry.take() {
        work.note(ChangeKind::InquiryRemoved, &inquiry.id)?;
    }
    let room = &mut work.room;
    room.is_open = false;
    room.on_hold = false;
    room.visitor_status = "offline".to_owned();
    room.closing = Some(Closing { at: now, closer: terms.closer, by });
    metrics::closed(room, terms.closer, now, answered);
    if tags != room.tags {
        q::rooms::set_tags(work.tx, &room.id, &tags)?;
        room.tags = tags;
    }
    let visitor_email = q::visitors::by_id(work.tx, &work.room.visitor_id)?.and_then(|visitor| visitor.email);
    let is_requested = work.room.transcript_request.is_some() || terms.sends_always();
    let details = Map::from_iter([("transcriptRequested".to_owned(), Value::Bool(is_requested))]);
    let closed =
        SystemMessage { text: terms.comment.clone(), details, is_news: true, ..SystemMessage::quiet(CLOSED, terms.by.clone()) };
    work.post(closed)?;
    if terms.offers_transcript && !terms.always_sends {
        let person = Person { id: terms.by.id.clone(), username: terms.by.username.clone() };
        let author = if terms.by.is_visitor { terms.by.clone() } else { Author::from(&person) };
        let prompt = SystemMessage { text: "promptTranscript".to_owned(), ..SystemMessage::quiet(COMMAND, author) };
        work.post(prompt)?;
    }
    send_transcript(work, terms, visitor_email.as_deref())?;
    if is_printed(work, terms)? {
        want_printed(work.tx, &work.room, now)?;
    }
    let id = work.room.id.clone();
    work.note(ChangeKind::RoomChanged, &id)?;
    Ok(q::rooms::save(work.tx, &work.room)?)
}

/// The tags that a room has once it is closed: those given now, its own, and those that its department gives every chat.
fn closing_tags(tx: &mut Tx<'_>, room: &Room, terms: &Terms) -> Result<Vec<String>, Error> {
    let department = q::departments::of_room(tx, room)?;
    let of_department = department.as_ref().map(|department| department.closing_tags()).unwrap_or_default();
    if department.is_some_and(|department| department.requires_closing_tag()) {
        let has_own = !terms.tags.is_empty() || !room.tags.is_empty();
        if (terms.client_action && !has_own) || of_department.is_empty() {
            return Err(Refusal::TagsRequired.into());
        }
    }
    Ok(distinct(terms.tags.iter().chain(&room.tags).chain(&of_department)))
}

/// The time of the agents' side's first message after the visitor's last one, unless the visitor had the last word.
fn answer_after_visitor(tx: &mut Tx<'_>, room: &Room) -> Result<Option<i64>, Error> {
    match room.visitor_last_message_at {
        None => Ok(None),
        Some(last) => Ok(q::messages::first_answer_after(tx, &room.id, last)?),
    }
}

/// Puts the transcript on its way, if anybody is to have it, and forgets who asked for it.
fn send_transcript(work: &mut RoomWork<'_, '_>, terms: &Terms, visitor_email: Option<&str>) -> Result<(), Error> {
    let request = work.room.transcript_request.take();
    let order = match (&terms.transcript, request) {
        _ if terms.sends_always() && visitor_email.is_some() => ordered_by_agent(work, visitor_email.unwrap_or_default(), "")?,
        (Some(wanted), request) if wanted.to_visitor => {
            let asked = request.map(|request| (request.email, request.subject)).unwrap_or_default();
            let email = wanted.email.clone().filter(|email| !email.is_empty()).unwrap_or(asked.0);
            let subject = wanted.subject.clone().unwrap_or(asked.1);
            let email = if email.is_empty() { visitor_email.unwrap_or_default().to_owned() } else { email };
            Some(TranscriptOrder { email, subject, by: terms.by.clone(), is_for_visitor: false })
        }
        (Some(_), _) => None,
        (None, Some(request)) => Some(TranscriptOrder::from(request)),
        (None, None) => preferred_by_agent(work, terms, visitor_email)?,
    };
    match order {
        Some(order) => queue_transcript(work, &terms.manner, &order),
        None => Ok(()),
    }
}

/// The transcript that the agent who served the chat sends to the visitor; the server does so where nobody served it.
fn ordered_by_agent(work: &mut RoomWork<'_, '_>, email: &str, subject: &str) -> Result<Option<TranscriptOrder>, Error> {
    let agent = work.room.served_by.as_ref().map_or_else(system_user, |served| served.agent.clone());
    let by = author_by_name(work.tx, &agent)?;
    Ok(Some(TranscriptOrder { email: email.to_owned(), subject: subject.to_owned(), by, is_for_visitor: false }))
}

/// The transcript that a visitor who closes its chat gets because the agent prefers that, where visitors are not offered it.
fn preferred_by_agent(
    work: &mut RoomWork<'_, '_>,
    terms: &Terms,
    visitor_email: Option<&str>,
) -> Result<Option<TranscriptOrder>, Error> {
    let (Some(email), Some(served)) = (visitor_email, &work.room.served_by) else { return Ok(None) };
    if terms.closer != Closer::Visitor || terms.offers_transcript {
        return Ok(None);
    }
    if prefers(work.tx, &served.agent.id, PREFERENCE)? { ordered_by_agent(work, email, SUBJECT) } else { Ok(None) }
}

/// Whether the transcript is printed: if the user who closes the chat says so, or where the visitor closes it, if its agent prefers that.
fn is_printed(work: &mut RoomWork<'_, '_>, terms: &Terms) -> Result<bool, Error> {
    match &work.room.served_by {
        _ if terms.closer == Closer::User => Ok(terms.prints),
        Some(served) => prefers(work.tx, &served.agent.id, PRINTS),
        None => Ok(false),
    }
}

/// Whether a user said yes to a preference.
fn prefers(tx: &mut Tx<'_>, user_id: &str, preference: &str) -> Result<bool, Error> {
    let user = q::users::by_id(tx, user_id)?;
    Ok(user.is_some_and(|user| object(&user.preferences).get(preference) == Some(&Value::Bool(true))))
}
