//! One connection: reads a frame, does what it asks for, reads the next; meanwhile it passes on what others tell.
//!
//! A frame is taken only when the one before is done, so a client cannot put more work on the server than one call at a time, and what it
//! sends too early waits in the network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use usher_domain::Topic;
use usher_domain::user::UserStatus;
use usher_domain::visitor::VisitorToken;
use usher_services::logins::{Account, Shown};
use usher_services::methods::{Method, MethodCall, MethodError};

use crate::queue::{Inbox, Outbox};
use crate::session::{Beat, Close, PATIENCE, Session, Step};
use crate::subscription::Wanted;
use crate::{Realtime, codec, frames, sockjs};

/// How many subscriptions a connection may have.
const SUBSCRIPTIONS: usize = 1_000;

/// How frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// As they are.
    Plain,
    /// As SockJS frames them.
    SockJs,
}

/// A connection.
pub struct Connection {
    realtime: Arc<Realtime>,
    socket: WebSocket,
    framing: Framing,
    address: IpAddr,
    session: Session,
    outbox: Arc<Outbox>,
    inbox: Inbox,
    account: Option<Box<Account>>,
    /// The visitor who is there as long as the connection is.
    visitor: Option<VisitorToken>,
    /// The client's names for its subscriptions, and what they are about; nothing for those that nothing comes of.
    subscriptions: HashMap<String, Option<Topic>>,
    /// The client's name for the subscription by which it hears of users, and of whom.
    presence: Option<(String, Vec<Topic>)>,
    has_left: bool,
}

