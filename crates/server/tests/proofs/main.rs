//! The proofs: what Usher promises, shown on the real program as a process of its own.
//!
//! Each proof has its negative control: the same check fails as soon as what protects the promise is switched off. They run at a
//! tenth of their size; `USHER_PROOF=whole` runs them whole. Each prints its figures (`cargo test -- --nocapture` shows them).

mod backup;
mod brute_force;
mod common;
mod erasure;
mod freshness;
mod kill;
mod life;
mod limits_race;
mod login_timing;
mod mails;
mod no_gap;
mod power_cut;
mod races;
mod take_race;
mod waiting;
