//! `POST omnichannel/{rid}/request-transcript`, and what closing a chat has printed.

use serde_json::{Value, json};
use usher_services::printed_transcripts::Printing;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::files::{fetched, fetched_by, kept, link, tidy};
use crate::permissions::{not_logged_in, not_permitted};
use crate::rooms::stage::Stage;
use crate::support::{KEEP_CONNECTION, plain, rows, tamper, usual};

fn path(room: &str) -> String {
    format!("/api/v1/omnichannel/{room}/request-transcript")
}

/// A closed chat that the agent `ana` served.
async fn closed_chat(stage: &Stage) -> (Login, String) {
    let ana = stage.agent("ana").await;
    let room = stage.room("token-1", "Mary", None).await;
    stage.serve(&room, "ana").await;
    stage.app.message("token-1", &room, "Hello?").await;
    stage.answer(&ana, &room, "Here I am.").await;
    stage.close(&room).await;
    (ana, room)
}

/// Prints all that is wanted. Gives how many transcripts that were.
async fn print_all(app: &TestApp) -> usize {
    for printed in 0.. {
        match app.services.print_next_transcript().await.expect("transcripts can be printed") {
            Printing::Printed => {}
            Printing::NothingToDo => return printed,
            Printing::Failed { room_id } => panic!("the transcript of {room_id} cannot be printed"),
        }
    }
    0
}

