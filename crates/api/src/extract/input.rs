//! What a request carries, read and checked before any handler runs.
//!
//! Order: the values are read and checked, then the calls are counted against their limits, then a visitor's token is looked at.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use usher_domain::visitor::VisitorToken;
use usher_services::Refusal;
use usher_services::limits::Counted;
use usher_services::logins::Account;

use super::body;
use super::caller::logged_in;
use crate::access::{Access, DeclaresAccess};
use crate::middleware::Spent;
use crate::parse::query;
use crate::parse::schema::Schema;
use crate::{ApiError, Shared};
use usher_domain::match_check::{MatchPattern, check_match};

/// The most characters that an id or token in a path may have.
const PATH_LIMIT: usize = 1_024;

/// Where an input's values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the path only.
    Path,
    /// In the query.
    Query,
    /// In the path; a visitor's token is in the header `x-visitor-token`.
    VisitorHeader,
    /// In the body.
    Body,
    /// In the body; what is not there, in the query.
    BodyOrQuery,
}

/// What an operation is called with.
pub trait Input: Sized + Send {
    /// Where its values stand, apart from those in the path.
    const SOURCE: Source;

    /// Checks what was given and reads it.
    fn read(given: Value, path: &Path) -> Result<Self, ApiError>;

    /// What the call counts against: none, one or several limits.
    fn counted(&self, _address: IpAddr) -> Vec<Counted> {
        Vec::new()
    }

    /// Whether a call by a user that counts against none of its own does not count against the limit of all operations either.
    fn is_unlimited(&self) -> bool {
        false
    }
}

/// An operation that is called with nothing.
impl Input for () {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, _: &Path) -> Result<(), ApiError> {
        Ok(())
    }
}

/// Nothing but the `id` in the path.
pub struct IdPath(
    /// The id; empty, and so nobody's, if it cannot be one.
    pub String,
);

impl Input for IdPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<IdPath, ApiError> {
        Ok(IdPath(path.get("id")))
    }
}

/// An input that carries a visitor's token.
pub trait VisitorInput: Input {
    /// The token as given.
    fn token(&self) -> &str;

    /// What is answered to a token that cannot be anybody's.
    fn nobody() -> ApiError {
        ApiError::plain(Refusal::InvalidToken.code())
    }
}

/// The values in a request's path.
pub struct Path(Vec<(String, String)>);

impl Path {
    /// The value called `name`. What can be nobody's id is empty, and so selects nothing.
    pub fn get(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let can_be = |value: &&str| !value.contains('\0') && value.chars().nth(PATH_LIMIT).is_none();
        found.filter(can_be).unwrap_or_default().to_owned()
    }

    async fn of(parts: &mut Parts) -> Path {
        // What is no UTF-8 is nobody's id.
        let found = RawPathParams::from_request_parts(parts, &()).await.ok();
        let values = found.iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Path(values.collect())
    }
}

/// A call that anybody may make.
pub struct Public<I> {
    /// What it is called with.
    pub input: I,
    /// From where.
    pub address: IpAddr,
    /// The head of the request.
    pub head: Parts,
}

impl<I> DeclaresAccess for Public<I> {
    const ACCESS: Access = Access::Public;
}

impl<I: Input> FromRequest<Shared> for Public<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Public<I>, ApiError> {
        let (head, input) = read::<I>(request).await?;
        let address = api.proxies.client_of(&head);
        count_all(api, &head, input.counted(address))?;
        Ok(Public { input, address, head })
    }
}

/// A call that anybody may make and that is answered otherwise if a user makes it.
pub struct Anyone<I> {
    /// The user, if the request's headers carry a login.
    pub account: Option<Account>,
    /// The call.
    pub call: Public<I>,
}

impl<I> DeclaresAccess for Anyone<I> {
    const ACCESS: Access = Access::Public;
}

impl<I: Input> FromRequest<Shared> for Anyone<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Anyone<I>, ApiError> {
        let account = logged_in(request.headers(), api).await?;
        Ok(Anyone { account, call: Public::from_request(request, api).await? })
    }
}

