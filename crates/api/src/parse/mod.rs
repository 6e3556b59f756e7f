//! Reading what strangers send. Pure: text or values in, values or a message out.

pub mod paging;
pub mod query;
pub mod schema;
