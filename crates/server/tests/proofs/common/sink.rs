//! A mail server that takes everything and sends nothing on.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::wait::PATIENCE;

/// Mails as they came over the wire: headers, an empty line, and the body.
type Mails = Arc<Mutex<Vec<String>>>;

/// The server. Dropping it ends it; nothing is lost of what it took.
pub struct Sink {
    /// Where it is.
    pub address: SocketAddr,
    mails: Mails,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// A port on which nobody listens.
    pub fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.local_addr().expect("it has an address").port()
    }

    /// Begins to take mails at a port.
    pub fn start(port: u16) -> Sink {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = listener.local_addr().expect("it has an address");
        let (mails, is_ending) = (Mails::default(), Arc::new(AtomicBool::new(false)));
        let (taken, ending) = (Arc::clone(&mails), Arc::clone(&is_ending));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    break;
                }
                // Whoever breaks a conversation off has sent no mail.
                let _ = connection.and_then(|connection| converse(connection, &taken));
            }
        });
        Sink { address, mails, is_ending, thread: Some(thread) }
    }

    /// What it took so far, with lines that were broken for the wire put together again.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("nobody panicked").iter().map(|mail| mail.replace("=\r\n", "")).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::SeqCst);
        // Makes it look whether it is to end.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the sink ends");
        }
    }
}

/// Talks to one client.
fn converse(mut connection: TcpStream, mails: &Mails) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(connection.try_clone()?);
    connection.write_all(b"220 sink.example ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "EHLO" => connection.write_all(b"250-sink.example\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                connection.write_all(b"354 go on\r\n")?;
                let mail = read_mail(&mut lines)?;
                mails.lock().expect("nobody panicked").push(mail);
                connection.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return connection.write_all(b"221 bye\r\n"),
            "MAIL" | "RCPT" | "RSET" | "NOOP" | "HELO" => connection.write_all(b"250 fine\r\n")?,
            _ => connection.write_all(b"502 unknown\r\n")?,
        }
    }
}

/// Reads a mail up to the line with nothing but a dot.
fn read_mail(lines: &mut impl BufRead) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end() == "." {
            return Ok(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
