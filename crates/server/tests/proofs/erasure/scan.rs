//! Looks for markers in bytes, in every form in which software may keep a text.
//!
//! One pass: each form of the prefix has a needle of its own, and what follows a needle is decoded and says which marker it is.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::markers::{ADDRESS_PREFIX, LONGEST_BODY, Marker, TEXT_PREFIX};
use crate::common::moments::Random;

/// How bytes that are all zero are skipped.
const ZEROS: [u8; 4_096] = [0; 4_096];

/// How the characters of a text become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// As they are (UTF-8).
    Raw,
    /// UTF-16, the lower byte first.
    LittleEndian,
    /// UTF-16, the higher byte first.
    BigEndian,
    /// Two hexadecimal digits for each byte.
    Hex,
    /// Base64 of either alphabet.
    Base64,
}

/// What a form of a prefix looks like.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Needle {
    bytes: Vec<u8>,
    form: Form,
    prefix: &'static str,
    /// How many bytes of the prefix come before the needle: in base64 the first ones are mixed with what is before them.
    skipped: usize,
}

/// Where a marker was found.
#[derive(Clone)]
pub struct Place {
    file: PathBuf,
    form: Form,
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({:?})", self.file.display(), self.form)
    }
}

/// Looks for markers.
pub struct Scanner {
    needles: Vec<Needle>,
    /// For each pair of bytes the needles that begin with it.
    by_start: Vec<Vec<usize>>,
}

impl Scanner {
    /// A scanner for every form.
    pub fn new() -> Scanner {
        let needles: Vec<Needle> = needles().into_iter().collect();
        let mut by_start = vec![Vec::new(); 1 << 16];
        for (number, needle) in needles.iter().enumerate() {
            by_start[pair(&needle.bytes)].push(number);
        }
        Scanner { needles, by_start }
    }

    /// Calls `found` for every marker in `bytes`.
    pub fn scan(&self, bytes: &[u8], mut found: impl FnMut(Marker, Form)) {
        let mut place = 0;
        while place + 1 < bytes.len() {
            let rest = &bytes[place..];
            if place.is_multiple_of(ZEROS.len()) && rest.starts_with(&ZEROS) {
                // A needle may begin with the last of the zeros.
                place += ZEROS.len() - 1;
                continue;
            }
            for needle in self.by_start[pair(rest)].iter().map(|number| &self.needles[*number]) {
                if let Some(marker) = needle.marker(rest) {
                    found(marker, needle.form);
                }
            }
            place += 1;
        }
    }

    /// Every marker in the files below `folder`, with the first place where it is, and how many bytes were looked at.
    pub fn scan_folder(&self, folder: &Path) -> (HashMap<Marker, Place>, usize) {
        let (mut places, mut length) = (HashMap::new(), 0);
        for file in files(folder) {
            let bytes = match std::fs::read(&file) {
                Ok(bytes) => bytes,
                // A running server may remove a file meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", file.display()),
            };
            length += bytes.len();
            self.scan(&bytes, |marker, form| {
                places.entry(marker).or_insert_with(|| Place { file: file.clone(), form });
            });
        }
        (places, length)
    }
}

impl Needle {
    /// The marker at the beginning of `bytes`, if this needle is there and a marker follows.
    fn marker(&self, bytes: &[u8]) -> Option<Marker> {
        if !bytes.starts_with(&self.bytes) {
            return None;
        }
        let text = self.form.decode(bytes, self.prefix.len() - self.skipped + LONGEST_BODY);
        let (prefix, body) = text.split_at_checked(self.prefix.len() - self.skipped)?;
        let is_prefix = prefix.eq_ignore_ascii_case(&self.prefix.as_bytes()[self.skipped..]);
        Marker::of_body(body).filter(|_| is_prefix)
    }
}