/// A call by somebody who presents a visitor's token. Whether anybody has that token is for the use case to say, in the transaction
/// that does the work.
pub struct Visitor<I> {
    /// The token.
    pub token: VisitorToken,
    /// What it is called with.
    pub input: I,
    /// The head of the request.
    pub head: Parts,
}

impl<I> DeclaresAccess for Visitor<I> {
    const ACCESS: Access = Access::Visitor;
}

impl<I: VisitorInput> FromRequest<Shared> for Visitor<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Visitor<I>, ApiError> {
        let (head, input) = read::<I>(request).await?;
        count_all(api, &head, input.counted(api.proxies.client_of(&head)))?;
        let token = VisitorToken::new(input.token()).ok_or_else(I::nobody)?;
        Ok(Visitor { token, input, head })
    }
}

/// Reads and checks what a request carries.
pub(super) async fn read<I: Input>(request: Request) -> Result<(Parts, I), ApiError> {
    let (mut head, body) = request.into_parts();
    let path = Path::of(&mut head).await;
    let given = match I::SOURCE {
        Source::Path => Value::Object(Map::new()),
        Source::VisitorHeader => json!({"token": visitor_token(&head)}),
        Source::Query => Value::Object(in_query(&head)?),
        Source::Body => body::read(&head.headers, body).await?,
        Source::BodyOrQuery => {
            let mut given = body::read(&head.headers, body).await?;
            if let Value::Object(members) = &mut given {
                for (name, value) in in_query(&head)? {
                    members.entry(name).or_insert(value);
                }
            }
            given
        }
    };
    Ok((head, I::read(given, &path)?))
}

/// The token in the header of a visitor's request; empty if there is none.
fn visitor_token(head: &Parts) -> &str {
    head.headers.get("x-visitor-token").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn in_query(head: &Parts) -> Result<Map<String, Value>, ApiError> {
    query::parse(head.uri.query().unwrap_or_default()).map_err(|error| ApiError::mismatch(error.to_string()))
}

/// Counts the call against all of these limits.
pub(super) fn count_all(api: &Shared, head: &Parts, counted: Vec<Counted>) -> Result<(), ApiError> {
    counted.into_iter().try_for_each(|counted| count(api, head, counted))
}

/// Counts the call against a limit; how much is left is noted for the answer's headers.
pub(super) fn count(api: &Shared, head: &Parts, (limit, whom): Counted) -> Result<(), ApiError> {
    let Some(limits) = &api.services.limits else { return Ok(()) };
    let counted = limits.count(limit, &whom, &api.services.platform().settings);
    let allowance = counted.as_ref().map_or_else(|exceeded| Some(exceeded.allowance), |allowance| *allowance);
    if let (Some(spent), Some(allowance)) = (head.extensions.get::<Spent>(), allowance) {
        spent.note(allowance);
    }
    counted.map(|_| ()).map_err(ApiError::TooMany)
}

/// Checks `given` against a schema of the older registration and reads it.
pub fn legacy<I: DeserializeOwned>(schema: &Schema, given: Value) -> Result<I, ApiError> {
    typed(schema.check(given).map_err(ApiError::legacy_parameters)?)
}

/// Checks a query against a schema of the newer registration and reads it.
pub fn typed_query<I: DeserializeOwned>(schema: &Schema, given: Value) -> Result<I, ApiError> {
    typed(schema.check(given).map_err(ApiError::typed_query)?)
}

/// Checks a body against a schema of the newer registration and reads it.
pub fn typed_body<I: DeserializeOwned>(schema: &Schema, given: Value) -> Result<I, ApiError> {
    typed(schema.check(given).map_err(ApiError::typed_body)?)
}

/// Checks `given` by pattern and reads it.
pub fn matching<I: DeserializeOwned>(pattern: &MatchPattern, given: Value) -> Result<I, ApiError> {
    check_match(&given, pattern, "").map_err(ApiError::mismatch)?;
    serde_json::from_value(given).map_err(|_| ApiError::broken("a pattern let through what its type does not hold"))
}

fn typed<I: DeserializeOwned>(checked: Map<String, Value>) -> Result<I, ApiError> {
    serde_json::from_value(Value::Object(checked)).map_err(|_| ApiError::broken("a schema let through what its type does not hold"))
}
