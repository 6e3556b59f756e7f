//! The widget: its looks, its forms, and what it offers visitors.

settings! {
    "Omnichannel" / "Livechat" {
        TITLE = text("Livechat_title", "Rocket.Chat") [public], "The title of the widget.";
        TITLE_COLOR = color("Livechat_title_color", "#C1272D") [public], "The colour of the title of the widget.";
        LIMIT_MESSAGE_LENGTH = boolean("Livechat_enable_message_character_limit", false) [public],
            "Visitors' messages have a limit of characters.";
        MESSAGE_CHARACTER_LIMIT = integer("Livechat_message_character_limit", 0) [public],
            "The limit of visitors' messages, in characters, while there is one.";
        OFFLINE_FORM = boolean("Livechat_display_offline_form", true) [public], "The widget offers a form while nobody is online.";
        CLEAR_STORAGE_AT_END = boolean("Livechat_clear_local_storage_when_chat_ended", false) [public],
            "The widget forgets its visitor when a chat ends.";
        VALIDATE_OFFLINE_EMAIL = boolean("Livechat_validate_offline_email", true) [public],
            "The sender of the offline form needs an e-mail address whose domain takes mail.";
        OFFLINE_FORM_UNAVAILABLE = text("Livechat_offline_form_unavailable", "") [public],
            "The text that the widget shows while nobody is online and the form is off.";
        OFFLINE_TITLE = text("Livechat_offline_title", "Leave a message") [public], "The title of the offline form.";
        OFFLINE_TITLE_COLOR = color("Livechat_offline_title_color", "#666666") [public],
            "The colour of the title of the offline form.";
        OFFLINE_MESSAGE = text("Livechat_offline_message", "") [public multiline], "The text above the offline form.";
        OFFLINE_EMAIL = text("Livechat_offline_email", ""),
            "The e-mail address that gets what offline forms say, unless the department has its own.";
        OFFLINE_SUCCESS_MESSAGE = text("Livechat_offline_success_message", "") [public], "The text after an offline form was sent.";
        SWITCHING_DEPARTMENTS = boolean("Livechat_allow_switching_departments", true) [public],
            "Visitors may change to another department.";
        SHOW_AGENT_INFO = boolean("Livechat_show_agent_info", true) [public], "Visitors see who serves them.";
        SHOW_AGENT_EMAIL = boolean("Livechat_show_agent_email", true) [public],
            "Visitors see the e-mail addresses of the agent who serves them.";
        CONVERSATION_FINISHED_MESSAGE = text("Livechat_conversation_finished_message", "") [public],
            "The headline at the end of a chat.";
        CONVERSATION_FINISHED_TEXT = text("Livechat_conversation_finished_text", "") [public multiline],
            "The text below the headline at the end of a chat.";
        REGISTRATION_FORM = boolean("Livechat_registration_form", true) [public], "The widget asks visitors who they are.";
        REGISTRATION_NAME = boolean("Livechat_name_field_registration_form", true) [public],
            "The registration form asks for a name.";
        REGISTRATION_EMAIL = boolean("Livechat_email_field_registration_form", true) [public],
            "The registration form asks for an e-mail address.";
        REGISTRATION_MESSAGE = text("Livechat_registration_form_message", "") [public], "The text above the registration form.";
        HISTORY_MONITOR_TYPE = select("Livechat_history_monitor_type", "url", &["url", "title"]),
            "What has to change for a page to count as visited: its address or its title.";
        NAVIGATION_AS_MESSAGE = boolean("Livechat_Visitor_navigation_as_a_message", false) [public],
            "The pages that visitors see appear in their chats as messages.";
        ALLOWED_DOMAINS = text("Livechat_AllowedDomainsList", "") [public],
            "The hosts whose pages may show the widget, with commas between them; all may while it is empty.";
        OFFLINE_MESSAGE_TO_CHANNEL = boolean("Livechat_OfflineMessageToChannel_enabled", false) [public],
            "What offline forms say is written into a channel as well.";
        OFFLINE_MESSAGE_CHANNEL = text("Livechat_OfflineMessageToChannel_channel_name", "") [public],
            "The name of the channel for offline forms, unless the department has its own.";
        WIDGET_SCRIPTS = text("Livechat_AdditionalWidgetScripts", "") [premium multiline],
            "The addresses of scripts that the widget's page loads too, with commas between them.";
        WIDGET_STYLES = text("Livechat_WidgetLayoutClasses", "") [premium multiline],
            "The addresses of style sheets that the widget's page loads too, with commas between them.";
        WIDGET_POSITION = select("Livechat_widget_position", "right", &["left", "right"]) [public premium],
            "The side of the page that the widget is on.";
        WIDGET_BACKGROUND = text("Livechat_background", "") [public premium], "The background of the widget, as CSS writes it.";
        HIDE_WATERMARK = boolean("Livechat_hide_watermark", false) [premium], "The widget does not say who made it.";
        HIDE_EXPAND_CHAT = boolean("Livechat_hide_expand_chat", false) [premium],
            "The widget cannot be opened in a window of its own.";
        WIDGET_HIDDEN_SYSTEM_MESSAGES = multi_select(
            "Livechat_hide_system_messages",
            &["uj", "ul", "livechat-close"],
            &["uj", "ul", "livechat-close", "livechat-started", "livechat_transfer_history"]
        ) [public premium], "The messages of the system that the widget does not show.";
    }
    "Assets" / "" {
        WIDGET_LOGO = asset("Assets_livechat_widget_logo", crate::settings::Asset) [public], "The logo of the widget.";
    }
}
