//! Tells the connections what is new: takes what the hub hears in the order in which it was committed, reads what it names, and sends to each
//! topic what its clients expect.

mod platform;
mod rooms;
mod users;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use usher_domain::stream::MY_MESSAGES;
use usher_domain::{Event, Stream, Topic};
use usher_services::hub::{Listener, News, Signal};
use usher_services::realtime::Audience;

use crate::session::Close;
use crate::{Realtime, frames};
use rooms::OF_ROOM;

/// How much is told at once.
const BATCH: usize = 256;

/// How many events are read in one transaction: far fewer than its deadline allows.
const EVENTS: usize = 500;

/// How often it is tried to read what is to be told.
const TRIES: usize = 3;

/// How often it is looked whether other processes committed something that nobody told of.
const LOOK: Duration = Duration::from_secs(1);

/// How far a look goes back, in milliseconds: longer than clocks differ and transactions last.
const BACK: i64 = 30_000;

/// Goes on until it is told to stop.
pub async fn run(realtime: Arc<Realtime>, mut listener: Listener, mut stopped: watch::Receiver<bool>) {
    let is_shared = realtime.services.store.is_shared();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        let heard = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            heard = listener.next(BATCH) => heard,
            _ = look.tick(), if is_shared && realtime.connections() > 0 => {
                look_around(&realtime).await;
                continue;
            }
        };
        if heard.is_empty() || !tell(&realtime, heard).await {
            // What was missed cannot be told any more: the clients come again and read it.
            tracing::warn!("the realtime side lost track: all connections begin anew");
            listener = realtime.services.hub.listen();
            realtime.topics.cut_all(Close::AWAY);
        }
    }
}

/// Tells what other processes committed and nobody told of.
async fn look_around(realtime: &Realtime) {
    let rooms = realtime.topics.rooms_of(&OF_ROOM);
    let since = realtime.services.clock.now() - BACK;
    match realtime.services.overlooked(&realtime.follower, rooms, realtime.logins.users(), since).await {
        Ok(events) => {
            // What cannot be read is looked for again soon.
            tell_events(realtime, events).await;
        }
        Err(error) => tracing::warn!(%error, "it is unknown whether anything was overlooked"),
    }
}

/// Tells a batch. Gives whether it could be read.
async fn tell(realtime: &Realtime, heard: Vec<News>) -> bool {
    let mut events = Vec::new();
    let mut others = Vec::new();
    for news in heard {
        match news {
            News::Committed(committed) => events.extend(committed),
            other => others.push(other),
        }
    }
    if realtime.connections() == 0 {
        realtime.follower.skip(&events);
    } else if !tell_events(realtime, events).await {
        return false;
    }
    for news in others {
        match news {
            News::Committed(_) => {}
            News::Signal(Signal { topic, arguments, from }) => {
                realtime.topics.publish(&topic, from, || frames::of(&topic, &arguments.into()));
            }
            News::Platform { before, after } => platform::tell(&realtime.topics, &before, &after),
        }
    }
    true
}

async fn tell_events(realtime: &Realtime, events: Vec<Event>) -> bool {
    for events in events.chunks(EVENTS) {
        if !tell_together(realtime, events).await {
            return false;
        }
    }
    true
}

/// Tells events that are read together. Gives whether they could be read.
async fn tell_together(realtime: &Realtime, events: &[Event]) -> bool {
    let has_users = realtime.logins.has_any();
    let readers = realtime.topics.users_of(&Topic::new(Stream::RoomMessages, MY_MESSAGES));
    let audience = Audience { has_users, readers };
    for _ in 0..TRIES {
        match realtime.services.told(&realtime.follower, events.to_vec(), &audience).await {
            Ok(told) => {
                let (shows_agents, shows_roles) = (realtime.services.shows_agents(), realtime.services.shows_roles());
                told.rooms.iter().for_each(|news| rooms::tell(&realtime.topics, news));
                told.users.iter().for_each(|news| users::tell(&realtime.topics, news, shows_agents));
                told.roles.iter().filter(|_| shows_roles).for_each(|news| users::tell_role(&realtime.topics, news));
                told.places.iter().for_each(|news| users::tell_place(&realtime.topics, news));
                return true;
            }
            Err(error) => tracing::warn!(%error, "what is new could not be read"),
        }
    }
    false
}
