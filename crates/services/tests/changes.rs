//! The change log keeps its promise: whoever holds the rooms as of some moment and follows the changes since, reading again only
//! what they name, holds the same as whoever reads everything afresh.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use usher_domain::message::Message;
use usher_domain::room::{Room, Source, SourceKind};
use usher_domain::settings;
use usher_domain::subscription::Subscription;
use usher_domain::user::Availability;
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind, Event};
use usher_services::logins::Account;
use usher_services::messages::{self, UserMessage, VisitorMessage};
use usher_services::page_visits::SeenPage;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::rooms::{ClosingByUser, RoomRequest, TakeOptions};
use usher_services::visitors::Registration;
use usher_services::{Error, Hub, Services};
use usher_store::q::users::{Session, User};
use usher_store::{Publish, StoreError, q};
use usher_testkit::engines::Engine;
use usher_testkit::outside::nothing_outside;
use usher_testkit::{ManualClock, SeededRandom};

/// What can happen to one of a few visitors.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Register {
        visitor: usize,
        name: usize,
    },
    Open {
        visitor: usize,
    },
    Post {
        visitor: usize,
    },
    /// The visitor changes or takes back what it wrote last.
    Edit {
        visitor: usize,
    },
    Delete {
        visitor: usize,
    },
    Status {
        visitor: usize,
        status: usize,
    },
    SeePage {
        visitor: usize,
    },
    /// One of two agents takes the chat, answers, reads it, closes it, or returns it to the queue.
    Take {
        visitor: usize,
        agent: usize,
    },
    Answer {
        visitor: usize,
        agent: usize,
    },
    Read {
        visitor: usize,
        agent: usize,
    },
    Close {
        visitor: usize,
        agent: usize,
    },
    Return {
        visitor: usize,
    },
    /// The visitor ends the chat.
    Leave {
        visitor: usize,
    },
    Erase {
        visitor: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let visitor = 0..3_usize;
    let agent = 0..2_usize;
    let chat = (visitor.clone(), agent);
    let step = prop_oneof![
        2 => (visitor.clone(), 0..4_usize).prop_map(|(visitor, name)| Step::Register { visitor, name }),
        2 => visitor.clone().prop_map(|visitor| Step::Open { visitor }),
        5 => visitor.clone().prop_map(|visitor| Step::Post { visitor }),
        1 => visitor.clone().prop_map(|visitor| Step::Edit { visitor }),
        1 => visitor.clone().prop_map(|visitor| Step::Delete { visitor }),
        1 => (visitor.clone(), 0..3_usize).prop_map(|(visitor, status)| Step::Status { visitor, status }),
        1 => visitor.clone().prop_map(|visitor| Step::SeePage { visitor }),
        4 => chat.clone().prop_map(|(visitor, agent)| Step::Take { visitor, agent }),
        4 => chat.clone().prop_map(|(visitor, agent)| Step::Answer { visitor, agent }),
        2 => chat.clone().prop_map(|(visitor, agent)| Step::Read { visitor, agent }),
        1 => chat.prop_map(|(visitor, agent)| Step::Close { visitor, agent }),
        1 => visitor.clone().prop_map(|visitor| Step::Return { visitor }),
        1 => visitor.clone().prop_map(|visitor| Step::Leave { visitor }),
        1 => visitor.prop_map(|visitor| Step::Erase { visitor }),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Makes a user who may do everything with chats, and takes part in them.
async fn agent(services: &Services, name: &str) -> Account {
    let roles = ["livechat-agent", "livechat-manager"].map(str::to_owned).to_vec();
    let user = User { username: name.to_owned(), roles, ..User::new(services.new_id(), 1) };
    let made = user.clone();
    let written: Result<(), Error> = services
        .store
        .write(move |tx| {
            q::users::insert(tx, &made)?;
            Ok(q::agents::set_availability(tx, &made.id, Some(Availability::Available), false, 1)?)
        })
        .await;
    written.expect("a user can be made");
    let session = Session { is_personal: false, bypasses_second_factor: false, confirmed_at: None, begun_at: 1 };
    Account { user, session, token_hash: String::new() }
}

/// Keeps what was published until it is asked for.
#[derive(Default)]
struct Recorder(Mutex<Vec<Change>>);

impl Publish for Recorder {
    fn publish(&self, events: &[Event]) {
        let changes = events.iter().filter_map(|event| match event {
            Event::Room(change) => Some(change.clone()),
            Event::User(_) | Event::Role(_) | Event::Place(_) => None,
        });
        self.0.lock().expect("nobody panicked").extend(changes);
    }

    fn lost_track(&self) {
        panic!("no commit of this test is uncertain");
    }
}

/// A server's use cases, with what they published.
struct World {
    services: Arc<Services>,
    recorder: Arc<Recorder>,
    clock: Arc<ManualClock>,
    runtime: tokio::runtime::Runtime,
    /// Two users who may do everything with chats.
    agents: Vec<Account>,
    /// How many cases there were: each has visitors of its own.
    cases: usize,
}

impl World {
    fn on(engine: &Engine) -> World {
        let (clock, recorder) = (Arc::new(ManualClock::default()), Arc::new(Recorder::default()));
        let store = Arc::new(engine.open(clock.clone(), recorder.clone()));
        let forced = ["Livechat_accept_chats_with_no_agents", "Livechat_Allow_collect_and_store_HTTP_header_informations"];
        let forced = forced.map(|id| (id.to_owned(), "true".to_owned())).into_iter();
        let by_hand = ("Livechat_Routing_Method".to_owned(), "Manual_Selection".to_owned());
        let forced = settings::forced(forced.chain([by_hand])).expect("the settings exist");
        let environment = SettingsOfEnvironment { forced, ..SettingsOfEnvironment::default() };
        let random = Arc::new(SeededRandom::new(7));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let services =
            Services::start(store, Arc::new(Hub::default()), environment, false, clock.clone(), random, nothing_outside());
        let services = Arc::new(runtime.block_on(services).expect("services start"));
        let agents = ["first", "second"].map(|name| runtime.block_on(agent(&services, name))).to_vec();
        World { services, recorder, clock, runtime, agents, cases: 0 }
    }

    /// Takes a step; one that a rule refuses changes nothing.
    fn take(&self, step: Step) {
        let token = |visitor: usize| VisitorToken::new(format!("{}-{visitor}", self.cases)).expect("it is a token");
        let services = &self.services;
        let taken: Result<(), Error> = self.runtime.block_on(async {
            match step {
                Step::Register { visitor, name } => {
                    let registration = Registration { name: Some(format!("Name {name}")), ..Registration::default() };
                    services.register_visitor(token(visitor), registration).await.map(|_| ())
                }
                Step::Open { visitor } => self.open(token(visitor)).await.map(|_| ()),
                Step::Post { visitor } => {
                    let room_id = self.open(token(visitor)).await?;
                    let message = VisitorMessage { room_id, text: format!("{step:?}"), id: None };
                    services.post_visitor_message(token(visitor), message).await.map(|_| ())
                }
                Step::Edit { visitor } => {
                    let text = format!("{step:?}");
                    let Some(change) = self.last_of(token(visitor)).await? else { return Ok(()) };
                    services.edit_visitor_message(token(visitor), change, text).await.map(|_| ())
                }
                Step::Delete { visitor } => {
                    let Some(change) = self.last_of(token(visitor)).await? else { return Ok(()) };
                    services.delete_visitor_message(token(visitor), change).await.map(|_| ())
                }
                Step::Status { visitor, status } => services.set_visitor_status(token(visitor), format!("status {status}")).await,
                Step::SeePage { visitor } => self.see_page(token(visitor)).await,
                Step::Take { visitor, agent } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    let Some(inquiry) = room.inquiry else { return Ok(()) };
                    services.take_inquiry(&self.agents[agent], inquiry.id, TakeOptions::default()).await.map(|_| ())
                }
                Step::Answer { visitor, agent } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    let message = UserMessage { room_id: room.id, text: format!("{step:?}"), ..UserMessage::default() };
                    services.post_user_message(&self.agents[agent], message).await.map(|_| ())
                }
                Step::Read { visitor, agent } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    services.mark_read(&self.agents[agent], room.id).await
                }
                Step::Close { visitor, agent } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    let closing = ClosingByUser { room_id: room.id, comment: "done".to_owned(), ..ClosingByUser::default() };
                    services.close_by_user(&self.agents[agent], closing).await
                }
                Step::Return { visitor } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    services.return_to_queue(room.id, None).await.map(|_| ())
                }
                Step::Leave { visitor } => {
                    let Some(room) = self.room(token(visitor)).await? else { return Ok(()) };
                    services.close_by_visitor(token(visitor), room.id).await.map(|_| ())
                }
                Step::Erase { visitor } => services.erase_visitor(token(visitor)).await.map(|_| ()),
            }
        });
        assert!(matches!(taken, Ok(()) | Err(Error::Refused(_))), "{taken:?}");
        self.clock.advance(std::time::Duration::from_millis(3));
    }

    async fn open(&self, token: VisitorToken) -> Result<String, Error> {
        let source = Source { kind: SourceKind::Api, destination: None };
        let request = RoomRequest { room_id: None, agent_id: None, service_level: None, priority: None, source };
        self.services.room_of_visitor(token, request).await.map(|open| open.room.id)
    }

    /// The visitor's open room, if there is one.
    async fn room(&self, token: VisitorToken) -> Result<Option<Room>, Error> {
        self.services
            .store
            .read(move |tx| match q::visitors::by_token(tx, &token)? {
                Some(visitor) => Ok(q::rooms::first_open(tx, &visitor.id)?),
                None => Ok(None),
            })
            .await
    }

    /// The latest message that the visitor wrote in its open room.
    async fn last_of(&self, token: VisitorToken) -> Result<Option<messages::Change>, Error> {
        let Some(room) = self.room(token).await? else { return Ok(None) };
        let room_id = room.id.clone();
        let messages = self.services.store.read(move |tx| q::messages::history(tx, &room_id, i64::MAX, 100, 0)).await?;
        let own = messages.into_iter().find(|message| message.author.is_visitor && message.kind.is_none());
        Ok(own.map(|message| messages::Change { room_id: room.id, message_id: message.id }))
    }

    async fn see_page(&self, token: VisitorToken) -> Result<(), Error> {
        let room = self.room(token.clone()).await?;
        let page = SeenPage {
            token: token.as_str().to_owned(),
            room_id: room.map(|room| room.id),
            change: "url".to_owned(),
            title: "A page".to_owned(),
            href: "https://example.com".to_owned(),
        };
        self.services.note_page(page).await.map(|_| ())
    }

    fn published(&self) -> Vec<Change> {
        std::mem::take(&mut *self.recorder.0.lock().expect("nobody panicked"))
    }

    fn read_room(&self, id: &str) -> Option<Room> {
        let id = id.to_owned();
        self.runtime.block_on(self.services.store.read(move |tx| q::rooms::by_id(tx, &id))).expect("a room can be read")
    }

    fn read_message(&self, id: &str) -> Option<Message> {
        let id = id.to_owned();
        self.runtime.block_on(self.services.store.read(move |tx| q::messages::by_id(tx, &id))).expect("a message can be read")
    }

    fn read_members(&self, room_id: &str) -> Vec<Subscription> {
        let id = room_id.to_owned();
        self.runtime.block_on(self.services.store.read(move |tx| q::subscriptions::of_room(tx, &id))).expect("members can be read")
    }

    /// Reads a room with its members and all of its messages in one transaction.
    fn read_afresh(&self, id: &str) -> Option<View> {
        let id = id.to_owned();
        let read = self.services.store.read(move |tx| {
            let Some(room) = q::rooms::by_id(tx, &id)? else { return Ok::<_, StoreError>(None) };
            let messages = q::messages::history(tx, &id, i64::MAX, 1_000, 0)?;
            let members = q::subscriptions::of_room(tx, &id)?;
            Ok(Some(View { room, members, messages: messages.into_iter().map(|message| (message.id.clone(), message)).collect() }))
        });
        self.runtime.block_on(read).expect("a room can be read")
    }

    fn logged(&self, id: &str) -> Vec<Change> {
        let id = id.to_owned();
        self.runtime
            .block_on(self.services.store.read(move |tx| q::changes::since(tx, &id, 0, 1_000)))
            .expect("the log can be read")
    }
}

