//! Markers: texts that nobody else writes, each put into one input of one visitor and recognised wherever it turns up.

use crate::common::moments::Random;

/// What every marker begins with. Letters of both cases and a digit, so that each form of it looks different.
pub const TEXT_PREFIX: &str = "Zq7KxW";

/// What every marker begins with that must be an address of the internet.
pub const ADDRESS_PREFIX: &str = "fd5a:7137:";

/// The longest text of a marker after its prefix.
pub const LONGEST_BODY: usize = 19;

/// A marker: its number is what distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Marker(u64);

impl Marker {
    /// A marker that no other is like. The highest bit of every group of four digits is set, so that no form of it is shortened.
    pub fn new(random: &mut Random) -> Marker {
        Marker(random.bits() | 0x8000_8000_8000_8000)
    }

    /// As a text.
    pub fn text(self) -> String {
        format!("{TEXT_PREFIX}{:016x}", self.0)
    }

    /// As an IPv6 address in its canonical form.
    pub fn address(self) -> String {
        let groups: Vec<String> = self.0.to_be_bytes().chunks(2).map(hex::encode).collect();
        format!("{ADDRESS_PREFIX}{}:7137:5afd", groups.join(":"))
    }

    /// The marker whose text after the prefix is at the beginning of `body`, in whatever case.
    pub fn of_body(body: &[u8]) -> Option<Marker> {
        let mut number = 0_u64;
        let mut digits = body.iter().filter(|character| **character != b':').map(|character| char::from(*character).to_digit(16));
        for _ in 0..16 {
            number = number << 4 | u64::from(digits.next()??);
        }
        Some(Marker(number))
    }
}
