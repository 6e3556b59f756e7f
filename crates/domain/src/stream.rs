//! Streams: what clients hear of over the realtime connection, and the parts of each that they choose from.

/// A stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The messages of rooms.
    RoomMessages,
    /// What happens in rooms beside the messages.
    NotifyRoom,
    /// What visitors have to know of their chats.
    LivechatRoom,
    /// The queue.
    InquiryQueue,
    /// What concerns one user.
    NotifyUser,
    /// What concerns everybody who is logged in.
    NotifyLogged,
    /// What concerns everybody.
    NotifyAll,
    /// Canned responses.
    CannedResponses,
    /// The records of rooms.
    RoomData,
    /// Whether some users are there.
    UserPresence,
    /// Roles.
    Roles,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Stream; 11] = [
        Stream::RoomMessages,
        Stream::NotifyRoom,
        Stream::LivechatRoom,
        Stream::InquiryQueue,
        Stream::NotifyUser,
        Stream::NotifyLogged,
        Stream::NotifyAll,
        Stream::CannedResponses,
        Stream::RoomData,
        Stream::UserPresence,
        Stream::Roles,
    ];

    /// The name on the wire: of the subscription, of the collection, and of the method that writes into it.
    pub fn name(self) -> &'static str {
        match self {
            Stream::RoomMessages => "stream-room-messages",
            Stream::NotifyRoom => "stream-notify-room",
            Stream::LivechatRoom => "stream-livechat-room",
            Stream::InquiryQueue => "stream-livechat-inquiry-queue-observer",
            Stream::NotifyUser => "stream-notify-user",
            Stream::NotifyLogged => "stream-notify-logged",
            Stream::NotifyAll => "stream-notify-all",
            Stream::CannedResponses => "stream-canned-responses",
            Stream::RoomData => "stream-room-data",
            Stream::UserPresence => "stream-user-presence",
            Stream::Roles => "stream-roles",
        }
    }

    /// The stream called `name`.
    pub fn from_name(name: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name)
    }
}

/// The part of [`Stream::RoomMessages`] that has the messages of all rooms that the listener may read.
pub const MY_MESSAGES: &str = "__my_messages__";

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The stream.
    pub stream: Stream,
    /// Which part: on the wire, the event's name.
    pub event: String,
}

impl Topic {
    /// The part of a stream that is called `event`.
    pub fn new(stream: Stream, event: impl Into<String>) -> Topic {
        Topic { stream, event: event.into() }
    }

    /// The part of a stream that is about `kind` of what has the id `id`.
    pub fn of(stream: Stream, id: &str, kind: &str) -> Topic {
        Topic { stream, event: format!("{id}/{kind}") }
    }

    /// What the event names: an id, and what of it.
    pub fn parts(&self) -> (&str, &str) {
        self.event.split_once('/').unwrap_or((&self.event, ""))
    }

    /// The room that the topic is about, if it is about one.
    pub fn room_id(&self) -> Option<&str> {
        match self.stream {
            Stream::RoomMessages if self.event == MY_MESSAGES => None,
            Stream::RoomMessages | Stream::LivechatRoom | Stream::RoomData | Stream::NotifyRoom => Some(self.parts().0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_found_by_name() {
        for stream in Stream::ALL {
            assert_eq!(Stream::from_name(stream.name()), Some(stream));
        }
        assert_eq!(Stream::from_name("stream-apps"), None);
    }

    #[test]
    fn topics_name_what_they_are_about() {
        let typing = Topic::of(Stream::NotifyRoom, "room", "typing");
        assert_eq!((typing.event.as_str(), typing.parts(), typing.room_id()), ("room/typing", ("room", "typing"), Some("room")));
        assert_eq!(Topic::new(Stream::RoomMessages, "room").room_id(), Some("room"));
        assert_eq!(Topic::new(Stream::RoomMessages, MY_MESSAGES).room_id(), None);
        assert_eq!(Topic::new(Stream::NotifyAll, "license").parts(), ("license", ""));
        assert_eq!(Topic::of(Stream::NotifyUser, "user", "message").room_id(), None);
    }
}
