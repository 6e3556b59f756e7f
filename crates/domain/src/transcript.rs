//! Transcripts: what a chat looks like in a mail, and on paper.

use jiff::Timestamp;
use serde_json::Value;

use crate::mail::{Mail, escaped, header};
use crate::message::{self, Message};
use crate::room::Room;
use crate::settings::{self as setting, Settings};

/// The most messages of a transcript.
pub const MOST_MESSAGES: usize = 5_000;

/// The most bytes of text in a transcript.
const MOST_TEXT: usize = 4 << 20;

/// The subject where settings say none.
const SUBJECT: &str = "Transcript of your omnichannel conversation.";

/// What a transcript says of which there is too much.
const SHORTENED: &str = "This is the end of a long chat: earlier messages are left out.";

/// What is in no transcript.
const LEFT_OUT: [&str; 7] = [
    message::NAVIGATED,
    message::TRANSCRIPT_SENT,
    message::COMMAND,
    message::CLOSED,
    message::STARTED,
    "livechat_video_call",
    "omnichannel_priority_change_history",
];

/// A transcript to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What stands above all.
    pub title: String,
    /// What is said of the chat, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// What is said of messages that are left out.
    pub remark: Option<&'static str>,
    /// The messages, in the order of their times.
    pub entries: Vec<Entry>,
}

/// A message of a transcript to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who wrote it.
    pub author: String,
    /// When, as it is written.
    pub at: String,
    /// What it says.
    pub text: String,
}

/// The name of the file that the transcript of a chat is printed to, at this time (milliseconds UTC).
pub fn file_name(settings: &Settings, room: &Room, now: i64) -> String {
    let day = moment(now).split(' ').next().unwrap_or_default().to_owned();
    let site = settings.text(&setting::SITE_NAME).replace(' ', "_");
    format!("Transcript_{site}_{day}_{}.pdf", room.name)
}

/// What settings say of transcripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    site: String,
    subject: String,
    shows_agents: bool,
    shows_system_messages: bool,
}

impl Manner {
    /// As these settings say.
    pub fn of(settings: &Settings) -> Manner {
        let subject = header(settings.text(&setting::TRANSCRIPT_SUBJECT));
        Manner {
            site: settings.text(&setting::SITE_NAME).to_owned(),
            subject: if subject.is_empty() { SUBJECT.to_owned() } else { subject },
            shows_agents: settings.get(&setting::SHOW_AGENT_INFO),
            shows_system_messages: settings.get(&setting::TRANSCRIPT_SYSTEM_MESSAGES),
        }
    }

    /// The mail with these messages, which are in the order of their times. Where there is too much, the earliest are left out and
    /// the mail says so. An empty subject is none.
    pub fn mail(&self, recipient: &str, subject: &str, messages: &[Message]) -> Mail {
        let (shown, is_shortened) = self.shown(messages);
        let (mut html, mut text) = ("<h1>Transcript of your chat</h1>".to_owned(), "Transcript of your chat\n\n".to_owned());
        if is_shortened {
            html.push_str(&format!("<p><em>{SHORTENED}</em></p>"));
            text.push_str(&format!("{SHORTENED}\n\n"));
        }
        for message in shown {
            let (author, at, content) = (self.author(message, "You"), moment(message.ts), content(message));
            let (named, written) = (escaped(author), escaped(&content));
            html.push_str(&format!("<p><strong>{named}</strong> <em>{at}</em><br>{written}</p>"));
            text.push_str(&format!("{} ({at})\n{content}\n\n", header(author)));
        }
        let subject = Some(header(subject)).filter(|subject| !subject.is_empty()).unwrap_or_else(|| self.subject.clone());
        Mail { from: None, reply_to: None, to: recipient.trim().to_owned(), subject, html, text }
    }

    /// The transcript of a chat with these messages on paper. Where there is too much, the earliest are left out and it says so.
    pub fn sheet(&self, room: &Room, messages: &[Message]) -> Sheet {
        let (shown, is_shortened) = self.shown(messages);
        let mut facts = vec![("Visitor", room.name.clone()), ("Opened", moment(room.opened_at))];
        if let Some(closing) = &room.closing {
            facts.push(("Closed", moment(closing.at)));
        }
        if let Some(served) = room.served_by.as_ref().filter(|_| self.shows_agents) {
            facts.push(("Agent", served.agent.username.clone()));
        }
        let entry = |message: &Message| Entry {
            author: self.author(message, &room.name).to_owned(),
            at: moment(message.ts),
            text: content(message),
        };
        Sheet {
            title: format!("{}: transcript of a chat", self.site),
            facts,
            remark: is_shortened.then_some(SHORTENED),
            entries: shown.into_iter().map(entry).collect(),
        }
    }

