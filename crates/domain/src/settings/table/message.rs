//! Messages: their length, editing and deleting them, and what counts as unread.

settings! {
    "Message" / "" {
        MESSAGE_MAX_ALLOWED_SIZE = integer("Message_MaxAllowedSize", 5000) [public],
            "The longest message, in characters; the widget's limit while its own is 0.";
        MESSAGE_EDITING = boolean("Message_AllowEditing", true) [public], "Messages may be edited.";
        MESSAGE_EDITING_MINUTES = integer("Message_AllowEditing_BlockEditInMinutes", 0) [public],
            "For how many minutes a message may be edited; 0 is for ever.";
        MESSAGE_DELETING = boolean("Message_AllowDeleting", true) [public], "Messages may be deleted.";
        MESSAGE_DELETING_MINUTES = integer("Message_AllowDeleting_BlockDeleteInMinutes", 0) [public],
            "For how many minutes a message may be deleted; 0 is for ever.";
        MESSAGE_SHOW_DELETED = boolean("Message_ShowDeletedStatus", false) [public], "Where a message was deleted, a note says so.";
        MESSAGE_KEEP_HISTORY = boolean("Message_KeepHistory", false) [public],
            "Former texts of edited and deleted messages are kept.";
        MESSAGE_QUOTE_DEPTH = integer("Message_QuoteChainLimit", 2) [public], "How deep quotes are that are shown: 1 is a quote without quotes inside.";
        MESSAGE_PINNING = boolean("Message_AllowPinning", true) [public], "Messages may be pinned.";
        HIDDEN_SYSTEM_MESSAGES = multi_select("Hide_System_Messages", &[], &[
            "uj",
            "ul",
            "ru",
            "au",
            "ut",
            "r",
            "rm",
            "mute_unmute",
            "livechat-started",
            "livechat-close",
            "livechat_transfer_history",
            "livechat_transfer_history_fallback",
            "livechat_navigation_history",
            "livechat_transcript_history",
            "livechat_video_call",
            "livechat_webrtc_video_call",
            "omnichannel_placed_chat_on_hold",
            "omnichannel_on_hold_chat_resumed",
            "omnichannel_priority_change_history",
            "omnichannel_sla_change_history",
        ]) [public], "The messages of the system that histories leave out.";
        STORE_LAST_MESSAGE = boolean("Store_Last_Message", true) [public], "Rooms carry their last message.";
    }
    "General" / "Notifications" {
        UNREAD_COUNT = select("Unread_Count", "user_and_group_mentions_only", &[
            "all_messages",
            "user_mentions_only",
            "group_mentions_only",
            "user_and_group_mentions_only",
        ]) [public], "Which messages count as unread in channels and groups.";
        UNREAD_COUNT_DIRECT = select("Unread_Count_DM", "all_messages", &["all_messages", "mentions_only"]) [public],
            "Which messages count as unread in direct conversations.";
        UNREAD_COUNT_OMNICHANNEL = select("Unread_Count_Omni", "all_messages", &["all_messages", "mentions_only"]) [public],
            "Which messages of visitors count as unread for the agent.";
    }
}
