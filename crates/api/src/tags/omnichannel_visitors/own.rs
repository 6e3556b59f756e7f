//! Omnichannel visitors: registering, reading and erasing oneself.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::visitor::{Connection, VisitorToken};
use usher_services::custom_fields::GivenValue;
use usher_services::documents::{Date, VisitorDocument};
use usher_services::limits::{Counted, Limit};
use usher_services::visitors::{Registered, Registration};
use utoipa::ToSchema;

use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Input, Path, Public, Source, Visitor, VisitorInput, matching};

use crate::{ApiError, Shared};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};

/// The most characters of a request header that are kept.
const HEADER_LIMIT: usize = 512;

static CUSTOM_FIELD: MatchPattern = MatchPattern::open(&[
    MatchField::required("key", MatchKind::Text(256)),
    MatchField::required("value", MatchKind::Text(4_096)),
    MatchField::optional("overwrite", MatchKind::Boolean),
]);

static VISITOR: MatchPattern = MatchPattern::open(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::optional("id", MatchKind::Text(128)),
    MatchField::optional("name", MatchKind::Text(512)),
    MatchField::optional("email", MatchKind::Text(320)),
    MatchField::optional("phone", MatchKind::Text(128)),
    MatchField::optional("username", MatchKind::Text(256)),
    MatchField::optional("department", MatchKind::Text(128)),
    MatchField::optional("customFields", MatchKind::List(&CUSTOM_FIELD)),
]);

static REGISTRATION: MatchPattern = MatchPattern::open(&[MatchField::required("visitor", MatchKind::Object(&VISITOR))]);

/// Who registers.
#[derive(Deserialize, ToSchema)]
pub struct RegistrationBody {
    visitor: RegistrationMembers,
}

/// What a visitor says of itself. Members that are not named here are ignored.
#[derive(Deserialize, ToSchema)]
struct RegistrationMembers {
    /// Chosen by the client; the visitor's only credential.
    token: String,
    /// The id of a new visitor.
    id: Option<String>,
    /// The display name.
    name: Option<String>,
    /// The e-mail address.
    email: Option<String>,
    /// The phone number.
    phone: Option<String>,
    /// The user name of a new visitor.
    username: Option<String>,
    /// The id or name of a department.
    department: Option<String>,
    /// Values of custom fields. Fields that do not exist are skipped.
    #[serde(rename = "customFields")]
    custom_fields: Option<Vec<GivenField>>,
}

/// A value of a custom field.
#[derive(Deserialize, ToSchema)]
struct GivenField {
    /// The id of the field.
    key: String,
    /// The value.
    value: String,
    /// Whether it takes the place of one that is there already.
    overwrite: Option<bool>,
}

impl From<GivenField> for GivenValue {
    fn from(given: GivenField) -> GivenValue {
        GivenValue { key: given.key, value: given.value, overwrite: given.overwrite.unwrap_or_default() }
    }
}

impl Input for RegistrationBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RegistrationBody, ApiError> {
        matching(&REGISTRATION, given)
    }

    fn counted(&self, address: IpAddr) -> Vec<Counted> {
        vec![(Limit::RegistrationsPerToken, self.visitor.token.clone()), (Limit::RegistrationsPerAddress, address.to_string())]
    }
}

#[derive(Serialize, ToSchema)]
pub struct VisitorAnswer<'a> {
    visitor: VisitorDocument<'a>,
}

/// Registers the holder of a token, or changes what is known of a registered one.
#[utoipa::path(post, path = "/api/v1/livechat/visitor", tag = "Omnichannel Visitors", request_body = RegistrationBody, responses(
    (status = 200, body = Succeeded<VisitorAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn register(State(api): State<Shared>, call: Public<RegistrationBody>) -> Answer {
    let said = call.input.visitor;
    let empty = || ApiError::coded("error-invalid-token", Some("Token cannot be empty"));
    let token = VisitorToken::new(said.token).ok_or_else(empty)?;
    let registration = Registration {
        id: said.id,
        name: said.name,
        email: said.email,
        phone: said.phone,
        username: said.username,
        department: said.department,
        custom_fields: said.custom_fields.unwrap_or_default().into_iter().map(GivenValue::from).collect(),
        connection: connection_of(&call.head, call.address),
    };
    let Registered { visitor, token } = api.services.register_visitor(token, registration).await?;
    success(VisitorAnswer { visitor: VisitorDocument::with_contact(&visitor, &token) })
}

/// What a request's headers say of its sender.
fn connection_of(head: &Parts, address: IpAddr) -> Connection {
    let header = |name: &str| {
        let text = head.headers.get(name)?.to_str().ok()?;
        Some(text.chars().take(HEADER_LIMIT).collect())
    };
    Connection { user_agent: header("user-agent"), ip: Some(address.to_string()), host: header("host") }
}

/// The token in the path, for reading.
pub struct VisitorPath {
    token: String,
}

impl Input for VisitorPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<VisitorPath, ApiError> {
        Ok(VisitorPath { token: path.get("token") })
    }
}

