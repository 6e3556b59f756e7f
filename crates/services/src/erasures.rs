//! Erasing visitors.
//!
//! 1. One transaction takes the token away, hides the rooms and opens the ledger's entry; a small visitor goes in it as well.
//! 2. What is left of a large one goes in chunks. The caller is answered when the last row is gone.
//! 3. Sealing then makes sure that no file holds anything of it any more. One pass serves all erasures that wait.
//!
//! An entry says whose rows are still to go, so a server that was killed finishes at its next start.

use std::sync::Arc;

use usher_domain::settings::KEEP_CONNECTION;
use usher_domain::visitor::VisitorToken;
use usher_domain::{Change, ChangeKind, id};
use usher_store::q::erasures::Counts;
use usher_store::{StoreError, Tx, q};

use crate::{Error, Refusal, Services};

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
        let erasure_id = id::unordered(self.random.as_ref());
        let may_have_open_rooms = self.platform().settings.get(&KEEP_CONNECTION);
        let now = self.now();
        let opened = erasure_id.clone();
        let (visitor_id, is_finished) =
            self.store.write_freeing_space(move |tx| begin(tx, &token, &opened, may_have_open_rooms, now)).await?;
        if !is_finished {
            self.finish_erasure(&erasure_id).await?;
        }
        self.unsealed.notify_one();
        Ok(Erased { visitor_id, at: now })
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

/// Opens the ledger's entry and deletes the first chunk. Gives the visitor's id and whether that was all.
fn begin(
    tx: &mut Tx<'_>,
    token: &VisitorToken,
    erasure_id: &str,
    may_have_open_rooms: bool,
    now: i64,
) -> Result<(String, bool), Error> {
    let visitor = q::visitors::by_token(tx, token)?.ok_or(Refusal::InvalidToken)?;
    if !may_have_open_rooms && q::rooms::has_open(tx, &visitor.id)? {
        return Err(Refusal::VisitorHasOpenRooms.into());
    }
    let subject = q::visitors::internal_id(tx, &visitor.id)?;
    q::erasures::insert(tx, erasure_id, &subject, &visitor.id, "visitor", now)?;
    q::visitors::disable(tx, &visitor.id)?;
    let pages = q::page_visits::delete_of_token(tx, token.as_str())?;
    for (room_id, seq) in q::rooms::of_visitor(tx, &visitor.id)? {
        tx.emit(Change { reference: room_id.clone(), room_id, seq: seq + 1, kind: ChangeKind::RoomErased });
    }
    let marks = q::rooms::hide(tx, &visitor.id)? + q::fields::delete_of_visitor(tx, &visitor.id)?;
    q::erasures::count(tx, erasure_id, &Counts { others: (pages + marks) as i64, ..Counts::default() })?;
    let is_finished = go_on(tx, erasure_id, now)?;
    Ok((visitor.id, is_finished))
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
    Ok((subscriptions + decisions + mails) as i64)
}
