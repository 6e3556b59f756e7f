//! Handing files out.

use usher_domain::file::{File, FileState};
use usher_domain::settings::{FILE_MEMBERS_ONLY, FILE_PROTECTED};
use usher_domain::signed_link::LinkSigner;
use usher_domain::visitor::VisitorToken;
use usher_store::q;

use crate::logins::Account;
use crate::ports::Pieces;
use crate::rooms::may_read;
use crate::{Error, Refusal, Services};

/// Who wants a file.
#[derive(Debug, Clone)]
pub enum FileReader {
    /// The visitor with this token, as the one of this room.
    Visitor {
        /// The token.
        token: VisitorToken,
        /// The room.
        room_id: String,
    },
    /// A user.
    User(Box<Account>),
    /// Somebody who does not say who.
    Nobody,
}

impl Services {
    /// The file with this id, if `reader` may have it: whoever may read its room, or has a link with a token that opens it; an empty one
    /// opens nothing. A closed chat keeps its files.
    ///
    /// # Errors
    ///
    /// There is no such file, or the reader may not have it.
    pub async fn file(&self, id: String, reader: FileReader, link_token: String) -> Result<File, Error> {
        let platform = self.platform();
        let is_protected = platform.settings.get(&FILE_PROTECTED);
        let (signer, now) = (LinkSigner::of(&platform.settings), self.now());
        let members_only = platform.settings.get(&FILE_MEMBERS_ONLY);
        self.store
            .read(move |tx| {
                let found = q::files::by_id(tx, &id)?.filter(|file| file.state != FileState::Arriving);
                let file = found.ok_or(Refusal::NoSuchFile)?;
                let is_signed = signer.as_ref().is_some_and(|signer| signer.opens(&link_token, &file, now));
                let is_shown = file.state == FileState::Posted;
                let may_have = match &reader {
                    FileReader::Visitor { token, room_id } => {
                        is_shown && file.room_id == *room_id && q::rooms::for_posting(tx, token, room_id)?.is_some()
                    }
                    FileReader::User(account) if is_shown => {
                        let room = q::rooms::by_id(tx, &file.room_id)?.ok_or(Refusal::NoSuchFile)?;
                        let is_member = !members_only || q::subscriptions::of_user_in(tx, &room.id, &account.user.id)?.is_some();
                        is_member && may_read(tx, &platform, &account.user, &room)?
                    }
                    FileReader::User(account) => file.sender_id == account.user.id,
                    FileReader::Nobody => false,
                };
                if may_have || is_shown && (is_signed || !is_protected) { Ok(file) } else { Err(Refusal::FileNotAllowed.into()) }
            })
            .await
    }

    /// The bytes of a file from the first to the last of these places, both included; all of them without places.
    ///
    /// # Errors
    ///
    /// The storage failed, or has no such bytes.
    pub async fn bytes_of_file(&self, file: &File, places: Option<(u64, u64)>) -> Result<Pieces, Error> {
        let storage = self.outside.storage.as_ref().ok_or(Refusal::NoSuchFile)?;
        Ok(storage.fetch(&file.id, places).await?.ok_or(Refusal::NoSuchFile)?)
    }
}
