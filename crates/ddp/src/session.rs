//! What one connection may do when: beginning, going on, falling silent. Pure; time is handed in.

use std::time::Duration;

use crate::codec::{self, ClientFrame, Unreadable};

/// How long nobody may hear anything of the client before it is asked whether it is there.
pub const SILENCE: Duration = Duration::from_secs(30);

/// How long it may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Why a connection ends: the code of its close frame, and a word beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: u16,
    /// The word.
    pub reason: &'static str,
}

impl Close {
    /// The client did not keep to the protocol.
    pub const PROTOCOL: Close = Close { code: 1_002, reason: "protocol" };
    /// It sent what is no frame.
    pub const UNREADABLE: Close = Close { code: 1_007, reason: "unreadable" };
    /// It took more room than it is given.
    pub const TOO_LARGE: Close = Close { code: 1_009, reason: "too-large" };
    /// It does not take what it is sent; it may come again and read anew.
    pub const SLOW: Close = Close { code: 1_013, reason: "slow" };
    /// The server stops, or lost track of what it has to tell.
    pub const AWAY: Close = Close { code: 1_012, reason: "again" };
    /// Its login has ended.
    pub const LOGGED_OUT: Close = Close { code: 4_001, reason: "logged-out" };
    /// Nothing was heard of it.
    pub const SILENT: Close = Close { code: 4_000, reason: "silent" };
}

/// What a frame of the client leads to.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// This is sent.
    Answer(String),
    /// A new session begins: its id is made and sent.
    Begin,
    /// A method is called.
    Call {
        /// What the answer has to name.
        id: String,
        /// The name of the method.
        name: String,
        /// The parameters.
        parameters: Vec<serde_json::Value>,
    },
    /// A subscription is wanted.
    Subscribe {
        /// The client's name for it.
        id: String,
        /// What to hear of.
        name: String,
        /// What part of it.
        parameters: Vec<serde_json::Value>,
    },
    /// One is not wanted any more.
    Unsubscribe {
        /// The client's name for it.
        id: String,
    },
    /// Nothing.
    Nothing,
    /// The connection ends, after this was sent.
    End(Option<String>, Close),
}

/// What has to be done about silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Nothing before this long has passed.
    Wait(Duration),
    /// The client is asked whether it is there.
    Ask,
    /// It is not.
    Dead,
}

/// A connection.
#[derive(Debug)]
pub struct Session {
    has_begun: bool,
    heard_at: Duration,
    asked_at: Option<Duration>,
}

impl Session {
    /// A connection that was made at the moment `now`, by a clock that only goes on.
    pub fn new(now: Duration) -> Session {
        Session { has_begun: false, heard_at: now, asked_at: None }
    }

    /// Something came from the client, whatever it was.
    pub fn heard(&mut self, now: Duration) {
        self.heard_at = now;
        self.asked_at = None;
    }

    /// What a text of the client leads to.
    pub fn take(&mut self, text: &str) -> Step {
        let frame = match ClientFrame::read(text) {
            Ok(frame) => frame,
            Err(Unreadable::NoFrame) => return Step::End(None, Close::UNREADABLE),
            Err(Unreadable::Unknown(offending)) if self.has_begun => return Step::Answer(codec::error("Bad request", &offending)),
            Err(Unreadable::Nameless | Unreadable::Unknown(_)) => return Step::End(None, Close::PROTOCOL),
        };
        match frame {
            ClientFrame::Connect { .. } if self.has_begun => {
                Step::Answer(codec::error("Already connected", &serde_json::json!({"msg": "connect"})))
            }
            ClientFrame::Connect { is_understood: false } => Step::End(Some(codec::failed()), Close::PROTOCOL),
            ClientFrame::Connect { is_understood: true } => {
                self.has_begun = true;
                Step::Begin
            }
            // Some clients look whether the server is there before they begin.
            ClientFrame::Ping { id } => Step::Answer(codec::pong(id.as_deref())),
            ClientFrame::Pong => Step::Nothing,
            _ if !self.has_begun => Step::End(None, Close::PROTOCOL),
            ClientFrame::Method { id, name, parameters } => Step::Call { id, name, parameters },
            ClientFrame::Subscribe { id, name, parameters } => Step::Subscribe { id, name, parameters },
            ClientFrame::Unsubscribe { id } => Step::Unsubscribe { id },
        }
    }

