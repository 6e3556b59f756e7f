//! The load generator: HTTP/1.1 over kept connections, with as little work of its own as can be, since it shares the cores with what it
//! measures. Requests are bytes made beforehand; of an answer no more is read than its status and its length.

use std::io::Write;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::calls::{POST_MESSAGE, SEND_MESSAGE};
use crate::figures::cpu_time;
use crate::session::User;
use crate::window::{Count, Window, now};

/// How many threads generate load: as many as there are servers at once would starve nobody, fewer could be what is measured.
const THREADS: usize = 2;

/// The length of a message's id, as clients make them.
const ID_LENGTH: usize = 17;

/// Stands in a request where the next message's id is written.
const PLACEHOLDER: &str = "-----------------";

/// The text of every message.
pub const TEXT: &str = "Is the blue one still to be had in a larger size? I would need it by Friday.";

/// Which ids messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ids {
    /// Each connection's rise, so that they go to a few places of the index.
    Rising,
    /// Anything, as widgets make them: each goes to a place of its own.
    Random,
}

/// A kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub struct Answer<'b> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: &'b [u8],
}

impl Answer<'_> {
    /// The body as JSON, if the status is 200.
    pub fn json(&self) -> Result<Value> {
        self.expect_ok()?;
        serde_json::from_slice(self.body).context("the answer is no JSON")
    }

    /// The body as text, if the status is 200.
    pub fn text(&self) -> Result<&str> {
        self.expect_ok()?;
        std::str::from_utf8(self.body).context("the answer is no text")
    }

    fn expect_ok(&self) -> Result<()> {
        ensure!(self.status == 200, "the answer was {} {}", self.status, String::from_utf8_lossy(self.body));
        Ok(())
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} does not accept connections"))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads its answer.
    pub async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
        };
        let end = head.length + head.body;
        while self.buffer.len() < end {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection within an answer");
        }
        ensure!(self.buffer.len() == end, "the server sent more than it was asked for");
        Ok(Answer { status: head.status, body: &self.buffer[head.length..] })
    }
}

/// What is read of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// The length of the head itself.
    length: usize,
    /// The length of the body.
    body: usize,
}

impl Head {
    /// Reads a head at the beginning of `bytes`; `None` if it is not whole yet.
    fn read(bytes: &[u8]) -> Result<Option<Head>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&bytes[..end]).context("the answer's head is no text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        let mut fields = lines.filter_map(|line| line.split_once(':'));
        let body =
            fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length")).and_then(|(_, value)| value.trim().parse().ok());
        match (status, body) {
            (Some(status), Some(body)) => Ok(Some(Head { status, length: end + 4, body })),
            _ => bail!("the answer has another form than expected:\n{head}"),
        }
    }
}

/// Makes a request; one without a body if it is null.
pub fn request(method: &str, path: &str, body: &Value) -> Vec<u8> {
    request_with(method, path, &[], body)
}

