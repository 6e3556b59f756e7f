//! Types and rules of Usher.
//!
//! Everything here is pure: no storage, no network, no async, no clock and no generator of its own. Rules take plain data and
//! give plain data, so that tables and properties can test them. This crate depends on none of ours; all of ours may depend on it.

pub mod access;
pub mod change;
pub mod clock;
pub mod custom_field;
pub mod department;
pub mod event;
#[cfg(test)]
mod examples;
pub mod file;
pub mod id;
pub mod inquiry;
pub mod mail;
pub mod match_check;
pub mod message;
pub mod metrics;
pub mod password;
pub mod permission;
pub mod presence;
pub mod quote;
pub mod receipt;
pub mod role;
pub mod room;
pub mod routing;
pub mod settings;
pub mod signed_link;
pub mod stream;
pub mod subscription;
pub mod time;
pub mod totp;
pub mod transcript;
pub mod user;
pub mod visitor;

pub use change::{Change, ChangeKind};
pub use clock::{Clock, Random};
pub use event::{Event, PlaceEvent, PlaceEventKind, RoleEvent, UserEvent, UserEventKind};
pub use stream::{Stream, Topic};
