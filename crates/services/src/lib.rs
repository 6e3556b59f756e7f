//! The use cases of Usher.
//!
//! Each opens one transaction, calls the rules of `domain`, and says what happened. REST and realtime callers go through the same
//! functions. Depends on `store` and `domain`; knows nothing of HTTP.

pub mod documents;
pub mod erasures;
mod error;
mod guests;
pub mod hub;
pub mod livechat;
pub mod logins;
pub mod messages;
mod passwords;
pub mod rooms;
pub mod visitors;

use std::sync::Arc;

use tokio::sync::Notify;
use usher_domain::settings::Settings;
use usher_domain::{Clock, Random, id};
use usher_store::Store;

pub use error::{Error, Refusal};
pub use hub::Hub;
pub use usher_store::StoreError;

use guests::GuestNumbers;
use passwords::Passwords;

/// What every use case works with.
pub struct Services {
    /// The store.
    pub store: Arc<Store>,
    /// Who hears of changes.
    pub hub: Arc<Hub>,
    /// The settings in force.
    pub settings: Settings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    guests: GuestNumbers,
    passwords: Passwords,
    /// Wakes the sealing of erasures.
    unsealed: Notify,
}

impl Services {
    /// Puts the use cases over an open store, whose changes go to `hub`.
    pub fn new(store: Arc<Store>, hub: Arc<Hub>, settings: Settings, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Services {
        Services {
            store,
            hub,
            settings,
            clock,
            random,
            guests: GuestNumbers::default(),
            passwords: Passwords::default(),
            unsealed: Notify::new(),
        }
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A new id for something that comes into being now.
    pub fn new_id(&self) -> String {
        id::new(self.now(), self.random.as_ref())
    }
}
