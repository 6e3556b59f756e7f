//! `livechat/message/{_id}`: reading, editing and deleting one message.

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::chat::{Desk, md};
use crate::support::{MESSAGE, coded, column, history, plain, rows, usual};

fn one(id: &str) -> String {
    format!("{MESSAGE}/{id}")
}

/// An application with two visitors, of whom the first one has posted the message `hers` and the other `his`.
struct Stage {
    app: TestApp,
    room: String,
    other_room: String,
}

impl Stage {
    async fn new(setup: Setup, engine: &Engine) -> Stage {
        let app = setup.start(engine).await;
        let mut rooms = Vec::new();
        for (token, name, id) in [("token-1", "Mary", "hers"), ("token-2", "Bob", "his")] {
            app.register(token, name).await;
            let room = app.room(token).await;
            app.post(MESSAGE, &json!({"token": token, "rid": room, "msg": "Helo", "_id": id})).await.ok();
            rooms.push(room);
        }
        let other_room = rooms.pop().expect("there are two");
        Stage { app, room: rooms.pop().expect("there are two"), other_room }
    }

    async fn call(&self, method: Method, id: &str, token: &str, room: &str) -> (u16, Value) {
        let path = one(id);
        let reply = if method == Method::GET {
            self.app.get(&format!("{path}?token={token}&rid={room}")).await
        } else {
            let mut body = json!({"token": token, "rid": room});
            if method == Method::PUT {
                body["msg"] = json!("Hello");
            }
            self.app.call(method, &path).json(&body).send().await
        };
        (reply.status.as_u16(), reply.body)
    }
}

