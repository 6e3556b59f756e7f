//! Taking a chat out of the queue.

use usher_domain::inquiry::InquiryStatus;
use usher_domain::room::{Person, Room};
use usher_domain::settings::{BLOCK_UNKNOWN_CONTACTS, BLOCK_UNVERIFIED_CONTACTS, WAITING_QUEUE};
use usher_store::{Tx, q};

use super::RoomWithMessage;
use super::routing::{Cause, Found, Rules, record};
use super::work::RoomWork;
use crate::logins::Account;
use crate::{Error, Refusal, Services};

/// How a chat is taken.
#[derive(Debug, Clone, Default)]
pub struct TakeOptions {
    /// Who takes it, if not the caller.
    pub user_id: Option<String>,
    /// Whether a person waits for the answer, who is told of a limit that is reached. Otherwise the chat just stays where it is.
    pub client_action: bool,
}

/// What taking depends on besides room and agent.
#[derive(Clone)]
struct Terms {
    rules: Rules,
    has_limits: bool,
    blocks_unknown: bool,
    blocks_unverified: bool,
}

impl Services {
    /// Takes a chat out of the queue. Of all who try, one succeeds.
    ///
    /// # Errors
    ///
    /// There is no such inquiry or user, somebody else has taken it, or the agent may not have it.
    pub async fn take_inquiry(
        &self,
        account: &Account,
        inquiry_id: String,
        options: TakeOptions,
    ) -> Result<RoomWithMessage, Error> {
        let platform = self.platform();
        let terms = Terms {
            rules: self.rules(),
            has_limits: platform.settings.get(&WAITING_QUEUE),
            blocks_unknown: platform.settings.get(&BLOCK_UNKNOWN_CONTACTS),
            blocks_unverified: platform.settings.get(&BLOCK_UNVERIFIED_CONTACTS),
        };
        let caller = account.user.id.clone();
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let agent_id = options.user_id.as_ref().unwrap_or(&caller);
                let taker = q::users::by_id(tx, agent_id)?.ok_or(Refusal::TakerInvalid)?;
                let room = q::rooms::by_inquiry(tx, &inquiry_id)?.ok_or(Refusal::InquiryNotFound)?;
                let agent = Person { id: taker.id, username: taker.username };
                if !may_take(tx, &terms, &room, &agent, options.client_action)? {
                    return Ok(RoomWithMessage::read(tx, room)?);
                }
                let mut ids = ids.clone();
                let reason = if agent.id == caller { "took-it" } else { "given-by-a-user" };
                let found = Found::without_a_search(Some(agent.clone()), reason);
                record(tx, &mut ids, &room, &terms.rules, Cause::Taken, &found, now)?;
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                work.assign(&agent, &terms.rules)?;
                let room = work.finish()?;
                Ok(RoomWithMessage::read(tx, room)?)
            })
            .await
    }
}

/// Whether an agent may take a room. A limit that is reached is no error unless a person is to be told.
fn may_take(tx: &mut Tx<'_>, terms: &Terms, room: &Room, agent: &Person, tells: bool) -> Result<bool, Error> {
    if room.inquiry.as_ref().is_none_or(|inquiry| inquiry.status == InquiryStatus::Taken) {
        return Err(Refusal::InquiryTaken.into());
    }
    let candidate = q::agents::candidate(tx, &agent.id, room.department_id.as_deref())?.ok_or(Refusal::TakerInvalid)?;
    if !candidate.is_available(terms.rules.presence()) {
        return Err(Refusal::AgentNotInService.into());
    }
    let contact = q::contacts::by_id(tx, &room.contact_id)?.ok_or(Refusal::InvalidContact)?;
    if terms.blocks_unknown && contact.is_unknown {
        return Err(Refusal::UnknownContact.into());
    }
    if terms.blocks_unverified {
        // Nothing verifies channels yet.
        return Err(Refusal::UnverifiedContact.into());
    }
    let department = q::departments::of_room(tx, room)?;
    if !terms.has_limits || candidate.has_room(terms.rules.limits(department.as_ref())) {
        return Ok(true);
    }
    if tells { Err(Refusal::AgentHasEnoughChats.into()) } else { Ok(false) }
}
