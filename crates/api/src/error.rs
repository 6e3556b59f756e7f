//! The only map from errors to HTTP.
//!
//! Texts, statuses and shapes are those that clients compare. Causes of failures of our own go to the log with the request's id,
//! never to the caller.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use usher_services::limits::Exceeded;
use usher_services::{Error, Refusal};

use crate::answer::json;

/// What somebody must be told who has to be logged in.
const LOGGED_IN: &str = "You must be logged in to do this.";

/// What somebody must be told who lacks a permission.
const NOT_PERMITTED: &str = "User does not have the permissions required for this action [error-unauthorized]";

/// What somebody must be told who asks for something that does not exist.
const NO_ENDPOINT: &str = "API endpoint does not exist";

/// Why a call did not succeed.
#[derive(Debug)]
pub enum ApiError {
    /// 400, with the text that the caller sees, the stable code of the kind of error, if it has one, and what programs need to know.
    BadRequest {
        /// The text; a few failures have none.
        error: Option<Cow<'static, str>>,
        /// The code.
        kind: Option<&'static str>,
        /// The details.
        details: Option<Value>,
    },
    /// 400: a file that is not taken, in the words that widgets look for.
    FileRefused {
        /// Why, for programs.
        reason: &'static str,
        /// The same in the long form, where there is one.
        refusal: Option<Refusal>,
    },
    /// 401: nobody is logged in.
    NotLoggedIn,
    /// 401: nobody can log in like this.
    LoginRefused(Refusal),
    /// 403: the caller lacks a permission that the operation declares.
    NotPermitted,
    /// 403: the use case says that the caller may not.
    Unauthorized,
    /// 404: there is no such record; the text says what kind.
    NotFound(Cow<'static, str>),
    /// 404: there is no such path.
    UnknownPath,
    /// 405: the path has no such method.
    UnknownMethod,
    /// 408: the body did not arrive in time.
    SlowBody,
    /// 413: the body is longer than bodies may be.
    LongBody,
    /// 429: too many calls.
    TooMany(Exceeded),
    /// 503: not at the moment; the cause is for the log.
    Unavailable(String),
    /// 500: something is broken here; the cause is for the log.
    Internal(String),
}

impl ApiError {
    /// 400 with a bare code.
    pub fn plain(code: &'static str) -> ApiError {
        ApiError::text(code)
    }

    /// 400 with a text and nothing else.
    pub fn text(error: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::BadRequest { error: Some(error.into()), kind: None, details: None }
    }

    /// 400 without a word.
    pub fn silent() -> ApiError {
        ApiError::BadRequest { error: None, kind: None, details: None }
    }

    /// 400 in the long form: `reason [code]`, or `[code]` without a reason, and the code again by itself.
    pub fn coded(code: &'static str, reason: Option<&str>) -> ApiError {
        let error = reason.map_or_else(|| format!("[{code}]"), |reason| format!("{reason} [{code}]"));
        ApiError::BadRequest { error: Some(error.into()), kind: Some(code), details: None }
    }

    /// 400 in the long form, with what programs need to know.
    fn long(refusal: &Refusal) -> ApiError {
        let error = match refusal.reason() {
            Some(reason) => format!("{reason} [{}]", refusal.code()),
            None => format!("[{}]", refusal.code()),
        };
        ApiError::BadRequest { error: Some(error.into()), kind: Some(refusal.code()), details: refusal.details() }
    }

    /// A violated schema of an operation of the older registration.
    pub fn legacy_parameters(message: String) -> ApiError {
        ApiError::coded("invalid-params", Some(&message))
    }

    /// A violated schema of the query of an operation of the newer registration.
    pub fn typed_query(message: String) -> ApiError {
        ApiError::BadRequest { error: Some(message.into()), kind: Some("error-invalid-params"), details: None }
    }

    /// A violated schema of the body of an operation of the newer registration.
    pub fn typed_body(message: String) -> ApiError {
        ApiError::BadRequest { error: Some(message.into()), kind: Some("invalid-params"), details: None }
    }

