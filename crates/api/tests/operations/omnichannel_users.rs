//! The operations on agents and managers as such: who is one, and becoming one and ceasing to be.

use axum::http::Method;
use serde_json::{Value, json};
use usher_store::StoreError;
use usher_store::values;
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use crate::agents::{sessions, stored_user};
use crate::permissions::{get, grant, not_logged_in, not_permitted, post};
use crate::requests::{account, insert_department, person};
use crate::support::{coded, column, plain, rows, usual};

const AGENTS: &str = "/api/v1/livechat/users/agent";
const MANAGERS: &str = "/api/v1/livechat/users/manager";

/// `DELETE path` by somebody who is logged in.
pub async fn delete(app: &TestApp, login: &Login, path: &str) -> Reply {
    app.call(Method::DELETE, path).as_user(login).send().await
}

/// Makes somebody with these roles whose id is its name, and logs it in.
pub async fn somebody(app: &TestApp, username: &str, roles: &[&str]) -> Login {
    let admin = account(app, &app.admin().await).await.expect("the administrator is logged in");
    person(app, &admin, username, roles).await
}

/// Makes somebody an agent by the operation for it: it takes chats at once.
pub async fn make_agent(app: &TestApp, admin: &Login, username: &str) {
    let answer = json!({"user": {"_id": username, "username": username}, "success": true});
    post(app, admin, AGENTS, &json!({"username": username})).await.is(200, &answer);
}

/// The names in a list.
fn names(answer: &Value) -> Vec<&str> {
    let users = answer["users"].as_array().expect("it is a list");
    users.iter().map(|user| user["username"].as_str().expect("a user has a name")).collect()
}

fn shown(name: &str) -> Value {
    json!({
        "_id": name,
        "username": name,
        "name": name,
        "status": "offline",
        "emails": [{"address": format!("{name}@example.com"), "verified": false}],
    })
}

