//! Methods about agents and managers, as older clients call them.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::custom_fields::not_allowed;
use super::{call, error, failure, mismatch, result};
use crate::agents::stored_user;
use crate::omnichannel_users::{make_agent, somebody};
use crate::requests::insert_department;
use crate::support::{column, rows, usual};

/// Those who may call the methods of managers, and those who may not.
async fn people(app: &TestApp) -> (Login, Login) {
    let manager = somebody(app, "manager", &["livechat-manager"]).await;
    (manager, somebody(app, "agent", &["livechat-agent"]).await)
}

fn nobody() -> Value {
    error(json!("error-invalid-user"), "Invalid user")
}

#[tokio::test(flavor = "multi_thread")]
async fn users_become_agents_and_managers() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = people(&app).await;
        somebody(&app, "mary", &["user"]).await;
        for (add, remove, role) in [
            ("livechat:addAgent", "livechat:removeAgent", "livechat-agent"),
            ("livechat:addManager", "livechat:removeManager", "livechat-manager"),
        ] {
            let before = rows(&app).await;
            for method in [add, remove] {
                assert_eq!(failure(call(&app, &agent, method, json!(["mary"])).await, 200), not_allowed(method));
                assert_eq!(failure(call(&app, &manager, method, json!(["nobody"])).await, 200), nobody());
                assert_eq!(failure(call(&app, &manager, method, json!([{}])).await, 200), mismatch("Expected string, got object"));
            }
            assert_eq!(rows(&app).await, before);
            let added = result(call(&app, &manager, add, json!(["mary"])).await);
            assert_eq!(added, json!({"_id": "mary", "username": "mary"}));
            assert!(stored_user(&app, "mary").await.roles.iter().any(|held| held == role));
            assert_eq!(result(call(&app, &manager, remove, json!(["mary"])).await), json!(true));
            assert_eq!(stored_user(&app, "mary").await.roles, ["user"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn something_is_kept_of_agents() {
    const SAVE: &str = "livechat:saveAgentInfo";
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = people(&app).await;
        insert_department(&app, "sales").await;
        let parameters = json!(["agent", {"maxNumberSimultaneousChat": "4"}, ["sales"]]);
        assert_eq!(failure(call(&app, &agent, SAVE, parameters.clone()).await, 200), not_allowed(SAVE));
        assert_eq!(result(call(&app, &manager, SAVE, parameters).await), json!(true));
        let kept = stored_user(&app, "agent").await.agent_data;
        assert_eq!(kept.as_deref(), Some(r#"{"maxNumberSimultaneousChat":"4"}"#));
        assert_eq!(column(&app, "SELECT department_id FROM department_agents").await, ["sales"]);
        let none = error(json!("error-user-is-not-agent"), "User is not a livechat agent");
        assert_eq!(failure(call(&app, &manager, SAVE, json!(["manager", {}, []])).await, 200), none);
        for (parameters, told) in [
            (json!(["agent", [], []]), "Expected plain object"),
            (json!(["agent", {}]), "Expected array, got undefined"),
            (json!(["agent", {}, [7]]), "Expected string, got number in field [0]"),
        ] {
            assert_eq!(failure(call(&app, &manager, SAVE, parameters).await, 200), mismatch(told));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_name() {
    const SEARCH: &str = "livechat:searchAgent";
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = people(&app).await;
        let found = result(call(&app, &manager, SEARCH, json!(["AGENT"])).await);
        assert_eq!(found, json!({"_id": "agent", "username": "agent"}));
        assert_eq!(failure(call(&app, &manager, SEARCH, json!(["nobody"])).await, 200), nobody());
        let mut wrong = error(json!("error-invalid-arguments"), "Invalid arguments");
        wrong["details"] = json!({"method": SEARCH});
        for parameters in [json!([]), json!([""]), json!([7]), json!(["\u{0}"])] {
            assert_eq!(failure(call(&app, &manager, SEARCH, parameters).await, 200), wrong);
        }
        assert_eq!(failure(call(&app, &agent, SEARCH, json!(["agent"])).await, 200), not_allowed(SEARCH));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_say_whether_they_take_chats() {
    const CHANGE: &str = "livechat:changeLivechatStatus";
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = people(&app).await;
        let admin = app.admin().await;
        somebody(&app, "mary", &["user"]).await;
        make_agent(&app, &admin, "mary").await;
        for (parameters, expected) in [
            (json!([]), "available"),
            (json!([{}]), "not-available"),
            (json!(["not-available"]), "available"),
            (json!([{"status": null}]), "not-available"),
            (json!([{"status": "available"}]), "available"),
            (json!([{"status": "available", "agentId": "agent"}]), "available"),
        ] {
            assert_eq!(result(call(&app, &agent, CHANGE, parameters.clone()).await), Value::Null);
            let now = stored_user(&app, "agent").await.availability.map(|availability| availability.name());
            assert_eq!(now, Some(expected), "{parameters}");
        }
        let refused = |sentence: &str| error(json!("error-not-allowed"), sentence);
        let before = rows(&app).await;
        for (login, parameters, told) in [
            (&agent, json!([{"agentId": "nobody", "status": "x"}]), refused("Invalid Agent Id")),
            (&agent, json!([{"agentId": 7}]), refused("Invalid Agent Id")),
            (&manager, json!([]), refused("Invalid Agent Id")),
            (&agent, json!([{"status": "away"}]), refused("Invalid Status")),
            (&agent, json!([{"status": 7}]), refused("Invalid Status")),
            (&agent, json!([{"agentId": "mary", "status": "not-available"}]), refused("Not allowed")),
        ] {
            assert_eq!(failure(call(&app, login, CHANGE, parameters.clone()).await, 200), told, "{parameters}");
        }
        // What is so already needs no permission.
        let same = json!([{"agentId": "mary", "status": "available"}]);
        assert_eq!(result(call(&app, &agent, CHANGE, same).await), Value::Null);
        assert_eq!(rows(&app).await, before);
        result(call(&app, &manager, CHANGE, json!([{"agentId": "mary", "status": "not-available"}])).await);
        assert_eq!(stored_user(&app, "mary").await.availability.map(|availability| availability.name()), Some("not-available"));
    }
}
