//! Who hears what: the topics, and the connections that subscribed to each. A frame is made once, if anybody wants it, and shared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use usher_domain::{Stream, Topic};

use crate::queue::{Inbox, Outbox, queue};
use crate::session::Close;

/// Who subscribed to a topic.
#[derive(Debug)]
struct Subscriber {
    outbox: Arc<Outbox>,
    /// Who was logged in when it subscribed.
    user_id: Option<String>,
    /// How many subscriptions of the connection there are. It is sent one copy.
    count: usize,
}

/// The subscribers of what is about one id, by the kind of event.
type Kinds = HashMap<String, Vec<Subscriber>>;

/// All topics and all connections.
#[derive(Debug, Default)]
pub struct Topics {
    subscribers: Mutex<HashMap<(Stream, String), Kinds>>,
    connections: Mutex<HashMap<u64, Arc<Outbox>>>,
    last_number: AtomicU64,
}

impl Topics {
    /// A new connection. Gives the end that others write to, and the one that it takes the frames from.
    pub fn connect(&self) -> (Arc<Outbox>, Inbox) {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let (outbox, inbox) = queue(number);
        self.connections().insert(number, Arc::clone(&outbox));
        (outbox, inbox)
    }

    /// A connection that has ended, which subscribed to these topics.
    pub fn disconnect<'a>(&self, outbox: &Outbox, subscribed: impl IntoIterator<Item = &'a Topic>) {
        for topic in subscribed {
            self.unsubscribe(topic, outbox);
        }
        self.connections().remove(&outbox.number);
    }

    /// Ends every connection.
    pub fn cut_all(&self, close: Close) {
        self.connections().values().for_each(|outbox| outbox.cut(close));
    }

    /// Subscribes a connection, on which a user may be logged in.
    pub fn subscribe(&self, topic: &Topic, outbox: &Arc<Outbox>, user_id: Option<&str>) {
        let mut topics = self.subscribers();
        let (key, kind) = places(topic);
        let subscribers = topics.entry(key).or_default().entry(kind).or_default();
        let user_id = user_id.map(str::to_owned);
        match subscribers.iter_mut().find(|subscriber| subscriber.outbox.number == outbox.number) {
            Some(known) => {
                known.count += 1;
                known.user_id = user_id;
            }
            None => subscribers.push(Subscriber { outbox: Arc::clone(outbox), user_id, count: 1 }),
        }
    }

    /// Takes back one subscription of a connection.
    pub fn unsubscribe(&self, topic: &Topic, outbox: &Outbox) {
        self.retain(topic, |subscriber| {
            if subscriber.outbox.number == outbox.number {
                subscriber.count -= 1;
            }
            subscriber.count > 0
        });
    }

    /// Takes back all subscriptions of a user to a topic.
    pub fn forget_user(&self, topic: &Topic, user_id: &str) {
        self.retain(topic, |subscriber| subscriber.user_id.as_deref() != Some(user_id));
    }

    /// Takes back all subscriptions to what is about one id.
    pub fn forget_all(&self, stream: Stream, id: &str) {
        self.subscribers().remove(&(stream, id.to_owned()));
    }

    /// Sends a frame to all who subscribed to a topic but the connection `except`. It is made if somebody did.
    pub fn publish(&self, topic: &Topic, except: Option<u64>, frame: impl FnOnce() -> Utf8Bytes) {
        let topics = self.subscribers();
        let (key, kind) = places(topic);
        let Some(subscribers) = topics.get(&key).and_then(|kinds| kinds.get(&kind)) else { return };
        let mut listening = subscribers.iter().filter(|subscriber| Some(subscriber.outbox.number) != except).peekable();
        if listening.peek().is_some() {
            let frame = frame();
            listening.for_each(|subscriber| subscriber.outbox.send(frame.clone()));
        }
    }

    /// Sends a frame to those who subscribed to a topic as this user.
    pub fn publish_to_user(&self, topic: &Topic, user_id: &str, frame: &Utf8Bytes) {
        let topics = self.subscribers();
        let (key, kind) = places(topic);
        let subscribers = topics.get(&key).and_then(|kinds| kinds.get(&kind)).into_iter().flatten();
        let own = subscribers.filter(|subscriber| subscriber.user_id.as_deref() == Some(user_id));
        own.for_each(|subscriber| subscriber.outbox.send(frame.clone()));
    }

    /// Sends a frame to all who subscribed to anything of a stream that is about one of these ids.
    pub fn publish_to_all(&self, stream: Stream, mut frame: impl FnMut(&str) -> Utf8Bytes) {
        let topics = self.subscribers();
        for ((_, id), kinds) in topics.iter().filter(|((known, _), _)| *known == stream) {
            for (kind, subscribers) in kinds {
                let event = if kind.is_empty() { id.clone() } else { format!("{id}/{kind}") };
                let frame = frame(&event);
                subscribers.iter().for_each(|subscriber| subscriber.outbox.send(frame.clone()));
            }
        }
    }

    /// The ids of the rooms that anybody hears of by one of these streams.
    pub fn rooms_of(&self, streams: &[Stream]) -> Vec<String> {
        let topics = self.subscribers();
        let mut rooms: Vec<String> =
            topics.keys().filter(|(stream, _)| streams.contains(stream)).map(|(_, id)| id.clone()).collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// The ids of the users who subscribed to a topic, each once.
    pub fn users_of(&self, topic: &Topic) -> Vec<String> {
        let topics = self.subscribers();
        let (key, kind) = places(topic);
        let subscribers = topics.get(&key).and_then(|kinds| kinds.get(&kind)).into_iter().flatten();
        let mut users: Vec<String> = subscribers.filter_map(|subscriber| subscriber.user_id.clone()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    fn retain(&self, topic: &Topic, keep: impl FnMut(&mut Subscriber) -> bool) {
        let mut topics = self.subscribers();
        let (key, kind) = places(topic);
        let Some(kinds) = topics.get_mut(&key) else { return };
        if let Some(subscribers) = kinds.get_mut(&kind) {
            subscribers.retain_mut(keep);
            if subscribers.is_empty() {
                kinds.remove(&kind);
            }
        }
        if kinds.is_empty() {
            topics.remove(&key);
        }
    }

    fn subscribers(&self) -> MutexGuard<'_, HashMap<(Stream, String), Kinds>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<Outbox>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under what a topic is kept.
fn places(topic: &Topic) -> ((Stream, String), String) {
    let (id, kind) = topic.parts();
    ((topic.stream, id.to_owned()), kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::FRAMES;

    fn frame(text: &str) -> Utf8Bytes {
        Utf8Bytes::from(text)
    }

    #[test]
    fn each_connection_gets_one_copy_of_what_it_subscribed_to() {
        let topics = Topics::default();
        let ((first, mut first_inbox), (second, mut second_inbox)) = (topics.connect(), topics.connect());
        let (topic, other) = (Topic::of(Stream::NotifyRoom, "room", "typing"), Topic::of(Stream::NotifyRoom, "room", "webrtc"));
        topics.subscribe(&topic, &first, None);
        topics.subscribe(&topic, &first, None);
        topics.subscribe(&topic, &second, None);
        topics.publish(&topic, None, || frame("1"));
        topics.publish(&topic, Some(first.number), || frame("2"));
        topics.publish(&other, None, || unreachable!("nobody wants it"));
        assert_eq!(first_inbox.taken(), ["1"]);
        assert_eq!(second_inbox.taken(), ["1", "2"]);

        topics.unsubscribe(&topic, &first);
        topics.publish(&topic, None, || frame("3"));
        assert_eq!(first_inbox.taken(), ["3"], "there is another subscription of it");
        topics.disconnect(&first, [&topic]);
        topics.disconnect(&second, [&topic]);
        topics.publish(&topic, None, || unreachable!("nobody wants it"));
        assert!(topics.subscribers().is_empty() && topics.connections().is_empty(), "who leaves leaves nothing");
    }

    #[test]
    fn subscriptions_of_a_user_can_be_taken_back() {
        let topics = Topics::default();
        let ((first, mut first_inbox), (second, mut second_inbox)) = (topics.connect(), topics.connect());
        let topic = Topic::new(Stream::RoomMessages, "room");
        topics.subscribe(&topic, &first, Some("mary"));
        topics.subscribe(&topic, &second, Some("john"));
        assert_eq!(topics.users_of(&topic), ["john", "mary"]);
        topics.publish_to_user(&topic, "mary", &frame("1"));
        topics.forget_user(&topic, "mary");
        topics.publish(&topic, None, || frame("2"));
        topics.forget_all(Stream::RoomMessages, "room");
        topics.publish(&topic, None, || unreachable!("nobody wants it"));
        assert_eq!(first_inbox.taken(), ["1"]);
        assert_eq!(second_inbox.taken(), ["2"]);
    }

    #[tokio::test]
    async fn a_slow_connection_is_cut_and_others_are_not() {
        let topics = Topics::default();
        let ((slow, _slow_inbox), (quick, mut quick_inbox)) = (topics.connect(), topics.connect());
        let topic = Topic::new(Stream::RoomMessages, "room");
        topics.subscribe(&topic, &slow, None);
        topics.subscribe(&topic, &quick, None);
        for number in 0..=FRAMES {
            topics.publish(&topic, None, || frame(&number.to_string()));
            assert_eq!(quick_inbox.taken(), [number.to_string()]);
        }
        assert_eq!(slow.cut_off().await, Close::SLOW);
    }
}
