//! What users' clients do until their users choose otherwise.

settings! {
    "Accounts" / "Accounts_Default_User_Preferences" {
        PREFER_AUTO_AWAY = boolean("Accounts_Default_User_Preferences_enableAutoAway", true) [public],
            "Users who do nothing become away by themselves.";
        PREFER_IDLE_SECONDS = integer("Accounts_Default_User_Preferences_idleTimeLimit", 300) [public],
            "After how many seconds a user who does nothing is away.";
        PREFER_DESKTOP_NOTIFICATIONS = select(
            "Accounts_Default_User_Preferences_desktopNotifications",
            "all",
            &["all", "mentions", "nothing"]
        ) [public], "Which messages are announced on the desktop.";
        PREFER_PUSH_NOTIFICATIONS = select(
            "Accounts_Default_User_Preferences_pushNotifications",
            "all",
            &["all", "mentions", "nothing"]
        ) [public], "Which messages are announced on the telephone.";
        PREFER_EMAIL_NOTIFICATIONS = select(
            "Accounts_Default_User_Preferences_emailNotificationMode",
            "mentions",
            &["mentions", "nothing"]
        ) [public], "Which messages are announced by e-mail.";
        PREFER_NEW_ROOM_SOUND = select("Accounts_Default_User_Preferences_newRoomNotification", "door", &["none", "door"]) [public],
            "The sound of a new room.";
        PREFER_NEW_MESSAGE_SOUND = select("Accounts_Default_User_Preferences_newMessageNotification", "chime", &[
            "none", "beep", "chelle", "chime", "ding", "droplet", "highbell", "seasons",
        ]) [public], "The sound of a new message.";
        PREFER_MUTE_FOCUSED = boolean("Accounts_Default_User_Preferences_muteFocusedConversations", true) [public],
            "New messages of the room in view make no sound.";
        PREFER_VOLUME = integer("Accounts_Default_User_Preferences_notificationsSoundVolume", 100) [public],
            "The volume of sounds, up to 100.";
        PREFER_EMOJIS = boolean("Accounts_Default_User_Preferences_useEmojis", true) [public], "Emojis are shown as pictures.";
        PREFER_CONVERT_EMOJIS = boolean("Accounts_Default_User_Preferences_convertAsciiEmoji", true) [public],
            "Emojis that are typed as characters become pictures.";
        PREFER_LOAD_IMAGES = boolean("Accounts_Default_User_Preferences_autoImageLoad", true) [public],
            "Pictures in messages are loaded by themselves.";
        PREFER_SAVE_BANDWIDTH = boolean("Accounts_Default_User_Preferences_saveMobileBandwidth", true) [public],
            "On the telephone, less is loaded by itself.";
        PREFER_SEND_ON_ENTER = select(
            "Accounts_Default_User_Preferences_sendOnEnter",
            "normal",
            &["normal", "alternative", "desktop"]
        ) [public], "Whether the enter key sends a message or begins a new line.";
        PREFER_UNREAD_ALERT = boolean("Accounts_Default_User_Preferences_unreadAlert", true) [public],
            "Rooms with unread messages stand out.";
        PREFER_THEME = select("Accounts_Default_User_Preferences_themeAppearence", "auto", &["auto", "light", "dark"]) [public],
            "Whether the client is light or dark.";
        PREFER_TRANSCRIPT_EMAIL = boolean("Accounts_Default_User_Preferences_omnichannelTranscriptEmail", false) [public],
            "Closing a chat proposes to mail its transcript to the visitor.";
        PREFER_TRANSCRIPT_PDF = boolean("Accounts_Default_User_Preferences_omnichannelTranscriptPDF", false) [public],
            "Closing a chat proposes to make its transcript as PDF.";
    }
}
