//! `/health`, `/ready` and `/metrics`.

use serde_json::json;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::support::{KEEP_CONNECTION, MESSAGE, VISITOR, fill_disk, history, usual};

#[tokio::test(flavor = "multi_thread")]
async fn a_serving_server_says_so() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.get("/health").await.is(200, &json!({"status": "alive"}));
        app.get("/ready").await.is(200, &json!({"status": "ready"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_write_is_alive_but_not_ready() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    fill_disk(&app).await;
    app.get("/ready").await.is(503, &json!({"status": "not ready", "reason": "writes are refused"}));
    app.get("/health").await.is(200, &json!({"status": "alive"}));
    assert!(metrics(&app).await.contains("usher_store_writing 0\n"));
}

/// The numbers as text.
async fn metrics(app: &TestApp) -> String {
    let reply = app.get("/metrics").await;
    assert_eq!(reply.status.as_u16(), 200);
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    reply.body.as_str().expect("metrics are no JSON").to_owned()
}

/// The lines of `text` that begin with `start`.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_tell_of_routes_and_never_of_visitors() {
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").start(&engine).await;
        let visitor = app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        app.post(MESSAGE, &json!({"token": "token-1", "rid": room, "msg": "secret-text", "_id": "chosen-id"})).await.ok();
        app.get(&history(&room, "token=token-1")).await.ok();
        app.get(&format!("{VISITOR}/token-1")).await.ok();
        app.get(&format!("{VISITOR}/token-2")).await;
        app.get("/api/v1/token-1/unknown").await;
        let odd = axum::http::Method::from_bytes(b"TOKEN-1").expect("it is a method");
        app.call(odd, VISITOR).send().await;
        app.delete(&format!("{VISITOR}/token-1")).await.ok();

        let text = metrics(&app).await;
        for (line, value) in [
            (r#"method="POST",route="/api/v1/livechat/visitor",status="200""#, 1),
            (r#"method="GET",route="/api/v1/livechat/visitor/{token}",status="200""#, 1),
            (r#"method="GET",route="/api/v1/livechat/visitor/{token}",status="400""#, 1),
            (r#"method="DELETE",route="/api/v1/livechat/visitor/{token}",status="200""#, 1),
            (r#"method="GET",route="/api/v1/livechat/messages.history/{rid}",status="200""#, 1),
            (r#"method="GET",route="unknown",status="404""#, 1),
            (r#"method="other",route="/api/v1/livechat/visitor",status="405""#, 1),
        ] {
            let line = format!("usher_http_requests_total{{{line}}} {value}");
            assert_eq!(lines(&text, &line), [line.as_str()], "{text}");
        }
        assert_eq!(lines(&text, "usher_erasures_unsealed "), ["usher_erasures_unsealed 1"]);
        assert_eq!(lines(&text, "usher_store_writing "), ["usher_store_writing 1"]);
        assert_eq!(lines(&text, "usher_store_commits_total ").len(), 1);
        assert_eq!(lines(&text, "usher_store_transactions_total ").len(), 1);
        let id = visitor["_id"].as_str().expect("a visitor has an id").to_lowercase();
        for secret in ["token-1", "token-2", "mary", "secret-text", "chosen-id", &id, &room.to_lowercase(), "192.0.2.1"] {
            assert!(!text.to_lowercase().contains(secret), "{secret} is in the numbers");
        }

        assert_eq!(app.services.finish_erasures().await, Ok(1));
        assert!(metrics(&app).await.contains("usher_erasures_unsealed 0\n"));
    }
}
