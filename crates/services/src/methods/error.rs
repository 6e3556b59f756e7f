//! Why a method did not happen, and how its caller is told.

use serde_json::{Value, json};

use crate::limits::Exceeded;
use crate::{Error, Refusal};

/// Why a method did not happen.
#[derive(Debug, Clone, PartialEq)]
pub enum MethodError {
    /// There is no method of this name.
    Unknown(String),
    /// There is no subscription of this name.
    UnknownSubscription(String),
    /// It is for users only.
    NotLoggedIn,
    /// A parameter is not what it has to be; the message says where.
    Mismatch(String),
    /// It was called too often.
    TooMany(Exceeded),
    /// Nobody can log in like this.
    LoginRefused(Refusal),
    /// The use case did not happen.
    Failed(Error),
}

impl From<Error> for MethodError {
    fn from(error: Error) -> MethodError {
        MethodError::Failed(error)
    }
}

impl From<Refusal> for MethodError {
    fn from(refusal: Refusal) -> MethodError {
        MethodError::Failed(refusal.into())
    }
}

/// An error as the wire shows it.
fn error(code: impl Into<Value>, reason: Option<&str>, details: Option<Value>) -> Value {
    let code: Value = code.into();
    let shown = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    let message = reason.map_or_else(|| format!("[{shown}]"), |reason| format!("{reason} [{shown}]"));
    let mut object = json!({"isClientSafe": true, "error": code, "message": message, "errorType": "Meteor.Error"});
    if let Some(reason) = reason {
        object["reason"] = reason.into();
    }
    if let Some(details) = details {
        object["details"] = details;
    }
    object
}

impl MethodError {
    /// The cause of a failure of our own, for the log: the caller learns nothing of it.
    pub fn cause(&self) -> Option<String> {
        match self {
            MethodError::Failed(failure @ (Error::Store(_) | Error::Broken(_))) => Some(failure.to_string()),
            _ => None,
        }
    }

    /// The error as the realtime connection shows it.
    pub fn document(&self) -> Value {
        match self {
            MethodError::Unknown(name) => error(404, Some(&format!("Method '{name}' not found")), None),
            MethodError::UnknownSubscription(name) => error(404, Some(&format!("Subscription '{name}' not found")), None),
            MethodError::NotLoggedIn => error("error-invalid-user", Some("Invalid user"), None),
            MethodError::Mismatch(_) => error(400, Some("Match failed"), None),
            MethodError::TooMany(exceeded) => {
                let told = format!(
                    "Error, too many requests. Please slow down. You must wait {} seconds before trying again.",
                    exceeded.seconds
                );
                error("too-many-requests", Some(&told), Some(json!({"timeToReset": exceeded.seconds.saturating_mul(1_000)})))
            }
            MethodError::LoginRefused(refusal) => match refusal {
                Refusal::WrongPassword => error(403, Some("User not found"), None),
                Refusal::LoggedOut => error(403, refusal.reason().as_deref(), None),
                other => error(other.code(), other.reason().as_deref(), other.details()),
            },
            MethodError::Failed(Error::Refused(Refusal::Mismatch(_))) => error(400, Some("Match failed"), None),
            MethodError::Failed(Error::Refused(refusal)) => error(refusal.code(), refusal.reason().as_deref(), refusal.details()),
            MethodError::Failed(Error::Store(failure)) if failure.is_temporary() => error(503, Some("Service Unavailable"), None),
            MethodError::Failed(_) => error(500, Some("Internal server error"), None),
        }
    }

    /// The error as REST shows it: that of a parameter tells which one.
    pub fn telling_document(&self) -> Value {
        let document = self.document();
        match self {
            MethodError::Mismatch(message) | MethodError::Failed(Error::Refused(Refusal::Mismatch(message))) => {
                json!({"message": message, "path": "", "sanitizedError": document, "errorType": "Match.Error"})
            }
            _ => document,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_store::StoreError;

    #[test]
    fn errors_have_the_shapes_that_clients_know() {
        let unknown = MethodError::Unknown("x".to_owned()).document();
        assert_eq!(
            unknown,
            json!({"isClientSafe": true, "error": 404, "reason": "Method 'x' not found", "message": "Method 'x' not found [404]",
                "errorType": "Meteor.Error"})
        );
        let mismatch = MethodError::Mismatch("Match error: Expected string, got undefined".to_owned());
        let sanitised = json!({"isClientSafe": true, "error": 400, "reason": "Match failed", "message": "Match failed [400]",
            "errorType": "Meteor.Error"});
        assert_eq!(mismatch.document(), sanitised);
        assert_eq!(
            mismatch.telling_document(),
            json!({"message": "Match error: Expected string, got undefined", "path": "", "sanitizedError": sanitised,
                "errorType": "Match.Error"})
        );
        let refused = MethodError::from(Refusal::InvalidToken).document();
        assert_eq!((&refused["error"], &refused["message"]), (&json!("invalid-token"), &json!("[invalid-token]")));
    }

    #[test]
    fn failures_of_our_own_tell_nothing() {
        let broken = MethodError::Failed(StoreError::Panicked.into());
        assert_eq!(broken.document()["message"], "Internal server error [500]");
        assert!(broken.cause().is_some() && MethodError::from(Refusal::InvalidToken).cause().is_none());
    }
}
