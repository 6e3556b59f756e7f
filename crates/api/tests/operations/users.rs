//! The operations on users: accounts, changes, reading, lists, status, preferences and tokens.

mod accounts;
mod changes;
mod limits;
mod list;
mod own_changes;
mod pictures;
mod preferences;
mod read;
mod register;
mod status;
mod tokens;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD, Reply};

use crate::support::coded;

const CREATE: &str = "/api/v1/users.create";
const DELETE: &str = "/api/v1/users.delete";
const GENERATE: &str = "/api/v1/users.generatePersonalAccessToken";
const INFO: &str = "/api/v1/users.info";
const ME: &str = "/api/v1/me";
const SET_ACTIVE: &str = "/api/v1/users.setActiveStatus";
const UPDATE: &str = "/api/v1/users.update";

/// `GET path` as a user.
async fn get(app: &TestApp, login: &Login, path: &str) -> Reply {
    app.call(Method::GET, path).as_user(login).send().await
}

/// `POST path` as a user.
async fn post(app: &TestApp, login: &Login, path: &str, body: &Value) -> Reply {
    app.call(Method::POST, path).as_user(login).json(body).send().await
}

/// Makes these roles, and no others, hold a permission.
async fn grant(app: &TestApp, permission: &str, roles: &[&str]) {
    let admin = app.admin().await;
    let body = json!({"permissions": [{"_id": permission, "roles": roles}]});
    post(app, &admin, "/api/v1/permissions.update", &body).await.ok();
}

/// Changes a setting.
async fn set(app: &TestApp, id: &str, value: Value) {
    let admin = app.admin().await;
    post(app, &admin, &format!("/api/v1/settings/{id}"), &json!({"value": value})).await.ok();
}

/// A personal access token of a user, as a login.
async fn personal_token(app: &TestApp, login: &Login, name: &str) -> Login {
    let answer = post(app, login, GENERATE, &json!({"tokenName": name})).await.ok();
    Login { user_id: login.user_id.clone(), token: answer["token"].as_str().expect("a token is a text").to_owned() }
}

/// Whether a login counts.
async fn counts(app: &TestApp, login: &Login) -> bool {
    match get(app, login, ME).await.status.as_u16() {
        200 => true,
        401 => false,
        other => panic!("`me` answers {other}"),
    }
}

/// Tries to log in by name and password; gives the status and the code of the error.
async fn log_in(app: &TestApp, name: &str, password: &str) -> (u16, Value) {
    let reply = app.post(crate::support::LOGIN, &json!({"user": name, "password": password})).await;
    (reply.status.as_u16(), reply.body["error"].clone())
}

/// A user as somebody sees it who may see all of it; what the test does not say is as with everybody made here.
fn whole(id: &str, username: &str, others: Value) -> Value {
    let mut user = json!({
        "_id": id,
        "username": username,
        "name": username,
        "type": "user",
        "status": "offline",
        "statusText": "",
        "active": true,
        "emails": [{"address": format!("{username}@example.com"), "verified": true}],
        "statusDefault": "online",
        "statusConnection": "offline",
        "roles": ["user"],
        "settings": {},
        "customFields": {},
        "requirePasswordChange": false,
        "createdAt": "2024-01-31T12:00:00.000Z",
        "_updatedAt": "2024-01-31T12:00:00.000Z",
    });
    let Value::Object(others) = others else { panic!("an object says what is different") };
    user.as_object_mut().expect("it is an object").extend(others);
    user
}

/// What every user sees of every other.
fn seen_by_others(id: &str, username: &str) -> Value {
    let mut user = listed(id, username, "offline");
    merge(&mut user, json!({"type": "user", "active": true}));
    user
}

/// Somebody in a list of names to choose from, or of whom is there.
fn listed(id: &str, username: &str, status: &str) -> Value {
    json!({"_id": id, "username": username, "name": username, "status": status, "statusText": ""})
}

fn not_logged_in() -> Value {
    let text = "You must be logged in to do this.";
    json!({"success": false, "status": "error", "error": text, "message": text})
}

fn not_permitted() -> Value {
    let text = "User does not have the permissions required for this action [error-unauthorized]";
    json!({"success": false, "error": text})
}

fn unauthorized() -> Value {
    json!({"success": false, "error": "unauthorized"})
}

fn nobody_named() -> Value {
    let text = "The required \"userId\" or \"username\" param was not provided [error-user-param-not-provided]";
    coded(text, "error-user-param-not-provided")
}

fn nobody_found() -> Value {
    let text = "The required \"userId\" or \"username\" param provided does not match any users [error-invalid-user]";
    coded(text, "error-invalid-user")
}

fn not_allowed(sentence: &str) -> Value {
    coded(&format!("{sentence} [error-action-not-allowed]"), "error-action-not-allowed")
}

fn last_administrator() -> Value {
    not_allowed("Leaving the app without an active admin is not allowed")
}

fn in_use(value: &str) -> Value {
    coded(&format!("{value} is already in use :( [error-field-unavailable]"), "error-field-unavailable")
}

fn no_username(value: &str) -> Value {
    let code = "error-input-is-not-a-valid-field";
    coded(&format!("{value} is not a valid username [{code}]"), code)
}

fn no_email(value: &str) -> Value {
    coded(&format!("The email provided is invalid: {value} [error-invalid-email]"), "error-invalid-email")
}

/// A body that violates the schema.
fn invalid(message: &str) -> Value {
    coded(message, "invalid-params")
}

/// A query that violates the schema.
fn invalid_query(message: &str) -> Value {
    coded(message, "error-invalid-params")
}

/// A user to be made, with other members than usual; null takes one away.
fn new_user(username: &str, others: Value) -> Value {
    let mut body =
        json!({"username": username, "name": username, "email": format!("{username}@example.com"), "password": PASSWORD});
    merge(&mut body, others);
    body
}

/// Puts members into an object, or takes those out that are null.
fn merge(object: &mut Value, others: Value) {
    let (Value::Object(object), Value::Object(others)) = (object, others) else { panic!("both are objects") };
    object.extend(others);
    object.retain(|_, value| !value.is_null());
}
