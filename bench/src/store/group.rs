//! The store as the server uses it: callers are tasks, and messages are posted by the use case itself.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use usher_adapters::{KeyFile, Press, SystemClock, SystemRandom, outside};
use usher_domain::visitor::{Visitor, VisitorToken};
use usher_services::messages::VisitorMessage;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::{Error, Hub, Services};
use usher_store::{Store, q};

use super::measurement::{Done, Options, PLAN, TEXT, Work};
use crate::fill::{check, fill, open};
use crate::window::{Count, Window};

/// Posts messages, then checks that all that were acknowledged are there.
pub fn append(options: &Options) -> Result<Done> {
    let runtime = Runtime::new()?;
    let hub = Arc::new(Hub::default());
    let store = Arc::new(open(&options.folder, &hub)?);
    let work = Arc::new(Work::new(runtime.block_on(fill(&store, PLAN))?));
    let (clock, random) = (Arc::new(SystemClock::default()), Arc::new(SystemRandom));
    let outside = outside(None, Press::default(), KeyFile::open(&options.folder, random.as_ref())?);
    let services = Services::start(Arc::clone(&store), hub, SettingsOfEnvironment::default(), false, clock, random, outside);
    let services = Arc::new(runtime.block_on(services)?);

    let (groups_before, jobs_before) = store.written();
    let window = options.window();
    let post = || runtime.spawn(post(Arc::clone(&services), Arc::clone(&work), window));
    let callers: Vec<_> = (0..options.callers).map(|_| post()).collect();
    let [cpu] = window.watch([std::process::id()])?;
    let counts: Vec<Count> = callers.into_iter().map(|caller| runtime.block_on(caller)?).collect::<Result<_>>()?;
    let (groups, jobs) = store.written();

    let count: Count = counts.into_iter().sum();
    runtime.block_on(check(&store, &work.conversations, work.messages(count)))?;
    let of_group = (jobs - jobs_before) as f64 / (groups - groups_before).max(1) as f64;
    Ok(Done { window, count, cpu, of_group })
}

async fn post(services: Arc<Services>, work: Arc<Work>, window: Window) -> Result<Count> {
    let mut count = Count::default();
    while !window.is_over() {
        let (conversation, id) = work.take();
        let token = VisitorToken::new(&conversation.token).context("it was written as a token")?;
        let message = VisitorMessage { room_id: conversation.room_id.clone(), text: TEXT.to_owned(), id: Some(id) };
        services.post_visitor_message(token, message).await.context("a message was refused")?;
        count.add(&window);
    }
    Ok(count)
}

/// Reads visitors by their tokens.
pub fn read(options: &Options) -> Result<Done> {
    let runtime = Runtime::new()?;
    let store = Arc::new(open(&options.folder, &Arc::new(Hub::default()))?);
    let work = Arc::new(Work::new(runtime.block_on(fill(&store, PLAN))?));
    let window = options.window();
    let callers: Vec<_> =
        (0..options.callers).map(|_| runtime.spawn(look_up(Arc::clone(&store), Arc::clone(&work), window))).collect();
    let [cpu] = window.watch([std::process::id()])?;
    let counts: Vec<Count> = callers.into_iter().map(|caller| runtime.block_on(caller)?).collect::<Result<_>>()?;
    Ok(Done { window, count: counts.into_iter().sum(), cpu, of_group: 1.0 })
}

async fn look_up(store: Arc<Store>, work: Arc<Work>, window: Window) -> Result<Count> {
    let mut count = Count::default();
    while !window.is_over() {
        let (conversation, _) = work.take();
        let token = VisitorToken::new(&conversation.token).context("it was written as a token")?;
        let found: Option<Visitor> = store.read(move |tx| q::visitors::by_token(tx, &token).map_err(Error::from)).await?;
        found.context("a visitor was not found")?;
        count.add(&window);
    }
    Ok(count)
}
