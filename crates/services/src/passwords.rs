//! Slow hashes of passwords. What is hashed is always the digest, because clients may send only that.
//!
//! Hashing is the one thing here that strangers can make expensive, so it happens in turns: a few at once for the whole server, and
//! one at a time for each address, so that whoever tries passwords by the thousand waits for itself and not others for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use usher_domain::Random;
use usher_domain::password::PasswordDigest;
use usher_store::StoreError;

use crate::Error;

/// How many hashes are computed at once. Each has a thread of its own that keeps the memory of 19 MiB that a hash takes: taken and given
/// back each time, it would be scattered over ever more of the process.
const AT_ONCE: usize = 2;

/// How many callers may wait for one. More are turned away.
const WAITING: usize = 1_024;

/// How many callers of one address may wait.
const WAITING_OF_ADDRESS: usize = 64;

/// A hash of nothing anybody knows, in the form of real ones: verifying against it takes as long as against a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5a25vd3N0aGlz$r3Zx0OvLkUUXWwIvsfVUfYTcMIxR3bHqKPVA1DGEa3c";

/// The bounded pool.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    addresses: Addresses,
    threads: Sender<Work>,
}

/// What one of the threads does next, in its memory.
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// The memory in which one thread hashes.
type Memory = Vec<Block>;

/// The turns of each address from which somebody waits.
type Addresses = Arc<Mutex<HashMap<IpAddr, Queue>>>;

/// Those of one address.
struct Queue {
    turn: Arc<Semaphore>,
    waiting: usize,
}

/// The turn of one address; the next of the same address begins when it is dropped.
pub(crate) struct AddressTurn {
    _turn: OwnedSemaphorePermit,
    _place: AddressPlace,
}

/// A place in the queue of one address; given back when dropped, also by a caller that leaves.
struct AddressPlace {
    addresses: Addresses,
    address: IpAddr,
}

impl Default for Passwords {
    fn default() -> Self {
        let (threads, inbox) = mpsc::channel::<Work>();
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..AT_ONCE {
            let inbox = Arc::clone(&inbox);
            std::thread::spawn(move || work_off(&inbox));
        }
        Passwords {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: AtomicUsize::new(0),
            addresses: Addresses::default(),
            threads,
        }
    }
}

impl Passwords {
    /// Waits until nobody else of this address is at it.
    pub(crate) async fn turn_of(&self, address: IpAddr) -> Result<AddressTurn, Error> {
        let (turn, place) = self.enter(address)?;
        let turn = turn.acquire_owned().await.map_err(|_| Error::Store(StoreError::Stopped))?;
        Ok(AddressTurn { _turn: turn, _place: place })
    }

    fn enter(&self, address: IpAddr) -> Result<(Arc<Semaphore>, AddressPlace), Error> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = addresses.entry(address).or_insert_with(|| Queue { turn: Arc::new(Semaphore::new(1)), waiting: 0 });
        if queue.waiting >= WAITING_OF_ADDRESS {
            return Err(StoreError::Busy.into());
        }
        queue.waiting += 1;
        Ok((Arc::clone(&queue.turn), AddressPlace { addresses: Arc::clone(&self.addresses), address }))
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, digest: PasswordDigest, random: &dyn Random) -> Result<String, Error> {
        let mut salt = [0_u8; 16];
        random.fill(&mut salt);
        self.in_turn(move |memory| hash(&digest, &salt, memory)).await?
    }

    /// Whether the password belongs to `stored`; without a stored hash it takes as long and says no.
    pub(crate) async fn verify(&self, digest: PasswordDigest, stored: Option<String>) -> Result<bool, Error> {
        self.in_turn(move |memory| match stored.filter(|stored| !stored.is_empty()) {
            Some(stored) => verify(&digest, &stored, memory),
            None => {
                std::hint::black_box(verify(&digest, NOBODY, memory));
                false
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T, Error> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Store(StoreError::Stopped))?;
        let (answer, done) = oneshot::channel();
        let work = move |memory: &mut Memory| {
            let result = work(memory);
            drop(turn);
            // A caller that left does not want its answer.
            let _ = answer.send(result);
        };
        self.threads.send(Box::new(work)).map_err(|_| Error::Broken("the threads that hash are gone"))?;
        done.await.map_err(|_| Error::Broken("hashing a password panicked"))
    }
}

/// One of the threads. It ends when nobody can send it anything any more.
fn work_off(inbox: &Mutex<Receiver<Work>>) {
    let next = || inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut memory = Memory::new();
    while let Ok(work) = next() {
        // A panic is told by the answer that never comes; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = addresses.get_mut(&self.address) else { return };
        queue.waiting -= 1;
        if queue.waiting == 0 {
            addresses.remove(&self.address);
        }
    }
}

/// A place among those who wait; given back when dropped, also by a caller that leaves.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn enter(count: &'p AtomicUsize) -> Result<Waiting<'p>, Error> {
        let place = Waiting(count);
        if count.fetch_add(1, Ordering::AcqRel) >= WAITING { Err(StoreError::Busy.into()) } else { Ok(place) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether a stored hash is of an older kind than new ones are, and should be replaced when the password is known again.
pub(crate) fn is_outdated(stored: &str) -> bool {
    let current = Params::default();
    PasswordHash::new(stored).map_or(true, |parsed| {
        Params::try_from(&parsed).map_or(true, |found| {
            (found.m_cost(), found.t_cost(), found.p_cost()) != (current.m_cost(), current.t_cost(), current.p_cost())
        }) || parsed.algorithm.as_str() != "argon2id"
    })
}

/// The hash of a new password: argon2id with the parameters that OWASP names, 19 MiB and 2 passes.
fn hash(digest: &PasswordDigest, salt: &[u8], memory: &mut Memory) -> Result<String, Error> {
    let hashed = hash_with(Algorithm::Argon2id, Version::V0x13, &Params::default(), digest, salt, memory);
    let written = || {
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&Params::default()).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(hashed?),
        };
        Some(hash.to_string())
    };
    written().ok_or(Error::Broken("a password could not be hashed"))
}

