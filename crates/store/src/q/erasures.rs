//! The ledger of erasures: what was erased, when and at whose wish, never of whom.

use super::statements;
use crate::{Columns, Row, StoreError, Tx, values};

/// An entry with all that is shown of it.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, actor, reason, requested_at, erased_at, sealed_at, visitors, contacts, rooms, messages, changes, others, files,
                    mails_sent
             FROM erasures ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO erasures (id, subject, visitor_id, actor, reason, requested_at, visitors, contacts, rooms, messages, changes,
                                    others, files, mails_sent)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, 0, 0, 0, 0)";
    COUNT = "UPDATE erasures SET visitors = visitors + ?2, contacts = contacts + ?3, rooms = rooms + ?4, messages = messages + ?5,
                    changes = changes + ?6, others = others + ?7, files = files + ?8,
                    mails_sent = mails_sent + ?9
             WHERE id = ?1";
    FINISH = "UPDATE erasures SET visitor_id = NULL, erased_at = ?2 WHERE id = ?1";
    UNFINISHED = "SELECT id, visitor_id FROM erasures WHERE sealed_at IS NULL AND visitor_id IS NOT NULL ORDER BY requested_at";
    UNFINISHED_OF = "SELECT id FROM erasures WHERE sealed_at IS NULL AND visitor_id = ?1";
    UNSEALED = "SELECT count(*) FROM erasures WHERE sealed_at IS NULL";
    BEGIN_PASS = "UPDATE erasures SET seal_pass = ?1 WHERE sealed_at IS NULL AND erased_at IS NOT NULL";
    END_PASS = "UPDATE erasures SET sealed_at = ?2 WHERE sealed_at IS NULL AND seal_pass = ?1";
    VISITOR = "SELECT visitor_id FROM erasures WHERE id = ?1";
    BY_ID = select!("WHERE id = ?1");
    NEWEST = select!("WHERE requested_at >= 0 ORDER BY requested_at DESC, id DESC LIMIT ?1 OFFSET ?2");
    FORGET_SUBJECTS = "UPDATE erasures SET subject = '' WHERE requested_at < ?1 AND subject <> '' AND sealed_at IS NOT NULL";
    SUBJECTS = "SELECT subject FROM erasures WHERE requested_at >= 0 AND subject <> '' ORDER BY requested_at, id";
    COUNT_ALL = "SELECT COUNT(*) FROM erasures WHERE requested_at >= 0";
}

/// How many records of each class an erasure deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visitors.
    pub visitors: i64,
    /// Contacts.
    pub contacts: i64,
    /// Rooms.
    pub rooms: i64,
    /// Messages.
    pub messages: i64,
    /// Entries of the change log.
    pub changes: i64,
    /// Everything else: subscriptions, decisions of routing, pages seen, mails, values of custom fields.
    pub others: i64,
    /// Files, with their smaller pictures.
    pub files: i64,
    /// Mails about the visitor that had left before: those were not reached.
    pub mails_sent: i64,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// The kind of caller who wished it.
    pub actor: String,
    /// Why, if staff said so.
    pub reason: Option<String>,
    /// When (milliseconds UTC).
    pub requested_at: i64,
    /// When the last row was gone.
    pub erased_at: Option<i64>,
    /// When nothing of it was left in any file.
    pub sealed_at: Option<i64>,
    /// What was deleted.
    pub counts: Counts,
}

/// What an entry begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<'a> {
    /// Its id.
    pub id: &'a str,
    /// The internal id of whom it is about.
    pub subject: &'a str,
    /// Whose rows are still to go; `None` where all are gone at once.
    pub visitor_id: Option<&'a str>,
    /// The kind of caller who wishes it.
    pub actor: &'a str,
    /// Why, if staff says so.
    pub reason: Option<&'a str>,
    /// When (milliseconds UTC).
    pub requested_at: i64,
}

/// Opens an entry.
pub fn insert(tx: &mut Tx<'_>, opening: &Opening<'_>) -> Result<(), StoreError> {
    let Opening { id, subject, visitor_id, actor, reason, requested_at } = *opening;
    tx.execute_one(INSERT, values![id, subject, visitor_id, actor, reason, requested_at])
}

/// Adds to what an erasure deleted.
pub fn count(tx: &mut Tx<'_>, id: &str, counts: &Counts) -> Result<(), StoreError> {
    tx.execute_one(
        COUNT,
        values![
            id,
            counts.visitors,
            counts.contacts,
            counts.rooms,
            counts.messages,
            counts.changes,
            counts.others,
            counts.files,
            counts.mails_sent
        ],
    )
}

/// Notes that the last row is gone, and forgets whose it was.
pub fn finish(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(FINISH, values![id, now])
}

/// The erasures that have begun and not finished: their ids and visitors, oldest first.
pub fn unfinished(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(UNFINISHED, values![], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// The erasure of a visitor that has begun and not finished.
pub fn unfinished_of(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Option<String>, StoreError> {
    tx.query_optional(UNFINISHED_OF, values![visitor_id], |row| row.text(0))
}

/// How many erasures are not sealed yet, unfinished ones included.
pub fn unsealed(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_one(UNSEALED, values![], |row| row.integer(0))
}

/// Begins the sealing pass `pass`: marks what is erased and not sealed. Gives how many erasures that are.
pub fn begin_pass(tx: &mut Tx<'_>, pass: &str) -> Result<u64, StoreError> {
    tx.execute(BEGIN_PASS, values![pass])
}

/// Ends the sealing pass `pass`: what it marked is sealed. Gives how many erasures that are.
pub fn end_pass(tx: &mut Tx<'_>, pass: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(END_PASS, values![pass, now])
}

/// Whose rows the erasure `id` still has to delete; `None` once it has finished.
pub fn visitor(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, StoreError> {
    Ok(tx.query_optional(VISITOR, values![id], |row| row.optional_text(0))?.flatten())
}

/// The entry with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Erasure>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The internal ids of all who were erased.
pub fn subjects(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    tx.query(SUBJECTS, values![], |row| row.text(0))
}

/// Forgets the internal ids of who was erased before `before`. Gives of how many.
pub fn forget_subjects(tx: &mut Tx<'_>, before: i64) -> Result<u64, StoreError> {
    tx.execute(FORGET_SUBJECTS, values![before])
}

/// A page of the entries, the newest first, and how many there are.
pub fn list(tx: &mut Tx<'_>, offset: i64, count: Option<i64>) -> Result<(Vec<Erasure>, i64), StoreError> {
    let total = tx.query_one(COUNT_ALL, values![], |row| row.integer(0))?;
    Ok((tx.query(NEWEST, values![count.unwrap_or(i64::MAX), offset], read)?, total))
}

fn read(row: &Row<'_>) -> Result<Erasure, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(Erasure {
        id: columns.text()?,
        actor: columns.text()?,
        reason: columns.optional_text()?,
        requested_at: columns.integer()?,
        erased_at: columns.optional_integer()?,
        sealed_at: columns.optional_integer()?,
        counts: Counts {
            visitors: columns.integer()?,
            contacts: columns.integer()?,
            rooms: columns.integer()?,
            messages: columns.integer()?,
            changes: columns.integer()?,
            others: columns.integer()?,
            files: columns.integer()?,
            mails_sent: columns.integer()?,
        },
    })
}
