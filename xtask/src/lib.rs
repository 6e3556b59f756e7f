//! What developers' tasks are made of, for `cargo xtask` and for its tests.

pub mod generated;