/// The message that shows the transcript, as the visitor sees it.
async fn shown(stage: &Stage, room: &str) -> Value {
    let answer = stage.app.get(&format!("/api/v1/livechat/messages.history/{room}?token=token-1&limit=1")).await.ok();
    answer["messages"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_chat_is_printed_once_and_shown_in_it() {
    for engine in Engine::all() {
        let stage = Stage::with(usual().setting("Site_Name", "Our shop"), &engine).await;
        let (ana, room) = closed_chat(&stage).await;
        assert_eq!(print_all(&stage.app).await, 0, "nothing is printed that nobody asked for");
        for _ in 0..2 {
            stage.post(&ana, &path(&room), &json!({})).await.is(200, &json!({"success": true}));
        }
        let before = stage.stored(&room).await;
        assert_eq!((before.pdf_file_id, print_all(&stage.app).await), (None, 1));
        stage.post(&ana, &path(&room), &json!({})).await.is(200, &json!({"success": true}));
        assert_eq!(print_all(&stage.app).await, 0, "one is enough");

        let message = shown(&stage, &room).await;
        assert_eq!(
            (&message["msg"], &message["u"]["username"]),
            (&json!("PDF Transcript successfully generated"), &json!("rocket.cat"))
        );
        assert_eq!(message.get("t"), None);
        let name = "Transcript_Our_shop_2024-01-31_Mary.pdf";
        assert_eq!((&message["file"]["name"], &message["file"]["type"]), (&json!(name), &json!("application/pdf")));
        for reply in
            [fetched(&stage.app, &link(&message), "token-1", &room).await, fetched_by(&stage.app, &link(&message), &ana).await]
        {
            assert_eq!((reply.status.as_u16(), &reply.headers["content-type"]), (200, &"application/pdf".parse().unwrap()));
            assert!(reply.bytes.starts_with(b"%PDF-") && reply.bytes.ends_with(b"%%EOF"));
        }
        let listed = stage.get(&stage.admin, "/api/v1/livechat/rooms").await.ok();
        assert_eq!(listed["rooms"][0]["pdfTranscriptFileId"], message["file"]["_id"]);
        assert_eq!((&listed["rooms"][0]["lastMessage"]["_id"], listed["rooms"][0].get("open")), (&message["_id"], None));
        assert!(stage.stored(&room).await.seq > before.seq, "whoever follows the room hears of it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_come_can_be_asked_for_again_and_one_that_is_gone_too() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room) = closed_chat(&stage).await;
        let requested_at = async || {
            let sql = "SELECT pdf_requested_at FROM rooms";
            let read = stage.app.services.store.read::<_, usher_store::StoreError, _>(move |tx| {
                tx.query(sql, usher_store::values![], |row| row.optional_integer(0))
            });
            read.await.expect("it can be read")[0]
        };
        stage.post(&ana, &path(&room), &json!({})).await.ok();
        let first = requested_at().await.expect("it was asked for");
        for (seconds, later) in [(14, 0), (1, 15_000), (15, 30_000)] {
            stage.seconds(seconds);
            stage.post(&ana, &path(&room), &json!({})).await.ok();
            assert_eq!(requested_at().await, Some(first + later));
        }
        assert_eq!((print_all(&stage.app).await, requested_at().await), (1, None));
        let message = shown(&stage, &room).await;
        let body = json!({"roomId": room, "msgId": message["_id"]});
        stage.post(&stage.admin, "/api/v1/chat.delete", &body).await.ok();
        stage.post(&ana, &path(&room), &json!({})).await.ok();
        assert_eq!(print_all(&stage.app).await, 1);
        assert_ne!(shown(&stage, &room).await["file"]["_id"], message["file"]["_id"]);
        tidy(&stage.app).await;
        assert_eq!(kept(&stage.app).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_readers_of_closed_chats_have_them_printed() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, bob) = (stage.agent("ana").await, stage.agent("bob").await);
        let user = stage.person("user", &["user"]).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        let before = rows(&stage.app).await;
        for (caller, room, status, expected) in [
            (&ana, room.as_str(), 400, plain("room-still-open")),
            (&bob, &room, 400, plain("error-not-allowed")),
            (&ana, "unknown", 400, plain("error-invalid-room")),
            (&user, &room, 403, not_permitted()),
        ] {
            stage.post(caller, &path(room), &json!({})).await.is(status, &expected);
        }
        stage.app.post(&path(&room), &json!({})).await.is(401, &not_logged_in());
        assert_eq!(rows(&stage.app).await, before);
        // A chat that nobody ever served is printed as well.
        let unserved = stage.room("token-2", "Bob", None).await;
        stage.close(&unserved).await;
        stage.post(&stage.admin, &path(&unserved), &json!({})).await.ok();
        assert_eq!(print_all(&stage.app).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_chat_can_have_it_printed() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let by_user = json!({"comment": "Done"});
        for (number, asked, expected) in [(1, json!(true), 1), (2, json!(false), 0), (3, Value::Null, 0)] {
            let room = stage.room(&format!("token-{number}"), "Mary", None).await;
            let mut body = by_user.clone();
            (body["rid"], body["generateTranscriptPdf"]) = (json!(room), asked);
            stage.post(&stage.admin, "/api/v1/livechat/room.closeByUser", &body).await.ok();
            assert_eq!(print_all(&stage.app).await, expected);
            assert_eq!(stage.stored(&room).await.pdf_file_id.is_some(), expected == 1);
        }
        // Where the visitor closes it, the agent's preference counts.
        for (token, prefers) in [("token-4", true), ("token-5", false)] {
            let body = json!({"data": {"omnichannelTranscriptPDF": prefers}});
            stage.post(&ana, "/api/v1/users.setPreferences", &body).await.ok();
            let room = stage.room(token, "Mary", None).await;
            stage.serve(&room, "ana").await;
            stage.app.post("/api/v1/livechat/room.close", &json!({"rid": room, "token": token})).await.ok();
            assert_eq!(print_all(&stage.app).await, usize::from(prefers));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_visitor_takes_the_transcript_along() {
    for engine in Engine::all() {
        let stage = Stage::with(usual().setting(KEEP_CONNECTION, "true"), &engine).await;
        let (ana, room) = closed_chat(&stage).await;
        stage.post(&ana, &path(&room), &json!({})).await.ok();
        print_all(&stage.app).await;
        assert_eq!(kept(&stage.app).len(), 1);
        // Another one is wanted and never made.
        tamper(&stage.app, "UPDATE rooms SET pdf_requested_at = 1").await;
        stage.app.delete("/api/v1/livechat/visitor/token-1").await.ok();
        assert_eq!(print_all(&stage.app).await, 0);
        tidy(&stage.app).await;
        assert_eq!(kept(&stage.app), Vec::<String>::new());
        assert_eq!(stage.app.services.unsealed_erasures().await, Ok(0));
    }
}
