//! Who failed to log in how often, so that passwords cannot be tried by the thousand.
//!
//! What is counted is the failures of one address, and those of one name *from one address*: whoever fails with somebody's name from
//! elsewhere can never lock that person out. Counts are known by a keyed hash only and are forgotten in time; however many names and
//! addresses are tried, there are never more of them than two generations hold.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_domain::settings::{self as setting, Settings};

use crate::Refusal;

/// How many counts one generation holds.
const GENERATION: usize = 16_384;

/// A minute in milliseconds.
const MINUTE: i64 = 60_000;

/// The counts.
#[derive(Default)]
pub(crate) struct Attempts {
    hashing: RandomState,
    counts: Mutex<Generations>,
}

/// Counts of late, and those before. What is counted again moves into the newer generation.
#[derive(Default)]
struct Generations {
    newer: HashMap<u64, Failures>,
    older: HashMap<u64, Failures>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: i64,
    /// When the latest was (milliseconds UTC).
    last: i64,
}

/// How many failures block for how long.
struct Bound {
    failures: i64,
    milliseconds: i64,
}

impl Attempts {
    /// Refuses whoever has failed too often.
    pub(crate) fn check(&self, name: &str, address: IpAddr, settings: &Settings, now: i64) -> Result<(), Refusal> {
        if is_trusted(address, settings) {
            return Ok(());
        }
        let counts = self.counts();
        let is_blocked = |key: u64, bound: Option<Bound>| bound.is_some_and(|bound| counts.get(key, &bound, now) >= bound.failures);
        if is_blocked(self.key(("", network(address))), of_address(settings)) {
            return Err(Refusal::LoginBlockedForAddress);
        }
        if is_blocked(self.key((name, network(address))), of_name(settings)) {
            return Err(Refusal::LoginBlockedForUser);
        }
        Ok(())
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, name: &str, address: IpAddr, settings: &Settings, now: i64) {
        let mut counts = self.counts();
        for (key, bound) in [(("", network(address)), of_address(settings)), ((name, network(address)), of_name(settings))] {
            if let Some(bound) = bound {
                counts.add(self.key(key), &bound, now);
            }
        }
    }

    /// Forgets the failures of a name from an address: whoever it was has the password.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let key = self.key((name, network(address)));
        let mut counts = self.counts();
        counts.newer.remove(&key);
        counts.older.remove(&key);
    }

    fn key(&self, whom: (&str, IpAddr)) -> u64 {
        self.hashing.hash_one(whom)
    }

    fn counts(&self) -> MutexGuard<'_, Generations> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    /// How many failures still count.
    fn get(&self, key: u64, bound: &Bound, now: i64) -> i64 {
        let known = self.newer.get(&key).or_else(|| self.older.get(&key));
        known.filter(|failures| failures.last.saturating_add(bound.milliseconds) > now).map_or(0, |failures| failures.count)
    }

    fn add(&mut self, key: u64, bound: &Bound, now: i64) {
        let count = self.get(key, bound, now) + 1;
        if self.newer.len() >= GENERATION && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, Failures { count, last: now });
    }
}

/// What counts as one address: of IPv6 the network that one customer gets.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn of_name(settings: &Settings) -> Option<Bound> {
    let is_on = settings.get(&setting::BLOCK_FAILED_LOGINS) && settings.get(&setting::BLOCK_BY_USER);
    is_on.then(|| Bound {
        failures: settings.get(&setting::BLOCK_USER_ATTEMPTS).max(1),
        milliseconds: settings.get(&setting::BLOCK_USER_MINUTES).max(0).saturating_mul(MINUTE),
    })
}

fn of_address(settings: &Settings) -> Option<Bound> {
    let is_on = settings.get(&setting::BLOCK_FAILED_LOGINS) && settings.get(&setting::BLOCK_BY_ADDRESS);
    is_on.then(|| Bound {
        failures: settings.get(&setting::BLOCK_ADDRESS_ATTEMPTS).max(1),
        milliseconds: settings.get(&setting::BLOCK_ADDRESS_MINUTES).max(0).saturating_mul(MINUTE),
    })
}

