//! Whether a visitor is there, as its rooms show it.

use serde_json::json;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::support::{ROOM, VISITOR, coded, plain, rows, usual};

const PATHS: [&str; 2] = ["/api/v1/livechat/visitor.status", "/api/v1/livechat/visitors.status"];

#[tokio::test(flavor = "multi_thread")]
async fn open_rooms_show_whether_the_visitor_is_there() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for token in ["token-1", "token-2"] {
            app.register(token, "Mary").await;
            app.room(token).await;
        }
        let record = app.get(&format!("{VISITOR}/token-1")).await.ok();
        for (path, status) in PATHS.into_iter().zip(["away", "wherever I lay my hat"]) {
            let answer = app.post(path, &json!({"token": "token-1", "status": status})).await;
            answer.is(200, &json!({"token": "token-1", "status": status, "success": true}));
            let shown = async |token: &str| app.get(&format!("{ROOM}?token={token}")).await.ok()["room"]["v"]["status"].clone();
            assert_eq!((shown("token-1").await, shown("token-2").await), (json!(status), json!("online")));
            app.get(&format!("{VISITOR}/token-1")).await.is(200, &record);

            let before = rows(&app).await;
            app.post(path, &json!({"token": "token-1", "status": status})).await.ok();
            assert_eq!(rows(&app).await, before, "the same again changes nothing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_cannot_be_are_refused() {
    let table = [
        (json!({}), plain("Match error: Missing key 'token'")),
        (json!({"status": "away"}), plain("Match error: Missing key 'token'")),
        (json!({"token": "token-1"}), plain("Match error: Missing key 'status'")),
        (json!({"token": "token-1", "status": "away", "more": 1}), plain("Match error: Unknown key in field more")),
        (json!({"token": "token-1", "status": 1}), plain("Match error: Expected string, got number in field status")),
        (json!({"token": {"$ne": null}, "status": "away"}), plain("Match error: Expected string, got object in field token")),
        (
            json!({"token": "token-1", "status": "s".repeat(129)}),
            plain("Match error: Failed Match.Where validation in field status"),
        ),
        (json!({"token": "nobody", "status": "away"}), coded("[invalid-token]", "invalid-token")),
        (json!({"token": " ", "status": "away"}), coded("[invalid-token]", "invalid-token")),
    ];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            for path in PATHS {
                app.post(path, body).await.is(400, expected);
            }
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_its_status_all_the_time() {
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        app.register("token-1", "Mary").await;
        app.register("token-2", "Bob").await;
        let change = async |token: &str| app.post(PATHS[0], &json!({"token": token, "status": "away"})).await.status.as_u16();
        for _ in 0..60 {
            assert_eq!(change("token-1").await, 200);
        }
        assert_eq!(change("token-1").await, 429);
        assert_eq!(change("token-2").await, 200, "others may");
        app.advance(std::time::Duration::from_secs(1));
        assert_eq!(change("token-1").await, 200, "one a second, in the long run");
    }
}
