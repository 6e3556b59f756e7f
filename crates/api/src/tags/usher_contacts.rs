//! What is held on a contact: looked at, exported, kept and erased, for those who answer for it.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::receipt;
use usher_domain::time::parse_iso;
use usher_services::documents::Date;
use usher_services::held::Hold;
use utoipa::ToSchema;

use crate::access::{Delicate, EraseContacts, ExportContacts, HoldContacts};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, IdPath, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, required, text};
use crate::{ApiError, Shared};

/// What keeps a contact from being erased.
#[derive(Serialize, ToSchema)]
struct HoldDocument {
    reason: String,
    #[serde(rename = "endsAt")]
    ends_at: Date,
    /// The id of the user who placed it.
    #[serde(rename = "placedBy")]
    placed_by: String,
    #[serde(rename = "placedAt")]
    placed_at: Date,
}

impl From<Hold> for HoldDocument {
    fn from(hold: Hold) -> HoldDocument {
        let Hold { reason, ends_at, placed_by, placed_at } = hold;
        HoldDocument { reason, ends_at: Date(ends_at), placed_by, placed_at: Date(placed_at) }
    }
}

/// What is held on a contact.
#[derive(Serialize, ToSchema)]
pub struct HoldingsAnswer {
    /// How many records of each kind: what erasing would delete, and an export would show.
    #[schema(value_type = Object)]
    holdings: Map<String, Value>,
    /// How many bytes its files have.
    #[serde(rename = "fileBytes")]
    file_bytes: i64,
    /// What keeps it from being erased; null if nothing does.
    hold: Option<HoldDocument>,
}

/// What is held on a contact, counted: nothing is changed and nothing is shown of it.
#[utoipa::path(get, path = "/api/v1/usher/contacts/{id}/holdings", tag = "Usher Contacts",
    params(("id" = String, Path, description = "The contact")), responses(
    (status = 200, body = Succeeded<HoldingsAnswer>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn holdings(State(api): State<Shared>, caller: Caller<ExportContacts, IdPath>) -> Answer {
    let held = api.services.holdings(caller.input.0).await?;
    let holdings = held.rows.into_iter().map(|(table, rows)| (table.to_owned(), rows.into())).collect();
    success(HoldingsAnswer { holdings, file_bytes: held.file_bytes, hold: held.hold.map(HoldDocument::from) })
}

/// All that is held on a contact, as a ZIP file: a file with a JSON object in each line for every kind of record, and the files of its chats.
#[utoipa::path(post, path = "/api/v1/usher/contacts/{id}/export", tag = "Usher Contacts",
    params(("id" = String, Path, description = "The contact")), responses(
    (status = 200, body = Vec<u8>, content_type = "application/zip"),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn export(State(api): State<Shared>, caller: Caller<Delicate<ExportContacts>, IdPath>) -> Result<Response, ApiError> {
    let pieces = api.services.export_contact(caller.input.0).await?;
    const HEADERS: [(HeaderName, HeaderValue); 2] = [
        (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"export.zip\"")),
    ];
    Ok((HEADERS, Body::from_stream(pieces.map_err(std::io::Error::other))).into_response())
}

static ERASE: Schema = Schema::closed(&[required("reason", Kind::OneOf(&receipt::REASONS))]);

/// Why a contact is erased.
#[derive(Deserialize, ToSchema)]
pub struct EraseContactBody {
    /// `asked-for`, `consent-withdrawn`, `objection`, `no-longer-needed`, `processed-unlawfully` or `legal-obligation`. Words of one's own
    /// could name the person, and would stay.
    reason: String,
    #[serde(skip)]
    #[schema(ignore)]
    contact_id: String,
}

impl Input for EraseContactBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<EraseContactBody, ApiError> {
        let body: EraseContactBody = typed_body(&ERASE, given)?;
        Ok(EraseContactBody { contact_id: path.get("id"), ..body })
    }
}

/// What was erased.
#[derive(Serialize, ToSchema)]
pub struct EraseContactAnswer {
    /// The ids of the erasures, one for each visitor of the contact.
    erasures: Vec<String>,
}

/// Erases a contact with all of its visitors and chats, open ones too.
#[utoipa::path(post, path = "/api/v1/usher/contacts/{id}/erase", tag = "Usher Contacts",
    params(("id" = String, Path, description = "The contact")), request_body = EraseContactBody, responses(
    (status = 200, body = Succeeded<EraseContactAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn erase(State(api): State<Shared>, caller: Caller<Delicate<EraseContacts>, EraseContactBody>) -> Answer {
    let EraseContactBody { reason, contact_id } = caller.input;
    let reason = receipt::reason(&reason).ok_or_else(|| ApiError::broken("a schema let through what is no reason"))?;
    success(EraseContactAnswer { erasures: api.services.erase_contact(contact_id, reason).await? })
}

static HOLD: Schema = Schema::closed(&[required("reason", text(1_024)), required("endsAt", text(64))]);

/// Why and until when a contact is kept.
#[derive(Deserialize, ToSchema)]
pub struct HoldBody {
    /// Why.
    reason: String,
    /// Until when: ISO 8601.
    #[serde(rename = "endsAt")]
    ends_at: String,
    #[serde(skip)]
    #[schema(ignore)]
    contact_id: String,
}

impl Input for HoldBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<HoldBody, ApiError> {
        let body: HoldBody = typed_body(&HOLD, given)?;
        if body.reason.trim().is_empty() {
            return Err(ApiError::typed_body("must have a reason".to_owned()));
        }
        Ok(HoldBody { contact_id: path.get("id"), ..body })
    }
}

/// The hold that was placed.
#[derive(Serialize, ToSchema)]
pub struct HoldAnswer {
    hold: HoldDocument,
}

/// Keeps a contact from being erased by anybody until a day to come.
#[utoipa::path(post, path = "/api/v1/usher/contacts/{id}/hold", tag = "Usher Contacts",
    params(("id" = String, Path, description = "The contact")), request_body = HoldBody, responses(
    (status = 200, body = Succeeded<HoldAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn hold(State(api): State<Shared>, caller: Caller<Delicate<HoldContacts>, HoldBody>) -> Answer {
    let HoldBody { reason, ends_at, contact_id } = caller.input;
    let unreadable = || ApiError::typed_body("must match format \"date-time\"".to_owned());
    let ends_at = parse_iso(&ends_at).ok_or_else(unreadable)?;
    let hold = api.services.hold_contact(contact_id, reason, ends_at, caller.account.user.id).await?;
    success(HoldAnswer { hold: hold.into() })
}

/// Lets a contact be erased again.
#[utoipa::path(delete, path = "/api/v1/usher/contacts/{id}/hold", tag = "Usher Contacts",
    params(("id" = String, Path, description = "The contact")), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn lift(State(api): State<Shared>, caller: Caller<Delicate<HoldContacts>, IdPath>) -> Answer {
    api.services.lift_hold(caller.input.0).await?;
    success(Done {})
}
