//! Mail: what is sent, what may stand in its headers, and when it is tried again.
//!
//! Names, texts and addresses come from outside. None of them ends a header, and none is read as HTML.

use serde::{Deserialize, Serialize};

use crate::settings::{self as setting, Settings};
use crate::user::is_email;

/// The most characters of a header.
const HEADER_LIMIT: usize = 250;

/// How many characters of a message its mail's subject shows.
const SUBJECT_CHARACTERS: usize = 20;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long it is waited after each attempt that failed for the moment.
const PAUSES: [i64; 10] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR];

/// How long an entry is kept after its mail was sent or given up.
pub const KEPT: i64 = 30 * DAY;

/// How long a mail waits for somebody to say which server takes it.
pub const PATIENCE: i64 = 30 * DAY;

/// A mail. The address of its sender is that of the settings at the time when it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// How its sender is called.
    pub from: Option<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// Where it goes.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The text as HTML.
    pub html: String,
    /// The same without any markup.
    pub text: String,
}

/// An address with the name of whoever has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// What a setting says: an address, or a name and an address as in `Support <support@example.com>`.
    pub fn parse(text: &str) -> Option<Mailbox> {
        let text = text.trim();
        let mailbox = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => {
                let name = header(name.trim().trim_matches('"'));
                Mailbox { name: Some(name).filter(|name| !name.is_empty()), address: address.trim().to_owned() }
            }
            None => Mailbox { name: None, address: text.to_owned() },
        };
        is_email(&mailbox.address).then_some(mailbox)
    }
}

/// Why mails are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// A visitor left a message while nobody was there.
    OfflineMessage,
    /// Somebody wants to have a chat in writing.
    Transcript,
}

impl MailKind {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            MailKind::OfflineMessage => "offline-message",
            MailKind::Transcript => "transcript",
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<MailKind> {
        [MailKind::OfflineMessage, MailKind::Transcript].into_iter().find(|kind| kind.name() == name)
    }
}

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// It will be tried, or tried again.
    Waiting,
    /// A mail server took it.
    Sent,
    /// It was given up.
    Failed,
}

impl MailState {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            MailState::Waiting => "waiting",
            MailState::Sent => "sent",
            MailState::Failed => "failed",
        }
    }

    /// The state called `name`.
    pub fn from_name(name: &str) -> Option<MailState> {
        [MailState::Waiting, MailState::Sent, MailState::Failed].into_iter().find(|state| state.name() == name)
    }
}

/// Why mails cannot be sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// Nobody said which server takes them.
    NoServer,
    /// Nobody said who sends them.
    NoSender,
}

impl Unready {
    /// The code of the failure.
    pub fn code(self) -> &'static str {
        match self {
            Unready::NoServer => "no-server",
            Unready::NoSender => "no-sender",
        }
    }
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    Never,
    /// The server is asked to encrypt if it can.
    IfOffered,
    /// The server must be able to: a password is sent.
    Demanded,
    /// From the first byte.
    FromTheStart,
}

/// The server that takes the mails, as settings say.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// User name and password, if it wants them.
    pub login: Option<(String, String)>,
    /// Who sends.
    pub sender: Mailbox,
}

impl std::fmt::Debug for MailServer {
    /// Shows no password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MailServer({}:{}, {:?})", self.host, self.port, self.encryption)
    }
}

impl MailServer {
    /// The server of these settings.
    ///
    /// # Errors
    ///
    /// A setting is missing without which nothing can be sent.
    pub fn of(settings: &Settings) -> Result<MailServer, Unready> {
        let host = settings.text(&setting::SMTP_HOST).trim();
        if host.is_empty() {
            return Err(Unready::NoServer);
        }
        let sender = Mailbox::parse(settings.text(&setting::FROM_EMAIL)).ok_or(Unready::NoSender)?;
        let username = settings.text(&setting::SMTP_USERNAME);
        let login = (!username.is_empty()).then(|| (username.to_owned(), settings.text(&setting::SMTP_PASSWORD).to_owned()));
        let encryption = if settings.choice(&setting::SMTP_PROTOCOL) == "smtps" {
            Encryption::FromTheStart
        } else if settings.get(&setting::SMTP_IGNORE_TLS) {
            Encryption::Never
        } else if login.is_some() {
            Encryption::Demanded
        } else {
            Encryption::IfOffered
        };
        let usual = if encryption == Encryption::FromTheStart { 465 } else { 25 };
        let port = settings.text(&setting::SMTP_PORT).trim().parse().ok().filter(|port| *port > 0).unwrap_or(usual);
        Ok(MailServer { host: host.to_owned(), port, encryption, login, sender })
    }
}

/// When a mail is tried again of which `failures` attempts have failed for the moment, from the last one on. `None` if it is given up.
pub fn pause_after(failures: i64) -> Option<i64> {
    let place = usize::try_from(failures - 1).ok()?;
    PAUSES.get(place).copied()
}