/// Makes a request with these headers besides the usual ones.
pub fn request_with(method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Vec<u8> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A value as part of a path or query.
pub fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// One who calls again and again, over a connection of its own.
#[derive(Clone)]
pub struct Caller {
    request: Vec<u8>,
    /// Which ids its messages have, and where in the request they stand, if it posts any.
    ids: Option<(Ids, Range<usize>)>,
    connection: usize,
    sent: u64,
}

impl Caller {
    /// The visitor with this token, who posts messages in its room; `connection` tells it from the others.
    pub fn posting(connection: usize, token: &str, room_id: &str, ids: Ids) -> Result<Caller> {
        let body = json!({"token": token, "rid": room_id, "msg": TEXT, "_id": PLACEHOLDER});
        Caller::writing(connection, request("POST", POST_MESSAGE.path, &body), ids)
    }

    /// The agent who writes in this room, likewise.
    pub fn sending(connection: usize, agent: &User, room_id: &str, ids: Ids) -> Result<Caller> {
        let body = json!({"message": {"rid": room_id, "msg": TEXT, "_id": PLACEHOLDER}});
        Caller::writing(connection, agent.request("POST", SEND_MESSAGE.path, &body), ids)
    }

    fn writing(connection: usize, request: Vec<u8>, ids: Ids) -> Result<Caller> {
        let begin = request.windows(ID_LENGTH).position(|part| part == PLACEHOLDER.as_bytes());
        let begin = begin.context("the request has a place for the id")?;
        Ok(Caller { request, ids: Some((ids, begin..begin + ID_LENGTH)), connection, sent: 0 })
    }

    /// Somebody who makes the same request every time.
    pub fn repeating(request: Vec<u8>) -> Caller {
        Caller { request, ids: None, connection: 0, sent: 0 }
    }

    /// The next request; if it posts a message, with an id that no other has.
    pub fn next(&mut self) -> Result<&[u8]> {
        if let Some((ids, place)) = self.ids.clone() {
            let mut place = &mut self.request[place];
            match ids {
                Ids::Rising => write!(place, "{:04}x{:012}", self.connection, self.sent)?,
                // 16 of 17 characters hold the mixed number: distinct numbers stay distinct.
                Ids::Random => write!(place, "{:016x}r", mixed(((self.connection as u64) << 48) | self.sent))?,
            }
        }
        self.sent += 1;
        Ok(&self.request)
    }
}

/// The number in another order: a bijection without any visible pattern (the last step of splitmix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a round of load came to.
pub struct Load {
    /// How many requests were answered.
    pub count: Count,
    /// How long each answer in the window took, sorted, in microseconds.
    pub latencies: Vec<u32>,
    /// Answers in a second.
    pub per_second: f64,
    /// The CPU time of the server in the window.
    pub server_cpu: Duration,
    /// The CPU time of this process in the window.
    pub own_cpu: Duration,
}

/// Lets every caller call, each as fast as it is answered, the server at `address` for `length`. Blocks.
pub fn run(address: SocketAddr, server: u32, callers: &mut [Caller], length: Duration) -> Result<Load> {
    let window = Window::of(length);
    let share = callers.len().div_ceil(THREADS).max(1);
    let (cpu, called) = std::thread::scope(|scope| {
        let threads: Vec<_> =
            callers.chunks_mut(share).map(|callers| scope.spawn(move || call_all(address, callers, window))).collect();
        let cpu = window.watch([server, std::process::id()]);
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (cpu, threads.into_iter().map(join).collect::<Result<Vec<_>>>())
    });
    let ([server_cpu, own_cpu], called) = (cpu?, called?.into_iter().flatten().collect::<Vec<Called>>());
    let count: Count = called.iter().map(|called| called.count).sum();
    let mut latencies: Vec<u32> = called.into_iter().flat_map(|called| called.latencies).collect();
    latencies.sort_unstable();
    Ok(Load { count, latencies, per_second: window.rate(count.measured), server_cpu, own_cpu })
}

/// What one caller did.
struct Called {
    count: Count,
    latencies: Vec<u32>,
}

/// One thread's callers, each with its connection.
fn call_all(address: SocketAddr, callers: &mut [Caller], window: Window) -> Result<Vec<Called>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let tasks: Vec<_> = callers.iter().map(|caller| runtime.spawn(call(address, caller.clone(), window))).collect();
    let mut all = Vec::new();
    for (task, caller) in tasks.into_iter().zip(callers) {
        let (called, sent) = runtime.block_on(task)??;
        caller.sent = sent;
        all.push(called);
    }
    Ok(all)
}

/// Calls until the window has closed. Gives as well how many requests the caller has sent in all.
async fn call(address: SocketAddr, mut caller: Caller, window: Window) -> Result<(Called, u64)> {
    let mut connection = Connection::open(address).await?;
    let mut called = Called { count: Count::default(), latencies: Vec::with_capacity(1 << 16) };
    while !window.is_over() {
        let begun = now();
        let answer = connection.call(caller.next()?).await?;
        answer.expect_ok()?;
        let ended = now();
        called.count.whole += 1;
        if window.holds(ended) {
            called.count.measured += 1;
            called.latencies.push((ended - begun).as_micros() as u32);
        }
    }
    Ok((called, caller.sent))
}

/// Makes each of `requests` once, over so many connections, each of which takes the next as soon as the last is answered, and gives
/// the bodies of their answers in the same order. Blocks.
pub fn run_once(address: SocketAddr, server: u32, requests: Vec<Vec<u8>>, connections: usize) -> Result<(Load, Vec<Vec<u8>>)> {
    let requests = Arc::new(requests);
    let (count, next, barrier) = (requests.len() as u64, Arc::new(AtomicUsize::new(0)), Barrier::new(THREADS + 1));
    let (elapsed, cpu, answered) = std::thread::scope(|scope| {
        let each = |thread| {
            let (requests, next, barrier) = (Arc::clone(&requests), Arc::clone(&next), &barrier);
            let share = (connections + thread) / THREADS;
            scope.spawn(move || answer_all(address, &requests, &next, share, barrier))
        };
        let threads: Vec<_> = (0..THREADS).map(each).collect();
        barrier.wait();
        let (begun, before) = (now(), cpu_times(server));
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let answered = threads.into_iter().map(join).collect::<Result<Vec<_>>>();
        let (elapsed, after) = (begun.elapsed(), cpu_times(server));
        (elapsed, before.and_then(|before| Ok((before, after?))), answered)
    });
    let (before, after) = cpu?;
    let mut answered: Vec<Answered> = answered?.into_iter().flatten().collect();
    answered.sort_unstable_by_key(|answered| answered.place);
    let mut latencies: Vec<u32> = answered.iter().map(|answered| answered.microseconds).collect();
    latencies.sort_unstable();
    let load = Load {
        count: Count { measured: count, whole: count },
        latencies,
        per_second: count as f64 / elapsed.as_secs_f64(),
        server_cpu: after.0.saturating_sub(before.0),
        own_cpu: after.1.saturating_sub(before.1),
    };
    Ok((load, answered.into_iter().map(|answered| answered.body).collect()))
}

