//! `POST livechat/transcript`, `POST` and `DELETE livechat/transcript/{rid}`; printed ones.

mod printed;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::message::{Message, TRANSCRIPT_SENT};
use usher_domain::room::{Room, TranscriptRequest};
use usher_services::Error;
use usher_store::q;
use usher_testkit::application::{Login, Reply};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::mails::{sent, with_mail};
use crate::permissions::{not_logged_in, not_permitted, post};
use crate::support::{WITHOUT_AGENTS, coded, plain, rows, stored_visitor, tamper};

const TRANSCRIPT: &str = "/api/v1/livechat/transcript";

/// Where the transcript of a room is asked for in advance.
fn of_room(room: &str) -> String {
    format!("{TRANSCRIPT}/{room}")
}

fn setup() -> Setup {
    with_mail().setting(WITHOUT_AGENTS, "true")
}

/// The visitor `token-1` with a message in its room, whose id it gives.
async fn chat(app: &TestApp) -> String {
    app.register("token-1", "Mary").await;
    let room = app.room("token-1").await;
    app.message("token-1", &room, "Hello <b>there</b>").await;
    room
}

fn wanted(room: &str) -> Value {
    json!({"rid": room, "token": "token-1", "email": "mary@example.com"})
}

async fn stored_room(app: &TestApp, id: &str) -> Room {
    let id = id.to_owned();
    let read = app.services.store.read::<_, Error, _>(move |tx| Ok(q::rooms::by_id(tx, &id)?));
    read.await.expect("rooms can be read").expect("there is such a room")
}

