//! Transcripts: what a chat looks like in a mail.

use jiff::Timestamp;

use crate::mail::{Mail, escaped, header};
use crate::message::{self, Message};
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

/// What settings say of transcripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    subject: String,
    shows_agents: bool,
    shows_system_messages: bool,
}

impl Manner {
    /// As these settings say.
    pub fn of(settings: &Settings) -> Manner {
        let subject = header(settings.text(&setting::TRANSCRIPT_SUBJECT));
        Manner {
            subject: if subject.is_empty() { SUBJECT.to_owned() } else { subject },
            shows_agents: settings.get(&setting::SHOW_AGENT_INFO),
            shows_system_messages: settings.get(&setting::TRANSCRIPT_SYSTEM_MESSAGES),
        }
    }

    /// The mail with these messages, which are in the order of their times. Where there is too much, the earliest are left out and
    /// the mail says so. An empty subject is none.
    pub fn mail(&self, recipient: &str, subject: &str, messages: &[Message]) -> Mail {
        let shown: Vec<&Message> = messages.iter().filter(|message| self.shows(message)).collect();
        let first = shown.len() - fitting(&shown);
        let (mut html, mut text) = ("<h1>Transcript of your chat</h1>".to_owned(), "Transcript of your chat\n\n".to_owned());
        if first > 0 {
            html.push_str(&format!("<p><em>{SHORTENED}</em></p>"));
            text.push_str(&format!("{SHORTENED}\n\n"));
        }
        for message in &shown[first..] {
            let (author, at, content) = (self.author(message), moment(message.ts), content(message));
            let (named, written) = (escaped(author), escaped(&content));
            html.push_str(&format!("<p><strong>{named}</strong> <em>{at}</em><br>{written}</p>"));
            text.push_str(&format!("{} ({at})\n{content}\n\n", header(author)));
        }
        let subject = Some(header(subject)).filter(|subject| !subject.is_empty()).unwrap_or_else(|| self.subject.clone());
        Mail { from: None, reply_to: None, to: recipient.trim().to_owned(), subject, html, text }
    }

    /// Whether a message is in the transcript.
    fn shows(&self, message: &Message) -> bool {
        let is_of_people = message.kind.is_none();
        let is_wanted = is_of_people || self.shows_system_messages;
        let is_left_out = message.kind.as_deref().is_some_and(|kind| LEFT_OUT.contains(&kind) || kind == message::REMOVED);
        is_wanted && !is_left_out && !message.is_hidden && !message.is_deleted
    }

    /// How the author of a message is called.
    fn author<'a>(&self, message: &'a Message) -> &'a str {
        if message.author.is_visitor {
            "You"
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

/// What a message says. Messages of the system say by their kind what happened.
fn content(message: &Message) -> String {
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
