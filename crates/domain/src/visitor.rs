//! Visitors: the record of somebody who writes from outside, and the token that is their only credential.

use crate::room::Person;

/// A visitor's secret. Never blank, so that a missing one can select nothing; never longer than [`VisitorToken::LIMIT`] characters and
/// without NUL, which no store takes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VisitorToken(String);

impl VisitorToken {
    /// The most characters a token may have.
    pub const LIMIT: usize = 1_024;

    /// The token sent by a client, or `None` if it cannot be anybody's.
    pub fn new(raw: impl Into<String>) -> Option<VisitorToken> {
        let raw = raw.into();
        let can_be = !raw.trim().is_empty() && !raw.contains('\0') && raw.chars().count() <= VisitorToken::LIMIT;
        can_be.then_some(VisitorToken(raw))
    }

    /// The token's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for VisitorToken {
    /// Shows nothing: whoever knows the token is the visitor.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("VisitorToken(..)")
    }
}

/// A visitor as stored. The token is not part of it: documents for the visitor's own eyes show the one that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The id on the wire; a client may have chosen it.
    pub id: String,
    /// `guest-N`, unless the client gave another.
    pub username: String,
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address, lower case.
    pub email: Option<String>,
    /// The phone number as given.
    pub phone: Option<String>,
    /// The id of the department the visitor asked for.
    pub department_id: Option<String>,
    /// `online`, `away`, `busy` or `offline`.
    pub status: String,
    /// The contact this visitor belongs to. Set aside at registration; the record comes with the first room.
    pub contact_id: String,
    /// The latest room.
    pub last_chat: Option<LastChat>,
    /// What the registering request said of itself, if that may be kept.
    pub connection: Connection,
    /// The agent who took a chat of the visitor last, if that is remembered.
    pub last_agent: Option<LastAgent>,
    /// Values of custom fields, by the field's id.
    pub fields: Vec<(String, String)>,
    /// The months (`YYYY-MM`) in which an agent answered the contact.
    pub activity: Vec<String>,
    /// When the visitor registered (milliseconds UTC).
    pub created_at: i64,
    /// When the record last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl Visitor {
    /// How the visitor is called in front of people: the name, or else the user name.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.username)
    }
}

/// A visitor's or contact's latest room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastChat {
    /// The room.
    pub room_id: String,
    /// When it was opened (milliseconds UTC).
    pub at: i64,
}

/// The agent who took a chat of a visitor last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAgent {
    /// Who.
    pub agent: Person,
    /// When (milliseconds UTC).
    pub at: i64,
}

/// What a request's headers say of the visitor: kept only where `Livechat_Allow_collect_and_store_HTTP_header_informations` is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The client's address.
    pub ip: Option<String>,
    /// The `Host` header.
    pub host: Option<String>,
}

/// An e-mail address in the form in which addresses are stored and compared. `None` if nothing is left of it.
pub fn normalise_email(raw: &str) -> Option<String> {
    let trimmed = raw.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_tokens_are_nobodys() {
        assert!(VisitorToken::new("").is_none() && VisitorToken::new(" \t").is_none() && VisitorToken::new("a\0").is_none());
        assert!(VisitorToken::new("x".repeat(1_024)).is_some() && VisitorToken::new("x".repeat(1_025)).is_none());
        assert_eq!(VisitorToken::new("a b").map(|token| token.as_str().to_owned()), Some("a b".to_owned()));
        assert_eq!(format!("{:?}", VisitorToken::new("secret")), "Some(VisitorToken(..))");
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(normalise_email("  Mary@Example.COM "), Some("mary@example.com".to_owned()));
        assert_eq!(normalise_email("  "), None);
    }
}
