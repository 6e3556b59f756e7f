//! The change log keeps its promise: whoever holds the rooms as of some moment and follows the changes since, reading again only
//! what they name, holds the same as whoever reads everything afresh.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use usher_domain::change::Cursor;
use usher_domain::message::Message;
use usher_domain::room::{Source, SourceKind};
use usher_domain::settings;
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind};
use usher_services::messages::VisitorMessage;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::rooms::RoomRequest;
use usher_services::visitors::Registration;
use usher_services::{Error, Hub, Services};
use usher_store::q::rooms::Stored;
use usher_store::{Publish, StoreError, q};
use usher_testkit::engines::Engine;
use usher_testkit::{ManualClock, SeededRandom};

/// What can happen to one of a few visitors.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Register { visitor: usize, name: usize },
    Open { visitor: usize },
    Post { visitor: usize },
    Erase { visitor: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let visitor = 0..3_usize;
    let step = prop_oneof![
        2 => (visitor.clone(), 0..4_usize).prop_map(|(visitor, name)| Step::Register { visitor, name }),
        2 => visitor.clone().prop_map(|visitor| Step::Open { visitor }),
        5 => visitor.clone().prop_map(|visitor| Step::Post { visitor }),
        1 => visitor.prop_map(|visitor| Step::Erase { visitor }),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Keeps what was published until it is asked for.
#[derive(Default)]
struct Recorder(Mutex<Vec<Change>>);

impl Publish for Recorder {
    fn publish(&self, changes: &[Change]) {
        self.0.lock().expect("nobody panicked").extend_from_slice(changes);
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
    /// How many cases there were: each has visitors of its own.
    cases: usize,
}

impl World {
    fn on(engine: &Engine) -> World {
        let (clock, recorder) = (Arc::new(ManualClock::default()), Arc::new(Recorder::default()));
        let store = Arc::new(engine.open(clock.clone(), recorder.clone()));
        let forced = ["Livechat_accept_chats_with_no_agents", "Livechat_Allow_collect_and_store_HTTP_header_informations"];
        let forced = settings::forced(forced.map(|id| (id.to_owned(), "true".to_owned()))).expect("the settings exist");
        let environment = SettingsOfEnvironment { forced, ..SettingsOfEnvironment::default() };
        let random = Arc::new(SeededRandom::new(7));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let services = Services::start(store, Arc::new(Hub::default()), environment, false, clock.clone(), random);
        let services = Arc::new(runtime.block_on(services).expect("services start"));
        World { services, recorder, clock, runtime, cases: 0 }
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
                Step::Erase { visitor } => services.erase_visitor(token(visitor)).await.map(|_| ()),
            }
        });
        assert!(matches!(taken, Ok(()) | Err(Error::Refused(_))), "{taken:?}");
        self.clock.advance(std::time::Duration::from_millis(3));
    }

    async fn open(&self, token: VisitorToken) -> Result<String, Error> {
        let source = Source { kind: SourceKind::Api, destination: None };
        let request = RoomRequest { room_id: None, service_level: None, priority: None, source };
        self.services.room_of_visitor(token, request).await.map(|open| open.room.id)
    }

    fn published(&self) -> Vec<Change> {
        std::mem::take(&mut *self.recorder.0.lock().expect("nobody panicked"))
    }

    fn read_room(&self, id: &str) -> Option<Stored> {
        let id = id.to_owned();
        self.runtime.block_on(self.services.store.read(move |tx| q::rooms::by_id(tx, &id))).expect("a room can be read")
    }

    fn read_message(&self, id: &str) -> Option<Message> {
        let id = id.to_owned();
        self.runtime.block_on(self.services.store.read(move |tx| q::messages::by_id(tx, &id))).expect("a message can be read")
    }

    /// Reads a room with all of its messages in one transaction.
    fn read_afresh(&self, id: &str) -> Option<View> {
        let id = id.to_owned();
        let read = self.services.store.read(move |tx| {
            let Some(room) = q::rooms::by_id(tx, &id)? else { return Ok::<_, StoreError>(None) };
            let messages = q::messages::history(tx, &id, i64::MAX, 1_000, 0)?;
            Ok(Some(View { room, messages: messages.into_iter().map(|message| (message.id.clone(), message)).collect() }))
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
    room: Stored,
    messages: BTreeMap<String, Message>,
}

/// Somebody who holds rooms and follows their changes.
#[derive(Default)]
struct Follower {
    views: BTreeMap<String, View>,
    cursors: BTreeMap<String, Cursor>,
    /// The kind of change that never arrives, for the control.
    deaf_to: Option<ChangeKind>,
}

impl Follower {
    /// Holds the rooms as they are now.
    fn looking_at(world: &World, rooms: &[String]) -> Follower {
        let mut follower = Follower::default();
        for id in rooms {
            if let Some(view) = world.read_afresh(id) {
                follower.cursors.insert(id.clone(), Cursor::at(view.room.room.seq));
                follower.views.insert(id.clone(), view);
            }
        }
        follower
    }

    fn hear(&mut self, world: &World, change: &Change) {
        if self.deaf_to == Some(change.kind) {
            return;
        }
        let cursor = self.cursors.entry(change.room_id.clone()).or_insert_with(|| Cursor::at(0));
        for due in cursor.follow(change.clone()).expect("no case has so many changes") {
            self.apply(world, &due);
        }
    }

    /// Reads again what a change names, and nothing else.
    fn apply(&mut self, world: &World, change: &Change) {
        let room = world.read_room(&change.room_id);
        let Some(room) = room.filter(|_| change.kind != ChangeKind::RoomErased) else {
            // Gone, or about to be told so.
            self.views.remove(&change.room_id);
            return;
        };
        let view =
            self.views.entry(change.room_id.clone()).or_insert_with(|| View { room: room.clone(), messages: BTreeMap::new() });
        view.room = room;
        if change.kind == ChangeKind::MessagePosted
            && let Some(message) = world.read_message(&change.reference)
        {
            view.messages.insert(message.id.clone(), message);
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
        assert_eq!(seqs, [1, 2, 3, 4, 5], "one after the other, without a gap");
        assert_eq!(world.logged(&published[0].room_id), published);
        world.take(Step::Erase { visitor: 0 });
        assert_eq!(world.logged(&published[0].room_id), [], "the log of an erased room is erased as well");
    }
}
