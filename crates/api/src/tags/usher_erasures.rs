//! What was erased, for those who have to account for it.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::documents::Date;
use usher_services::receipts::ReceiptKey;
use utoipa::{IntoParams, ToSchema};

use crate::access::ViewErasureReceipts;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, IdPath, Input, Path, Source, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::Schema;
use crate::{ApiError, Shared};

static LIST: Schema = Schema::closed(&[]).paged();

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ErasuresQuery {
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for ErasuresQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ErasuresQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

/// A page of receipts.
#[derive(Serialize, ToSchema)]
pub struct ErasuresAnswer {
    /// Each with `_id`, `state` (`requested`, `erased` or `sealed`), `actor`, `requestedAt`, `erasedAt`, `sealedAt`, how many of each class
    /// were `erased`, and what was `notReached`.
    #[schema(value_type = Vec<Object>)]
    erasures: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// All erasures, the newest first: what was done and how far it is, and nothing of whom.
#[utoipa::path(get, path = "/api/v1/usher/erasures", tag = "Usher Erasures", params(paging::Parameters), responses(
    (status = 200, body = Succeeded<ErasuresAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewErasureReceipts, ErasuresQuery>) -> Answer {
    let page = caller.input.paging.page(&api.services.platform().settings)?;
    let (erasures, total) = api.services.erasures(page.offset, page.count).await?;
    success(ErasuresAnswer { count: erasures.len(), erasures, offset: page.offset, total })
}

/// A key by which receipts are verified.
#[derive(Serialize, ToSchema)]
struct KeyDocument {
    #[serde(rename = "_id")]
    id: String,
    /// Always `Ed25519`.
    algorithm: &'static str,
    /// The key, in base64.
    #[serde(rename = "publicKey")]
    public_key: String,
    /// Since when receipts are signed with it.
    since: Date,
}

impl From<ReceiptKey> for KeyDocument {
    fn from(key: ReceiptKey) -> KeyDocument {
        KeyDocument { id: key.id, algorithm: "Ed25519", public_key: key.public_key, since: Date(key.since) }
    }
}

/// A receipt with its signature.
#[derive(Serialize, ToSchema)]
pub struct ReceiptAnswer {
    /// The receipt. What is signed are its members in the order of their names, as JSON without spaces.
    #[schema(value_type = Object)]
    receipt: Value,
    /// The signature, in base64.
    signature: String,
    /// The key that verifies it.
    key: KeyDocument,
}

/// The signed receipt of an erasure.
#[utoipa::path(get, path = "/api/v1/usher/erasures/{id}", tag = "Usher Erasures",
    params(("id" = String, Path, description = "The erasure")), responses(
    (status = 200, body = Succeeded<ReceiptAnswer>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn receipt(State(api): State<Shared>, caller: Caller<ViewErasureReceipts, IdPath>) -> Answer {
    let signed = api.services.receipt(caller.input.0).await?;
    success(ReceiptAnswer { receipt: signed.receipt, signature: signed.signature, key: signed.key.into() })
}

/// The keys of receipts.
#[derive(Serialize, ToSchema)]
pub struct KeysAnswer {
    /// The one in use.
    key: KeyDocument,
    /// All that there ever were, the oldest first.
    keys: Vec<KeyDocument>,
}

/// The keys by which receipts are verified, former ones as well.
#[utoipa::path(get, path = "/api/v1/usher/erasures/key", tag = "Usher Erasures", responses(
    (status = 200, body = Succeeded<KeysAnswer>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn key(State(api): State<Shared>, _caller: Caller<ViewErasureReceipts>) -> Answer {
    let keys = api.services.receipt_keys().await?;
    success(KeysAnswer { key: keys.current.into(), keys: keys.all.into_iter().map(KeyDocument::from).collect() })
}
