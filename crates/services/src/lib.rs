//! The use cases of Usher.
//!
//! Each opens one transaction, calls the rules of `domain`, and says what happened. REST and realtime callers go through the same
//! functions. Depends on `store` and `domain`; knows nothing of HTTP.

pub mod documents;
pub mod erasures;
mod error;
mod guests;
pub mod hub;
pub mod limits;
pub mod livechat;
pub mod logins;
pub mod messages;
pub mod methods;
mod passwords;
pub mod permissions;
pub mod platform;
pub mod roles;
pub mod rooms;
pub mod settings;
pub mod users;
pub mod visitors;

use std::sync::Arc;

use tokio::sync::Notify;
use usher_domain::{Clock, Random, id};
use usher_store::Store;

pub use error::{Error, Proof, Refusal};
pub use hub::Hub;
pub use usher_store::StoreError;

use guests::GuestNumbers;
use limits::Limits;
use logins::Attempts;
use passwords::Passwords;
use platform::{InForce, SettingsOfEnvironment};

/// What every use case works with.
pub struct Services {
    /// The store.
    pub store: Arc<Store>,
    /// Who hears of changes.
    pub hub: Arc<Hub>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How often a caller may call; `None` where nobody is slowed down.
    pub limits: Option<Limits>,
    random: Arc<dyn Random>,
    in_force: InForce,
    guests: GuestNumbers,
    passwords: Passwords,
    attempts: Attempts,
    /// Wakes the sealing of erasures.
    unsealed: Notify,
}

impl Services {
    /// Puts the use cases over an open store, whose changes go to `hub`, and what a server needs to begin with into it. Without
    /// `rate_limits` nobody is slowed down.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written.
    pub async fn start(
        store: Arc<Store>,
        hub: Arc<Hub>,
        environment: SettingsOfEnvironment,
        rate_limits: bool,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Services, Error> {
        let services = Services {
            store,
            hub,
            limits: rate_limits.then(|| Limits::new(Arc::clone(&clock))),
            clock,
            random,
            in_force: InForce::default(),
            guests: GuestNumbers::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            unsealed: Notify::new(),
        };
        services.prepare_platform(environment).await?;
        Ok(services)
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A new id for something that comes into being now.
    pub fn new_id(&self) -> String {
        id::new(self.now(), self.random.as_ref())
    }
}
