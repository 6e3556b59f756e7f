//! One measurement of `bench store`, in a process of its own: fills a folder, lets the callers work, checks what they left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{group, single};
use crate::figures::{added_to_flushes, flush_time, microseconds_each};
use crate::fill::{Conversation, Plan};
use crate::window::{Count, Window};

/// How many rooms there are. Messages go to one after the other.
pub const ROOMS: usize = 10_000;

/// What is in the folder before the measurement: every room with the message that began it.
pub(super) const PLAN: Plan = Plan { rooms: ROOMS, messages_of_room: 1 };

/// The text of every message.
pub(super) const TEXT: &str = "Is the blue one still to be had in a larger size? I would need it by Friday.";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// Appends through the store, which commits in groups.
    Group,
    /// Appends with one commit per call.
    Single,
    /// Reads by key through the store.
    Read,
}

impl Way {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Way::Group => "group",
            Way::Single => "single",
            Way::Read => "read",
        }
    }
}

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// The way.
    #[arg(long)]
    way: Way,
    /// How many callers there are.
    #[arg(long)]
    pub(super) callers: u32,
    /// How long it takes.
    #[arg(long)]
    seconds: u64,
    /// An empty folder.
    #[arg(long)]
    pub(super) folder: PathBuf,
}

impl Options {
    /// The window of this measurement, which opens in a moment.
    pub(super) fn window(&self) -> Window {
        Window::of(Duration::from_secs(self.seconds))
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Measured {
    /// Transactions in a second.
    pub per_second: f64,
    /// CPU time of this process for each.
    pub cpu_microseconds: f64,
    /// How many of them shared a commit, on average.
    pub of_group: f64,
    /// What a flush takes here.
    pub flush_microseconds: f64,
    /// What a preloaded library adds to each flush.
    pub added_microseconds: f64,
}

/// What the callers did.
pub(super) struct Done {
    pub(super) window: Window,
    pub(super) count: Count,
    pub(super) cpu: Duration,
    pub(super) of_group: f64,
}

/// What all callers share: whose turn it is.
pub(super) struct Work {
    /// The rooms and their visitors.
    pub(super) conversations: Vec<Conversation>,
    next: AtomicU64,
}

impl Work {
    pub(super) fn new(conversations: Vec<Conversation>) -> Work {
        Work { conversations, next: AtomicU64::new(0) }
    }

    /// The next room, and the id of the message for it. The ids rise, as the server's own do.
    pub(super) fn take(&self) -> (&Conversation, String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (&self.conversations[number as usize % self.conversations.len()], format!("{number:017}"))
    }

    /// How many messages there are once `count` were posted.
    pub(super) fn messages(&self, count: Count) -> u64 {
        (PLAN.rooms * PLAN.messages_of_room) as u64 + count.whole
    }
}

/// Measures, and prints the figures as JSON.
pub fn run(options: &Options) -> Result<()> {
    let flush = flush_time(&options.folder)?;
    let done = match options.way {
        Way::Group => group::append(options),
        Way::Read => group::read(options),
        Way::Single => single::append(options),
    }?;
    let measured = Measured {
        per_second: done.window.rate(done.count.measured),
        cpu_microseconds: microseconds_each(done.cpu, done.count.measured),
        of_group: done.of_group,
        flush_microseconds: flush.as_secs_f64() * 1e6,
        added_microseconds: added_to_flushes()?.as_secs_f64() * 1e6,
    };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}
