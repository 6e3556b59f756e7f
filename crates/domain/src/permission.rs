//! Permissions: what a role may do. Which roles hold one is data that administrators change; this is the table of those there are,
//! with the roles that hold them at the start.
//!
//! Nobody is exempt: an administrator who is taken out of a permission's roles does not have it.

use std::collections::{BTreeSet, HashMap};

use crate::role::{ADMIN, AGENT, ANONYMOUS, APP, BOT, FEDERATED, GUEST, MANAGER, MODERATOR, MONITOR, OWNER, USER};
use crate::settings;

/// A permission by its id on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission(
    /// The id.
    pub &'static str,
);

/// What a permission is, for the table.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Which.
    pub permission: Permission,
    /// The roles that hold it at the start.
    pub roles: &'static [&'static str],
    /// What it allows.
    pub description: &'static str,
}

/// The start of the ids of permissions that allow changing one setting.
pub const CHANGE_SETTING: &str = "change-setting-";

/// What a guest may hold at most, whatever the table says.
const OF_GUESTS: [&str; 4] = ["view-d-room", "view-joined-room", "view-p-room", "start-discussion"];

/// Declares the table: a constant for each permission, and [`TABLE`] over all of them.
macro_rules! permissions {
    ($($name:ident = $id:literal [$($role:ident)*], $description:literal;)*) => {
        $(
            #[doc = $description]
            pub const $name: Permission = Permission($id);
        )*

        /// Every permission there is, apart from those to change one setting.
        pub const TABLE: &[Definition] = &[
            $(Definition { permission: $name, roles: &[$($role),*], description: $description }),*
        ];
    };
}

