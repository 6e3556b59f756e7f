//! Joining a chat that somebody else serves, or that waits.

use usher_domain::message::{Author, JOINED};
use usher_domain::room::{Person, Room};
use usher_domain::settings::WAITING_QUEUE;
use usher_store::{Tx, q};

use super::may_read;
use super::routing::Rules;
use super::work::{RoomWork, SystemMessage};
use crate::logins::Account;
use crate::{Error, Refusal, Services};

impl Services {
    /// Puts an open room into a user's list. Who serves it stays the same, and so does its place in the queue.
    ///
    /// # Errors
    ///
    /// There is no such room, it is closed, the user may not read it, or has as many chats as may be.
    pub async fn join_room(&self, account: &Account, room_id: String) -> Result<(), Error> {
        let platform = self.platform();
        let limits = platform.settings.get(&WAITING_QUEUE).then(|| self.rules());
        let user = account.user.clone();
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::NoSuchRoom)?;
                if !room.is_open {
                    return Err(Refusal::RoomClosed.into());
                }
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                if q::subscriptions::of_user_in(tx, &room.id, &user.id)?.is_some() {
                    return Ok(());
                }
                if let Some(rules) = &limits {
                    check_limits(tx, rules, &user.id, &room)?;
                }
                let person = Person { id: user.id.clone(), username: user.username.clone() };
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                work.add_member(&person, 0)?;
                work.post(SystemMessage::quiet(JOINED, Author::from(&person)))?;
                work.finish()?;
                Ok(())
            })
            .await
    }
}

fn check_limits(tx: &mut Tx<'_>, rules: &Rules, user_id: &str, room: &Room) -> Result<(), Error> {
    let department = q::departments::of_room(tx, room)?;
    let candidate = q::agents::candidate(tx, user_id, room.department_id.as_deref())?;
    match candidate {
        Some(candidate) if !candidate.has_room(rules.limits(department.as_ref())) => Err(Refusal::TooManyChatsToJoin.into()),
        _ => Ok(()),
    }
}
