//! Inquiries: the places of open rooms in the queue.

/// How far an inquiry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InquiryStatus {
    /// To be given to an agent at once; agents do not see it.
    Ready,
    /// Waiting where agents see it.
    Queued,
    /// An agent serves the room.
    Taken,
}

impl InquiryStatus {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            InquiryStatus::Ready => "ready",
            InquiryStatus::Queued => "queued",
            InquiryStatus::Taken => "taken",
        }
    }

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<InquiryStatus> {
        [InquiryStatus::Ready, InquiryStatus::Queued, InquiryStatus::Taken].into_iter().find(|status| status.name() == name)
    }
}

/// An agent that a chat is reserved for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultAgent {
    /// The agent's id.
    pub id: String,
    /// The user name, unless agents are not to be shown.
    pub username: Option<String>,
}

/// The place of an open room in the queue. Name, visitor, department and source are the room's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// Its id: 24 hexadecimal digits.
    pub id: String,
    /// How far it is.
    pub status: InquiryStatus,
    /// The text with which the chat began.
    pub message: String,
    /// The agent that the chat is reserved for.
    pub default_agent: Option<DefaultAgent>,
    /// When it was put into the queue (milliseconds UTC).
    pub queued_at: Option<i64>,
    /// When an agent took it (milliseconds UTC).
    pub taken_at: Option<i64>,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl Inquiry {
    /// Puts it into the queue at `now`.
    pub fn queue(&mut self, now: i64) {
        self.status = InquiryStatus::Queued;
        self.queued_at = Some(now);
        self.taken_at = None;
        self.updated_at = now;
    }

    /// Notes that an agent took it at `now`.
    pub fn take(&mut self, now: i64) {
        self.status = InquiryStatus::Taken;
        self.taken_at = Some(now);
        self.queued_at = None;
        self.default_agent = None;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_found_by_their_names() {
        for status in [InquiryStatus::Ready, InquiryStatus::Queued, InquiryStatus::Taken] {
            assert_eq!(InquiryStatus::from_name(status.name()), Some(status));
        }
        assert_eq!(InquiryStatus::from_name("open"), None);
    }

    #[test]
    fn taking_ends_waiting_and_waiting_ends_taking() {
        let default_agent = Some(DefaultAgent { id: "agent".to_owned(), username: None });
        let mut inquiry = Inquiry {
            id: "inquiry".to_owned(),
            status: InquiryStatus::Ready,
            message: String::new(),
            default_agent,
            queued_at: None,
            taken_at: None,
            updated_at: 1,
        };
        inquiry.queue(2);
        assert_eq!((inquiry.status, inquiry.queued_at, inquiry.taken_at), (InquiryStatus::Queued, Some(2), None));
        inquiry.take(3);
        assert_eq!((inquiry.status, inquiry.queued_at, inquiry.taken_at), (InquiryStatus::Taken, None, Some(3)));
        assert_eq!((&inquiry.default_agent, inquiry.updated_at), (&None, 3));
        inquiry.queue(4);
        assert_eq!((inquiry.queued_at, inquiry.taken_at), (Some(4), None));
    }
}