/// The messages that say that a transcript was sent.
pub async fn notes(app: &TestApp, room: &str) -> Vec<Message> {
    let room = room.to_owned();
    let read = app.services.store.read::<_, Error, _>(move |tx| Ok(q::messages::of_kind(tx, &room, TRANSCRIPT_SENT, 100, 0)?.0));
    read.await.expect("messages can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_gets_its_chat_in_writing() {
    let answer = json!({"message": "Omnichannel transcript sent", "success": true});
    for engine in Engine::all() {
        let app = setup().start(&engine).await;
        let room = chat(&app).await;
        let before = stored_room(&app, &room).await;
        app.post(TRANSCRIPT, &wanted(&room)).await.is(200, &answer);
        let mails = sent(&app).await;
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("mary@example.com", "Transcript of your omnichannel conversation."));
        assert_eq!(mail.text, "Transcript of your chat\n\nYou (2024-01-31 12:00:00 UTC)\nHello <b>there</b>\n\n");
        assert!(mail.html.contains("Hello &lt;b&gt;there&lt;/b&gt;"), "{}", mail.html);

        // The room says that it was sent, and never by a token.
        let visitor = stored_visitor(&app, "token-1").await;
        let notes = notes(&app, &room).await;
        assert_eq!(notes.len(), 1);
        assert_eq!((notes[0].author.username.as_str(), notes[0].text.as_str()), ("rocket.cat", ""));
        let of_visitor = json!({"_id": visitor.id, "username": visitor.username, "token": visitor.id, "status": "online"});
        let data = json!({"type": "visitor", "visitor": of_visitor, "user": {"_id": "rocket.cat", "username": "rocket.cat"}});
        assert_eq!(Value::from(notes[0].details.clone()), json!({"requestData": data}));
        let after = stored_room(&app, &room).await;
        assert_eq!((after.message_count, after.last_message_id), (before.message_count + 1, before.last_message_id));
        assert!(after.seq > before.seq, "whoever follows the room hears of it");

        // A second one is like the first: what says that it was sent is in none.
        app.post(TRANSCRIPT, &wanted(&room)).await.is(200, &answer);
        let mails = sent(&app).await;
        assert_eq!((mails.len(), &mails[1].text), (2, &mails[0].text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_chat_has_a_transcript_too_and_clients_may_send_a_subject() {
    for engine in Engine::all() {
        let app = setup().setting("Livechat_transcript_email_subject", "Your chat with us").start(&engine).await;
        let room = chat(&app).await;
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        let mut body = wanted(&room);
        body["subject"] = json!("Mine");
        body["email"] = json!(" a@b ");
        app.post(TRANSCRIPT, &body).await.ok();
        let mails = sent(&app).await;
        assert_eq!((mails[0].to.as_str(), mails[0].subject.as_str()), ("a@b", "Your chat with us"));
    }
}

/// The calls work without a mail server.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_a_transcript_waits() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let room = chat(&app).await;
        app.post(TRANSCRIPT, &wanted(&room)).await.ok();
        assert!(sent(&app).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_that_cannot_be_are_refused() {
    let schema = |told: &str| coded(told, "invalid-params");
    for engine in Engine::all() {
        let app = setup().start(&engine).await;
        let room = chat(&app).await;
        app.register("token-2", "John").await;
        let with = |name: &str, value: Value| {
            let mut body = wanted(&room);
            if value.is_null() {
                body.as_object_mut().expect("it is an object").remove(name);
            } else {
                body[name] = value;
            }
            body
        };
        let not_theirs = plain("error-invalid-visitor");
        let before = rows(&app).await;
        for (body, expected) in [
            (with("rid", Value::Null), schema("must have required property 'rid'")),
            (with("token", Value::Null), schema("must have required property 'token'")),
            (with("email", Value::Null), schema("must have required property 'email'")),
            (with("other", json!(1)), schema("must NOT have additional properties")),
            (with("rid", json!("unknown")), plain("error-invalid-room")),
            (with("token", json!("token-2")), not_theirs.clone()),
            (with("token", json!("unknown")), not_theirs.clone()),
            (with("token", json!("")), not_theirs.clone()),
            // A visitor's id is no secret, and opens nothing to a visitor.
            (with("token", json!(stored_visitor(&app, "token-1").await.id)), not_theirs.clone()),
            (with("email", json!("nonsense")), coded("[invalid email]", "invalid email")),
            (with("email", json!("")), coded("[invalid email]", "invalid email")),
            (with("email", json!("a@b\r\nBcc: c@d")), coded("[invalid email]", "invalid email")),
        ] {
            app.post(TRANSCRIPT, &body).await.is(400, &expected);
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_five_transcripts_a_minute() {
    for engine in Engine::all() {
        let app = setup().with_rate_limits().start(&engine).await;
        let room = chat(&app).await;
        for _ in 0..5 {
            app.post(TRANSCRIPT, &wanted(&room)).await.ok();
        }
        let refused = app.post(TRANSCRIPT, &wanted(&room)).await;
        assert_eq!((refused.status.as_u16(), &refused.headers["retry-after"]), (429, &axum::http::HeaderValue::from(12)));
        app.advance(Duration::from_secs(12));
        app.post(TRANSCRIPT, &wanted(&room)).await.ok();
    }
}

async fn discard(app: &TestApp, login: &Login, room: &str) -> Reply {
    app.call(Method::DELETE, &of_room(room)).as_user(login).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_asked_for_in_advance_and_no_longer_wanted() {
    let body = json!({"email": "mary@example.com", "subject": "Your chat"});
    let done = json!({"success": true});
    for engine in Engine::all() {
        let app = setup().start(&engine).await;
        let room = chat(&app).await;
        let manager = app.user("manager", &["livechat-manager"]).await;
        let before = stored_room(&app, &room).await;
        post(&app, &manager, &of_room(&room), &body).await.is(200, &done);
        let request = TranscriptRequest {
            requested_at: START,
            user_id: manager.user_id.clone(),
            username: "manager".to_owned(),
            name: Some("manager".to_owned()),
            email: "mary@example.com".to_owned(),
            subject: "Your chat".to_owned(),
        };
        let after = stored_room(&app, &room).await;
        assert_eq!((after.transcript_request, after.seq), (Some(request), before.seq + 1));
        let twice =
            coded("Transcript already requested [error-transcript-already-requested]", "error-transcript-already-requested");
        post(&app, &manager, &of_room(&room), &body).await.is(400, &twice);
        assert!(sent(&app).await.is_empty() && notes(&app, &room).await.is_empty(), "nothing is sent before the chat is closed");

        discard(&app, &manager, &room).await.is(200, &done);
        assert_eq!(stored_room(&app, &room).await.transcript_request, None);
        discard(&app, &manager, &room).await.is(400, &plain("error-transcript-not-requested"));
        post(&app, &manager, &of_room(&room), &body).await.is(200, &done);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_are_refused() {
    let schema = |told: &str| coded(&format!("{told} [invalid-params]"), "invalid-params");
    let no_room = coded("Invalid room [error-invalid-room]", "error-invalid-room");
    let good = json!({"email": "mary@example.com", "subject": ""});
    for engine in Engine::all() {
        let app = setup().start(&engine).await;
        let room = chat(&app).await;
        let (manager, agent) = (app.user("manager", &["livechat-manager"]).await, app.user("agent", &["livechat-agent"]).await);
        let before = rows(&app).await;
        for (body, expected) in [
            (json!({"subject": ""}), schema("must have required property 'email'")),
            (json!({"email": "mary@example.com"}), schema("must have required property 'subject'")),
            (json!({"email": "mary@example.com", "subject": "", "other": 1}), schema("must NOT have additional properties")),
            (json!({"email": "nonsense", "subject": ""}), coded("[invalid email]", "invalid email")),
        ] {
            post(&app, &manager, &of_room(&room), &body).await.is(400, &expected);
        }
        post(&app, &manager, &of_room("unknown"), &good).await.is(400, &no_room);
        discard(&app, &manager, "unknown").await.is(400, &plain("error-invalid-room"));
        app.post(&of_room(&room), &good).await.is(401, &not_logged_in());
        app.delete(&of_room(&room)).await.is(401, &not_logged_in());
        post(&app, &agent, &of_room(&room), &good).await.is(403, &not_permitted());
        discard(&app, &agent, &room).await.is(403, &not_permitted());
        assert_eq!(rows(&app).await, before);

        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        post(&app, &manager, &of_room(&room), &good).await.is(400, &no_room);
        discard(&app, &manager, &room).await.is(400, &plain("error-invalid-room"));
    }
}
