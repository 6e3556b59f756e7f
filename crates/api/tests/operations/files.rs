//! Files: `livechat/upload/{rid}`, `rooms.upload/{rid}`, `rooms.media/{rid}`, `rooms.mediaConfirm/{rid}/{fileId}`, and
//! `/file-upload/{id}/{name}`.

mod access;
mod disguises;
mod fetch;
mod media;
mod races;
mod removed;
mod upload;

use axum::http::Method;
use serde_json::Value;
use usher_testkit::application::{Call, Login, Reply};
use usher_testkit::{Form, TestApp};

/// The smallest picture: one pixel.
pub const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xfc\xcf\xc0P\x0f\
\0\x04\x85\x01\x80\x84\xa9\x8c!\0\0\0\0IEND\xaeB`\x82";

/// Begins to send a form for a room as the visitor with this token.
pub fn upload<'a>(app: &'a TestApp, token: &str, room: &str, form: Form) -> Call<'a> {
    app.call(Method::POST, &format!("/api/v1/livechat/upload/{room}")).header("x-visitor-token", token).form(form)
}

/// Sends a file as the visitor with this token. Gives the message.
pub async fn sent(app: &TestApp, token: &str, room: &str, form: Form) -> Value {
    upload(app, token, room, form).send().await.ok()
}

/// Where the file of a message is.
pub fn link(message: &Value) -> String {
    message["attachments"][0]["title_link"].as_str().expect("the message shows a file").to_owned()
}

/// Fetches a file as the visitor with this token.
pub async fn fetched(app: &TestApp, link: &str, token: &str, room: &str) -> Reply {
    app.get(&format!("{link}?rc_room_type=l&rc_rid={room}&rc_token={token}")).await
}

/// Fetches a file as a user.
pub async fn fetched_by(app: &TestApp, link: &str, login: &Login) -> Reply {
    app.call(Method::GET, link).as_user(login).send().await
}

/// The names of what is kept.
pub fn kept(app: &TestApp) -> Vec<String> {
    let entries = std::fs::read_dir(app.files.path()).expect("files are kept in a folder");
    entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
}

/// Lets the application do what it does in the background until nothing is left to do.
pub async fn tidy(app: &TestApp) {
    app.services.finish_erasures().await.expect("erasures can be finished");
}
