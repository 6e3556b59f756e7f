//! Erasing visitors.
//!
//! 1. One transaction takes the token away, hides the rooms and opens the ledger's entry; a small visitor goes in it as well.
//! 2. What is left of a large one goes in chunks. The caller is answered when the last row is gone.
//! 3. Sealing then makes sure that no file holds anything of it any more. One pass serves all erasures that wait.
//!
//! An entry says whose rows are still to go, so a server that was killed finishes at its next start.

use std::sync::Arc;

use usher_domain::id::Sequence;
use usher_domain::settings::{ERASE_WHOLE_CONTACT, KEEP_CONNECTION, LONGEST_BACKUP_DAYS};
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind, Event, id};
use usher_store::q::erasures::{Counts, Opening};
use usher_store::{StoreError, Tx, q};

use crate::{Error, Refusal, Services};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// How many rows one transaction deletes.
const CHUNK: i64 = 1_000;

/// A visitor that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The visitor's id.
    pub visitor_id: String,
    /// When the last row was gone (milliseconds UTC).
    pub at: i64,
}

impl Services {
    /// Erases the visitor whose token this is, with everything that belongs to it. Refused while it has open rooms, unless the
    /// setting that keeps connection data is on. Goes on when its caller leaves.
    pub async fn erase_visitor(self: &Arc<Self>, token: VisitorToken) -> Result<Erased, Error> {
        let services = Arc::clone(self);
        let erasing = tokio::spawn(async move { services.erase(token).await });
        erasing.await.unwrap_or(Err(Error::Broken("erasing a visitor panicked")))
    }

    async fn erase(&self, token: VisitorToken) -> Result<Erased, Error> {
        let platform = self.platform();
        let may_have_open_rooms = platform.settings.get(&KEEP_CONNECTION);
        let whole_contact = platform.settings.get(&ERASE_WHOLE_CONTACT);
        let (ids, now) = (self.ids(), self.now());
        let begun = self.store.write_freeing_space(move |tx| {
            let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
            if !may_have_open_rooms && q::rooms::has_open(tx, &visitor.id)? {
                return Err(Refusal::VisitorHasOpenRooms.into());
            }
            let own = (visitor.id.clone(), Some(token.as_str().to_owned()));
            let visitors = if whole_contact { q::visitors::of_contact(tx, &visitor.contact_id)? } else { vec![own] };
            let wish = Wish { actor: "visitor", reason: None, now };
            Ok::<_, Error>((visitor.id, begin_all(tx, &visitor.contact_id, &visitors, wish, &mut ids.clone())?))
        });
        let (visitor_id, unfinished) = begun.await?;
        self.finish(&unfinished).await?;
        Ok(Erased { visitor_id, at: now })
    }

    /// Erases a contact for staff: all of its visitors, with open rooms too, and what was entered of it. Gives the ids of the ledger's
    /// entries. Goes on when its caller leaves.
    ///
    /// # Errors
    ///
    /// There is no such contact, or there is a legal hold on it.
    pub async fn erase_contact(self: &Arc<Self>, contact_id: String, reason: &'static str) -> Result<Vec<String>, Error> {
        let services = Arc::clone(self);
        let wish = Wish { actor: "staff", reason: Some(reason), now: self.now() };
        let erasing = tokio::spawn(async move { services.erase_all_of(contact_id, wish).await });
        erasing.await.unwrap_or(Err(Error::Broken("erasing a contact panicked")))
    }

    async fn erase_all_of(&self, contact_id: String, wish: Wish) -> Result<Vec<String>, Error> {
        let (ids, contact) = (self.ids(), contact_id.clone());
        let begun = self.store.write_freeing_space(move |tx| {
            let visitors = q::visitors::of_contact(tx, &contact)?;
            if visitors.is_empty() && q::contacts::by_id(tx, &contact)?.is_none() {
                return Err(Refusal::NoSuchContact.into());
            }
            begin_all(tx, &contact, &visitors, wish, &mut ids.clone())
        });
        let entries = begun.await?;
        self.finish(&entries).await?;
        self.store.write_freeing_space(move |tx| q::contacts::delete(tx, &contact_id).map(|_| ()).map_err(Error::from)).await?;
        Ok(entries.into_iter().map(|entry| entry.id).collect())
    }

