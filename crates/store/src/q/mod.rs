//! All SQL, one file per aggregate, one function per statement, the same text for both engines.
//!
//! Each file lists its statements in `STATEMENTS`, so that a test can ask both engines how they would run each of them.

pub mod agents;
pub mod changes;
pub mod contacts;
pub mod counters;
pub mod custom_fields;
pub mod department_agents;
pub mod departments;
pub mod dump;
pub mod erasures;
pub mod fields;
pub mod files;
pub mod holdings;
pub mod holds;
pub mod login_tokens;
pub mod mails;
pub mod messages;
pub mod migrations;
mod page;
pub mod page_visits;
pub mod pdf_transcripts;
pub mod permissions;
pub mod presences;
pub mod queue;
pub mod receipt_keys;
pub mod retention;
pub mod roles;
pub mod room_lists;
pub mod rooms;
pub mod routing_decisions;
pub mod second_factors;
pub mod settings;
mod statement;
pub mod subscriptions;
pub mod users;
pub mod visitor_lists;
pub mod visitors;

/// Declares the statements of one file: a constant each, and the list of all of them.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$attribute])* pub(crate) const $name: &str = $sql;)*

        /// Every statement of this file, with its name.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub use page::Page;
pub(crate) use statements;

/// Every statement that runs while the server serves.
pub fn serving() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        agents::STATEMENTS,
        changes::STATEMENTS,
        contacts::STATEMENTS,
        counters::STATEMENTS,
        custom_fields::STATEMENTS,
        department_agents::STATEMENTS,
        departments::STATEMENTS,
        erasures::STATEMENTS,
        fields::STATEMENTS,
        files::STATEMENTS,
        holdings::STATEMENTS,
        holds::STATEMENTS,
        login_tokens::STATEMENTS,
        mails::STATEMENTS,
        messages::STATEMENTS,
        page_visits::STATEMENTS,
        pdf_transcripts::STATEMENTS,
        permissions::STATEMENTS,
        presences::STATEMENTS,
        queue::STATEMENTS,
        receipt_keys::STATEMENTS,
        retention::STATEMENTS,
        roles::STATEMENTS,
        room_lists::STATEMENTS,
        rooms::STATEMENTS,
        routing_decisions::STATEMENTS,
        second_factors::STATEMENTS,
        settings::STATEMENTS,
        subscriptions::STATEMENTS,
        users::STATEMENTS,
        visitors::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}
