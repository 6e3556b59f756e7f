//! The server as a whole: its name and address, names in clients, the REST interface.

settings! {
    "General" / "" {
        SITE_URL = text("Site_Url", "") [public], "Where people reach this server; links are relative while it is empty.";
        SITE_NAME = text("Site_Name", "Rocket.Chat") [public], "What this server is called, in mails for example.";
        LANGUAGE = language("Language", "") [public], "The language of texts; empty is English.";
        OUTGOING_ALLOWED_HOSTS = text("SSRF_Allowlist", ""),
            "The hosts and addresses in private networks that this server may call, with commas between them.";
    }
    "General" / "REST API" {
        PAGE_DEFAULT_COUNT = integer("API_Default_Count", 50), "How many items a page of a list has that asks for no number.";
        PAGE_MAX_COUNT = integer("API_Upper_Count_Limit", 100), "How many items a page of a list has at most.";
        PAGE_WITHOUT_LIMIT = boolean("API_Allow_Infinite_Count", true), "A list that is asked for 0 items is given whole.";
        CORS = boolean("API_Enable_CORS", true), "Pages of other sites may call the API from the browser.";
        CORS_ORIGIN = text("API_CORS_Origin", "*"), "The sites that may, with commas between them; `*` is all.";
    }
    "Layout" / "User_Interface" {
        USE_REAL_NAMES = boolean("UI_Use_Real_Name", false) [public], "Clients show names in place of user names.";
        DISPLAY_ROLES = boolean("UI_DisplayRoles", true) [public], "Clients show users' roles, and are told when those change.";
    }
    "WebRTC" / "" {
        WEBRTC = boolean("WebRTC_Enabled", false) [public], "Calls over WebRTC are on, where they are the way to call visitors.";
    }
    "Troubleshoot" / "" {
        DISABLE_ACTIVITY_MONITOR = boolean("Troubleshoot_Disable_Livechat_Activity_Monitor", false),
            "How long agents are available is not recorded.";
    }
}
