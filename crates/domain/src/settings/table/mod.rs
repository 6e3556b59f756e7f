//! The table: one file for each group of settings that belong together, one line for each setting.
//!
//! ```text
//! "Group" / "Section" {
//!     CONSTANT = type("Id_on_the_wire", default) [flags], "What it does.";
//! }
//! ```
//!
//! An empty section is none. `select` and `multi_select` take their options as a third argument. The flags are `public`, `hidden`,
//! `secret`, `premium`, `multiline` and `at_least(number)`.

/// The type that a setting's value is read as.
macro_rules! value_type {
    (boolean) => { bool };
    (integer) => { i64 };
    (select) => { $crate::settings::Choice };
    (multi_select) => { $crate::settings::List };
    (asset) => { $crate::settings::Asset };
    ($text:ident) => { &'static str };
}

/// Declares settings: a constant for each, and `definitions` over all of the file.
macro_rules! settings {
    ($($group:literal / $section:literal {$(
        $constant:ident = $kind:ident($id:literal, $default:expr $(, $options:expr)?)
            $([$($flag:ident $(($bound:literal))?)+])?, $description:literal;
    )+})+) => {
        $($(
            #[doc = $description]
            pub const $constant: $crate::settings::Setting<value_type!($kind)> = $crate::settings::Setting::$kind($id, $default);
        )+)+

        /// Every setting of this file.
        pub(super) fn definitions() -> Vec<$crate::settings::Definition> {
            vec![$($(
                $crate::settings::Definition::$kind($id, $default $(, $options)?)
                    $($(.$flag($($bound)?))+)?
                    .placed($group, $section, $description)
            ),+),+]
        }
    };
}

mod accounts;
mod contacts;
mod files;
mod general;
mod limits;
mod livechat;
mod mail;
mod message;
mod preferences;
mod routing;
mod session;
mod sms;
mod usher;
mod webhook;
mod widget;

pub use accounts::*;
pub use contacts::*;
pub use files::*;
pub use general::*;
pub use limits::*;
pub use livechat::*;
pub use mail::*;
pub use message::*;
pub use preferences::*;
pub use routing::*;
pub use session::*;
pub use sms::*;
pub use usher::*;
pub use webhook::*;
pub use widget::*;

/// Every setting of every file.
pub(super) fn all() -> Vec<super::Definition> {
    [
        livechat::definitions(),
        widget::definitions(),
        routing::definitions(),
        session::definitions(),
        contacts::definitions(),
        webhook::definitions(),
        sms::definitions(),
        message::definitions(),
        files::definitions(),
        accounts::definitions(),
        preferences::definitions(),
        general::definitions(),
        mail::definitions(),
        limits::definitions(),
        usher::definitions(),
    ]
    .concat()
}