/// Whether failures from this address do not count.
fn is_trusted(address: IpAddr, settings: &Settings) -> bool {
    let list = settings.text(&setting::BLOCK_EXEMPT_ADDRESSES);
    list.split(',').any(|trusted| trusted.trim().parse() == Ok(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(attempts: &Attempts, times: usize, name: &str, from: IpAddr) {
        for _ in 0..times {
            attempts.failed(name, from, &Settings::default(), 0);
        }
    }

    fn check(attempts: &Attempts, name: &str, from: IpAddr, now: i64) -> Result<(), Refusal> {
        attempts.check(name, from, &Settings::default(), now)
    }

    #[test]
    fn ten_failures_block_a_name_from_that_address_alone() {
        let attempts = Attempts::default();
        fail(&attempts, 9, "mary", address(1));
        assert_eq!(check(&attempts, "mary", address(1), 0), Ok(()));
        fail(&attempts, 1, "mary", address(1));
        assert_eq!(check(&attempts, "mary", address(1), 0), Err(Refusal::LoginBlockedForUser));
        assert_eq!(check(&attempts, "john", address(1), 0), Ok(()));
        assert_eq!(check(&attempts, "mary", address(2), 0), Ok(()), "nobody can lock mary out from elsewhere");
        assert_eq!(check(&attempts, "mary", address(1), 5 * MINUTE - 1), Err(Refusal::LoginBlockedForUser));
        assert_eq!(check(&attempts, "mary", address(1), 5 * MINUTE), Ok(()), "after five minutes");
    }

    #[test]
    fn fifty_failures_block_an_address() {
        let attempts = Attempts::default();
        for number in 0..50 {
            assert_eq!(check(&attempts, "john", address(1), 0), Ok(()));
            fail(&attempts, 1, &format!("name {number}"), address(1));
        }
        assert_eq!(check(&attempts, "john", address(1), 0), Err(Refusal::LoginBlockedForAddress));
        assert_eq!(check(&attempts, "john", address(2), 0), Ok(()));
    }

    #[test]
    fn a_right_password_clears_its_name() {
        let attempts = Attempts::default();
        fail(&attempts, 9, "mary", address(1));
        attempts.succeeded("mary", address(1));
        fail(&attempts, 9, "mary", address(1));
        assert_eq!(check(&attempts, "mary", address(1), 0), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let attempts = Attempts::default();
        fail(&attempts, 10, "mary", "2001:db8::1".parse().unwrap());
        assert!(check(&attempts, "mary", "2001:db8::2".parse().unwrap(), 0).is_err());
        assert!(check(&attempts, "mary", "2001:db8:0:1::1".parse().unwrap(), 0).is_ok());
    }

    #[test]
    fn the_numbers_are_settings() {
        let with = |id: &str, value: serde_json::Value| Settings::with([(id.to_owned(), value)]).unwrap();
        let attempts = Attempts::default();
        fail(&attempts, 60, "mary", address(1));
        let off = with("Block_Multiple_Failed_Logins_Enabled", false.into());
        assert_eq!(attempts.check("mary", address(1), &off, 0), Ok(()));
        let trusting = with("Block_Multiple_Failed_Logins_Ip_Whitelist", "198.51.100.1, 192.0.2.1".into());
        assert_eq!(attempts.check("mary", address(1), &trusting, 0), Ok(()));
        let patient = with("Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip", 61.into());
        assert_eq!(attempts.check("mary", address(1), &patient, 0), Err(Refusal::LoginBlockedForUser));
    }

    #[test]
    fn however_many_are_tried_few_are_remembered() {
        let attempts = Attempts::default();
        for number in 0..100_000_u32 {
            attempts.failed("mary", IpAddr::from(number.to_be_bytes()), &Settings::default(), 0);
        }
        let counts = attempts.counts();
        assert!(counts.newer.len() + counts.older.len() <= 2 * GENERATION);
    }
}
