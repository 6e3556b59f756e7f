//! Visitors as users see them: found by name, and with their chats and the pages they saw.

use usher_domain::message::{CLOSED, Message, NAVIGATED};
use usher_domain::room::Room;
use usher_domain::visitor::{Visitor, VisitorToken};
use usher_store::q::users::User;
use usher_store::q::visitor_lists::WantedChats;
use usher_store::{Tx, q};

use crate::logins::Account;
use crate::messages::ListedMessages;
use crate::platform::Platform;
use crate::rooms::{RoomWithMessage, may_read};
use crate::{Error, Refusal, Services};

pub use usher_store::q::visitor_lists::{ChatOrder, ChatPage, Order, Page};

/// How many visitors are offered to choose from.
const OFFERED: i64 = 10;

/// A page of visitors.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedVisitors {
    /// The visitors.
    pub visitors: Vec<Visitor>,
    /// How many there are.
    pub total: i64,
}

/// A page of a visitor's rooms.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedChats {
    /// The rooms, each with its latest message.
    pub chats: Vec<RoomWithMessage>,
    /// How many there are.
    pub total: i64,
}

/// A room that was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundChat {
    /// The room.
    pub room: Room,
    /// The message that closed it.
    pub closing_message: Option<Message>,
}

/// A page of rooms that were looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundChats {
    /// The rooms.
    pub chats: Vec<FoundChat>,
    /// How many there are.
    pub total: i64,
}

/// A visitor, and the room through which somebody looks at it.
#[derive(Debug, Clone)]
pub struct SeenThrough {
    /// The room.
    pub room_id: String,
    /// The visitor.
    pub visitor_id: String,
}

/// Which of a visitor's rooms are looked for.
#[derive(Debug, Clone, Default)]
pub struct ChatFilter {
    /// They are closed.
    pub closed: bool,
    /// An agent has them.
    pub served: bool,
    /// Where they come from contains this, without regard to case.
    pub source: Option<String>,
    /// A message in them contains this, letter by letter.
    pub text: Option<String>,
}

/// Which part of the pages that a visitor saw is wanted.
#[derive(Debug, Clone, Copy)]
pub struct VisitsPage {
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// How many are left out.
    pub offset: i64,
    /// How many at most; `None` for all.
    pub count: Option<i64>,
}

impl Services {
    /// The open rooms of the visitor with this id or token. For others than the visitor the id stands where a token is expected, so
    /// they send it as one.
    pub async fn open_rooms_of(&self, id_or_token: String) -> Result<Vec<Room>, Error> {
        self.store
            .read(move |tx| {
                let visitor = match q::visitors::by_id(tx, &id_or_token)? {
                    None => match VisitorToken::new(id_or_token.as_str()) {
                        Some(token) => q::visitors::by_token(tx, &token)?,
                        None => None,
                    },
                    found => found,
                };
                let mut rooms = match visitor {
                    Some(visitor) => q::rooms::open(tx, &visitor.id)?,
                    None => Vec::new(),
                };
                rooms.sort_by(|one, other| (one.opened_at, &one.id).cmp(&(other.opened_at, &other.id)));
                Ok(rooms)
            })
            .await
    }

    /// The visitor with this id.
    ///
    /// # Errors
    ///
    /// There is none.
    pub async fn visitor_with_id(&self, id: String) -> Result<Visitor, Error> {
        self.store.read(move |tx| q::visitors::by_id(tx, &id)?.ok_or(Refusal::VisitorNotFound.into())).await
    }

    /// The visitors whose name, user name or searchable fields contain `term`, or whose e-mail address or phone number it is.
    pub async fn search_visitors(&self, term: String, page: Page) -> Result<ListedVisitors, Error> {
        self.store
            .read(move |tx| {
                let (visitors, total) = q::visitor_lists::search(tx, &term, &page)?;
                Ok(ListedVisitors { visitors, total })
            })
            .await
    }

    /// A few visitors to choose from whose names begin with `term`, but those with the ids `except`.
    pub async fn offer_visitors(&self, term: String, except: Vec<String>) -> Result<Vec<Visitor>, Error> {
        self.store.read(move |tx| Ok(q::visitor_lists::beginning(tx, &term, &except, OFFERED)?)).await
    }

    /// The pages that a room's visitor saw.
    ///
    /// # Errors
    ///
    /// There is no such room.
    pub async fn pages_visited(&self, room_id: String, page: VisitsPage) -> Result<ListedMessages, Error> {
        self.store
            .read(move |tx| {
                q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::InvalidRoom)?;
                let count = page.count.unwrap_or(i64::MAX);
                let (messages, total) = if page.oldest_first {
                    q::messages::oldest_of_kind(tx, &room_id, NAVIGATED, count, page.offset)?
                } else {
                    q::messages::of_kind(tx, &room_id, NAVIGATED, count, page.offset)?
                };
                Ok(ListedMessages { messages, total })
            })
            .await
    }

    /// The rooms of a visitor, for a user who may read the room through which the visitor is seen.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn chats_of_visitor(&self, account: &Account, seen: SeenThrough, page: ChatPage) -> Result<ListedChats, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let Some(visitor_id) = visitor_of(tx, &platform, &user, &seen)? else {
                    return Ok(ListedChats { chats: Vec::new(), total: 0 });
                };
                let wanted = WantedChats { visitor_id, ..WantedChats::default() };
                let (rooms, total) = q::visitor_lists::chats(tx, &wanted, &page)?;
                Ok(ListedChats { chats: RoomWithMessage::read_all(tx, rooms)?, total })
            })
            .await
    }

    /// The rooms of a visitor that are looked for, with the messages that closed them; for the same users.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user may not read it.
    pub async fn search_chats(
        &self,
        account: &Account,
        seen: SeenThrough,
        filter: ChatFilter,
        page: ChatPage,
    ) -> Result<FoundChats, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        self.store
            .read(move |tx| {
                let Some(visitor_id) = visitor_of(tx, &platform, &user, &seen)? else {
                    return Ok(FoundChats { chats: Vec::new(), total: 0 });
                };
                let ChatFilter { closed, served, source, text } = filter.clone();
                let (rooms, total) = q::visitor_lists::chats(tx, &WantedChats { visitor_id, closed, served, source, text }, &page)?;
                let chats = rooms.into_iter().map(|room| {
                    let closing_message = match &room.closing {
                        Some(_) => q::messages::latest_of_kind(tx, &room.id, CLOSED)?,
                        None => None,
                    };
                    Ok(FoundChat { room, closing_message })
                });
                Ok(FoundChats { chats: chats.collect::<Result<_, Error>>()?, total })
            })
            .await
    }
}

/// The visitor whose chats a user may see through a room: whose room it is, or who is the same contact.
fn visitor_of(tx: &mut Tx<'_>, platform: &Platform, user: &User, seen: &SeenThrough) -> Result<Option<String>, Error> {
    let room = q::rooms::by_id(tx, &seen.room_id)?.ok_or(Refusal::InvalidRoom)?;
    if !may_read(tx, platform, user, &room)? {
        return Err(Refusal::RoomNotAllowed.into());
    }
    let visitor = q::visitors::by_id(tx, &seen.visitor_id)?;
    let same = visitor.filter(|visitor| visitor.id == room.visitor_id || visitor.contact_id == room.contact_id);
    Ok(same.map(|visitor| visitor.id))
}
