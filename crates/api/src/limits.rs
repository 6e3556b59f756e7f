//! How often a caller may call: limits for each token, name and address.
//!
//! What is counted is known by a keyed hash only, so this table holds no token and no name, and it forgets within minutes.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use usher_domain::Clock;
use usher_domain::settings::{self as setting, Setting, Settings};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Messages with one token.
    Messages,
    /// Registrations with one token.
    RegistrationsPerToken,
    /// Registrations from one address.
    RegistrationsPerAddress,
    /// Erasures with one token.
    Erasures,
    /// Logins with one name from one address.
    Logins,
}

/// A call that counts against a limit, and whose.
pub type Counted = (Limit, String);

/// How much of a limit a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many calls may come at once.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// When all of them will be back (milliseconds UTC).
    pub reset: i64,
}

/// A call over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// The caller's allowance, of which nothing remains.
    pub allowance: Allowance,
    /// After how many seconds the next call is let through.
    pub seconds: u64,
}

/// All limits.
pub struct Limits {
    clock: Arc<dyn Clock>,
    hashing: RandomState,
    messages: Limiter,
    registrations_per_token: Limiter,
    registrations_per_address: Limiter,
    erasures: Limiter,
    logins: Limiter,
}

/// One limit, over everybody it counts.
struct Limiter {
    quota: Quota,
    counts: RateLimiter<u64, DashMapStateStore<u64>, Monotonic, StateInformationMiddleware>,
}

/// The application's clock as the limiter reads it.
#[derive(Clone)]
struct Monotonic(Arc<dyn Clock>);

impl governor::clock::Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

impl Limits {
    /// The limits that `settings` say.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Limits {
        let per_minute = |setting: &Setting<i64>| {
            let calls = at_least_one(settings.get(setting));
            Limiter::new(Quota::per_minute(calls), &clock)
        };
        let burst = at_least_one(settings.get(&setting::MESSAGES_BURST));
        let messages = Quota::per_minute(at_least_one(settings.get(&setting::MESSAGES_PER_MINUTE))).allow_burst(burst);
        Limits {
            messages: Limiter::new(messages, &clock),
            registrations_per_token: per_minute(&setting::REGISTRATIONS_PER_TOKEN),
            registrations_per_address: per_minute(&setting::REGISTRATIONS_PER_ADDRESS),
            erasures: per_minute(&setting::ERASURES_PER_TOKEN),
            logins: per_minute(&setting::LOGINS_PER_NAME_AND_ADDRESS),
            hashing: RandomState::new(),
            clock,
        }
    }

    /// Counts a call of `whom` against `limit`.
    pub fn count(&self, limit: Limit, whom: &str) -> Result<Allowance, Exceeded> {
        let limiter = self.limiter(limit);
        let burst = limiter.quota.burst_size().get();
        let now = self.clock.now();
        match limiter.counts.check_key(&self.hashing.hash_one(whom)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Allowance { limit: burst, remaining, reset: now + limiter.time_for(burst - remaining) })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(Monotonic(Arc::clone(&self.clock)).now());
                let allowance = Allowance { limit: burst, remaining: 0, reset: now + limiter.time_for(burst) };
                Err(Exceeded { allowance, seconds: whole_seconds(wait) })
            }
        }
    }

    /// Forgets those who have all of their calls back.
    pub fn forget_idle(&self) {
        for limiter in self.all() {
            limiter.counts.retain_recent();
            limiter.counts.shrink_to_fit();
        }
    }

    /// How many callers are remembered.
    pub fn remembered(&self) -> usize {
        self.all().iter().map(|limiter| limiter.counts.len()).sum()
    }

    fn limiter(&self, limit: Limit) -> &Limiter {
        match limit {
            Limit::Messages => &self.messages,
            Limit::RegistrationsPerToken => &self.registrations_per_token,
            Limit::RegistrationsPerAddress => &self.registrations_per_address,
            Limit::Erasures => &self.erasures,
            Limit::Logins => &self.logins,
        }
    }

    fn all(&self) -> [&Limiter; 5] {
        [&self.messages, &self.registrations_per_token, &self.registrations_per_address, &self.erasures, &self.logins]
    }
}

impl Limiter {
    fn new(quota: Quota, clock: &Arc<dyn Clock>) -> Limiter {
        Limiter { quota, counts: RateLimiter::new(quota, DashMapStateStore::default(), Monotonic(Arc::clone(clock))) }
    }

    /// How long it takes until `calls` calls are back, in milliseconds.
    fn time_for(&self, calls: u32) -> i64 {
        i64::try_from((self.quota.replenish_interval() * calls).as_millis()).unwrap_or(i64::MAX)
    }
}

/// A limit below one would stop everybody for good.
fn at_least_one(calls: i64) -> NonZeroU32 {
    u32::try_from(calls).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

/// The seconds that have to be waited at least: none is told to come back too early.
fn whole_seconds(wait: Duration) -> u64 {
    let wait = wait.duration_since(Duration::ZERO).as_u64();
    wait.div_ceil(1_000_000_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// A clock to move by hand, in milliseconds.
    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> i64 {
            self.0.load(Ordering::Relaxed)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.now().unsigned_abs())
        }
    }

    fn limits() -> (Limits, Arc<Hand>) {
        let clock = Arc::new(Hand::default());
        (Limits::new(&Settings::default(), clock.clone()), clock)
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_call_at_a_time() {
        let (limits, clock) = limits();
        for call in 1..=20 {
            let allowance = limits.count(Limit::Messages, "token").unwrap();
            assert_eq!((allowance.limit, allowance.remaining, allowance.reset), (20, 20 - call, i64::from(call) * 1_000));
        }
        let exceeded = limits.count(Limit::Messages, "token").unwrap_err();
        assert_eq!((exceeded.seconds, exceeded.allowance.remaining), (1, 0));
        clock.0.store(1_000, Ordering::Relaxed);
        assert!(limits.count(Limit::Messages, "token").is_ok());
        assert!(limits.count(Limit::Messages, "token").is_err());
    }

    #[test]
    fn callers_and_limits_are_counted_apart() {
        let (limits, _) = limits();
        for _ in 0..5 {
            assert!(limits.count(Limit::Erasures, "one").is_ok());
        }
        assert_eq!(limits.count(Limit::Erasures, "one").unwrap_err().seconds, 12);
        assert!(limits.count(Limit::Erasures, "other").is_ok());
        assert!(limits.count(Limit::RegistrationsPerToken, "one").is_ok());
    }

    #[test]
    fn the_numbers_are_settings() {
        let set = [("Usher_Limit_Logins".to_owned(), 2.into()), ("Usher_Limit_Registrations_Per_Address".to_owned(), (-5).into())];
        let limits = Limits::new(&Settings::with(set).unwrap(), Arc::new(Hand::default()));
        let allowed = |limit: Limit| (0..10).take_while(|_| limits.count(limit, "x").is_ok()).count();
        assert_eq!(allowed(Limit::Logins), 2);
        assert_eq!(allowed(Limit::RegistrationsPerAddress), 1, "a limit that lets nobody through is none");
    }

    #[test]
    fn those_who_have_all_calls_back_are_forgotten() {
        let (limits, clock) = limits();
        assert!(limits.count(Limit::Logins, "a").is_ok());
        limits.forget_idle();
        assert_eq!(limits.remembered(), 1);
        clock.0.store(120_000, Ordering::Relaxed);
        limits.forget_idle();
        assert_eq!(limits.remembered(), 0);
    }
}
