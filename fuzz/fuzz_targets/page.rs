//! Pages of a database file: whatever is in one, the scrub ends, stays within it, and leaves nothing to scrub.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_store::scrub::{has_residue, scrub};

fuzz_target!(|input: (bool, Vec<u8>)| {
    let (is_first, mut page) = input;
    let number = if is_first { 1 } else { 2 };
    let length = page.len();
    scrub(number, &mut page);
    assert_eq!(page.len(), length);
    assert!(!has_residue(number, &page));
});
