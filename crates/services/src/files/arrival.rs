//! Files on their way in.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::Sleep;
use usher_domain::file::{self, Acceptance, File, FileState, HEAD_BYTES};
use usher_domain::settings::{FILE_UPLOAD, FILE_UPLOAD_AT_ALL};
use usher_domain::visitor::VisitorToken;
use usher_store::{Tx, q};

use crate::logins::Account;
use crate::platform::Platform;
use crate::ports::{Storage, StorageFailure, StorageWriter};
use crate::rooms::may_read;
use crate::{Error, Refusal, Services};

/// How long a file may take to arrive.
pub const ARRIVAL_PATIENCE: Duration = Duration::from_secs(600);

/// The files that are arriving at this process, each with a way to stop it.
#[derive(Default)]
pub struct Arrivals(Mutex<HashMap<String, watch::Sender<bool>>>);

impl Arrivals {
    /// Notes that the bytes of a file are being written here, until what this gives is dropped.
    pub(crate) fn hold(&self, id: &str) -> Writing<'_> {
        Writing { arrivals: self, id: id.to_owned(), stopped: Some(self.begin(id)) }
    }

    fn begin(&self, id: &str) -> watch::Receiver<bool> {
        let (stop, stopped) = watch::channel(false);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), stop);
        stopped
    }

    fn end(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Stops a file that is arriving here, and waits until nobody writes its bytes any more.
    pub(super) async fn stop(&self, id: &str) {
        let stop = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(stop) = stop {
            // Nobody listens once it is over.
            let _ = stop.send(true);
            stop.closed().await;
        }
    }
}

/// The bytes of a file are being written. Whoever wants to unlink them waits until this is dropped.
pub(crate) struct Writing<'a> {
    arrivals: &'a Arrivals,
    id: String,
    stopped: Option<watch::Receiver<bool>>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.stopped = None;
        self.arrivals.end(&self.id);
    }
}

/// Who sends a file.
#[derive(Debug, Clone)]
pub enum FileSender {
    /// The visitor with this token.
    Visitor(VisitorToken),
    /// A user.
    User(Box<Account>),
}

/// Somebody who may send a file into a room, as far as could be seen.
pub struct FilePermit {
    services: Arc<Services>,
    storage: Arc<dyn Storage>,
    sender: FileSender,
    room_id: String,
}

/// A file that has arrived, or is about to. Dropped before a message shows it, it is removed.
pub struct Arrival {
    services: Arc<Services>,
    file: File,
    stopped: Option<watch::Receiver<bool>>,
    is_kept: bool,
}

impl Services {
    /// Looks whether somebody may send a file into a room.
    ///
    /// # Errors
    ///
    /// No files are taken from this sender, the sender may not read the room, or it is closed.
    pub async fn permit_file(self: &Arc<Self>, sender: FileSender, room_id: String) -> Result<FilePermit, Error> {
        let platform = self.platform();
        let are_taken = match sender {
            FileSender::Visitor(_) => platform.settings.get(&FILE_UPLOAD_AT_ALL) && platform.settings.get(&FILE_UPLOAD),
            FileSender::User(_) => platform.settings.get(&FILE_UPLOAD_AT_ALL),
        };
        let storage = self.outside.storage.clone().filter(|_| are_taken).ok_or(Refusal::FilesDisabled)?;
        let (asking, wanted) = (sender.clone(), room_id.clone());
        self.store.read(move |tx| admit(tx, &platform, &asking, &wanted).map(|_| ())).await?;
        Ok(FilePermit { services: Arc::clone(self), storage, sender, room_id })
    }
}

/// Whose room it is and who sends, if the sender may send a file into it: the ids of the visitor and of the sender.
fn admit(tx: &mut Tx<'_>, platform: &Platform, sender: &FileSender, room_id: &str) -> Result<(String, String), Error> {
    match sender {
        FileSender::Visitor(token) => {
            let found = q::rooms::for_posting(tx, token, room_id)?.filter(|room| room.is_open);
            let room = found.ok_or(Refusal::Unauthorized)?;
            if room.is_blocked {
                return Err(Refusal::ChannelBlocked.into());
            }
            Ok((room.visitor_id.clone(), room.visitor_id))
        }
        FileSender::User(account) => {
            let room = q::rooms::by_id(tx, room_id)?.ok_or(Refusal::Unauthorized)?;
            if !may_read(tx, platform, &account.user, &room)? {
                return Err(Refusal::Unauthorized.into());
            }
            if !room.is_open {
                return Err(Refusal::RoomClosed.into());
            }
            Ok((room.visitor_id, account.user.id.clone()))
        }
    }
}