impl Drop for Connection {
    /// However the task ends.
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Connection {
    /// A connection that was made just now: in a place of its own, so that the task that serves it is small.
    pub fn new(realtime: Arc<Realtime>, socket: WebSocket, framing: Framing, address: IpAddr) -> Box<Connection> {
        let (outbox, inbox) = realtime.topics.connect();
        realtime.services.hub.came();
        let session = Session::new(realtime.services.clock.monotonic());
        Box::new(Connection {
            realtime,
            socket,
            framing,
            address,
            session,
            outbox,
            inbox,
            account: None,
            visitor: None,
            subscriptions: HashMap::new(),
            presence: None,
            has_left: false,
        })
    }

    /// Serves it until it ends.
    pub async fn serve(mut self: Box<Connection>) {
        let close = self.run().await;
        self.disconnect();
        if let Some(close) = close {
            self.say_goodbye(close).await;
        }
    }

    /// Goes on until the connection ends. Gives why, unless the client has gone.
    async fn run(&mut self) -> Option<Close> {
        let greeting = match self.framing {
            Framing::Plain => vec![codec::greeting()],
            Framing::SockJs => vec![],
        };
        if self.framing == Framing::SockJs && self.socket.send(Message::text(sockjs::OPEN)).await.is_err() {
            return None;
        }
        if let Err(end) = self.write_all(greeting).await {
            return end;
        }
        loop {
            match self.turn().await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// Waits for the next thing that happens, and deals with it.
    async fn turn(&mut self) -> Result<(), Option<Close>> {
        let wait = match self.session.beat(self.realtime.services.clock.monotonic()) {
            Beat::Wait(wait) => wait,
            Beat::Ask => return self.write_all(vec![codec::ping()]).await,
            Beat::Dead => return Err(Some(Close::SILENT)),
        };
        tokio::select! {
            biased;
            close = self.outbox.cut_off() => Err(Some(close)),
            waiting = self.inbox.next() => self.write(waiting).await,
            received = self.socket.recv() => match received {
                // Apart, because it needs far more memory than waiting does, and most connections wait.
                Some(Ok(message)) => Box::pin(self.take(message)).await,
                Some(Err(error)) => Err(why(error)),
                None => Err(None),
            },
            () = sleep(wait) => Ok(()),
        }
    }

    /// Takes what came from the client.
    async fn take(&mut self, message: Message) -> Result<(), Option<Close>> {
        self.session.heard(self.realtime.services.clock.monotonic());
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Some(Close::UNREADABLE)),
            Message::Close(_) => return Err(None),
            // The library answers pings.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match self.framing {
            Framing::Plain => self.take_text(&text).await,
            Framing::SockJs => {
                for text in sockjs::texts(&text).ok_or(Some(Close::UNREADABLE))? {
                    self.take_text(&text).await?;
                }
                Ok(())
            }
        }
    }

    /// Takes a frame of the client.
    async fn take_text(&mut self, text: &str) -> Result<(), Option<Close>> {
        match self.session.take(text) {
            Step::Nothing => Ok(()),
            Step::Answer(answer) => self.write_all(vec![answer]).await,
            Step::Begin => {
                let session = self.realtime.services.new_id();
                self.write_all(vec![codec::connected(&session)]).await
            }
            Step::Call { id, name, parameters } => self.call(id, name, parameters).await,
            Step::Subscribe { id, name, parameters } => self.subscribe(id, &name, &parameters).await,
            Step::Unsubscribe { id } => self.unsubscribe(&id).await,
            Step::End(last, close) => {
                self.write_all(last.into_iter().collect()).await?;
                Err(Some(close))
            }
        }
    }

    /// Calls a method, and tells what it gave.
    async fn call(&mut self, id: String, name: String, parameters: Vec<Value>) -> Result<(), Option<Close>> {
        let method = Method::from_name(&name);
        let visitor = parameters.first().and_then(|given| given.get("token")).and_then(Value::as_str).map(str::to_owned);
        let account = match self.account.take() {
            Some(account) => {
                let account = self.attend(still_logged_in(Arc::clone(&self.realtime), *account)).await?;
                Some(account.ok_or(Some(Close::LOGGED_OUT))?)
            }
            None => None,
        };
        self.account = account.clone().map(Box::new);
        let call = MethodCall {
            account,
            address: self.address,
            shown: Shown::default(),
            name,
            parameters,
            connection: Some(self.outbox.number),
        };
        let realtime = Arc::clone(&self.realtime);
        let outcome = self.attend(async move { realtime.services.call_method(call).await }).await?;
        let mut answers = Vec::new();
        if outcome.is_ok() {
            match method {
                Some(Method::LogIn) => answers.extend(self.logged_in(outcome.as_ref().ok().and_then(Option::as_ref)).await?),
                Some(Method::BeOnline) => self.is_there(UserStatus::Online),
                Some(Method::BeAway) => self.is_there(UserStatus::Away),
                Some(Method::SetUpConnection) => self.belongs_to(visitor),
                _ => {}
            }
        }
        answers.push(match &outcome {
            Ok(value) => codec::result(&id, value.as_ref()),
            Err(error) => {
                log(method, error);
                codec::failure(&id, &error.document())
            }
        });
        answers.push(codec::updated(&id));
        self.write_all(answers).await?;
        if method == Some(Method::LogOut) && outcome.is_ok() { Err(Some(Close::PROTOCOL)) } else { Ok(()) }
    }

    /// Somebody logged in: from now on the connection is theirs. Gives the frame that tells the client who it is.
    async fn logged_in(&mut self, login: Option<&Value>) -> Result<Option<String>, Option<Close>> {
        let text = |key: &str| login.and_then(|login| login.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (realtime, user_id, token) = (Arc::clone(&self.realtime), text("id"), text("token"));
        let account = self.attend(async move { realtime.services.authenticate(user_id, &token).await }).await?;
        let Ok(Some(account)) = account else { return Err(Some(Close::LOGGED_OUT)) };
        let frame = frames::own_user(&account);
        let former = self.realtime.logins.remove(&self.outbox);
        self.realtime.logins.add(&self.outbox, &account);
        former.iter().chain([&account.user.id]).for_each(|user_id| self.realtime.changed.note(user_id));
        self.account = Some(Box::new(account));
        Ok(Some(frame))
    }

    /// The connection is this visitor's from now on, unless it is somebody's already.
    fn belongs_to(&mut self, token: Option<String>) {
        if self.visitor.is_none()
            && let Some(token) = token.and_then(VisitorToken::new)
        {
            self.realtime.visitors.came(&token);
            self.visitor = Some(token);
            if self.subscriptions.values().flatten().any(|topic| topic.room_id().is_some()) {
                self.note_chat();
            }
        }
    }

    /// The visitor of the connection hears of a chat.
    fn note_chat(&self) {
        if let Some(token) = self.visitor.as_ref().filter(|token| self.realtime.visitors.enters_chat(token)) {
            self.realtime.changed.note_visitor(token);
        }
    }

    /// The client says whether its user is at the desk.
    fn is_there(&self, status: UserStatus) {
        if let Some(user_id) = self.realtime.logins.set_status(&self.outbox, status) {
            self.realtime.changed.note(&user_id);
        }
    }

    /// Subscribes to what the client wants to hear, if it may.
    async fn subscribe(&mut self, id: String, name: &str, parameters: &[Value]) -> Result<(), Option<Close>> {
        if self.subscriptions.len() >= SUBSCRIPTIONS && !self.subscriptions.contains_key(&id) {
            return self.refuse(&id, &frames::refusal("too-many-requests")).await;
        }
        if let Err(error) = self.realtime.services.count_subscription(self.outbox.number, self.address) {
            return self.refuse(&id, &error.document()).await;
        }
        let (topic, is_collection, shown) = match Wanted::read(name, parameters) {
            Wanted::Empty => {
                self.subscriptions.insert(id.clone(), None);
                return self.write_all(vec![codec::ready(&id)]).await;
            }
            Wanted::Topic { topic, is_collection, shown } => (topic, is_collection, shown),
            Wanted::Presence { added, removed } => return self.follow_users(id, added, &removed).await,
            Wanted::Nameless => return self.refuse(&id, &frames::refusal("invalid-event-name")).await,
            Wanted::Unknown => return self.refuse(&id, &frames::unknown_subscription(name)).await,
        };
        let (realtime, account, wanted) = (Arc::clone(&self.realtime), self.account.clone(), topic.clone());
        let heard = self.attend(async move { realtime.services.may_hear(account.as_deref(), &wanted, &shown).await }).await?;
        let heard = match heard {
            Ok(Some(heard)) => heard,
            Ok(None) => return self.refuse(&id, &frames::refusal("not-allowed")).await,
            Err(error) => {
                tracing::error!(%error, "a subscription failed");
                return self.refuse(&id, &MethodError::Failed(error).document()).await;
            }
        };
        if let Some((room_id, seq)) = &heard.room {
            self.realtime.follower.follow(room_id, *seq);
            self.note_chat();
        }
        self.forget(&id);
        let user_id = self.account.as_ref().map(|account| account.user.id.as_str());
        self.realtime.topics.subscribe(&topic, &self.outbox, user_id);
        let mut answers = Vec::new();
        if is_collection {
            answers.push(frames::collection(&topic));
        }
        self.subscriptions.insert(id.clone(), Some(topic));
        answers.push(codec::ready(&id));
        self.write_all(answers).await
    }

    /// Changes of whom the client hears whether they are there. The first subscription stays; later ones only change the list.
    async fn follow_users(&mut self, id: String, added: Vec<String>, removed: &[String]) -> Result<(), Option<Close>> {
        let Some(user_id) = self.account.as_ref().map(|account| account.user.id.clone()) else {
            return self.refuse(&id, &frames::refusal("not-allowed")).await;
        };
        let is_first = self.presence.is_none();
        let (_, followed) = self.presence.get_or_insert_with(|| (id.clone(), Vec::new()));
        followed.retain(|topic| {
            let stays = !removed.contains(&topic.event);
            if !stays {
                self.realtime.topics.unsubscribe(topic, &self.outbox);
            }
            stays
        });
        for user in added {
            let topic = Topic::new(usher_domain::Stream::UserPresence, user);
            if followed.len() < SUBSCRIPTIONS && !followed.contains(&topic) {
                self.realtime.topics.subscribe(&topic, &self.outbox, Some(&user_id));
                followed.push(topic);
            }
        }
        let answer = if is_first { codec::ready(&id) } else { codec::no_subscription(&id, None) };
        self.write_all(vec![answer]).await
    }

    async fn unsubscribe(&mut self, id: &str) -> Result<(), Option<Close>> {
        if let Some((_, followed)) = self.presence.take_if(|(known, _)| known == id) {
            followed.iter().for_each(|topic| self.realtime.topics.unsubscribe(topic, &self.outbox));
        } else if !self.forget(id) {
            return Ok(());
        }
        self.write_all(vec![codec::no_subscription(id, None)]).await
    }

    /// Takes back a subscription. Gives whether there was one.
    fn forget(&mut self, id: &str) -> bool {
        let known = self.subscriptions.remove(id);
        if let Some(Some(topic)) = &known {
            self.realtime.topics.unsubscribe(topic, &self.outbox);
        }
        known.is_some()
    }

    async fn refuse(&mut self, id: &str, error: &Value) -> Result<(), Option<Close>> {
        self.write_all(vec![codec::no_subscription(id, Some(error))]).await
    }

    /// Waits for something, and passes on meanwhile what others tell.
    async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Option<Close>> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                close = self.outbox.cut_off() => return Err(Some(close)),
                done = &mut work => return Ok(done),
                waiting = self.inbox.next() => self.write(waiting).await?,
            }
        }
    }

    async fn write_all(&mut self, frames: Vec<String>) -> Result<(), Option<Close>> {
        self.write(frames.into_iter().map(Utf8Bytes::from).collect()).await
    }

    /// Writes frames in one go. A client that takes nothing for too long is given up.
    async fn write(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), Option<Close>> {
        let (socket, framing) = (&mut self.socket, self.framing);
        let writing = async {
            for frame in frames {
                let frame = match framing {
                    Framing::Plain => frame,
                    Framing::SockJs => sockjs::message(&frame).into(),
                };
                socket.feed(Message::Text(frame)).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            biased;
            close = self.outbox.cut_off() => Err(Some(close)),
            written = timeout(PATIENCE, writing) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(None),
                Err(_) => Err(Some(Close::SILENT)),
            },
        }
    }

    /// Takes the connection out of everything that knows of it.
    fn disconnect(&mut self) {
        if self.has_left {
            return;
        }
        self.has_left = true;
        let followed = self.presence.iter().flat_map(|(_, followed)| followed);
        self.realtime.topics.disconnect(&self.outbox, self.subscriptions.values().flatten().chain(followed));
        self.realtime.services.hub.left();
        let user_id = self.realtime.logins.remove(&self.outbox);
        let visitor = self.visitor.take().filter(|token| self.realtime.visitors.left(token));
        // Whoever is connected when the server stops may come back: that is no leaving.
        if !self.realtime.is_stopping() {
            user_id.iter().for_each(|user_id| self.realtime.changed.note(user_id));
            visitor.iter().for_each(|token| self.realtime.changed.note_visitor(token));
        }
    }

    /// Tells the client why the connection ends, if it still listens.
    async fn say_goodbye(&mut self, close: Close) {
        let goodbye = async {
            if self.framing == Framing::SockJs {
                self.socket.feed(Message::text(sockjs::close(3_000, "Go away!"))).await?;
            }
            let frame = CloseFrame { code: close.code, reason: Utf8Bytes::from_static(close.reason) };
            self.socket.send(Message::Close(Some(frame))).await?;
            // The connection is closed by whoever is told last.
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        // Whoever does not answer has been told.
        let _ = timeout(std::time::Duration::from_secs(2), goodbye).await;
    }
}

/// The user of a connection as it is by now, unless its login has ended.
async fn still_logged_in(realtime: Arc<Realtime>, account: Account) -> Option<Account> {
    realtime.services.account_again(&account).await.unwrap_or(Some(account))
}

/// Notes a failure of our own. The client learns nothing of it.
fn log(method: Option<Method>, error: &MethodError) {
    if let Some(cause) = error.cause() {
        tracing::error!(method = method.map(Method::name), cause, "a method failed");
    }
}

/// Why nothing more can be read of a connection, if that can still be told.
fn why(error: axum::Error) -> Option<Close> {
    match error.into_inner().downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(Close::TOO_LARGE),
        tungstenite::Error::Utf8(_) => Some(Close::UNREADABLE),
        tungstenite::Error::Protocol(_) => Some(Close::PROTOCOL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<F: Future>(_: impl FnOnce(Box<Connection>) -> F) -> usize {
        size_of::<F>()
    }

    /// Most connections wait, and there may be many thousands of them.
    #[test]
    fn a_connection_that_waits_is_small() {
        assert!(size_of::<Connection>() <= 640 && size_of_future(Connection::serve) <= 768);
    }
}
