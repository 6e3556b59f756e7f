//! `rooms.upload`, `rooms.media` and `rooms.mediaConfirm`: what users send.

use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use usher_testkit::Form;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use super::{PNG, fetched, fetched_by, kept, link, tidy};
use crate::chat::Desk;
use crate::support::{coded, history, made_id, plain};

async fn send(desk: &Desk, login: &Login, operation: &str, room: &str, form: Form) -> Reply {
    desk.app.call(Method::POST, &format!("/api/v1/{operation}/{room}")).as_user(login).form(form).send().await
}

async fn confirm(desk: &Desk, login: &Login, room: &str, file: &str, body: &Value) -> Reply {
    let path = format!("/api/v1/rooms.mediaConfirm/{room}/{file}");
    desk.app.call(Method::POST, &path).as_user(login).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sends_a_file_with_its_message() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let form = Form::file("offer.pdf", "application/pdf", b"%PDF-1.7")
            .with_text("msg", "Our offer")
            .with_text("description", "For you");
        let message = send(&desk, &desk.agent, "rooms.upload", &desk.room, form).await.ok()["message"].clone();
        assert_eq!((&message["msg"], &message["u"]["username"]), (&json!("Our offer"), &json!("ana")));
        assert_eq!(message["attachments"][0]["description"], "For you");
        assert_eq!(message["file"]["type"], "application/pdf");
        assert_eq!(message.get("fileUpload"), None);
        assert_eq!(fetched(&desk.app, &link(&message), "token-1", &desk.room).await.bytes, b"%PDF-1.7");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sends_a_file_and_confirms_it() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let (app, room) = (&desk.app, &desk.room);
        let answer = send(&desk, &desk.agent, "rooms.media", room, Form::file("a.png", "image/png", PNG)).await.ok();
        let id = made_id(&answer["file"]["_id"]).to_owned();
        let url = format!("/file-upload/{id}/a.png");
        assert_eq!(answer, json!({"file": {"_id": id, "url": url}, "success": true}));

        let before = app.get(&history(room, "token=token-1&limit=1")).await.ok();
        assert_eq!(before["messages"][0].get("file"), None, "nothing is posted yet");
        for (who, reply) in [
            ("its sender", fetched_by(app, &url, &desk.agent).await),
            ("an administrator", fetched_by(app, &url, &desk.admin).await),
            ("the visitor", fetched(app, &url, "token-1", room).await),
        ] {
            assert_eq!(reply.status.as_u16(), if who == "its sender" { 200 } else { 403 }, "{who}");
        }

        let body = json!({"msg": "See", "description": "A picture", "fileName": "x/new name.png"});
        let message = confirm(&desk, &desk.agent, room, &id, &body).await.ok()["message"].clone();
        assert_eq!((&message["msg"], &message["file"]["name"]), (&json!("See"), &json!("new name.png")));
        assert_eq!(message["attachments"][0]["description"], "A picture");
        assert_eq!(link(&message), format!("/file-upload/{id}/new%20name.png"));
        assert_eq!(fetched(app, &link(&message), "token-1", room).await.bytes, PNG);
        confirm(&desk, &desk.agent, room, &id, &body).await.is(400, &plain("invalid-file"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_by_those_who_may_read_the_room() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let form = || Form::file("a.png", "image/png", PNG);
        for operation in ["rooms.upload", "rooms.media"] {
            send(&desk, &desk.stranger, operation, &desk.room, form()).await.is(403, &plain("unauthorized"));
            send(&desk, &desk.agent, operation, "nowhere", form()).await.is(403, &plain("unauthorized"));
            let without = send(&desk, &desk.agent, operation, &desk.room, Form::default().with_text("msg", "Hi")).await;
            without.is(400, &coded("No file uploaded [error-no-file]", "error-no-file"));
            let drawn = send(&desk, &desk.agent, operation, &desk.room, Form::file("a.svg", "image/svg+xml", b"<svg/>")).await;
            drawn.is(400, &coded("File type is not allowed [error-invalid-file-type]", "error-invalid-file-type"));
        }
        let answer = send(&desk, &desk.agent, "rooms.media", &desk.room, form()).await.ok();
        let id = answer["file"]["_id"].as_str().unwrap();
        for (login, room, file) in
            [(&desk.admin, desk.room.as_str(), id), (&desk.agent, "nowhere", id), (&desk.agent, &desk.room, "nothing")]
        {
            confirm(&desk, login, room, file, &json!({})).await.is(400, &plain("invalid-file"));
        }
        desk.app.post("/api/v1/livechat/room.close", &json!({"token": "token-1", "rid": desk.room})).await.ok();
        send(&desk, &desk.agent, "rooms.upload", &desk.room, form()).await.is(400, &plain("room-closed"));
        confirm(&desk, &desk.agent, &desk.room, id, &json!({})).await.is(400, &plain("room-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_confirmed_is_gone_after_a_day() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let answer = send(&desk, &desk.agent, "rooms.media", &desk.room, Form::file("a.png", "image/png", PNG)).await.ok();
        let id = answer["file"]["_id"].as_str().unwrap().to_owned();
        desk.app.advance(Duration::from_secs(23 * 60 * 60));
        desk.app.services.forget_old().await.expect("old entries can be forgotten");
        tidy(&desk.app).await;
        assert_eq!(kept(&desk.app), [id.as_str()]);
        desk.app.advance(Duration::from_secs(2 * 60 * 60));
        desk.app.services.forget_old().await.expect("old entries can be forgotten");
        tidy(&desk.app).await;
        assert_eq!(kept(&desk.app), Vec::<String>::new());
        confirm(&desk, &desk.agent, &desk.room, &id, &json!({})).await.is(400, &plain("invalid-file"));
    }
}
