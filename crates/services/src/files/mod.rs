//! Files of chats: sending them, handing them out, and unlinking what is gone.
//!
//! 1. The row comes first, in the transaction that looks whether its sender may send: so whoever erases the visitor meanwhile removes it.
//! 2. The bytes arrive, are looked at, and become durable.
//! 3. The row says what they are, and a message shows them, in a transaction that looks at the room anew.
//!
//! Rows that go leave an entry in `removed_files`, and the bytes are unlinked after it; sealing an erasure waits for that. So neither
//! a server that was killed nor a storage that was away for a while keeps bytes that have no row.

mod arrival;
mod fetch;
mod links;
mod made;
mod post;
mod previews;
mod removed;

pub use arrival::{ARRIVAL_PATIENCE, Arrival, Arrivals, FilePermit, FileSender};
pub use fetch::FileReader;
pub use links::FileLinks;
pub(crate) use made::add_made;
pub use post::Caption;
pub(crate) use post::{ATTACHMENTS, FILE, FILES, SIZE, ShownFile};
