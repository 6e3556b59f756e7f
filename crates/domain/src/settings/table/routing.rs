//! Routing and the queue: who gets a chat, and how long it may wait.

settings! {
    "Omnichannel" / "Routing" {
        ROUTING_METHOD = select(
            "Livechat_Routing_Method",
            "Auto_Selection",
            &["Auto_Selection", "Manual_Selection", "External", "Load_Balancing", "Load_Rotation"]
        ) [public], "How an agent is found for a chat.";
        ACCEPT_WITHOUT_AGENTS = boolean("Livechat_accept_chats_with_no_agents", false),
            "Chats may be opened while no agent is online.";
        ASSIGN_TO_BOT = boolean("Livechat_assign_new_conversation_to_bot", false), "New chats go to a bot that is online first.";
        QUEUE_LIST_LENGTH = integer("Livechat_guest_pool_max_number_incoming_livechats_displayed", 0) [public],
            "How many waiting chats agents see under manual selection; 0 is all.";
        SHOW_QUEUE_LIST = boolean("Livechat_show_queue_list_link", false) [public], "Agents may see who has how many chats.";
        EXTERNAL_QUEUE_URL = text("Livechat_External_Queue_URL", ""),
            "The address that is asked for the next agent under external routing.";
        EXTERNAL_QUEUE_TOKEN = text("Livechat_External_Queue_Token", ""),
            "The secret that is sent to the address of external routing.";
        MAX_FALLBACK_DEPTH = integer("Omnichannel_max_fallback_forward_depth", 3) [premium],
            "Through how many fallback departments a chat may be forwarded in one go.";
        LAST_CHATTED_AGENT_ROUTING = boolean("Livechat_last_chatted_agent_routing", false) [premium],
            "Visitors get the agent who served them last, if that one is there.";
        CONTACT_MANAGER_ROUTING = boolean("Omnichannel_contact_manager_routing", true) [premium],
            "Visitors get the manager of their contact, if that one is there.";
    }
    "Omnichannel" / "Queue_management" {
        QUEUE_DELAY_SECONDS = integer("Omnichannel_queue_delay_timeout", 5),
            "How many seconds pass between two looks at the queue.";
        WAITING_QUEUE = boolean("Livechat_waiting_queue", false) [public premium],
            "Agents have a limit of chats, and those over it wait in a queue.";
        WAITING_QUEUE_MESSAGE = text("Livechat_waiting_queue_message", "") [premium], "The text that waiting visitors see.";
        MAX_CHATS_PER_AGENT = integer("Livechat_maximum_chats_per_agent", 0) [premium],
            "How many chats an agent serves at a time, unless the agent or the department has a limit of its own; 0 is any number.";
        QUEUE_STATISTICS = boolean("Omnichannel_calculate_dispatch_service_queue_statistics", true) [premium],
            "Waiting visitors are told their place and how long it may take.";
        WAIT_ESTIMATE_SAMPLE = integer("Livechat_number_most_recent_chats_estimate_wait_time", 100) [premium],
            "From how many of the latest chats the time of waiting is estimated.";
        MAX_QUEUE_WAIT_MINUTES = integer("Livechat_max_queue_wait_time", -1) [premium],
            "After how many minutes a waiting chat is closed; 0 or less is never.";
        QUEUE_ORDER = select("Omnichannel_sorting_mechanism", "Timestamp", &["Timestamp", "Priority", "SLAs"]) [public premium],
            "Which waiting chat is next: the oldest, the one of the highest priority, or the one whose agreement is due first.";
    }
}
