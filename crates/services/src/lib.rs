//! The use cases of Usher.
//!
//! Each opens one transaction, calls the rules of `domain`, and says what happened. REST and realtime callers go through the same
//! functions. Depends on `store` and `domain`; knows nothing of HTTP.

pub mod agents;
pub mod custom_fields;
pub mod departments;
pub mod documents;
pub mod erasures;
mod error;
pub mod files;
mod guests;
pub mod held;
pub mod hub;
pub mod integrations;
pub mod limits;
pub mod livechat;
pub mod logins;
pub mod mails;
pub mod messages;
pub mod methods;
pub mod page_visits;
mod passwords;
pub mod permissions;
pub mod platform;
pub mod ports;
pub mod presence;
pub mod printed_transcripts;
pub mod realtime;
pub mod receipts;
pub mod retention;
pub mod roles;
pub mod rooms;
pub mod settings;
pub mod subscriptions;
pub mod transcripts;
pub mod users;
pub mod visitor_lists;
pub mod visitors;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Notify;
use usher_domain::{Clock, Random, id};
use usher_store::Store;

pub use error::{Error, Proof, Refusal};
pub use hub::Hub;
pub use usher_store::StoreError;
/// A part of a list, by what the list can be sorted by.
pub use usher_store::q::Page as PageOf;

use files::Arrivals;
use guests::GuestNumbers;
use limits::Limits;
use logins::Attempts;
use passwords::Passwords;
use platform::{InForce, SettingsOfEnvironment};
use ports::Outside;

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
    outside: Outside,
    in_force: InForce,
    guests: GuestNumbers,
    passwords: Passwords,
    attempts: Attempts,
    arrivals: Arrivals,
    /// Wakes the making of smaller pictures.
    without_preview: Notify,
    /// Wakes the printing of transcripts.
    unprinted: Notify,
    /// Wakes the sealing of erasures.
    unsealed: Notify,
    /// Wakes the routing of chats that wait.
    waiting: Notify,
    /// Wakes the sending of mails.
    waiting_mail: Notify,
    /// Whether files may hold something of a mail that was sent.
    unsealed_mail: AtomicBool,
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
        outside: Outside,
    ) -> Result<Services, Error> {
        let services = Services {
            store,
            hub,
            limits: rate_limits.then(|| Limits::new(Arc::clone(&clock))),
            clock,
            random,
            outside,
            in_force: InForce::default(),
            guests: GuestNumbers::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            arrivals: Arrivals::default(),
            without_preview: Notify::new(),
            unprinted: Notify::new(),
            unsealed: Notify::new(),
            waiting: Notify::new(),
            waiting_mail: Notify::new(),
            unsealed_mail: AtomicBool::new(true),
        };
        services.prepare_platform(environment).await?;
        services.publish_receipt_key().await?;
        Ok(services)
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Ids for what a transaction makes.
    pub(crate) fn ids(&self) -> id::Sequence {
        id::Sequence::new(self.now(), self.random.as_ref())
    }

    /// A number that nobody can foresee.
    pub fn entropy(&self) -> u32 {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// A new id for something that comes into being now.
    pub fn new_id(&self) -> String {
        id::new(self.now(), self.random.as_ref())
    }
}