impl FilePermit {
    /// The most bytes that a file may have; `None` for any number.
    pub fn most_bytes(&self) -> Option<u64> {
        self.acceptance().most_bytes
    }

    fn acceptance(&self) -> Acceptance {
        Acceptance::of(&self.services.platform().settings)
    }

    /// Takes a file: notes that it arrives, keeps its bytes, and notes what they are. Goes on when its caller leaves, until the bytes end.
    ///
    /// # Errors
    ///
    /// A file of this kind or length is not taken, the bytes did not all come in time, the storage failed, or the sender may not send
    /// into the room any more.
    pub async fn receive<S>(&self, name: &str, said: &str, pieces: S) -> Result<Arrival, Error>
    where
        S: Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static,
    {
        let acceptance = self.acceptance();
        if !said.is_empty() && !acceptance.takes(&file::essence(said)) {
            return Err(Refusal::FileTypeNotAllowed.into());
        }
        let arrival = self.begin(file::clean_name(name)).await?;
        let writer = self.storage.begin(&arrival.file.id);
        let said = said.to_owned();
        let receiving = tokio::spawn(async move { arrival.receive(writer, pieces, &said, &acceptance).await });
        receiving.await.unwrap_or(Err(Error::Broken("receiving a file panicked")))
    }

    /// Notes that a file begins to arrive.
    async fn begin(&self, name: String) -> Result<Arrival, Error> {
        let services = &self.services;
        let (platform, id, now) = (services.platform(), services.new_id(), services.now());
        let (sender, room_id, new) = (self.sender.clone(), self.room_id.clone(), id.clone());
        let stopped = Some(services.arrivals.begin(&id));
        let mut arrival = Arrival { services: Arc::clone(services), file: arriving(id, name, now), stopped, is_kept: false };
        let admitted = services.store.write(move |tx| {
            let (visitor_id, sender_id) = admit(tx, &platform, &sender, &room_id)?;
            q::files::insert(tx, &new, &room_id, &visitor_id, &sender_id, now)?;
            Ok::<_, Error>((visitor_id, sender_id))
        });
        let (visitor_id, sender_id) = admitted.await?;
        arrival.file = File { room_id: self.room_id.clone(), visitor_id, sender_id, ..arrival.file.clone() };
        Ok(arrival)
    }
}

fn arriving(id: String, name: String, now: i64) -> File {
    File {
        id,
        name,
        room_id: String::new(),
        visitor_id: String::new(),
        sender_id: String::new(),
        media_type: String::new(),
        size: 0,
        dimensions: None,
        state: FileState::Arriving,
        message_id: None,
        created_at: now,
    }
}

impl Arrival {
    async fn receive<S>(
        mut self,
        mut writer: Box<dyn StorageWriter>,
        pieces: S,
        said: &str,
        acceptance: &Acceptance,
    ) -> Result<Arrival, Error>
    where
        S: Stream<Item = Result<Bytes, Error>> + Send + Unpin,
    {
        let stopped = self.stopped.take().ok_or(Error::Broken("a file arrives twice"))?;
        let mut pieces = Arriving { pieces, stopped, end: Box::pin(tokio::time::sleep(ARRIVAL_PATIENCE)) };
        let received = match write_all(writer.as_mut(), &mut pieces, said, acceptance).await {
            Ok(received) => received,
            Err(error) => {
                // What is left is unlinked with the row.
                let _ = writer.abort().await;
                return Err(error);
            }
        };
        self.file = File {
            media_type: received.media_type,
            size: i64::try_from(received.size).unwrap_or(i64::MAX),
            dimensions: received.dimensions,
            state: FileState::Stored,
            ..self.file.clone()
        };
        // Whoever stops it waits until nobody writes its bytes any more.
        drop(pieces);
        let file = self.file.clone();
        let is_there = self.services.store.write(move |tx| q::files::store(tx, &file).map_err(Error::from)).await?;
        if is_there { Ok(self) } else { Err(Refusal::Unauthorized.into()) }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The file stays, though no message shows it yet.
    pub fn keep(mut self) -> File {
        self.is_kept = true;
        self.file.clone()
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.stopped = None;
        self.services.arrivals.end(&self.file.id);
        if self.is_kept {
            return;
        }
        let (services, id) = (Arc::clone(&self.services), self.file.id.clone());
        tokio::spawn(async move { services.discard_file(id).await });
    }
}

/// What was received.
struct Received {
    media_type: String,
    size: u64,
    dimensions: Option<(i64, i64)>,
}

/// The pieces of a file, until somebody stops it or it takes too long.
struct Arriving<S> {
    pieces: S,
    stopped: watch::Receiver<bool>,
    end: Pin<Box<Sleep>>,
}

impl<S: Stream<Item = Result<Bytes, Error>> + Send + Unpin> Arriving<S> {
    /// The next piece. Only here a file is stopped: what is handed to the storage is written to its end, so that nobody writes any more
    /// once this file is given up.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        tokio::select! {
            biased;
            _ = self.stopped.changed() => Err(Refusal::Unauthorized.into()),
            () = &mut self.end => Err(Refusal::FileInterrupted.into()),
            piece = self.pieces.next() => piece.transpose(),
        }
    }
}