fn hash_with(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    digest: &PasswordDigest,
    salt: &[u8],
    memory: &mut Memory,
) -> Option<Output> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let mut bytes = [0; Output::MAX_LENGTH];
    let output = bytes.get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))?;
    let argon = Argon2::new(algorithm, version, params.clone());
    argon.hash_password_into_with_memory(digest.as_str().as_bytes(), salt, output, memory).ok()?;
    Output::new(output).ok()
}

/// Accepts our own hashes and the bcrypt hashes of imported users.
fn verify(digest: &PasswordDigest, stored: &str, memory: &mut Memory) -> bool {
    if stored.starts_with("$2") {
        return bcrypt::verify(digest.as_str(), stored).unwrap_or(false);
    }
    let mut computed = || {
        let parsed = PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version = parsed.version.map_or(Some(Version::V0x13), |version| Version::try_from(version).ok())?;
        let params = Params::try_from(&parsed).ok()?;
        let computed = hash_with(algorithm, version, &params, digest, parsed.salt.as_ref()?, memory)?;
        // Comparing takes as long whatever is equal.
        Some(computed == parsed.hash?)
    };
    computed().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordVerifier;

    #[test]
    fn a_hash_belongs_to_its_password_alone() {
        let digest = PasswordDigest::of_plain("password");
        let stored = hash(&digest, &[7; 16], &mut Memory::new()).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let by_the_library = Argon2::default().verify_password(digest.as_str().as_bytes(), stored.as_str());
        assert!(by_the_library.is_ok(), "others can read it as well");
        assert!(verify(&digest, &stored, &mut Memory::new()));
        assert!(!verify(&PasswordDigest::of_plain("Password"), &stored, &mut Memory::new()));
    }

    #[test]
    fn imported_hashes_are_accepted() {
        let digest = PasswordDigest::of_plain("password");
        let stored = bcrypt::hash(digest.as_str(), 4).unwrap();
        assert!(verify(&digest, &stored, &mut Memory::new()));
        assert!(!verify(&PasswordDigest::of_plain("other"), &stored, &mut Memory::new()));
    }

    #[test]
    fn hashes_of_older_kinds_are_known() {
        let digest = PasswordDigest::of_plain("password");
        assert!(!is_outdated(&hash(&digest, &[7; 16], &mut Memory::new()).unwrap()));
        assert!(is_outdated(&bcrypt::hash(digest.as_str(), 4).unwrap()));
        assert!(is_outdated("$argon2id$v=19$m=4096,t=2,p=1$bm9ib2R5a25vd3N0aGlz$r3Zx0OvLkUUXWwIvsfVUfYTcMIxR3bHqKPVA1DGEa3c"));
        assert!(is_outdated("no hash"));
    }

    #[tokio::test]
    async fn an_address_has_one_turn_at_a_time_and_others_do_not_wait_for_it() {
        let passwords = Passwords::default();
        let (busy, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let turn = passwords.turn_of(busy).await.unwrap();
        assert!(passwords.turn_of(other).await.is_ok());
        let waiting: Vec<_> = (1..WAITING_OF_ADDRESS).map(|_| passwords.enter(busy).unwrap()).collect();
        assert!(waiting[0].0.try_acquire().is_err(), "the turn is taken");
        assert!(matches!(passwords.turn_of(busy).await, Err(Error::Store(StoreError::Busy))), "the queue is full");
        drop(turn);
        assert!(waiting[0].0.try_acquire().is_ok());
        drop(waiting);
        assert!(passwords.addresses.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn the_hash_of_nobody_is_a_real_one() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(
            !verify(&PasswordDigest::of_plain(""), NOBODY, &mut Memory::new())
                && !verify(&PasswordDigest::of_plain("x"), "no hash", &mut Memory::new())
        );
    }
}
