//! Text messages by telephone and the frame beside chats that belongs to the same group.

/// The types of files that come with text messages, unless others are chosen.
const MEDIA_TYPES: &str = "image/*,audio/*,video/*,text/*,application/pdf";

settings! {
    "SMS" / "" {
        SMS_ENABLED = boolean("SMS_Enabled", false), "Text messages open chats, and agents' answers are sent as text messages.";
        SMS_SERVICE = select("SMS_Service", "twilio", &["twilio", "voxtelesys", "mobex"]),
            "The provider that carries text messages.";
        SMS_DEFAULT_DEPARTMENT = text("SMS_Default_Omnichannel_Department", ""),
            "The department, by id or name, of chats by text message that name none.";
    }
    "SMS" / "Twilio" {
        SMS_TWILIO_ACCOUNT = text("SMS_Twilio_Account_SID", "") [secret], "The account at Twilio.";
        SMS_TWILIO_TOKEN = text("SMS_Twilio_authToken", "") [secret],
            "The token of the account at Twilio, which also signs its requests.";
        SMS_TWILIO_FILES = boolean("SMS_Twilio_FileUpload_Enabled", true) [secret], "Files that come by Twilio are kept.";
        SMS_TWILIO_MEDIA_TYPES = text("SMS_Twilio_FileUpload_MediaTypeWhiteList", MEDIA_TYPES) [secret],
            "The types of files that are taken from Twilio, with commas between them.";
    }
    "SMS" / "Voxtelesys" {
        SMS_VOXTELESYS_TOKEN = text("SMS_Voxtelesys_authToken", "") [secret], "The token of the account at Voxtelesys.";
        SMS_VOXTELESYS_URL = text("SMS_Voxtelesys_URL", "https://smsapi.voxtelesys.net/api/v1/sms") [secret],
            "The address that text messages by Voxtelesys are sent to.";
        SMS_VOXTELESYS_FILES = boolean("SMS_Voxtelesys_FileUpload_Enabled", true) [secret],
            "Files that come by Voxtelesys are kept.";
        SMS_VOXTELESYS_MEDIA_TYPES = text("SMS_Voxtelesys_FileUpload_MediaTypeWhiteList", MEDIA_TYPES) [secret],
            "The types of files that are taken from Voxtelesys, with commas between them.";
    }
    "SMS" / "Mobex" {
        SMS_MOBEX_GATEWAY = text("SMS_Mobex_gateway_address", ""), "The address of the gateway of Mobex.";
        SMS_MOBEX_REST = text("SMS_Mobex_restful_address", ""), "The address of the REST interface of Mobex.";
        SMS_MOBEX_USERNAME = text("SMS_Mobex_username", ""), "The user name at Mobex.";
        SMS_MOBEX_PASSWORD = password("SMS_Mobex_password", ""), "The password at Mobex.";
        SMS_MOBEX_FROM = text("SMS_Mobex_from_number", ""), "The number that text messages by Mobex are sent from.";
        SMS_MOBEX_FROM_LIST = text("SMS_Mobex_from_numbers_list", ""),
            "Further numbers that text messages by Mobex may be sent from, with commas between them.";
    }
    "SMS" / "External Frame" {
        EXTERNAL_FRAME = boolean("Omnichannel_External_Frame_Enabled", false) [public],
            "Agents see a page of another system beside a chat.";
        EXTERNAL_FRAME_URL = text("Omnichannel_External_Frame_URL", "") [public], "The address of the page beside a chat.";
        EXTERNAL_FRAME_KEY = text("Omnichannel_External_Frame_Encryption_JWK", "") [public],
            "The key, as a JSON Web Key, by which agents' tokens are encrypted for the page beside a chat.";
    }
}
