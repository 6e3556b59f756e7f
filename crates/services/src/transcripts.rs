//! Transcripts by mail: for the visitor, for somebody the staff names, and those that are sent when a chat is closed.

use serde_json::{Map, Value, json};
use usher_domain::mail::MailKind;
use usher_domain::message::{Author, CLOSED, Message, TRANSCRIPT_SENT};
use usher_domain::room::{Room, TranscriptRequest};
use usher_domain::transcript::{MOST_MESSAGES, Manner};
use usher_domain::user::is_email;
use usher_domain::visitor::VisitorToken;
use usher_store::q::mails::NewMail;
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::rooms::{RoomWork, SystemMessage, system_user};
use crate::{Error, Refusal, Services};

/// A transcript that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTranscript {
    /// Of which room.
    pub room_id: String,
    /// Where it goes.
    pub email: String,
    /// The subject of the mail; a general one while it is empty.
    pub subject: String,
}

/// A transcript on its way into the queue of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TranscriptOrder {
    /// Where it goes.
    pub email: String,
    /// The subject of the mail; a general one while it is empty.
    pub subject: String,
    /// The user in whose name it is sent: whoever asked for it, or the server.
    pub by: Author,
    /// Whether the visitor asked for it.
    pub is_for_visitor: bool,
}

impl From<TranscriptRequest> for TranscriptOrder {
    fn from(request: TranscriptRequest) -> TranscriptOrder {
        let TranscriptRequest { user_id, username, name, email, subject, .. } = request;
        let by = Author { id: user_id, username, name, is_visitor: false };
        TranscriptOrder { email, subject, by, is_for_visitor: false }
    }
}

impl Services {
    /// Sends a visitor the transcript of its chat.
    pub async fn send_transcript_to_visitor(&self, token: VisitorToken, wanted: WantedTranscript) -> Result<(), Error> {
        self.send_transcript(token.as_str().to_owned(), wanted, Author::from(&system_user()), true).await
    }

    /// Sends the transcript of a chat in the name of a user, who says whose chat it is by the visitor's token or id.
    pub async fn send_transcript_for(&self, user: &User, visitor: String, wanted: WantedTranscript) -> Result<(), Error> {
        self.send_transcript(visitor, wanted, user.into(), false).await
    }

    async fn send_transcript(
        &self,
        visitor: String,
        wanted: WantedTranscript,
        by: Author,
        is_for_visitor: bool,
    ) -> Result<(), Error> {
        let manner = Manner::of(&self.platform().settings);
        let WantedTranscript { room_id, email, subject } = wanted;
        let order = TranscriptOrder { email, subject, by, is_for_visitor };
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::NoSuchRoom)?;
                // Staff know visitors by their ids: no document shows them a token.
                let is_named = !is_for_visitor && visitor == room.visitor_id;
                if !is_named && owner(tx, &visitor)?.as_ref() != Some(&room.visitor_id) {
                    return Err(Refusal::NotVisitorOfRoom.into());
                }
                if !is_email(order.email.trim()) {
                    return Err(Refusal::InvalidTranscriptAddress.into());
                }
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                queue_transcript(&mut work, &manner, &order)?;
                work.finish().map(|_| ())
            })
            .await?;
        self.mail_is_waiting();
        Ok(())
    }

    /// Notes that the transcript of an open chat is to be sent when it is closed.
    pub async fn request_transcript(&self, user: &User, wanted: WantedTranscript) -> Result<(), Error> {
        let now = self.now();
        let WantedTranscript { room_id, email, subject } = wanted;
        let request = TranscriptRequest {
            requested_at: now,
            user_id: user.id.clone(),
            username: user.username.clone(),
            name: user.name.clone(),
            email,
            subject,
        };
        self.change_request(room_id, now, move |room| {
            if room.transcript_request.is_some() {
                return Err(Refusal::TranscriptRequested);
            }
            if !is_email(request.email.trim()) {
                return Err(Refusal::InvalidTranscriptAddress);
            }
            room.transcript_request = Some(request.clone());
            Ok(())
        })
        .await
        .map_err(|refused| match refused {
            Error::Refused(Refusal::NoSuchRoom) => Refusal::NoRoomForTranscript.into(),
            other => other,
        })
    }

    /// Forgets that the transcript of an open chat was to be sent when it is closed.
    pub async fn discard_transcript(&self, room_id: String) -> Result<(), Error> {
        let forget = |room: &mut Room| match room.transcript_request.take() {
            Some(_) => Ok(()),
            None => Err(Refusal::TranscriptNotRequested),
        };
        self.change_request(room_id, self.now(), forget).await
    }

    /// Changes an open room.
    async fn change_request<F>(&self, room_id: String, now: i64, change: F) -> Result<(), Error>
    where
        F: Fn(&mut Room) -> Result<(), Refusal> + Send + 'static,
    {
        let ids = self.ids();
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.filter(|room| room.is_open).ok_or(Refusal::NoSuchRoom)?;
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                change(&mut work.room)?;
                work.finish().map(|_| ())
            })
            .await
    }
}

/// Puts the transcript of a room into the queue of mails, and notes that in the room. An address that can be nobody's gets none: then
/// nothing happens. Whoever calls says after its transaction that there is mail ([`Services::mail_is_waiting`]).
pub(crate) fn queue_transcript(work: &mut RoomWork<'_, '_>, manner: &Manner, order: &TranscriptOrder) -> Result<(), Error> {
    if !is_email(order.email.trim()) {
        return Ok(());
    }
    let messages = messages_of(work.tx, &work.room)?;
    let new = NewMail {
        id: work.ids.next_id(),
        kind: MailKind::Transcript,
        visitor_id: Some(work.room.visitor_id.clone()),
        room_id: Some(work.room.id.clone()),
        about: order.email.clone(),
        mail: manner.mail(&order.email, &order.subject, &messages),
    };
    q::mails::insert(work.tx, &new, work.now)?;
    let details = Map::from_iter([("requestData".to_owned(), request_data(&work.room, order))]);
    work.post(SystemMessage { details, ..SystemMessage::quiet(TRANSCRIPT_SENT, order.by.clone()) })?;
    Ok(())
}

/// The messages of a room before the one that closed it, in the order of their times. One more than a transcript has says that there
/// are more.
pub(crate) fn messages_of(tx: &mut Tx<'_>, room: &Room) -> Result<Vec<Message>, Error> {
    let (closed, _) = q::messages::of_kind(tx, &room.id, CLOSED, 1, 0)?;
    let before = closed.first().map_or(i64::MAX, |message| message.ts);
    let mut messages = q::messages::history(tx, &room.id, before, MOST_MESSAGES as i64 + 1, 0)?;
    messages.reverse();
    Ok(messages)
}

/// Who asked for what, as the wire has it. Where that has the visitor's token, everybody finds the visitor's id.
fn request_data(room: &Room, order: &TranscriptOrder) -> Value {
    let visitor = json!({
        "_id": room.visitor_id,
        "username": room.visitor_username,
        "token": room.visitor_id,
        "status": room.visitor_status,
    });
    let mut user = json!({"_id": order.by.id, "username": order.by.username});
    if let Some(name) = &order.by.name {
        user["name"] = name.as_str().into();
    }
    json!({"type": if order.is_for_visitor { "visitor" } else { "user" }, "visitor": visitor, "user": user})
}

/// The id of the visitor whose token this is.
fn owner(tx: &mut Tx<'_>, token: &str) -> Result<Option<String>, Error> {
    let Some(token) = VisitorToken::new(token) else { return Ok(None) };
    Ok(q::visitors::by_token(tx, &token)?.map(|visitor| visitor.id))
}
