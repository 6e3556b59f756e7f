//! What is held on a contact: counted, kept from being erased for a while, and exported.
//!
//! What there is to count and to export is what the registry of personal data names, so that it cannot differ from what erasing deletes.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
pub use usher_store::q::holds::Hold;
use usher_store::registry::Table;
use usher_store::{Anything, Tx, q};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Error, Refusal, Services};

/// How many rows an export reads at once.
const PAGE: i64 = 1_000;

/// How many bytes an export hands on at once.
const PIECE: usize = 64 << 10;

/// How many pieces of an export may wait for whoever reads it.
const WAITING: usize = 8;

/// What is held on a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// How many rows of each table, by its name.
    pub rows: Vec<(&'static str, i64)>,
    /// How many bytes its files have.
    pub file_bytes: i64,
    /// What keeps it from being erased, if something does.
    pub hold: Option<Hold>,
}

impl Services {
    /// What is held on a contact: what erasing it would delete, and an export would show.
    ///
    /// # Errors
    ///
    /// There is no such contact.
    pub async fn holdings(&self, contact_id: String) -> Result<Holdings, Error> {
        let now = self.now();
        self.store
            .read_long(move |tx| {
                check_contact(tx, &contact_id)?;
                let mut rows = Vec::new();
                for table in q::holdings::tables() {
                    rows.push((table.name, q::holdings::count(tx, table, &contact_id)?));
                }
                let hold = q::holds::of_contact(tx, &contact_id)?.filter(|hold| hold.ends_at > now);
                Ok(Holdings { rows, file_bytes: q::holdings::file_bytes(tx, &contact_id)?, hold })
            })
            .await
    }

    /// Keeps a contact from being erased until `ends_at` (milliseconds UTC), in place of what was said before.
    ///
    /// # Errors
    ///
    /// There is no such contact, or that time is over.
    pub async fn hold_contact(&self, contact_id: String, reason: String, ends_at: i64, user_id: String) -> Result<Hold, Error> {
        let now = self.now();
        if ends_at <= now {
            return Err(Refusal::HoldInThePast.into());
        }
        self.store
            .write(move |tx| {
                check_contact(tx, &contact_id)?;
                let hold = Hold { reason: reason.clone(), ends_at, placed_by: user_id.clone(), placed_at: now };
                q::holds::place(tx, &contact_id, &hold)?;
                Ok(hold)
            })
            .await
    }

    /// Lets a contact be erased again.
    ///
    /// # Errors
    ///
    /// There is no such contact, or nothing keeps it from being erased.
    pub async fn lift_hold(&self, contact_id: String) -> Result<(), Error> {
        self.store
            .write(move |tx| {
                check_contact(tx, &contact_id)?;
                if q::holds::lift(tx, &contact_id)? { Ok(()) } else { Err(Refusal::NoHold.into()) }
            })
            .await
    }

    /// All that is held on a contact, as the bytes of a ZIP file: a file with a JSON object in each line for every table, and the files of
    /// its chats. It is read page by page while it is fetched, and is nowhere on the disk.
    ///
    /// # Errors
    ///
    /// There is no such contact. What goes wrong later ends the bytes before their time.
    pub async fn export_contact(
        self: &Arc<Self>,
        contact_id: String,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let wanted = contact_id.clone();
        self.store.read(move |tx| check_contact(tx, &wanted)).await?;
        let (pieces, written) = mpsc::channel(WAITING);
        let (services, runtime) = (Arc::clone(self), Handle::current());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = services.write_export(&contact_id, Pipe(pieces.clone()), &runtime) {
                // Whoever fetched it is gone, or hears of it here.
                let _ = pieces.blocking_send(Err(error));
            }
        });
        Ok(stream::unfold(written, |mut written| async move { written.recv().await.map(|piece| (piece, written)) }))
    }

    fn write_export(&self, contact_id: &str, pipe: Pipe, runtime: &Handle) -> Result<(), Error> {
        let mut archive = ZipWriter::new_stream(BufWriter::with_capacity(PIECE, pipe));
        for table in q::holdings::tables() {
            archive.start_file(format!("{}.jsonl", table.name), SimpleFileOptions::default()).map_err(gone)?;
            let mut offset = 0;
            loop {
                let rows = runtime.block_on(self.page_of(table, contact_id.to_owned(), offset))?;
                // As one piece: each one costs about as much, however short it is.
                let lines: String = rows.iter().map(|row| format!("{}\n", line(table, row))).collect();
                archive.write_all(lines.as_bytes()).map_err(gone)?;
                offset += PAGE;
                if rows.len() < PAGE as usize {
                    break;
                }
            }
        }
        self.write_files(contact_id, &mut archive, runtime)?;
        archive.finish().map_err(gone)?.into_inner().flush().map_err(gone)
    }

    async fn page_of(&self, table: &'static Table, contact_id: String, offset: i64) -> Result<Vec<Vec<Anything>>, Error> {
        self.store.read_long(move |tx| q::holdings::page(tx, table, &contact_id, offset, PAGE).map_err(Error::from)).await
    }

    /// Writes the files of the contact's chats, each under its id and name.
    fn write_files<W: Write>(&self, contact_id: &str, archive: &mut Archive<W>, runtime: &Handle) -> Result<(), Error> {
        let Some(storage) = &self.outside.storage else { return Ok(()) };
        let contact = contact_id.to_owned();
        let visitors = runtime.block_on(self.store.read(move |tx| q::visitors::of_contact(tx, &contact).map_err(Error::from)))?;
        for (visitor_id, _) in visitors {
            let mut after = String::new();
            loop {
                let (visitor, from) = (visitor_id.clone(), after);
                let page = self.store.read(move |tx| q::files::of_visitor(tx, &visitor, &from, PAGE).map_err(Error::from));
                let page = runtime.block_on(page)?;
                let Some(last) = page.last() else { break };
                after = last.id.clone();
                for file in &page {
                    // One that was deleted meanwhile is not held any more.
                    let Some(mut pieces) = runtime.block_on(storage.fetch(&file.id, None))? else { continue };
                    let name = format!("files/{}-{}", file.id, file.name);
                    archive.start_file(name, SimpleFileOptions::default()).map_err(gone)?;
                    while let Some(piece) = runtime.block_on(pieces.next()) {
                        archive.write_all(&piece?).map_err(gone)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// An archive that is written from its beginning to its end.
type Archive<W> = ZipWriter<zip::write::StreamWriter<W>>;

/// Where the bytes of an export go.
struct Pipe(mpsc::Sender<Result<Bytes, Error>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nobody fetches the export any more.
fn gone(_: impl std::error::Error) -> Error {
    Error::Storage("an export was not fetched to its end")
}

/// A row as a JSON object in one line.
fn line(table: &Table, row: &[Anything]) -> Value {
    let members = table.columns.iter().zip(row).map(|((name, _), value)| ((*name).to_owned(), value.into()));
    Value::Object(members.collect::<Map<String, Value>>())
}

/// Refuses a contact that is not there.
fn check_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<(), Error> {
    let is_there = q::contacts::by_id(tx, contact_id)?.is_some() || !q::visitors::of_contact(tx, contact_id)?.is_empty();
    if is_there { Ok(()) } else { Err(Refusal::NoSuchContact.into()) }
}
