//! `livechat/message`, `livechat/messages` and `livechat/messages.history`: what visitors write and read, and what users read of it.

mod batch;
mod history;
mod one;
mod post;
mod quotes;
mod written;
