//! Contacts: whose chats agents may take.

settings! {
    "Omnichannel" / "Contact_identification" {
        BLOCK_UNKNOWN_CONTACTS = boolean("Livechat_Block_Unknown_Contacts", false) [public premium],
            "Agents cannot take chats of contacts who are not known.";
        BLOCK_UNVERIFIED_CONTACTS = boolean("Livechat_Block_Unverified_Contacts", false) [public premium],
            "Agents cannot take chats of channels that are not verified.";
        CONTACT_VERIFICATION = select(
            "Livechat_Require_Contact_Verification",
            "never",
            &["never", "once", "always"]
        ) [public premium], "When visitors have to prove who they are; something has to be there that verifies them.";
    }
}