/// A room as somebody holds it.
#[derive(Debug, Clone, PartialEq)]
struct View {
    room: Room,
    members: Vec<Subscription>,
    messages: BTreeMap<String, Message>,
}

/// Where somebody stands in a room's changes, and the changes that came before their turn.
struct Place {
    seq: i64,
    early: BTreeMap<i64, Change>,
}

impl Place {
    fn at(seq: i64) -> Place {
        Place { seq, early: BTreeMap::new() }
    }

    /// Takes a change as it arrives. Gives what is now to be applied, in order.
    fn follow(&mut self, change: Change) -> Vec<Change> {
        if change.seq > self.seq {
            self.early.insert(change.seq, change);
        }
        let mut due = Vec::new();
        while let Some(next) = self.early.remove(&(self.seq + 1)) {
            self.seq = next.seq;
            due.push(next);
        }
        due
    }
}

/// Somebody who holds rooms and follows their changes.
#[derive(Default)]
struct Follower {
    views: BTreeMap<String, View>,
    places: BTreeMap<String, Place>,
    /// The kind of change that never arrives, for the control.
    deaf_to: Option<ChangeKind>,
}

impl Follower {
    /// Holds the rooms as they are now.
    fn looking_at(world: &World, rooms: &[String]) -> Follower {
        let mut follower = Follower::default();
        for id in rooms {
            if let Some(view) = world.read_afresh(id) {
                follower.places.insert(id.clone(), Place::at(view.room.seq));
                follower.views.insert(id.clone(), view);
            }
        }
        follower
    }

