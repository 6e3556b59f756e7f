//! Reading a room's history.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::support::{coded, history, plain, tamper};

/// A visitor with a room and 25 messages in it, texts `1` to `25`. Gives the room's id and the messages, newest first.
async fn room_with_messages(app: &TestApp) -> (String, Vec<Value>) {
    app.register("token-1", "Mary").await;
    let opened = app.get("/api/v1/livechat/room?token=token-1").await.ok();
    let room = opened["room"]["_id"].as_str().expect("a room has an id").to_owned();
    let mut messages = vec![opened["room"]["lastMessage"].clone()];
    for number in 1..=25 {
        messages.push(app.message("token-1", &room, &number.to_string()).await);
    }
    messages.reverse();
    (room, messages)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_read_newest_first_page_by_page() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (room, messages) = room_with_messages(&app).await;
        for (query, page) in [
            ("", &messages[..20]),
            ("&limit=3", &messages[..3]),
            ("&limit=3&offset=2", &messages[2..5]),
            ("&limit=3.0&offset=2.0", &messages[2..5]),
            ("&offset=24", &messages[24..]),
            ("&offset=26", &messages[26..]),
            ("&offset=9223372036854775807", &messages[26..]),
            ("&limit=100", &messages[..]),
            ("&limit=9223372036854775807", &messages[..]),
            ("&limit=0", &messages[..]),
            ("&limit=-1", &messages[..20]),
            ("&limit=2&offset=-7", &messages[..2]),
            ("&count=4", &messages[..4]),
            ("&count=4&limit=2", &messages[..2]),
            ("&end=", &messages[..20]),
            ("&end=2024-01-31T12:00:00.005Z", &messages[21..]),
            ("&end=2024-01-31T13:00:00.005%2B01:00&limit=2", &messages[21..23]),
            ("&end=1999-01-01T00:00:00.000Z", &messages[26..]),
            ("&end=2999-01-01T00:00:00.000Z&limit=1", &messages[..1]),
            ("&ls=2024-01-31T12:00:00.005Z&searchText=7&sort=x&limit=2", &messages[..2]),
        ] {
            let answer = app.get(&history(&room, &format!("token=token-1{query}"))).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({"messages": page, "success": true})), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_rooms_can_be_read() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let (room, messages) = room_with_messages(&app).await;
        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        app.get(&history(&room, "token=token-1&limit=0")).await.is(200, &json!({"messages": messages, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ones_own_history_is_read() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "Bob").await;
        let (marys, bobs) = (app.room("token-1").await, app.room("token-2").await);
        app.get(&history(&marys, "token=token-1")).await.ok();
        for (room, token, error) in [
            (bobs.as_str(), "token-1", "invalid-room"),
            (&marys, "token-2", "invalid-room"),
            ("nothing", "token-1", "invalid-room"),
            ("%20", "token-1", "invalid-room"),
            ("%FF", "token-1", "invalid-room"),
            (&marys, "token-3", "invalid-token"),
            ("nothing", "token-3", "invalid-token"),
            (&marys, "", "error-token-param-not-provided"),
            (&marys, "%20", "error-token-param-not-provided"),
        ] {
            let answer = app.get(&history(room, &format!("token={token}"))).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (400, &plain(error)), "{room} {token}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_does_not_fit_is_named() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for (query, message) in [
            ("", "must have required property 'token'"),
            ("limit=3", "must have required property 'token'"),
            ("token[]=token-1", "must be string"),
            ("token[$ne]=", "must be string"),
            ("token=token-1&token=token-1", "must be string"),
            ("token=token-1&limit=x", "must be integer"),
            ("token=token-1&limit=1.5", "must be integer"),
            ("token=token-1&limit[]=1", "must be integer"),
            ("token=token-1&limit=9223372036854775808", "must be integer"),
            ("token=token-1&limit=1e999", "must be integer"),
            ("token=token-1&offset=x", "must be integer"),
            ("token=token-1&count=x", "must be integer"),
            ("token=token-1&end[]=x", "must be string"),
            ("token=token-1&end=yesterday", "must match format \"date-time\""),
            ("token=token-1&searchText[]=x", "must be string"),
            ("token=token-1&extra=x", "must NOT have additional properties"),
        ] {
            let answer = app.get(&history(&room, query)).await;
            let expected = coded(&format!("{message} [invalid-params]"), "invalid-params");
            assert_eq!((answer.status.as_u16(), &answer.body), (400, &expected), "{query}");
        }
    }
}
