//! Messages that a text quotes by linking to them.

use serde_json::Value;
use usher_domain::message::Message;
use usher_domain::quote::{self, QuoteLink};
use usher_domain::settings::{MESSAGE_QUOTE_DEPTH, SITE_URL};
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::platform::Platform;
use crate::rooms::may_read;
use crate::{Error, Services};

/// The messages that a text links to.
#[derive(Clone)]
pub(super) struct Quotes {
    links: Vec<QuoteLink>,
    site: String,
    depth: i64,
}

/// Who quotes.
pub(super) enum Quoting<'a> {
    /// The visitor with this id, out of its own rooms.
    Visitor(&'a str),
    /// A user who writes to the visitor with this id, out of rooms that the user may read.
    User(&'a Platform, &'a User, &'a str),
}

impl Services {
    /// The messages that `text` links to. For most texts there are none, and nothing is read.
    pub(super) fn quotes(&self, text: &str) -> Quotes {
        let platform = self.platform();
        let site = platform.settings.text(&SITE_URL);
        let links = quote::links(text, site);
        let site = if links.is_empty() { String::new() } else { site.to_owned() };
        Quotes { links, site, depth: platform.settings.get(&MESSAGE_QUOTE_DEPTH) }
    }
}

impl Quotes {
    /// The attachments that show them.
    ///
    /// Nobody quotes what is of another visitor: one visitor's words would stand in the chat of another, who could read them, and they
    /// would be left there when the first one is erased.
    pub(super) fn attachments(&self, tx: &mut Tx<'_>, quoting: &Quoting<'_>) -> Result<Vec<Value>, Error> {
        let mut quoted = Vec::new();
        for QuoteLink { link, message_id } in &self.links {
            if let Some(message) = find(tx, message_id, quoting)? {
                quoted.push((link.clone(), message));
            }
        }
        Ok(quote::attachments(&quoted, &self.site, self.depth))
    }
}

/// The message with this id, if it can be quoted.
fn find(tx: &mut Tx<'_>, message_id: &str, quoting: &Quoting<'_>) -> Result<Option<Message>, Error> {
    let found = q::messages::by_id(tx, message_id)?;
    let found = found.filter(|message| !message.is_deleted && !message.is_hidden && !message.is_of_system());
    let Some(message) = found else { return Ok(None) };
    let Some(room) = q::rooms::by_id(tx, &message.room_id)? else { return Ok(None) };
    let may_quote = match quoting {
        Quoting::Visitor(visitor_id) => room.visitor_id == *visitor_id,
        Quoting::User(platform, user, visitor_id) => room.visitor_id == *visitor_id && may_read(tx, platform, user, &room)?,
    };
    Ok(Some(message).filter(|_| may_quote))
}
