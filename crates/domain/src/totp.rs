//! Time-based codes as a second factor: six digits of SHA-1, a new code every 30 seconds, as authenticator programs make them.

use totp_rs::{Builder, Secret};

use crate::Random;

/// How many seconds a code lasts.
const STEP: u64 = 30;

/// The digits of a code.
const DIGITS: u8 = 6;

/// The length of a secret in bytes.
const SECRET_LENGTH: usize = 20;

/// A secret that an authenticator program shares.
#[derive(Clone)]
pub struct TotpSecret(Secret);

impl TotpSecret {
    /// A new secret.
    pub fn generate(random: &dyn Random) -> TotpSecret {
        let mut bytes = [0; SECRET_LENGTH];
        random.fill(&mut bytes);
        TotpSecret(Secret::from(bytes.to_vec()))
    }

    /// The secret in Base32, or `None` if it is none.
    pub fn from_base32(text: &str) -> Option<TotpSecret> {
        Secret::try_from_base32(text).ok().map(TotpSecret)
    }

    /// The secret in Base32.
    pub fn to_base32(&self) -> String {
        self.0.to_base32()
    }

    /// The address that authenticator programs read as a picture.
    pub fn address(&self, username: &str) -> String {
        format!("otpauth://totp/Usher:{username}?secret={}&issuer=Usher", self.to_base32())
    }

    /// Whether `code` is the one of the moment `now` (milliseconds UTC), or of one of the `tolerance` steps before or after.
    pub fn accepts(&self, code: &str, now: i64, tolerance: u16) -> bool {
        let totp =
            Builder::new().with_secret(self.0.clone()).with_digits(DIGITS).with_step_duration(STEP).with_skew(tolerance).build();
        let seconds = u64::try_from(now / 1_000).unwrap_or_default();
        totp.is_ok_and(|totp| totp.check(code, seconds).is_some())
    }
}

impl std::fmt::Debug for TotpSecret {
    /// Shows nothing: whoever knows the secret has the second factor.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TotpSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the examples of RFC 6238.
    const EXAMPLE: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_examples_of_the_standard_are_accepted() {
        let secret = TotpSecret::from_base32(EXAMPLE).unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert!(secret.accepts(code, seconds * 1_000, 0), "{seconds}");
            assert!(!secret.accepts("000000", seconds * 1_000, 0), "{seconds}");
        }
        assert_eq!(secret.to_base32(), EXAMPLE);
    }

    #[test]
    fn a_code_lasts_as_long_as_is_tolerated() {
        let secret = TotpSecret::from_base32(EXAMPLE).unwrap();
        assert!(!secret.accepts("287082", 60_000, 0) && secret.accepts("287082", 60_000, 1));
        assert!(secret.accepts("287082", 29_000, 1) && !secret.accepts("287082", 90_000, 1));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let secret = TotpSecret::from_base32(EXAMPLE).unwrap();
        for code in ["", "28708", "2870820", "abcdef", "28708２"] {
            assert!(!secret.accepts(code, 59_000, 1), "{code}");
        }
        assert!(TotpSecret::from_base32("not base32!").is_none());
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
    }
}
