//! Pages that visitors see on the site: told to agents in the room, or kept until there is a room.

use usher_domain::room::Room;
use usher_domain::settings::{HISTORY_MONITOR_TYPE, NAVIGATION_AS_MESSAGE};
use usher_domain::visitor::VisitorToken;
use usher_store::q::page_visits::PageVisit;
use usher_store::{Tx, q};

use crate::rooms::{RoomWork, page_message};
use crate::{Error, Services};

/// The most characters of the word for what changed.
pub const CHANGE_LIMIT: usize = 64;

/// The most characters of a title.
pub const TITLE_LIMIT: usize = 1_024;

/// The most characters of an address.
pub const HREF_LIMIT: usize = 8_192;

/// How many visits are kept for a token that has no room.
const MOST_WITHOUT_ROOM: i64 = 100;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How many days that is remembered which nobody asked for.
const DAYS_KEPT: i64 = 30;

/// A page as the widget tells of it.
#[derive(Debug, Clone)]
pub struct SeenPage {
    /// The visitor's token. Nobody needs to have it yet.
    pub token: String,
    /// The visitor's room.
    pub room_id: Option<String>,
    /// What changed: `url` or `title`.
    pub change: String,
    /// The title of the page.
    pub title: String,
    /// The address of the page.
    pub href: String,
}

impl SeenPage {
    /// The page as agents read of it.
    pub fn text(&self) -> String {
        text(&self.title, &self.href)
    }
}

/// A page as agents read of it.
pub(crate) fn text(title: &str, href: &str) -> String {
    format!("{title} - {href}")
}

impl Services {
    /// Notes that a visitor sees a page: in the room, if that is the visitor's own, or else for the next room that is opened with the
    /// token. What is told of the room and the token is the same whoever they belong to. Gives whether such changes are looked at.
    pub async fn note_page(&self, seen: SeenPage) -> Result<bool, Error> {
        let settings = &self.platform().settings;
        if seen.change != settings.choice(&HISTORY_MONITOR_TYPE) {
            return Ok(false);
        }
        // With a token that cannot be anybody's no room is ever opened.
        let Some(token) = VisitorToken::new(seen.token) else { return Ok(true) };
        let is_shown = settings.get(&NAVIGATION_AS_MESSAGE);
        let (ids, now) = (self.ids(), self.now());
        let visit = PageVisit { id: self.new_id(), title: seen.title, href: seen.href, change: seen.change, visited_at: now };
        let room_id = seen.room_id.filter(|id| !id.is_empty());
        self.store
            .write(move |tx| {
                let mut ids = ids.clone();
                let Some(room) = own_room(tx, &token, room_id.as_deref())? else {
                    return Ok(q::page_visits::insert(tx, token.as_str(), &visit, MOST_WITHOUT_ROOM)?);
                };
                let message = page_message(&visit, &room.visitor_id, is_shown);
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                work.post(message)?;
                work.finish()?;
                Ok::<(), Error>(())
            })
            .await?;
        Ok(true)
    }

    /// Forgets pages that were never in a room, and subscriptions that went, once they are old. Gives how many that were.
    pub async fn forget_old(&self) -> Result<u64, Error> {
        let before = self.now() - DAYS_KEPT * DAY;
        let forgotten = self
            .store
            .write(move |tx| {
                let (visits, removed) = (q::page_visits::forget(tx, before)?, q::subscriptions::forget_removed(tx, before)?);
                Ok::<u64, Error>(visits + removed)
            })
            .await?;
        Ok(forgotten + self.remove_abandoned_files().await? + self.forget_erased().await?)
    }
}

/// The room, if it is there and belongs to whoever has the token.
fn own_room(tx: &mut Tx<'_>, token: &VisitorToken, room_id: Option<&str>) -> Result<Option<Room>, Error> {
    let Some(room_id) = room_id else { return Ok(None) };
    let Some(visitor) = q::visitors::by_token(tx, token)? else { return Ok(None) };
    Ok(q::rooms::by_id(tx, room_id)?.filter(|room| room.visitor_id == visitor.id))
}
