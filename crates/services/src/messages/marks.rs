//! What users add to messages that are there: reactions, pins and stars.

use serde_json::{Map, Value, json};
use usher_domain::ChangeKind;
use usher_domain::message::Message;
use usher_domain::permission::PIN_MESSAGE;
use usher_domain::settings::MESSAGE_PINNING;
use usher_store::q;
use usher_store::q::users::User;

use crate::documents::{STARRED, stored_moment};
use crate::logins::Account;
use crate::rooms::{RoomWork, may_read};
use crate::{Error, Refusal, Services};

/// The details of a message that are its reactions.
const REACTIONS: &str = "reactions";

/// The most different reactions that a message has.
const MOST_REACTIONS: usize = 100;

/// The most characters of the name of a reaction.
const EMOJI_LIMIT: usize = 64;

impl Services {
    /// Adds a user's reaction to a message or takes it away, as `wanted` says; without it the one or the other, whatever changes
    /// something.
    ///
    /// # Errors
    ///
    /// There is no such message, the user may not read its room, or this is no reaction.
    pub async fn react(&self, account: &Account, message_id: String, emoji: &str, wanted: Option<bool>) -> Result<(), Error> {
        let emoji = shortname(emoji).ok_or(Refusal::InvalidEmoji)?;
        let change = move |message: &mut Message, user: &User, _: i64| {
            let reactions = message.details.entry(REACTIONS).or_insert_with(|| json!({}));
            let is_changed = reactions.as_object_mut().is_some_and(|reactions| toggle(reactions, &emoji, &user.username, wanted));
            if reactions.as_object().is_none_or(Map::is_empty) {
                message.details.remove(REACTIONS);
            }
            is_changed
        };
        self.mark(account, message_id, change).await.map(|_| ())
    }

    /// Pins a message or takes the pin away. Gives the message.
    ///
    /// # Errors
    ///
    /// Messages may not be pinned or not by this user, there is no such message, or the user may not read its room.
    pub async fn pin(&self, account: &Account, message_id: String, wanted: bool) -> Result<Message, Error> {
        if !self.platform().settings.get(&MESSAGE_PINNING) {
            return Err(Refusal::ActionNotAllowed("Message pinning not allowed").into());
        }
        if !self.permits(&account.user, PIN_MESSAGE) {
            return Err(Refusal::ActionNotAllowed("Not authorized").into());
        }
        let change = move |message: &mut Message, user: &User, now: i64| {
            if message.details.contains_key("pinned") == wanted {
                return false;
            }
            if wanted {
                message.details.insert("pinned".to_owned(), true.into());
                message.details.insert("pinnedAt".to_owned(), stored_moment(now));
                message.details.insert("pinnedBy".to_owned(), json!({"_id": user.id, "username": user.username}));
            } else {
                message.details.retain(|name, _| !matches!(name.as_str(), "pinned" | "pinnedAt" | "pinnedBy"));
            }
            true
        };
        self.mark(account, message_id, change).await
    }

    /// Marks a message for a user alone, or takes the mark away.
    ///
    /// # Errors
    ///
    /// There is no such message, or the user may not read its room.
    pub async fn star(&self, account: &Account, message_id: String, wanted: bool) -> Result<(), Error> {
        let change = move |message: &mut Message, user: &User, _: i64| {
            let stars = message.details.entry(STARRED).or_insert_with(|| json!([]));
            let is_changed = stars.as_array_mut().is_some_and(|stars| set_member(stars, &user.id, wanted));
            if stars.as_array().is_none_or(Vec::is_empty) {
                message.details.remove(STARRED);
            }
            is_changed
        };
        self.mark(account, message_id, change).await.map(|_| ())
    }

    /// Changes something of a message that a user may read. `change` says whether it changed anything.
    async fn mark(
        &self,
        account: &Account,
        message_id: String,
        change: impl Fn(&mut Message, &User, i64) -> bool + Send + 'static,
    ) -> Result<Message, Error> {
        let (platform, user) = (self.platform(), account.user.clone());
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let found = q::messages::by_id(tx, &message_id)?.filter(|message| !message.is_deleted && !message.is_hidden);
                let mut message = found.ok_or(Refusal::MessageNotFound)?;
                let room = q::rooms::by_id(tx, &message.room_id)?.ok_or(Refusal::MessageNotFound)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                if !change(&mut message, &user, now) {
                    return Ok(message);
                }
                message.updated_at = now;
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                q::messages::change(work.tx, &message)?;
                work.note(ChangeKind::MessageChanged, &message.id)?;
                q::rooms::save_posted(work.tx, &work.room)?;
                Ok(message)
            })
            .await
    }
}

/// The name of a reaction with colons around it, if it is one.
fn shortname(emoji: &str) -> Option<String> {
    let name = emoji.trim().trim_matches(':');
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+');
    let is_shortname = !name.is_empty() && name.len() <= EMOJI_LIMIT && name.chars().all(is_name);
    is_shortname.then(|| format!(":{name}:"))
}

/// Adds or takes away a user's reaction. Gives whether anything changed.
fn toggle(reactions: &mut Map<String, Value>, emoji: &str, username: &str, wanted: Option<bool>) -> bool {
    let of_emoji = reactions.get(emoji).and_then(|reaction| reaction["usernames"].as_array()).cloned();
    if of_emoji.is_none() && reactions.len() >= MOST_REACTIONS {
        return false;
    }
    let mut usernames = of_emoji.unwrap_or_default();
    let wanted = wanted.unwrap_or_else(|| !usernames.iter().any(|known| known == username));
    if !set_member(&mut usernames, username, wanted) {
        return false;
    }
    if usernames.is_empty() {
        reactions.remove(emoji);
    } else {
        reactions.insert(emoji.to_owned(), json!({"usernames": usernames}));
    }
    true
}

/// Puts a text into a list or takes it out. Gives whether anything changed.
fn set_member(list: &mut Vec<Value>, text: &str, wanted: bool) -> bool {
    let is_there = list.iter().any(|known| known == text);
    if wanted == is_there {
        return false;
    }
    if wanted {
        list.push(text.into());
    } else {
        list.retain(|known| known != text);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_have_names() {
        for (given, expected) in [
            ("smile", Some(":smile:")),
            (":+1:", Some(":+1:")),
            (" :a-b_c: ", Some(":a-b_c:")),
            ("", None),
            ("::", None),
            ("a b", None),
            ("\u{1f600}", None),
            (&"x".repeat(65), None),
        ] {
            assert_eq!(shortname(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn reactions_come_and_go() {
        let mut reactions = Map::new();
        assert!(!toggle(&mut reactions, ":a:", "ana", Some(false)) && reactions.is_empty());
        assert!(toggle(&mut reactions, ":a:", "ana", None));
        assert!(!toggle(&mut reactions, ":a:", "ana", Some(true)));
        assert!(toggle(&mut reactions, ":a:", "ben", Some(true)));
        assert_eq!(Value::from(reactions.clone()), json!({":a:": {"usernames": ["ana", "ben"]}}));
        assert!(toggle(&mut reactions, ":a:", "ana", None) && toggle(&mut reactions, ":a:", "ben", None));
        assert!(reactions.is_empty());
        for number in 0..200 {
            toggle(&mut reactions, &format!(":{number}:"), "ana", None);
        }
        assert_eq!(reactions.len(), MOST_REACTIONS);
    }
}
