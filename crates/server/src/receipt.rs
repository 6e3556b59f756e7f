//! Receipts of erasures without the server: verifying one, and changing the key that signs them.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use usher_adapters::{KeyFile, SystemRandom, is_signed};
use usher_config::Config;
use usher_domain::receipt::signed_bytes;
use usher_services::ports::Signer;

use crate::folder_lock::FolderLock;

/// Verifies the receipt in `file`, as `usher/erasures/{id}` answers it, by the public key `key`. Needs no server, no data and no network.
///
/// # Errors
///
/// The file is no receipt, or was not signed by this key as it stands.
pub fn verify(file: &Path, key: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let answer: Value = serde_json::from_str(&text).with_context(|| format!("{} is no receipt", file.display()))?;
    let (receipt, signature) = (&answer["receipt"], answer["signature"].as_str());
    let signature = signature.with_context(|| format!("{} is no receipt: it has no signature", file.display()))?;
    anyhow::ensure!(
        is_signed(&signed_bytes(receipt), signature, key),
        "the receipt was not signed by this key, or was changed afterwards: do not rely on it"
    );
    let said = |member: &str| receipt[member].as_str().unwrap_or("not yet").to_owned();
    println!("The receipt is genuine. Erasure {} is {}; sealed: {}.", said("_id"), said("state"), said("sealedAt"));
    Ok(())
}

/// Puts a new key in place of the one in use. Receipts that were signed before are verified by the former public key, which stays listed.
///
/// # Errors
///
/// A server uses the folder, or the key cannot be written.
pub fn rotate_key(config: &Config) -> anyhow::Result<()> {
    let _lock = FolderLock::take(&config.data)?;
    let key = KeyFile::rotate(&config.data, &SystemRandom)?;
    println!("Receipts are signed by key {} from the next start on: {}", key.key_id(), key.public_key());
    Ok(())
}

/// The public key of the data folder, if it has one by now.
pub fn public_key(config: &Config) -> Option<String> {
    KeyFile::existing(&config.data).map(|key| key.public_key())
}
