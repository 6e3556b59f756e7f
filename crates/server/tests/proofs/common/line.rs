//! A connection that sends a request and reads its answer apart, so that one thread keeps many of them busy: a crowd of callers with a
//! thread each would take the processor from the server that it calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::http::Answer;
use super::wait::PATIENCE;

/// A kept connection.
pub struct Line(BufReader<TcpStream>);

impl Line {
    /// Connects to the server at `address`.
    pub fn open(address: &str) -> Line {
        let stream = TcpStream::connect(address.trim_start_matches("http://")).expect("the server accepts a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit can be set");
        stream.set_nodelay(true).expect("a connection can be told not to wait");
        Line(BufReader::new(stream))
    }

    /// Sends a `POST`, and does not wait for its answer.
    pub fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &Value) {
        let body = body.to_string();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: proof.example\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n\
             {body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).expect("the server reads a request");
    }

    /// Reads the answer to what was sent.
    pub fn answer(&mut self) -> Answer {
        let first = self.head_line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut length = 0;
        loop {
            let line = self.head_line();
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().expect("a length is a number");
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the server sends what it announced");
        let text = String::from_utf8(body).expect("an answer is text");
        Answer { status: status.unwrap_or_else(|| panic!("no answer begins with {first:?}")), text }
    }

    fn head_line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the server answers");
        line.trim_end().to_owned()
    }
}
