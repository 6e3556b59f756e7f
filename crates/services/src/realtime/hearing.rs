//! Who may hear what.

use usher_domain::permission::{VIEW_CANNED_RESPONSES, VIEW_L_ROOM, VIEW_PRIVILEGED_SETTING};
use usher_domain::stream::MY_MESSAGES;
use usher_domain::visitor::VisitorToken;
use usher_domain::{Stream, Topic};
use usher_store::q;

use crate::logins::Account;
use crate::rooms::may_read;
use crate::{Error, Services};

/// What tells of settings that not everybody may see.
const PRIVATE_SETTINGS: &str = "private-settings-changed";

/// What a client shows beside what it wants to hear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// A visitor's token, as streams about what happens in a room take it.
    pub token: Option<String>,
    /// The same, as streams of messages take it.
    pub visitor_token: Option<String>,
}

/// What a client hears from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The room that it is about, as of which change the client can know it.
    pub room: Option<(String, i64)>,
}

/// Whose room it has to be.
enum Whose {
    Nobodys,
    OfVisitor(String),
    OfReader,
}

impl Services {
    /// Whether a client may hear of a topic; `None` says that it may not.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn may_hear(&self, account: Option<&Account>, topic: &Topic, shown: &Credentials) -> Result<Option<Heard>, Error> {
        let (id, kind) = topic.parts();
        let holds = |permission| account.is_some_and(|account| self.permits(&account.user, permission));
        let is_own = account.is_some_and(|account| account.user.id == id);
        let anything = |may: bool| Ok(may.then_some(Heard { room: None }));
        match topic.stream {
            Stream::RoomMessages if topic.event == MY_MESSAGES => anything(true),
            Stream::RoomMessages => self.may_hear_room(account, id, whose(shown.visitor_token.as_deref())).await,
            Stream::NotifyRoom if kind == "webrtc" => self.may_hear_room(account, id, Whose::Nobodys).await,
            Stream::NotifyRoom => self.may_hear_room(account, id, whose(shown.token.as_deref())).await,
            Stream::LivechatRoom => match &shown.visitor_token {
                Some(token) => self.may_hear_room(None, id, Whose::OfVisitor(token.clone())).await,
                None => Ok(None),
            },
            Stream::RoomData => self.may_hear_room(account, id, Whose::OfReader).await,
            Stream::InquiryQueue => anything(holds(VIEW_L_ROOM) && (id != "agent" || account.is_some_and(|a| a.user.id == kind))),
            Stream::NotifyUser => anything(is_own || kind == "webrtc"),
            Stream::NotifyLogged if topic.event == PRIVATE_SETTINGS => anything(holds(VIEW_PRIVILEGED_SETTING)),
            Stream::NotifyLogged | Stream::UserPresence | Stream::Roles => anything(account.is_some()),
            Stream::NotifyAll if topic.event == PRIVATE_SETTINGS => anything(holds(VIEW_PRIVILEGED_SETTING)),
            Stream::NotifyAll => anything(true),
            Stream::CannedResponses => anything(holds(VIEW_CANNED_RESPONSES)),
        }
    }

    /// Whether somebody may hear of a room.
    async fn may_hear_room(&self, account: Option<&Account>, room_id: &str, whose: Whose) -> Result<Option<Heard>, Error> {
        let (platform, user, room_id) = (self.platform(), account.map(|account| account.user.clone()), room_id.to_owned());
        self.store
            .read(move |tx| {
                let Some(room) = q::rooms::by_id(tx, &room_id)? else { return Ok(None) };
                let may = match (&whose, &user) {
                    (Whose::Nobodys, _) => true,
                    (Whose::OfVisitor(token), _) => match VisitorToken::new(token.clone()) {
                        Some(token) => q::visitors::by_token(tx, &token)?.is_some_and(|visitor| visitor.id == room.visitor_id),
                        None => false,
                    },
                    (Whose::OfReader, Some(user)) => may_read(tx, &platform, user, &room)?,
                    (Whose::OfReader, None) => false,
                };
                Ok(may.then_some(Heard { room: Some((room.id, room.seq)) }))
            })
            .await
    }

    /// Whether the visitor with this token may hear of a room and say something in it: it is the visitor's own.
    pub(super) async fn is_room_of(&self, token: &str, room_id: &str) -> Result<bool, Error> {
        Ok(self.may_hear_room(None, room_id, Whose::OfVisitor(token.to_owned())).await?.is_some())
    }

    /// Whether a user may hear of a room and say something in it: it may read it.
    pub(super) async fn may_speak(&self, account: &Account, room_id: &str) -> Result<bool, Error> {
        Ok(self.may_hear_room(Some(account), room_id, Whose::OfReader).await?.is_some())
    }
}

/// A visitor who shows a token hears of its own rooms, whoever is logged in beside it.
fn whose(token: Option<&str>) -> Whose {
    token.map_or(Whose::OfReader, |token| Whose::OfVisitor(token.to_owned()))
}
