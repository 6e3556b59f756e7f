//! Posting messages.

use serde_json::{Value, json};
use usher_domain::room::{Room, Source, SourceKind};
use usher_store::{StoreError, q};
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::support::{MESSAGE, coded, history, made_id, plain, rows, tamper, usual};

/// A visitor called `name` with a room. Gives the record and the room's id.
async fn visitor(app: &TestApp, token: &str, name: &str) -> (Value, String) {
    (app.register(token, name).await, app.room(token).await)
}

/// The refusal of a body that does not fit.
fn misfit(message: &str) -> Value {
    coded(&format!("{message} [invalid-params]"), "invalid-params")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_and_shown() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (mary, room) = visitor(&app, "token-1", "Mary").await;
        let answer = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": "Hello World!"})).await;
        let expected = json!({
            "message": {
                "_id": made_id(&answer.body["message"]["_id"]),
                "rid": room,
                "msg": "Hello World!",
                "token": "token-1",
                "alias": "Mary",
                "ts": "2024-01-31T12:00:00.001Z",
                "u": {"_id": mary["_id"], "username": "guest-1", "name": "Mary"},
                "_updatedAt": "2024-01-31T12:00:00.000Z",
                "urls": [],
                "mentions": [],
                "channels": [],
                "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Hello World!"}]}],
            },
            "success": true,
        });
        answer.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_without_a_name_has_no_alias() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.post("/api/v1/livechat/visitor", &json!({"visitor": {"token": "token-1"}})).await.ok();
        let room = app.room("token-1").await;
        let message = app.message("token-1", &room, "Hello").await;
        assert_eq!((&message["alias"], &message["u"]["name"]), (&Value::Null, &Value::Null));
        assert_eq!(message["u"]["username"], "guest-1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_shown_as_given_with_its_links_and_lines() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        let text = "See https://example.com/a?b=c.\n\n<b>&amp; ' OR 1=1 --\u{202e}😀";
        let message = app.message("token-1", &room, text).await;
        assert_eq!(message["msg"], text);
        assert_eq!(message["urls"], json!([{"url": "https://example.com/a?b=c"}]));
        let paragraph = |line: &str| json!({"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": line}]});
        let md = json!([
            paragraph("See https://example.com/a?b=c."),
            {"type": "LINE_BREAK"},
            paragraph("<b>&amp; ' OR 1=1 --\u{202e}😀"),
        ]);
        assert_eq!(message["md"], md);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_message_is_a_message() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        let message = app.message("token-1", &room, "").await;
        assert_eq!((&message["msg"], &message["md"]), (&json!(""), &json!([])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_again_stores_nothing() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        let first = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": "once", "_id": "mine"})).await;
        assert_eq!(first.clone().ok()["message"]["_id"], "mine");
        app.message("token-1", &room, "in between").await;

        let before = rows(&app).await;
        for text in ["once", "another text"] {
            let body = json!({"token": "token-1", "rid": room, "msg": text, "_id": "mine"});
            app.post(MESSAGE, &body).await.is(200, &first.body);
        }
        assert_eq!(rows(&app).await, before);

        for blank in ["", "  "] {
            let body = json!({"token": "token-1", "rid": room, "msg": "no id", "_id": blank});
            let (one, two) = (app.post(MESSAGE, &body).await.ok(), app.post(MESSAGE, &body).await.ok());
            assert_ne!(made_id(&one["message"]["_id"]), made_id(&two["message"]["_id"]), "a blank id is none");
        }
    }
}

/// Opens a second room of the same visitor, as the widget would have. Gives its id.
async fn second_room(app: &TestApp, first: &str) -> String {
    let first = first.to_owned();
    let write = app.services.store.write::<_, StoreError, _>(move |tx| {
        let room = q::rooms::by_id(tx, &first)?.expect("the first room is there");
        let source = Source { kind: SourceKind::Widget, destination: None };
        q::rooms::insert(tx, &Room { id: "second".to_owned(), source, ..room })
    });
    write.await.expect("a room can be stored");
    "second".to_owned()
}

