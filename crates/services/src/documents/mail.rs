//! Mails as administrators see them: nothing of what is in them, and not to whom they go.

use serde::Serialize;
use usher_domain::mail::MailState;
use usher_store::q::mails::MailEntry;
use utoipa::ToSchema;

use super::Date;

/// A mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    /// Why it is sent: `offline-message` or `transcript`.
    kind: &'static str,
    /// `waiting`, `sent` or `failed`.
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next, as long as it waits.
    #[serde(rename = "nextAttemptAt", skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Date>,
    /// What went wrong last, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: Date,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

impl<'a> From<&'a MailEntry> for MailDocument<'a> {
    fn from(entry: &'a MailEntry) -> MailDocument<'a> {
        MailDocument {
            id: &entry.id,
            kind: entry.kind.name(),
            state: entry.state.name(),
            attempts: entry.attempts,
            next_attempt_at: (entry.state == MailState::Waiting).then_some(Date(entry.next_attempt_at)),
            failure: entry.failure.as_deref(),
            created_at: Date(entry.created_at),
            updated_at: Date(entry.updated_at),
        }
    }
}