async fn write_all<S>(
    writer: &mut dyn StorageWriter,
    pieces: &mut Arriving<S>,
    said: &str,
    acceptance: &Acceptance,
) -> Result<Received, Error>
where
    S: Stream<Item = Result<Bytes, Error>> + Send + Unpin,
{
    let too_large = || Refusal::FileTooLarge { most: acceptance.most_bytes.unwrap_or(u64::MAX) };
    let mut head = BytesMut::new();
    while head.len() < HEAD_BYTES
        && let Some(piece) = pieces.next().await?
    {
        head.extend_from_slice(&piece);
        if !acceptance.takes_size(head.len() as u64) {
            return Err(too_large().into());
        }
    }
    let media_type = file::media_type(&head, said);
    if !acceptance.takes(&media_type) {
        return Err(Refusal::FileTypeNotAllowed.into());
    }
    let dimensions = file::dimensions(&head, &media_type);
    let mut size = head.len() as u64;
    writer.write(head.freeze()).await?;
    while let Some(piece) = pieces.next().await? {
        size += piece.len() as u64;
        if !acceptance.takes_size(size) {
            return Err(too_large().into());
        }
        writer.write(piece).await?;
    }
    writer.finish().await?;
    Ok(Received { media_type, size, dimensions })
}

impl From<StorageFailure> for Error {
    fn from(failure: StorageFailure) -> Error {
        Error::Storage(failure.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    /// Two pieces, and then nothing more for ever.
    fn arriving(stopped: watch::Receiver<bool>) -> Arriving<impl Stream<Item = Result<Bytes, Error>> + Send + Unpin> {
        let two = stream::iter(["one", "two"].map(|text| Ok(Bytes::from(text))));
        Arriving { pieces: two.chain(stream::pending()), stopped, end: Box::pin(tokio::time::sleep(ARRIVAL_PATIENCE)) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_stopped_while_it_waits_for_its_next_bytes() {
        let arrivals = Arrivals::default();
        let mut pieces = arriving(arrivals.begin("file"));
        for text in ["one", "two"] {
            assert_eq!(pieces.next().await, Ok(Some(Bytes::from(text))));
        }
        let receiving = async {
            let next = pieces.next().await;
            drop(pieces);
            next
        };
        let (next, ()) = tokio::join!(receiving, arrivals.stop("file"));
        assert_eq!(next, Err(Refusal::Unauthorized.into()), "and whoever stopped it waited until nobody writes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_has_ten_minutes_in_all() {
        let arrivals = Arrivals::default();
        let mut pieces = arriving(arrivals.begin("file"));
        for _ in 0..2 {
            assert!(pieces.next().await.is_ok_and(|piece| piece.is_some()));
        }
        let within = |seconds| Duration::from_secs(seconds);
        assert!(tokio::time::timeout(within(599), pieces.next()).await.is_err(), "not before");
        assert_eq!(tokio::time::timeout(within(2), pieces.next()).await, Ok(Err(Refusal::FileInterrupted.into())));
    }
}
