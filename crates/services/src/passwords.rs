//! Slow hashes of passwords. What is hashed is always the digest, because clients may send only that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Argon2, Params};
use tokio::sync::Semaphore;
use usher_domain::Random;
use usher_domain::password::PasswordDigest;
use usher_store::StoreError;

use crate::Error;

/// How many hashes are computed at once.
const AT_ONCE: usize = 2;

/// How many callers may wait for one. More are turned away: hashing is the one thing here that strangers can make expensive.
const WAITING: usize = 64;

/// A hash of nothing anybody knows, in the form of real ones: verifying against it takes as long as against a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5a25vd3N0aGlz$r3Zx0OvLkUUXWwIvsfVUfYTcMIxR3bHqKPVA1DGEa3c";

/// The bounded pool.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords { turns: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }
}

impl Passwords {
    /// The hash of a new password.
    pub(crate) async fn hash(&self, digest: PasswordDigest, random: &dyn Random) -> Result<String, Error> {
        let mut salt = [0_u8; 16];
        random.fill(&mut salt);
        self.in_turn(move || hash(&digest, &salt)).await?
    }

    /// Whether the password belongs to `stored`; without a stored hash it takes as long and says no.
    pub(crate) async fn verify(&self, digest: PasswordDigest, stored: Option<String>) -> Result<bool, Error> {
        self.in_turn(move || match stored {
            Some(stored) => verify(&digest, &stored),
            None => {
                std::hint::black_box(verify(&digest, NOBODY));
                false
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Store(StoreError::Stopped))?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Error::Broken("hashing a password panicked"))
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

/// Argon2id with the parameters that OWASP names: 19 MiB, 2 passes.
fn argon() -> Argon2<'static> {
    Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::default())
}

fn hash(digest: &PasswordDigest, salt: &[u8]) -> Result<String, Error> {
    let hash = argon().hash_password_with_salt(digest.as_str().as_bytes(), salt);
    hash.map(|hash| hash.to_string()).map_err(|_| Error::Broken("a password could not be hashed"))
}

/// Accepts our own hashes and the bcrypt hashes of imported users.
fn verify(digest: &PasswordDigest, stored: &str) -> bool {
    if stored.starts_with("$2") {
        return bcrypt::verify(digest.as_str(), stored).unwrap_or(false);
    }
    let Ok(parsed) = PasswordHash::new(stored) else { return false };
    argon().verify_password(digest.as_str().as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_belongs_to_its_password_alone() {
        let digest = PasswordDigest::of_plain("password");
        let stored = hash(&digest, &[7; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify(&digest, &stored));
        assert!(!verify(&PasswordDigest::of_plain("Password"), &stored));
    }

    #[test]
    fn imported_hashes_are_accepted() {
        let digest = PasswordDigest::of_plain("password");
        let stored = bcrypt::hash(digest.as_str(), 4).unwrap();
        assert!(verify(&digest, &stored));
        assert!(!verify(&PasswordDigest::of_plain("other"), &stored));
    }

    #[test]
    fn the_hash_of_nobody_is_a_real_one() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!verify(&PasswordDigest::of_plain(""), NOBODY) && !verify(&PasswordDigest::of_plain("x"), "no hash"));
    }
}
