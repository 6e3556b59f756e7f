//! What happens to chats whose agent or visitor is gone, and to chats on hold.

settings! {
    "Omnichannel" / "Sessions" {
        AGENT_LEAVE_ACTION = select("Livechat_agent_leave_action", "none", &["none", "forward", "close"]),
            "What happens to the open chats of an agent who goes offline.";
        AGENT_LEAVE_SECONDS = integer("Livechat_agent_leave_action_timeout", 60),
            "How many seconds an agent has to be offline before that happens.";
        AGENT_LEAVE_COMMENT = text("Livechat_agent_leave_comment", ""), "The closing comment of chats whose agent went offline.";
        VISITOR_INACTIVITY_SECONDS = integer("Livechat_visitor_inactivity_timeout", 3600),
            "After how many seconds without an answer a visitor counts as gone.";
        ABANDONED_ROOMS_ACTION = select("Livechat_abandoned_rooms_action", "none", &["none", "close", "on-hold"]) [public premium],
            "What happens to a chat whose visitor is gone.";
        ABANDONED_ROOMS_MESSAGE = text("Livechat_abandoned_rooms_closed_custom_message", "") [premium],
            "The closing comment of chats whose visitor is gone, unless the department has its own.";
        CLOSE_ON_HOLD_SECONDS = integer("Livechat_auto_close_on_hold_chats_timeout", 3600) [premium],
            "After how many seconds a chat on hold is closed; less than 1 is never.";
        CLOSE_ON_HOLD_MESSAGE = text("Livechat_auto_close_on_hold_chats_custom_message", "") [premium],
            "The closing comment of chats that were on hold for too long.";
        MANUAL_ON_HOLD = boolean("Livechat_allow_manual_on_hold", false) [public premium],
            "Agents' clients offer to put chats on hold.";
        ON_HOLD_AFTER_AGENT_ONLY = boolean("Livechat_allow_manual_on_hold_upon_agent_engagement_only", true) [public premium],
            "A chat may be put on hold only while the visitor's turn is next.";
        AUTO_TRANSFER_SECONDS = integer("Livechat_auto_transfer_chat_timeout", 0) [premium],
            "After how many seconds without an answer a new chat is given to another agent, once; 0 is never.";
    }
}
