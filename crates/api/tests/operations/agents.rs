//! The operations on agents: whether they take chats, what is kept of them, and what visitors see of them.

mod availability;
mod next;
mod seen;

use serde_json::json;
use usher_services::Error;
use usher_services::users::UserChoice;
use usher_store::q;
use usher_store::q::agents::AgentSession;
use usher_store::q::users::User;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::omnichannel_users::{make_agent, somebody};
use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::requests::insert_department;
use crate::support::{coded, column, rows, usual};

const STATUS: &str = "/api/v1/livechat/agent.status";
const SAVE: &str = "/api/v1/livechat/agents.saveInfo";

/// The record of a user.
pub async fn stored_user(app: &TestApp, id: &str) -> User {
    let found = app.services.user(UserChoice::Id(id.to_owned())).await.expect("users can be read");
    found.expect("there is such a user")
}

/// When an agent was in service: beginning and end.
pub async fn sessions(app: &TestApp, id: &str) -> Vec<(i64, Option<i64>)> {
    let id = id.to_owned();
    let sessions: Vec<AgentSession> =
        app.services.store.read(move |tx| q::agents::sessions(tx, &id).map_err(Error::from)).await.expect("they can be read");
    sessions.into_iter().map(|session| (session.started_at, session.stopped_at)).collect()
}

/// Puts an agent into exactly these departments.
pub async fn put_into(app: &TestApp, admin: &Login, agent_id: &str, departments: &[&str]) {
    let body = json!({"agentId": agent_id, "agentData": {}, "agentDepartments": departments});
    post(app, admin, SAVE, &body).await.is(200, &json!({"success": true}));
}

