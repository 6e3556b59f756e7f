//! All SQL, one file per aggregate, one function per statement, the same text for both engines.
//!
//! Each file lists its statements in `STATEMENTS`, so that a test can ask both engines how they would run each of them.

pub mod changes;
pub mod contacts;
pub mod counters;
pub mod erasures;
pub mod login_tokens;
pub mod messages;
pub mod migrations;
pub mod permissions;
pub mod roles;
pub mod rooms;
pub mod second_factors;
pub mod settings;
mod statement;
pub mod users;
pub mod visitors;

/// Declares the statements of one file: a constant each, and the list of all of them.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$attribute])* pub(crate) const $name: &str = $sql;)*

        /// Every statement of this file, with its name.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

/// Every statement that runs while the server serves.
pub fn serving() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        changes::STATEMENTS,
        contacts::STATEMENTS,
        counters::STATEMENTS,
        erasures::STATEMENTS,
        login_tokens::STATEMENTS,
        messages::STATEMENTS,
        permissions::STATEMENTS,
        roles::STATEMENTS,
        rooms::STATEMENTS,
        second_factors::STATEMENTS,
        settings::STATEMENTS,
        users::STATEMENTS,
        visitors::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}
