//! Smaller pictures of pictures, made after the message was posted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::Value;
use usher_domain::ChangeKind;
use usher_domain::file::{File, FileState, is_safe_picture};
use usher_domain::id::Sequence;
use usher_domain::message::Message;
use usher_store::{Tx, q};

use super::made::add_made;
use super::post::ATTACHMENTS;
use crate::ports::{Preview, SmallPicture, Storage};
use crate::rooms::RoomWork;
use crate::{Error, Services};

/// The largest picture of which a smaller one is made, in bytes.
const MOST_BYTES: i64 = 20 << 20;

/// The same, in pixels: a small file can hold a picture that fills all memory.
const MOST_PIXELS: i64 = 40_000_000;

/// Whether a smaller picture of a file is made.
pub(super) fn can_have_preview(file: &File) -> bool {
    let is_bounded = |(width, height): (i64, i64)| width > 0 && height > 0 && width.saturating_mul(height) <= MOST_PIXELS;
    is_safe_picture(&file.media_type) && file.size <= MOST_BYTES && file.dimensions.is_some_and(is_bounded)
}

impl Services {
    /// Makes the smaller picture that has been waited for longest. Gives whether there was one to make.
    ///
    /// # Errors
    ///
    /// Store or storage failed: then it waits on.
    pub async fn make_next_preview(&self) -> Result<bool, Error> {
        let Some(storage) = self.outside.storage.clone() else { return Ok(false) };
        let Some(file) = self.store.read(|tx| q::files::next_without_preview(tx).map_err(Error::from)).await? else {
            return Ok(false);
        };
        let preview = match self.bytes_to_look_at(storage.as_ref(), &file).await? {
            Some(bytes) => self.outside.pictures.preview(bytes).await,
            None => None,
        };
        match preview {
            Some(preview) => self.keep_preview(storage.as_ref(), file, preview).await?,
            // What cannot be drawn stays as it is.
            None => self.store.write(move |tx| q::files::note_preview(tx, &file.id).map(|_| ()).map_err(Error::from)).await?,
        }
        Ok(true)
    }

    /// Waits until a picture was posted.
    pub async fn picture_without_preview(&self) {
        self.without_preview.notified().await;
    }

    async fn bytes_to_look_at(&self, storage: &dyn Storage, file: &File) -> Result<Option<Bytes>, Error> {
        let Some(mut pieces) = storage.fetch(&file.id, None).await? else { return Ok(None) };
        let mut bytes = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(Some(bytes.freeze()))
    }

    /// Keeps the smaller picture, if it is worth one, as a file of its own, and shows it in the message.
    async fn keep_preview(&self, storage: &dyn Storage, file: File, preview: Preview) -> Result<(), Error> {
        let (ids, now) = (self.ids(), self.now());
        // Nobody unlinks the smaller picture between its bytes and its row.
        let id = self.new_id();
        let _writing = self.arrivals.hold(&id);
        let small = match preview.small {
            Some(picture) => Some(self.keep_small_picture(storage, &file, id, picture).await?),
            None => None,
        };
        let is_discarded = self
            .store
            .write(move |tx| {
                if !q::files::note_preview(tx, &file.id)? {
                    // The picture is gone: the smaller one goes with it.
                    if let Some(small) = &small {
                        q::files::discard(tx, &small.id, now)?;
                    }
                    return Ok(true);
                }
                if let Some(small) = &small {
                    add_made(tx, small, Some(&file.id))?;
                }
                show(tx, &file, small.as_ref(), &preview.tiny, &mut ids.clone(), now)?;
                Ok::<bool, Error>(false)
            })
            .await?;
        if is_discarded {
            self.unsealed.notify_one();
        }
        Ok(())
    }

    /// Keeps the bytes of a smaller picture. They go again if it gets no row.
    async fn keep_small_picture(
        &self,
        storage: &dyn Storage,
        file: &File,
        id: String,
        picture: SmallPicture,
    ) -> Result<File, Error> {
        let now = self.now();
        let size = self.keep_made(storage, &id, picture.bytes).await?;
        let media_type = picture.media_type.to_owned();
        let dimensions = Some(picture.dimensions);
        Ok(File { id, media_type, size, dimensions, state: FileState::Posted, created_at: now, ..file.clone() })
    }
}

/// Shows previews in the message of a picture.
fn show(tx: &mut Tx<'_>, file: &File, small: Option<&File>, tiny: &[u8], ids: &mut Sequence, now: i64) -> Result<(), Error> {
    let Some(message_id) = &file.message_id else { return Ok(()) };
    let Some(mut message) = q::messages::by_id(tx, message_id)?.filter(|message| !message.is_deleted) else { return Ok(()) };
    let Some(room) = q::rooms::by_id(tx, &message.room_id)? else { return Ok(()) };
    let Some(attachment) = attachment_of(&mut message, file) else { return Ok(()) };
    if let Some(small) = small {
        attachment["image_url"] = small.link().into();
    }
    attachment["image_preview"] = STANDARD.encode(tiny).into();
    message.updated_at = now;
    q::messages::change(tx, &message)?;
    let mut work = RoomWork::on(tx, room, ids, now);
    work.note(ChangeKind::MessageChanged, &message.id)?;
    Ok(q::rooms::save_posted(work.tx, &work.room)?)
}

/// The attachment by which a message shows a picture.
fn attachment_of<'a>(message: &'a mut Message, file: &File) -> Option<&'a mut Value> {
    let link = file.link();
    let attachments = message.details.get_mut(ATTACHMENTS)?.as_array_mut()?;
    attachments.iter_mut().find(|attachment| attachment.get("title_link").is_some_and(|known| *known == *link))
}
