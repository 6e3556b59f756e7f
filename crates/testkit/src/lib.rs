//! What the tests share: a clock to move by hand, a seeded generator, both engines, and the application in process.
//!
//! A development dependency only; nothing that is delivered uses it.

pub mod application;
pub mod clock;
pub mod document;
pub mod engines;
pub mod form;
pub mod gate;
pub mod outside;
pub mod picture;
pub mod postgres;
pub mod random;
pub mod realtime;

pub use application::{Setup, TestApp};
pub use clock::ManualClock;
pub use form::Form;
pub use gate::Gate;
pub use outside::{FakeExchanges, FakeMailer};
pub use picture::picture;
pub use random::SeededRandom;
pub use realtime::RealtimeClient;
