//! For whose eyes a document is.

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub enum Eyes<'a> {
    /// The visitor who presented this token.
    Visitor(&'a str),
    /// Anybody else: where a visitor's token is expected there is the visitor's id.
    Staff,
    /// The user with this id, who sees besides what is the user's own.
    User(&'a str),
}

impl<'a> Eyes<'a> {
    /// What stands where the token of the visitor `visitor_id` is expected.
    pub fn token(self, visitor_id: &'a str) -> &'a str {
        match self {
            Eyes::Visitor(token) => token,
            Eyes::Staff | Eyes::User(_) => visitor_id,
        }
    }

    /// The id of the user who looks, where it matters.
    pub fn user_id(self) -> Option<&'a str> {
        match self {
            Eyes::User(id) => Some(id),
            Eyes::Visitor(_) | Eyes::Staff => None,
        }
    }
}
