//! The bad values.

use super::places::At;

/// Closes a quotation where there is none.
pub const INJECTION: &str = "' OR 1=1 --";

/// Stands for the parameter's name in a bad query.
pub const NAME: &str = "NAME";

/// A bad value.
pub struct Bad {
    /// What the tables call it.
    pub name: &'static str,
    /// What is sent.
    pub sent: Sent,
}

/// What is sent in place of a good value.
pub enum Sent {
    /// Nothing at all.
    Nothing,
    /// This text, percent-encoded already: a value in the path, or pairs in a query.
    Text(String),
    /// These bytes: JSON in a body, or the value of a header.
    Bytes(Vec<u8>),
}

impl At {
    /// What is tried here.
    pub fn values(self) -> Vec<Bad> {
        match self {
            At::Body(_) => in_body(),
            At::Query(_) => in_query(),
            At::Path(_) => in_path(),
            At::Header(_) => in_header(),
        }
    }
}

/// What is tried in a body.
pub fn in_body() -> Vec<Bad> {
    let nothing = Bad { name: "missing", sent: Sent::Nothing };
    let deep = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(10_000), close.repeat(10_000));
    let texts = [
        ("null", "null".to_owned()),
        ("empty", r#""""#.to_owned()),
        ("blank", r#""  ""#.to_owned()),
        ("number", "7".to_owned()),
        ("fraction", "0.5".to_owned()),
        ("2^63", "9223372036854775808".to_owned()),
        ("1e999", "1e999".to_owned()),
        ("boolean", "true".to_owned()),
        ("empty list", "[]".to_owned()),
        ("list", r#"["x"]"#.to_owned()),
        ("list of lists", "[[[[]]]]".to_owned()),
        ("empty object", "{}".to_owned()),
        ("operator", r#"{"$ne":null}"#.to_owned()),
        ("nested object", r#"{"a":{"b":[{"$gt":""}]}}"#.to_owned()),
        ("injection", format!("\"{INJECTION}\"")),
        ("NUL", r#""a\u0000b""#.to_owned()),
        ("lone surrogate", r#""\ud800""#.to_owned()),
        ("swapped surrogates", r#""\udc00\ud800""#.to_owned()),
        ("long text", format!("\"{}\"", "x".repeat(200_000))),
        ("megabyte", format!("\"{}\"", "x".repeat(1 << 20))),
        ("deep lists", deep("[", "1", "]")),
        ("deep objects", deep("{\"a\":", "1", "}")),
        ("not JSON", "nonsense".to_owned()),
    ];
    let bytes = Bad { name: "invalid UTF-8", sent: Sent::Bytes(b"\"\xff\xfe\"".to_vec()) };
    let texts = texts.map(|(name, text)| Bad { name, sent: Sent::Bytes(text.into_bytes()) });
    [nothing].into_iter().chain(texts).chain([bytes]).collect()
}

/// What is tried in a query.
pub fn in_query() -> Vec<Bad> {
    let nothing = Bad { name: "missing", sent: Sent::Nothing };
    let list = |count: usize| vec!["NAME[]=x"; count].join("&");
    let texts = [
        ("bare", "NAME".to_owned()),
        ("empty", "NAME=".to_owned()),
        ("blank", "NAME=%20+".to_owned()),
        ("number", "NAME=7".to_owned()),
        ("negative", "NAME=-7".to_owned()),
        ("2^63", "NAME=9223372036854775808".to_owned()),
        ("1e999", "NAME=1e999".to_owned()),
        ("boolean", "NAME=true".to_owned()),
        ("injection", "NAME=%27%20OR%201=1%20--".to_owned()),
        ("list", list(1)),
        ("long list", list(600)),
        ("index", "NAME[0]=x".to_owned()),
        ("operator", "NAME[$gt]=".to_owned()),
        ("other operator", "NAME[$ne]=null".to_owned()),
        ("nested object", "NAME[a][b][c]=x".to_owned()),
        ("deep object", format!("NAME{}=x", "[a]".repeat(10_000))),
        ("repeated", "NAME=x&NAME=y".to_owned()),
        ("text and list", "NAME=x&NAME[]=y".to_owned()),
        ("NUL", "NAME=a%00b".to_owned()),
        ("%FF", "NAME=%FF".to_owned()),
        ("surrogate", "NAME=%ED%A0%80".to_owned()),
        ("long text", format!("NAME={}", "x".repeat(60_000))),
    ];
    [nothing].into_iter().chain(texts.map(|(name, text)| Bad { name, sent: Sent::Text(text) })).collect()
}

/// What is tried in a path.
pub fn in_path() -> Vec<Bad> {
    let texts = [
        ("empty", String::new()),
        ("blank", "%20%20".to_owned()),
        ("number", "7".to_owned()),
        ("null", "null".to_owned()),
        ("injection", "'%20OR%201=1%20--".to_owned()),
        ("operator", "%7B%22$ne%22:null%7D".to_owned()),
        ("brackets", "[$gt]=".to_owned()),
        ("dots", "..%2F..".to_owned()),
        ("NUL", "a%00b".to_owned()),
        ("%FF", "%FF%FE".to_owned()),
        ("surrogate", "%ED%A0%80".to_owned()),
        ("half an escape", "%4".to_owned()),
        ("long text", "x".repeat(60_000)),
    ];
    texts.map(|(name, text)| Bad { name, sent: Sent::Text(text) }).into()
}

/// What is tried in a header.
pub fn in_header() -> Vec<Bad> {
    let nothing = Bad { name: "missing", sent: Sent::Nothing };
    let values: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("blank", b" \t ".to_vec()),
        ("number", b"7".to_vec()),
        ("injection", INJECTION.as_bytes().to_vec()),
        ("operator", b"{\"$ne\":null}".to_vec()),
        ("invalid UTF-8", b"a\xff\xfeb".to_vec()),
        ("not ASCII", "é😀".as_bytes().to_vec()),
        ("many parts", b"a=b; ; =; x;,,, 999.999.999.999, ::::".to_vec()),
        ("long text", vec![b'x'; 100_000]),
    ];
    [nothing].into_iter().chain(values.map(|(name, bytes)| Bad { name, sent: Sent::Bytes(bytes) })).collect()
}