/// The document with these members in it.
fn with(mut document: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("members are an object") {
        document[name] = value.clone();
    }
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_listed_with_their_departments() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["mary", "adam"] {
            somebody(&app, name, &["user"]).await;
            make_agent(&app, &admin, name).await;
        }
        insert_department(&app, "sales").await;
        let data = json!({"agentId": "mary", "agentData": {"maxNumberSimultaneousChat": "5"}, "agentDepartments": ["sales"]});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &data).await.ok();
        let adam = json!({"statusLivechat": "available", "livechat": null, "departments": []});
        let mary = json!({"statusLivechat": "available", "livechat": {"maxNumberSimultaneousChat": "5"}, "departments": ["sales"]});
        let users = [with(shown("adam"), &adam), with(shown("mary"), &mary)];
        let answer = json!({"users": users, "count": 2, "offset": 0, "total": 2, "success": true});
        get(&app, &admin, AGENTS).await.is(200, &answer);

        let page = json!({"users": [users[0]], "count": 1, "offset": 1, "total": 2, "success": true});
        get(&app, &admin, &format!("{AGENTS}?count=1&offset=1&sort=%7B%22username%22:-1%7D")).await.is(200, &page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_agents_can_be_narrowed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (name, roles) in
            [("adam", ["livechat-agent", "user"]), ("eve", ["livechat-agent", "user"]), ("robot", ["bot", "livechat-agent"])]
        {
            somebody(&app, name, &roles).await;
        }
        let body = json!({"userId": "eve", "status": "away"});
        post(&app, &admin, "/api/v1/users.setStatus", &body).await.ok();
        let body = json!({"agentId": "eve", "status": "available"});
        post(&app, &admin, "/api/v1/livechat/agent.status", &body).await.ok();
        for (query, expected) in [
            ("", vec!["adam", "eve", "robot"]),
            ("?text=EV", vec!["eve"]),
            ("?text=adam@example", vec!["adam"]),
            ("?text=%25", vec![]),
            ("?text=", vec!["adam", "eve", "robot"]),
            ("?onlyAvailable=true", vec!["eve"]),
            ("?onlyAvailable=false", vec!["adam", "eve", "robot"]),
            ("?excludeId=eve", vec!["adam", "robot"]),
            ("?showIdleAgents=false", vec!["eve", "robot"]),
            ("?showIdleAgents=true", vec!["adam", "eve", "robot"]),
            ("?showIdleAgents=false&onlyAvailable=true&excludeId=eve", vec![]),
        ] {
            let answer = get(&app, &admin, &format!("{AGENTS}{query}")).await.ok();
            assert_eq!((names(&answer), &answer["total"]), (expected.clone(), &json!(expected.len())), "{query}");
        }
        // What is asked of agents is nothing to managers.
        somebody(&app, "boss", &["livechat-manager", "user"]).await;
        let managers = get(&app, &admin, &format!("{MANAGERS}?onlyAvailable=true&excludeId=boss&showIdleAgents=false")).await;
        let boss = with(shown("boss"), &json!({"livechat": null, "departments": []}));
        managers.is(200, &json!({"users": [boss], "count": 1, "offset": 0, "total": 1, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_for_those_who_may_see_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let (mary, agent) = (somebody(&app, "mary", &["user"]).await, somebody(&app, "agent", &["livechat-agent"]).await);
        app.get(AGENTS).await.is(401, &not_logged_in());
        get(&app, &mary, AGENTS).await.is(403, &not_permitted());
        get(&app, &mary, MANAGERS).await.is(403, &not_permitted());
        get(&app, &agent, AGENTS).await.ok();
        get(&app, &agent, MANAGERS).await.is(403, &not_permitted());
        // One of two permissions is enough for agents.
        grant(&app, &admin, "edit-omnichannel-contact", &[]).await;
        get(&app, &agent, AGENTS).await.is(403, &not_permitted());
        grant(&app, &admin, "transfer-livechat-guest", &["livechat-agent"]).await;
        get(&app, &agent, AGENTS).await.ok();

        for kind in ["monitor", "Agent", "agents"] {
            get(&app, &mary, &format!("/api/v1/livechat/users/{kind}")).await.is(400, &plain("Invalid type"));
        }
        let schema = |error: &str| coded(&format!("{error} [invalid-params]"), "invalid-params");
        get(&app, &admin, &format!("{AGENTS}?other=1")).await.is(400, &schema("must NOT have additional properties"));
        get(&app, &admin, &format!("{AGENTS}?onlyAvailable=yes")).await.is(400, &schema("must be boolean"));
        get(&app, &admin, &format!("{AGENTS}?count=x")).await.is(400, &schema("must be integer"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_made_an_agent_takes_chats() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        post(&app, &admin, AGENTS, &json!({"username": "MARY"}))
            .await
            .is(200, &json!({"user": {"_id": "mary", "username": "mary"}, "success": true}));
        let mary = stored_user(&app, "mary").await;
        assert_eq!(mary.roles, ["livechat-agent", "user"]);
        assert_eq!((mary.availability.map(|it| it.name()), mary.unavailable_by_system), (Some("available"), false));
        assert_eq!(sessions(&app, "mary").await, [], "in service is only who is there");

        // Once more changes nothing.
        let before = rows(&app).await;
        make_agent(&app, &admin, "mary").await;
        assert_eq!(rows(&app).await, before);

        let answer = json!({"user": {"_id": "mary", "username": "mary"}, "success": true});
        post(&app, &admin, MANAGERS, &json!({"username": "mary"})).await.is(200, &answer);
        assert_eq!(stored_user(&app, "mary").await.roles, ["livechat-agent", "livechat-manager", "user"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_is_nothing_but_a_role() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        let before = stored_user(&app, "mary").await;
        post(&app, &admin, MANAGERS, &json!({"username": "mary"})).await.ok();
        let mut after = stored_user(&app, "mary").await;
        assert_eq!(std::mem::replace(&mut after.roles, before.roles.clone()), ["livechat-manager", "user"]);
        assert_eq!(after, before);
        delete(&app, &admin, &format!("{MANAGERS}/mary")).await.is(200, &json!({"success": true}));
        assert_eq!(stored_user(&app, "mary").await.roles, ["user"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_everybody_becomes_one() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let before = rows(&app).await;
        let body = json!({"username": "agent"});
        app.post(AGENTS, &body).await.is(401, &not_logged_in());
        post(&app, &agent, AGENTS, &body).await.is(403, &not_permitted());
        let schema = |error: &str| coded(&format!("{error} [invalid-params]"), "invalid-params");
        post(&app, &admin, AGENTS, &json!({})).await.is(400, &schema("must have required property 'username'"));
        post(&app, &admin, AGENTS, &json!({"username": []})).await.is(400, &schema("must be string"));
        let body = json!({"username": "agent", "other": 1});
        post(&app, &admin, AGENTS, &body).await.is(400, &schema("must NOT have additional properties"));
        let unknown = coded("[error-invalid-user]", "error-invalid-user");
        post(&app, &admin, AGENTS, &json!({"username": "nobody"})).await.is(400, &unknown);
        let path = "/api/v1/livechat/users/monitor";
        post(&app, &admin, path, &json!({"username": "agent"})).await.is(400, &plain("Invalid type"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_them_can_be_read() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        let path = format!("{AGENTS}/mary");
        get(&app, &admin, &path).await.is(200, &json!({"user": null, "success": true}));
        make_agent(&app, &admin, "mary").await;
        let mary = with(shown("mary"), &json!({"statusLivechat": "available"}));
        get(&app, &admin, &path).await.is(200, &json!({"user": mary, "success": true}));
        get(&app, &admin, &format!("{MANAGERS}/mary")).await.is(200, &json!({"user": null, "success": true}));

        let body = json!({"agentId": "mary", "agentData": {"maxNumberSimultaneousChat": 3}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &body).await.ok();
        let mary = with(mary, &json!({"livechat": {"maxNumberSimultaneousChat": 3}}));
        get(&app, &admin, &path).await.is(200, &json!({"user": mary, "success": true}));

        for kind in ["agent", "manager", "monitor"] {
            let path = format!("/api/v1/livechat/users/{kind}/nobody");
            get(&app, &admin, &path).await.is(400, &plain("User not found"));
        }
        get(&app, &admin, "/api/v1/livechat/users/monitor/mary").await.is(400, &plain("Invalid type"));
        app.get(&path).await.is(401, &not_logged_in());
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        get(&app, &agent, &path).await.is(403, &not_permitted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_agent_any_more_leaves_everything() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["mary", "adam"] {
            somebody(&app, name, &["user"]).await;
            make_agent(&app, &admin, name).await;
            insert_department(&app, &format!("{name}-only")).await;
        }
        insert_department(&app, "both").await;
        for name in ["mary", "adam"] {
            let departments = ["both".to_owned(), format!("{name}-only")];
            let body = json!({"agentId": name, "agentData": {"maxNumberSimultaneousChat": 3}, "agentDepartments": departments});
            post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &body).await.ok();
        }
        app.register("token-1", "Visitor").await;
        app.room("token-1").await;
        let manage =
            app.services.store.write::<_, StoreError, _>(|tx| tx.execute("UPDATE contacts SET manager_id = 'mary'", values![]));
        assert!(manage.await.expect("contacts can be changed") > 0);
        let counts = async || column(&app, "SELECT CAST(agent_count AS TEXT) FROM departments ORDER BY id").await;
        assert_eq!(counts().await, ["1", "2", "1"], "of Adam's, both and Mary's");

        delete(&app, &admin, &format!("{AGENTS}/mary")).await.is(200, &json!({"success": true}));
        let mary = stored_user(&app, "mary").await;
        assert_eq!(mary.roles, ["user"]);
        assert_eq!((mary.availability, mary.unavailable_by_system, mary.agent_data), (None, false, None));
        assert_eq!(counts().await, ["1", "1", "0"]);
        assert_eq!(column(&app, "SELECT agent_id FROM department_agents ORDER BY id").await, ["adam", "adam"]);
        assert_eq!(column(&app, "SELECT COALESCE(manager_id, 'nobody') FROM contacts").await, ["nobody"]);

        // Once more changes nothing.
        let before = rows(&app).await;
        delete(&app, &admin, &format!("{AGENTS}/mary")).await.is(200, &json!({"success": true}));
        assert_eq!(rows(&app).await, before);
        delete(&app, &admin, &format!("{AGENTS}/nobody")).await.is(400, &json!({"success": false}));
        delete(&app, &admin, "/api/v1/livechat/users/monitor/adam").await.is(400, &plain("Invalid type"));
        app.delete(&format!("{AGENTS}/adam")).await.is(401, &not_logged_in());
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let before = rows(&app).await;
        delete(&app, &agent, &format!("{AGENTS}/adam")).await.is(403, &not_permitted());
        assert_eq!(rows(&app).await, before);
    }
}