    /// The messages that are in the transcript, and whether earlier ones are left out because there are too many.
    fn shown<'a>(&self, messages: &'a [Message]) -> (Vec<&'a Message>, bool) {
        let mut shown: Vec<&Message> = messages.iter().filter(|message| self.shows(message)).collect();
        let excess = shown.len() - fitting(&shown);
        (shown.split_off(excess), excess > 0)
    }

    /// Whether a message is in the transcript.
    fn shows(&self, message: &Message) -> bool {
        let is_of_people = message.kind.is_none();
        let is_wanted = is_of_people || self.shows_system_messages;
        let is_left_out = message.kind.as_deref().is_some_and(|kind| LEFT_OUT.contains(&kind) || kind == message::REMOVED);
        is_wanted && !is_left_out && !message.is_hidden && !message.is_deleted
    }

    /// How the author of a message is called. The visitor is called `visitor`.
    fn author<'a>(&self, message: &'a Message, visitor: &'a str) -> &'a str {
        if message.author.is_visitor {
            visitor
        } else if self.shows_agents {
            message.author.name.as_deref().unwrap_or(&message.author.username)
        } else {
            "Agent"
        }
    }
}

/// How many of the latest messages there is room for.
fn fitting(shown: &[&Message]) -> usize {
    let mut length = 0;
    let fits = |message: &&&Message| {
        length += message.text.len();
        length <= MOST_TEXT
    };
    shown.iter().rev().take(MOST_MESSAGES).take_while(fits).count()
}

/// What a message says. Messages of the system say by their kind what happened, and of files there are the names: what leaves the server
/// is not erased with the chat.
fn content(message: &Message) -> String {
    let attachments = message.details.get("attachments").and_then(|attachments| attachments.as_array());
    let of_member = |file: &Value, name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let files = attachments.into_iter().flatten().filter(|file| of_member(file, "type") == "file");
    let names =
        files.map(|file| format!("[{}] {}", of_member(file, "title"), of_member(file, "description")).trim_end().to_owned());
    let said = Some(words(message)).filter(|words| !words.is_empty());
    said.into_iter().chain(names).collect::<Vec<_>>().join("\n")
}

/// The words of a message.
fn words(message: &Message) -> String {
    let of_member = |name: &str| message.details.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    match message.kind.as_deref() {
        Some(message::JOINED) => "joined the chat".to_owned(),
        Some(message::LEFT) => "left the chat".to_owned(),
        Some(message::TRANSFERRED) => "transferred the chat".to_owned(),
        Some(_) if message.text.is_empty() => of_member("comment").to_owned(),
        _ => message.text.clone(),
    }
}

