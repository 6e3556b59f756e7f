//! The operations on departments: making, reading, changing and deleting them.

mod members;
mod places;
mod removal;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use crate::omnichannel_users::somebody;
use crate::permissions::{get, grant, not_logged_in, not_permitted, post};
use crate::support::{coded, encoded, made_id, plain, rows, usual};

const DEPARTMENTS: &str = "/api/v1/livechat/department";

/// `PUT path` by somebody who is logged in.
async fn put(app: &TestApp, login: &Login, path: &str, body: &Value) -> Reply {
    app.call(Method::PUT, path).as_user(login).json(body).send().await
}

/// Where a department is.
fn at(department: &Value) -> String {
    format!("{DEPARTMENTS}/{}", department["_id"].as_str().expect("a department has an id"))
}

/// The members that a department has to have.
fn members(name: &str) -> Value {
    json!({"enabled": true, "name": name, "showOnRegistration": true, "email": "bla@bla", "showOnOfflineForm": false})
}

/// These members with others in them.
fn with(mut members: Value, others: &Value) -> Value {
    for (name, value) in others.as_object().expect("members are an object") {
        members[name] = value.clone();
    }
    members
}

/// Makes a department; gives it as it was answered.
async fn create(app: &TestApp, admin: &Login, members: &Value) -> Value {
    post(app, admin, DEPARTMENTS, &json!({"department": members})).await.ok()["department"].clone()
}

/// A department as it is shown, with these members.
fn shown(id: &Value, name: &str) -> Value {
    let own = json!({"_id": id, "type": "d", "archived": false, "numAgents": 0, "_updatedAt": "2024-01-31T12:00:00.000Z"});
    with(members(name), &own)
}

/// The names in a list.
fn names(answer: &Value) -> Vec<&str> {
    let departments = answer["departments"].as_array().expect("it is a list");
    departments.iter().map(|department| department["name"].as_str().expect("a department has a name")).collect()
}

