//! Why a use case did not happen.

use std::borrow::Cow;

use serde_json::{Value, json};
use usher_store::StoreError;

/// The one error of this layer.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
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

/// What the caller of a delicate operation has to show besides its login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A code of the authenticator program, or one of the backup codes.
    Code,
    /// The password.
    Password,
}

impl Proof {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Proof::Code => "totp",
            Proof::Password => "password",
        }
    }
}

/// The rules that can say no.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// No visitor has this token.
    InvalidToken,
    /// The same, in the words of older clients.
    InvalidVisitor,
    /// There is no such room for this caller.
    InvalidRoom,
    /// There is no such room.
    NoSuchRoom,
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
    /// Too many logins with this name from this address failed.
    LoginBlockedForUser,
    /// Too many logins from this address failed.
    LoginBlockedForAddress,
    /// Something more has to be shown.
    ProofRequired(Proof),
    /// What was shown is wrong.
    ProofInvalid(Proof),

    /// The caller's roles do not allow it; the sentence says what.
    ActionNotAllowed(&'static str),
    /// The caller may not change all of these settings.
    SettingsNotAllowed(Vec<String>),
    /// The caller may not have personal access tokens; the method that asked for one.
    TokensNotAllowed(&'static str),
    /// The caller may not do this at all.
    Unauthorized,
    /// The caller may not log in for others.
    LoginForOthersNotAllowed,
    /// Nobody with these values was found by an operation that needs somebody.
    NoSuchUser,
    /// There is no such user.
    InvalidUser,
    /// There is no user to show.
    UserNotFound,
    /// Somebody else has this name or address.
    FieldUnavailable(String),
    /// This cannot be the value of that field.
    InvalidField {
        /// The value.
        value: String,
        /// What was to be named by it.
        field: &'static str,
    },
    /// This is no e-mail address.
    InvalidEmail(String),
    /// No server may be without an administrator.
    LastAdministrator,
    /// There is no such status.
    InvalidStatus,
    /// Nobody may seem to be away while there.
    InvisibleNotAllowed,
    /// Users may not change this of themselves; the sentence says what.
    ChangeNotAllowed(&'static str),
    /// Accounts are made by administrators only.
    RegistrationDisabled,
    /// Accounts are made by those who know the secret address.
    RegistrationSecret,

    /// The present password is another.
    InvalidPassword,
    /// A token of this name exists.
    TokenExists,
    /// No token of this name exists.
    NoSuchToken,
    /// The second factor is on already, or there is none.
    SecondFactorState(&'static str),

    /// A list of permissions names one that does not exist, or one twice.
    InvalidPermission,
    /// A list of roles names one that does not exist.
    InvalidRole,
    /// There is no role to give.
    RoleNotFound,
    /// There is no such role.
    InvalidRoleId,
    /// The user holds the role already.
    UserAlreadyInRole,
    /// The user does not hold the role.
    UserNotInRole,
    /// The user is the only administrator.
    AdministratorRequired,
    /// Another role has this name.
    DuplicateRoleName,
    /// The role belongs to every server.
    RoleProtected,
    /// Somebody holds the role.
    RoleInUse,
    /// A role's name or scope cannot be.
    InvalidRoleProperties,

    /// There is no such setting, or it is the server's own.
    NoSuchSetting,
    /// The setting does not take this value.
    InvalidSettingValue(String),
    /// The value is of another type than the setting's.
    SettingType {
        /// What it takes.
        expected: &'static str,
        /// What was given.
        got: &'static str,
    },
    /// The text should be JSON.
    SettingNotJson,
}

impl Refusal {
    /// The stable code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::InvalidToken => "invalid-token",
            Refusal::InvalidVisitor => "invalid-visitor",
            Refusal::InvalidRoom => "invalid-room",
            Refusal::NoSuchRoom => "error-invalid-room",
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
            Refusal::LoginBlockedForUser => "error-login-blocked-for-user",
            Refusal::LoginBlockedForAddress => "error-login-blocked-for-ip",
            Refusal::ProofRequired(_) => "totp-required",
            Refusal::ProofInvalid(_) => "totp-invalid",
            Refusal::ActionNotAllowed(_) | Refusal::SettingsNotAllowed(_) | Refusal::LastAdministrator => {
                "error-action-not-allowed"
            }
            Refusal::TokensNotAllowed(_) => "not-authorized",
            Refusal::LoginForOthersNotAllowed => "error-not-authorized",
            Refusal::Unauthorized => "unauthorized",
            Refusal::NoSuchUser | Refusal::InvalidUser | Refusal::UserNotFound => "error-invalid-user",
            Refusal::FieldUnavailable(_) => "error-field-unavailable",
            Refusal::InvalidField { .. } => "error-input-is-not-a-valid-field",
            Refusal::InvalidEmail(_) => "error-invalid-email",
            Refusal::InvalidStatus => "error-invalid-status",
            Refusal::InvisibleNotAllowed => "error-status-not-allowed",
            Refusal::ChangeNotAllowed(_) => "error-not-allowed",
            Refusal::RegistrationDisabled => "error-user-registration-disabled",
            Refusal::RegistrationSecret => "error-user-registration-secret",
            Refusal::InvalidPassword => "error-invalid-password",
            Refusal::TokenExists => "error-token-already-exists",
            Refusal::NoSuchToken => "error-token-does-not-exists",
            Refusal::SecondFactorState(_) => "error-two-factor",
            Refusal::InvalidPermission => "error-invalid-permission",
            Refusal::InvalidRole => "error-invalid-role",
            Refusal::RoleNotFound => "Role not found",
            Refusal::InvalidRoleId => "error-invalid-roleId",
            Refusal::UserAlreadyInRole => "error-user-already-in-role",
            Refusal::UserNotInRole => "error-user-not-in-role",
            Refusal::AdministratorRequired => "error-admin-required",
            Refusal::DuplicateRoleName => "error-duplicate-role-names-not-allowed",
            Refusal::RoleProtected => "error-role-protected",
            Refusal::RoleInUse => "error-role-in-use",
            Refusal::InvalidRoleProperties => "error-invalid-role-properties",
            Refusal::NoSuchSetting => "error-invalid-setting",
            Refusal::InvalidSettingValue(_) | Refusal::SettingNotJson => "error-invalid-setting-value",
            Refusal::SettingType { .. } => "invalid-params",
        }
    }

    /// The sentence for people, where the wire has one.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        let sentence = match self {
            Refusal::NoAgentOnline => "Sorry, no online agents",
            Refusal::InvalidServiceLevel => "Invalid sla",
            Refusal::InvalidPriority => "Invalid priority",
            Refusal::Registration => "Error registering visitor",
            Refusal::VisitorHasOpenRooms => "Cannot remove visitors with opened rooms",
            Refusal::WrongPassword => "Unauthorized",
            Refusal::LoggedOut => "You've been logged out by the server. Please log in again.",
            Refusal::Deactivated => "User is not activated",
            Refusal::LoginBlockedForUser => "Login has been temporarily blocked For User",
            Refusal::LoginBlockedForAddress => "Login has been temporarily blocked For IP",
            Refusal::ProofRequired(_) => "TOTP Required",
            Refusal::ProofInvalid(_) => "TOTP Invalid",
            Refusal::ActionNotAllowed(sentence) | Refusal::ChangeNotAllowed(sentence) | Refusal::SecondFactorState(sentence) => {
                sentence
            }
            Refusal::SettingsNotAllowed(_) => "Editing settings is not allowed",
            Refusal::LastAdministrator => "Leaving the app without an active admin is not allowed",
            Refusal::TokensNotAllowed(_) => "Not Authorized",
            Refusal::LoginForOthersNotAllowed => "Not authorized",
            Refusal::NoSuchUser => "The required \"userId\" or \"username\" param provided does not match any users",
            Refusal::InvalidUser => "Invalid user",
            Refusal::UserNotFound => "User not found.",
            Refusal::FieldUnavailable(value) => return Some(format!("{value} is already in use :(").into()),
            Refusal::InvalidField { value, field } => return Some(format!("{value} is not a valid {field}").into()),
            Refusal::InvalidEmail(value) => return Some(format!("The email provided is invalid: {value}").into()),
            Refusal::InvalidStatus => "Valid status types include online, away, offline, and busy.",
            Refusal::InvisibleNotAllowed => "Invisible status is disabled",
            Refusal::RegistrationDisabled => "User registration is disabled",
            Refusal::RegistrationSecret => "User registration is only allowed via Secret URL",
            Refusal::InvalidPassword => "Invalid password",
            Refusal::TokenExists => "A token with this name already exists",
            Refusal::NoSuchToken => "Token does not exist",
            Refusal::InvalidPermission => "Invalid permission",
            Refusal::InvalidRole => "Invalid role",
            Refusal::RoleNotFound => "error-role-not-found",
            Refusal::InvalidRoleId => "This role does not exist",
            Refusal::UserAlreadyInRole => "User already in role",
            Refusal::UserNotInRole => "User is not in this role",
            Refusal::AdministratorRequired => "You need to have at least one admin",
            Refusal::DuplicateRoleName => "Role name already exists",
            Refusal::RoleProtected => "Cannot delete a protected role",
            Refusal::RoleInUse => "Cannot delete role because it's in use",
            Refusal::InvalidSettingValue(value) => return Some(format!("Invalid setting value {value}").into()),
            Refusal::SettingNotJson => "Invalid JSON",
            Refusal::SettingType { expected, got } => return Some(format!("Match error: Expected {expected}, got {got}").into()),
            Refusal::InvalidToken
            | Refusal::InvalidVisitor
            | Refusal::InvalidRoom
            | Refusal::NoSuchRoom
            | Refusal::RoomClosed
            | Refusal::InvalidMessage
            | Refusal::MessageTooLong
            | Refusal::ChannelBlocked
            | Refusal::LivechatDisabled
            | Refusal::InvalidDepartment
            | Refusal::Unauthorized
            | Refusal::InvalidRoleProperties
            | Refusal::NoSuchSetting => return None,
        };
        Some(sentence.into())
    }

    /// What a program needs to know besides.
    pub fn details(&self) -> Option<Value> {
        match self {
            Refusal::ProofRequired(proof) | Refusal::ProofInvalid(proof) => {
                Some(json!({"method": proof.name(), "codeGenerated": false, "availableMethods": [proof.name()]}))
            }
            Refusal::SettingsNotAllowed(ids) => Some(json!({"method": "saveSettings", "settingIds": ids})),
            Refusal::TokensNotAllowed(method) => Some(json!({"method": method})),
            _ => None,
        }
    }
}