permissions! {
    VIEW_L_ROOM = "view-l-room" [ADMIN MANAGER MONITOR AGENT], "See chats, visitors and the queue.";
    VIEW_LIVECHAT_MANAGER = "view-livechat-manager" [ADMIN MANAGER MONITOR], "See what managers see.";
    VIEW_LIVECHAT_ROOMS = "view-livechat-rooms" [ADMIN MANAGER MONITOR], "See all chats.";
    VIEW_LIVECHAT_QUEUE = "view-livechat-queue" [ADMIN MANAGER MONITOR AGENT], "See the waiting chats.";
    VIEW_LIVECHAT_ANALYTICS = "view-livechat-analytics" [ADMIN MANAGER MONITOR], "See the figures of the past.";
    VIEW_LIVECHAT_REAL_TIME_MONITORING = "view-livechat-real-time-monitoring" [ADMIN MANAGER MONITOR], "See the figures of the moment.";
    VIEW_LIVECHAT_DEPARTMENTS = "view-livechat-departments" [ADMIN MANAGER MONITOR], "See departments.";
    MANAGE_LIVECHAT_DEPARTMENTS = "manage-livechat-departments" [ADMIN MANAGER MONITOR], "Make, change and archive departments.";
    ADD_LIVECHAT_DEPARTMENT_AGENTS = "add-livechat-department-agents" [ADMIN MANAGER MONITOR], "Put agents into departments and take them out.";
    REMOVE_LIVECHAT_DEPARTMENT = "remove-livechat-department" [ADMIN MANAGER], "Delete departments.";
    MANAGE_LIVECHAT_AGENTS = "manage-livechat-agents" [ADMIN MANAGER MONITOR], "Make users agents, and change agents.";
    MANAGE_LIVECHAT_MANAGERS = "manage-livechat-managers" [ADMIN MANAGER], "Make users managers.";
    VIEW_LIVECHAT_BUSINESS_HOURS = "view-livechat-business-hours" [ADMIN MANAGER MONITOR], "See and change business hours.";
    VIEW_LIVECHAT_TRIGGERS = "view-livechat-triggers" [ADMIN MANAGER], "See the page of triggers.";
    VIEW_LIVECHAT_CUSTOMFIELDS = "view-livechat-customfields" [ADMIN MANAGER], "See the page of custom fields.";
    VIEW_LIVECHAT_INSTALLATION = "view-livechat-installation" [ADMIN MANAGER], "See how the widget is put into a site.";
    VIEW_LIVECHAT_APPEARANCE = "view-livechat-appearance" [ADMIN MANAGER], "See the page of the widget's looks.";
    VIEW_LIVECHAT_WEBHOOKS = "view-livechat-webhooks" [ADMIN MANAGER], "See and test webhooks.";
    CLOSE_LIVECHAT_ROOM = "close-livechat-room" [ADMIN MANAGER MONITOR AGENT], "Close one's own chats.";
    CLOSE_OTHERS_LIVECHAT_ROOM = "close-others-livechat-room" [ADMIN MANAGER MONITOR], "Close other agents' chats.";
    ON_HOLD_LIVECHAT_ROOM = "on-hold-livechat-room" [ADMIN MANAGER MONITOR AGENT], "Put one's own chats on hold.";
    ON_HOLD_OTHERS_LIVECHAT_ROOM = "on-hold-others-livechat-room" [ADMIN MANAGER MONITOR], "Put other agents' chats on hold.";
    SAVE_OTHERS_LIVECHAT_ROOM_INFO = "save-others-livechat-room-info" [ADMIN MANAGER MONITOR], "Change what is noted of other agents' chats.";
    REMOVE_CLOSED_LIVECHAT_ROOMS = "remove-closed-livechat-rooms" [ADMIN MANAGER MONITOR], "Delete all closed chats.";
    REMOVE_CLOSED_LIVECHAT_ROOM = "remove-closed-livechat-room" [ADMIN MANAGER], "Delete a closed chat.";
    TRANSFER_LIVECHAT_GUEST = "transfer-livechat-guest" [ADMIN MANAGER MONITOR], "Forward chats.";
    CHANGE_LIVECHAT_ROOM_VISITOR = "change-livechat-room-visitor" [ADMIN MANAGER AGENT], "Give a chat to another visitor.";
    VIEW_LIVECHAT_ROOM_CLOSED_SAME_DEPARTMENT = "view-livechat-room-closed-same-department" [ADMIN MANAGER MONITOR], "See the closed chats of one's own departments.";
    VIEW_LIVECHAT_ROOM_CLOSED_BY_ANOTHER_AGENT = "view-livechat-room-closed-by-another-agent" [ADMIN MANAGER MONITOR], "See chats that another agent closed.";
    VIEW_LIVECHAT_ROOM_CUSTOMFIELDS = "view-livechat-room-customfields" [ADMIN MANAGER MONITOR AGENT], "See a chat's custom fields.";
    EDIT_LIVECHAT_ROOM_CUSTOMFIELDS = "edit-livechat-room-customfields" [ADMIN MANAGER MONITOR AGENT], "Change a chat's custom fields.";
    SEND_OMNICHANNEL_CHAT_TRANSCRIPT = "send-omnichannel-chat-transcript" [ADMIN MANAGER], "Send visitors a transcript.";
    VIEW_OMNICHANNEL_CONTACT_CENTER = "view-omnichannel-contact-center" [ADMIN MANAGER MONITOR AGENT], "See the page of contacts.";
    EDIT_OMNICHANNEL_CONTACT = "edit-omnichannel-contact" [ADMIN MANAGER AGENT], "Change contacts.";
    CREATE_LIVECHAT_CONTACT = "create-livechat-contact" [ADMIN MANAGER MONITOR AGENT], "Make contacts.";
    UPDATE_LIVECHAT_CONTACT = "update-livechat-contact" [ADMIN MANAGER MONITOR AGENT], "Change contacts and settle their conflicts.";
    VIEW_LIVECHAT_CONTACT = "view-livechat-contact" [ADMIN MANAGER MONITOR AGENT], "See contacts.";
    VIEW_LIVECHAT_CONTACT_HISTORY = "view-livechat-contact-history" [ADMIN MANAGER MONITOR AGENT], "See the earlier chats of a contact.";
    DELETE_LIVECHAT_CONTACT = "delete-livechat-contact" [ADMIN MANAGER], "Delete contacts.";
    BLOCK_LIVECHAT_CONTACT = "block-livechat-contact" [ADMIN MANAGER MONITOR AGENT], "Block a contact's channel.";
    UNBLOCK_LIVECHAT_CONTACT = "unblock-livechat-contact" [ADMIN MANAGER MONITOR AGENT], "Unblock a contact's channel.";
    MANAGE_LIVECHAT_UNITS = "manage-livechat-units" [ADMIN MANAGER], "Make and change units.";
    MANAGE_LIVECHAT_MONITORS = "manage-livechat-monitors" [ADMIN MANAGER], "Make users monitors.";
    MANAGE_LIVECHAT_TAGS = "manage-livechat-tags" [ADMIN MANAGER], "Make and change tags.";
    MANAGE_LIVECHAT_PRIORITIES = "manage-livechat-priorities" [ADMIN MANAGER], "Change priorities.";
    MANAGE_LIVECHAT_SLA = "manage-livechat-sla" [ADMIN MANAGER], "Make and change service levels.";
    MANAGE_LIVECHAT_CANNED_RESPONSES = "manage-livechat-canned-responses" [ADMIN MANAGER MONITOR], "See the page of canned responses.";
    REQUEST_PDF_TRANSCRIPT = "request-pdf-transcript" [ADMIN MANAGER MONITOR AGENT], "Ask for a transcript as a file.";
    VIEW_LIVECHAT_REPORTS = "view-livechat-reports" [ADMIN MANAGER MONITOR], "See reports.";
    VIEW_CANNED_RESPONSES = "view-canned-responses" [ADMIN MANAGER MONITOR AGENT], "Use canned responses.";
    VIEW_ALL_CANNED_RESPONSES = "view-all-canned-responses" [ADMIN MANAGER], "See everybody's canned responses.";
    VIEW_AGENT_CANNED_RESPONSES = "view-agent-canned-responses" [AGENT], "See the canned responses for agents.";
    SAVE_CANNED_RESPONSES = "save-canned-responses" [ADMIN MANAGER MONITOR AGENT], "Save canned responses of one's own.";
    SAVE_ALL_CANNED_RESPONSES = "save-all-canned-responses" [ADMIN MANAGER], "Save canned responses for everybody.";
    SAVE_DEPARTMENT_CANNED_RESPONSES = "save-department-canned-responses" [MONITOR], "Save canned responses for a department.";
    REMOVE_CANNED_RESPONSES = "remove-canned-responses" [ADMIN MANAGER MONITOR AGENT], "Delete canned responses.";
    OUTBOUND_SEND_MESSAGES = "outbound.send-messages" [ADMIN MANAGER MONITOR AGENT], "Write to contacts first.";
    OUTBOUND_CAN_ASSIGN_QUEUES = "outbound.can-assign-queues" [ADMIN MANAGER], "Choose the department of a message sent first.";
    OUTBOUND_CAN_ASSIGN_ANY_AGENT = "outbound.can-assign-any-agent" [ADMIN MANAGER MONITOR], "Choose the agent of a message sent first.";
    OUTBOUND_CAN_ASSIGN_SELF_ONLY = "outbound.can-assign-self-only" [AGENT], "Take the answers to a message sent first oneself.";

    VIEW_PRIVILEGED_SETTING = "view-privileged-setting" [ADMIN], "See all settings.";
    EDIT_PRIVILEGED_SETTING = "edit-privileged-setting" [ADMIN], "Change all settings.";
    MANAGE_SELECTED_SETTINGS = "manage-selected-settings" [ADMIN], "Change the settings that a permission of their own allows.";
    ACCESS_PERMISSIONS = "access-permissions" [ADMIN], "Change permissions and roles.";
    ACCESS_SETTING_PERMISSIONS = "access-setting-permissions" [ADMIN], "Change the permissions of settings.";
    ASSIGN_ROLES = "assign-roles" [ADMIN], "Give users roles.";
    ASSIGN_ADMIN_ROLE = "assign-admin-role" [ADMIN], "Make users administrators.";
    MANAGE_EMAIL_INBOX = "manage-email-inbox" [ADMIN], "Make and change e-mail inboxes.";
    CREATE_USER = "create-user" [ADMIN], "Make users.";
    DELETE_USER = "delete-user" [ADMIN], "Delete users.";
    EDIT_OTHER_USER_INFO = "edit-other-user-info" [ADMIN], "Change other users.";
    EDIT_OTHER_USER_PASSWORD = "edit-other-user-password" [ADMIN], "Give other users a password.";
    EDIT_OTHER_USER_ACTIVE_STATUS = "edit-other-user-active-status" [ADMIN], "Deactivate and activate other users.";
    VIEW_FULL_OTHER_USER_INFO = "view-full-other-user-info" [ADMIN], "See all that is known of other users.";
    VIEW_USER_ADMINISTRATION = "view-user-administration" [ADMIN], "See the page of users.";
    VIEW_OTHER_USER_CHANNELS = "view-other-user-channels" [ADMIN], "See which rooms another user is in.";
    USER_GENERATE_ACCESS_TOKEN = "user-generate-access-token" [ADMIN], "Log in for other users.";
    CREATE_PERSONAL_ACCESS_TOKENS = "create-personal-access-tokens" [ADMIN USER], "Make lasting tokens of one's own.";
    MANAGE_MODERATION_ACTIONS = "manage-moderation-actions" [ADMIN], "Act on what was reported.";
    GET_SERVER_INFO = "get-server-info" [ADMIN], "See the server's exact version.";
    ERASE_CONTACTS = "erase-contacts" [ADMIN], "Erase a contact with all of its chats.";
    EXPORT_CONTACTS = "export-contacts" [ADMIN], "See and export all that is held on a contact.";
    HOLD_CONTACTS = "hold-contacts" [ADMIN], "Keep a contact from being erased, and let it be erased again.";
    MANAGE_RETENTION = "manage-retention" [ADMIN], "Say after how long visitors are erased who have not come back.";
    VIEW_ERASURE_RECEIPTS = "view-erasure-receipts" [ADMIN], "See what was erased, and the receipts of it.";
    VIEW_LOGS = "view-logs" [ADMIN], "See the log.";
    VIEW_STATISTICS = "view-statistics" [ADMIN], "See the statistics.";
    VIEW_ROOM_ADMINISTRATION = "view-room-administration" [ADMIN], "See the page of rooms.";
    MANAGE_ASSETS = "manage-assets" [ADMIN], "Change logos and pictures.";
    SEND_MAIL = "send-mail" [ADMIN], "Write mail to all users.";
    MANAGE_INTEGRATIONS = "manage-incoming-integrations" [ADMIN], "Make and change integrations that post.";
    MANAGE_OUTGOING_INTEGRATIONS = "manage-outgoing-integrations" [ADMIN], "Make and change integrations that are called.";
    API_BYPASS_RATE_LIMIT = "api-bypass-rate-limit" [ADMIN BOT APP], "Call as often as one likes.";
    SEND_MANY_MESSAGES = "send-many-messages" [ADMIN BOT APP], "Send more than a few messages in a second.";
    BYPASS_TIME_LIMIT_EDIT_AND_DELETE = "bypass-time-limit-edit-and-delete" [BOT APP], "Change and delete messages at any time.";
    MESSAGE_IMPERSONATE = "message-impersonate" [BOT APP], "Write under another name.";
    VIEW_C_ROOM = "view-c-room" [ADMIN USER FEDERATED BOT APP ANONYMOUS], "See public rooms.";
    VIEW_D_ROOM = "view-d-room" [ADMIN USER FEDERATED BOT APP GUEST], "See users, and talk to one of them.";
    VIEW_P_ROOM = "view-p-room" [ADMIN USER FEDERATED ANONYMOUS GUEST], "See private rooms that one is in.";
    VIEW_JOINED_ROOM = "view-joined-room" [GUEST BOT APP ANONYMOUS], "See rooms that one is in.";
    VIEW_OUTSIDE_ROOM = "view-outside-room" [OWNER MODERATOR USER FEDERATED ADMIN], "See users outside of a room.";
    PREVIEW_C_ROOM = "preview-c-room" [ADMIN USER FEDERATED ANONYMOUS], "Look into public rooms.";
    CREATE_C = "create-c" [ADMIN USER FEDERATED BOT APP], "Make public rooms.";
    CREATE_D = "create-d" [ADMIN USER FEDERATED BOT APP], "Begin a talk with a user.";
    CREATE_P = "create-p" [ADMIN USER FEDERATED BOT APP], "Make private rooms.";
    START_DISCUSSION = "start-discussion" [ADMIN USER FEDERATED GUEST APP], "Begin a discussion.";
    EDIT_MESSAGE = "edit-message" [ADMIN OWNER MODERATOR], "Change other people's messages.";
    DELETE_MESSAGE = "delete-message" [ADMIN OWNER MODERATOR], "Delete other people's messages.";
    DELETE_OWN_MESSAGE = "delete-own-message" [ADMIN USER FEDERATED], "Delete one's own messages.";
    FORCE_DELETE_MESSAGE = "force-delete-message" [ADMIN OWNER], "Delete messages although deleting is off.";
    MENTION_ALL = "mention-all" [ADMIN OWNER MODERATOR USER FEDERATED], "Call everybody in a room.";
    MENTION_HERE = "mention-here" [ADMIN OWNER MODERATOR USER FEDERATED], "Call everybody who is there.";
    MOBILE_UPLOAD_FILE = "mobile-upload-file" [ADMIN USER FEDERATED], "Send files from a telephone.";
    EXPORT_MESSAGES_AS_PDF = "export-messages-as-pdf" [ADMIN USER], "Export messages.";
    POST_READONLY = "post-readonly" [ADMIN OWNER MODERATOR], "Write in rooms that are read only.";
    PIN_MESSAGE = "pin-message" [ADMIN OWNER MODERATOR], "Pin messages.";
    MUTE_USER = "mute-user" [ADMIN OWNER MODERATOR], "Mute users.";
    SET_OWNER = "set-owner" [ADMIN OWNER], "Make somebody owner of a room.";
    SET_MODERATOR = "set-moderator" [ADMIN OWNER], "Make somebody moderator of a room.";
    SET_LEADER = "set-leader" [ADMIN OWNER], "Make somebody leader of a room.";
    LOGOUT_OTHER_USER = "logout-other-user" [ADMIN], "End other users' logins.";
}