const METHODS: [Method; 3] = [Method::GET, Method::PUT, Method::DELETE];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_read_edited_and_deleted() {
    for engine in Engine::all() {
        let stage = Stage::new(usual(), &engine).await;
        let (app, room) = (&stage.app, &stage.room);
        let told = app.get(&history(room, "token=token-1&limit=1")).await.ok();
        let mut message = told["messages"][0].clone();
        assert_eq!(message["token"], "token-1");
        assert_eq!(stage.call(Method::GET, "hers", "token-1", room).await, (200, json!({"message": message, "success": true})));

        app.advance(std::time::Duration::from_secs(7));
        let edited = stage.call(Method::PUT, "hers", "token-1", room).await;
        message["msg"] = json!("Hello");
        message["md"] = md("Hello");
        message["editedAt"] = json!("2024-01-31T12:00:07.000Z");
        message["editedBy"] = json!({"_id": message["u"]["_id"], "username": "guest-1"});
        message["_updatedAt"] = json!("2024-01-31T12:00:07.000Z");
        assert_eq!(edited, (200, json!({"message": message, "success": true})));
        assert_eq!(stage.call(Method::GET, "hers", "token-1", room).await, edited);
        assert_eq!(column(app, "SELECT id FROM messages WHERE text = 'Helo'").await, ["his"], "the former text is gone");

        let deleted = json!({"message": {"_id": "hers", "ts": "2024-01-31T12:00:07.000Z"}, "success": true});
        assert_eq!(stage.call(Method::DELETE, "hers", "token-1", room).await, (200, deleted));
        for method in METHODS {
            assert_eq!(stage.call(method, "hers", "token-1", room).await, (400, plain("invalid-message")));
        }
        let answer = app.get(&format!("/api/v1/livechat/room?token=token-1&rid={room}")).await.ok();
        assert_eq!((&answer["room"]["msgs"], &answer["room"]["lastMessage"]["t"]), (&json!(1), &json!("livechat-started")));
        let again = json!({"token": "token-1", "rid": room, "msg": "again", "_id": "hers"});
        app.post(MESSAGE, &again).await.is(400, &plain("invalid-message"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_visitors_own_stays() {
    for engine in Engine::all() {
        let stage = Stage::new(usual(), &engine).await;
        let (app, room) = (&stage.app, &stage.room);
        let started = column(app, "SELECT id FROM messages WHERE kind = 'livechat-started' ORDER BY id").await[0].clone();
        let before = rows(app).await;
        for method in METHODS {
            for (id, token, rid, refusal) in [
                ("hers", "nobody", room, "invalid-token"),
                ("hers", "token-2", room, "invalid-room"),
                ("hers", "token-1", &stage.other_room, "invalid-room"),
                ("hers", "token-2", &stage.other_room, "invalid-message"),
                ("his", "token-1", room, "invalid-message"),
                ("unknown", "token-1", room, "invalid-message"),
            ] {
                let answer = stage.call(method.clone(), id, token, rid).await;
                assert_eq!(answer, (400, plain(refusal)), "{method} {id} {token} {rid}");
            }
        }
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(stage.call(method, &started, "token-1", room).await, (400, plain("error-action-not-allowed")));
        }
        for (method, body, missing) in [
            (Method::PUT, json!({"rid": room, "msg": "x"}), "token"),
            (Method::PUT, json!({"token": "token-1", "msg": "x"}), "rid"),
            (Method::PUT, json!({"token": "token-1", "rid": room}), "msg"),
            (Method::DELETE, json!({"rid": room}), "token"),
            (Method::DELETE, json!({"token": "token-1"}), "rid"),
        ] {
            let refusal = coded(&format!("must have required property '{missing}' [invalid-params]"), "invalid-params");
            app.call(method, &one("hers")).json(&body).send().await.is(400, &refusal);
        }
        let refusal = coded("must have required property 'rid' [invalid-params]", "invalid-params");
        app.get(&format!("{}?token=token-1", one("hers"))).await.is(400, &refusal);
        assert_eq!(rows(app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_message_is_read_and_nothing_more() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let sent = desk.says(&desk.agent, "Hi").await;
        let id = sent["_id"].as_str().expect("it has an id");
        let path = format!("{}?token=token-1&rid={}", one(id), desk.room);
        desk.app.get(&path).await.is(200, &json!({"message": sent, "success": true}));
        for method in [Method::PUT, Method::DELETE] {
            let mut body = json!({"token": "token-1", "rid": desk.room});
            if method == Method::PUT {
                body["msg"] = json!("x");
            }
            desk.app.call(method, &one(id)).json(&body).send().await.is(400, &plain("error-action-not-allowed"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_rooms_can_be_changed_and_tokens_stand_in_the_query() {
    for engine in Engine::all() {
        let stage = Stage::new(usual(), &engine).await;
        let (app, room) = (&stage.app, &stage.room);
        app.post("/api/v1/livechat/room.close", &json!({"token": "token-1", "rid": room})).await.ok();
        assert_eq!(stage.call(Method::GET, "hers", "token-1", room).await.0, 200);
        assert_eq!(stage.call(Method::PUT, "hers", "token-1", room).await.0, 200);
        let deleted = app.delete(&format!("{}?token=token-1&rid={room}", one("hers"))).await.ok();
        assert_eq!(deleted["message"]["_id"], "hers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_forbid_changes() {
    for (setting, method) in [("Message_AllowEditing", Method::PUT), ("Message_AllowDeleting", Method::DELETE)] {
        for (position, status) in [("false", 400), ("true", 200)] {
            for engine in Engine::all() {
                let stage = Stage::new(usual().setting(setting, position), &engine).await;
                let (found, body) = stage.call(method.clone(), "hers", "token-1", &stage.room).await;
                assert_eq!(found, status, "{setting} {position}: {body}");
                assert!(found == 200 || body == plain("error-action-not-allowed"), "{body}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_kept_where_it_is_to_be() {
    for (keeps, shows) in [(false, false), (true, false), (false, true), (true, true)] {
        for engine in Engine::all() {
            let setup = usual().setting("Message_KeepHistory", if keeps { "true" } else { "false" });
            let stage = Stage::new(setup.setting("Message_ShowDeletedStatus", if shows { "true" } else { "false" }), &engine).await;
            let (app, room) = (&stage.app, &stage.room);
            assert_eq!(stage.call(Method::PUT, "hers", "token-1", room).await.0, 200);
            assert_eq!(stage.call(Method::DELETE, "hers", "token-1", room).await.0, 200);
            let kept = column(app, "SELECT text FROM messages WHERE hidden ORDER BY ts").await;
            assert_eq!(kept, if keeps { vec!["Helo", "Hello"] } else { Vec::new() });
            let told = app.get(&history(room, "token=token-1")).await.ok();
            let kinds: Vec<&Value> =
                told["messages"].as_array().expect("it is a list").iter().map(|message| &message["t"]).collect();
            assert_eq!(kinds.contains(&&json!("rm")), shows, "{told}");
            assert!(!told.to_string().contains("Hel"), "no history shows it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_text_has_the_same_limit() {
    for engine in Engine::all() {
        let short = usual().setting("Livechat_enable_message_character_limit", "true");
        let stage = Stage::new(short.setting("Livechat_message_character_limit", "4"), &engine).await;
        let answer = stage.call(Method::PUT, "hers", "token-1", &stage.room).await;
        assert_eq!(answer, (400, plain("message-length-exceeds-character-limit")));
    }
}