    fn hear(&mut self, world: &World, change: &Change) {
        if self.deaf_to == Some(change.kind) {
            return;
        }
        let place = self.places.entry(change.room_id.clone()).or_insert_with(|| Place::at(0));
        for due in place.follow(change.clone()) {
            self.apply(world, &due);
        }
    }

    /// Reads again what a change names, and nothing else.
    fn apply(&mut self, world: &World, change: &Change) {
        if change.kind == ChangeKind::RoomErased {
            self.views.remove(&change.room_id);
            return;
        }
        // Without a room it is about to be told that it is gone.
        let Some(room) = world.read_room(&change.room_id) else { return };
        let nothing = || View { room: room.clone(), members: Vec::new(), messages: BTreeMap::new() };
        let view = self.views.entry(change.room_id.clone()).or_insert_with(nothing);
        view.room = room;
        if !matches!(change.kind, ChangeKind::RoomOpened | ChangeKind::MessageChanged) {
            view.members = world.read_members(&change.room_id);
        }
        if matches!(change.kind, ChangeKind::MessagePosted | ChangeKind::MessageChanged) {
            match world.read_message(&change.reference).filter(|message| !message.is_hidden && !message.is_deleted) {
                Some(message) => view.messages.insert(message.id.clone(), message),
                None => view.messages.remove(&change.reference),
            };
        }
    }
}

