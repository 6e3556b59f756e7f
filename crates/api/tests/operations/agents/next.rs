//! Who would get the next chat.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::agents::put_into;
use crate::omnichannel_users::{make_agent, somebody};
use crate::permissions::post;
use crate::requests::insert_department;
use crate::support::{coded, column, plain, rows, usual};

const NEXT: &str = "/api/v1/livechat/agent.next/token-1";

/// Makes agents who take chats.
async fn agents(app: &TestApp, admin: &Login, names: &[&str]) {
    for name in names {
        somebody(app, name, &["user"]).await;
        make_agent(app, admin, name).await;
    }
}

/// The name of the next agent.
async fn next(app: &TestApp, query: &str) -> Value {
    app.get(&format!("{NEXT}{query}")).await.ok()["agent"]["username"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_take_turns() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        app.get(NEXT).await.is(400, &plain("agent-not-found"));
        agents(&app, &admin, &["mary", "adam"]).await;
        let adam = json!({
            "_id": "adam",
            "name": "adam",
            "username": "adam",
            "status": "offline",
            "emails": [{"address": "adam@example.com", "verified": false}],
        });
        app.get(NEXT).await.is(200, &json!({"agent": adam, "success": true}));
        for expected in ["mary", "adam", "mary"] {
            assert_eq!(next(&app, "").await, expected);
        }
        assert_eq!(column(&app, "SELECT CAST(routed_count AS TEXT) FROM users WHERE id IN ('adam', 'mary')").await, ["2", "2"]);
        post(&app, &admin, "/api/v1/livechat/agent.status", &json!({"agentId": "adam", "status": "not-available"})).await.ok();
        assert_eq!(next(&app, "").await, "mary");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_has_its_own_turns() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        agents(&app, &admin, &["mary", "adam", "eve"]).await;
        for name in ["sales", "help"] {
            insert_department(&app, name).await;
        }
        put_into(&app, &admin, "mary", &["sales", "help"]).await;
        put_into(&app, &admin, "eve", &["sales"]).await;
        for expected in ["eve", "mary", "eve"] {
            assert_eq!(next(&app, "?department=sales").await, expected);
        }
        assert_eq!(next(&app, "?department=help").await, "mary");
        let counts = column(&app, "SELECT department_id || agent_id || routed_count FROM department_agents ORDER BY 1").await;
        assert_eq!(counts, ["helpmary1", "saleseve2", "salesmary1"]);
        app.get(&format!("{NEXT}?department=unknown")).await.is(400, &plain("agent-not-found"));
        // Without a department it is the first one that is offered, and in which somebody is there.
        assert_eq!(next(&app, "").await, "adam");
        let body = json!({"userId": "mary", "status": "online"});
        post(&app, &admin, "/api/v1/users.setStatus", &body).await.ok();
        for _ in 0..2 {
            assert_eq!(next(&app, "").await, "mary");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_has_a_chat_gets_nobody() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        app.register("token-1", "Visitor").await;
        app.room("token-1").await;
        agents(&app, &admin, &["mary"]).await;
        let before = rows(&app).await;
        app.get(NEXT).await.is(200, &json!({"success": true}));
        assert_eq!(rows(&app).await, before, "nobody's turn is used up");
        assert_eq!(app.get("/api/v1/livechat/agent.next/nobody").await.ok()["agent"]["username"], "mary");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_agents_choose_there_is_no_next_one() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Manual_Selection").start(&engine).await;
        let admin = app.admin().await;
        agents(&app, &admin, &["mary"]).await;
        let before = rows(&app).await;
        app.get(NEXT).await.is(400, &plain("agent-not-found"));
        let schema = coded("must NOT have additional properties [invalid-params]", "invalid-params");
        app.get(&format!("{NEXT}?other=1")).await.is(400, &schema);
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_enough_chats_gets_none() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        app.register("token-2", "Visitor").await;
        let room = app.room("token-2").await;
        agents(&app, &admin, &["mary", "adam"]).await;
        // Adam has one chat, and wants no more.
        let subscribe = app.services.store.write::<_, usher_store::StoreError, _>(move |tx| {
            tx.execute(
                "INSERT INTO subscriptions (id, room_id, user_id, unread, mentions, alert, is_shown, is_favorite, created_at, updated_at)
                 VALUES ('1', ?1, 'adam', 0, 0, FALSE, TRUE, FALSE, 0, 0)",
                usher_store::values![&room],
            )
        });
        subscribe.await.expect("the statement runs");
        let body = json!({"agentId": "adam", "agentData": {"maxNumberSimultaneousChat": "1"}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &body).await.ok();
        for _ in 0..2 {
            assert_eq!(next(&app, "").await, "mary");
        }
        let body = json!({"agentId": "adam", "agentData": {"maxNumberSimultaneousChat": "2"}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &body).await.ok();
        assert_eq!(next(&app, "").await, "adam");
    }
}
