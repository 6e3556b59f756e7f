//! Omnichannel visitors.

pub mod own;
pub mod staff;
