//! Quotes: a text that links to a message of this site shows that message.
//!
//! The text stays as it is. The quoted message goes with the quoting one as an attachment, a copy as of that time.

use serde_json::{Map, Value, json};

use crate::message::{Message, blocks};

/// The most messages that one text quotes.
const MOST: usize = 10;

/// The most bytes that all quotes of one message take.
const SIZE: usize = 64 << 10;

/// The most levels of quotes inside of quotes, whatever settings say.
const DEEPEST: i64 = 10;

/// The details of a message that are its attachments, in a message and in a quote.
const ATTACHMENTS: &str = "attachments";

/// A quote's link to its message: what tells it from other attachments.
const LINK: &str = "message_link";

/// A link to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteLink {
    /// The link as written.
    pub link: String,
    /// The message it names.
    pub message_id: String,
}

/// The links in `text` to messages of `site`, the address of this server: those with `msg=<id>` in their query. They may stand by
/// themselves or in either half of a markdown link.
pub fn links(text: &str, site: &str) -> Vec<QuoteLink> {
    let site = site.trim_end_matches('/');
    if site.is_empty() || !text.contains("msg=") {
        return Vec::new();
    }
    let starts = text.match_indices(site).map(|(start, _)| start).filter(|start| begins_link(&text[..*start]));
    let found = starts.filter_map(|start| {
        let link = whole_link(&text[start..]);
        let message_id = named_message(link.get(site.len()..)?)?;
        Some(QuoteLink { link: link.to_owned(), message_id })
    });
    found.take(MOST).collect()
}

/// Whether a link can begin behind this text: inside of another link none does.
fn begins_link(before: &str) -> bool {
    before.chars().next_back().is_none_or(|last| last.is_whitespace() || is_around_links(last))
}

fn is_around_links(character: char) -> bool {
    matches!(character, '(' | ')' | '[' | ']' | '<' | '>' | '"' | '\'' | '|')
}

/// The link that this text begins with, without the punctuation of a sentence that goes on.
fn whole_link(text: &str) -> &str {
    let end = text.find(|character: char| character.is_whitespace() || is_around_links(character)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?'])
}

/// The message that a link names, given what follows the address of the site.
fn named_message(rest: &str) -> Option<String> {
    let is_of_site = rest.starts_with(['/', '?']);
    let query = rest.split('#').next()?.split_once('?').filter(|_| is_of_site)?.1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("msg="))?;
    decoded(value).filter(|id| !id.is_empty() && !id.contains('\0'))
}

