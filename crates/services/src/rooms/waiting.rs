//! Chats that nobody could take: given to the next agent who is free.

use usher_domain::department::Department;
use usher_domain::room::{Person, Room};
use usher_domain::routing::{Limits, Presence};
use usher_domain::settings::{LIVECHAT_ENABLED, QUEUE_DELAY_SECONDS};
use usher_store::{Tx, q};

use super::routing::{Cause, Found, Rules, find, record, returned_by};
use super::work::RoomWork;
use crate::{Error, Services};

/// How many seconds pass between two looks at the queue unless the setting says otherwise.
const USUAL_DELAY: i64 = 5;

impl Services {
    /// Notes that somebody might be free for a chat that waits.
    pub(crate) fn chat_may_be_taken(&self) {
        self.waiting.notify_one();
    }

    /// Waits until somebody might be free for a chat that waits.
    pub async fn chat_to_give(&self) {
        self.waiting.notified().await;
    }

    /// After how many seconds to look at the queue again.
    pub fn queue_delay(&self) -> u64 {
        let seconds = self.platform().settings.get(&QUEUE_DELAY_SECONDS);
        u64::try_from(if seconds < 1 { USUAL_DELAY } else { seconds }).unwrap_or_default()
    }

    /// Gives chats that wait to agents who are free: in each queue the first one, again and again, until nobody is free for it. Gives
    /// how many were given.
    pub async fn give_waiting_chats(&self) -> Result<u64, Error> {
        let rules = self.rules();
        if !rules.method.config().auto_assign_agent || !self.platform().settings.get(&LIVECHAT_ENABLED) {
            return Ok(0);
        }
        let queues: Vec<Option<String>> = self.store.read(|tx| q::queue::departments(tx).map_err(Error::from)).await?;
        let mut given = 0;
        for department_id in queues {
            while self.give_first_of(department_id.clone()).await? {
                given += 1;
            }
        }
        Ok(given)
    }

    /// Gives the first chat of a queue to an agent. Gives whether somebody got it.
    async fn give_first_of(&self, department_id: Option<String>) -> Result<bool, Error> {
        let (rules, ids, now) = (self.rules(), self.ids(), self.now());
        self.store
            .write(move |tx| {
                let Some(room) = q::queue::first(tx, department_id.as_deref())? else { return Ok(false) };
                let department = q::departments::of_room(tx, &room)?;
                let found = match reserved_for(tx, &room, rules.limits(department.as_ref()))? {
                    Some(agent) => Found::without_a_search(Some(agent), "reserved"),
                    None => found_for(tx, &rules, &room, department.as_ref(), now)?,
                };
                let mut ids = ids.clone();
                record(tx, &mut ids, &room, &rules, Cause::Waiting, &found, now)?;
                let Some(agent) = found.agent else { return Ok(false) };
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                work.assign(&agent, &rules)?;
                work.finish()?;
                Ok(true)
            })
            .await
    }
}

/// Looks for an agent. Whoever returned the chat gets it back only if nobody else can have it.
fn found_for(tx: &mut Tx<'_>, rules: &Rules, room: &Room, department: Option<&Department>, now: i64) -> Result<Found, Error> {
    let returned_by = returned_by(tx, &room.id)?;
    let found = find(tx, rules, department, returned_by.as_deref(), now)?;
    if found.agent.is_some() || returned_by.is_none() { Ok(found) } else { find(tx, rules, department, None, now) }
}

/// The agent that a chat is reserved for, if that one is there, in service, and may have one more.
fn reserved_for(tx: &mut Tx<'_>, room: &Room, limits: Limits) -> Result<Option<Person>, Error> {
    let Some(agent) = room.inquiry.as_ref().and_then(|inquiry| inquiry.default_agent.as_ref()) else { return Ok(None) };
    let candidate = q::agents::candidate(tx, &agent.id, room.department_id.as_deref())?;
    let usable = candidate.filter(|candidate| candidate.is_available(Presence::NotOffline) && candidate.has_room(limits));
    Ok(usable.map(|candidate| Person { id: candidate.id, username: candidate.username }))
}