/// A text that may stand in a header: one line of at most 250 characters, without anything that could end it.
pub fn header(text: &str) -> String {
    let is_break = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    let spaced: String = text.chars().map(|character| if is_break(character) { ' ' } else { character }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(HEADER_LIMIT).collect()
}

/// A text as HTML shows it: nothing of it is markup, and its lines stay lines.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            '\r' => {}
            other => html.push(other),
        }
    }
    html
}

/// A message that a visitor leaves while nobody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineMessage {
    /// Who leaves it.
    pub name: String,
    /// Where the answer goes.
    pub email: String,
    /// The text.
    pub message: String,
    /// The page it was left on.
    pub host: Option<String>,
}

impl OfflineMessage {
    /// The mail with it, for `recipient`.
    pub fn mail(&self, recipient: &str) -> Mail {
        let (name, email) = (header(&self.name), self.email.trim());
        let reply_to = is_email(email).then(|| Mailbox { name: Some(name.clone()), address: email.to_owned() });
        let beginning: String = header(&self.message).chars().take(SUBJECT_CHARACTERS).collect();
        let lines = [("Name", self.name.as_str()), ("E-mail", email)];
        let host = self.host.as_deref().filter(|host| !host.trim().is_empty()).map(|host| ("Sent from", host));
        let lines: Vec<(&str, &str)> = lines.into_iter().chain(host).collect();
        let of_html = |(label, value): &(&str, &str)| format!("<p><strong>{label}:</strong> {}</p>", escaped(value));
        let of_text = |(label, value): &(&str, &str)| format!("{label}: {}\n", header(value));
        Mail {
            from: Some(header(&format!("{name} - {email}"))),
            reply_to,
            to: recipient.trim().to_owned(),
            subject: header(&format!("Livechat offline message from {name}: {beginning}")),
            html: format!(
                "<h1>A visitor left a message</h1>{}<p><strong>Message:</strong></p><p>{}</p>",
                lines.iter().map(of_html).collect::<String>(),
                escaped(&self.message)
            ),
            text: format!("A visitor left a message\n\n{}\n{}\n", lines.iter().map(of_text).collect::<String>(), self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn settings(pairs: &[(&str, Value)]) -> Settings {
        Settings::with(pairs.iter().map(|(id, value)| (*id, value.clone()))).expect("the settings exist")
    }

    fn message() -> OfflineMessage {
        OfflineMessage {
            name: "Mary <b>".to_owned(),
            email: " Mary@Example.com ".to_owned(),
            message: "Hello & goodbye, see you\nnext week".to_owned(),
            host: Some("https://shop.example/?a=1&b=2".to_owned()),
        }
    }

    #[test]
    fn an_offline_message_is_told_in_full() {
        let mail = message().mail("support@example.com");
        assert_eq!(
            mail,
            Mail {
                from: Some("Mary <b> - Mary@Example.com".to_owned()),
                reply_to: Some(Mailbox { name: Some("Mary <b>".to_owned()), address: "Mary@Example.com".to_owned() }),
                to: "support@example.com".to_owned(),
                subject: "Livechat offline message from Mary <b>: Hello & goodbye, see".to_owned(),
                html: "<h1>A visitor left a message</h1><p><strong>Name:</strong> Mary &lt;b&gt;</p><p><strong>E-mail:</strong> \
                       Mary@Example.com</p><p><strong>Sent from:</strong> https://shop.example/?a=1&amp;b=2</p><p><strong>Message:\
                       </strong></p><p>Hello &amp; goodbye, see you<br>next week</p>"
                    .to_owned(),
                text:
                    "A visitor left a message\n\nName: Mary <b>\nE-mail: Mary@Example.com\nSent from: https://shop.example/?a=1&b=2\
                       \n\nHello & goodbye, see you\nnext week\n"
                        .to_owned(),
            }
        );
    }

    #[test]
    fn subjects_are_cut_between_characters() {
        let subject =
            |text: &str| OfflineMessage { name: "M".to_owned(), message: text.to_owned(), ..message() }.mail("a@b").subject;
        for (text, shown) in [
            ("", "Livechat offline message from M:"),
            ("short", "Livechat offline message from M: short"),
            ("12345678901234567890", "Livechat offline message from M: 12345678901234567890"),
            ("123456789012345678901", "Livechat offline message from M: 12345678901234567890"),
            (&"😀".repeat(25), &format!("Livechat offline message from M: {}", "😀".repeat(20))),
            ("a\r\nBcc: x@y.z", "Livechat offline message from M: a Bcc: x@y.z"),
        ] {
            assert_eq!(subject(text), shown, "{text}");
        }
    }

    #[test]
    fn who_gives_no_address_gets_no_answer() {
        let nobody = OfflineMessage { email: "nonsense".to_owned(), host: Some(" ".to_owned()), ..message() };
        let mail = nobody.mail("a@b");
        assert_eq!((mail.reply_to, mail.from.as_deref()), (None, Some("Mary <b> - nonsense")));
        assert!(!mail.html.contains("Sent from") && !mail.text.contains("Sent from"));
    }

    proptest! {
        #[test]
        fn nothing_from_outside_ends_a_header(name in any::<String>(), email in any::<String>(), message in any::<String>()) {
            let mail = OfflineMessage { name, email, message, host: None }.mail("a@b");
            let reply_to = mail.reply_to.into_iter().flat_map(|mailbox| mailbox.name.into_iter().chain([mailbox.address]));
            for header in [mail.subject].into_iter().chain(mail.from).chain(reply_to) {
                prop_assert!(!header.chars().any(char::is_control), "{header:?}");
                prop_assert!(header.chars().count() <= 254);
            }
        }

        #[test]
        fn nothing_from_outside_is_markup(text in any::<String>()) {
            let html = escaped(&text).replace("<br>", "");
            prop_assert!(!html.contains(['<', '>', '"', '\'']), "{html:?}");
        }
    }

    #[test]
    fn senders_are_read_from_settings() {
        for (text, expected) in [
            ("support@example.com", Some((None, "support@example.com"))),
            (" support@example.com ", Some((None, "support@example.com"))),
            ("Support <support@example.com>", Some((Some("Support"), "support@example.com"))),
            ("\"Support, Ltd\" <support@example.com>", Some((Some("Support, Ltd"), "support@example.com"))),
            ("<support@example.com>", Some((None, "support@example.com"))),
            ("", None),
            ("Support", None),
            ("a@b, c@d", None),
            ("a@b\r\nBcc: c@d", None),
        ] {
            let read = Mailbox::parse(text);
            let read = read.as_ref().map(|mailbox| (mailbox.name.as_deref(), mailbox.address.as_str()));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_server_is_read_from_settings() {
        let with = |pairs: &[(&str, Value)]| {
            let usual = [("SMTP_Host", json!(" mail.example ")), ("From_Email", json!("chat@example.com"))];
            MailServer::of(&settings(&[&usual[..], pairs].concat())).map(|server| (server.host, server.port, server.encryption))
        };
        let host = || "mail.example".to_owned();
        assert_eq!(with(&[]), Ok((host(), 25, Encryption::IfOffered)));
        assert_eq!(with(&[("SMTP_Username", json!("u"))]), Ok((host(), 25, Encryption::Demanded)));
        assert_eq!(with(&[("SMTP_Port", json!("587")), ("SMTP_IgnoreTLS", json!(true))]), Ok((host(), 587, Encryption::Never)));
        assert_eq!(with(&[("SMTP_Protocol", json!("smtps"))]), Ok((host(), 465, Encryption::FromTheStart)));
        for port in ["x", "0", "70000", "-1"] {
            assert_eq!(with(&[("SMTP_Port", json!(port))]), Ok((host(), 25, Encryption::IfOffered)), "{port}");
        }
        assert_eq!(with(&[("SMTP_Host", json!(" "))]), Err(Unready::NoServer));
        assert_eq!(with(&[("From_Email", json!("nobody"))]), Err(Unready::NoSender));
        let login = [("SMTP_Username", json!("u")), ("SMTP_Password", json!("hidden"))];
        let usual = [("SMTP_Host", json!("h")), ("From_Email", json!("a@b"))];
        let server = MailServer::of(&settings(&[&usual[..], &login].concat())).expect("all is said");
        assert_eq!(server.login, Some(("u".to_owned(), "hidden".to_owned())));
        assert!(!format!("{server:?}").contains("hidden"));
    }

    #[test]
    fn pauses_grow_and_end_after_a_few_days() {
        let pauses: Vec<i64> = (1..).map_while(pause_after).collect();
        assert_eq!(pauses.len(), 10);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        let days = pauses.iter().sum::<i64>() as f64 / DAY as f64;
        assert!((3.0..5.0).contains(&days), "{days}");
        for never in [i64::MIN + 1, -1, 0, 11, i64::MAX] {
            assert_eq!(pause_after(never), None, "{never}");
        }
    }

    #[test]
    fn kinds_and_states_are_found_by_name() {
        for kind in [MailKind::OfflineMessage, MailKind::Transcript] {
            assert_eq!(MailKind::from_name(kind.name()), Some(kind));
        }
        for state in [MailState::Waiting, MailState::Sent, MailState::Failed] {
            assert_eq!(MailState::from_name(state.name()), Some(state));
        }
        assert_eq!((MailKind::from_name(""), MailState::from_name("Sent")), (None, None));
    }
}
