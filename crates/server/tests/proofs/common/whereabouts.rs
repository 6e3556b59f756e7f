//! Where the server is at present, for those who call it while it is killed and started again.

use std::sync::{Condvar, Mutex};

/// The server's address, or that there is none.
#[derive(Default)]
pub struct Whereabouts {
    address: Mutex<Option<String>>,
    moved: Condvar,
}

impl Whereabouts {
    /// Says that the server is at `address` now, or gone.
    pub fn set(&self, address: Option<String>) {
        *self.address.lock().expect("nobody fails while holding it") = address;
        self.moved.notify_all();
    }

    /// The server's address; waits until it has one.
    pub fn address(&self) -> String {
        let address = self.address.lock().expect("nobody fails while holding it");
        let address = self.moved.wait_while(address, |address| address.is_none()).expect("nobody fails while holding it");
        address.clone().expect("it was waited for")
    }
}
