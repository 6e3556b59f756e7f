//! Messages: the record, and what is read out of their text.
//!
//! Text is stored as given. The structure that clients draw (`md`), the links, mentions and channel names are computed from it
//! whenever a message is shown, so nothing has to be kept in step and there is no second copy to erase.

use serde_json::{Value, json};

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
    /// When it was last changed (milliseconds UTC).
    pub updated_at: i64,
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

/// The system message that begins every room.
pub const STARTED: &str = "livechat-started";

/// The links in `text`, in order: runs of non-blank characters that begin with `http://` or `https://`, without the punctuation
/// that ends a sentence or closes a bracket around them.
pub fn links(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .filter_map(|word| {
            let start = word.find("https://").into_iter().chain(word.find("http://")).min()?;
            let link = word[start..].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '>', '"', '\'']);
            let host = link.split_once("://")?.1;
            (!host.is_empty()).then_some(link)
        })
        .collect()
}

/// The names mentioned in `text` as `@name`, in order, each once.
pub fn mentions(text: &str) -> Vec<&str> {
    marked(text, '@')
}

/// The channel names in `text` as `#name`, in order, each once.
pub fn channels(text: &str) -> Vec<&str> {
    marked(text, '#')
}

/// The words that begin with `mark`, without it and without what cannot be part of a name.
fn marked(text: &str, mark: char) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let Some(rest) = word.strip_prefix(mark) else { continue };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('.');
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The text as the list of blocks that clients draw: a paragraph for each line, a line break for each empty one. Text without any
/// visible character has no blocks.
pub fn blocks(text: &str) -> Vec<Value> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .map(|line| match line.is_empty() {
            true => json!({"type": "LINE_BREAK"}),
            false => json!({"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": line}]}),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn mentions_and_channels_are_names() {
        assert_eq!(mentions("@jane.doe, ask @bob. @jane.doe! a@b.c"), ["jane.doe", "bob"]);
        assert_eq!(channels("#general and # and #x_y-z)"), ["general", "x_y-z"]);
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
