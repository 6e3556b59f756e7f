//! What waits for one connection: a queue with two ends, bounded in frames and in bytes. A connection that does not keep up is cut, reads anew
//! what it missed, and nobody else notices.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};

use crate::session::Close;

/// How many frames may wait for one connection: several for each of the transactions that are committed together.
pub const FRAMES: usize = 2_048;

/// How many bytes may. One frame may be longer.
pub const BYTES: usize = 4 << 20;

/// How many frames are taken at once.
const AT_ONCE: usize = 64;

/// The end that others write to.
#[derive(Debug)]
pub struct Outbox {
    /// The connection's number.
    pub number: u64,
    queue: mpsc::Sender<Utf8Bytes>,
    waiting: AtomicUsize,
    end: OnceLock<Close>,
    ended: Notify,
}

/// The end that the connection takes frames from.
#[derive(Debug)]
pub struct Inbox {
    queue: mpsc::Receiver<Utf8Bytes>,
    outbox: Arc<Outbox>,
}

/// The queue of the connection with this number.
pub fn queue(number: u64) -> (Arc<Outbox>, Inbox) {
    let (sender, receiver) = mpsc::channel(FRAMES);
    let (end, ended) = (OnceLock::new(), Notify::new());
    let outbox = Arc::new(Outbox { number, queue: sender, waiting: AtomicUsize::new(0), end, ended });
    (Arc::clone(&outbox), Inbox { queue: receiver, outbox })
}

impl Outbox {
    /// Puts a frame in. A connection that has no room for it is cut.
    pub fn send(&self, frame: Utf8Bytes) {
        let length = frame.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        let is_too_much = before > 0 && before + length > BYTES;
        if is_too_much || self.queue.try_send(frame).is_err() {
            self.cut(Close::SLOW);
        }
    }

    /// Ends the connection. The first reason counts.
    pub fn cut(&self, close: Close) {
        if self.end.set(close).is_ok() {
            self.ended.notify_one();
        }
    }

    /// Waits until the connection is cut. Gives why.
    pub async fn cut_off(&self) -> Close {
        loop {
            if let Some(close) = self.end.get() {
                return *close;
            }
            self.ended.notified().await;
        }
    }
}

impl Inbox {
    /// Takes some of the frames that wait, at least one. Whoever stops waiting for them loses none.
    pub async fn next(&mut self) -> Vec<Utf8Bytes> {
        let mut frames = Vec::new();
        self.queue.recv_many(&mut frames, AT_ONCE).await;
        let taken = frames.iter().map(|frame| frame.len()).sum();
        self.outbox.waiting.fetch_sub(taken, Ordering::Relaxed);
        frames
    }
}

#[cfg(test)]
impl Inbox {
    /// What waits, as texts.
    pub fn taken(&mut self) -> Vec<String> {
        let frames: Vec<Utf8Bytes> = std::iter::from_fn(|| self.queue.try_recv().ok()).collect();
        self.outbox.waiting.fetch_sub(frames.iter().map(|frame| frame.len()).sum(), Ordering::Relaxed);
        frames.into_iter().map(|frame| frame.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut(outbox: &Outbox) -> bool {
        outbox.end.get().is_some()
    }

    #[tokio::test]
    async fn a_queue_is_bounded_in_frames_and_in_bytes() {
        let (outbox, mut inbox) = queue(1);
        for _ in 0..3 {
            (0..FRAMES).for_each(|_| outbox.send(Utf8Bytes::from_static("frame")));
            assert!(!is_cut(&outbox), "there is room again");
            let mut taken = 0;
            while taken < FRAMES {
                taken += inbox.next().await.len();
            }
        }
        (0..=FRAMES).for_each(|_| outbox.send(Utf8Bytes::from_static("frame")));
        assert_eq!(outbox.cut_off().await, Close::SLOW);
        outbox.cut(Close::AWAY);
        assert_eq!(outbox.cut_off().await, Close::SLOW, "the first reason counts");

        let (outbox, mut inbox) = queue(2);
        outbox.send("x".repeat(BYTES + 1).into());
        assert!(!is_cut(&outbox), "one frame may be longer");
        inbox.next().await;
        outbox.send("x".repeat(BYTES).into());
        assert!(!is_cut(&outbox));
        outbox.send("x".into());
        assert_eq!(outbox.cut_off().await, Close::SLOW);
    }
}
