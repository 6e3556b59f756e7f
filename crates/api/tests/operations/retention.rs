//! `usher/retention`: rules after how long visitors are erased who have not come back.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use crate::requests::insert_department;
use crate::support::{coded, column, plain, tamper, usual};

const RULES: &str = "/api/v1/usher/retention";

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An application with visitors whose last chats are of different ages and departments.
struct Stage {
    app: TestApp,
    admin: Login,
}

impl Stage {
    /// `old` and `sold` closed their chats 40 days ago, the latter in a department; `back` did as well and came back; `new` closed one a day
    /// ago; `open` has had one open all the time; `held` is as old as `old`, with a legal hold; `silent` never chatted.
    async fn new(engine: &Engine) -> Stage {
        let app = usual().start(engine).await;
        app.create_admin().await;
        insert_department(&app, "sales").await;
        for token in ["old", "sold", "back", "open", "held"] {
            chat(&app, token).await;
        }
        app.register("silent", "silent").await;
        for token in ["old", "sold", "back", "held"] {
            close(&app, token).await;
        }
        for sql in [
            "UPDATE rooms SET department_id = 'sales' WHERE visitor_id = (SELECT id FROM visitors WHERE token = 'sold')",
            "INSERT INTO holds (contact_id, reason, ends_at, placed_by, placed_at)
             SELECT contact_id, 'A lawsuit', 9000000000000, 'admin', 0 FROM visitors WHERE token = 'held'",
        ] {
            tamper(&app, sql).await;
        }
        app.advance(39 * DAY);
        for token in ["back", "new"] {
            chat(&app, token).await;
            close(&app, token).await;
        }
        app.advance(DAY);
        Stage { admin: app.log_in("admin").await, app }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        let call = self.app.call(method, path).as_user(&self.admin);
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    }

    async fn preview(&self, rule: Value) -> Value {
        self.call(Method::POST, "/api/v1/usher/retention.preview", &rule).await.ok()["visitors"].clone()
    }

    async fn visitors(&self) -> Vec<String> {
        let mut tokens = column(&self.app, "SELECT token FROM visitors").await;
        tokens.sort();
        tokens
    }
}

async fn chat(app: &TestApp, token: &str) {
    app.register(token, token).await;
    let room = app.room(token).await;
    app.message(token, &room, "Hello").await;
}

async fn close(app: &TestApp, token: &str) {
    let room = app.room(token).await;
    app.post("/api/v1/livechat/room.close", &json!({"token": token, "rid": room})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_come_back_is_erased_and_nobody_else() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        assert_eq!(stage.preview(json!({"days": 30})).await, 2);
        let answer = stage.call(Method::POST, RULES, &json!({"days": 30})).await.ok();
        assert_eq!(stage.visitors().await, ["back", "held", "new", "old", "open", "silent", "sold"], "it is not followed at once");

        assert_eq!(stage.app.services.follow_retention_rules().await, Ok(2));
        assert_eq!(stage.visitors().await, ["back", "held", "new", "open", "silent"]);
        let mut rule = answer["rule"].clone();
        rule["followedAt"] = json!("2024-03-11T12:00:00.000Z");
        rule["followedCount"] = json!(2);
        let rules = stage.call(Method::GET, RULES, &Value::Null).await.ok();
        assert_eq!(rules, json!({"rules": [rule], "success": true}));
        let actors = column(&stage.app, "SELECT actor FROM erasures").await;
        assert_eq!(actors, ["retention", "retention"]);
        assert_eq!(stage.app.services.follow_retention_rules().await, Ok(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_concerns_its_department_alone() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        assert_eq!(stage.preview(json!({"departmentId": "sales", "days": 30})).await, 1);
        stage.call(Method::POST, RULES, &json!({"departmentId": "sales", "days": 30})).await.ok();
        assert_eq!(stage.app.services.follow_retention_rules().await, Ok(1));
        assert!(!stage.visitors().await.contains(&"sold".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_changes_nothing() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let before = stage.visitors().await;
        let answer = stage.call(Method::POST, RULES, &json!({"days": 30, "dryRun": true})).await.ok();
        let expected = json!({"_id": answer["rule"]["_id"], "departmentId": null, "days": 30, "dryRun": true,
            "createdAt": "2024-03-11T12:00:00.000Z", "followedAt": null, "followedCount": null});
        assert_eq!(answer, json!({"rule": expected, "success": true}));
        assert_eq!(stage.app.services.follow_retention_rules().await, Ok(0));
        assert_eq!(stage.visitors().await, before);
        let rules = stage.call(Method::GET, RULES, &Value::Null).await.ok();
        assert_eq!(rules["rules"][0]["followedCount"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_rule_is_followed_no_more() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let answer = stage.call(Method::POST, RULES, &json!({"days": 30})).await.ok();
        let path = format!("{RULES}/{}", answer["rule"]["_id"].as_str().unwrap());
        stage.call(Method::DELETE, &path, &Value::Null).await.is(200, &json!({"success": true}));
        stage.call(Method::DELETE, &path, &Value::Null).await.is(404, &plain("Retention rule not found"));
        assert_eq!(stage.app.services.follow_retention_rules().await, Ok(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_says_something_that_can_be() {
    let unknown = coded("Department not found [error-department-not-found]", "error-department-not-found");
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.call(Method::POST, RULES, &json!({"departmentId": "nowhere", "days": 3})).await.is(400, &unknown);
        for days in [0, -1, 1_000_000] {
            for path in [RULES, "/api/v1/usher/retention.preview"] {
                let reply = stage.call(Method::POST, path, &json!({"days": days})).await;
                assert_eq!((reply.status.as_u16(), &reply.body["errorType"]), (400, &json!("invalid-params")), "{path} {days}");
            }
        }
    }
}
