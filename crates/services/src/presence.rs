//! Whether users and visitors are there, as their connections say it.
//!
//! A connection belongs to its process, and the process says every few seconds that it runs. One that falls silent has taken its connections
//! along; but whoever was connected to it has a minute to come back, to this process or another, before it counts as gone.

use usher_domain::UserEventKind;
use usher_domain::id::Sequence;
use usher_domain::presence;
use usher_domain::user::UserStatus;
use usher_domain::visitor::VisitorToken;
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::agents::settle;
use crate::visitors::say_status;
use crate::{Error, Services};

/// How often a process says that it runs, in milliseconds.
pub const BEAT: u64 = 10_000;

/// How long a process may be silent, in milliseconds: after that its connections are gone.
const LEASE: i64 = 60_000;

/// How many users or visitors are dealt with in one transaction.
const AT_ONCE: usize = 100;

/// What the connections of users to one process say.
pub type Presences = Vec<(String, Option<UserStatus>)>;

/// Which visitors have connections to one process.
pub type VisitorPresences = Vec<(VisitorToken, bool)>;

impl Services {
    /// Notes what the connections of some users to a process say at best; `None` for those who have none any more.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn note_presences(&self, process_id: &str, presences: Presences) -> Result<(), Error> {
        for presences in presences.chunks(AT_ONCE) {
            let (process_id, presences, now) = (process_id.to_owned(), presences.to_vec(), self.now());
            self.store
                .write(move |tx| {
                    for (user_id, status) in &presences {
                        q::presences::put(tx, &process_id, user_id, *status)?;
                        follow_connections(tx, user_id, now)?;
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        self.chat_may_be_taken();
        Ok(())
    }

    /// Notes whether some visitors have connections to a process. Where the chats are open of one who has none to any, it is not there any
    /// more. Unknown visitors are no error.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn note_visitors(&self, process_id: &str, visitors: VisitorPresences) -> Result<(), Error> {
        for visitors in visitors.chunks(AT_ONCE) {
            let (process_id, visitors) = (process_id.to_owned(), visitors.to_vec());
            let (ids, now) = (self.ids(), self.now());
            self.store
                .write(move |tx| {
                    let mut ids = ids.clone();
                    for (token, is_connected) in &visitors {
                        if let Some(visitor) = q::visitors::by_token(tx, token)? {
                            q::presences::put_visitor(tx, &process_id, &visitor.id, *is_connected)?;
                            follow_visitor(tx, &visitor.id, &mut ids, now)?;
                        }
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        Ok(())
    }

    /// Notes that a process runs, and lets those go whose process does not any more. Gives whether it was not known before: because it has
    /// just begun, or because it was silent for so long that others have let its connections go.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn beat(&self, process_id: &str) -> Result<bool, Error> {
        let (process_id, now) = (process_id.to_owned(), self.now());
        let (is_new, silent) = self
            .store
            .write(move |tx| Ok::<_, Error>((q::presences::beat(tx, &process_id, now)?, q::presences::silent(tx, now - LEASE)?)))
            .await?;
        for process_id in silent {
            while self.let_go(process_id.clone()).await? {}
            self.chat_may_be_taken();
        }
        Ok(is_new)
    }

    /// Lets some users and visitors go whose process is silent. Gives whether there are more.
    async fn let_go(&self, process_id: String) -> Result<bool, Error> {
        let (ids, now) = (self.ids(), self.now());
        self.store
            .write(move |tx| {
                let mut ids = ids.clone();
                let visitors = q::presences::visitors_of(tx, &process_id, AT_ONCE as i64)?;
                for visitor_id in &visitors {
                    q::presences::put_visitor(tx, &process_id, visitor_id, false)?;
                    follow_visitor(tx, visitor_id, &mut ids, now)?;
                }
                let users = q::presences::users_of(tx, &process_id, AT_ONCE as i64)?;
                for user_id in &users {
                    q::presences::put(tx, &process_id, user_id, None)?;
                    follow_connections(tx, user_id, now)?;
                }
                let is_over = users.is_empty() && visitors.is_empty();
                if is_over {
                    q::presences::delete_process(tx, &process_id)?;
                }
                Ok(!is_over)
            })
            .await
    }
}

/// Says in the open chats of a visitor who has no connection any more that it is not there.
fn follow_visitor(tx: &mut Tx<'_>, visitor_id: &str, ids: &mut Sequence, now: i64) -> Result<(), Error> {
    let is_connected = q::presences::is_visitor_connected(tx, visitor_id)?;
    if is_connected { Ok(()) } else { say_status(tx, visitor_id, UserStatus::Offline.name(), ids, now) }
}

/// Makes a user what its connections say.
fn follow_connections(tx: &mut Tx<'_>, user_id: &str, now: i64) -> Result<(), Error> {
    let Some(user) = q::users::by_id(tx, user_id)?.filter(|user| user.active) else { return Ok(()) };
    let chosen = UserStatus::from_name(&user.status_default).unwrap_or(UserStatus::Online);
    let status = presence::status(chosen, presence::best(q::presences::of_user(tx, user_id)?)).name();
    if user.status == status {
        return Ok(());
    }
    let after = User { status: status.to_owned(), status_updated_at: now, updated_at: now, ..user };
    q::users::update(tx, &after, UserEventKind::Status)?;
    Ok(settle(tx, false, &after, now)?)
}
