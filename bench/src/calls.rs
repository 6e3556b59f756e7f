//! The calls that are compared with a bare server: where they go, and what the bare server answers to them.

use std::path::Path;

use anyhow::{Context, Result};

/// A kind of call.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The file with the body of the bare server's answers.
    file: &'static str,
    /// Where it goes, as routers write it.
    pub path: &'static str,
    /// Whether it has a body.
    pub posts: bool,
}

/// A visitor's message.
pub const POST_MESSAGE: Kind = Kind { file: "message.json", path: "/api/v1/livechat/message", posts: true };

/// A visitor's page of the messages of its room.
pub const HISTORY: Kind = Kind { file: "history.json", path: "/api/v1/livechat/messages.history/{rid}", posts: false };

/// A visitor's room, opened if there is none.
pub const ROOM: Kind = Kind { file: "room.json", path: "/api/v1/livechat/room", posts: false };

/// An agent takes a chat.
pub const TAKE: Kind = Kind { file: "take.json", path: "/api/v1/livechat/inquiries.take", posts: true };

/// An agent writes.
pub const SEND_MESSAGE: Kind = Kind { file: "send.json", path: "/api/v1/chat.sendMessage", posts: true };

/// An agent closes a chat.
pub const CLOSE: Kind = Kind { file: "close.json", path: "/api/v1/livechat/room.closeByUser", posts: true };

/// A user asks who it is.
pub const ME: Kind = Kind { file: "me.json", path: "/api/v1/me", posts: false };

/// Every kind.
pub const ALL: [Kind; 7] = [POST_MESSAGE, HISTORY, ROOM, TAKE, SEND_MESSAGE, CLOSE, ME];

impl Kind {
    /// Stores what the bare server answers in `folder`.
    pub fn keep_answer(&self, folder: &Path, body: &[u8]) -> Result<()> {
        std::fs::write(folder.join(self.file), body).context("a sample answer cannot be written")
    }

    /// What is stored there; `None` if the bare server does not know the call.
    pub fn kept_answer(&self, folder: &Path) -> Result<Option<Vec<u8>>> {
        let path = folder.join(self.file);
        if !path.exists() {
            return Ok(None);
        }
        std::fs::read(&path).map(Some).with_context(|| format!("{} cannot be read", path.display()))
    }
}
