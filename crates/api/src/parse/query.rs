//! Query strings in the extended bracket syntax: `a=1` is a text, `a[]=1&a[]=2` a list and `a[b]=1` an object.
//!
//! Two spellings of one name never overwrite each other but end in a list or an object, so that what was checked as a text is
//! the only text there is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde_json::{Map, Value};

/// Pairs after this many are ignored.
const PAIR_LIMIT: usize = 1_000;
/// A list may have this many items.
const ITEM_LIMIT: usize = 500;
/// Brackets after this many are part of the last key.
const BRACKET_LIMIT: usize = 5;

/// The query string cannot be read: it is no UTF-8, has a NUL in it, or a list in it is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidQuery;

impl fmt::Display for InvalidQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Invalid query parameters")
    }
}

impl std::error::Error for InvalidQuery {}

/// Reads `raw`, the part of an address after its `?`, percent-encoded as it came.
///
/// Gives an object whose leaves are all texts; coercing them is up to who knows what they should be.
///
/// # Errors
///
/// [`InvalidQuery`] if a name or value is no UTF-8 or contains a NUL, or if a list has more than 500 items.
pub fn parse(raw: &str) -> Result<Map<String, Value>, InvalidQuery> {
    let mut root = Branch::default();
    for pair in raw.split('&').take(PAIR_LIMIT) {
        if let Some((name, text)) = decode(pair)? {
            root.insert(&path(&name), text);
        }
    }
    root.into_object()
}

/// The name and value of a pair. A pair without a name says nothing.
fn decode(pair: &str) -> Result<Option<(String, String)>, InvalidQuery> {
    let Some((name, text)) = form_urlencoded::parse(pair.as_bytes()).next() else { return Ok(None) };
    let is_lossy = replacements(&name) + replacements(&text) != replacements_sent(pair);
    if is_lossy || name.contains('\0') || text.contains('\0') {
        return Err(InvalidQuery);
    }
    Ok(Some((name.into_owned(), text.into_owned())).filter(|(name, _)| !name.is_empty()))
}

fn replacements(text: &str) -> usize {
    text.matches(char::REPLACEMENT_CHARACTER).count()
}

/// How many replacement characters the sender itself wrote. Decoding puts further ones where the bytes are no UTF-8.
fn replacements_sent(pair: &str) -> usize {
    replacements(pair) + pair.to_ascii_uppercase().matches("%EF%BF%BD").count()
}

/// A step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `[]`: a new item.
    Append,
    /// `[key]`.
    To(Key),
}

/// What is in brackets. Indexes come before names and by their number, as the order of a list wants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(usize),
    Name(String),
}

impl Key {
    /// A number that could not be an index of a list, or is not written as one, is a name.
    fn new(text: &str) -> Key {
        match text.parse::<usize>() {
            Ok(index) if index < ITEM_LIMIT && text == index.to_string() => Key::Index(index),
            _ => Key::Name(text.to_owned()),
        }
    }

    fn into_name(self) -> String {
        match self {
            Key::Index(index) => index.to_string(),
            Key::Name(name) => name,
        }
    }
}

/// The steps that `name` spells: `a[b][]` is `a`, `b`, a new item. Text between brackets is skipped.
fn path(name: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (root, mut rest) = name.split_at(bracket(name).map_or(name.len(), |found| found.start));
    if !root.is_empty() {
        steps.push(Step::To(Key::new(root)));
    }
    for _ in 0..BRACKET_LIMIT {
        let Some(found) = bracket(rest) else { return steps };
        steps.push(match &rest[found.start + 1..found.end - 1] {
            "" => Step::Append,
            key => Step::To(Key::new(key)),
        });
        rest = &rest[found.end..];
    }
    if let Some(found) = bracket(rest) {
        steps.push(Step::To(Key::Name(rest[found.start..].to_owned())));
    }
    steps
}

/// Where the first pair of brackets with no bracket in between is.
fn bracket(text: &str) -> Option<Range<usize>> {
    let first = text.find('[')?;
    let close = first + text[first..].find(']')?;
    let open = text[..close].rfind('[')?;
    Some(open..close + 1)
}

