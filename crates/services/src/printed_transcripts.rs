//! Transcripts of closed chats as PDF: asked for by staff, printed in the background, and shown in the chat.

use bytes::Bytes;
use serde_json::{Map, json};
use usher_domain::file::{self, File, FileState};
use usher_domain::message::Author;
use usher_domain::room::Room;
use usher_domain::transcript::{Manner, Sheet, file_name};
use usher_store::{Tx, q};

use crate::files::{ShownFile, add_made};
use crate::logins::Account;
use crate::ports::Storage;
use crate::rooms::{RoomWork, SystemMessage, may_read, system_user};
use crate::transcripts::messages_of;
use crate::{Error, Refusal, Services};

/// For how long a transcript that was asked for is not asked for again (milliseconds).
const PATIENCE: i64 = 15_000;

/// What the message says that shows the file.
const ANNOUNCEMENT: &str = "PDF Transcript successfully generated";

/// What became of the transcript that has been waited for longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printing {
    /// There is none that anybody waits for.
    NothingToDo,
    /// It is shown in its chat, unless that is gone.
    Printed,
    /// It cannot be printed, and nobody waits for it any more.
    Failed {
        /// The room whose transcript it was.
        room_id: String,
    },
}

impl Services {
    /// Has the transcript of a closed chat printed. One that is there already, or was asked for just now, is not printed again.
    ///
    /// # Errors
    ///
    /// There is no such room, the user may not read it, it is open, or this server keeps no files.
    pub async fn request_printed_transcript(&self, account: &Account, room_id: String) -> Result<(), Error> {
        let (platform, user, now) = (self.platform(), account.user.clone(), self.now());
        let keeps_files = self.outside.storage.is_some();
        self.store
            .write(move |tx| {
                let room = q::rooms::by_id(tx, &room_id)?.ok_or(Refusal::NoSuchRoom)?;
                if !may_read(tx, &platform, &user, &room)? {
                    return Err(Refusal::RoomNotAllowed.into());
                }
                if room.is_open {
                    return Err(Refusal::RoomStillOpen.into());
                }
                if !keeps_files {
                    return Err(Refusal::FilesDisabled.into());
                }
                want_printed(tx, &room, now)
            })
            .await?;
        self.transcript_is_wanted();
        Ok(())
    }

    /// Prints the transcript that has been waited for longest.
    ///
    /// # Errors
    ///
    /// Store or storage failed: then it is waited for on.
    pub async fn print_next_transcript(&self) -> Result<Printing, Error> {
        let Some(storage) = self.outside.storage.clone() else { return Ok(Printing::NothingToDo) };
        let platform = self.platform();
        let manner = Manner::of(&platform.settings);
        let next = self.store.read(move |tx| {
            let Some(room) = q::pdf_transcripts::next(tx)? else { return Ok(None) };
            let messages = messages_of(tx, &room)?;
            Ok::<Option<(Sheet, Room)>, Error>(Some((manner.sheet(&room, &messages), room)))
        });
        let Some((sheet, room)) = next.await? else { return Ok(Printing::NothingToDo) };
        let Some(bytes) = self.outside.printer.print(sheet).await else {
            let room_id = room.id.clone();
            self.store.write(move |tx| Ok::<_, Error>(q::pdf_transcripts::forget(tx, &room.id, None)?)).await?;
            return Ok(Printing::Failed { room_id });
        };
        let name = file::clean_name(&file_name(&platform.settings, &room, self.now()));
        self.show_printed(storage.as_ref(), room, name, bytes).await?;
        Ok(Printing::Printed)
    }

    /// Says that a transcript is to be printed.
    pub(crate) fn transcript_is_wanted(&self) {
        self.unprinted.notify_one();
    }

    /// Waits until a transcript is to be printed.
    pub async fn unprinted_transcript(&self) {
        self.unprinted.notified().await;
    }

    /// Keeps a printed transcript as a file of the chat, and shows it there.
    async fn show_printed(&self, storage: &dyn Storage, room: Room, name: String, bytes: Bytes) -> Result<(), Error> {
        let (ids, now, id) = (self.ids(), self.now(), self.new_id());
        // Nobody unlinks the file between its bytes and its row.
        let _writing = self.arrivals.hold(&id);
        let size = self.keep_made(storage, &id, bytes).await?;
        let file = printed(id, name, &room, size, now);
        let is_discarded = self
            .store
            .write(move |tx| {
                if !q::pdf_transcripts::forget(tx, &file.room_id, Some(&file.id))? {
                    // The chat is gone, or its transcript is there already.
                    q::files::discard(tx, &file.id, now)?;
                    return Ok(true);
                }
                let room = q::rooms::by_id(tx, &file.room_id)?.ok_or(Error::Broken("a room that was just changed is not there"))?;
                let mut ids = ids.clone();
                let mut work = RoomWork::on(tx, room, &mut ids, now);
                let mut details = Map::from_iter([("groupable".to_owned(), json!(false))]);
                ShownFile::of(file.clone()).describe(&mut details);
                let author = Author::from(&system_user());
                let shown =
                    SystemMessage { kind: None, text: ANNOUNCEMENT.to_owned(), author, details, is_news: true, is_hidden: false };
                let message = work.post(shown)?;
                add_made(work.tx, &File { message_id: Some(message.id), ..file.clone() }, None)?;
                work.finish().map(|_| false)
            })
            .await?;
        if is_discarded {
            self.unsealed.notify_one();
        }
        Ok(())
    }
}

/// Notes that the transcript of a room is wanted, unless it is there or somebody asked for it just now.
pub(crate) fn want_printed(tx: &mut Tx<'_>, room: &Room, now: i64) -> Result<(), Error> {
    let is_there = match &room.pdf_file_id {
        Some(file_id) => q::files::is_known(tx, file_id)?,
        None => false,
    };
    if !is_there {
        q::pdf_transcripts::request(tx, &room.id, now, now - PATIENCE)?;
    }
    Ok(())
}

/// The file of a transcript of this length in bytes.
fn printed(id: String, name: String, room: &Room, size: i64, now: i64) -> File {
    File {
        id,
        name,
        room_id: room.id.clone(),
        visitor_id: room.visitor_id.clone(),
        sender_id: system_user().id,
        media_type: "application/pdf".to_owned(),
        size,
        dimensions: None,
        state: FileState::Posted,
        message_id: None,
        created_at: now,
    }
}
