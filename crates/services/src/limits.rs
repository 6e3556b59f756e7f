//! How often a caller may call: limits for each token, name, address and user.
//!
//! What is counted is known by a keyed hash only, so this table holds no token and no name, and it forgets within minutes. Numbers are
//! settings; a changed one begins to count anew. However many callers there are, the table has a fixed number of places.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock as _, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use usher_domain::Clock;
use usher_domain::settings::{self as setting, Setting, Settings};

/// How many places a table has. Two callers who fall into one share their calls, which is rare enough.
const PLACES: u64 = 1 << 20;

/// A minute.
const MINUTE: Duration = Duration::from_secs(60);

/// The longest time in which calls are counted: counting in nanoseconds ends somewhere, and settings hold any number.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// The most calls that are counted. Whoever allows more limits nothing.
const MOST_CALLS: u32 = 1_000_000;

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
    /// Calls of one operation by users at one address.
    Calls,
    /// Accounts registered from one address.
    Accounts,
    /// Calls of one search by users at one address.
    Searches,
    /// Methods called from one address.
    MethodsPerAddress,
    /// Methods called by one user.
    MethodsPerUser,
    /// Calls of one method by one user.
    MethodPerUser,
    /// What one connection asks for: methods and subscriptions.
    MethodsPerConnection,
    /// Calls of one method by one connection.
    MethodPerConnection,
    /// Messages left from one address while nobody is there.
    OfflineMessages,
    /// Transcripts wanted from one address.
    Transcripts,
    /// Transcripts sent by one user.
    TranscriptsPerUser,
    /// Pages that a widget tells of with one token, or statuses.
    Signals,
    /// Pages that widgets tell of from one address.
    SignalsPerAddress,
}

impl Limit {
    const ALL: [Limit; 18] = [
        Limit::Messages,
        Limit::RegistrationsPerToken,
        Limit::RegistrationsPerAddress,
        Limit::Erasures,
        Limit::Logins,
        Limit::Calls,
        Limit::Accounts,
        Limit::Searches,
        Limit::MethodsPerAddress,
        Limit::MethodsPerUser,
        Limit::MethodPerUser,
        Limit::MethodsPerConnection,
        Limit::MethodPerConnection,
        Limit::OfflineMessages,
        Limit::Transcripts,
        Limit::TranscriptsPerUser,
        Limit::Signals,
        Limit::SignalsPerAddress,
    ];

    /// How many calls are let through in how long; `None` where the limit is switched off.
    fn quota(self, settings: &Settings) -> Option<Quota> {
        let per_minute = |setting: &Setting<i64>| Some(Quota::per_minute(at_least_one(settings.get(setting))));
        let of_methods = |is_on: &Setting<bool>, calls: &Setting<i64>, milliseconds: &Setting<i64>| {
            settings.get(is_on).then(|| within(settings.get(calls), settings.get(milliseconds)))
        };
        match self {
            Limit::Messages => {
                let burst = at_least_one(settings.get(&setting::MESSAGES_BURST));
                per_minute(&setting::MESSAGES_PER_MINUTE).map(|quota| quota.allow_burst(burst))
            }
            Limit::RegistrationsPerToken => per_minute(&setting::REGISTRATIONS_PER_TOKEN),
            Limit::RegistrationsPerAddress => per_minute(&setting::REGISTRATIONS_PER_ADDRESS),
            Limit::Erasures => per_minute(&setting::ERASURES_PER_TOKEN),
            Limit::Logins => per_minute(&setting::LOGINS_PER_NAME_AND_ADDRESS),
            Limit::Calls => {
                let is_on = settings.get(&setting::API_LIMITS);
                is_on.then(|| within(settings.get(&setting::API_LIMIT_CALLS), settings.get(&setting::API_LIMIT_MILLISECONDS)))
            }
            Limit::Accounts => per_minute(&setting::USER_REGISTRATIONS_PER_MINUTE),
            Limit::Searches => Some(within(100, 100_000)),
            Limit::OfflineMessages | Limit::TranscriptsPerUser => Some(within(1, 5_000)),
            Limit::Transcripts => Some(within(5, 60_000)),
            Limit::Signals => Some(within(60, 60_000)),
            Limit::SignalsPerAddress => Some(within(1_200, 60_000)),
            Limit::MethodsPerAddress => {
                of_methods(&setting::DDP_LIMIT_ADDRESS, &setting::DDP_LIMIT_ADDRESS_CALLS, &setting::DDP_LIMIT_ADDRESS_MILLISECONDS)
            }
            Limit::MethodsPerUser => {
                of_methods(&setting::DDP_LIMIT_USER, &setting::DDP_LIMIT_USER_CALLS, &setting::DDP_LIMIT_USER_MILLISECONDS)
            }
            Limit::MethodPerUser => of_methods(
                &setting::DDP_LIMIT_USER_METHOD,
                &setting::DDP_LIMIT_USER_METHOD_CALLS,
                &setting::DDP_LIMIT_USER_METHOD_MILLISECONDS,
            ),
            Limit::MethodsPerConnection => of_methods(
                &setting::DDP_LIMIT_CONNECTION,
                &setting::DDP_LIMIT_CONNECTION_CALLS,
                &setting::DDP_LIMIT_CONNECTION_MILLISECONDS,
            ),
            Limit::MethodPerConnection => of_methods(
                &setting::DDP_LIMIT_CONNECTION_METHOD,
                &setting::DDP_LIMIT_CONNECTION_METHOD_CALLS,
                &setting::DDP_LIMIT_CONNECTION_METHOD_MILLISECONDS,
            ),
        }
    }
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
    limiters: [RwLock<Option<Arc<Limiter>>>; Limit::ALL.len()],
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
    /// Limits against which nobody has counted yet.
    pub fn new(clock: Arc<dyn Clock>) -> Limits {
        Limits { clock, hashing: RandomState::new(), limiters: std::array::from_fn(|_| RwLock::default()) }
    }

