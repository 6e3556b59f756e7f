//! The one thing about passwords that is a rule of the wire: clients may send the password or its SHA-256 digest, so what is
//! hashed for storage is always the lower-case hexadecimal digest.

use sha2::{Digest, Sha256};

/// A password as far as the server ever looks at it: the hexadecimal SHA-256 digest, lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    /// The digest of a password in clear.
    pub fn of_plain(password: &str) -> PasswordDigest {
        PasswordDigest(hex::encode(Sha256::digest(password.as_bytes())))
    }

    /// The digest that a client computed itself.
    pub fn of_client(digest: &str) -> PasswordDigest {
        PasswordDigest(digest.to_ascii_lowercase())
    }

    /// The digest's characters: the input of the slow hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordDigest {
    /// Shows nothing: a digest is as good as the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_one_password_are_equal() {
        let digest = "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8";
        assert_eq!(PasswordDigest::of_plain("password"), PasswordDigest::of_client(digest));
        assert_eq!(format!("{:?}", PasswordDigest::of_plain("password")), "PasswordDigest(..)");
    }
}
