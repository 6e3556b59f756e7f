//! What was erased, with signed receipts of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use usher_domain::receipt::{ErasureState, NotReached, Receipt, signed_bytes};
use usher_store::q;
use usher_store::q::erasures::Erasure;
pub use usher_store::q::receipt_keys::ReceiptKey;

use crate::{Error, Refusal, Services};

/// A receipt with its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedReceipt {
    /// The receipt as a document.
    pub receipt: Value,
    /// The signature of its bytes, in base64.
    pub signature: String,
    /// The key that verifies it.
    pub key: ReceiptKey,
}

/// The keys by which receipts can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKeys {
    /// The one that this process signs with.
    pub current: ReceiptKey,
    /// All that there ever were, this one included, the oldest first.
    pub all: Vec<ReceiptKey>,
}

impl Services {
    /// A page of all erasures, the newest first, as receipts, and how many there are.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn erasures(&self, offset: i64, count: Option<i64>) -> Result<(Vec<Value>, i64), Error> {
        let (found, total) = self.store.read(move |tx| q::erasures::list(tx, offset, count).map_err(Error::from)).await?;
        Ok((found.iter().map(|erasure| self.receipt_of(erasure).document()).collect(), total))
    }

    /// The signed receipt of an erasure, as far as it is by now.
    ///
    /// # Errors
    ///
    /// There is no such erasure.
    pub async fn receipt(&self, erasure_id: String) -> Result<SignedReceipt, Error> {
        let found = self.store.read(move |tx| q::erasures::by_id(tx, &erasure_id).map_err(Error::from)).await?;
        let receipt = self.receipt_of(&found.ok_or(Refusal::NoSuchErasure)?).document();
        let signature = STANDARD.encode(self.outside.signer.sign(&signed_bytes(&receipt)));
        Ok(SignedReceipt { receipt, signature, key: self.receipt_keys().await?.current })
    }

    /// The keys by which receipts can be verified.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn receipt_keys(&self) -> Result<ReceiptKeys, Error> {
        let public_key = self.outside.signer.public_key();
        let all = self.store.read(|tx| q::receipt_keys::all(tx).map_err(Error::from)).await?;
        let current = all.iter().find(|key| key.public_key == public_key).cloned();
        Ok(ReceiptKeys { current: current.ok_or(Error::Broken("the key of receipts is not known"))?, all })
    }

    /// For the start: makes the key of this process known, so that its receipts can be verified when it has another one.
    pub(crate) async fn publish_receipt_key(&self) -> Result<(), Error> {
        let signer = &self.outside.signer;
        let key = ReceiptKey { id: signer.key_id(), public_key: signer.public_key(), since: self.now() };
        self.store.write(move |tx| q::receipt_keys::add(tx, &key).map_err(Error::from)).await
    }

    fn receipt_of(&self, erasure: &Erasure) -> Receipt {
        let counts = &erasure.counts;
        let state = match (erasure.erased_at, erasure.sealed_at) {
            (_, Some(_)) => ErasureState::Sealed,
            (Some(_), None) => ErasureState::Erased,
            (None, None) => ErasureState::Requested,
        };
        let keeps_versions = counts.files > 0 && self.outside.storage.as_ref().is_some_and(|storage| storage.is_shared());
        let not_reached = [
            (counts.mails_sent > 0).then_some((NotReached::MailSent, Some(counts.mails_sent))),
            self.store.keeps_dead_space().then_some((NotReached::DatabaseDeadSpace, None)),
            keeps_versions.then_some((NotReached::BucketVersions, None)),
            Some((NotReached::ExternalBackups, None)),
        ];
        Receipt {
            id: erasure.id.clone(),
            state,
            actor: erasure.actor.clone(),
            reason: erasure.reason.clone(),
            requested_at: erasure.requested_at,
            erased_at: erasure.erased_at,
            sealed_at: erasure.sealed_at,
            counts: vec![
                ("visitors", counts.visitors),
                ("contacts", counts.contacts),
                ("rooms", counts.rooms),
                ("messages", counts.messages),
                ("files", counts.files),
                ("changes", counts.changes),
                ("others", counts.others),
            ],
            not_reached: not_reached.into_iter().flatten().collect(),
        }
    }
}
