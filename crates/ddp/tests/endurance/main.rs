//! What keeps a processor busy for a while, apart from the other tests of the realtime connection: frames that nobody sends, connections that are
//! cut all the time, clients that do not read.

mod fuzz;
mod resync;
#[expect(dead_code, reason = "the other tests use more of it")]
#[path = "../realtime/support.rs"]
mod support;