    /// Erases a visitor who has no chat that is open or was closed since `time` (milliseconds UTC). Gives whether it was erased: it may be
    /// back by now, or be kept by a legal hold.
    pub(crate) async fn erase_unless_back(&self, visitor_id: String, time: i64) -> Result<bool, Error> {
        let wish = Wish { actor: "retention", reason: None, now: self.now() };
        let ids = self.ids();
        let begun = self.store.write_freeing_space(move |tx| {
            let Some((token, contact_id)) = q::visitors::token_and_contact(tx, &visitor_id)? else { return Ok(Vec::new()) };
            let is_kept = q::retention::has_later(tx, &visitor_id, time)? || q::holds::is_held(tx, &contact_id, wish.now)?;
            if is_kept {
                return Ok(Vec::new());
            }
            begin_all(tx, &contact_id, &[(visitor_id.clone(), token)], wish, &mut ids.clone())
        });
        let begun = begun.await?;
        self.finish(&begun).await?;
        Ok(!begun.is_empty())
    }

    /// Erases whoever is there of those whom a ledger of erasures names: for data that were restored from before. Gives how many that were.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn erase_again(&self, subjects: Vec<String>) -> Result<u64, Error> {
        let mut erased = 0;
        for subject in subjects {
            let wish = Wish { actor: "restore", reason: None, now: self.now() };
            let ids = self.ids();
            let begun = self.store.write_freeing_space(move |tx| erase_subject(tx, &subject, wish, &mut ids.clone())).await?;
            erased += begun.len() as u64;
            self.finish(&begun).await?;
        }
        Ok(erased)
    }

    /// Forgets by which ids a backup would know whoever was erased so long ago that no backup is so old. Gives of how many.
    pub(crate) async fn forget_erased(&self) -> Result<u64, Error> {
        let days = self.platform().settings.get(&LONGEST_BACKUP_DAYS).max(1);
        let before = self.now() - days.saturating_mul(DAY);
        self.store.write(move |tx| q::erasures::forget_subjects(tx, before).map_err(Error::from)).await
    }

    /// Finishes what has begun, and lets it be sealed.
    async fn finish(&self, entries: &[Entry]) -> Result<(), Error> {
        for entry in entries.iter().filter(|entry| !entry.is_finished) {
            self.finish_erasure(&entry.id).await?;
        }
        self.unsealed.notify_one();
        Ok(())
    }

    /// Deletes what is left of a visitor whose erasure has begun.
    async fn finish_erasure(&self, erasure_id: &str) -> Result<(), Error> {
        loop {
            let (id, now) = (erasure_id.to_owned(), self.now());
            let is_finished = self.store.write_freeing_space(move |tx| go_on(tx, &id, now).map_err(Error::from)).await?;
            if is_finished {
                return Ok(());
            }
        }
    }

    /// Finishes every erasure that was interrupted, and seals all that are not sealed. Gives how many were sealed.
    pub async fn finish_erasures(&self) -> Result<u64, Error> {
        let unfinished: Vec<(String, String)> = self.store.read(|tx| q::erasures::unfinished(tx).map_err(Error::from)).await?;
        for (erasure_id, _) in unfinished {
            self.finish_erasure(&erasure_id).await?;
        }
        self.seal_erasures().await
    }

    /// Seals everything that is erased by now. Gives how many erasures that were.
    async fn seal_erasures(&self) -> Result<u64, Error> {
        let pass = id::unordered(self.random.as_ref());
        let begun = pass.clone();
        let waiting = self.store.write_freeing_space(move |tx| q::erasures::begin_pass(tx, &begun).map_err(Error::from)).await?;
        self.unlink_removed_files().await?;
        if waiting == 0 {
            return Ok(0);
        }
        let store = Arc::clone(&self.store);
        let sealed = tokio::task::spawn_blocking(move || store.seal()).await;
        sealed.map_err(|_| Error::Broken("sealing panicked"))??;
        let now = self.now();
        self.store.write_freeing_space(move |tx| q::erasures::end_pass(tx, &pass, now).map_err(Error::from)).await
    }

    /// Rewrites all data, so that the files hold nothing else. For a time when nobody is served.
    pub async fn rewrite_data(&self) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let rewritten = tokio::task::spawn_blocking(move || store.rewrite()).await;
        Ok(rewritten.map_err(|_| Error::Broken("rewriting panicked"))??)
    }

    /// How many erasures are not sealed yet.
    pub async fn unsealed_erasures(&self) -> Result<i64, Error> {
        self.store.read(|tx| q::erasures::unsealed(tx).map_err(Error::from)).await
    }

    /// Waits until an erasure has left something to seal.
    pub async fn erasure_to_seal(&self) {
        self.unsealed.notified().await;
    }
}

