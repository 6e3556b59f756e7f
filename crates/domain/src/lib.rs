//! Types and rules of Usher.
//!
//! Everything here is pure: no storage, no network, no async, no clock and no generator of its own. Rules take plain data and
//! give plain data, so that tables and properties can test them. This crate depends on none of ours; all of ours may depend on it.

pub mod change;
pub mod clock;
pub mod id;
pub mod match_check;
pub mod message;
pub mod password;
pub mod permission;
pub mod role;
pub mod room;
pub mod settings;
pub mod time;
pub mod totp;
pub mod user;
pub mod visitor;

pub use change::{Change, ChangeKind};
pub use clock::{Clock, Random};