impl VisitorInput for VisitorPath {
    fn token(&self) -> &str {
        &self.token
    }

    fn nobody() -> ApiError {
        ApiError::coded("invalid-token", None)
    }
}

/// The visitor whose token this is.
#[utoipa::path(get, path = "/api/v1/livechat/visitor/{token}", tag = "Omnichannel Visitors",
    params(("token" = String, Path, description = "The visitor's token")), responses(
    (status = 200, body = Succeeded<VisitorAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn visitor(State(api): State<Shared>, call: Visitor<VisitorPath>) -> Answer {
    let visitor = api.services.visitor(call.token.clone()).await.map_err(ApiError::in_long_form)?;
    success(VisitorAnswer { visitor: VisitorDocument::for_visitor(&visitor, call.token.as_str()) })
}

/// The token in the path, for erasing.
pub struct ErasurePath(VisitorPath);

impl Input for ErasurePath {
    const SOURCE: Source = Source::Path;

    fn read(given: Value, path: &Path) -> Result<ErasurePath, ApiError> {
        VisitorPath::read(given, path).map(ErasurePath)
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Erasures, self.0.token.clone())]
    }
}

impl VisitorInput for ErasurePath {
    fn token(&self) -> &str {
        self.0.token()
    }

    fn nobody() -> ApiError {
        VisitorPath::nobody()
    }
}

#[derive(Serialize, ToSchema)]
pub struct ErasureAnswer {
    visitor: ErasedVisitor,
}

#[derive(Serialize, ToSchema)]
struct ErasedVisitor {
    /// The id of the visitor who is gone.
    #[serde(rename = "_id")]
    id: String,
    /// When the last row was gone.
    ts: Date,
}

/// Erases the visitor whose token this is, with everything that belongs to it; answers when the last row is gone.
#[utoipa::path(delete, path = "/api/v1/livechat/visitor/{token}", tag = "Omnichannel Visitors",
    params(("token" = String, Path, description = "The visitor's token")), responses(
    (status = 200, body = Succeeded<ErasureAnswer>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn erase(State(api): State<Shared>, call: Visitor<ErasurePath>) -> Answer {
    let erased = api.services.erase_visitor(call.token).await.map_err(ApiError::in_long_form)?;
    success(ErasureAnswer { visitor: ErasedVisitor { id: erased.visitor_id, ts: Date(erased.at) } })
}

static STATUS: MatchPattern = MatchPattern::closed(&[
    MatchField::required("token", MatchKind::Text(1_024)),
    MatchField::required("status", MatchKind::Text(128)),
]);

/// Whether a visitor is there.
#[derive(Deserialize, ToSchema)]
pub struct VisitorStatusBody {
    /// The visitor's token.
    token: String,
    /// `online`, `away`, `busy`, `offline`, or whatever the client says.
    status: String,
}

impl Input for VisitorStatusBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<VisitorStatusBody, ApiError> {
        matching(&STATUS, given)
    }

    fn counted(&self, _: IpAddr) -> Vec<Counted> {
        vec![(Limit::Signals, format!("{} status", self.token))]
    }
}

impl VisitorInput for VisitorStatusBody {
    fn token(&self) -> &str {
        &self.token
    }

    fn nobody() -> ApiError {
        VisitorPath::nobody()
    }
}

#[derive(Serialize, ToSchema)]
pub struct VisitorStatusAnswer<'a> {
    token: &'a str,
    status: &'a str,
}

/// Says in a visitor's open rooms whether it is there.
#[utoipa::path(post, path = "/api/v1/livechat/visitor.status", tag = "Omnichannel Visitors", request_body = VisitorStatusBody,
    responses(
    (status = 200, body = Succeeded<VisitorStatusAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_status(State(api): State<Shared>, call: Visitor<VisitorStatusBody>) -> Answer {
    api.services.set_visitor_status(call.token, call.input.status.clone()).await.map_err(ApiError::in_long_form)?;
    success(VisitorStatusAnswer { token: &call.input.token, status: &call.input.status })
}

/// The same under the name that some clients call it by.
#[utoipa::path(post, path = "/api/v1/livechat/visitors.status", tag = "Omnichannel Visitors", request_body = VisitorStatusBody,
    responses(
    (status = 200, body = Succeeded<VisitorStatusAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_status_by_another_name(api: State<Shared>, call: Visitor<VisitorStatusBody>) -> Answer {
    set_status(api, call).await
}