    /// A file that a visitor cannot send.
    pub fn of_file(reason: &'static str, refusal: Option<Refusal>) -> ApiError {
        ApiError::FileRefused { reason, refusal }
    }

    /// A failed pattern check.
    pub fn mismatch(message: String) -> ApiError {
        ApiError::text(message)
    }

    /// Something in here is broken.
    pub fn broken(cause: &'static str) -> ApiError {
        ApiError::Internal(cause.to_owned())
    }

    /// A refusal in the long form, where an operation uses it for what others answer with a bare code.
    pub fn in_long_form(error: Error) -> ApiError {
        match error {
            Error::Refused(refusal) => ApiError::long(&refusal),
            other => other.into(),
        }
    }

    /// What goes wrong when somebody logs in.
    pub fn of_login(error: Error) -> ApiError {
        match error {
            Error::Refused(refusal) => ApiError::LoginRefused(refusal),
            other => other.into(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            ApiError::BadRequest { .. } | ApiError::FileRefused { .. } => StatusCode::BAD_REQUEST,
            ApiError::NotLoggedIn | ApiError::LoginRefused(_) => StatusCode::UNAUTHORIZED,
            ApiError::NotPermitted | ApiError::Unauthorized => StatusCode::FORBIDDEN,
            ApiError::NotFound(_) | ApiError::UnknownPath => StatusCode::NOT_FOUND,
            ApiError::UnknownMethod => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::SlowBody => StatusCode::REQUEST_TIMEOUT,
            ApiError::LongBody => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Failed {
        match self {
            ApiError::BadRequest { error, kind, details } => {
                let error = error.as_ref().map(|error| Value::from(error.as_ref()));
                Failed { error, kind: *kind, details: details.clone(), ..Failed::default() }
            }
            ApiError::FileRefused { reason, refusal } => refused_file(reason, refusal.as_ref()),
            ApiError::NotLoggedIn => Failed { status: Some("error"), message: Some(LOGGED_IN.into()), ..Failed::new(LOGGED_IN) },
            ApiError::LoginRefused(refusal) => refused_login(refusal),
            ApiError::NotPermitted => Failed::new(NOT_PERMITTED),
            ApiError::Unauthorized => Failed::new("unauthorized"),
            ApiError::NotFound(text) => Failed::new(text.clone()),
            ApiError::UnknownPath | ApiError::UnknownMethod => {
                Failed { status: Some("error"), message: Some(NO_ENDPOINT.into()), ..Failed::new(NO_ENDPOINT) }
            }
            ApiError::SlowBody => Failed::new("request timeout"),
            ApiError::LongBody => Failed::new("request entity too large"),
            ApiError::TooMany(exceeded) => Failed::new(format!(
                "Error, too many requests. Please slow down. You must wait {} seconds before trying this endpoint again. \
                 [error-too-many-requests]",
                exceeded.seconds
            )),
            ApiError::Unavailable(_) => Failed::new("Service Unavailable"),
            ApiError::Internal(_) => Failed::new("Internal server error"),
        }
    }
}

/// The body of a refused login. The code of an unknown token is a number there.
fn refused_login(refusal: &Refusal) -> Failed {
    let error = match refusal {
        Refusal::LoggedOut => Value::from(403),
        other => Value::from(other.code()),
    };
    Failed { error: Some(error), status: Some("error"), message: refusal.reason(), details: refusal.details(), ..Failed::default() }
}

/// The body of a refused file.
fn refused_file(reason: &'static str, refusal: Option<&Refusal>) -> Failed {
    let long = refusal.map(ApiError::long).map(|error| error.body()).unwrap_or_default();
    let size_allowed = match refusal {
        Some(Refusal::FileTooLarge { most }) => Some(format!("{:.2} MB", *most as f64 / f64::from(1 << 20))),
        _ => None,
    };
    Failed { reason: Some(reason), size_allowed, ..long }
}

/// How a refusal is answered.
enum Form {
    /// The bare code.
    Code,
    /// The bare sentence.
    Sentence,
    /// Sentence and code, each by itself.
    Apart,
    /// The sentence with the code behind it, and the code again by itself.
    Long,
    /// Without a word.
    Silent,
    /// 403.
    Unauthorized,
    /// 403, in the words for a permission that an operation declares.
    NotPermitted,
    /// 404 with the bare sentence.
    NotFound,
}

fn form(refusal: &Refusal) -> Form {
    match refusal {
        Refusal::UserNotFound | Refusal::SettingType { .. } | Refusal::Mismatch(_) => Form::Sentence,
        Refusal::FieldExists | Refusal::FieldNotFound | Refusal::NoFieldToDelete | Refusal::FieldTooLong => Form::Sentence,
        Refusal::InvalidFieldValue(_) | Refusal::FieldsMissing(_) => Form::Sentence,
        Refusal::NoSuchMessage(_) | Refusal::MessageOfOtherRoom | Refusal::DeletingForAuthorNotAllowed => Form::Sentence,
        Refusal::InvalidPermission | Refusal::InvalidRole | Refusal::RoleNotFound | Refusal::RoomInfoNotAllowed => Form::Apart,
        Refusal::InvalidChannel => Form::Long,
        Refusal::ServiceLevelNotFound(_) => Form::Sentence,
        Refusal::OfflineMessage | Refusal::TakerInvalid => Form::Sentence,
        Refusal::AgentHasEnoughChats | Refusal::InvalidContact | Refusal::UnknownContact | Refusal::UnverifiedContact => Form::Long,
        Refusal::RoomOnHold | Refusal::NotReturned => Form::Long,
        Refusal::LivechatDisabled | Refusal::InvalidVisitor | Refusal::InvalidTranscriptAddress => Form::Long,
        Refusal::UnexpectedFile => Form::Long,
        Refusal::NoSuchSetting => Form::Silent,
        Refusal::Unauthorized => Form::Unauthorized,
        Refusal::NotPermitted => Form::NotPermitted,
        Refusal::NoSuchAgent | Refusal::NoSuchErasure | Refusal::NoSuchContact | Refusal::NoSuchRetentionRule => Form::NotFound,
        with_a_sentence if with_a_sentence.reason().is_some() => Form::Long,
        _ => Form::Code,
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match form(&refusal) {
            Form::Code => ApiError::plain(refusal.code()),
            Form::Sentence => ApiError::text(refusal.reason().unwrap_or_default()),
            Form::Apart => ApiError::BadRequest { error: refusal.reason(), kind: Some(refusal.code()), details: None },
            Form::Long => ApiError::long(&refusal),
            Form::Silent => ApiError::silent(),
            Form::Unauthorized => ApiError::Unauthorized,
            Form::NotPermitted => ApiError::NotPermitted,
            Form::NotFound => ApiError::NotFound(refusal.reason().unwrap_or_default()),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> ApiError {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Store(failure) if failure.is_temporary() => ApiError::Unavailable(failure.to_string()),
            Error::Storage(failure) => ApiError::Unavailable(failure.to_owned()),
            other => ApiError::Internal(other.to_string()),
        }
    }
}

/// The body of a failure.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct Failed {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// A text; only an unknown login token has the number 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(rename = "errorType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'static, str>>,
    /// Why a file was not taken, where widgets look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// How large a file may be.
    #[serde(rename = "sizeAllowed", skip_serializing_if = "Option::is_none")]
    size_allowed: Option<String>,
    /// What programs need to know.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

impl Failed {
    fn new(error: impl Into<Cow<'static, str>>) -> Failed {
        Failed { error: Some(Value::from(error.into().into_owned())), ..Failed::default() }
    }
}

/// The cause of a failure of our own, on its way to the log.
#[derive(Clone)]
pub struct Cause(
    /// The cause.
    pub String,
);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json(self.status(), &self.body()).unwrap_or_else(|_| self.status().into_response());
        match self {
            ApiError::TooMany(exceeded) => {
                let seconds = HeaderValue::from(exceeded.seconds);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            ApiError::Unavailable(cause) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response.extensions_mut().insert(Cause(cause));
            }
            ApiError::Internal(cause) => {
                response.extensions_mut().insert(Cause(cause));
            }
            ApiError::LongBody | ApiError::SlowBody => {
                // What is still on its way would be taken for the next request.
                response.headers_mut().insert(HeaderName::from_static("connection"), HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_services::StoreError;

    fn text(error: &ApiError) -> String {
        serde_json::to_string(&error.body()).unwrap()
    }

    #[test]
    fn refusals_have_their_texts() {
        let table = [
            (Refusal::InvalidToken, r#"{"success":false,"error":"invalid-token"}"#),
            (Refusal::InvalidRoom, r#"{"success":false,"error":"invalid-room"}"#),
            (Refusal::RoomClosed, r#"{"success":false,"error":"room-closed"}"#),
            (Refusal::InvalidMessage, r#"{"success":false,"error":"invalid-message"}"#),
            (Refusal::MessageTooLong, r#"{"success":false,"error":"message-length-exceeds-character-limit"}"#),
            (Refusal::ChannelBlocked, r#"{"success":false,"error":"error-contact-channel-blocked"}"#),
            (
                Refusal::LivechatDisabled,
                r#"{"success":false,"error":"[error-omnichannel-is-disabled]","errorType":"error-omnichannel-is-disabled"}"#,
            ),
            (
                Refusal::NoAgentOnline,
                r#"{"success":false,"error":"Sorry, no online agents [no-agent-online]","errorType":"no-agent-online"}"#,
            ),
            (Refusal::InvalidDepartment, r#"{"success":false,"error":"error-invalid-department"}"#),
            (
                Refusal::InvalidServiceLevel,
                r#"{"success":false,"error":"Invalid sla [error-invalid-sla]","errorType":"error-invalid-sla"}"#,
            ),
            (
                Refusal::InvalidPriority,
                r#"{"success":false,"error":"Invalid priority [error-invalid-priority]","errorType":"error-invalid-priority"}"#,
            ),
            (
                Refusal::Registration,
                r#"{"success":false,"error":"Error registering visitor [error-livechat-visitor-registration]","errorType":"error-livechat-visitor-registration"}"#,
            ),
            (
                Refusal::VisitorHasOpenRooms,
                r#"{"success":false,"error":"Cannot remove visitors with opened rooms [visitor-has-open-rooms]","errorType":"visitor-has-open-rooms"}"#,
            ),
        ];
        for (refusal, body) in table {
            let error = ApiError::from(Error::from(refusal));
            assert_eq!((text(&error).as_str(), error.status()), (body, StatusCode::BAD_REQUEST));
        }
        let logins = [
            (Refusal::WrongPassword, r#"{"success":false,"status":"error","error":"Unauthorized","message":"Unauthorized"}"#),
            (
                Refusal::LoggedOut,
                r#"{"success":false,"status":"error","error":403,"message":"You've been logged out by the server. Please log in again."}"#,
            ),
            (
                Refusal::Deactivated,
                r#"{"success":false,"status":"error","error":"error-user-is-not-activated","message":"User is not activated"}"#,
            ),
        ];
        for (refusal, body) in logins {
            let error = ApiError::of_login(refusal.into());
            assert_eq!((text(&error).as_str(), error.status()), (body, StatusCode::UNAUTHORIZED));
        }
    }

    #[test]
    fn one_refusal_has_a_long_form_as_well() {
        let error = ApiError::in_long_form(Refusal::InvalidToken.into());
        assert_eq!(text(&error), r#"{"success":false,"error":"[invalid-token]","errorType":"invalid-token"}"#);
    }

    #[test]
    fn failures_of_our_own_tell_nothing() {
        let of_store = |failure: StoreError| ApiError::from(Error::from(failure));
        let (temporary, broken) = (of_store(StoreError::Busy), of_store(StoreError::Panicked));
        assert_eq!(text(&temporary), r#"{"success":false,"error":"Service Unavailable"}"#);
        assert_eq!(text(&broken), r#"{"success":false,"error":"Internal server error"}"#);
        let response = temporary.into_response();
        assert_eq!(
            (response.status(), &response.headers()[header::RETRY_AFTER]),
            (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from(1))
        );
        assert_eq!(broken.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
