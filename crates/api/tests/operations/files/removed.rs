//! Files that go: with their message, with their visitor; and the smaller pictures of pictures.

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp, picture};

use super::{fetched, kept, link, sent, tidy};
use crate::support::{KEEP_CONNECTION, history, usual};

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_message_takes_its_file_with_it() {
    for (setting, stays) in [("false", 0), ("true", 1)] {
        for engine in Engine::all() {
            let app = usual().setting("Message_KeepHistory", setting).start(&engine).await;
            app.register("token-1", "Mary").await;
            let room = app.room("token-1").await;
            let message = sent(&app, "token-1", &room, Form::file("a.txt", "text/plain", b"words")).await;
            let path = format!("/api/v1/livechat/message/{}", message["_id"].as_str().unwrap());
            app.call(Method::DELETE, &path).json(&json!({"token": "token-1", "rid": room})).send().await.ok();
            tidy(&app).await;
            assert_eq!(kept(&app).len(), stays, "history is kept: {setting}");
            let status = fetched(&app, &link(&message), "token-1", &room).await.status.as_u16();
            assert_eq!(status, if stays == 0 { 404 } else { 200 });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_visitor_takes_all_files_with_it_and_nobody_elses() {
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").start(&engine).await;
        let mut files = Vec::new();
        for (token, name) in [("token-1", "Mary"), ("token-2", "Bob")] {
            app.register(token, name).await;
            let room = app.room(token).await;
            for number in 0..3 {
                let form = Form::file(&format!("{number}.txt"), "text/plain", name.as_bytes());
                files.push((token, room.clone(), link(&sent(&app, token, &room, form).await)));
            }
        }
        app.delete("/api/v1/livechat/visitor/token-1").await.ok();
        tidy(&app).await;
        assert_eq!(kept(&app).len(), 3);
        for (token, room, file) in files {
            let reply = fetched(&app, &file, token, &room).await;
            if token == "token-1" {
                assert_eq!(reply.status.as_u16(), 404);
            } else {
                assert_eq!((reply.status.as_u16(), reply.bytes.as_slice()), (200, &b"Bob"[..]));
            }
        }
        assert_eq!(app.services.unsealed_erasures().await, Ok(0));
    }
}

async fn newest(app: &TestApp, room: &str) -> Value {
    app.get(&history(room, "token=token-1&limit=1")).await.ok()["messages"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_picture_gets_a_smaller_one_that_goes_with_it() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let message = sent(&app, "token-1", &room, Form::file("large.png", "image/png", &picture(1_000, 500))).await;
        assert_eq!(message["attachments"][0]["image_url"], message["attachments"][0]["title_link"]);
        assert_eq!(app.services.make_next_preview().await, Ok(true));
        assert_eq!(app.services.make_next_preview().await, Ok(false), "one is enough");

        let shown = newest(&app, &room).await;
        let attachment = &shown["attachments"][0];
        assert_eq!(
            (&attachment["title_link"], &attachment["image_dimensions"]),
            (&json!(link(&message)), &json!({"width": 1000, "height": 500}))
        );
        assert!(attachment["image_preview"].as_str().is_some_and(|preview| !preview.is_empty()), "{attachment}");
        let smaller = attachment["image_url"].as_str().unwrap().to_owned();
        assert_ne!(smaller, link(&message));
        let reply = fetched(&app, &smaller, "token-1", &room).await;
        assert_eq!((reply.status.as_u16(), &reply.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        let drawn = image::load_from_memory(&reply.bytes).expect("it can be drawn");
        assert_eq!((drawn.width(), drawn.height()), (480, 240));
        assert_eq!(kept(&app).len(), 2);

        let path = format!("/api/v1/livechat/message/{}", message["_id"].as_str().unwrap());
        app.call(Method::DELETE, &path).json(&json!({"token": "token-1", "rid": room})).send().await.ok();
        tidy(&app).await;
        assert_eq!(kept(&app), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_drawn_gets_no_smaller_picture() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let mut broken = picture(900, 900);
        broken.truncate(200);
        sent(&app, "token-1", &room, Form::file("broken.png", "image/png", &broken)).await;
        sent(&app, "token-1", &room, Form::file("small.png", "image/png", &picture(40, 30))).await;
        while app.services.make_next_preview().await == Ok(true) {}
        assert_eq!(kept(&app).len(), 2);
        assert!(
            newest(&app, &room).await["attachments"][0]["image_preview"].is_string(),
            "a small picture has a preview and no smaller one"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_process_left_is_swept_at_the_start() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let message = sent(&app, "token-1", &room, Form::file("a.txt", "text/plain", b"words")).await;
        let id = message["file"]["_id"].as_str().unwrap().to_owned();
        for name in ["without-a-row", "in-part#1", &format!("{id}#2")] {
            std::fs::write(app.files.path().join(name), "left").expect("files can be written");
        }
        app.services.recover_files().await.expect("files can be looked through");
        assert_eq!(kept(&app), [id]);
    }
}