/// Whose an id is cannot be told from the refusal.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_taken_elsewhere_is_refused() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, marys) = visitor(&app, "token-1", "Mary").await;
        let (_, bobs) = visitor(&app, "token-2", "Bob").await;
        let marys_other = second_room(&app, &marys).await;
        app.post(MESSAGE, &json!({"token": "token-1", "rid": marys, "msg": "first", "_id": "taken"})).await.ok();
        let started = app.get(&history(&marys, "token=token-1&offset=1")).await.ok()["messages"][0]["_id"].clone();

        let before = rows(&app).await;
        for (whose, token, room, id) in [
            ("another visitor's", "token-2", &bobs, &json!("taken")),
            ("in another room", "token-1", &marys_other, &json!("taken")),
            ("a system message's", "token-1", &marys, &started),
            ("another visitor's system message's", "token-2", &bobs, &started),
        ] {
            let answer = app.post(MESSAGE, &json!({"token": token, "rid": room, "msg": "first", "_id": id})).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (400, &plain("invalid-message")), "{whose}");
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_order() {
    for engine in Engine::all() {
        let app = usual()
            .setting("Livechat_enable_message_character_limit", "true")
            .setting("Livechat_message_character_limit", "5")
            .start(&engine)
            .await;
        let (_, marys) = visitor(&app, "token-1", "Mary").await;
        let (_, bobs) = visitor(&app, "token-2", "Bob").await;
        let before = rows(&app).await;
        for (token, room, text, error) in [
            ("token-3", "nothing", "too long", "invalid-token"),
            ("token-3", &marys, "short", "invalid-token"),
            ("", &marys, "short", "invalid-token"),
            ("  ", &marys, "short", "invalid-token"),
            ("token-1", "nothing", "too long", "invalid-room"),
            ("token-1", "", "short", "invalid-room"),
            ("token-1", &bobs, "short", "invalid-room"),
            ("token-1", &marys, "too long", "message-length-exceeds-character-limit"),
        ] {
            let answer = app.post(MESSAGE, &json!({"token": token, "rid": room, "msg": text})).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (400, &plain(error)), "{token} {room} {text}");
        }
        assert_eq!(rows(&app).await, before);

        tamper(&app, "UPDATE contact_channels SET blocked = TRUE").await;
        let post = |text: &str| json!({"token": "token-1", "rid": marys, "msg": text});
        app.post(MESSAGE, &post("too long")).await.is(400, &plain("message-length-exceeds-character-limit"));
        app.post(MESSAGE, &post("short")).await.is(400, &plain("error-contact-channel-blocked"));
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        app.post(MESSAGE, &post("too long")).await.is(400, &plain("room-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_counts_as_clients_do() {
    for engine in Engine::all() {
        let app = usual()
            .setting("Livechat_enable_message_character_limit", "true")
            .setting("Livechat_message_character_limit", "4")
            .start(&engine)
            .await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        for text in ["", "four", "ääää", "😀😀"] {
            assert_eq!(app.message("token-1", &room, text).await["msg"], text);
        }
        let before = rows(&app).await;
        for text in ["fives", "äääää", "😀😀!", "😀😀😀"] {
            let answer = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": text})).await;
            answer.is(400, &plain("message-length-exceeds-character-limit"));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_counts_only_where_it_is_on() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_message_character_limit", "4").start(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        let text = "ä".repeat(100_000);
        assert_eq!(app.message("token-1", &room, &text).await["msg"], json!(text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_while_livechat_is_off() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        drop(app);
        let app = usual().setting("Livechat_enabled", "false").start(&engine).await;
        let answer = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": "Hello"})).await;
        answer.is(400, &coded("[error-omnichannel-is-disabled]", "error-omnichannel-is-disabled"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_fit_is_named() {
    let valid = json!({"token": "token-1", "rid": "room", "msg": "Hello"});
    let without = |member: &str| {
        let mut body = valid.clone();
        body.as_object_mut().expect("a body is an object").remove(member);
        body
    };
    let with = |member: &str, value: Value| {
        let mut body = valid.clone();
        body[member] = value;
        body
    };
    let table = [
        (json!({}), "must have required property 'token'"),
        (json!([]), "must be object"),
        (json!("token"), "must be object"),
        (without("token"), "must have required property 'token'"),
        (without("rid"), "must have required property 'rid'"),
        (without("msg"), "must have required property 'msg'"),
        (with("extra", json!(1)), "must NOT have additional properties"),
        (with("token", json!({"$ne": null})), "must be string"),
        (with("rid", json!(["room"])), "must be string"),
        (with("msg", json!({"text": "Hello"})), "must be string"),
        (with("_id", json!([])), "must be string"),
        (with("agent", json!("agent")), "must be object"),
        (with("agent", json!({"username": "u"})), "must have required property 'agentId'"),
        (with("agent", json!({"agentId": "a"})), "must have required property 'username'"),
        (with("token", json!("t".repeat(1_025))), "must NOT have more than 1024 characters"),
        (with("rid", json!("r".repeat(129))), "must NOT have more than 128 characters"),
        (with("_id", json!("i".repeat(129))), "must NOT have more than 128 characters"),
        (with("msg", json!("m".repeat(100_001))), "must NOT have more than 100000 characters"),
        (with("msg", json!("a\0b")), "must NOT contain the NUL character"),
    ];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        visitor(&app, "token-1", "Mary").await;
        let before = rows(&app).await;
        for (body, message) in &table {
            app.post(MESSAGE, body).await.is(400, &misfit(message));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scalars_become_texts() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        let table = [(json!(12), "12"), (json!(12.0), "12"), (json!(1.5), "1.5"), (json!(true), "true"), (Value::Null, "")];
        for (given, text) in table {
            let answer = app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": given})).await.ok();
            assert_eq!(answer["message"]["msg"], text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_rise_even_while_the_clock_stands_still() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (_, room) = visitor(&app, "token-1", "Mary").await;
        for number in 1..=5 {
            let message = app.message("token-1", &room, "again").await;
            assert_eq!(message["ts"], json!(format!("2024-01-31T12:00:00.00{number}Z")));
            assert_eq!(message["_updatedAt"], "2024-01-31T12:00:00.000Z");
        }
        app.advance(std::time::Duration::from_millis(3));
        assert_eq!(app.message("token-1", &room, "behind").await["ts"], "2024-01-31T12:00:00.006Z");
        app.advance(std::time::Duration::from_secs(1));
        assert_eq!(app.message("token-1", &room, "ahead").await["ts"], "2024-01-31T12:00:01.003Z");
    }
}