/// A moment as it is written in a transcript, in UTC.
fn moment(milliseconds: i64) -> String {
    let nearest = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let at = Timestamp::from_millisecond(milliseconds).unwrap_or(nearest);
    format!("{} UTC", at.strftime("%Y-%m-%d %H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Author;
    use crate::room::{Closer, Closing, Person, ServedBy};
    use serde_json::{Map, json};

    /// 2024-01-31T12:00:00Z.
    const START: i64 = 1_706_702_400_000;

    fn message(number: i64, is_visitor: bool, kind: Option<&str>, text: &str) -> Message {
        let name = (!is_visitor).then(|| "Ann <b>".to_owned());
        Message {
            id: number.to_string(),
            room_id: "room".to_owned(),
            ts: START + number * 1_000,
            kind: kind.map(str::to_owned),
            text: text.to_owned(),
            author: Author { id: "author".to_owned(), username: "ann".to_owned(), name, is_visitor },
            edited: None,
            is_hidden: false,
            is_deleted: false,
            details: Map::new(),
            updated_at: START,
        }
    }

    fn manner(pairs: &[(&str, serde_json::Value)]) -> Manner {
        Manner::of(&Settings::with(pairs.iter().map(|(id, value)| (*id, value.clone()))).expect("the settings exist"))
    }

    fn chat() -> Vec<Message> {
        vec![
            message(0, true, Some("livechat-started"), ""),
            message(1, true, None, "Hello <i>you</i>\nthere"),
            message(2, false, Some("uj"), ""),
            message(3, false, None, "Hi"),
        ]
    }

    #[test]
    fn a_transcript_tells_who_wrote_what_and_when() {
        let mail = manner(&[]).mail(" mary@example.com ", "", &chat());
        assert_eq!(
            mail,
            Mail {
                from: None,
                reply_to: None,
                to: "mary@example.com".to_owned(),
                subject: "Transcript of your omnichannel conversation.".to_owned(),
                html: "<h1>Transcript of your chat</h1><p><strong>You</strong> <em>2024-01-31 12:00:01 UTC</em><br>\
                       Hello &lt;i&gt;you&lt;/i&gt;<br>there</p><p><strong>Ann &lt;b&gt;</strong> <em>2024-01-31 12:00:03 UTC</em>\
                       <br>Hi</p>"
                    .to_owned(),
                text: "Transcript of your chat\n\nYou (2024-01-31 12:00:01 UTC)\nHello <i>you</i>\nthere\n\n\
                       Ann <b> (2024-01-31 12:00:03 UTC)\nHi\n\n"
                    .to_owned(),
            }
        );
    }

    #[test]
    fn agents_can_stay_unnamed() {
        let mail = manner(&[("Livechat_show_agent_info", json!(false))]).mail("a@b", "", &chat());
        assert!(mail.text.contains("Agent (") && !mail.text.contains("Ann") && !mail.html.contains("Ann"));
        let unnamed = Message { author: Author { name: None, ..chat()[3].author.clone() }, ..chat()[3].clone() };
        assert!(manner(&[]).mail("a@b", "", &[unnamed]).text.contains("ann ("));
    }

    #[test]
    fn subjects_come_from_the_caller_or_the_settings() {
        let set = [("Livechat_transcript_email_subject", json!("Your\r\nchat"))];
        for (manner, asked, subject) in [
            (manner(&[]), "", "Transcript of your omnichannel conversation."),
            (manner(&set), "", "Your chat"),
            (manner(&set), "Ours\nBcc: a@b", "Ours Bcc: a@b"),
            (manner(&set), " \n ", "Your chat"),
        ] {
            assert_eq!(manner.mail("a@b", asked, &[]).subject, subject, "{asked}");
        }
    }

    #[test]
    fn some_messages_are_in_no_transcript() {
        let with = manner(&[("Livechat_transcript_show_system_messages", json!(true))]);
        let shown =
            |manner: &Manner, kind: Option<&str>| manner.mail("a@b", "", &[message(1, false, kind, "said")]).text.contains("UTC");
        for (kind, usually, with_system_messages) in [
            (None, true, true),
            (Some("uj"), false, true),
            (Some("ul"), false, true),
            (Some("livechat_transfer_history"), false, true),
            (Some("omnichannel_placed_chat_on_hold"), false, true),
            (Some("livechat_navigation_history"), false, false),
            (Some("livechat_transcript_history"), false, false),
            (Some("command"), false, false),
            (Some("livechat-close"), false, false),
            (Some("livechat-started"), false, false),
            (Some("livechat_video_call"), false, false),
            (Some("omnichannel_priority_change_history"), false, false),
            (Some("rm"), false, false),
        ] {
            assert_eq!((shown(&manner(&[]), kind), shown(&with, kind)), (usually, with_system_messages), "{kind:?}");
        }
        let hidden = Message { is_hidden: true, ..message(1, true, None, "secret") };
        let deleted = Message { is_deleted: true, ..message(1, true, None, "secret") };
        assert!(!with.mail("a@b", "", &[hidden, deleted]).text.contains("secret"));
    }

    #[test]
    fn what_happened_is_told_in_words() {
        let with = manner(&[("Livechat_transcript_show_system_messages", json!(true))]);
        let mut on_hold = message(1, false, Some("omnichannel_placed_chat_on_hold"), "");
        on_hold.details.insert("comment".to_owned(), json!("The chat rests"));
        for (message, words) in [
            (message(1, false, Some("uj"), ""), "joined the chat"),
            (message(1, false, Some("ul"), "ann"), "left the chat"),
            (message(1, false, Some("livechat_transfer_history"), ""), "transferred the chat"),
            (on_hold, "The chat rests"),
        ] {
            let text = with.mail("a@b", "", std::slice::from_ref(&message)).text;
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn files_are_named() {
        let mut sent = message(1, true, None, "Look");
        sent.details.insert(
            "attachments".to_owned(),
            json!([
                {"type": "file", "title": "leak.png", "description": "under the sink", "title_link": "/file-upload/1/leak.png"},
                {"type": "file", "title": "bill.pdf", "description": ""},
                {"text": "a quote", "message_link": "https://chat"},
            ]),
        );
        let mail = manner(&[]).mail("a@b", "", std::slice::from_ref(&sent));
        assert!(mail.text.ends_with("\nLook\n[leak.png] under the sink\n[bill.pdf]\n\n"), "{}", mail.text);
        assert!(mail.html.ends_with("<br>Look<br>[leak.png] under the sink<br>[bill.pdf]</p>"), "{}", mail.html);
        sent.text = String::new();
        assert_eq!(content(&sent), "[leak.png] under the sink\n[bill.pdf]");
    }

    fn room() -> Room {
        let closing = Closing { at: START + 60_000, closer: Closer::Visitor, by: person("guest-1") };
        let served_by = Some(ServedBy { agent: person("ann"), since: START });
        Room { name: "Mary".to_owned(), closing: Some(closing), served_by, ..Room::new("room".to_owned(), START) }
    }

    fn person(name: &str) -> Person {
        Person { id: name.to_owned(), username: name.to_owned() }
    }

    #[test]
    fn on_paper_the_visitor_is_named() {
        let entry = |author: &str, at: &str, text: &str| Entry { author: author.into(), at: at.into(), text: text.into() };
        let expected = Sheet {
            title: "Our shop: transcript of a chat".to_owned(),
            facts: vec![
                ("Visitor", "Mary".to_owned()),
                ("Opened", "2024-01-31 12:00:00 UTC".to_owned()),
                ("Closed", "2024-01-31 12:01:00 UTC".to_owned()),
                ("Agent", "ann".to_owned()),
            ],
            remark: None,
            entries: vec![
                entry("Mary", "2024-01-31 12:00:01 UTC", "Hello <i>you</i>\nthere"),
                entry("Ann <b>", "2024-01-31 12:00:03 UTC", "Hi"),
            ],
        };
        assert_eq!(manner(&[("Site_Name", json!("Our shop"))]).sheet(&room(), &chat()), expected);
        let unnamed = manner(&[("Livechat_show_agent_info", json!(false))]).sheet(&room(), &chat());
        assert!(unnamed.facts.iter().all(|(name, _)| *name != "Agent"));
        assert_eq!(unnamed.entries[1].author, "Agent");
        let many: Vec<Message> = (0..5_001).map(|number| message(number, true, None, "more")).collect();
        let shortened = manner(&[]).sheet(&room(), &many);
        assert_eq!((shortened.remark, shortened.entries.len()), (Some(SHORTENED), 5_000));
    }

    #[test]
    fn the_file_is_named_after_site_day_and_visitor() {
        let settings = Settings::with([("Site_Name", json!("Our shop"))]).expect("the setting exists");
        assert_eq!(file_name(&settings, &room(), START), "Transcript_Our_shop_2024-01-31_Mary.pdf");
    }

    #[test]
    fn a_long_chat_loses_its_beginning_and_says_so() {
        assert!(!manner(&[]).mail("a@b", "", &chat()).text.contains(SHORTENED));
        let many: Vec<Message> = (0..5_003).map(|number| message(number, true, None, &format!("number {number}."))).collect();
        let text = manner(&[]).mail("a@b", "", &many).text;
        assert!(text.contains(SHORTENED) && !text.contains("number 2.") && text.contains("number 3."));
        let long: Vec<Message> = (0..50).map(|number| message(number, true, None, &"x".repeat(100_000))).collect();
        let mail = manner(&[]).mail("a@b", "", &long);
        assert!(mail.text.contains(SHORTENED) && mail.text.len() < MOST_TEXT + 10_000);
    }
}