/// Who wishes an erasure, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// The kind of caller.
    pub actor: &'static str,
    /// Why, if staff says so.
    pub reason: Option<&'static str>,
    /// When (milliseconds UTC).
    pub now: i64,
}

/// An entry of the ledger that was opened just now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: String,
    /// Whether nothing is left to delete.
    is_finished: bool,
}

/// Opens an entry of the ledger for each of these visitors of a contact, or one for the contact itself if it has none, and deletes the
/// first chunk of each.
fn begin_all(
    tx: &mut Tx<'_>,
    contact_id: &str,
    visitors: &[(String, Option<String>)],
    wish: Wish,
    ids: &mut Sequence,
) -> Result<Vec<Entry>, Error> {
    if q::holds::is_held(tx, contact_id, wish.now)? {
        return Err(Refusal::LegalHold.into());
    }
    if visitors.is_empty() {
        let entry = Entry { id: ids.next_id(), is_finished: true };
        q::erasures::insert(tx, &opening(&entry.id, contact_id, None, wish))?;
        let contacts = q::contacts::delete(tx, contact_id)? as i64;
        q::erasures::count(tx, &entry.id, &Counts { contacts, ..Counts::default() })?;
        q::erasures::finish(tx, &entry.id, wish.now)?;
        return Ok(vec![entry]);
    }
    visitors.iter().map(|(visitor_id, token)| begin(tx, visitor_id, token.as_deref(), wish, ids.next_id())).collect()
}

/// Begins to erase whom a ledger of erasures calls so: a visitor, or a contact that had none. A legal hold does not count: it was erased
/// before.
fn erase_subject(tx: &mut Tx<'_>, subject: &str, wish: Wish, ids: &mut Sequence) -> Result<Vec<Entry>, Error> {
    if let Some((visitor_id, token)) = q::visitors::by_internal_id(tx, subject)? {
        return Ok(vec![begin(tx, &visitor_id, token.as_deref(), wish, ids.next_id())?]);
    }
    if q::contacts::by_id(tx, subject)?.is_some() && q::visitors::of_contact(tx, subject)?.is_empty() {
        q::holds::lift(tx, subject)?;
        return begin_all(tx, subject, &[], wish, ids);
    }
    Ok(Vec::new())
}

fn opening<'a>(id: &'a str, subject: &'a str, visitor_id: Option<&'a str>, wish: Wish) -> Opening<'a> {
    Opening { id, subject, visitor_id, actor: wish.actor, reason: wish.reason, requested_at: wish.now }
}

