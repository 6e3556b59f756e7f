//! Erasure: after a visitor is erased and the erasure is sealed, no form of anything it put in is in any file of the server.
//!
//! Every input of every visitor carries a marker of its own. Each marker is first found on disk, so that none is looked for in
//! vain; then some of the visitors are erased, and their markers must be gone from the data folder, from what the server printed,
//! and from its temporary folder, while the others read back whole.

mod bystanders;
mod kills;
mod large;
mod lives;
pub mod markers;
mod people;
mod purge;
mod quiet;
pub mod scan;
pub mod stage;
mod traffic;
