//! `POST livechat/messages`: several messages at once.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{not_logged_in, post};
use crate::support::{coded, history, plain, rows, usual};

const MESSAGES: &str = "/api/v1/livechat/messages";

fn batch(token: &str, texts: &[&str]) -> Value {
    let messages: Vec<Value> = texts.iter().map(|text| json!({"msg": text})).collect();
    json!({"visitor": {"token": token}, "messages": messages})
}

/// The texts of a room's history, the oldest first.
async fn texts(app: &TestApp, token: &str) -> Vec<String> {
    let room = app.room(token).await;
    let told = app.get(&history(&room, &format!("token={token}&limit=1000"))).await.ok();
    let messages = told["messages"].as_array().expect("it is a list").iter().rev();
    messages.map(|message| message["msg"].as_str().expect("it has a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_stored_in_their_order() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let login = app.user("joe", &["user"]).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let answer = post(&app, &login, MESSAGES, &batch("token-1", &["one", "two", ""])).await;
        let message = |msg: &str, ts: &str| json!({"username": "guest-1", "msg": msg, "ts": ts});
        let expected = [
            message("one", "2024-01-31T12:00:00.001Z"),
            message("two", "2024-01-31T12:00:00.002Z"),
            message("", "2024-01-31T12:00:00.003Z"),
        ];
        answer.is(200, &json!({"messages": expected, "success": true}));
        assert_eq!(app.room("token-1").await, room, "they go into the open room");
        assert_eq!(texts(&app, "token-1").await, ["", "one", "two", ""]);
        app.post(MESSAGES, &batch("token-1", &["x"])).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_registered() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let login = app.user("joe", &["user"]).await;
        post(&app, &login, MESSAGES, &batch("fresh", &["one", "two"])).await.ok();
        assert_eq!(texts(&app, "fresh").await, ["", "one", "two"]);
        let found = rows(&app).await;
        assert_eq!((found["visitors"].len(), found["rooms"].len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_stored_or_none() {
    for engine in Engine::all() {
        let short = usual().setting("Livechat_enable_message_character_limit", "true");
        let app = short.setting("Livechat_message_character_limit", "10").start(&engine).await;
        let login = app.user("joe", &["user"]).await;
        app.register("token-1", "Mary").await;
        // Numbers of guests are taken in blocks, so that none is taken below.
        post(&app, &login, MESSAGES, &batch("token-0", &["Hello"])).await.ok();
        let before = rows(&app).await;
        let too_long = plain("message-length-exceeds-character-limit");
        for token in ["token-1", "fresh"] {
            post(&app, &login, MESSAGES, &batch(token, &["short", "much too long"])).await.is(400, &too_long);
        }
        assert_eq!(rows(&app).await, before, "neither a message nor a room nor a visitor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_cannot_be_are_refused() {
    let many = vec!["x"; 101];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let login = app.user("joe", &["user"]).await;
        let before = rows(&app).await;
        for (body, told) in [
            (json!({}), "must have required property 'visitor'"),
            (json!({"visitor": {"token": "t"}}), "must have required property 'messages'"),
            (json!({"visitor": {}, "messages": [{"msg": "x"}]}), "must have required property 'token'"),
            (json!({"visitor": {"token": "t", "name": "x"}, "messages": []}), "must NOT have additional properties"),
            (batch("t", &[]), "must NOT have fewer than 1 items"),
            (batch("t", &many), "must NOT have more than 100 items"),
            (json!({"visitor": {"token": "t"}, "messages": [{}]}), "must have required property 'msg'"),
            (json!({"visitor": {"token": "t"}, "messages": [{"msg": "x", "_id": "y"}]}), "must NOT have additional properties"),
            (json!({"visitor": {"token": "t"}, "messages": "x"}), "must be array"),
        ] {
            let refusal = coded(&format!("{told} [invalid-params]"), "invalid-params");
            post(&app, &login, MESSAGES, &body).await.is(400, &refusal);
        }
        let nobody =
            coded("Error registering visitor [error-livechat-visitor-registration]", "error-livechat-visitor-registration");
        post(&app, &login, MESSAGES, &batch("  ", &["x"])).await.is(400, &nobody);
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_room_opens_where_nobody_is_there() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let login = app.user("joe", &["user"]).await;
        app.register("token-1", "Mary").await;
        let refusal = coded("Sorry, no online agents [no-agent-online]", "no-agent-online");
        post(&app, &login, MESSAGES, &batch("token-1", &["x"])).await.is(400, &refusal);
    }
}
