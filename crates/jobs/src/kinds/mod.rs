//! The kinds of background work.

pub(crate) mod seal_erasures;
