//! The operations on roles.

mod change;
mod membership;

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, not_logged_in, post};
use crate::support::{coded, encoded, made_id};

const LIST: &str = "/api/v1/roles.list";
const SYNC: &str = "/api/v1/roles.sync";
const CREATE: &str = "/api/v1/roles.create";
const UPDATE: &str = "/api/v1/roles.update";
const DELETE: &str = "/api/v1/roles.delete";

/// When every test begins.
const START: &str = "2024-01-31T12:00:00.000Z";

/// A role that every server has.
fn built_in(id: &str) -> Value {
    let (description, scope) = match id {
        "admin" => ("Admin", "Users"),
        "livechat-agent" => ("Livechat Agent", "Users"),
        "livechat-manager" => ("Livechat Manager", "Users"),
        "leader" => ("Leader", "Subscriptions"),
        "moderator" => ("Moderator", "Subscriptions"),
        "owner" => ("Owner", "Subscriptions"),
        _ => ("", "Users"),
    };
    json!({
        "_id": id,
        "name": id,
        "description": description,
        "scope": scope,
        "protected": true,
        "mandatory2fa": false,
        "_updatedAt": START,
    })
}

/// Those roles in the order of their ids.
fn all_built_in() -> Vec<Value> {
    const IDS: [&str; 13] = [
        "admin",
        "anonymous",
        "app",
        "bot",
        "federated-external",
        "guest",
        "leader",
        "livechat-agent",
        "livechat-manager",
        "livechat-monitor",
        "moderator",
        "owner",
        "user",
    ];
    IDS.into_iter().map(built_in).collect()
}

/// A body with a role as it is answered.
fn answer(role: &Value) -> Value {
    json!({"role": role, "success": true})
}

/// What somebody is answered who may not change roles.
fn not_allowed(sentence: &str) -> Value {
    let code = "error-action-not-allowed";
    coded(&format!("{sentence} [{code}]"), code)
}

/// What is answered to a role that does not exist.
fn no_role() -> Value {
    coded("This role does not exist [error-invalid-roleId]", "error-invalid-roleId")
}

/// Makes a role; gives it as it was answered.
async fn create(app: &TestApp, admin: &Login, body: Value) -> Value {
    post(app, admin, CREATE, &body).await.ok()["role"].clone()
}

/// The roles there are.
async fn roles(app: &TestApp, login: &Login) -> Vec<Value> {
    let answer = get(app, login, LIST).await.ok();
    let roles = answer["roles"].as_array().expect("it is a list").clone();
    assert_eq!(answer, json!({"roles": roles, "success": true}), "that is all");
    roles
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_logged_in_sees_the_roles() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        app.get(LIST).await.is(401, &not_logged_in());
        for login in [&admin, &mary] {
            get(&app, login, LIST).await.is(200, &json!({"roles": all_built_in(), "success": true}));
            get(&app, login, &format!("{LIST}?")).await.is(200, &json!({"roles": all_built_in(), "success": true}));
        }
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await;
        let mut expected = all_built_in();
        expected.push(clerk);
        let mut found = roles(&app, &mary).await;
        let order = |role: &Value| role["_id"].as_str().map(str::to_owned);
        assert!(found.is_sorted_by_key(order), "in the order of the ids");
        found.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_ask_for_what_changed_and_what_went() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let since = |moment: &str| format!("{SYNC}?updatedSince={moment}");
        let changes = |update: &[Value], remove: &[Value]| json!({"roles": {"update": update, "remove": remove}, "success": true});
        app.get(&since(START)).await.is(401, &not_logged_in());
        get(&app, &mary, &since("2024-01-31")).await.is(200, &changes(&all_built_in(), &[]));
        get(&app, &mary, &since("2024-01-31T11:59:59.999Z")).await.is(200, &changes(&all_built_in(), &[]));
        get(&app, &mary, &since(START)).await.is(200, &changes(&[], &[]));

        app.advance(Duration::from_secs(1));
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await;
        get(&app, &mary, &since(START)).await.is(200, &changes(std::slice::from_ref(&clerk), &[]));
        app.advance(Duration::from_secs(1));
        let body = json!({"roleId": "livechat-agent", "name": "livechat-agent", "description": "Talks"});
        let agent = post(&app, &admin, UPDATE, &body).await.ok()["role"].clone();
        assert_eq!(agent["_updatedAt"], "2024-01-31T12:00:02.000Z");
        get(&app, &mary, &since("2024-01-31T12:00:01.000Z")).await.is(200, &changes(std::slice::from_ref(&agent), &[]));

        app.advance(Duration::from_secs(1));
        let id = made_id(&clerk["_id"]);
        post(&app, &admin, DELETE, &json!({"roleId": id})).await.ok();
        let removed = [json!({"_id": id, "_deletedAt": "2024-01-31T12:00:03.000Z"})];
        get(&app, &mary, &since(START)).await.is(200, &changes(&[agent], &removed));
        get(&app, &mary, &since("2024-01-31T12:00:02.999Z")).await.is(200, &changes(&[], &removed));
        get(&app, &mary, &since("2024-01-31T12:00:03.000Z")).await.is(200, &changes(&[], &[]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_has_to_say_since_when() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let missing = coded("must have required property 'updatedSince'", "error-invalid-params");
        get(&app, &admin, SYNC).await.is(400, &missing);
        let kind = coded("must be string", "error-invalid-params");
        get(&app, &admin, &format!("{SYNC}?updatedSince[]={START}")).await.is(400, &kind);
        let code = "error-invalid-param";
        let invalid = coded(&format!("The \"updatedSince\" query parameter must be a valid date. [{code}]"), code);
        for wrong in ["", "yesterday", "2024-13-01", "1706702400000"] {
            get(&app, &admin, &format!("{SYNC}?updatedSince={}", encoded(wrong))).await.is(400, &invalid);
        }
    }
}
