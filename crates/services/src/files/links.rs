//! Addresses of files that are told to other systems.

use usher_domain::message::Message;
use usher_domain::signed_link::LinkSigner;

use super::{ATTACHMENTS, FILE};
use crate::Services;

/// Makes the addresses of the files of messages, signed where settings say so.
pub struct FileLinks {
    site: String,
    signer: Option<LinkSigner>,
    now: i64,
}

impl Services {
    /// What makes addresses of files at this moment.
    pub fn file_links(&self) -> FileLinks {
        let platform = self.platform();
        FileLinks { site: platform.site().to_owned(), signer: LinkSigner::of(&platform.settings), now: self.now() }
    }
}

impl FileLinks {
    /// The whole address of the file that a message shows; `None` if it shows none.
    pub(crate) fn of(&self, message: &Message) -> Option<String> {
        let link = message.details.get(ATTACHMENTS)?.get(0)?.get("title_link")?.as_str()?;
        let file_id = message.details.get(FILE)?.get("_id")?.as_str()?;
        let address = format!("{}{link}", self.site);
        Some(match &self.signer {
            Some(signer) => format!("{address}?token={}", signer.token(file_id, &message.room_id, self.now)),
            None => address,
        })
    }
}
