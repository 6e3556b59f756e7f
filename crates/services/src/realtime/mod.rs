//! What the realtime connection needs of the use cases: who may hear what, what to tell of what was committed, and what is said that is
//! kept nowhere.

mod follower;
mod hearing;
mod news;
mod resync;
mod signals;

pub use follower::Follower;
pub use hearing::{Credentials, Heard};
pub use news::{Audience, Gone, PlaceNews, Posted, RoleNews, RoomNews, Told, UserNews};
pub use resync::{Asking, Happened, ListChanges, RoomChanges};
