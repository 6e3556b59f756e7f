//! What handlers take as arguments: who calls, and with what.

pub mod address;
mod body;
mod caller;
mod input;

pub use caller::Caller;
pub use input::{Input, Path, Public, Source, Visitor, VisitorInput, legacy, matching, typed_query};