    /// What has to be done about silence at the moment `now`.
    pub fn beat(&mut self, now: Duration) -> Beat {
        let due = match self.asked_at {
            None => self.heard_at + SILENCE,
            Some(asked_at) => asked_at + PATIENCE,
        };
        if now < due {
            return Beat::Wait(due - now);
        }
        if self.asked_at.is_some() {
            return Beat::Dead;
        }
        self.asked_at = Some(now);
        Beat::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const CONNECT: &str = r#"{"msg":"connect","version":"1","support":["1"]}"#;
    const METHOD: &str = r#"{"msg":"method","id":"1","method":"m"}"#;

    fn begun() -> Session {
        let mut session = Session::new(Duration::ZERO);
        assert_eq!(session.take(CONNECT), Step::Begin);
        session
    }

    #[test]
    fn nothing_goes_before_the_beginning() {
        for text in [METHOD, r#"{"msg":"sub","id":"1","name":"s"}"#, r#"{"msg":"unsub","id":"1"}"#, r#"{"msg":"dance"}"#, "{}"] {
            assert_eq!(Session::new(Duration::ZERO).take(text), Step::End(None, Close::PROTOCOL), "{text}");
        }
        let mut session = Session::new(Duration::ZERO);
        assert_eq!(session.take(r#"{"msg":"ping"}"#), Step::Answer(codec::pong(None)));
        assert_eq!(session.take(r#"{"msg":"connect","support":["0"]}"#), Step::End(Some(codec::failed()), Close::PROTOCOL));
    }

    #[test]
    fn what_comes_after_the_beginning() {
        let mut session = begun();
        let call = Step::Call { id: "1".to_owned(), name: "m".to_owned(), parameters: Vec::new() };
        assert_eq!(session.take(METHOD), call);
        let subscribe = Step::Subscribe { id: "2".to_owned(), name: "s".to_owned(), parameters: vec![json!("e")] };
        assert_eq!(session.take(r#"{"msg":"sub","id":"2","name":"s","params":["e"]}"#), subscribe);
        assert_eq!(session.take(r#"{"msg":"unsub","id":"2"}"#), Step::Unsubscribe { id: "2".to_owned() });
        assert_eq!(session.take(r#"{"msg":"pong"}"#), Step::Nothing);
        assert_eq!(session.take("nonsense"), Step::End(None, Close::UNREADABLE));
        assert_eq!(session.take(r#"{"msg":"method","id":"1"}"#), Step::End(None, Close::PROTOCOL));
        for (text, reason) in [(CONNECT, "Already connected"), (r#"{"msg":"dance"}"#, "Bad request")] {
            let Step::Answer(answer) = session.take(text) else { panic!("{text} is answered") };
            assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["reason"], reason);
        }
    }

    #[test]
    fn a_silent_client_is_asked_and_then_given_up() {
        let second = Duration::from_secs;
        let mut session = Session::new(second(0));
        assert_eq!(session.beat(second(10)), Beat::Wait(second(20)));
        session.heard(second(10));
        assert_eq!(session.beat(second(30)), Beat::Wait(second(10)));
        assert_eq!(session.beat(second(40)), Beat::Ask);
        assert_eq!(session.beat(second(41)), Beat::Wait(second(29)));
        session.heard(second(45));
        assert_eq!(session.beat(second(45)), Beat::Wait(second(30)), "who answers begins anew");
        assert_eq!(session.beat(second(75)), Beat::Ask);
        assert_eq!(session.beat(second(105)), Beat::Dead);
    }

    proptest! {
        /// Whatever comes in whatever order leads to something.
        #[test]
        fn no_sequence_breaks_a_session(texts in proptest::collection::vec(
            prop_oneof![
                Just(CONNECT.to_owned()),
                Just(METHOD.to_owned()),
                "\\PC{0,40}",
                "(connect|ping|pong|method|sub|unsub|x)".prop_map(|msg| json!({"msg": msg}).to_string()),
            ],
            0..20,
        )) {
            let mut session = Session::new(Duration::ZERO);
            for text in texts {
                if matches!(session.take(&text), Step::End(..)) {
                    break;
                }
            }
        }
    }
}