    /// Counts a call of `whom` against `limit`; `None` where that is switched off.
    ///
    /// # Errors
    ///
    /// The call is one too many.
    pub fn count(&self, limit: Limit, whom: &str, settings: &Settings) -> Result<Option<Allowance>, Exceeded> {
        let Some(quota) = limit.quota(settings) else { return Ok(None) };
        let limiter = self.limiter(limit, quota);
        let burst = quota.burst_size().get();
        let now = self.clock.now();
        match limiter.counts.check_key(&(self.hashing.hash_one(whom) % PLACES)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Some(Allowance { limit: burst, remaining, reset: now + limiter.time_for(burst - remaining) }))
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
        self.all().map(|limiter| limiter.counts.len()).sum()
    }

    /// The limiter with this quota: another one from the moment its setting changed.
    fn limiter(&self, limit: Limit, quota: Quota) -> Arc<Limiter> {
        let place = &self.limiters[limit as usize];
        let is_right = |held: &Option<Arc<Limiter>>| held.clone().filter(|limiter| limiter.quota == quota);
        if let Some(limiter) = is_right(&place.read().unwrap_or_else(PoisonError::into_inner)) {
            return limiter;
        }
        let mut held = place.write().unwrap_or_else(PoisonError::into_inner);
        match is_right(&held) {
            Some(limiter) => limiter,
            None => Arc::clone(held.insert(Arc::new(Limiter::new(quota, &self.clock)))),
        }
    }

