//! Identifiers and secret tokens.
//!
//! An id has 17 characters of an alphabet without look-alikes, as clients expect: 8 for the millisecond, 9 random. The alphabet is
//! in ASCII order, so ids made later sort later and indexes on them grow at one end. Ids are no secrets; tokens are.

use crate::clock::Random;

/// The 55 unmistakable characters, in ASCII order.
pub const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";

/// The characters of an id that encode the millisecond.
const TIME_CHARACTERS: usize = 8;

/// The random characters of an id: 55^9 is more than 2^52 values per millisecond.
const RANDOM_CHARACTERS: usize = 9;

/// The length of every id that the server makes.
pub const LENGTH: usize = TIME_CHARACTERS + RANDOM_CHARACTERS;

/// Makes an id for something that comes into being at `now` (milliseconds UTC).
pub fn new(now: i64, random: &dyn Random) -> String {
    let mut characters = [0_u8; LENGTH];
    let mut rest = now.max(0).unsigned_abs();
    for place in characters[..TIME_CHARACTERS].iter_mut().rev() {
        *place = ALPHABET[(rest % 55) as usize];
        rest /= 55;
    }
    fill_evenly(&mut characters[TIME_CHARACTERS..], random);
    characters.iter().copied().map(char::from).collect()
}

/// Makes an id without any time in it, for what must tell nothing about its subject.
pub fn unordered(random: &dyn Random) -> String {
    let mut characters = [0_u8; LENGTH];
    fill_evenly(&mut characters, random);
    characters.iter().copied().map(char::from).collect()
}

/// Makes a secret of 256 random bits as 43 characters of `[A-Za-z0-9_-]`: the form of login tokens.
pub fn secret(random: &dyn Random) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0_u8; 43];
    random.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(SYMBOLS[(byte & 63) as usize])).collect()
}

/// Fills `characters` from the alphabet without bias: bytes of 220 (4 x 55) and above are drawn again.
fn fill_evenly(characters: &mut [u8], random: &dyn Random) {
    let mut pool = [0_u8; 16];
    let mut left: &[u8] = &[];
    for place in characters {
        *place = loop {
            match left {
                [byte, rest @ ..] => {
                    left = rest;
                    if *byte < 220 {
                        break ALPHABET[(byte % 55) as usize];
                    }
                }
                [] => {
                    random.fill(&mut pool);
                    left = &pool;
                }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A generator that counts: enough to see where its bytes go.
    struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = (self.0.fetch_add(97, Ordering::Relaxed) % 256) as u8;
            }
        }
    }

    #[test]
    fn alphabet_is_in_ascii_order() {
        assert!(ALPHABET.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn ids_have_the_wire_form_and_sort_by_time() {
        let random = Counting(AtomicU64::new(0));
        let ids: Vec<String> = (0..2_000).map(|step| new(1_700_000_000_000 + step * 7, &random)).collect();
        assert!(ids.iter().all(|id| id.len() == LENGTH && id.bytes().all(|byte| ALPHABET.contains(&byte))));
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn eight_characters_hold_the_time_for_centuries() {
        assert!(55_i64.pow(TIME_CHARACTERS as u32) > 32_503_680_000_000, "year 3000");
    }

    #[test]
    fn secrets_have_the_form_of_login_tokens() {
        let secret = secret(&Counting(AtomicU64::new(5)));
        assert_eq!(secret.len(), 43);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    }
}