/// Opens a visitor's entry in the ledger and deletes the first chunk. One that is being erased already keeps its entry.
fn begin(tx: &mut Tx<'_>, visitor_id: &str, token: Option<&str>, wish: Wish, id: String) -> Result<Entry, Error> {
    if let Some(id) = q::erasures::unfinished_of(tx, visitor_id)? {
        return Ok(Entry { id, is_finished: false });
    }
    let subject = q::visitors::internal_id(tx, visitor_id)?;
    q::erasures::insert(tx, &opening(&id, &subject, Some(visitor_id), wish))?;
    q::visitors::disable(tx, visitor_id)?;
    let pages = match token {
        Some(token) => q::page_visits::delete_of_token(tx, token)?,
        None => 0,
    };
    announce(tx, visitor_id)?;
    let marks = q::rooms::hide(tx, visitor_id)? + q::fields::delete_of_visitor(tx, visitor_id)?;
    q::erasures::count(tx, &id, &Counts { others: (pages + marks) as i64, ..Counts::default() })?;
    let is_finished = go_on(tx, &id, wish.now)?;
    Ok(Entry { id, is_finished })
}

/// Announces to everybody who has a visitor's rooms in a list or looks at them in the queue that they are gone. None of it is in a log.
fn announce(tx: &mut Tx<'_>, visitor_id: &str) -> Result<(), StoreError> {
    for (room_id, seq, inquiry_id) in q::rooms::of_visitor(tx, visitor_id)? {
        let members = q::subscriptions::of_room(tx, &room_id)?.into_iter();
        let mut changes: Vec<(ChangeKind, String)> = members.map(|member| (ChangeKind::MemberChanged, member.user_id)).collect();
        changes.extend(inquiry_id.map(|id| (ChangeKind::InquiryRemoved, id)));
        changes.push((ChangeKind::RoomErased, room_id.clone()));
        for ((kind, reference), seq) in changes.into_iter().zip(seq + 1..) {
            tx.emit(Event::Room(Change { room_id: room_id.clone(), seq, kind, reference }));
        }
    }
    Ok(())
}

/// Deletes the next chunk of an erasure. Gives whether nothing is left.
fn go_on(tx: &mut Tx<'_>, erasure_id: &str, now: i64) -> Result<bool, StoreError> {
    let Some(visitor_id) = q::erasures::visitor(tx, erasure_id)? else { return Ok(true) };
    let messages = q::messages::delete_of_visitor(tx, &visitor_id, CHUNK)? as i64;
    let changes = q::changes::delete_of_visitor(tx, &visitor_id, CHUNK - messages)? as i64;
    let files = q::files::remove_of_visitor(tx, &visitor_id, CHUNK - messages - changes, now)? as i64;
    let counts = Counts { messages, changes, files, ..Counts::default() };
    if messages + changes + files == CHUNK {
        q::erasures::count(tx, erasure_id, &counts)?;
        return Ok(false);
    }
    let contact_id = q::visitors::contact_id(tx, &visitor_id)?;
    let mails_sent = q::mails::sent_of_visitor(tx, &visitor_id)?;
    let others = delete_others(tx, &visitor_id, now)?;
    let rooms = q::rooms::delete_of_visitor(tx, &visitor_id)? as i64;
    let contacts = q::contacts::delete_of_visitor(tx, &visitor_id, &contact_id)? as i64;
    q::visitors::delete(tx, &visitor_id)?;
    q::erasures::count(tx, erasure_id, &Counts { visitors: 1, contacts, rooms, others, mails_sent, ..counts })?;
    q::erasures::finish(tx, erasure_id, now)?;
    Ok(true)
}

/// Deletes what hangs on a visitor or its rooms besides messages and their log. Gives how many rows that were.
fn delete_others(tx: &mut Tx<'_>, visitor_id: &str, now: i64) -> Result<i64, StoreError> {
    let subscriptions = q::subscriptions::delete_of_visitor(tx, visitor_id, now)?;
    let decisions = q::routing_decisions::delete_of_visitor(tx, visitor_id)?;
    let email = q::visitors::email(tx, visitor_id)?;
    let mails = q::mails::delete_of_visitor(tx, visitor_id, email.as_deref())?;
    let connections = q::presences::delete_of_visitor(tx, visitor_id)?;
    Ok((subscriptions + decisions + mails + connections) as i64)
}