/// Takes `steps`; after `looks` of them a follower looks, and from then on it hears of changes in the order given by `late`: a change
/// waits for one step more where that is set. Gives what it holds and what is really there at the end.
fn follow(
    world: &mut World,
    steps: &[Step],
    looks: usize,
    late: &[bool],
    deaf_to: Option<ChangeKind>,
) -> (BTreeMap<String, View>, BTreeMap<String, View>, Vec<ChangeKind>) {
    world.cases += 1;
    let (mut rooms, mut kinds, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let mut follower: Option<Follower> = None;
    for (number, step) in steps.iter().enumerate() {
        if number == looks {
            follower = Some(Follower { deaf_to, ..Follower::looking_at(world, &rooms) });
        }
        world.take(*step);
        let mut due = std::mem::take(&mut waiting);
        for change in world.published() {
            if change.kind == ChangeKind::RoomOpened {
                rooms.push(change.room_id.clone());
            }
            let is_late = late.get(change.seq as usize % late.len().max(1)).copied().unwrap_or(false);
            if is_late { waiting.push(change) } else { due.push(change) }
        }
        if let Some(follower) = &mut follower {
            kinds.extend(due.iter().chain(&waiting).map(|change| change.kind));
            due.iter().for_each(|change| follower.hear(world, change));
        } else {
            waiting.clear();
        }
    }
    let mut follower = follower.unwrap_or_else(|| Follower::looking_at(world, &rooms));
    waiting.iter().for_each(|change| follower.hear(world, change));
    let afresh = rooms.iter().filter_map(|id| Some((id.clone(), world.read_afresh(id)?))).collect();
    (follower.views, afresh, kinds)
}

#[test]
fn an_earlier_snapshot_and_its_changes_are_a_fresh_snapshot() {
    for engine in Engine::all() {
        let world = RefCell::new(World::on(&engine));
        let cases = if matches!(engine, Engine::Sqlite(_)) { 96 } else { 32 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let input = (steps(), 0..40_usize, proptest::collection::vec(any::<bool>(), 0..5));
        let held = runner.run(&input, |(steps, looks, late)| {
            let (held, afresh, _) = follow(&mut world.borrow_mut(), &steps, looks.min(steps.len()), &late, None);
            prop_assert_eq!(held, afresh);
            Ok(())
        });
        assert_eq!(held, Ok(()));
    }
}

/// The control: whoever misses the changes of any one kind holds something else than there is.
#[test]
fn no_kind_of_change_may_be_missed() {
    let steps = [
        Step::Register { visitor: 0, name: 0 },
        Step::Register { visitor: 1, name: 0 },
        Step::Open { visitor: 1 },
        Step::Open { visitor: 0 },
        Step::Post { visitor: 0 },
        Step::Register { visitor: 0, name: 1 },
        Step::Take { visitor: 0, agent: 0 },
        Step::Answer { visitor: 0, agent: 0 },
        Step::Edit { visitor: 0 },
        Step::Read { visitor: 0, agent: 0 },
        Step::Erase { visitor: 1 },
    ];
    for engine in Engine::all() {
        let mut world = World::on(&engine);
        let (held, afresh, kinds) = follow(&mut world, &steps, 3, &[], None);
        assert_eq!(held, afresh);
        for kind in ChangeKind::ALL {
            assert!(kinds.contains(&kind), "the steps have no {kind:?}");
            let (held, afresh, _) = follow(&mut world, &steps, 3, &[], Some(kind));
            assert_ne!(held, afresh, "{kind:?} was missed and nobody noticed");
        }
    }
}

/// What is published is what the log holds, so that it makes no difference whether somebody was there or asks later.
#[test]
fn the_log_holds_what_was_published() {
    for engine in Engine::all() {
        let mut world = World::on(&engine);
        world.cases += 1;
        for step in [
            Step::Register { visitor: 0, name: 0 },
            Step::Post { visitor: 0 },
            Step::Register { visitor: 0, name: 1 },
            Step::Post { visitor: 0 },
        ] {
            world.take(step);
        }
        let published = world.published();
        let seqs: Vec<i64> = published.iter().map(|change| change.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6], "one after the other, without a gap");
        assert_eq!(world.logged(&published[0].room_id), published);
        world.take(Step::Erase { visitor: 0 });
        assert_eq!(world.logged(&published[0].room_id), [], "the log of an erased room is erased as well");
    }
}
