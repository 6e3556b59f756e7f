//! The agents of departments.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::{DEPARTMENTS, at, create, members, put, schema, with};
use crate::omnichannel_users::somebody;
use crate::permissions::{get, grant, not_logged_in, not_permitted, post};
use crate::support::{coded, encoded, made_id, plain, rows, usual};

/// The names of those in a department, with count and order.
async fn places(app: &TestApp, admin: &Login, department: &Value) -> Vec<(String, i64, i64)> {
    let answer = get(app, admin, &format!("{}/agents", at(department))).await.ok();
    let number = |agent: &Value, name: &str| agent[name].as_i64().expect("it is a number");
    let agents = answer["agents"].as_array().expect("it is a list");
    let place = |agent: &Value| {
        (agent["username"].as_str().expect("it is a name").to_owned(), number(agent, "count"), number(agent, "order"))
    };
    agents.iter().map(place).collect()
}

fn place(name: &str, count: i64, order: i64) -> (String, i64, i64) {
    (name.to_owned(), count, order)
}

async fn agent_count(app: &TestApp, admin: &Login, department: &Value) -> Value {
    get(app, admin, &at(department)).await.ok()["department"]["numAgents"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_is_made_with_agents() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["mary", "adam"] {
            somebody(&app, name, &["user"]).await;
        }
        let agents = json!([{"agentId": "mary", "count": 3, "order": "2"}, {"agentId": "nobody"}, {"agentId": "adam"}]);
        let made = post(&app, &admin, DEPARTMENTS, &json!({"department": members("Sales"), "agents": agents})).await.ok();
        let row = |place: usize, name: &str, count: i64, order: i64| {
            json!({
                "_id": made_id(&made["agents"][place]["_id"]),
                "departmentId": made["department"]["_id"],
                "departmentEnabled": true,
                "agentId": name,
                "username": name,
                "count": count,
                "order": order,
                "_updatedAt": "2024-01-31T12:00:00.000Z",
            })
        };
        let rows = json!([row(0, "adam", 0, 0), row(1, "mary", 3, 2)]);
        assert_eq!((&made["agents"], &made["department"]["numAgents"]), (&rows, &json!(2)));
        let answer = json!({"agents": rows, "count": 2, "offset": 0, "total": 2, "success": true});
        let path = format!("{}/agents", at(&made["department"]));
        get(&app, &admin, &path).await.is(200, &answer);
        let read = get(&app, &admin, &at(&made["department"])).await.ok();
        assert_eq!(read["agents"], rows);
        for (query, expected) in [
            (r#"{"username":-1}"#, ["mary", "adam"]),
            (r#"{"count":1}"#, ["adam", "mary"]),
            (r#"{"count":-1}"#, ["mary", "adam"]),
            (r#"{"order":1}"#, ["adam", "mary"]),
            (r#"{"order":-1}"#, ["mary", "adam"]),
            (r#"{"other":-1}"#, ["adam", "mary"]),
        ] {
            let answer = get(&app, &admin, &format!("{path}?sort={}", encoded(query))).await.ok();
            let names: Vec<&Value> =
                answer["agents"].as_array().expect("it is a list").iter().map(|agent| &agent["username"]).collect();
            assert_eq!(names, expected, "{query}");
        }
        let page = get(&app, &admin, &format!("{path}?count=1&offset=1")).await;
        page.is(200, &json!({"agents": [rows[1]], "count": 1, "offset": 1, "total": 2, "success": true}));
        get(&app, &admin, &format!("{path}?text=x")).await.is(400, &schema("must NOT have additional properties"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_adds_agents_and_takes_none_out() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["mary", "adam"] {
            somebody(&app, name, &["user"]).await;
        }
        let body = json!({"department": members("Sales"), "agents": [{"agentId": "mary", "count": 3, "order": 2}]});
        let made = post(&app, &admin, DEPARTMENTS, &body).await.ok();
        let (sales, id) = (&made["department"], &made["agents"][0]["_id"]);
        let body = json!({"department": members("Sales"), "agents": [{"agentId": "adam", "username": "somebody", "count": 1}]});
        let changed = put(&app, &admin, &at(sales), &body).await.ok();
        assert_eq!(changed["department"]["numAgents"], 2);
        assert_eq!(changed["agents"].as_array().map(Vec::len), Some(2));
        assert_eq!(places(&app, &admin, sales).await, [place("adam", 1, 0), place("mary", 3, 2)]);
        // What is not said of a place is nothing.
        let body = json!({"department": members("Sales"), "agents": [{"agentId": "mary"}]});
        let changed = put(&app, &admin, &at(sales), &body).await.ok();
        assert_eq!(&changed["agents"][1]["_id"], id, "the place is the same");
        assert_eq!(places(&app, &admin, sales).await, [place("adam", 1, 0), place("mary", 0, 0)]);
        put(&app, &admin, &at(sales), &json!({"department": members("Sales"), "agents": []})).await.ok();
        assert_eq!(places(&app, &admin, sales).await.len(), 2);
        // Whether the department is in service stands at every place.
        for enabled in [false, true] {
            let body = json!({"department": with(members("Sales"), &json!({"enabled": enabled}))});
            let changed = put(&app, &admin, &at(sales), &body).await.ok();
            for agent in changed["agents"].as_array().expect("it is a list") {
                assert_eq!(agent["departmentEnabled"], enabled);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_come_and_go() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["mary", "adam"] {
            somebody(&app, name, &["user"]).await;
        }
        let sales = create(&app, &admin, &members("Sales")).await;
        let path = format!("{}/agents", at(&sales));
        let done = json!({"success": true});
        let mary = json!({"agentId": "mary", "username": "mary", "name": "Mary", "count": 4, "order": 1});
        let body =
            json!({"upsert": [mary, {"agentId": "adam", "username": "adam"}, {"agentId": "x", "username": "x"}], "remove": []});
        post(&app, &admin, &path, &body).await.is(200, &done);
        assert_eq!(places(&app, &admin, &sales).await, [place("adam", 0, 0), place("mary", 4, 1)]);
        assert_eq!(agent_count(&app, &admin, &sales).await, 2);
        let row = get(&app, &admin, &path).await.ok()["agents"][0].clone();
        let body = json!({"upsert": [{"agentId": "mary", "username": "mary"}], "remove": [row, {"agentId": "x", "username": "x"}]});
        post(&app, &admin, &path, &body).await.is(200, &done);
        assert_eq!(places(&app, &admin, &sales).await, [place("mary", 0, 0)]);
        assert_eq!(agent_count(&app, &admin, &sales).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_changes_of_agents_change_nothing() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let sales = create(&app, &admin, &members("Sales")).await;
        let path = format!("{}/agents", at(&sales));
        let before = rows(&app).await;
        for (body, told) in [
            (json!({}), "Missing key 'upsert'"),
            (json!({"upsert": []}), "Missing key 'remove'"),
            (json!({"upsert": [{}], "remove": []}), "Missing key 'agentId' in field upsert[0]"),
            (json!({"upsert": [], "remove": [{"username": "x"}]}), "Missing key 'agentId' in field remove[0]"),
            (json!({"upsert": {}, "remove": []}), "Expected array, got object in field upsert"),
            (json!({"upsert": [{"agentId": 7}], "remove": []}), "Expected string, got number in field upsert[0].agentId"),
            (
                json!({"upsert": [{"agentId": "agent", "count": "1"}], "remove": []}),
                "Expected Integer, got string in field upsert[0].count",
            ),
            (
                json!({"upsert": [{"agentId": "agent", "order": 0.5}], "remove": []}),
                "Expected Integer, got number in field upsert[0].order",
            ),
        ] {
            let reply = post(&app, &admin, &path, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &plain(&format!("Match error: {told}"))), "{body}");
        }
        let good = json!({"upsert": [{"agentId": "agent", "username": "agent"}], "remove": []});
        let code = "error-department-not-found";
        let unknown = coded(&format!("Department not found [{code}]"), code);
        post(&app, &admin, &format!("{DEPARTMENTS}/unknown/agents"), &good).await.is(400, &unknown);
        app.post(&path, &good).await.is(401, &not_logged_in());
        post(&app, &agent, &path, &good).await.is(403, &not_permitted());
        assert_eq!(rows(&app).await, before);
        grant(&app, &admin, "add-livechat-department-agents", &["livechat-agent"]).await;
        post(&app, &agent, &path, &good).await.ok();

        let nobody = json!({"agents": [], "count": 0, "offset": 0, "total": 0, "success": true});
        get(&app, &agent, &format!("{DEPARTMENTS}/unknown/agents")).await.is(200, &nobody);
        app.get(&path).await.is(401, &not_logged_in());
        let mary = somebody(&app, "mary", &["user"]).await;
        get(&app, &mary, &path).await.is(403, &not_permitted());
    }
}
