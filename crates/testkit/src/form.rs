//! Forms of several parts, as browsers send files.

/// What stands between the parts.
const BOUNDARY: &str = "----the-end-of-a-part";

/// A form.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<u8>);

impl Form {
    /// A form with one file under the name that servers look for.
    pub fn file(name: &str, media_type: &str, bytes: &[u8]) -> Form {
        Form::default().with_file("file", name, media_type, bytes)
    }

    /// Adds a text.
    pub fn with_text(mut self, part: &str, text: &str) -> Form {
        self.begin(&format!("form-data; name=\"{part}\""));
        self.add(b"\r\n", text.as_bytes())
    }

    /// Adds a file.
    pub fn with_file(mut self, part: &str, name: &str, media_type: &str, bytes: &[u8]) -> Form {
        self.begin(&format!("form-data; name=\"{part}\"; filename=\"{name}\""));
        self.0.extend_from_slice(format!("Content-Type: {media_type}\r\n").as_bytes());
        self.add(b"\r\n", bytes)
    }

    fn begin(&mut self, disposition: &str) {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n").as_bytes());
    }

    fn add(mut self, head_end: &[u8], bytes: &[u8]) -> Form {
        for piece in [head_end, bytes, b"\r\n"] {
            self.0.extend_from_slice(piece);
        }
        self
    }

    /// Its content type and its bytes.
    pub fn finish(mut self) -> (String, Vec<u8>) {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={BOUNDARY}"), self.0)
    }
}