/// The permission to change one setting.
pub fn to_change_setting(setting_id: &str) -> String {
    format!("{CHANGE_SETTING}{setting_id}")
}

/// The setting whose change a permission allows, if it is one of that kind and the setting can be changed.
pub fn changed_setting(permission_id: &str) -> Option<&'static settings::Definition> {
    let definition = settings::definition(permission_id.strip_prefix(CHANGE_SETTING)?)?;
    (!definition.is_hidden).then_some(definition)
}

/// Every permission with the roles that hold it at the start: the table's, and one for each setting that can be changed, which nobody
/// holds.
pub fn at_the_start() -> impl Iterator<Item = (String, &'static [&'static str])> {
    let table = TABLE.iter().map(|definition| (definition.permission.0.to_owned(), definition.roles));
    let settings = settings::definitions().iter().filter(|definition| !definition.is_hidden);
    table.chain(settings.map(|definition| (to_change_setting(definition.id), &[] as &[&str])))
}

/// Who holds which permission at one moment.
#[derive(Debug, Clone, Default)]
pub struct Grants(HashMap<String, Vec<String>>);

impl Grants {
    /// From pairs of a permission and a role that holds it.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Grants {
        let mut grants: HashMap<String, Vec<String>> = HashMap::new();
        for (permission, role) in pairs {
            grants.entry(permission).or_default().push(role);
        }
        Grants(grants)
    }

    /// The roles that hold a permission (an id).
    pub fn holders(&self, permission: &str) -> &[String] {
        self.0.get(permission).map_or(&[], Vec::as_slice)
    }

    /// The ids of the permissions that other roles hold here than in `other`, in order.
    pub fn differing<'a>(&'a self, other: &'a Grants) -> Vec<&'a str> {
        let sorted = |grants: &Grants, permission: &str| {
            let mut holders = grants.holders(permission).to_vec();
            holders.sort_unstable();
            holders
        };
        let known: BTreeSet<&str> = self.0.keys().chain(other.0.keys()).map(String::as_str).collect();
        known.into_iter().filter(|permission| sorted(self, permission) != sorted(other, permission)).collect()
    }

    /// Whether somebody with these roles may do what `permission` (an id) allows.
    ///
    /// A guest may hold a few permissions only, whatever other roles it has.
    pub fn permit(&self, roles: &[String], permission: &str) -> bool {
        if roles.iter().any(|role| role == GUEST) && !OF_GUESTS.contains(&permission) {
            return false;
        }
        self.0.get(permission).is_some_and(|holders| roles.iter().any(|role| holders.contains(role)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_roles_exist() {
        let ids: BTreeSet<String> = at_the_start().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), at_the_start().count());
        for definition in TABLE {
            for held_by in definition.roles {
                assert!(role::BUILT_IN.iter().any(|role| role.id == *held_by), "{}: {held_by}", definition.permission.0);
            }
            assert!(definition.description.ends_with('.'), "{}", definition.permission.0);
        }
    }

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn grants(pairs: &[(&str, &str)]) -> Grants {
        Grants::new(pairs.iter().map(|(permission, role)| ((*permission).to_owned(), (*role).to_owned())))
    }

    #[test]
    fn one_of_the_roles_must_hold_it_and_nobody_is_exempt() {
        let grants = grants(&[("view-l-room", AGENT), ("view-l-room", MANAGER)]);
        assert!(grants.permit(&roles(&[USER, AGENT]), "view-l-room"));
        assert!(!grants.permit(&roles(&[ADMIN]), "view-l-room"), "an administrator has no permissions but those given");
        assert!(!grants.permit(&roles(&[]), "view-l-room"));
        assert!(!grants.permit(&roles(&[AGENT]), "unknown"));
    }

    #[test]
    fn a_guest_stays_a_guest() {
        let grants = grants(&[("view-l-room", GUEST), ("view-l-room", AGENT), ("view-d-room", GUEST)]);
        assert!(!grants.permit(&roles(&[GUEST]), "view-l-room"));
        assert!(!grants.permit(&roles(&[GUEST, AGENT]), "view-l-room"), "whatever else it is");
        assert!(grants.permit(&roles(&[GUEST]), "view-d-room"));
    }

    #[test]
    fn permissions_of_settings_name_settings_that_can_be_changed() {
        assert_eq!(changed_setting("change-setting-Livechat_title").map(|setting| setting.id), Some("Livechat_title"));
        assert!(changed_setting("change-setting-Livechat_guest_count").is_none(), "it is hidden");
        assert!(changed_setting("change-setting-x").is_none() && changed_setting("view-l-room").is_none());
    }
}
