//! Files that visitors and users send: which are taken, what they are called, and how they are handed out again.

use serde_json::{Value, json};

use crate::settings::{FILE_ALLOWED_TYPES, FILE_MAX_BYTES, FILE_REFUSED_TYPES, Settings};

/// How many bytes at the beginning of a file are looked at to tell what it is, and how large a picture is.
pub const HEAD_BYTES: usize = 64 << 10;

/// The longest name of a file, in bytes of UTF-8.
pub const NAME_BYTES: usize = 255;

/// What a file is that tells nothing of itself.
pub const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A file that was sent into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its id, made by the server: where it is stored, and what links name.
    pub id: String,
    /// The room it belongs to.
    pub room_id: String,
    /// The visitor whose room that is.
    pub visitor_id: String,
    /// Who sent it: the visitor or a user.
    pub sender_id: String,
    /// What it is called.
    pub name: String,
    /// Its media type, as found out by looking at it.
    pub media_type: String,
    /// Its length in bytes.
    pub size: i64,
    /// Its width and height in pixels, if it is a picture.
    pub dimensions: Option<(i64, i64)>,
    /// How far it is.
    pub state: FileState,
    /// The message that shows it, once there is one.
    pub message_id: Option<String>,
    /// When it came (milliseconds UTC).
    pub created_at: i64,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Its bytes are arriving.
    Arriving,
    /// It is whole, and no message shows it yet.
    Stored,
    /// A message shows it.
    Posted,
}

impl FileState {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            FileState::Arriving => "arriving",
            FileState::Stored => "stored",
            FileState::Posted => "posted",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<FileState> {
        [FileState::Arriving, FileState::Stored, FileState::Posted].into_iter().find(|state| state.name() == name)
    }
}

/// Which files are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The largest size in bytes; `None` for any.
    pub most_bytes: Option<u64>,
    allowed: Vec<String>,
    refused: Vec<String>,
}

impl Acceptance {
    /// As these settings say.
    pub fn of(settings: &Settings) -> Acceptance {
        Acceptance {
            most_bytes: u64::try_from(settings.get(&FILE_MAX_BYTES)).ok(),
            allowed: patterns(settings.text(&FILE_ALLOWED_TYPES)),
            refused: patterns(settings.text(&FILE_REFUSED_TYPES)),
        }
    }

    /// Whether a file of this media type is taken.
    pub fn takes(&self, media_type: &str) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, media_type));
        !fits(&self.refused) && (self.allowed.is_empty() || fits(&self.allowed))
    }

    /// Whether a file of this length is taken.
    pub fn takes_size(&self, bytes: u64) -> bool {
        self.most_bytes.is_none_or(|most| bytes <= most)
    }
}

fn patterns(list: &str) -> Vec<String> {
    list.split(',').map(|pattern| pattern.trim().to_ascii_lowercase()).filter(|pattern| !pattern.is_empty()).collect()
}

/// Whether a media type is one of those that a pattern stands for: itself, `image/*` or `*`.
fn fits(pattern: &str, media_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => beginning.is_empty() || beginning.ends_with('/') && media_type.starts_with(beginning),
        None => pattern == media_type,
    }
}

/// What a file is, by its first bytes. What its sender says counts only for kinds of text, which no first bytes tell apart; a file that
/// is said to be something else than it is, is what it is.
pub fn media_type(head: &[u8], said: &str) -> String {
    let said = essence(said);
    let Ok(text) = text_of(head) else {
        return infer::get(head).map_or(UNKNOWN_TYPE, |kind| kind.mime_type()).to_owned();
    };
    if let Some(kind) = infer::get(head).filter(|kind| !kind.mime_type().starts_with("text/")) {
        return kind.mime_type().to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let beginning = lower.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if lower.contains("<svg") {
        "image/svg+xml".to_owned()
    } else if beginning.starts_with("<?xml") {
        "application/xml".to_owned()
    } else if beginning.starts_with('<')
        || ["<html", "<script", "<body", "<iframe", "<!doctype"].iter().any(|mark| lower.contains(mark))
    {
        "text/html".to_owned()
    } else if is_text_without_marks(&said) {
        said
    } else {
        "text/plain".to_owned()
    }
}

/// A media type without its parameters, in lower case.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The width and height in pixels of a picture that programs may draw, by its first bytes.
pub fn dimensions(head: &[u8], media_type: &str) -> Option<(i64, i64)> {
    let size = imagesize::blob_size(head).ok().filter(|_| is_safe_picture(media_type))?;
    Some((i64::try_from(size.width).ok()?, i64::try_from(size.height).ok()?))
}

/// The bytes as text, without a character that may be cut in two at the end.
fn text_of(head: &[u8]) -> Result<&str, ()> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return Err(()),
    };
    if text.contains('\0') { Err(()) } else { Ok(text) }
}

