//! What only Usher has.

settings! {
    "Usher" / "Limits" {
        MESSAGES_PER_MINUTE = integer("Usher_Limit_Messages_Per_Minute", 60) [at_least(1)],
            "How many messages a visitor may send per minute, in the long run.";
        MESSAGES_BURST = integer("Usher_Limit_Messages_Burst", 20) [at_least(1)], "How many messages a visitor may send at once.";
        REGISTRATIONS_PER_TOKEN = integer("Usher_Limit_Registrations_Per_Token", 5) [at_least(1)],
            "How many times per minute a visitor may be registered with one token.";
        REGISTRATIONS_PER_ADDRESS = integer("Usher_Limit_Registrations_Per_Address", 300) [at_least(1)],
            "How many visitors may be registered from one address per minute.";
        ERASURES_PER_TOKEN = integer("Usher_Limit_Erasures_Per_Token", 5) [at_least(1)],
            "How many times per minute one token may ask to be erased.";
        LOGINS_PER_NAME_AND_ADDRESS = integer("Usher_Limit_Logins", 10) [at_least(1)],
            "How many times per minute one address may try to log in with one name.";
    }
    "Usher" / "Contacts" {
        MATCH_GUESTS_BY_CONTACT = boolean("Usher_Match_Guests_By_Contact", false),
            "Whoever registers with the e-mail address or telephone number of a known visitor becomes that visitor.";
        ERASE_WHOLE_CONTACT = boolean("Usher_Erase_Whole_Contact", false),
            "Erasing one visitor erases the whole contact, with all its channels.";
        LONGEST_BACKUP_DAYS = integer("Usher_Longest_Backup_Days", 365) [at_least(1)],
            "How many days old the oldest backup may be that is ever restored: so long the ledger of erasures knows, by random ids, whom to erase again.";
    }
}
