//! What clients send over the realtime connection: whatever it is, it leads to an answer or to the end of the connection.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use usher_ddp::session::{Session, Step};
use usher_ddp::sockjs;
use usher_ddp::subscription::Wanted;

fuzz_target!(|text: &str| {
    let mut session = Session::new(Duration::ZERO);
    session.take(r#"{"msg":"connect","support":["1"]}"#);
    for frame in text.split('\n') {
        for text in sockjs::texts(frame).unwrap_or_default().iter().map(String::as_str).chain([frame]) {
            match session.take(text) {
                Step::Subscribe { name, parameters, .. } => {
                    let _ = Wanted::read(&name, &parameters);
                }
                Step::End(..) => return,
                _ => {}
            }
        }
    }
});
