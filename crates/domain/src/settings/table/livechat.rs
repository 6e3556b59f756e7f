//! Livechat as a whole: whether it is on, how chats end, and what is counted.

settings! {
    "Omnichannel" / "" {
        LIVECHAT_ENABLED = boolean("Livechat_enabled", true) [public],
            "The master switch: while it is off, no chat is opened, visitors cannot write and nothing is routed.";
        VISITORS_MAY_CLOSE = boolean("Omnichannel_allow_visitors_to_close_conversation", true) [public],
            "Visitors may close their chats.";
        REQUEST_CLOSING_COMMENT = boolean("Livechat_request_comment_when_closing_conversation", true) [public],
            "Agents are asked for a comment when they close a chat.";
        ENABLED_WHEN_AGENT_IDLE = boolean("Livechat_enabled_when_agent_idle", true) [public],
            "Agents who are away still count as online.";
        CONTINUOUS_SOUND = boolean("Livechat_continuous_sound_notification_new_livechat_room", false) [public],
            "Agents' clients ring until a new chat is looked at.";
        FILE_UPLOAD = boolean("Livechat_fileupload_enabled", true) [public], "Visitors may send files, where files are on at all.";
        TRANSCRIPT = boolean("Livechat_enable_transcript", false) [public],
            "Visitors are offered a transcript when their chat ends.";
        TRANSCRIPT_ALWAYS = boolean("Livechat_transcript_send_always", false) [public],
            "Every visitor with an e-mail address is sent the transcript of each chat that is closed.";
        TRANSCRIPT_SYSTEM_MESSAGES = boolean("Livechat_transcript_show_system_messages", false) [public],
            "Transcripts contain the messages of the system too.";
        TRANSCRIPT_MESSAGE = text("Livechat_transcript_message", "") [public], "The text with which a transcript is offered.";
        TRANSCRIPT_SUBJECT = text("Livechat_transcript_email_subject", "") [public],
            "The subject of the mail with a transcript; a general one while it is empty.";
        DEPARTMENT_REMOVAL = boolean("Omnichannel_enable_department_removal", false) [public], "Departments may be deleted.";
        GUEST_COUNT = integer("Livechat_guest_count", 1) [hidden], "The number in the user name of the next visitor.";
        ROOM_COUNT = integer("Livechat_Room_Count", 1) [hidden],
            "The number in the name of the next room, as older servers named rooms.";
        MERGED_CONTACTS_COUNT = integer("Merged_Contacts_Count", 0) [hidden], "How many contacts were merged into others so far.";
        RESOLVED_CONFLICTS_COUNT = integer("Resolved_Conflicts_Count", 0) [hidden],
            "How many conflicts of contacts were resolved so far.";
        CONTACTS_IMPORTER_COUNT = integer("Contacts_Importer_Count", 0) [hidden], "How many contacts were imported so far.";
    }
    "Omnichannel" / "API" {
        FORCE_CLOSE = boolean("Omnichannel_allow_force_close_conversations", false) [public],
            "Agents may force a chat to close whose records contradict each other.";
    }
    "Omnichannel" / "Business_Hours" {
        BUSINESS_HOURS = boolean("Livechat_enable_business_hours", false) [public],
            "Agents are open for chats only in business hours.";
        BUSINESS_HOUR_TYPE = select("Livechat_business_hour_type", "Single", &["Single", "Multiple"]) [public premium],
            "Whether one schedule is for all agents or departments have schedules of their own.";
    }
    "Omnichannel" / "GDPR" {
        KEEP_CONNECTION = boolean("Livechat_Allow_collect_and_store_HTTP_header_informations", false) [public],
            "Visitors' user agent, address and host are kept, and visitors with open chats may be erased.";
        FORCE_CONSENT = boolean("Livechat_force_accept_data_processing_consent", false) [public],
            "The widget asks for consent before anything else, and lets visitors have their data erased.";
        CONSENT_TEXT = text("Livechat_data_processing_consent_text", "") [public multiline], "The text that asks for consent.";
    }
    "Omnichannel" / "Video_and_Audio_Call" {
        CALL_PROVIDER = select("Omnichannel_call_provider", "none", &["none", "default-provider"]) [public],
            "Who carries calls with visitors, if anybody does.";
    }
    "Omnichannel" / "Analytics" {
        IGNORE_AUTOMATIC_MESSAGES = boolean("Omnichannel_Metrics_Ignore_Automatic_Messages", false) [public],
            "Messages of bots do not count as answers.";
    }
    "Omnichannel" / "Canned_Responses" {
        CANNED_RESPONSES = boolean("Canned_Responses_Enable", true) [public premium], "Agents have canned responses.";
    }
}
