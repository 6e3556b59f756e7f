//! What the proofs share: the real server, callers, and what was acknowledged to them.

pub mod agents;
pub mod figures;
pub mod http;
pub mod line;
pub mod moments;
pub mod server;
pub mod session;
pub mod sink;
pub mod wait;
pub mod whereabouts;
pub mod writers;