    fn all(&self) -> impl Iterator<Item = Arc<Limiter>> {
        self.limiters.iter().filter_map(|held| held.read().unwrap_or_else(PoisonError::into_inner).clone())
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

/// So many calls in so many milliseconds.
fn within(calls: i64, milliseconds: i64) -> Quota {
    let calls = at_least_one(calls);
    let period = u64::try_from(milliseconds).ok().filter(|period| *period > 0).map_or(MINUTE, Duration::from_millis).min(LONGEST);
    Quota::with_period(period / calls.get()).unwrap_or(Quota::per_minute(calls)).allow_burst(calls)
}

/// A limit below one would stop everybody for good.
fn at_least_one(calls: i64) -> NonZeroU32 {
    u32::try_from(calls.clamp(1, i64::from(MOST_CALLS))).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
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

    /// Counts by the default settings.
    fn count(limits: &Limits, limit: Limit, whom: &str) -> Result<Allowance, Exceeded> {
        limits.count(limit, whom, &Settings::default()).map(|counted| counted.expect("the limit is on"))
    }

    fn limits() -> (Limits, Arc<Hand>) {
        let clock = Arc::new(Hand::default());
        (Limits::new(clock.clone()), clock)
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_call_at_a_time() {
        let (limits, clock) = limits();
        for call in 1..=20 {
            let allowance = count(&limits, Limit::Messages, "token").unwrap();
            assert_eq!((allowance.limit, allowance.remaining, allowance.reset), (20, 20 - call, i64::from(call) * 1_000));
        }
        let exceeded = count(&limits, Limit::Messages, "token").unwrap_err();
        assert_eq!((exceeded.seconds, exceeded.allowance.remaining), (1, 0));
        clock.0.store(1_000, Ordering::Relaxed);
        assert!(count(&limits, Limit::Messages, "token").is_ok());
        assert!(count(&limits, Limit::Messages, "token").is_err());
    }

    #[test]
    fn callers_and_limits_are_counted_apart() {
        let (limits, _) = limits();
        for _ in 0..5 {
            assert!(count(&limits, Limit::Erasures, "one").is_ok());
        }
        assert_eq!(count(&limits, Limit::Erasures, "one").unwrap_err().seconds, 12);
        assert!(count(&limits, Limit::Erasures, "other").is_ok());
        assert!(count(&limits, Limit::RegistrationsPerToken, "one").is_ok());
    }

    #[test]
    fn the_numbers_are_settings() {
        let set = [("Usher_Limit_Logins".to_owned(), 2.into()), ("Usher_Limit_Registrations_Per_Address".to_owned(), (-5).into())];
        let (limits, _) = limits();
        let settings = Settings::with(set).unwrap();
        let allowed = |limit: Limit| (0..10).take_while(|_| limits.count(limit, "x", &settings).is_ok()).count();
        assert_eq!(allowed(Limit::Logins), 2);
        assert_eq!(allowed(Limit::RegistrationsPerAddress), 1, "a limit that lets nobody through is none");
    }

    #[test]
    fn those_who_have_all_calls_back_are_forgotten() {
        let (limits, clock) = limits();
        assert!(count(&limits, Limit::Logins, "a").is_ok());
        limits.forget_idle();
        assert_eq!(limits.remembered(), 1);
        clock.0.store(120_000, Ordering::Relaxed);
        limits.forget_idle();
        assert_eq!(limits.remembered(), 0);
    }

    #[test]
    fn a_changed_setting_counts_at_once() {
        let (limits, _) = limits();
        let calls = |number: i64| Settings::with([("API_Enable_Rate_Limiter_Limit_Calls_Default", number.into())]).unwrap();
        let (few, more) = (calls(2), calls(3));
        let allowed = |settings: &Settings| (0..10).take_while(|_| limits.count(Limit::Calls, "x", settings).is_ok()).count();
        assert_eq!((allowed(&few), allowed(&few), allowed(&more)), (2, 0, 3));
        let off = Settings::with([("API_Enable_Rate_Limiter", false.into())]).unwrap();
        assert_eq!(limits.count(Limit::Calls, "x", &off), Ok(None));
    }

    #[test]
    fn any_number_is_survived() {
        let numbers = [i64::MIN, -1, 0, 1, i64::from(u32::MAX), i64::from(u32::MAX) + 1, i64::MAX];
        let (limits, _) = limits();
        for (calls, milliseconds) in numbers.into_iter().flat_map(|first| numbers.map(|second| (first, second))) {
            let set = [
                ("API_Enable_Rate_Limiter_Limit_Calls_Default", calls.into()),
                ("API_Enable_Rate_Limiter_Limit_Time_Default", milliseconds.into()),
                ("Usher_Limit_Messages_Per_Minute", calls.into()),
                ("Usher_Limit_Messages_Burst", milliseconds.into()),
            ];
            let settings = Settings::with(set).unwrap();
            for limit in [Limit::Calls, Limit::Messages] {
                let first = limits.count(limit, &format!("{calls} {milliseconds}"), &settings);
                assert!(first.is_ok(), "{limit:?} with {calls} and {milliseconds} lets nobody through");
                let _ = limits.count(limit, &format!("{calls} {milliseconds}"), &settings);
            }
        }
    }

    #[test]
    fn every_limit_has_a_place() {
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, place);
        }
    }
}
