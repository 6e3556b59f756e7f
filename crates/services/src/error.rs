//! Why a use case did not happen.

use usher_store::StoreError;

/// The one error of this layer.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A rule says no; the caller is told which.
    #[error("{}", .0.code())]
    Refused(Refusal),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something in here is broken.
    #[error("{0}")]
    Broken(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

/// The rules that can say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No visitor has this token.
    InvalidToken,
    /// There is no such room for this caller.
    InvalidRoom,
    /// The room is closed.
    RoomClosed,
    /// The message's id belongs to another room or author.
    InvalidMessage,
    /// The text is longer than messages may be.
    MessageTooLong,
    /// The contact blocked this channel.
    ChannelBlocked,
    /// Livechat is switched off.
    LivechatDisabled,
    /// Nobody is there to answer.
    NoAgentOnline,
    /// There is no such department.
    InvalidDepartment,
    /// There is no such service level.
    InvalidServiceLevel,
    /// There is no such priority.
    InvalidPriority,
    /// The visitor could not be registered.
    Registration,
    /// The visitor has open rooms and may therefore not be erased.
    VisitorHasOpenRooms,
    /// Name and password do not belong together.
    WrongPassword,
    /// The login token is unknown or has expired.
    LoggedOut,
    /// The user may not log in.
    Deactivated,
}

impl Refusal {
    /// Every refusal, for tests that must cover them all.
    pub const ALL: [Refusal; 16] = [
        Refusal::InvalidToken,
        Refusal::InvalidRoom,
        Refusal::RoomClosed,
        Refusal::InvalidMessage,
        Refusal::MessageTooLong,
        Refusal::ChannelBlocked,
        Refusal::LivechatDisabled,
        Refusal::NoAgentOnline,
        Refusal::InvalidDepartment,
        Refusal::InvalidServiceLevel,
        Refusal::InvalidPriority,
        Refusal::Registration,
        Refusal::VisitorHasOpenRooms,
        Refusal::WrongPassword,
        Refusal::LoggedOut,
        Refusal::Deactivated,
    ];

    /// The stable code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::InvalidToken => "invalid-token",
            Refusal::InvalidRoom => "invalid-room",
            Refusal::RoomClosed => "room-closed",
            Refusal::InvalidMessage => "invalid-message",
            Refusal::MessageTooLong => "message-length-exceeds-character-limit",
            Refusal::ChannelBlocked => "error-contact-channel-blocked",
            Refusal::LivechatDisabled => "error-omnichannel-is-disabled",
            Refusal::NoAgentOnline => "no-agent-online",
            Refusal::InvalidDepartment => "error-invalid-department",
            Refusal::InvalidServiceLevel => "error-invalid-sla",
            Refusal::InvalidPriority => "error-invalid-priority",
            Refusal::Registration => "error-livechat-visitor-registration",
            Refusal::VisitorHasOpenRooms => "visitor-has-open-rooms",
            Refusal::WrongPassword => "Unauthorized",
            Refusal::LoggedOut => "403",
            Refusal::Deactivated => "error-user-is-not-activated",
        }
    }

    /// The sentence for people, where the wire has one.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Refusal::NoAgentOnline => Some("Sorry, no online agents"),
            Refusal::InvalidServiceLevel => Some("Invalid sla"),
            Refusal::InvalidPriority => Some("Invalid priority"),
            Refusal::Registration => Some("Error registering visitor"),
            Refusal::VisitorHasOpenRooms => Some("Cannot remove visitors with opened rooms"),
            Refusal::WrongPassword => Some("Unauthorized"),
            Refusal::LoggedOut => Some("You've been logged out by the server. Please log in again."),
            Refusal::Deactivated => Some("User is not activated"),
            _ => None,
        }
    }
}
