//! Messages: the record, and what is read out of their text.
//!
//! Text is stored as given. The structure that clients draw (`md`) and the links are computed from it
//! whenever a message is shown, so nothing has to be kept in step and there is no second copy to erase.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::room::Person;
use crate::visitor::Visitor;

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id: the client's idempotency key if the client chose it.
    pub id: String,
    /// The room it is in.
    pub room_id: String,
    /// When it was sent (milliseconds UTC): strictly rising within a room.
    pub ts: i64,
    /// The type of a system message, such as `livechat-started`; none for what people write.
    pub kind: Option<String>,
    /// The text as given.
    pub text: String,
    /// Who wrote it.
    pub author: Author,
    /// When and by whom its text was last changed.
    pub edited: Option<Edited>,
    /// Whether no history shows it.
    pub is_hidden: bool,
    /// Whether it was deleted: then nothing of its content is left.
    pub is_deleted: bool,
    /// What only some messages have, by the names of the wire; moments are `{"$date": milliseconds}`.
    pub details: Map<String, Value>,
    /// When it was last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// A change of a message's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// When (milliseconds UTC).
    pub at: i64,
    /// By whom: a user or the visitor.
    pub by: Person,
}

impl Message {
    /// Whether the server wrote it to say that something happened.
    pub fn is_of_system(&self) -> bool {
        self.kind.is_some()
    }
}

/// Who wrote a message, as named at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The visitor's or user's id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// The display name, if there was one.
    pub name: Option<String>,
    /// Whether a visitor wrote it. The wire tells the sides apart by this: only a visitor's messages carry `token`.
    pub is_visitor: bool,
}

impl From<&Visitor> for Author {
    fn from(visitor: &Visitor) -> Author {
        let Visitor { id, username, name, .. } = visitor;
        Author { id: id.clone(), username: username.clone(), name: name.clone(), is_visitor: true }
    }
}

/// A user of whom no more is known than what it is called: the display name is left out.
impl From<&Person> for Author {
    fn from(person: &Person) -> Author {
        Author { id: person.id.clone(), username: person.username.clone(), name: None, is_visitor: false }
    }
}

/// The system message that begins every room.
pub const STARTED: &str = "livechat-started";

/// The one that ends it.
pub const CLOSED: &str = "livechat-close";

/// Tells the widget to do something.
pub const COMMAND: &str = "command";

/// An agent joined.
pub const JOINED: &str = "uj";

/// An agent left.
pub const LEFT: &str = "ul";

/// The chat went to somebody else, or back into the queue.
pub const TRANSFERRED: &str = "livechat_transfer_history";

/// The visitor saw a page.
pub const NAVIGATED: &str = "livechat_navigation_history";

/// A transcript was sent.
pub const TRANSCRIPT_SENT: &str = "livechat_transcript_history";

/// What stands in place of a message that was deleted.
pub const REMOVED: &str = "rm";

/// The links in `text`, in order: runs of non-blank characters that begin with `http://` or `https://`, without the punctuation
/// that ends a sentence or closes a bracket around them.
pub fn links(text: &str) -> Vec<&str> {
    if !text.contains("://") {
        return Vec::new();
    }
    text.split_whitespace()
        .filter_map(|word| {
            let start = word.find("https://").into_iter().chain(word.find("http://")).min()?;
            let link = word[start..].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '>', '"', '\'']);
            let host = link.split_once("://")?.1;
            (!host.is_empty()).then_some(link)
        })
        .collect()
}

/// One block of a text's structure, as clients draw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Block<'a> {
    /// A line of text.
    Paragraph([Inline<'a>; 1]),
    /// An empty line.
    LineBreak,
}

/// A piece of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Inline<'a> {
    /// Text as it stands.
    PlainText(&'a str),
}

/// The structure of a text: a paragraph for each line, a line break for each empty one. Text without any visible character has none.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .map(|line| if line.is_empty() { Block::LineBreak } else { Block::Paragraph([Inline::PlainText(line)]) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        let table: [(&str, &[&str]); 6] = [
            ("", &[]),
            ("no link", &[]),
            ("see https://example.com/a?b=c.", &["https://example.com/a?b=c"]),
            ("(http://one.example) and https://two.example!", &["http://one.example", "https://two.example"]),
            ("https://", &[]),
            ("xhttp://three.example", &["http://three.example"]),
        ];
        for (text, expected) in table {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn each_line_is_a_paragraph() {
        assert_eq!(
            json!(blocks("Hello World!\n\nbye")),
            json!([
                {"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Hello World!"}]},
                {"type": "LINE_BREAK"},
                {"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "bye"}]}
            ])
        );
        assert!(blocks("").is_empty() && blocks(" \n ").is_empty());
    }
}
