//! The key that receipts are signed with: a file of its own beside the data, in no backup.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};
use usher_domain::Random;
use usher_services::ports::Signer;

/// The file in the data folder.
const FILE: &str = "receipt-key";

/// Why there is no key. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key of receipts in {0} cannot be used: {1}")]
    File(String, std::io::Error),
    /// The file holds something else.
    #[error("{0} is no key of receipts: remove it, and the next start makes a new one")]
    Content(String),
}

/// A key in a file that only its owner may read.
pub struct KeyFile(SigningKey);

impl KeyFile {
    /// The key in the data folder, made if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or made, or holds something else.
    pub fn open(data: &Path, random: &dyn Random) -> Result<KeyFile, KeyError> {
        let path = data.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => KeyFile::read(&text).ok_or_else(|| KeyError::Content(path.display().to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => KeyFile::make(data, &path, random),
            Err(error) => Err(unusable(&path, error)),
        }
    }

    /// The key in the data folder, if there is one.
    pub fn existing(data: &Path) -> Option<KeyFile> {
        std::fs::read_to_string(data.join(FILE)).ok().and_then(|text| KeyFile::read(&text))
    }

    /// Puts a new key in place of the one in the data folder. What that one signed can be verified as before, by its public half.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub fn rotate(data: &Path, random: &dyn Random) -> Result<KeyFile, KeyError> {
        KeyFile::make(data, &data.join(FILE), random)
    }

    fn read(text: &str) -> Option<KeyFile> {
        let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
        Some(KeyFile(SigningKey::from_bytes(&bytes)))
    }

    /// Makes a key: whole in a file beside, which then takes the place.
    fn make(data: &Path, path: &Path, random: &dyn Random) -> Result<KeyFile, KeyError> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let beside = PathBuf::from(format!("{}.new", path.display()));
        let write = || {
            std::fs::create_dir_all(data)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            writeln!(file, "{}", STANDARD.encode(bytes))?;
            file.sync_all()?;
            std::fs::rename(&beside, path)
        };
        write().map_err(|error| unusable(path, error))?;
        Ok(KeyFile(SigningKey::from_bytes(&bytes)))
    }
}

fn unusable(path: &Path, error: std::io::Error) -> KeyError {
    KeyError::File(path.display().to_string(), error)
}

impl Signer for KeyFile {
    fn public_key(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    fn key_id(&self) -> String {
        hex::encode(&Sha256::digest(self.0.verifying_key().as_bytes())[..8])
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

/// Whether `signature` is that of `bytes` by the key whose public half this is; both in base64. What cannot be read is none.
pub fn is_signed(bytes: &[u8], signature: &str, public_key: &str) -> bool {
    let key = STANDARD.decode(public_key).ok().and_then(|bytes| VerifyingKey::try_from(bytes.as_slice()).ok());
    let signature = STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify(bytes, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_changed_only_on_purpose() {
        let folder = std::env::temp_dir().join(format!("usher-key-{}", std::process::id()));
        let first = KeyFile::open(&folder, &SystemRandom).expect("a key is made");
        let mode = std::fs::metadata(folder.join(FILE)).expect("it is a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
        let again = KeyFile::open(&folder, &SystemRandom).expect("the key is there");
        assert_eq!((first.public_key(), first.key_id()), (again.public_key(), again.key_id()));
        let other = KeyFile::rotate(&folder, &SystemRandom).expect("a key is made");
        assert_ne!(other.key_id(), first.key_id());
        let signature = STANDARD.encode(first.sign(b"words"));
        assert!(is_signed(b"words", &signature, &first.public_key()), "the former key verifies what it signed");
        for (bytes, signature, key) in [
            (&b"other words"[..], signature.as_str(), first.public_key()),
            (b"words", &STANDARD.encode(first.sign(b"other words")), first.public_key()),
            (b"words", &signature, other.public_key()),
            (b"words", "no signature", first.public_key()),
            (b"words", &signature, "no key".to_owned()),
            (b"words", "", String::new()),
        ] {
            assert!(!is_signed(bytes, signature, &key), "{signature} {key}");
        }
        std::fs::write(folder.join(FILE), "words").expect("a file can be written");
        assert!(matches!(KeyFile::open(&folder, &SystemRandom), Err(KeyError::Content(_))));
        std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
}
