//! What handlers take as arguments: who calls, and with what.

pub mod address;
pub(crate) mod body;
mod caller;
pub(crate) mod credentials;
mod input;
mod upload;

pub use caller::Caller;
pub(crate) use caller::shown;
pub use input::{Anyone, IdPath, Input, Path, Public, Source, Visitor, VisitorInput, legacy, matching, typed_body, typed_query};
pub use upload::{Texts, Upload};
