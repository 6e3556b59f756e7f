//! Files that are not what they say, or that want to be something else where they are shown.

use usher_testkit::Form;
use usher_testkit::engines::Engine;

use super::{PNG, fetched, link, sent};
use crate::support::usual;

/// What a file is called, what it is said to be, what it holds; and what it becomes: its name and its type, and whether pages may show it.
type Disguise = (&'static str, &'static str, &'static [u8], &'static str, &'static str, bool);

const DISGUISES: &[Disguise] = &[
    ("a picture", "image/png", PNG, "a picture", "image/png", true),
    ("page.png", "image/png", b"<html><script>alert(1)</script></html>", "page.png", "text/html", false),
    ("page.html", "text/html", PNG, "page.html", "image/png", true),
    ("both.gif", "text/html", b"GIF89a\x01\0\x01\0/*<script>alert(1)</script>*/", "both.gif", "image/gif", true),
    ("both.pdf", "image/png", b"%PDF-1.7\n<script>alert(1)</script>", "both.pdf", "application/pdf", false),
    ("script.txt", "text/javascript", b"alert(1)", "script.txt", "text/plain", false),
    ("style.css", "text/css", b"body{}", "style.css", "text/plain", false),
    ("../../../etc/passwd", "text/plain", b"root", "passwd", "text/plain", false),
    ("..\\..\\boot.ini", "text/plain", b"boot", "boot.ini", "text/plain", false),
    (
        "invoice\u{202e}fdp.exe",
        "application/pdf",
        b"MZ\x90\0\x03\0\0\0",
        "invoicefdp.exe",
        "application/vnd.microsoft.portable-executable",
        false,
    ),
    ("zeros.png", "image/png", b"\0\0\0\0\0\0\0\0", "zeros.png", "application/octet-stream", false),
    ("empty.png", "image/png", b"", "empty.png", "text/plain", false),
    ("", "text/plain", b"words", "file", "text/plain", false),
    ("long; type=\"text/html", "text/plain", b"words", "long; type=", "text/plain", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_out_as_what_it_is() {
    let engine = Engine::sqlite();
    let app = usual().start(&engine).await;
    app.register("token-1", "Mary").await;
    let room = app.room("token-1").await;
    for (name, said, bytes, kept_name, media_type, is_shown) in DISGUISES {
        let message = sent(&app, "token-1", &room, Form::file(name, said, bytes)).await;
        assert_eq!(
            (message["file"]["name"].as_str(), message["file"]["type"].as_str()),
            (Some(*kept_name), Some(*media_type)),
            "{name}"
        );
        let reply = fetched(&app, &link(&message), "token-1", &room).await;
        let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!((reply.status.as_u16(), reply.bytes.as_slice()), (200, *bytes), "{name}");
        assert_eq!(header("content-type"), *media_type, "{name}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(header("content-security-policy"), "default-src 'none'", "{name}");
        assert_eq!(header("content-disposition").starts_with("inline"), *is_shown, "{name}: {}", header("content-disposition"));
    }
}
