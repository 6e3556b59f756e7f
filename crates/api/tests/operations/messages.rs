//! `POST livechat/message` and `GET livechat/messages.history/{rid}`.

mod history;
mod post;
