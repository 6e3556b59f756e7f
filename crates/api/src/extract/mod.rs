//! What handlers take as arguments: who calls, and with what.

pub mod address;
pub(crate) mod body;
mod caller;
mod input;

pub use caller::Caller;
pub(crate) use caller::shown;
pub use input::{Anyone, Input, Path, Public, Source, Visitor, VisitorInput, legacy, matching, typed_body, typed_query};
