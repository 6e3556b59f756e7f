//! Mail on its way, and what became of it. What was sent leaves its entry without any content.

use usher_domain::mail::{Mail, MailKind, MailState};

use super::statement::Statement;
use super::statements;
use crate::{Columns, Row, StoreError, Tx, Value, values};

statements! {
    INSERT = "INSERT INTO mails (id, kind, visitor_id, room_id, about, content, state, attempts, next_attempt_at, created_at, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 0, ?7, ?7, ?7)";
    DUE = "SELECT id, kind, content, attempts, created_at FROM mails
           WHERE state = 'waiting' AND next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT 1";
    NEXT_DUE = "SELECT next_attempt_at FROM mails WHERE state = 'waiting' AND next_attempt_at >= ?1 ORDER BY next_attempt_at LIMIT 1";
    HAND_OUT = "UPDATE mails SET attempts = attempts + 1, failure = NULL, next_attempt_at = ?2, updated_at = ?3 WHERE id = ?1";
    SENT = "UPDATE mails SET state = 'sent', content = NULL, about = NULL, failure = NULL, updated_at = ?2
            WHERE id = ?1 AND state = 'waiting'";
    TRY_AGAIN = "UPDATE mails SET failure = ?2, next_attempt_at = ?3, updated_at = ?4 WHERE id = ?1 AND state = 'waiting'";
    GIVE_UP = "UPDATE mails SET state = 'failed', failure = ?2, updated_at = ?3 WHERE id = ?1 AND state = 'waiting'";
    HOLD = "UPDATE mails SET failure = ?1, updated_at = ?2
            WHERE state = 'waiting' AND next_attempt_at <= ?2 AND failure IS DISTINCT FROM ?1";
    GIVE_UP_OLD = "UPDATE mails SET state = 'failed', failure = ?1, updated_at = ?2
                   WHERE state = 'waiting' AND next_attempt_at <= ?2 AND created_at < ?3";
    ANY_HELD_OTHERWISE = "SELECT 1 FROM mails WHERE state = 'waiting' AND next_attempt_at <= ?2
                          AND (failure IS DISTINCT FROM ?1 OR created_at < ?3) LIMIT 1";
    RETRY = "UPDATE mails SET state = 'waiting', attempts = 0, failure = NULL, next_attempt_at = ?2, updated_at = ?2
             WHERE id = ?1 AND state <> 'sent' AND failure IS NOT NULL";
    SENT_SINCE = "SELECT 1 FROM mails WHERE state = 'sent' AND created_at > ?1 LIMIT 1";
    SENT_OF_VISITOR = "SELECT COUNT(*) FROM mails WHERE visitor_id = ?1 AND state = 'sent'";
    DELETE_OF_VISITOR = "DELETE FROM mails WHERE visitor_id = ?1 OR (about = ?2 AND visitor_id IS NULL)";
    PRUNE = "DELETE FROM mails WHERE id IN (
        SELECT id FROM mails WHERE created_at < ?1 AND (state = 'sent' OR (state = 'failed' AND created_at < ?2)) LIMIT 1000)";
}

/// A mail that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Its id.
    pub id: String,
    /// Why it is sent.
    pub kind: MailKind,
    /// The visitor it is about, as far as known.
    pub visitor_id: Option<String>,
    /// The room it is about, if it is about one.
    pub room_id: Option<String>,
    /// The e-mail address of whom it is about.
    pub about: String,
    /// The mail.
    pub mail: Mail,
}

/// A mail that is handed out to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Its id.
    pub id: String,
    /// Why it is sent.
    pub kind: MailKind,
    /// The mail; `None` where it cannot be read.
    pub mail: Option<Mail>,
    /// How often it was handed out, this time included.
    pub attempts: i64,
    /// When it was put here (milliseconds UTC).
    pub created_at: i64,
}

/// What is told of a mail: nothing of its content, and not to whom it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailEntry {
    /// Its id.
    pub id: String,
    /// Why it is sent.
    pub kind: MailKind,
    /// How far it is.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, as long as it waits (milliseconds UTC).
    pub next_attempt_at: i64,
    /// What went wrong last, as a code.
    pub failure: Option<String>,
    /// When it was put here (milliseconds UTC).
    pub created_at: i64,
    /// When the entry last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// Adds a mail, due at once.
pub fn insert(tx: &mut Tx<'_>, new: &NewMail, now: i64) -> Result<(), StoreError> {
    let content = serde_json::to_string(&new.mail).ok();
    let about = new.about.trim().to_lowercase();
    tx.execute_one(INSERT, values![&new.id, new.kind.name(), &new.visitor_id, &new.room_id, &about, &content, now])
}

