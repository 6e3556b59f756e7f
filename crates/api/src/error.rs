//! The only map from errors to HTTP.
//!
//! Texts, statuses and shapes are those that clients compare. Causes of failures of our own go to the log with the request's id,
//! never to the caller.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use usher_services::{Error, Refusal};

use crate::answer::json;
use crate::limits::Exceeded;

/// What somebody must be told who has to be logged in.
const LOGGED_IN: &str = "You must be logged in to do this.";

/// What somebody must be told who asks for something that does not exist.
const NO_ENDPOINT: &str = "API endpoint does not exist";

/// Why a call did not succeed.
#[derive(Debug)]
pub enum ApiError {
    /// 400, with the text that the caller sees and the stable code of the kind of error, if it has one.
    BadRequest {
        /// The text.
        error: Cow<'static, str>,
        /// The code.
        kind: Option<&'static str>,
    },
    /// 401: nobody is logged in.
    NotLoggedIn,
    /// 401: nobody can log in like this.
    LoginRefused(Refusal),
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
        ApiError::BadRequest { error: Cow::Borrowed(code), kind: None }
    }

    /// 400 in the long form: `reason [code]`, or `[code]` without a reason, and the code again by itself.
    pub fn coded(code: &'static str, reason: Option<&str>) -> ApiError {
        let error = reason.map_or_else(|| format!("[{code}]"), |reason| format!("{reason} [{code}]"));
        ApiError::BadRequest { error: error.into(), kind: Some(code) }
    }

    /// A violated schema of an operation of the older registration.
    pub fn legacy_parameters(message: String) -> ApiError {
        ApiError::BadRequest { error: format!("{message} [invalid-params]").into(), kind: Some("invalid-params") }
    }

    /// A violated schema of the query of an operation of the newer registration.
    pub fn typed_query(message: String) -> ApiError {
        ApiError::BadRequest { error: message.into(), kind: Some("error-invalid-params") }
    }

    /// A failed pattern check.
    pub fn mismatch(message: String) -> ApiError {
        ApiError::BadRequest { error: message.into(), kind: None }
    }

    /// Something in here is broken.
    pub fn broken(cause: &'static str) -> ApiError {
        ApiError::Internal(cause.to_owned())
    }

    /// A refusal in the long form, where an operation uses it for what others answer with a bare code.
    pub fn in_long_form(error: Error) -> ApiError {
        match error {
            Error::Refused(refusal) => ApiError::coded(refusal.code(), refusal.reason()),
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
            ApiError::BadRequest { .. } => StatusCode::BAD_REQUEST,
            ApiError::NotLoggedIn | ApiError::LoginRefused(_) => StatusCode::UNAUTHORIZED,
            ApiError::UnknownPath => StatusCode::NOT_FOUND,
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
            ApiError::BadRequest { error, kind } => Failed { kind: *kind, ..Failed::new(error.clone()) },
            ApiError::NotLoggedIn => Failed { status: Some("error"), message: Some(LOGGED_IN), ..Failed::new(LOGGED_IN) },
            ApiError::LoginRefused(refusal) => refused_login(*refusal),
            ApiError::UnknownPath | ApiError::UnknownMethod => {
                Failed { status: Some("error"), message: Some(NO_ENDPOINT), ..Failed::new(NO_ENDPOINT) }
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
fn refused_login(refusal: Refusal) -> Failed {
    let error = match refusal {
        Refusal::LoggedOut => Value::from(403),
        other => Value::from(other.code()),
    };
    Failed { error, status: Some("error"), message: refusal.reason(), ..Failed::new("") }
}

/// Refusals that are answered with the bare code; all others come in the long form.
fn is_bare(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::InvalidToken
            | Refusal::InvalidRoom
            | Refusal::RoomClosed
            | Refusal::InvalidMessage
            | Refusal::MessageTooLong
            | Refusal::ChannelBlocked
            | Refusal::InvalidDepartment
    )
}

impl From<Error> for ApiError {
    fn from(error: Error) -> ApiError {
        match error {
            Error::Refused(refusal) if is_bare(refusal) => ApiError::plain(refusal.code()),
            Error::Refused(refusal) => ApiError::coded(refusal.code(), refusal.reason()),
            Error::Store(failure) if failure.is_temporary() => ApiError::Unavailable(failure.to_string()),
            other => ApiError::Internal(other.to_string()),
        }
    }
}

/// The body of a failure.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Failed {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// A text; only an unknown login token has the number 403.
    error: Value,
    #[serde(rename = "errorType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

impl Failed {
    fn new(error: impl Into<Cow<'static, str>>) -> Failed {
        Failed { success: false, status: None, error: Value::from(error.into().into_owned()), kind: None, message: None }
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
    fn every_refusal_has_its_text() {
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
        assert_eq!(table.len() + logins.len(), Refusal::ALL.len(), "a refusal without a text");
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
