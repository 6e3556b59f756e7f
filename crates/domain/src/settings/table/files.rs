//! Files: which are taken, and who may fetch them.

settings! {
    "FileUpload" / "" {
        FILE_UPLOAD_AT_ALL = boolean("FileUpload_Enabled", true) [public], "Files may be sent.";
        FILE_MAX_BYTES = integer("FileUpload_MaxFileSize", 104_857_600) [public], "The largest file, in bytes; -1 is any size.";
        FILE_ALLOWED_TYPES = text("FileUpload_MediaTypeWhiteList", "") [public],
            "The types of files that are taken, with commas between them; all are while it is empty.";
        FILE_REFUSED_TYPES = text("FileUpload_MediaTypeBlackList", "image/svg+xml") [public],
            "The types of files that are not taken, with commas between them.";
        FILE_PROTECTED = boolean("FileUpload_ProtectFiles", true) [public],
            "Files are given only to users, to the visitor of their chat, and to whoever has a signed link.";
        FILE_MEMBERS_ONLY = boolean("FileUpload_Restrict_to_room_members", false),
            "Users are given only the files of rooms that they are members of.";
        FILE_READERS_ONLY = boolean("FileUpload_Restrict_to_users_who_can_access_room", true),
            "Users are given only the files of rooms that they may see.";
        FILE_SIGNED_LINKS = boolean("FileUpload_Enable_json_web_token_for_files", true),
            "Links to files are signed, so that other systems can fetch them.";
        FILE_SIGNING_KEY = text("FileUpload_json_web_token_secret_for_files", ""),
            "The key that links to files are signed with.";
    }
}