/// The places there are: department, agent, whether the department is in service, count and order.
async fn places(app: &TestApp) -> Vec<String> {
    const PLACES: &str = "SELECT department_id || ' ' || agent_id || ' ' || routed_count || ' ' || position
                          FROM department_agents ORDER BY department_id, agent_id";
    column(app, PLACES).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_an_agent_is_replaced() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        make_agent(&app, &admin, "mary").await;
        for (data, stored) in [
            (json!({"maxNumberSimultaneousChat": "5", "gone": null}), json!({"maxNumberSimultaneousChat": "5"})),
            (json!({"maxNumberSimultaneousChat": 7}), json!({"maxNumberSimultaneousChat": 7})),
            (json!({"other": {"deep": [1]}}), json!({"other": {"deep": [1]}})),
            (json!({}), json!({})),
        ] {
            let body = json!({"agentId": "mary", "agentData": data, "agentDepartments": []});
            post(&app, &admin, SAVE, &body).await.is(200, &json!({"success": true}));
            let mary = get(&app, &admin, "/api/v1/livechat/users/agent/mary").await.ok();
            assert_eq!(mary["user"]["livechat"], stored);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_put_into_exactly_the_departments_that_are_named() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        make_agent(&app, &admin, "mary").await;
        for name in ["sales", "help", "press"] {
            insert_department(&app, name).await;
        }
        put_into(&app, &admin, "mary", &["sales", "help", "unknown", "", "sales"]).await;
        assert_eq!(places(&app).await, ["help mary 0 0", "sales mary 0 0"]);
        let count = json!({"upsert": [{"agentId": "mary", "username": "mary", "count": 4, "order": 2}], "remove": []});
        post(&app, &admin, "/api/v1/livechat/department/help/agents", &count).await.ok();

        put_into(&app, &admin, "mary", &["press", "help"]).await;
        assert_eq!(places(&app).await, ["help mary 4 2", "press mary 0 0"], "a place that is there stays");
        let counts = column(&app, "SELECT CAST(agent_count AS TEXT) FROM departments ORDER BY id").await;
        assert_eq!(counts, ["1", "1", "0"], "of help, press and sales");
        put_into(&app, &admin, "mary", &[]).await;
        assert_eq!(places(&app).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_of_agents_something_is_kept() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let (mary, agent) = (somebody(&app, "mary", &["user"]).await, somebody(&app, "agent", &["livechat-agent"]).await);
        let before = rows(&app).await;
        let good = json!({"agentId": "mary", "agentData": {}, "agentDepartments": []});
        app.post(SAVE, &good).await.is(401, &not_logged_in());
        for login in [&mary, &agent] {
            post(&app, login, SAVE, &good).await.is(403, &not_permitted());
        }
        let code = "error-user-is-not-agent";
        let no_agent = coded(&format!("User is not a livechat agent [{code}]"), code);
        post(&app, &admin, SAVE, &good).await.is(400, &no_agent);
        let body = json!({"agentId": "nobody", "agentData": {}, "agentDepartments": []});
        post(&app, &admin, SAVE, &body).await.is(400, &no_agent);
        for (body, error) in [
            (json!({"agentData": {}, "agentDepartments": []}), "must have required property 'agentId'"),
            (json!({"agentId": "agent", "agentDepartments": []}), "must have required property 'agentData'"),
            (json!({"agentId": "agent", "agentData": {}}), "must have required property 'agentDepartments'"),
            (json!({"agentId": "agent", "agentData": [], "agentDepartments": []}), "must be object"),
            (json!({"agentId": "agent", "agentData": {}, "agentDepartments": "x"}), "must be array"),
            (json!({"agentId": "agent", "agentData": {}, "agentDepartments": [{}]}), "must be string"),
            (json!({"agentId": "agent", "agentData": {}, "agentDepartments": [], "x": 1}), "must NOT have additional properties"),
        ] {
            let reply = post(&app, &admin, SAVE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &coded(error, "invalid-params")), "{body}");
        }
        let long = json!({"agentId": "agent", "agentData": {"text": "x".repeat(70_000)}, "agentDepartments": []});
        let refused = post(&app, &admin, SAVE, &long).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errorType"]), (400, &json!("error-action-not-allowed")));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_departments_of_an_agent_are_named() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let path = |query: &str| format!("/api/v1/livechat/agents/mary/departments{query}");
        let mary = somebody(&app, "mary", &["user"]).await;
        get(&app, &admin, &path("")).await.is(200, &json!({"departments": [], "success": true}));
        app.get(&path("")).await.is(401, &not_logged_in());
        get(&app, &mary, &path("")).await.is(403, &not_permitted());
        make_agent(&app, &admin, "mary").await;
        for name in ["sales", "help"] {
            insert_department(&app, name).await;
        }
        put_into(&app, &admin, "mary", &["sales", "help"]).await;
        let off = json!({"department": {"enabled": false, "name": "Old sales", "showOnRegistration": true, "email": "a@b",
            "showOnOfflineForm": true}});
        let changed =
            app.call(axum::http::Method::PUT, "/api/v1/livechat/department/sales").as_user(&admin).json(&off).send().await;
        changed.ok();
        let answer = get(&app, &mary, &path("")).await.ok();
        let row = |place: usize, id: &str, name: &str, enabled: bool| {
            json!({
                "_id": answer["departments"][place]["_id"],
                "departmentId": id,
                "departmentName": name,
                "departmentEnabled": enabled,
                "agentId": "mary",
                "username": "mary",
                "count": 0,
                "order": 0,
                "_updatedAt": "2024-01-31T12:00:00.000Z",
            })
        };
        let all = [row(0, "help", "help", true), row(1, "sales", "Old sales", false)];
        assert_eq!(answer, json!({"departments": all, "success": true}));
        for query in ["?enabledDepartmentsOnly=false", "?enabledDepartmentsOnly=yes", "?enabledDepartmentsOnly="] {
            get(&app, &mary, &path(query)).await.is(200, &json!({"departments": all, "success": true}));
        }
        let enabled = json!({"departments": [all[0]], "success": true});
        get(&app, &mary, &path("?enabledDepartmentsOnly=true")).await.is(200, &enabled);
        let unknown = coded("must NOT have additional properties [invalid-params]", "invalid-params");
        get(&app, &mary, &path("?other=1")).await.is(400, &unknown);
    }
}
