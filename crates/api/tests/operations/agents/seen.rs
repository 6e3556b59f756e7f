//! What visitors see of the agent who serves them.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::omnichannel_users::somebody;
use crate::permissions::post;
use crate::requests::serve_all_rooms;
use crate::support::{plain, usual};

fn info(room: &str, token: &str) -> String {
    format!("/api/v1/livechat/agent.info/{room}/{token}")
}

/// A visitor's room that Mary serves.
async fn served(app: &TestApp) -> String {
    app.register("token-1", "Visitor").await;
    let room = app.room("token-1").await;
    somebody(app, "mary", &["livechat-agent", "user"]).await;
    serve_all_rooms(app, "mary").await;
    room
}

fn mary() -> Value {
    json!({
        "_id": "mary",
        "name": "mary",
        "username": "mary",
        "status": "offline",
        "emails": [{"address": "mary@example.com", "verified": false}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_sees_who_serves_it() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let room = served(&app).await;
        app.get(&info(&room, "token-1")).await.is(200, &json!({"agent": mary(), "success": true}));
        let admin = app.admin().await;
        let body = json!({"agentId": "mary", "agentData": {"maxNumberSimultaneousChat": "5"}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &body).await.ok();
        let mut limited = mary();
        limited["livechat"] = json!({"maxNumberSimultaneousChat": "5"});
        app.get(&info(&room, "token-1")).await.is(200, &json!({"agent": limited, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_does() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Visitor").await;
        let room = app.room("token-1").await;
        app.register("token-2", "Other").await;
        app.get(&info(&room, "nobody")).await.is(400, &plain("invalid-token"));
        app.get(&info("nowhere", "token-1")).await.is(400, &plain("invalid-room"));
        app.get(&info(&room, "token-2")).await.is(400, &plain("invalid-room"));
        app.get(&info(&room, "token-1")).await.is(400, &plain("invalid-agent"));
        serve_all_rooms(&app, "gone").await;
        app.get(&info(&room, "token-1")).await.is(400, &plain("invalid-agent"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_how_much_is_seen() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_show_agent_info", "false").start(&engine).await;
        let room = served(&app).await;
        app.get(&info(&room, "token-1")).await.is(200, &json!({"agent": {"hiddenInfo": true}, "success": true}));
    }
    for engine in Engine::all() {
        let app = usual().setting("Livechat_show_agent_email", "false").start(&engine).await;
        let room = served(&app).await;
        let mut nameless = mary();
        nameless.as_object_mut().expect("it is an object").remove("emails");
        app.get(&info(&room, "token-1")).await.is(200, &json!({"agent": nameless, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_seen_if_they_are_meant_for_others() {
    let declared = json!({"language": {"sendToIntegrations": true}, "salary": {"sendToIntegrations": false}, "size": {}});
    for engine in Engine::all() {
        let app = usual().setting("Accounts_CustomFields", &declared.to_string()).start(&engine).await;
        let room = served(&app).await;
        let admin = app.admin().await;
        let fields = json!({"language": "de", "salary": "much", "size": "L", "other": "x"});
        let body = json!({"userId": "mary", "data": {"customFields": fields}});
        post(&app, &admin, "/api/v1/users.update", &body).await.ok();
        let seen = app.get(&info(&room, "token-1")).await.ok();
        assert_eq!(seen["agent"]["customFields"], json!({"language": "de"}));
    }
}
