//! Identifiers and secret tokens.
//!
//! An id has 17 characters of an alphabet without look-alikes, as clients expect: 8 for the millisecond, 9 random. The alphabet is
//! in ASCII order, so ids made later sort later and indexes on them grow at one end. Ids are no secrets; tokens are.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

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

/// Ids for work that may run more than once: whoever takes them again from a copy gets the same ones.
#[derive(Clone)]
pub struct Sequence {
    now: i64,
    seed: [u8; 32],
    taken: u64,
}

impl Sequence {
    /// Ids for what comes into being at `now` (milliseconds UTC).
    pub fn new(now: i64, random: &dyn Random) -> Sequence {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        Sequence { now, seed, taken: 0 }
    }

    /// The next id.
    pub fn next_id(&mut self) -> String {
        new(self.now, &self.draw())
    }

    /// The next id of 24 hexadecimal digits, as those of inquiries are.
    pub fn next_hexadecimal(&mut self) -> String {
        let mut bytes = [0; 12];
        self.draw().fill(&mut bytes);
        hex::encode(bytes)
    }

    fn draw(&mut self) -> Draw {
        self.taken += 1;
        Draw { seed: self.seed, place: self.taken, block: AtomicU64::new(0) }
    }
}

/// The randomness for one id of a sequence: hashes of the seed, the id's place, and a number.
struct Draw {
    seed: [u8; 32],
    place: u64,
    block: AtomicU64,
}

impl Random for Draw {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let block = self.block.fetch_add(1, Ordering::Relaxed);
            let hash =
                Sha256::new().chain_update(self.seed).chain_update(self.place.to_be_bytes()).chain_update(block.to_be_bytes());
            part.copy_from_slice(&hash.finalize()[..part.len()]);
        }
    }
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
    fn a_copy_of_a_sequence_gives_the_same_ids() {
        let mut first = Sequence::new(1_700_000_000_000, &Counting(AtomicU64::new(0)));
        let mut copy = first.clone();
        let ids: Vec<String> = (0..200).map(|_| first.next_id()).collect();
        assert_eq!(ids, (0..200).map(|_| copy.next_id()).collect::<Vec<_>>());
        assert_eq!(first.next_hexadecimal(), copy.next_hexadecimal());
        let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), 200);
        assert!(ids.iter().all(|id| id.len() == LENGTH && id[..8] == ids[0][..8]));
        let hexadecimal = first.next_hexadecimal();
        assert!(hexadecimal.len() == 24 && hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit()));
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
