//! Files: whatever bytes, names and ranges come, a file is one kind of thing, its name ends no header, and a part lies within it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_domain::file::{Part, clean_name, dimensions, media_type, part};

fuzz_target!(|given: (&[u8], &str, &str, &str, u64)| {
    let (head, said, name, range, size) = given;
    let kind = media_type(head, said);
    assert!(kind.is_ascii() && kind.contains('/'), "{kind}");
    if let Some((width, height)) = dimensions(head, &kind) {
        assert!(width >= 0 && height >= 0);
    }
    let name = clean_name(name);
    assert!(!name.is_empty() && !name.contains(['/', '\\', '\r', '\n', '\0']));
    if let Part::Bytes(first, last) = part(Some(range), size) {
        assert!(first <= last && last < size);
    }
});
