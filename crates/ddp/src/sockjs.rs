//! The framing of SockJS around texts. Pure.
//!
//! A client that speaks it is greeted with `o`, gets `a["<text>"]` for each text and `c[code,"reason"]` at the end, and sends a JSON list of
//! texts or a single one.

use serde_json::{Value, json};

/// The greeting.
pub const OPEN: &str = "o";

/// A text in its frame.
pub fn message(text: &str) -> String {
    format!("a{}", json!([text]))
}

/// The end, as the client is told.
pub fn close(code: u16, reason: &str) -> String {
    format!("c{}", json!([code, reason]))
}

/// The texts in a frame of the client; `None` if it is none. An empty frame has none.
pub fn texts(frame: &str) -> Option<Vec<String>> {
    if frame.is_empty() {
        return Some(Vec::new());
    }
    match serde_json::from_str(frame).ok()? {
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) => texts.into_iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_framed() {
        assert_eq!(message(r#"{"msg":"ping"}"#), r#"a["{\"msg\":\"ping\"}"]"#);
        assert_eq!(close(3_000, "Go away!"), r#"c[3000,"Go away!"]"#);
    }

    #[test]
    fn frames_are_taken_apart() {
        let owned = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        for (frame, expected) in [
            (r#"["{\"msg\":\"ping\"}"]"#, owned(&[r#"{"msg":"ping"}"#])),
            (r#"["a","b"]"#, owned(&["a", "b"])),
            (r#""a""#, owned(&["a"])),
            ("[]", owned(&[])),
            ("", owned(&[])),
            ("[1]", None),
            ("{}", None),
            ("a", None),
        ] {
            assert_eq!(texts(frame), expected, "{frame}");
        }
    }

    proptest! {
        /// What is framed for a client is what a client's reading gives back.
        #[test]
        fn framing_loses_nothing(text in "\\PC*") {
            let framed = message(&text);
            prop_assert_eq!(texts(&framed[1..]), Some(vec![text]));
        }

        /// Whatever is sent is taken apart or refused.
        #[test]
        fn nothing_that_is_sent_breaks_the_reading(frame in "\\PC*") {
            let _ = texts(&frame);
        }
    }
}
