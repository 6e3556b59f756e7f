//! The hub: hands what was committed, in commit order, and what is kept nowhere to whoever tells this process's clients of it.
//!
//! The queue between the two is bounded. A listener that does not keep up is cut: it begins anew, and so do its clients, who read what
//! they missed. When a commit's outcome is unknown it is cut for the same reason: better asked again than wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use usher_domain::{Event, Stream, Topic};
use usher_store::Publish;

use crate::platform::Platform;

/// How much may wait for the listener.
pub const QUEUE: usize = 16_384;

/// What the listener hears.
#[derive(Debug, Clone)]
pub enum News {
    /// Transactions were committed together.
    Committed(Vec<Event>),
    /// Somebody says something that is kept nowhere.
    Signal(Signal),
    /// Administrators decided something.
    Platform {
        /// What was in force.
        before: Arc<Platform>,
        /// What is in force now.
        after: Arc<Platform>,
    },
}

/// Something that is told and kept nowhere, such as that somebody is typing.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Whom it is for.
    pub topic: Topic,
    /// What is said.
    pub arguments: Vec<Value>,
    /// The connection that said it, which is not told itself.
    pub from: Option<u64>,
}

/// The hub.
#[derive(Default)]
pub struct Hub {
    listener: Mutex<Option<mpsc::Sender<News>>>,
    connections: AtomicUsize,
}

/// The listener's end.
pub struct Listener(mpsc::Receiver<News>);

impl Hub {
    /// Begins to listen, in place of whoever listened before.
    pub fn listen(&self) -> Listener {
        let (sender, queue) = mpsc::channel(QUEUE);
        *self.listener() = Some(sender);
        Listener(queue)
    }

    /// A client connected to this process.
    pub fn came(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// One has gone.
    pub fn left(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many clients are connected to this process.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Tells what is kept nowhere.
    pub fn signal(&self, signal: Signal) {
        self.tell(News::Signal(signal));
    }

    /// Tells that something else is in force.
    pub(crate) fn platform_changed(&self, before: Arc<Platform>, after: Arc<Platform>) {
        self.tell(News::Platform { before, after });
    }

    fn tell(&self, news: News) {
        let mut listener = self.listener();
        if listener.as_ref().is_some_and(|queue| queue.try_send(news).is_err()) {
            *listener = None;
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<mpsc::Sender<News>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publish for Hub {
    fn publish(&self, events: &[Event]) {
        self.tell(News::Committed(events.to_vec()));
    }

    fn lost_track(&self) {
        *self.listener() = None;
    }

    fn overheard(&self, text: &str) {
        if let Some(signal) = Signal::read(text) {
            self.signal(signal);
        }
    }
}

impl Signal {
    /// The signal as other processes are told of it.
    pub(crate) fn written(&self) -> String {
        json!([self.topic.stream.name(), self.topic.event, self.arguments]).to_string()
    }

    fn read(text: &str) -> Option<Signal> {
        let (stream, event, arguments): (String, String, Vec<Value>) = serde_json::from_str(text).ok()?;
        Some(Signal { topic: Topic::new(Stream::from_name(&stream)?, event), arguments, from: None })
    }
}

impl Listener {
    /// What has come, at most `limit`; waits for something. Nothing at all once the listener was cut and has heard what waited.
    pub async fn next(&mut self, limit: usize) -> Vec<News> {
        let mut heard = Vec::new();
        self.0.recv_many(&mut heard, limit).await;
        heard
    }

    /// What has come already, if anything has.
    pub fn try_next(&mut self) -> Option<News> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_domain::{Change, ChangeKind};

    fn event(seq: i64) -> Event {
        Event::Room(Change { room_id: "room".to_owned(), seq, kind: ChangeKind::RoomChanged, reference: "room".to_owned() })
    }

    fn events(heard: Vec<News>) -> Vec<Event> {
        let committed = |news| if let News::Committed(events) = news { events } else { Vec::new() };
        heard.into_iter().flat_map(committed).collect()
    }

    #[tokio::test]
    async fn what_another_process_says_is_heard_here() {
        let (hub, topic) = (Hub::default(), Topic::of(Stream::NotifyRoom, "room", "typing"));
        let mut listener = hub.listen();
        let signal = Signal { topic, arguments: vec!["mary".into(), true.into()], from: Some(7) };
        hub.overheard(&signal.written());
        hub.overheard("nonsense");
        let heard = listener.next(2).await;
        assert!(matches!(&heard[..], [News::Signal(heard)] if *heard == Signal { from: None, ..signal.clone() }), "{heard:?}");
    }

    #[tokio::test]
    async fn what_is_published_is_heard_in_order() {
        let hub = Hub::default();
        hub.publish(&[event(1)]);
        let mut listener = hub.listen();
        hub.publish(&[event(2), event(3)]);
        hub.publish(&[event(4)]);
        hub.publish(&[event(5)]);
        assert_eq!(events(listener.next(2).await), [event(2), event(3), event(4)]);
        assert_eq!(events(listener.next(2).await), [event(5)]);
        assert!(listener.try_next().is_none());
    }

    #[tokio::test]
    async fn a_listener_that_does_not_keep_up_is_cut() {
        let hub = Hub::default();
        let mut listener = hub.listen();
        for seq in 1..=(QUEUE as i64 + 10) {
            hub.publish(&[event(seq)]);
        }
        let mut seen = 0;
        loop {
            let heard = listener.next(1_000).await;
            if heard.is_empty() {
                break;
            }
            seen += heard.len();
        }
        assert_eq!(seen, QUEUE, "what waited comes, then the end");
        let mut again = hub.listen();
        hub.publish(&[event(1)]);
        assert_eq!(events(again.next(1).await), [event(1)]);
    }

    #[tokio::test]
    async fn the_listener_is_cut_when_the_track_is_lost() {
        let hub = Hub::default();
        let mut listener = hub.listen();
        hub.lost_track();
        assert!(listener.next(1).await.is_empty());
    }
}
