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
    /// Files cannot be kept or fetched at the moment.
    #[error("{0}")]
    Storage(&'static str),
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

/// Declares the rules that can say no: those that tell nothing besides, each with its stable code on the wire and the sentence for people,
/// where the wire has one; then those that tell something.
macro_rules! refusals {
    (
        plain { $($(#[$plain_doc:meta])* $plain:ident = $plain_code:literal $(, $sentence:literal)?;)* }
        telling { $($(#[$telling_doc:meta])* $telling:ident $told:tt = $telling_code:literal;)* }
    ) => {
        /// The rules that can say no.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Refusal {
            $($(#[$plain_doc])* $plain,)*
            $($(#[$telling_doc])* $telling $told,)*
        }

        impl Refusal {
            /// The stable code on the wire.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Refusal::$plain => $plain_code,)*
                    $(Refusal::$telling { .. } => $telling_code,)*
                }
            }

            /// The sentence of one that tells nothing besides.
            fn sentence(&self) -> Option<&'static str> {
                match self {
                    $($(Refusal::$plain => Some($sentence),)?)*
                    _ => None,
                }
            }
        }
    };
}

refusals! {
    plain {
        /// No visitor has this token.
        InvalidToken = "invalid-token";
        /// The same, in the words of older clients.
        InvalidVisitor = "invalid-visitor";
        /// There is no such room for this caller.
        InvalidRoom = "invalid-room";
        /// There is no such room.
        NoSuchRoom = "error-invalid-room";
        /// The room is closed.
        RoomClosed = "room-closed";
        /// A message that a visitor leaves cannot be taken.
        OfflineMessage = "error-sending-offline-message", "Error sending Omnichannel offline message";
        /// The room is another visitor's.
        NotVisitorOfRoom = "error-invalid-visitor";
        /// No transcript can go there.
        InvalidTranscriptAddress = "invalid email";
        /// There is no open room whose transcript could be sent later.
        NoRoomForTranscript = "error-invalid-room", "Invalid room";
        /// The transcript will be sent already.
        TranscriptRequested = "error-transcript-already-requested", "Transcript already requested";
        /// Nobody wants the transcript.
        TranscriptNotRequested = "error-transcript-not-requested";
        /// There is no such mail, it was sent, or nothing went wrong with it so far.
        NoMailToRetry = "error-no-mail-to-retry", "There is no such mail that has failed";
        /// The message's id belongs to another room or author.
        InvalidMessage = "invalid-message";
        /// The text is longer than messages may be.
        MessageTooLong = "message-length-exceeds-character-limit";
        /// The contact blocked this channel.
        ChannelBlocked = "error-contact-channel-blocked";
        /// Livechat is switched off.
        LivechatDisabled = "error-omnichannel-is-disabled";
        /// Nobody is there to answer.
        NoAgentOnline = "no-agent-online", "Sorry, no online agents";
        /// There is no such department.
        InvalidDepartment = "error-invalid-department";
        /// There is no such service level.
        InvalidServiceLevel = "error-invalid-sla", "Invalid sla";
        /// There is no such priority.
        InvalidPriority = "error-invalid-priority", "Invalid priority";
        /// There is no priority at all that could be given.
        UnknownPriority = "error-invalid-priority";
        /// The visitor could not be registered.
        Registration = "error-livechat-visitor-registration", "Error registering visitor";
        /// The visitor has open rooms and may therefore not be erased.
        VisitorHasOpenRooms = "visitor-has-open-rooms", "Cannot remove visitors with opened rooms";
        /// Whoever is to take a chat does not exist.
        TakerInvalid = "error-invalid-user", "The user is invalid";
        /// There is no such inquiry.
        InquiryNotFound = "error-not-found", "Inquiry not found";
        /// Somebody has taken the inquiry.
        InquiryTaken = "error-inquiry-taken", "Inquiry already taken";
        /// The agent is not there or not in service.
        AgentNotInService = "error-agent-status-service-offline", "Agent status is offline or Omnichannel service is not active";
        /// The contact is gone.
        InvalidContact = "error-invalid-contact";
        /// Nobody knows who the contact is.
        UnknownContact = "error-unknown-contact";
        /// The contact has not shown that the channel is its own.
        UnverifiedContact = "error-unverified-contact";
        /// The agent has as many chats as may be.
        AgentHasEnoughChats = "error-max-number-simultaneous-chats-reached";
        /// The same, when joining a chat.
        TooManyChatsToJoin = "error-max-number-simultaneous-chats-reached", "Not allowed";
        /// Visitors may not close their chats.
        VisitorsMayNotClose = "error-not-allowed-to-close-conversation";
        /// The caller is not in the room and may not act on those of others.
        NotAuthorized = "error-not-authorized";
        /// The chat is closed.
        RoomAlreadyClosed = "error-room-already-closed";
        /// Somebody else closed the chat at the same time.
        ClosedMeanwhile = "error-room-cannot-be-closed-try-again";
        /// Nobody may close a chat without a comment.
        CommentRequired = "error-comment-is-required";
        /// Nobody may close a chat of this department without a tag.
        TagsRequired = "error-tags-must-be-assigned-before-closing-chat";
        /// The chat rests until its visitor writes.
        RoomOnHold = "error-room-onHold";
        /// The chat could not be returned to the queue.
        NotReturned = "error-returning-inquiry";
        /// Only the transcripts of closed rooms are printed.
        RoomStillOpen = "room-still-open";
        /// The caller may not read the room.
        RoomNotAllowed = "error-not-allowed";
        /// There is no service level at all that could be given.
        UnknownServiceLevel = "error-invalid-sla";
        /// The chat does not wait, so it has no place in the queue.
        InvalidInquiry = "error-invalid-inquiry";
        /// No visitor has this id.
        VisitorNotFound = "visitor-not-found";
        /// The caller may not read the room, in the words of an operation that reads messages.
        ReadingNotAllowed = "not-allowed";
        /// The text is longer than users' messages may be.
        MessageSizeExceeded = "error-message-size-exceeded", "Message size exceeds Message_MaxAllowedSize";
        /// The message is somebody else's, or messages may not be changed.
        MessageNotOwn = "error-action-not-allowed";
        /// The message is too old to be edited.
        EditingBlocked = "error-message-editing-blocked", "Message editing is blocked";
        /// The message is too old to be deleted.
        DeletingBlocked = "error-message-deleting-blocked", "Message deleting is blocked";
        /// The message is in another room.
        MessageOfOtherRoom = "error-invalid-room", "The room id provided does not match where the message is from.";
        /// Nobody may write under another name who is not allowed to.
        NotEnoughPermission = "Not enough permission";
        /// What is answered is no message of this room.
        NoSuchThread = "error-invalid-message";
        /// Nobody deletes in the name of others who is not allowed to.
        DeletingForAuthorNotAllowed = "unauthorized-deleting",
            "Unauthorized. You must have the permission \"force-delete-message\" to delete other's message as them.";
        /// There is no message to mark.
        MessageNotFound = "error-message-not-found", "The provided \"messageId\" does not match any existing message.";
        /// This is no name of a picture.
        InvalidEmoji = "error-not-allowed", "Invalid emoji provided.";
        /// There is no such room to look at.
        RoomNotFound = "error-room-not-found", "The required \"roomId\" or \"roomName\" param provided does not match any channel";
        /// The caller may not look at the room.
        RoomInfoNotAllowed = "Not Allowed", "not-allowed";
        /// The caller may not look at the room of this kind and name.
        RoomNoPermission = "error-no-permission", "No permission";
        /// There is no message that could be unread.
        NoMessageForUnread = "error-no-message-for-unread", "There are no messages to mark unread";
        /// No message can be posted there.
        InvalidChannel = "invalid-channel";
        /// The sender's clock is too far off.
        TimeOutOfSync = "error-message-ts-out-of-sync", "Message timestamp is out of sync";
        /// What is to be shown in the room as well answers no message.
        ShownWithoutThread = "invalid-params", "tshow provided but missing tmid";
        /// The answers of a survey say nothing that is asked for.
        InvalidSurvey = "invalid-data";
        /// Name and password do not belong together.
        WrongPassword = "Unauthorized", "Unauthorized";
        /// The login token is unknown or has expired.
        LoggedOut = "403", "You've been logged out by the server. Please log in again.";
        /// The user may not log in.
        Deactivated = "error-user-is-not-activated", "User is not activated";
        /// Too many logins with this name from this address failed.
        LoginBlockedForUser = "error-login-blocked-for-user", "Login has been temporarily blocked For User";
        /// Too many logins from this address failed.
        LoginBlockedForAddress = "error-login-blocked-for-ip", "Login has been temporarily blocked For IP";
        /// The caller may not do this at all.
        Unauthorized = "unauthorized";
        /// The caller may not log in for others.
        LoginForOthersNotAllowed = "error-not-authorized", "Not authorized";
        /// Nobody with these values was found by an operation that needs somebody.
        NoSuchUser = "error-invalid-user", "The required \"userId\" or \"username\" param provided does not match any users";
        /// There is no such user.
        InvalidUser = "error-invalid-user", "Invalid user";
        /// There is no user to show.
        UserNotFound = "error-invalid-user", "User not found.";
        /// No server may be without an administrator.
        LastAdministrator = "error-action-not-allowed", "Leaving the app without an active admin is not allowed";
        /// There is no such status.
        InvalidStatus = "error-invalid-status", "Valid status types include online, away, offline, and busy.";
        /// Nobody may seem to be away while there.
        InvisibleNotAllowed = "error-status-not-allowed", "Invisible status is disabled";
        /// Accounts are made by administrators only.
        RegistrationDisabled = "error-user-registration-disabled", "User registration is disabled";
        /// Accounts are made by those who know the secret address.
        RegistrationSecret = "error-user-registration-secret", "User registration is only allowed via Secret URL";
        /// The present password is another.
        InvalidPassword = "error-invalid-password", "Invalid password";
        /// A token of this name exists.
        TokenExists = "error-token-already-exists", "A token with this name already exists";
        /// No token of this name exists.
        NoSuchToken = "error-token-does-not-exists", "Token does not exist";
        /// A list of permissions names one that does not exist, or one twice.
        InvalidPermission = "error-invalid-permission", "Invalid permission";
        /// A list of roles names one that does not exist.
        InvalidRole = "error-invalid-role", "Invalid role";
        /// There is no role to give.
        RoleNotFound = "Role not found", "error-role-not-found";
        /// There is no such role.
        InvalidRoleId = "error-invalid-roleId", "This role does not exist";
        /// The user holds the role already.
        UserAlreadyInRole = "error-user-already-in-role", "User already in role";
        /// The user does not hold the role.
        UserNotInRole = "error-user-not-in-role", "User is not in this role";
        /// The user is the only administrator.
        AdministratorRequired = "error-admin-required", "You need to have at least one admin";
        /// Another role has this name.
        DuplicateRoleName = "error-duplicate-role-names-not-allowed", "Role name already exists";
        /// The role belongs to every server.
        RoleProtected = "error-role-protected", "Cannot delete a protected role";
        /// Somebody holds the role.
        RoleInUse = "error-role-in-use", "Cannot delete role because it's in use";
        /// A role's name or scope cannot be.
        InvalidRoleProperties = "error-invalid-role-properties";
        /// There is no such setting, or it is the server's own.
        NoSuchSetting = "error-invalid-setting";
        /// Nobody of this id is an agent.
        NoSuchAgent = "error-agent-not-found", "Agent not found";
        /// The user is no agent.
        UserIsNotAgent = "error-user-is-not-agent", "User is not a livechat agent";
        /// The user may not log in.
        UserDeactivated = "error-user-deactivated";
        /// Nobody can get a chat now.
        AgentNotFound = "agent-not-found";
        /// The room is served by nobody, or by somebody who is gone.
        InvalidAgent = "invalid-agent";
        /// The caller lacks a permission that depends on what is asked for.
        NotPermitted = "error-unauthorized", "User does not have the permissions required for this action";
        /// The caller may not change departments.
        DepartmentChangeNotAllowed = "error-not-allowed";
        /// There is no such department to change.
        DepartmentNotFound = "error-department-not-found", "Department not found";
        /// A unit is named by something that is no id.
        InvalidDepartmentUnit = "error-invalid-department-unit", "Invalid department unit id provided";
        /// A department that is put away is not in service.
        ArchivedDepartment = "error-archived-department-cant-be-enabled", "Archived departments cant be enabled";
        /// A department asks for closing tags and has none to choose from.
        ClosingTagsMissing = "error-validating-department-chat-closing-tags",
            "At least one closing tag is required when the department requires tag(s) on closing conversations.";
        /// A department falls back to itself.
        CircularFallback = "error-fallback-department-circular",
            "Cannot save department. Circular reference between fallback department and department";
        /// There is no such department to fall back to.
        FallbackNotFound = "error-fallback-department-not-found", "Fallback department not found";
        /// Settings forbid deleting departments.
        DepartmentRemovalDisabled = "error-department-removal-disabled";
        /// The text should be JSON.
        SettingNotJson = "error-invalid-setting-value", "Invalid JSON";
        /// There is no such custom field to give a value for.
        InvalidCustomField = "invalid-custom-field";
        /// Another custom field has this id.
        FieldExists = "error-custom-field-name-already-exists", "Custom Field already exists";
        /// There is no such custom field to change.
        FieldNotFound = "error-invalid-custom-field", "Custom Field Not found";
        /// There is no such custom field to delete.
        NoFieldToDelete = "error-invalid-custom-field", "Custom field not found";
        /// This can be no custom field's id.
        InvalidFieldId = "error-invalid-custom-field-name", "A field's name consists of letters, digits, hyphens and underscores";
        /// No files are taken.
        FilesDisabled = "error-file-upload-disabled", "File upload is disabled";
        /// What was sent has no file.
        NoFile = "error-no-file", "No file uploaded";
        /// The file stands where none belongs, or not by itself.
        UnexpectedFile = "invalid-field";
        /// Files of this type are not taken.
        FileTypeNotAllowed = "error-invalid-file-type", "File type is not allowed";
        /// Not all of the file came.
        FileInterrupted = "error-file-interrupted", "The file did not arrive";
        /// There is no such file that could be shown.
        NoSuchFile = "invalid-file";
        /// There is no such rule of retention.
        NoSuchRetentionRule = "error-retention-rule-not-found", "Retention rule not found";
        /// There is no such contact.
        NoSuchContact = "error-contact-not-found", "Contact not found";
        /// Somebody must not be erased for now.
        LegalHold = "error-legal-hold", "There is a legal hold: nothing may be erased until it is lifted or ends";
        /// A hold has to end some time to come.
        HoldInThePast = "error-legal-hold-in-the-past", "A legal hold ends some time to come";
        /// There is nothing to lift.
        NoHold = "error-no-legal-hold", "There is no legal hold";
        /// There is no such erasure.
        NoSuchErasure = "error-erasure-not-found", "Erasure not found";
        /// The caller may not have this file.
        FileNotAllowed = "error-file-not-allowed";
        /// All that a custom field says is more than is kept.
        FieldTooLong = "error-custom-field-too-long", "The custom field is too long";
    }
    telling {
        /// The file is too large.
        FileTooLarge {
            /// The largest that is taken, in bytes.
            most: u64,
        } = "error-file-too-large";
        /// There is no service level with this id.
        ServiceLevelNotFound(String) = "error-invalid-sla";
        /// There is no message with this id.
        NoSuchMessage(String) = "error-invalid-message";
        /// Something more has to be shown.
        ProofRequired(Proof) = "totp-required";
        /// What was shown is wrong.
        ProofInvalid(Proof) = "totp-invalid";
        /// The caller's roles do not allow it; the sentence says what.
        ActionNotAllowed(&'static str) = "error-action-not-allowed";
        /// The caller may not change all of these settings.
        SettingsNotAllowed(Vec<String>) = "error-action-not-allowed";
        /// The caller may not have personal access tokens; the method that asked for one.
        TokensNotAllowed(&'static str) = "not-authorized";
        /// Somebody else has this name or address.
        FieldUnavailable(String) = "error-field-unavailable";
        /// This cannot be the value of that field.
        InvalidField {
            /// The value.
            value: String,
            /// What was to be named by it.
            field: &'static str,
        } = "error-input-is-not-a-valid-field";
        /// This is no e-mail address.
        InvalidEmail(String) = "error-invalid-email";
        /// Users may not change this of themselves; the sentence says what.
        ChangeNotAllowed(&'static str) = "error-not-allowed";
        /// The second factor is on already, or there is none.
        SecondFactorState(&'static str) = "error-two-factor";
        /// This method cannot do anything with what it was given; its name.
        InvalidArguments(&'static str) = "error-invalid-arguments";
        /// The caller may not call this method; its name.
        MethodNotAllowed(&'static str) = "error-not-allowed";
        /// This cannot be the value of that custom field.
        InvalidFieldValue(String) = "error-invalid-custom-field-value";
        /// These custom fields need a value.
        FieldsMissing(String) = "error-missing-custom-fields";
        /// The setting does not take this value.
        InvalidSettingValue(String) = "error-invalid-setting-value";
        /// A member is not what it has to be; the message says which.
        Mismatch(String) = "invalid-params";
        /// The value is of another type than the setting's.
        SettingType {
            /// What it takes.
            expected: &'static str,
            /// What was given.
            got: &'static str,
        } = "invalid-params";
    }
}

impl Refusal {
    /// The sentence for people, where the wire has one.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        let told = match self {
            Refusal::ProofRequired(_) => "TOTP Required",
            Refusal::ProofInvalid(_) => "TOTP Invalid",
            Refusal::ActionNotAllowed(sentence) | Refusal::ChangeNotAllowed(sentence) | Refusal::SecondFactorState(sentence) => {
                sentence
            }
            Refusal::FileTooLarge { .. } => "File size exceeds the allowed limit",
            Refusal::SettingsNotAllowed(_) => "Editing settings is not allowed",
            Refusal::TokensNotAllowed(_) => "Not Authorized",
            Refusal::MethodNotAllowed(_) => "Not allowed",
            Refusal::InvalidArguments(_) => "Invalid arguments",
            Refusal::InvalidFieldValue(field) => return Some(format!("Invalid value for {field} field").into()),
            Refusal::FieldsMissing(fields) => return Some(format!("Missing required custom fields: {fields}").into()),
            Refusal::FieldUnavailable(value) => return Some(format!("{value} is already in use :(").into()),
            Refusal::InvalidField { value, field } => return Some(format!("{value} is not a valid {field}").into()),
            Refusal::InvalidEmail(value) => return Some(format!("The email provided is invalid: {value}").into()),
            Refusal::ServiceLevelNotFound(id) => return Some(format!("SLA not found with id: {id}").into()),
            Refusal::NoSuchMessage(id) => return Some(format!("No message found with the id of \"{id}\".").into()),
            Refusal::InvalidSettingValue(value) => return Some(format!("Invalid setting value {value}").into()),
            Refusal::Mismatch(message) => return Some(message.clone().into()),
            Refusal::SettingType { expected, got } => return Some(format!("Match error: Expected {expected}, got {got}").into()),
            plain => return plain.sentence().map(Cow::Borrowed),
        };
        Some(told.into())
    }

    /// What a program needs to know besides.
    pub fn details(&self) -> Option<Value> {
        match self {
            Refusal::ProofRequired(proof) | Refusal::ProofInvalid(proof) => {
                Some(json!({"method": proof.name(), "codeGenerated": false, "availableMethods": [proof.name()]}))
            }
            Refusal::SettingsNotAllowed(ids) => Some(json!({"method": "saveSettings", "settingIds": ids})),
            Refusal::TokensNotAllowed(method) | Refusal::MethodNotAllowed(method) | Refusal::InvalidArguments(method) => {
                Some(json!({"method": method}))
            }
            _ => None,
        }
    }
}
