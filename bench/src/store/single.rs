//! What the group commit is measured against: one connection behind a lock, one commit per call, over the same file and statements.
//!
//! It is as cheap as such a thing can be: each caller is a thread that does its own work, nothing is handed over, no change is published.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::runtime::Runtime;
use usher_adapters::SystemClock;
use usher_domain::room::next_message_ts;
use usher_domain::{ChangeKind, Clock};
use usher_services::Hub;
use usher_store::{SQLITE_FILE, q};

use super::measurement::{Done, Options, PLAN, TEXT, Work};
use crate::fill::{Conversation, check, fill, open};
use crate::window::{Count, Window};

/// The store's settings of a connection that matter for a write. Checkpoints are SQLite's own: there is no thread for them.
const PRAGMAS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;";

/// The statements of posting a message, as the store has them.
struct Statements {
    for_posting: &'static str,
    insert: &'static str,
    add_to_room: &'static str,
    record: &'static str,
}

/// What the first statement says of the room and its visitor.
struct Room {
    visitor_id: String,
    visitor_username: String,
    visitor_name: Option<String>,
    is_open: bool,
    last_message_at: i64,
    seq: i64,
    is_blocked: Option<bool>,
}

/// The connection that all callers share.
struct Single {
    connection: Mutex<Connection>,
    statements: Statements,
    clock: SystemClock,
}

/// Posts messages, then checks that all that were acknowledged are there.
pub fn append(options: &Options) -> Result<Done> {
    let runtime = Runtime::new()?;
    let hub = Arc::new(Hub::default());
    let store = open(&options.folder, &hub)?;
    let work = Work::new(runtime.block_on(fill(&store, PLAN))?);
    drop(store);

    let single = Single::open(options)?;
    let window = options.window();
    let (cpu, counts) = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..options.callers).map(|_| scope.spawn(|| single.work(&work, &window))).collect();
        let cpu = window.watch([std::process::id()]);
        let counts: Vec<Result<Count>> = callers.into_iter().map(joined).collect();
        (cpu, counts)
    });
    let [cpu] = cpu?;
    let count: Count = counts.into_iter().collect::<Result<Vec<_>>>()?.into_iter().sum();
    drop(single);

    let store = open(&options.folder, &hub)?;
    runtime.block_on(check(&store, &work.conversations, work.messages(count)))?;
    Ok(Done { window, count, cpu, of_group: 1.0 })
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Single {
    fn open(options: &Options) -> Result<Single> {
        let connection = Connection::open(options.folder.join(SQLITE_FILE))?;
        connection.execute_batch(PRAGMAS)?;
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        ensure!(synchronous == 2, "SQLite did not accept synchronous = FULL");
        let statements = Statements {
            for_posting: statement(q::rooms::STATEMENTS, "FOR_POSTING")?,
            insert: statement(q::messages::STATEMENTS, "INSERT")?,
            add_to_room: statement(q::rooms::STATEMENTS, "ADD_VISITOR_MESSAGE")?,
            record: statement(q::changes::STATEMENTS, "RECORD")?,
        };
        Ok(Single { connection: Mutex::new(connection), statements, clock: SystemClock::default() })
    }

    fn work(&self, work: &Work, window: &Window) -> Result<Count> {
        let mut count = Count::default();
        while !window.is_over() {
            let (conversation, id) = work.take();
            self.post(conversation, &id)?;
            count.add(window);
        }
        Ok(count)
    }

    fn post(&self, conversation: &Conversation, id: &str) -> Result<()> {
        let now = self.clock.now();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let room = self.room(&transaction, conversation)?;
        ensure!(room.is_open && room.is_blocked != Some(true), "a message was refused");
        self.append(&transaction, conversation, &room, id, now)?;
        Ok(transaction.commit()?)
    }

    fn room(&self, transaction: &Transaction<'_>, conversation: &Conversation) -> Result<Room> {
        let mut statement = transaction.prepare_cached(self.statements.for_posting)?;
        let room = statement.query_row([&conversation.token, &conversation.room_id], |row| {
            Ok(Room {
                visitor_id: row.get(0)?,
                visitor_username: row.get(1)?,
                visitor_name: row.get(2)?,
                is_open: row.get(3)?,
                last_message_at: row.get(4)?,
                seq: row.get(5)?,
                is_blocked: row.get(6)?,
            })
        });
        room.optional()?.context("a room was not found")
    }

    /// The three statements that write. Each must touch one row.
    fn append(&self, transaction: &Transaction<'_>, conversation: &Conversation, room: &Room, id: &str, now: i64) -> Result<()> {
        let (room_id, ts, seq) = (&conversation.room_id, next_message_ts(now, room.last_message_at), room.seq + 1);
        let (author, username, name) = (&room.visitor_id, &room.visitor_username, &room.visitor_name);
        let kind_and_details = None::<String>;
        let message = params![id, room_id, ts, kind_and_details, TEXT, author, username, name, true, false, kind_and_details, now];
        let written = [
            transaction.prepare_cached(self.statements.insert)?.execute(message)?,
            transaction.prepare_cached(self.statements.add_to_room)?.execute(params![room_id, seq, id, ts, now])?,
            transaction.prepare_cached(self.statements.record)?.execute(params![
                room_id,
                seq,
                ChangeKind::MessagePosted.name(),
                id
            ])?,
        ];
        ensure!(written == [1, 1, 1], "a statement touched another number of rows than one");
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of the statement `name`.
fn statement(statements: &[(&'static str, &'static str)], name: &str) -> Result<&'static str> {
    let found = statements.iter().find(|(other, _)| *other == name).map(|(_, text)| *text);
    found.with_context(|| format!("the store has no statement {name} any more: the comparison has to follow it"))
}
