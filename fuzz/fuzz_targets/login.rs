//! Logins: whatever JSON comes, it is read as one form or none, and no name is empty.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use usher_services::logins::LoginForm;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Value::Object(given)) = serde_json::from_slice(bytes) else { return };
    if let Some(form @ LoginForm::Password { .. }) = LoginForm::read(&given) {
        assert!(!form.name().is_empty());
    }
});
