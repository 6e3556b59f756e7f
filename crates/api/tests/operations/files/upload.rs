//! `livechat/upload/{rid}`: what a visitor sends.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Form, Setup};

use super::{PNG, fetched, kept, link, sent, tidy, upload};
use crate::support::{coded, history, made_id, plain, usual};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_sends_a_picture() {
    for engine in Engine::all() {
        let app = usual().setting("Site_Url", "https://chat.example.com/").start(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let form = Form::file("my cat.png", "image/png", PNG).with_text("description", "My cat").with_text("msg", "Look");
        let message = sent(&app, "token-1", &room, form).await;

        let id = made_id(&message["file"]["_id"]).to_owned();
        let address = format!("/file-upload/{id}/my%20cat.png");
        let reference = json!({"_id": id, "name": "my cat.png", "type": "image/png"});
        let attachment = json!({
            "title": "my cat.png",
            "type": "file",
            "description": "My cat",
            "title_link": address,
            "title_link_download": true,
            "image_url": address,
            "image_type": "image/png",
            "image_size": PNG.len(),
            "image_dimensions": {"width": 1, "height": 1},
        });
        let expected = json!({
            "_id": made_id(&message["_id"]),
            "rid": room,
            "msg": "Look",
            "token": "token-1",
            "alias": "Mary",
            "ts": message["ts"],
            "u": {"_id": visitor["_id"], "username": "guest-1", "name": "Mary"},
            "_updatedAt": "2024-01-31T12:00:00.000Z",
            "urls": [],
            "mentions": [],
            "channels": [],
            "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Look"}]}],
            "file": reference,
            "files": [reference],
            "attachments": [attachment],
            "newRoom": false,
            "showConnecting": false,
            "success": true,
        });
        assert_eq!(message, expected);

        let public =
            json!({"publicFilePath": format!("https://chat.example.com{address}"), "type": "image/png", "size": PNG.len()});
        let told = app.get(&history(&room, "token=token-1&limit=1")).await.ok();
        assert_eq!(told["messages"][0]["fileUpload"], public);
        let one =
            app.get(&format!("/api/v1/livechat/message/{}?token=token-1&rid={room}", expected["_id"].as_str().unwrap())).await;
        assert_eq!(one.ok()["message"]["fileUpload"], public);
        assert_eq!(fetched(&app, &address, "token-1", &room).await.bytes, PNG);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn widgets_are_told_that_a_chat_is_being_connected() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Manual_Selection").start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let message = sent(&app, "token-1", &room, Form::file("a.txt", "text/plain", b"words")).await;
        assert_eq!(message["showConnecting"], true);
        assert_eq!(message["attachments"][0].get("image_url"), None, "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_only_into_an_open_room_of_ones_own() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "Bob").await;
        let (room, other) = (app.room("token-1").await, app.room("token-2").await);
        let form = || Form::file("a.txt", "text/plain", b"words");
        for (token, room) in
            [("", room.as_str()), ("nobody", &room), ("token-2", &room), ("token-1", &other), ("token-1", "nowhere")]
        {
            upload(&app, token, room, form()).send().await.is(403, &plain("unauthorized"));
        }
        let without = app.call(axum::http::Method::POST, &format!("/api/v1/livechat/upload/{room}")).form(form()).send().await;
        without.is(403, &plain("unauthorized"));
        app.post("/api/v1/livechat/room.close", &json!({"token": "token-1", "rid": room})).await.ok();
        upload(&app, "token-1", &room, form()).send().await.is(403, &plain("unauthorized"));
        sent(&app, "token-2", &other, form()).await;
        assert_eq!(kept(&app).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_switch_files_off() {
    let disabled = json!({"success": false, "reason": "error-file-upload-disabled"});
    for setting in ["Livechat_fileupload_enabled", "FileUpload_Enabled"] {
        for engine in Engine::all() {
            let app = usual().setting(setting, "false").start(&engine).await;
            app.register("token-1", "Mary").await;
            let room = app.room("token-1").await;
            for token in ["token-1", "nobody"] {
                let form = Form::file("a.txt", "text/plain", b"words");
                upload(&app, token, &room, form).send().await.is(400, &disabled);
            }
        }
    }
}

/// A form, and what is answered to it.
type Case = (&'static str, Form, Value);

fn no_file() -> Value {
    let mut body = coded("No file uploaded [error-no-file]", "error-no-file");
    body["reason"] = json!("error-no-file-uploaded");
    body
}

fn refused() -> Vec<Case> {
    let file = || Form::file("a.txt", "text/plain", b"words");
    let many = (0..20).fold(file(), |form, _| form.with_text("description", "again"));
    vec![
        ("nothing at all", Form::default(), no_file()),
        ("no file", Form::default().with_text("description", "My cat"), no_file()),
        (
            "another name",
            Form::default().with_file("picture", "a.txt", "text/plain", b"words"),
            coded("[invalid-field]", "invalid-field"),
        ),
        ("two files", file().with_file("file", "b.txt", "text/plain", b"more"), coded("[invalid-field]", "invalid-field")),
        ("an unknown text", file().with_text("surprise", "!"), plain("Match error: Unknown key in a form")),
        ("too many texts", many, plain("Match error: Too many parts in a form")),
        ("a text with NUL", file().with_text("description", "\0"), plain("Match error: Expected string in a form")),
        (
            "a refused type",
            Form::file("a.svg", "image/svg+xml", b"<svg/>"),
            json!({"success": false, "reason": "error-type-not-allowed"}),
        ),
        (
            "a refused type that says it is another",
            Form::file("a.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            json!({"success": false, "reason": "error-type-not-allowed"}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_told_and_leaves_nothing() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for (what, form, body) in refused() {
            let reply = upload(&app, "token-1", &room, form).send().await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &body), "{what}");
        }
        let call = app.call(axum::http::Method::POST, &format!("/api/v1/livechat/upload/{room}"));
        call.header("x-visitor-token", "token-1").json(&json!({})).send().await.is(400, &no_file());
        app.services.forget_old().await.expect("old entries can be forgotten");
        tidy(&app).await;
        assert_eq!(kept(&app), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_ends_too_soon_is_refused() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let (kind, mut bytes) = Form::file("a.txt", "text/plain", b"words").finish();
        bytes.truncate(bytes.len() - 12);
        let call = app.call(axum::http::Method::POST, &format!("/api/v1/livechat/upload/{room}"));
        let reply = call.header("x-visitor-token", "token-1").bytes(&kind, bytes).send().await;
        reply.is(400, &coded("The file did not arrive [error-file-interrupted]", "error-file-interrupted"));
    }
}

fn small(bytes: &str) -> Setup {
    usual().setting("FileUpload_MaxFileSize", bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_be_as_large_as_settings_say() {
    let mut too_large = coded("File size exceeds the allowed limit [error-file-too-large]", "error-file-too-large");
    too_large["reason"] = json!("error-size-not-allowed");
    too_large["sizeAllowed"] = json!("0.50 MB");
    for engine in Engine::all() {
        let limit = 512 << 10;
        let app = small("524288").start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let form = |size: usize| Form::file("a.txt", "text/plain", &vec![b'a'; size]);
        let message = sent(&app, "token-1", &room, form(limit)).await;
        assert_eq!(fetched(&app, &link(&message), "token-1", &room).await.bytes.len(), limit);
        upload(&app, "token-1", &room, form(limit + 1)).send().await.is(400, &too_large);
        // So much longer that the form need not be read to tell.
        let call = upload(&app, "token-1", &room, form(1)).header("content-length", "99999999");
        call.send().await.is(400, &too_large);
        let app = small("-1").start(&Engine::sqlite()).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        sent(&app, "token-1", &room, form(3 << 20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_which_types_are_taken() {
    for engine in Engine::all() {
        let app = usual().setting("FileUpload_MediaTypeWhiteList", "image/*").start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        sent(&app, "token-1", &room, Form::file("a.png", "image/png", PNG)).await;
        let disguised = Form::file("a.png", "image/png", b"words");
        let refusal = json!({"success": false, "reason": "error-type-not-allowed"});
        upload(&app, "token-1", &room, disguised).send().await.is(400, &refusal);
    }
}
