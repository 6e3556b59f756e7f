//! Methods about departments, as older clients call them.

use serde_json::{Value, json};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::custom_fields::not_allowed;
use super::{bare_error, call, error, failure, mismatch, result};
use crate::omnichannel_users::somebody;
use crate::support::{column, made_id, rows, usual, with_removal};

const SAVE: &str = "livechat:saveDepartment";
const REMOVE: &str = "livechat:removeDepartment";
const AGENTS: &str = "livechat:saveDepartmentAgents";
const RESTRICTIONS: &str = "livechat:getDepartmentForwardRestrictions";

fn members(name: &str) -> Value {
    json!({"enabled": true, "name": name, "showOnRegistration": true, "email": "bla@bla", "showOnOfflineForm": false})
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_are_made_and_changed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let parameters = json!([null, members("Sales"), [{"agentId": "agent", "username": "agent"}], null]);
        assert_eq!(failure(call(&app, &agent, SAVE, parameters.clone()).await, 200), not_allowed(SAVE));
        let sales = result(call(&app, &manager, SAVE, parameters).await);
        let mut expected = members("Sales");
        for (name, value) in [
            ("_id", json!(made_id(&sales["_id"]))),
            ("type", json!("d")),
            ("archived", json!(false)),
            ("numAgents", json!(1)),
            ("_updatedAt", json!({"$date": START})),
        ] {
            expected[name] = value;
        }
        assert_eq!(sales, expected);
        assert_eq!(result(call(&app, &manager, SAVE, json!(["", members("Help"), null])).await)["name"], "Help");
        let changes = json!({"upsert": [{"agentId": "manager"}], "remove": [{"agentId": "agent"}]});
        let changed = result(call(&app, &manager, SAVE, json!([sales["_id"], members("Selling"), changes, {}])).await);
        assert_eq!(changed["name"], "Selling");
        assert_eq!(column(&app, "SELECT agent_id FROM department_agents").await, ["manager"]);
        assert_eq!(column(&app, "SELECT name || agent_count FROM departments ORDER BY name").await, ["Help0", "Selling1"]);

        let before = rows(&app).await;
        let unit = error(json!("error-invalid-department-unit"), "Invalid department unit id provided");
        let parameters = json!([null, members("x"), [], {"_id": 7}]);
        assert_eq!(failure(call(&app, &manager, SAVE, parameters).await, 200), unit);
        let unknown = error(json!("error-department-not-found"), "Department not found");
        assert_eq!(failure(call(&app, &manager, SAVE, json!(["unknown", members("x"), []])).await, 200), unknown);
        for (parameters, told) in [
            (json!([]), "Expected object, got undefined"),
            (json!([7, members("x")]), "Expected string, got number"),
            (json!([null, {}]), "Missing key 'enabled'"),
            (json!([null, {"enabled": "true"}]), "Expected boolean, got string in field enabled"),
            (json!([null, members("x"), [{}]]), "Missing key 'agentId' in field [0]"),
            (json!([null, members("x"), {"upsert": [7]}]), "Expected object, got number in field upsert[0]"),
        ] {
            assert_eq!(failure(call(&app, &manager, SAVE, parameters.clone()).await, 200), mismatch(told), "{parameters}");
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_are_deleted() {
    for engine in Engine::all() {
        let app = with_removal().start(&engine).await;
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let sales = result(call(&app, &manager, SAVE, json!([null, members("Sales"), []])).await);
        assert_eq!(failure(call(&app, &agent, REMOVE, json!([sales["_id"]])).await, 200), not_allowed(REMOVE));
        assert_eq!(result(call(&app, &manager, REMOVE, json!([sales["_id"]])).await), json!(true));
        let unknown = error(json!("error-department-not-found"), "Department not found");
        assert_eq!(failure(call(&app, &manager, REMOVE, json!([sales["_id"]])).await, 200), unknown);
        assert_eq!(column(&app, "SELECT id FROM departments").await, [""; 0]);
    }
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let sales = result(call(&app, &manager, SAVE, json!([null, members("Sales"), []])).await);
        let refused = failure(call(&app, &manager, REMOVE, json!([sales["_id"]])).await, 200);
        assert_eq!(refused, bare_error("error-department-removal-disabled"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_of_departments_change() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let sales = result(call(&app, &manager, SAVE, json!([null, members("Sales"), []])).await)["_id"].clone();
        let list = json!([{"agentId": "agent", "username": "agent", "count": 2, "order": 3}]);
        assert_eq!(failure(call(&app, &agent, AGENTS, json!([sales, list])).await, 200), not_allowed(AGENTS));
        assert_eq!(result(call(&app, &manager, AGENTS, json!([sales, list])).await), Value::Null);
        assert_eq!(column(&app, "SELECT agent_id || routed_count || position FROM department_agents").await, ["agent23"]);
        let changes = json!({"remove": [{"agentId": "agent"}], "upsert": []});
        assert_eq!(result(call(&app, &manager, AGENTS, json!([sales, changes])).await), Value::Null);
        assert_eq!(column(&app, "SELECT agent_id FROM department_agents").await, [""; 0]);
        let unknown = error(json!("error-department-not-found"), "Department not found");
        assert_eq!(failure(call(&app, &manager, AGENTS, json!(["unknown", list])).await, 200), unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restrictions_of_forwarding_are_told() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let user = somebody(&app, "user", &["user"]).await;
        for (targets, expected) in [
            (json!(["a", "b"]), json!({"_id": {"$in": ["a", "b"]}})),
            (json!("a, b"), json!({"_id": {"$in": ["a", "b"]}})),
            (json!([]), json!({})),
            (json!(""), json!({})),
        ] {
            let mut members = members("Sales");
            members["departmentsAllowedToForward"] = targets;
            let id = result(call(&app, &manager, SAVE, json!([null, members, []])).await)["_id"].clone();
            assert_eq!(result(call(&app, &user, RESTRICTIONS, json!([id])).await), expected);
        }
        for parameters in [json!([]), json!([null]), json!(["unknown"])] {
            assert_eq!(result(call(&app, &user, RESTRICTIONS, parameters).await), json!({}));
        }
    }
}