/// One answer of many.
struct Answered {
    /// Which request it answers.
    place: usize,
    microseconds: u32,
    body: Vec<u8>,
}

fn cpu_times(server: u32) -> Result<(Duration, Duration)> {
    Ok((cpu_time(server)?, cpu_time(std::process::id())?))
}

/// One thread's connections, which begin together with those of the others.
fn answer_all(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    next: &Arc<AtomicUsize>,
    connections: usize,
    barrier: &Barrier,
) -> Result<Vec<Answered>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let opened: Result<Vec<Connection>> = (0..connections).map(|_| runtime.block_on(Connection::open(address))).collect();
    // Whoever could not connect is waited for by the others all the same.
    barrier.wait();
    let answer = |connection| runtime.spawn(answer_some(connection, Arc::clone(requests), Arc::clone(next)));
    let tasks: Vec<_> = opened?.into_iter().map(answer).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(runtime.block_on(task)??);
    }
    Ok(all)
}

async fn answer_some(mut connection: Connection, requests: Arc<Vec<Vec<u8>>>, next: Arc<AtomicUsize>) -> Result<Vec<Answered>> {
    let mut some = Vec::new();
    loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(place) else { return Ok(some) };
        let begun = now();
        let answer = connection.call(request).await?;
        answer.expect_ok()?;
        some.push(Answered { place, microseconds: begun.elapsed().as_micros() as u32, body: answer.body.to_vec() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::ME;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\nContent-Length:  12\r\n\r\nnot all of i";
        let whole = bytes.len() - 12;
        assert_eq!(Head::read(bytes).ok(), Some(Some(Head { status: 404, length: whole, body: 12 })));
        for cut in 0..whole {
            assert_eq!(Head::read(&bytes[..cut]).ok(), Some(None), "{cut}");
        }
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(Head::read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(Head::read(b"SSH-2.0\r\ncontent-length: 1\r\n\r\n").is_err());
    }

    #[test]
    fn every_message_is_the_same_but_for_its_id() {
        for ids in [Ids::Rising, Ids::Random] {
            let mut seen = std::collections::HashSet::new();
            for connection in 0..4 {
                let mut caller = Caller::posting(connection, "token", "room", ids).expect("it has a place for ids");
                for _ in 0..100 {
                    let request = String::from_utf8(caller.next().expect("there is room for an id").to_vec()).expect("it is text");
                    let (head, body) = request.split_once("\r\n\r\n").expect("it has a head");
                    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
                    let body: Value = serde_json::from_str(body).expect("the body is JSON");
                    assert_eq!((&body["token"], &body["rid"]), (&Value::from("token"), &Value::from("room")));
                    let id = body["_id"].as_str().expect("there is an id").to_owned();
                    assert!(id.len() == ID_LENGTH && seen.insert(id), "{body}");
                }
            }
        }
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded(r#"a_b {"ä":-1}"#), "a_b%20%7B%22%C3%A4%22%3A-1%7D");
    }

    #[test]
    fn who_repeats_sends_the_same_every_time() {
        let asked = request_with("GET", ME.path, &[("X-User-Id", "a"), ("X-Auth-Token", "b")], &Value::Null);
        let text = String::from_utf8(asked.clone()).expect("it is text");
        assert!(text.starts_with("GET /api/v1/me HTTP/1.1\r\nHost: ") && text.ends_with("Content-Length: 0\r\n\r\n"), "{text}");
        assert!(text.contains("\r\nX-User-Id: a\r\nX-Auth-Token: b\r\n"), "{text}");
        let mut caller = Caller::repeating(asked.clone());
        for _ in 0..3 {
            assert_eq!(caller.next().expect("there is nothing to write"), asked);
        }
    }
}
