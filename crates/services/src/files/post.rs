//! Messages that show files.

use serde_json::{Map, Value, json};
use usher_domain::file::{self, File, FileState};
use usher_domain::message::Message;
use usher_domain::visitor::VisitorToken;
use usher_store::{Tx, q};

use super::Arrival;
use super::previews::can_have_preview;
use crate::logins::Account;
use crate::messages::{UserMessage, VisitorMessage};
use crate::{Error, Refusal, Services};

/// What is said of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caption {
    /// The text of the message.
    pub text: String,
    /// What stands below the file.
    pub description: String,
    /// What the file is called, if it is not what it came as.
    pub name: Option<String>,
    /// The message that it answers.
    pub thread: Option<String>,
}

/// A file that a message is to show.
#[derive(Debug, Clone)]
pub(crate) struct ShownFile {
    file: File,
    description: String,
}

impl ShownFile {
    /// A file of which nothing more is said.
    pub(crate) fn of(file: File) -> ShownFile {
        ShownFile { file, description: String::new() }
    }

    /// Adds to the details of the message what it shows.
    pub(crate) fn describe(&self, details: &mut Map<String, Value>) {
        let reference = self.file.reference();
        details.insert(FILES.to_owned(), json!([reference]));
        details.insert(FILE.to_owned(), reference);
        details.insert(SIZE.to_owned(), self.file.size.into());
        let attachments = details.entry(ATTACHMENTS).or_insert_with(|| json!([]));
        if let Some(attachments) = attachments.as_array_mut() {
            attachments.insert(0, self.file.attachment(&self.description));
        }
    }

    /// Notes which message shows it.
    pub(crate) fn post(&self, tx: &mut Tx<'_>, message_id: &str) -> Result<(), Error> {
        let is_posted = q::files::post(tx, &self.file.id, message_id, &self.file.name, can_have_preview(&self.file))?;
        if is_posted { Ok(()) } else { Err(Refusal::NoSuchFile.into()) }
    }
}

/// Of the details of a message, the file that it shows.
pub(crate) const FILE: &str = "file";

/// The same as a list.
pub(crate) const FILES: &str = "files";

/// What is attached to it.
pub(crate) const ATTACHMENTS: &str = "attachments";

/// Of the details of a message, the length of its file in bytes, which only documents for the visitor show.
pub(crate) const SIZE: &str = "fileSize";

impl Services {
    /// Stores the message by which a visitor's file is shown.
    ///
    /// # Errors
    ///
    /// No message can be posted there by now. Then the file is removed.
    pub async fn post_visitor_file(&self, token: VisitorToken, arrival: Arrival, caption: Caption) -> Result<Message, Error> {
        let file = arrival.file();
        let message = VisitorMessage { room_id: file.room_id.clone(), text: caption.text.clone(), id: None };
        let posted = self.post_with_file(token, message, shown(file.clone(), caption)).await?;
        arrival.keep();
        self.without_preview.notify_one();
        Ok(posted)
    }

    /// Stores the message by which a user's file is shown.
    ///
    /// # Errors
    ///
    /// No message can be posted there by now. Then the file is removed.
    pub async fn post_file(&self, account: &Account, arrival: Arrival, caption: Caption) -> Result<Message, Error> {
        let posted = self.post_stored(account, arrival.file().clone(), caption).await?;
        arrival.keep();
        Ok(posted)
    }

    /// Stores the message by which a file is shown that the user sent before.
    ///
    /// # Errors
    ///
    /// There is no such file of the user in the room, a message shows it already, or none can be posted there.
    pub async fn confirm_file(
        &self,
        account: &Account,
        room_id: String,
        file_id: String,
        caption: Caption,
    ) -> Result<Message, Error> {
        let found = self.store.read(move |tx| q::files::by_id(tx, &file_id).map_err(Error::from)).await?;
        let is_own = |file: &File| file.room_id == room_id && file.sender_id == account.user.id && file.state == FileState::Stored;
        self.post_stored(account, found.filter(is_own).ok_or(Refusal::NoSuchFile)?, caption).await
    }

    async fn post_stored(&self, account: &Account, file: File, caption: Caption) -> Result<Message, Error> {
        let mut details = Map::new();
        if let Some(thread) = &caption.thread {
            details.insert("tmid".to_owned(), thread.as_str().into());
        }
        let message = UserMessage { room_id: file.room_id.clone(), text: caption.text.clone(), id: None, details };
        let posted = self.post_user_message_with(account, message, Some(shown(file, caption))).await?;
        self.without_preview.notify_one();
        Ok(posted)
    }
}

fn shown(file: File, caption: Caption) -> ShownFile {
    let name = caption.name.map_or_else(|| file.name.clone(), |name| file::clean_name(&name));
    ShownFile { file: File { name, ..file }, description: caption.description }
}
