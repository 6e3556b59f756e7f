//! The webhook: where events of chats are sent, and which.

/// Telephone numbers as Brazil writes them, with or without the code of the area.
const PHONE_PATTERN: &str = concat!(
    r"((?:\([0-9]{1,3}\)|[0-9]{2})[ \-]*?[0-9]{4,5}(?:[\-\s\_]{1,2})?[0-9]{4}(?:(?=[^0-9])|$)",
    r"|[0-9]{4,5}(?:[\-\s\_]{1,2})?[0-9]{4}(?:(?=[^0-9])|$))",
);

settings! {
    "Omnichannel" / "CRM_Integration" {
        WEBHOOK_URL = text("Livechat_webhookUrl", ""), "The address that events are sent to; none are while it is empty.";
        WEBHOOK_SECRET = text("Livechat_secret_token", "") [secret],
            "The secret by which the receiver knows that an event is from this server.";
        WEBHOOK_TIMEOUT_MILLISECONDS = integer("Livechat_http_timeout", 5000),
            "How many milliseconds a receiver has to answer; a failed event is sent again after four times as long.";
        WEBHOOK_ON_START = boolean("Livechat_webhook_on_start", false), "An event is sent when a chat begins.";
        WEBHOOK_ON_CLOSE = boolean("Livechat_webhook_on_close", false), "An event is sent when a chat is closed.";
        WEBHOOK_ON_TAKEN = boolean("Livechat_webhook_on_chat_taken", false), "An event is sent when an agent takes a chat.";
        WEBHOOK_ON_QUEUED = boolean("Livechat_webhook_on_chat_queued", false),
            "An event is sent when a chat is put into the queue.";
        WEBHOOK_ON_FORWARD = boolean("Livechat_webhook_on_forward", false), "An event is sent when a chat is forwarded.";
        WEBHOOK_ON_OFFLINE_MESSAGE = boolean("Livechat_webhook_on_offline_msg", false), "An event is sent for every offline form.";
        WEBHOOK_ON_VISITOR_MESSAGE = boolean("Livechat_webhook_on_visitor_message", false),
            "An event is sent for every message of a visitor.";
        WEBHOOK_ON_AGENT_MESSAGE = boolean("Livechat_webhook_on_agent_message", false),
            "An event is sent for every message of an agent.";
        WEBHOOK_ON_CAPTURE = boolean("Livechat_webhook_on_capture", false),
            "An event is sent when a message has an e-mail address or a telephone number in it.";
        WEBHOOK_NAVIGATION = boolean("Send_visitor_navigation_history_livechat_webhook_request", false),
            "Events contain the pages that the visitor saw, where those are messages.";
        LEAD_EMAIL_PATTERN = text("Livechat_lead_email_regex", r"\b[A-Z0-9._%+-]+@(?:[A-Z0-9-]+\.)+[A-Z]{2,4}\b"),
            "The regular expression by which e-mail addresses are found in messages, in either case.";
        LEAD_PHONE_PATTERN = text("Livechat_lead_phone_regex", PHONE_PATTERN),
            "The regular expression by which telephone numbers are found in messages.";
    }
}