/// What was given under one name.
enum Node {
    Text(String),
    Branch(Branch),
}

/// Several values, of which only the end of the query shows whether they are a list or an object.
#[derive(Default)]
struct Branch {
    /// Those without a key.
    items: Vec<Node>,
    /// Those with a key.
    keyed: BTreeMap<Key, Node>,
}

impl Node {
    /// What one value becomes, `steps` away from here.
    fn new(steps: &[Step], text: String) -> Node {
        if steps.is_empty() {
            return Node::Text(text);
        }
        let mut branch = Branch::default();
        branch.insert(steps, text);
        Node::Branch(branch)
    }

    /// This node with one value more, which is why it is no text any longer.
    fn with(self, steps: &[Step], text: String) -> Node {
        let mut branch = match self {
            Node::Text(_) => Branch { items: vec![self], ..Branch::default() },
            Node::Branch(branch) => branch,
        };
        branch.insert(steps, text);
        Node::Branch(branch)
    }

    fn into_value(self) -> Result<Value, InvalidQuery> {
        match self {
            Node::Text(text) => Ok(Value::String(text)),
            Node::Branch(branch) if branch.is_list() => branch.into_list().map(Value::Array),
            Node::Branch(branch) => branch.into_object().map(Value::Object),
        }
    }
}

impl Branch {
    fn insert(&mut self, steps: &[Step], text: String) {
        match steps.split_first() {
            None => self.items.push(Node::Text(text)),
            Some((Step::Append, rest)) => self.items.push(Node::new(rest, text)),
            Some((Step::To(key), rest)) => {
                let node = match self.keyed.remove(key) {
                    None => Node::new(rest, text),
                    Some(node) => node.with(rest, text),
                };
                self.keyed.insert(key.clone(), node);
            }
        }
    }

    fn is_list(&self) -> bool {
        self.keyed.keys().all(|key| matches!(key, Key::Index(_)))
    }

    /// Gaps between indexes are closed.
    fn into_list(self) -> Result<Vec<Value>, InvalidQuery> {
        if self.keyed.len() + self.items.len() > ITEM_LIMIT {
            return Err(InvalidQuery);
        }
        self.keyed.into_values().chain(self.items).map(Node::into_value).collect()
    }