impl Form {
    /// The first `length` bytes of the text that begins here, or fewer if it is not that long.
    fn decode(self, bytes: &[u8], length: usize) -> Vec<u8> {
        match self {
            Form::Raw => bytes[..length.min(bytes.len())].to_vec(),
            Form::LittleEndian => bytes.chunks_exact(2).take(length).map_while(|pair| (pair[1] == 0).then_some(pair[0])).collect(),
            Form::BigEndian => bytes.chunks_exact(2).take(length).map_while(|pair| (pair[0] == 0).then_some(pair[1])).collect(),
            Form::Hex => bytes.chunks_exact(2).take(length).map_while(|digits| hex::decode(digits).ok()?.pop()).collect(),
            Form::Base64 => decode_base64(bytes, length),
        }
    }
}

/// Decodes what both alphabets have in common, without regard to padding: the end of the text may be in the midst of a group.
fn decode_base64(bytes: &[u8], length: usize) -> Vec<u8> {
    let (mut text, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for character in bytes {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            text.push((bits >> count & 0xff) as u8);
        }
        if text.len() == length {
            break;
        }
    }
    text
}

/// The needle of every form of every prefix in every case.
fn needles() -> HashSet<Needle> {
    let mut needles = HashSet::new();
    for prefix in [TEXT_PREFIX, ADDRESS_PREFIX] {
        for text in [prefix.to_owned(), prefix.to_lowercase(), prefix.to_uppercase()] {
            let text = text.as_bytes();
            let mut add = |form, skipped, bytes: Vec<u8>| needles.insert(Needle { bytes, form, prefix, skipped });
            add(Form::Raw, 0, text.to_vec());
            add(Form::LittleEndian, 0, text.iter().flat_map(|byte| [*byte, 0]).collect());
            add(Form::BigEndian, 0, text.iter().flat_map(|byte| [0, *byte]).collect());
            add(Form::Hex, 0, hex::encode(text).into_bytes());
            add(Form::Hex, 0, hex::encode_upper(text).into_bytes());
            for skipped in 0..3 {
                let whole_characters = (text.len() - skipped) * 8 / 6;
                for encoded in [STANDARD_NO_PAD.encode(&text[skipped..]), URL_SAFE_NO_PAD.encode(&text[skipped..])] {
                    add(Form::Base64, skipped, encoded.as_bytes()[..whole_characters].to_vec());
                }
            }
        }
    }
    needles
}

/// The first two bytes as a number.
fn pair(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The scanner's own proof: it knows each form of a marker, wherever it stands and whatever is around it.
#[test]
fn every_form_is_recognised() {
    let (mut random, scanner) = (Random::of("scanner"), Scanner::new());
    for _ in 0..20 {
        let marker = Marker::new(&mut random);
        for text in [marker.text(), marker.address(), format!("{}@example.org", marker.text())] {
            for text in [text.clone(), text.to_lowercase(), text.to_uppercase()] {
                for (name, bytes) in forms_of(&text) {
                    let around: Vec<u8> = (0..random.between(0, 5_000)).map(|_| (random.bits() & 3) as u8).collect();
                    let mut found = Vec::new();
                    scanner.scan(&[&around[..], &bytes[..], &around[..]].concat(), |marker, _| found.push(marker));
                    // UTF-16 can be read either way if a zero is beside it.
                    found.dedup();
                    assert_eq!(found, [marker], "{name} of {text}");
                }
            }
        }
    }
}

/// The forms of a text, written down in another way than the scanner reads them.
fn forms_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", text.as_bytes().to_vec()),
        ("UTF-16, lower byte first", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, higher byte first", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hexadecimal", hex::encode(text).into_bytes()),
        ("hexadecimal, upper case", hex::encode_upper(text).into_bytes()),
    ];
    for before in ["", "?", "??"] {
        for after in ["", "?", "??"] {
            let whole = format!("{before}{text}{after}");
            forms.push(("base64", STANDARD.encode(&whole).into_bytes()));
            forms.push(("base64 for addresses", URL_SAFE_NO_PAD.encode(&whole).into_bytes()));
            forms.push(("base64 for addresses with padding", URL_SAFE.encode(&whole).into_bytes()));
        }
    }
    forms
}