/// Kinds of text that no program runs or draws, so that a sender may say which of them a text is.
fn is_text_without_marks(media_type: &str) -> bool {
    matches!(
        media_type,
        "text/plain" | "text/csv" | "text/markdown" | "text/calendar" | "text/vcard" | "text/rtf" | "application/json"
    )
}

/// Whether a browser may show a file of this type in a page of ours: pictures that can hold no program.
pub fn is_safe_picture(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// What a file is called that came under this name: without a path, without what can end a header or turn the way of reading, and
/// bounded.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter(|character| !character.is_control() && !is_hidden_mark(*character));
    let mut cleaned: String =
        visible.collect::<String>().trim_start_matches(|first: char| first == '.' || first.is_whitespace()).to_owned();
    while cleaned.len() > NAME_BYTES || cleaned.ends_with(char::is_whitespace) {
        cleaned.pop();
    }
    if cleaned.is_empty() { "file".to_owned() } else { cleaned }
}

/// Marks that are not seen and change how what follows is read.
fn is_hidden_mark(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The characters of a name as a link or a header has them.
fn encoded(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    name.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl File {
    /// Where it is fetched, without the host.
    pub fn link(&self) -> String {
        format!("/file-upload/{}/{}", self.id, encoded(&self.name))
    }

    /// The header that says how a browser is to treat it: as something to keep, but for safe pictures.
    pub fn disposition(&self, is_download: bool) -> String {
        let manner = if is_safe_picture(&self.media_type) && !is_download { "inline" } else { "attachment" };
        format!("{manner}; filename*=UTF-8''{}", encoded(&self.name))
    }

    /// As `file` and `files` of a message name it.
    pub fn reference(&self) -> Value {
        json!({"_id": self.id, "name": self.name, "type": self.media_type})
    }

    /// The attachment of the message that shows it.
    pub fn attachment(&self, description: &str) -> Value {
        let mut attachment = json!({
            "title": self.name,
            "type": "file",
            "description": description,
            "title_link": self.link(),
            "title_link_download": true,
        });
        let kind = self.media_type.split('/').next().unwrap_or_default();
        if matches!(kind, "image" | "audio" | "video") {
            attachment[format!("{kind}_url")] = self.link().into();
            attachment[format!("{kind}_type")] = self.media_type.as_str().into();
            attachment[format!("{kind}_size")] = self.size.into();
        }
        if let Some((width, height)) = self.dimensions {
            attachment["image_dimensions"] = json!({"width": width, "height": height});
        }
        attachment
    }
}

/// The part of a file that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// From this byte to that one, both included.
    Bytes(u64, u64),
    /// A part that it does not have.
    Nothing,
}

/// Reads a `Range` header for a file of this length. Several ranges, and whatever cannot be understood, count as no header.
pub fn part(range: Option<&str>, size: u64) -> Part {
    let Some((first, last)) = range.and_then(|range| range.trim().strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>();
    match (number(first), number(last)) {
        (Ok(first), Ok(last)) if first <= last && first < size => Part::Bytes(first, last.min(size - 1)),
        (Ok(first), Ok(last)) if first <= last => Part::Nothing,
        (Ok(first), Err(_)) if last.trim().is_empty() && first < size => Part::Bytes(first, size - 1),
        (Ok(_), Err(_)) if last.trim().is_empty() => Part::Nothing,
        (Err(_), Ok(0)) if first.trim().is_empty() => Part::Nothing,
        (Err(_), Ok(_)) if first.trim().is_empty() && size == 0 => Part::Nothing,
        (Err(_), Ok(length)) if first.trim().is_empty() => Part::Bytes(size.saturating_sub(length), size - 1),
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01";

    #[test]
    fn a_file_is_what_it_is_and_not_what_it_is_said_to_be() {
        let svg = b"<?xml version=\"1.0\"?>\n<!-- drawn -->\n<SVG onload=\"alert(1)\">";
        let table: [(&[u8], &str, &str); 16] = [
            (PNG, "image/png", "image/png"),
            (PNG, "text/html", "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/png", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", "", "image/gif"),
            (b"GIF89a/*<svg onload=alert(1)>*/=1;", "image/svg+xml", "image/gif"),
            (b"%PDF-1.7\n", "application/pdf", "application/pdf"),
            (b"hello", "text/plain; charset=utf-8", "text/plain"),
            (b"a,b\n1,2\n", "TEXT/CSV", "text/csv"),
            (b"hello", "image/png", "text/plain"),
            (b"alert(1)", "text/javascript", "text/plain"),
            (b"  <!DOCTYPE html><p>", "text/plain", "text/html"),
            (b"words first <script>alert(1)</script>", "text/plain", "text/html"),
            (svg, "image/png", "image/svg+xml"),
            (b"<?xml version=\"1.0\"?><a/>", "text/plain", "application/xml"),
            (b"\0\x01\x02\x03", "image/png", UNKNOWN_TYPE),
            (b"", "image/png", "text/plain"),
        ];
        for (head, said, expected) in table {
            assert_eq!(media_type(head, said), expected, "{:?} said to be {said}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_character_cut_in_two_is_no_reason_to_take_a_text_for_something_else() {
        assert_eq!(media_type(&"é".as_bytes()[..1], "text/plain"), "text/plain");
        assert_eq!(media_type(b"\xe9t\xe9", "text/plain"), UNKNOWN_TYPE);
    }

    #[test]
    fn types_are_taken_by_pattern() {
        let acceptance =
            |allowed: &str, refused: &str| Acceptance { most_bytes: None, allowed: patterns(allowed), refused: patterns(refused) };
        for (allowed, refused, media_type, expected) in [
            ("", "", "image/png", true),
            ("", "image/svg+xml", "image/svg+xml", false),
            ("", "image/svg+xml", "image/png", true),
            ("image/*", "", "image/png", true),
            ("image/*", "", "imagery/png", false),
            (" Image/PNG , text/plain", "", "image/png", true),
            ("text/plain", "", "image/png", false),
            ("*", "image/*", "image/png", false),
            ("ima*", "", "image/png", false),
        ] {
            assert_eq!(acceptance(allowed, refused).takes(media_type), expected, "{allowed} {refused} {media_type}");
        }
    }

    #[test]
    fn sizes_are_taken_up_to_the_limit() {
        let sized = |most_bytes| Acceptance { most_bytes, allowed: Vec::new(), refused: Vec::new() };
        assert!(sized(Some(10)).takes_size(10) && !sized(Some(10)).takes_size(11) && sized(None).takes_size(u64::MAX));
    }

    #[test]
    fn names_carry_no_path_and_no_hidden_mark() {
        for (given, expected) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\windows\\system.ini", "system.ini"),
            ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("...", "file"),
            ("", "file"),
            ("a/", "file"),
            (".htaccess", "htaccess"),
            ("naïve 照片.png", "naïve 照片.png"),
        ] {
            assert_eq!(clean_name(given), expected, "{given:?}");
        }
        assert_eq!(clean_name(&"é".repeat(200)).len(), 254);
    }

    fn file(name: &str, media_type: &str) -> File {
        File {
            id: "f1".to_owned(),
            room_id: "r1".to_owned(),
            visitor_id: "v1".to_owned(),
            sender_id: "v1".to_owned(),
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: 7,
            dimensions: None,
            state: FileState::Stored,
            message_id: None,
            created_at: 0,
        }
    }

    #[test]
    fn only_safe_pictures_are_shown_in_pages() {
        for (media_type, download, expected) in [
            ("image/png", false, "inline; filename*=UTF-8''a%20%22b%22.png"),
            ("image/png", true, "attachment; filename*=UTF-8''a%20%22b%22.png"),
            ("image/svg+xml", false, "attachment; filename*=UTF-8''a%20%22b%22.png"),
            ("text/html", false, "attachment; filename*=UTF-8''a%20%22b%22.png"),
        ] {
            assert_eq!(file("a \"b\".png", media_type).disposition(download), expected, "{media_type}");
        }
    }

    #[test]
    fn attachments_say_of_what_kind_they_are() {
        let link = "/file-upload/f1/a.png";
        let plain =
            json!({"title": "a.png", "type": "file", "description": "look", "title_link": link, "title_link_download": true});
        assert_eq!(file("a.png", "application/pdf").attachment("look"), plain);
        let mut picture = plain;
        for (name, value) in [("image_url", json!(link)), ("image_type", json!("image/png")), ("image_size", json!(7))] {
            picture[name] = value;
        }
        picture["image_dimensions"] = json!({"width": 3, "height": 4});
        assert_eq!(File { dimensions: Some((3, 4)), ..file("a.png", "image/png") }.attachment("look"), picture);
    }

    #[test]
    fn parts_are_read_as_players_ask_for_them() {
        for (range, size, expected) in [
            (None, 10, Part::Whole),
            (Some("bytes=0-3"), 10, Part::Bytes(0, 3)),
            (Some("bytes=4-"), 10, Part::Bytes(4, 9)),
            (Some("bytes=-3"), 10, Part::Bytes(7, 9)),
            (Some("bytes=-30"), 10, Part::Bytes(0, 9)),
            (Some("bytes=4-400"), 10, Part::Bytes(4, 9)),
            (Some("bytes=10-"), 10, Part::Nothing),
            (Some("bytes=10-12"), 10, Part::Nothing),
            (Some("bytes=-0"), 10, Part::Nothing),
            (Some("bytes=-1"), 0, Part::Nothing),
            (Some("bytes=3-1"), 10, Part::Whole),
            (Some("bytes=0-1,3-4"), 10, Part::Whole),
            (Some("lines=0-1"), 10, Part::Whole),
            (Some("bytes=a-b"), 10, Part::Whole),
            (Some("bytes=99999999999999999999-"), 10, Part::Whole),
        ] {
            assert_eq!(part(range, size), expected, "{range:?} of {size}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_part_is_it_lies_within_the_file(range in "bytes=[0-9]{0,6}-[0-9]{0,6}", size in 0_u64..100_000) {
            if let Part::Bytes(first, last) = part(Some(&range), size) {
                prop_assert!(first <= last && last < size);
            }
        }

        #[test]
        fn whatever_a_file_is_it_is_one_kind_of_thing(head in prop::collection::vec(any::<u8>(), 0..200), said in "[ -~]{0,30}") {
            let kind = media_type(&head, &said);
            prop_assert!(kind.is_ascii() && kind.contains('/') && !kind.contains(['\r', '\n']));
            prop_assert!(is_safe_picture(&kind) || dimensions(&head, &kind).is_none());
        }

        #[test]
        fn a_clean_name_stays_as_it_is(name in any::<String>()) {
            let cleaned = clean_name(&name);
            prop_assert!(!cleaned.is_empty() && cleaned.len() <= NAME_BYTES && !cleaned.contains(['/', '\\', '\r', '\n', '\0']));
            prop_assert!(encoded(&cleaned).is_ascii());
            prop_assert_eq!(clean_name(&cleaned), cleaned);
        }
    }
}