    /// Items without a key get the numbers that are free.
    fn into_object(self) -> Result<Map<String, Value>, InvalidQuery> {
        let mut object = Map::new();
        for (key, node) in self.keyed {
            object.insert(key.into_name(), node.into_value()?);
        }
        let mut number = 0_usize;
        for node in self.items {
            while object.contains_key(&number.to_string()) {
                number += 1;
            }
            object.insert(number.to_string(), node.into_value()?);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn reads(raw: &str, expected: Value) {
        assert_eq!(parse(raw).map(Value::Object), Ok(expected), "{raw}");
    }

    #[test]
    fn plain_pairs_are_texts() {
        reads("", json!({}));
        reads("&&", json!({}));
        reads("=1", json!({}));
        reads("a", json!({"a": ""}));
        reads("a=", json!({"a": ""}));
        reads("a=1&b=x=y", json!({"a": "1", "b": "x=y"}));
        reads("0=a", json!({"0": "a"}));
        reads("a+b=c%20d%C3%A4&%zz=%", json!({"a b": "c dä", "%zz": "%"}));
    }

    #[test]
    fn repetition_and_brackets_make_lists() {
        reads("a=1&a=2", json!({"a": ["1", "2"]}));
        reads("a[]=1", json!({"a": ["1"]}));
        reads("a[]=1&a=2&a%5b%5D=3", json!({"a": ["1", "2", "3"]}));
        reads("a[0]=x", json!({"a": ["x"]}));
        reads("a[10]=z&a[2]=y&a[]=last", json!({"a": ["y", "z", "last"]}));
        reads("a[0]=1&a[0]=2", json!({"a": [["1", "2"]]}));
        reads("a[][b]=1&a[][b]=2", json!({"a": [{"b": "1"}, {"b": "2"}]}));
    }

    #[test]
    fn names_in_brackets_make_objects() {
        reads("a[b]=c", json!({"a": {"b": "c"}}));
        reads("a[$gt]=", json!({"a": {"$gt": ""}}));
        reads("a[b][c]=1&a[b][d]=2", json!({"a": {"b": {"c": "1", "d": "2"}}}));
        reads("a[500]=x&b[01]=y", json!({"a": {"500": "x"}, "b": {"01": "y"}}));
        reads("[a]=1&[]=2", json!({"a": "1", "0": "2"}));
        reads("a[b=1&b]c=2&]d[e]=3&f[[g]]=4", json!({"a[b": "1", "b]c": "2", "]d": {"e": "3"}, "f[": {"g": "4"}}));
        reads("a[b]x[c]y=1", json!({"a": {"b": {"c": "1"}}}));
    }

    #[test]
    fn mixed_spellings_are_never_a_text() {
        reads("a=1&a[b]=2", json!({"a": {"0": "1", "b": "2"}}));
        reads("a[b]=2&a=1", json!({"a": {"0": "1", "b": "2"}}));
        reads("a=1&a[0]=2", json!({"a": ["2", "1"]}));
        reads("a[0]=1&a[b]=2&a[]=3&a=4", json!({"a": {"0": "1", "1": "3", "2": "4", "b": "2"}}));
        reads("a[b]=1&a[b][c]=2", json!({"a": {"b": {"0": "1", "c": "2"}}}));
    }

    #[test]
    fn deep_brackets_stay_as_they_are() {
        reads("a[b][c][d][e][f]=x", json!({"a": {"b": {"c": {"d": {"e": {"f": "x"}}}}}}));
        reads("a[b][c][d][e][f][g][]=x", json!({"a": {"b": {"c": {"d": {"e": {"f": {"[g][]": "x"}}}}}}}));
        assert!(parse(&format!("a{}=x", "[b]".repeat(100_000))).is_ok());
    }

    #[test]
    fn there_are_limits() {
        let pairs = |count: usize| (0..count).map(|number| format!("p{number}=x")).collect::<Vec<_>>().join("&");
        assert_eq!(parse(&pairs(1_000)).map(|map| map.len()), Ok(1_000));
        assert_eq!(parse(&pairs(1_200)).map(|map| map.len()), Ok(1_000));
        for item in ["a=1&", "a[]=1&", "b[c][]=1&"] {
            assert!(parse(&item.repeat(500)).is_ok(), "{item}");
            assert_eq!(parse(&item.repeat(501)), Err(InvalidQuery), "{item}");
        }
    }

    #[test]
    fn what_is_no_clean_text_is_refused() {
        for raw in ["a=%FF", "%C3=1", "a=%EF%BF", "a=%EF%BF%BD%80", "a=%00", "a%00=1", "a[%00]=1", "a=\0"] {
            assert_eq!(parse(raw), Err(InvalidQuery), "{raw}");
        }
        reads("a=%ef%BF%bd\u{fffd}", json!({"a": "\u{fffd}\u{fffd}"}));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(raw in any::<String>(), dense in "[ab0&=%F+\\[\\]]{0,80}") {
            let _ = parse(&raw);
            let _ = parse(&dense);
        }

        #[test]
        fn flat_maps_come_back(map in proptest::collection::btree_map("[^\\[\\]\\x00]{1,8}", "[^\\x00]{0,8}", 0..20)) {
            let raw = form_urlencoded::Serializer::new(String::new()).extend_pairs(&map).finish();
            let back = parse(&raw).unwrap().into_iter();
            let back: BTreeMap<_, _> = back.map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect();
            prop_assert_eq!(back, map);
        }

        #[test]
        fn a_second_spelling_is_never_a_text(keys in proptest::collection::vec("(\\[[ab0]?\\]){0,3}", 2..6)) {
            let raw: Vec<_> = keys.iter().map(|key| format!("a{key}=1")).collect();
            prop_assert!(!parse(&raw.join("&")).unwrap()["a"].is_string());
        }
    }
}