/// Hands out the mail that has been due for longest, if one is. Nobody else gets it before `until`: whoever has it by then has noted
/// what became of it, or is gone.
pub fn hand_out(tx: &mut Tx<'_>, now: i64, until: i64) -> Result<Option<DueMail>, StoreError> {
    let found = tx.query_optional(DUE, values![now], |row| {
        let mut columns = Columns::from(row, 0);
        Ok(DueMail {
            id: columns.text()?,
            kind: columns.named(MailKind::from_name)?,
            mail: columns.optional_text()?.as_deref().and_then(|content| serde_json::from_str(content).ok()),
            attempts: columns.integer()? + 1,
            created_at: columns.integer()?,
        })
    })?;
    if let Some(due) = &found {
        tx.execute_one(HAND_OUT, values![&due.id, until, now])?;
    }
    Ok(found)
}

/// When the next mail is due, of those that are not due before `from` (milliseconds UTC).
pub fn next_due(tx: &mut Tx<'_>, from: i64) -> Result<Option<i64>, StoreError> {
    tx.query_optional(NEXT_DUE, values![from], |row| row.integer(0))
}

/// Notes that a mail was sent: nothing of its content stays. One that was erased meanwhile stays away.
pub fn sent(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(SENT, values![id, now]).map(|_| ())
}

/// Notes that a mail was not sent and is tried again at `next_attempt_at`.
pub fn try_again(tx: &mut Tx<'_>, id: &str, failure: &str, next_attempt_at: i64, now: i64) -> Result<(), StoreError> {
    tx.execute(TRY_AGAIN, values![id, failure, next_attempt_at, now]).map(|_| ())
}

/// Notes that a mail was not sent and will not be.
pub fn give_up(tx: &mut Tx<'_>, id: &str, failure: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(GIVE_UP, values![id, failure, now]).map(|_| ())
}

/// Whether [`hold`] would change anything.
pub fn any_held_otherwise(tx: &mut Tx<'_>, failure: &str, now: i64, oldest: i64) -> Result<bool, StoreError> {
    Ok(tx.query_optional(ANY_HELD_OTHERWISE, values![failure, now, oldest], |_| Ok(()))?.is_some())
}

/// Notes on every mail that is due why none can be sent at the moment; those from before `oldest` are given up.
pub fn hold(tx: &mut Tx<'_>, failure: &str, now: i64, oldest: i64) -> Result<(), StoreError> {
    tx.execute(GIVE_UP_OLD, values![failure, now, oldest])?;
    tx.execute(HOLD, values![failure, now]).map(|_| ())
}

/// Makes a mail that has failed due at once, as if it had never been tried. Gives whether there is one that could be.
pub fn retry(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(RETRY, values![id, now])? == 1)
}

/// Whether a mail was sent of those that were put here after `since`.
pub fn any_sent_since(tx: &mut Tx<'_>, since: i64) -> Result<bool, StoreError> {
    Ok(tx.query_optional(SENT_SINCE, values![since], |_| Ok(()))?.is_some())
}

/// How many mails about a visitor have left.
pub fn sent_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<i64, StoreError> {
    tx.query_one(SENT_OF_VISITOR, values![visitor_id], |row| row.integer(0))
}

/// Deletes the mails about a visitor, and those of nobody known that are about its e-mail address. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str, email: Option<&str>) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id, email])
}

/// Deletes entries, at most 1,000: those from before `sent` that were sent, and those from before `failed` that were given up. Gives
/// how many.
pub fn prune(tx: &mut Tx<'_>, sent: i64, failed: i64) -> Result<u64, StoreError> {
    tx.execute(PRUNE, values![sent, failed])
}

/// One page of the entries in this state, or of all, the newest first; and how many there are.
pub fn list(
    tx: &mut Tx<'_>,
    state: Option<MailState>,
    offset: i64,
    count: Option<i64>,
) -> Result<(Vec<MailEntry>, i64), StoreError> {
    let total = listing(state, None);
    let total = tx.query_one(total.sql(), total.values(), |row| row.integer(0))?;
    // The engines agree on no word for "all".
    let page = listing(state, Some((offset, count.unwrap_or(i64::MAX))));
    Ok((tx.query(page.sql(), page.values(), read)?, total))
}

/// The page of a list, or without one its length.
fn listing<'a>(state: Option<MailState>, page: Option<(i64, i64)>) -> Statement<'a> {
    const LISTED: &str = "SELECT id, kind, state, attempts, next_attempt_at, failure, created_at, updated_at FROM mails WHERE TRUE";
    let mut statement = Statement::new(if page.is_some() { LISTED } else { "SELECT COUNT(*) FROM mails WHERE TRUE" });
    if let Some(state) = state {
        statement.add("AND state = ?", &[Value::Text(state.name())]);
    }
    if let Some((offset, count)) = page {
        statement.add("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[count.into(), offset.into()]);
    }
    statement
}

/// The statements of lists, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    [None, Some(MailState::Failed)].map(|state| listing(state, Some((0, 50))).sql().to_owned()).into()
}

fn read(row: &Row<'_>) -> Result<MailEntry, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(MailEntry {
        id: columns.text()?,
        kind: columns.named(MailKind::from_name)?,
        state: columns.named(MailState::from_name)?,
        attempts: columns.integer()?,
        next_attempt_at: columns.integer()?,
        failure: columns.optional_text()?,
        created_at: columns.integer()?,
        updated_at: columns.integer()?,
    })
}