/// A percent-encoded text in clear.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
            bytes.push(u8::try_from(high? * 16 + low?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The quotes of messages, as attachments: `quoted` has each link with its message. Quotes in what is quoted are kept as far as all
/// together are `depth` deep, and what would make them too long is left out.
pub fn attachments(quoted: &[(String, Message)], site: &str, depth: i64) -> Vec<Value> {
    let inner_levels = depth.clamp(1, DEEPEST) - 1;
    let (mut quotes, mut room) = (Vec::new(), SIZE);
    for (link, message) in quoted {
        let inner = kept(message.details.get(ATTACHMENTS), inner_levels);
        let shown = [Some(inner), None].into_iter().map(|inner| quote(link, message, site, inner));
        let sized = shown.map(|quote| (quote.to_string().len(), quote));
        if let Some((size, quote)) = sized.into_iter().find(|(size, _)| *size <= room) {
            room -= size;
            quotes.push(quote);
        }
    }
    quotes
}

fn quote(link: &str, message: &Message, site: &str, inner: Option<Vec<Value>>) -> Value {
    let author = &message.author;
    let alias = message.details.get("alias").and_then(Value::as_str);
    let name = alias.or(author.name.as_deref().filter(|_| author.is_visitor)).unwrap_or(&author.username);
    let mut quote = json!({
        "text": message.text,
        "md": blocks(&message.text),
        LINK: link,
        "author_name": name,
        "author_icon": format!("{}/avatar/{}", site.trim_end_matches('/'), author.username),
        "ts": {"$date": message.ts},
    });
    if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
        quote[ATTACHMENTS] = inner.into();
    }
    quote
}

/// Attachments of a quoted message, in which quotes are at most `levels` deep.
fn kept(attachments: Option<&Value>, levels: i64) -> Vec<Value> {
    if levels < 1 {
        return Vec::new();
    }
    let cut = |attachment: &Value| {
        let mut attachment = attachment.clone();
        if let Some(members) = attachment.as_object_mut().filter(|members| is_quote(members)) {
            let inner = kept(members.remove(ATTACHMENTS).as_ref(), levels - 1);
            if !inner.is_empty() {
                members.insert(ATTACHMENTS.to_owned(), inner.into());
            }
        }
        attachment
    };
    attachments.and_then(Value::as_array).into_iter().flatten().map(cut).collect()
}

fn is_quote(members: &Map<String, Value>) -> bool {
    members.get(LINK).is_some_and(|link| !link.is_null())
}

/// Puts quotes among the details of a message, in place of any that are there: clients cannot say what somebody wrote.
pub fn set(details: &mut Map<String, Value>, quotes: Vec<Value>) {
    let mut attachments = quotes;
    if let Some(Value::Array(given)) = details.remove(ATTACHMENTS) {
        attachments.extend(given.into_iter().filter(|attachment| !attachment.as_object().is_some_and(is_quote)));
    }
    if !attachments.is_empty() {
        details.insert(ATTACHMENTS.to_owned(), attachments.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Author;

    const SITE: &str = "https://chat.example.com";

    fn found(text: &str, site: &str) -> Vec<(String, String)> {
        links(text, site).into_iter().map(|found| (found.link, found.message_id)).collect()
    }

    #[test]
    fn links_to_messages_are_found() {
        let table: [(&str, &[(&str, &str)]); 14] = [
            ("", &[]),
            ("msg=one", &[]),
            ("https://chat.example.com/live/room", &[]),
            ("https://chat.example.com/live/room?msg=", &[]),
            ("https://other.example.com/live/room?msg=one", &[]),
            ("https://chat.example.com.evil.example/live/room?msg=one", &[]),
            ("https://evil.example/?to=https://chat.example.com/live/room?msg=one", &[]),
            ("https://chat.example.com/live/room#?msg=one", &[]),
            ("https://chat.example.com/live/room?xmsg=one", &[]),
            ("https://chat.example.com/live/room?msg=%zz", &[]),
            (
                "See https://chat.example.com/live/room?a=b&msg=one&c=d, please.",
                &[("https://chat.example.com/live/room?a=b&msg=one&c=d", "one")],
            ),
            ("https://chat.example.com?msg=a%20%C3%A9#there", &[("https://chat.example.com?msg=a%20%C3%A9#there", "a é")]),
            ("[ ](https://chat.example.com/live/room?msg=one) so", &[("https://chat.example.com/live/room?msg=one", "one")]),
            (
                "[https://chat.example.com/live/r?msg=one](https://chat.example.com/live/r?msg=two)",
                &[("https://chat.example.com/live/r?msg=one", "one"), ("https://chat.example.com/live/r?msg=two", "two")],
            ),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(link, id)| ((*link).to_owned(), (*id).to_owned())).collect();
            for site in [SITE, "https://chat.example.com/"] {
                assert_eq!(found(text, site), expected, "{text}");
            }
            assert_eq!(found(text, ""), [], "a server that does not know its address has no links to itself");
        }
        let many = "https://chat.example.com/live/r?msg=one ".repeat(50);
        assert_eq!(links(&many, SITE).len(), MOST);
    }

    fn message(id: &str, text: &str) -> Message {
        Message {
            id: id.to_owned(),
            room_id: "room".to_owned(),
            ts: 1_000,
            kind: None,
            text: text.to_owned(),
            author: Author { id: "v".to_owned(), username: "guest-1".to_owned(), name: Some("Mary".to_owned()), is_visitor: true },
            edited: None,
            is_hidden: false,
            is_deleted: false,
            details: Map::new(),
            updated_at: 1_000,
        }
    }

    /// A message that quotes another one.
    fn quoting(id: &str, quoted: Message, depth: i64) -> Message {
        let mut message = message(id, id);
        set(&mut message.details, attachments(&[("link".to_owned(), quoted)], SITE, depth));
        message
    }

    #[test]
    fn a_quote_shows_the_message() {
        let quotes = attachments(&[("link".to_owned(), message("one", "Hello"))], SITE, 2);
        let md = json!([{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Hello"}]}]);
        let expected = json!([{"text": "Hello", "md": md, "message_link": "link", "author_name": "Mary",
            "author_icon": "https://chat.example.com/avatar/guest-1", "ts": {"$date": 1_000}}]);
        assert_eq!(Value::from(quotes), expected);
        let mut by_agent = message("one", "Hello");
        by_agent.author.is_visitor = false;
        assert_eq!(attachments(&[("link".to_owned(), by_agent.clone())], SITE, 2)[0]["author_name"], "guest-1");
        by_agent.details.insert("alias".to_owned(), "The team".into());
        assert_eq!(attachments(&[("link".to_owned(), by_agent)], SITE, 2)[0]["author_name"], "The team");
    }

    /// The texts of the quotes in a message, from the outermost to the innermost.
    fn chain(message: &Message) -> Vec<String> {
        let mut texts = Vec::new();
        let mut attachments = message.details.get(ATTACHMENTS);
        while let Some(quote) = attachments.and_then(|attachments| attachments.get(0)) {
            texts.push(quote["text"].as_str().expect("a quote has a text").to_owned());
            attachments = quote.get(ATTACHMENTS);
        }
        texts
    }

    #[test]
    fn quotes_in_quotes_have_an_end() {
        for (depth, expected) in [
            (i64::MIN, &["three"] as &[&str]),
            (0, &["three"]),
            (1, &["three"]),
            (2, &["three", "two"]),
            (3, &["three", "two", "one"]),
        ] {
            let three = quoting("three", quoting("two", message("one", "one"), 5), 5);
            assert_eq!(chain(&quoting("four", three, depth)), expected, "{depth}");
        }
        let endless = (0..30).fold(message("first", "first"), |last, number| quoting(&number.to_string(), last, i64::MAX));
        assert_eq!(chain(&endless).len(), DEEPEST as usize);
    }

    #[test]
    fn quotes_together_have_a_size() {
        let long = "x".repeat(SIZE / 5);
        let quoted: Vec<_> = (0..10).map(|_| ("link".to_owned(), message("one", &long))).collect();
        let quotes = attachments(&quoted, SITE, 2);
        assert_eq!(quotes.len(), 2, "a text is there twice");
        assert!(Value::from(quotes.clone()).to_string().len() <= SIZE + 16);
        let mut outer = message("two", &long);
        set(&mut outer.details, quotes);
        let shown = attachments(&[("link".to_owned(), outer)], SITE, 2);
        assert_eq!((shown.len(), shown[0].get(ATTACHMENTS)), (1, None), "what is quoted inside does not fit");
    }

    #[test]
    fn what_clients_say_that_somebody_wrote_is_dropped() {
        let given = json!({"attachments": [{"message_link": "x", "text": "made up"}, {"title": "own"}, {"message_link": null}, 7]});
        let mut details = given.as_object().expect("it is an object").clone();
        set(&mut details, vec![json!({"message_link": "y"})]);
        let expected = json!({"attachments": [{"message_link": "y"}, {"title": "own"}, {"message_link": null}, 7]});
        assert_eq!(Value::from(details.clone()), expected);
        let mut only_quotes = json!({"attachments": [{"message_link": "x"}]}).as_object().expect("it is an object").clone();
        set(&mut only_quotes, Vec::new());
        assert!(only_quotes.is_empty());
    }
}
