//! Who is logged in on which connection, and noticing when a login ends: revoked, expired, or of a user who may not log in any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use usher_domain::presence;
use usher_domain::user::UserStatus;
use usher_services::logins::Account;

use crate::Realtime;
use crate::queue::Outbox;
use crate::session::Close;

/// How often it is looked whether the logins still count. A connection whose login has ended goes within a second, in every process.
const PAUSE: Duration = Duration::from_millis(500);

/// The connections that somebody is logged in on.
#[derive(Default)]
pub struct Logins(Mutex<HashMap<u64, Login>>);

struct Login {
    outbox: Arc<Outbox>,
    user_id: String,
    token_hash: String,
    /// What the connection says of whether the user is there.
    status: UserStatus,
}

impl Logins {
    /// Somebody logged in on a connection.
    pub fn add(&self, outbox: &Arc<Outbox>, account: &Account) {
        let (user_id, token_hash) = (account.user.id.clone(), account.token_hash.clone());
        let login = Login { outbox: Arc::clone(outbox), user_id, token_hash, status: UserStatus::Online };
        self.logins().insert(outbox.number, login);
    }

    /// What a connection says of whether its user is there. Gives the user's id.
    pub fn set_status(&self, outbox: &Outbox, status: UserStatus) -> Option<String> {
        let mut logins = self.logins();
        let login = logins.get_mut(&outbox.number)?;
        login.status = status;
        Some(login.user_id.clone())
    }

    /// What the connections of a user say at best; `None` if there are none.
    pub fn best_of(&self, user_id: &str) -> Option<UserStatus> {
        let logins = self.logins();
        presence::best(logins.values().filter(|login| login.user_id == user_id).map(|login| login.status))
    }

    /// A connection has ended. Gives the id of the user who was logged in on it.
    pub fn remove(&self, outbox: &Outbox) -> Option<String> {
        self.logins().remove(&outbox.number).map(|login| login.user_id)
    }

    /// Whether anybody is logged in.
    pub fn has_any(&self) -> bool {
        !self.logins().is_empty()
    }

    /// The ids of the users who are logged in.
    pub fn users(&self) -> Vec<String> {
        let users: BTreeSet<String> = self.logins().values().map(|login| login.user_id.clone()).collect();
        users.into_iter().collect()
    }

    /// Each login with the connections that stand on it.
    fn by_login(&self) -> BTreeMap<(String, String), Vec<Arc<Outbox>>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for login in self.logins().values() {
            let key = (login.user_id.clone(), login.token_hash.clone());
            found.entry(key).or_default().push(Arc::clone(&login.outbox));
        }
        found
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<u64, Login>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts the connections whose login has ended, until it is told to stop, or nobody is left who could tell it.
pub async fn watch(realtime: Arc<Realtime>, mut stopped: watch::Receiver<bool>) {
    loop {
        cut_ended(&realtime).await;
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Looks once whether the logins still count.
async fn cut_ended(realtime: &Realtime) {
    let logins = realtime.logins.by_login();
    if logins.is_empty() {
        return;
    }
    let (keys, connections): (Vec<_>, Vec<_>) = logins.into_iter().unzip();
    match realtime.services.still_logged_in(keys).await {
        Ok(still) => {
            let ended = still.into_iter().zip(connections).filter(|(still, _)| !still);
            ended.flat_map(|(_, connections)| connections).for_each(|outbox| outbox.cut(Close::LOGGED_OUT));
        }
        // It is looked again soon.
        Err(error) => tracing::warn!(%error, "it is unknown which logins still count"),
    }
}