/// A violated schema.
fn schema(error: &str) -> Value {
    coded(&format!("{error} [invalid-params]"), "invalid-params")
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_can_be_made_and_read() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let reply = post(&app, &admin, DEPARTMENTS, &json!({"department": members("Sales")})).await;
        let id = reply.body["department"]["_id"].clone();
        made_id(&id);
        let sales = shown(&id, "Sales");
        reply.is(200, &json!({"department": sales, "agents": [], "success": true}));
        get(&app, &admin, &at(&sales)).await.is(200, &json!({"department": sales, "agents": [], "success": true}));
        let answer = json!({"departments": [sales], "count": 1, "offset": 0, "total": 1, "success": true});
        get(&app, &admin, DEPARTMENTS).await.is(200, &answer);

        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        for query in ["?includeAgents=false", "?includeAgents=false&onlyMyDepartments=true"] {
            let answer = json!({"department": sales, "success": true});
            get(&app, &admin, &format!("{}{query}", at(&sales))).await.is(200, &answer);
        }
        for query in ["", "?includeAgents=true", "?other=1"] {
            let answer = json!({"department": sales, "success": true});
            get(&app, &agent, &format!("{}{query}", at(&sales))).await.is(200, &answer);
        }
        get(&app, &agent, &format!("{DEPARTMENTS}/unknown")).await.is(200, &json!({"department": null, "success": true}));
        let unknown = json!({"department": null, "agents": [], "success": true});
        get(&app, &admin, &format!("{DEPARTMENTS}/unknown")).await.is(200, &unknown);
        let wrong = schema("must be equal to one of the allowed values");
        get(&app, &admin, &format!("{}?onlyMyDepartments=yes", at(&sales))).await.is(400, &wrong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_can_be_narrowed_and_sorted() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let mut ids = Vec::new();
        for (name, enabled, registration) in [("b 50% off", true, false), ("A test", false, true), ("a test", true, true)] {
            let others = json!({"enabled": enabled, "showOnRegistration": registration});
            ids.push(create(&app, &admin, &with(members(name), &others)).await["_id"].clone());
            app.advance(Duration::from_secs(1));
        }
        somebody(&app, "mary", &["livechat-agent"]).await;
        crate::agents::put_into(&app, &admin, "mary", &[ids[1].as_str().expect("an id is a text")]).await;
        let all = ["A test", "a test", "b 50% off"];
        for (query, expected) in [
            ("".to_owned(), all.to_vec()),
            ("text=TEST".to_owned(), vec!["A test", "a test"]),
            ("text=50%25".to_owned(), vec!["b 50% off"]),
            ("text=5_%25".to_owned(), vec![]),
            ("enabled=true".to_owned(), vec!["a test", "b 50% off"]),
            ("enabled=false".to_owned(), all.to_vec()),
            ("onlyMyDepartments=true".to_owned(), all.to_vec()),
            (format!("excludeDepartmentId={}", ids[0].as_str().expect("an id is a text")), vec!["A test", "a test"]),
            ("count=1&offset=1".to_owned(), vec!["a test"]),
            (format!("sort={}", encoded(r#"{"name":-1}"#)), vec!["b 50% off", "a test", "A test"]),
            (format!("sort={}", encoded(r#"{"_id":1}"#)), vec!["b 50% off", "A test", "a test"]),
            (format!("count=1&sort={}", encoded(r#"{"numAgents":-1}"#)), vec!["A test"]),
            (format!("count=1&sort={}", encoded(r#"{"enabled":1}"#)), vec!["A test"]),
            (format!("count=1&sort={}", encoded(r#"{"showOnRegistration":1}"#)), vec!["b 50% off"]),
        ] {
            let answer = get(&app, &admin, &format!("{DEPARTMENTS}?{query}")).await.ok();
            assert_eq!(names(&answer), expected, "{query}");
        }
        let answer = get(&app, &admin, &format!("{DEPARTMENTS}?count=1&offset=2")).await.ok();
        assert_eq!((&answer["count"], &answer["offset"], &answer["total"]), (&json!(1), &json!(2), &json!(3)));
        get(&app, &admin, &format!("{DEPARTMENTS}?other=1")).await.is(400, &schema("must NOT have additional properties"));
        let wrong = schema("must be equal to one of the allowed values");
        get(&app, &admin, &format!("{DEPARTMENTS}?onlyMyDepartments=1")).await.is(400, &wrong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_away_is_left_out_of_lists() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let old = create(&app, &admin, &members("Old")).await;
        create(&app, &admin, &members("Sales")).await;
        crate::support::tamper(&app, "UPDATE departments SET archived = TRUE, enabled = FALSE WHERE name = 'Old'").await;
        for (query, expected) in [
            ("", vec!["Sales"]),
            ("?showArchived=false", vec!["Sales"]),
            ("?showArchived=true", vec!["Old", "Sales"]),
            ("?showArchived=true&enabled=true", vec!["Sales"]),
        ] {
            let answer = get(&app, &admin, &format!("{DEPARTMENTS}{query}")).await.ok();
            assert_eq!((names(&answer), &answer["total"]), (expected.clone(), &json!(expected.len())), "{query}");
        }
        let shown = get(&app, &admin, &at(&old)).await.ok()["department"].clone();
        assert_eq!((&shown["archived"], &shown["enabled"]), (&json!(true), &json!(false)));
        let code = "error-archived-department-cant-be-enabled";
        let refused = coded(&format!("Archived departments cant be enabled [{code}]"), code);
        put(&app, &admin, &at(&old), &json!({"department": members("Old")})).await.is(400, &refused);
        let off = with(members("Older"), &json!({"enabled": false, "archived": false}));
        let changed = put(&app, &admin, &at(&old), &json!({"department": off})).await.ok();
        assert_eq!((&changed["department"]["name"], &changed["department"]["archived"]), (&json!("Older"), &json!(true)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_can_be_changed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let first = with(members("Sales"), &json!({"description": "They sell", "chatClosingTags": ["sold"], "own": 7}));
        let sales = create(&app, &admin, &first).await;
        app.advance(Duration::from_secs(1));
        let second = with(members("Selling"), &json!({"enabled": false, "own": "x", "email": "sales@example.com"}));
        let expected = with(sales.clone(), &second);
        let expected = with(expected, &json!({"_updatedAt": "2024-01-31T12:00:01.000Z"}));
        let answer = json!({"department": expected, "agents": [], "success": true});
        put(&app, &admin, &at(&sales), &json!({"department": second})).await.is(200, &answer);
        get(&app, &admin, &at(&sales)).await.is(200, &answer);
        // Clients send back what they were told.
        let back = put(&app, &admin, &at(&sales), &json!({"department": expected, "agents": null})).await;
        back.is(200, &answer);

        let code = "error-department-not-found";
        let unknown = coded(&format!("Department not found [{code}]"), code);
        put(&app, &admin, &format!("{DEPARTMENTS}/unknown"), &json!({"department": second})).await.is(400, &unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_everybody_may() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let (mary, agent) = (somebody(&app, "mary", &["user"]).await, somebody(&app, "agent", &["livechat-agent"]).await);
        let sales = create(&app, &admin, &members("Sales")).await;
        let before = rows(&app).await;
        let body = json!({"department": members("Other")});
        let path = at(&sales);
        app.get(DEPARTMENTS).await.is(401, &not_logged_in());
        app.get(&path).await.is(401, &not_logged_in());
        app.post(DEPARTMENTS, &body).await.is(401, &not_logged_in());
        app.call(Method::PUT, &path).json(&body).send().await.is(401, &not_logged_in());
        app.delete(&path).await.is(401, &not_logged_in());
        for path in [DEPARTMENTS, path.as_str()] {
            get(&app, &mary, path).await.is(403, &not_permitted());
            get(&app, &agent, path).await.ok();
        }
        for login in [&mary, &agent] {
            post(&app, login, DEPARTMENTS, &body).await.is(403, &not_permitted());
            put(&app, login, &path, &body).await.is(403, &not_permitted());
            crate::omnichannel_users::delete(&app, login, &path).await.is(403, &not_permitted());
        }
        assert_eq!(rows(&app).await, before);
        // Whoever may put agents into departments may not change departments.
        grant(&app, &admin, "add-livechat-department-agents", &["livechat-agent"]).await;
        put(&app, &agent, &path, &body).await.is(400, &plain("error-not-allowed"));
        // And whoever may change departments may not put agents into them.
        grant(&app, &admin, "manage-livechat-departments", &["livechat-agent"]).await;
        grant(&app, &admin, "add-livechat-department-agents", &[]).await;
        let body = json!({"department": members("Other"), "agents": [{"agentId": "mary"}]});
        let changed = put(&app, &agent, &path, &body).await.ok();
        assert_eq!((&changed["department"]["name"], &changed["agents"]), (&json!("Other"), &json!([])));
    }
}
