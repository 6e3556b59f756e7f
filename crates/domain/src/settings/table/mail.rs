//! Mail: who sends it, and the server that takes it.

settings! {
    "Email" / "" {
        FROM_EMAIL = text("From_Email", ""), "The sender of the mails that this server sends; without one they wait.";
    }
    "Email" / "SMTP" {
        SMTP_PROTOCOL = select("SMTP_Protocol", "smtp", &["smtp", "smtps"]) [secret],
            "How the mail server is spoken to: `smtps` is encrypted from the first byte.";
        SMTP_HOST = text("SMTP_Host", "") [secret], "The mail server that takes the mails of this server; without one they wait.";
        SMTP_PORT = text("SMTP_Port", "") [secret], "The port of the mail server; the usual one of its protocol while it is empty.";
        SMTP_IGNORE_TLS = boolean("SMTP_IgnoreTLS", false) [secret],
            "The mail server is never asked to encrypt, not even before the password is sent.";
        SMTP_USERNAME = text("SMTP_Username", "") [secret], "The user name at the mail server; nobody logs in while it is empty.";
        SMTP_PASSWORD = password("SMTP_Password", "") [secret], "The password at the mail server.";
    }
}
