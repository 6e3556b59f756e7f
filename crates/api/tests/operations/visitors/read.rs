//! Reading oneself.

use serde_json::json;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::support::{VISITOR, coded, made_id};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_reads_its_record() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let id = app.register("token-1", "Mary").await["_id"].clone();
        made_id(&id);
        let mut expected = json!({
            "visitor": {
                "_id": id,
                "username": "guest-1",
                "name": "Mary",
                "status": "online",
                "ts": "2024-01-31T12:00:00.000Z",
                "_updatedAt": "2024-01-31T12:00:00.000Z",
                "token": "token-1",
                "visitorEmails": [{"address": "mary@example.com"}],
            },
            "success": true,
        });
        app.get(&format!("{VISITOR}/token-1")).await.is(200, &expected);

        app.advance(std::time::Duration::from_millis(1_500));
        let room = app.room("token-1").await;
        expected["visitor"]["lastChat"] = json!({"_id": room, "ts": "2024-01-31T12:00:01.500Z"});
        expected["visitor"]["_updatedAt"] = json!("2024-01-31T12:00:01.500Z");
        app.get(&format!("{VISITOR}/token-1")).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_any_characters_can_be_in_a_path() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for token in ["a/b?c#d%e", "Ünïcödé 😀", "' OR 1=1 --", "..", &"t".repeat(1_024)] {
            let record = app.register(token, "Mary").await;
            let answer = app.get(&format!("{VISITOR}/{}", crate::support::encoded(token))).await.ok();
            assert_eq!((&answer["visitor"]["_id"], &answer["visitor"]["token"]), (&record["_id"], &json!(token)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_has_reads_nothing() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let id = app.register("token-1", "Mary").await["_id"].as_str().expect("a visitor has an id").to_owned();
        for token in ["token-2", "TOKEN-1", "token-1%20", "%20", "guest-1", "mary@example.com", &id] {
            let answer = app.get(&format!("{VISITOR}/{token}")).await;
            answer.is(400, &coded("[invalid-token]", "invalid-token"));
        }
    }
}
