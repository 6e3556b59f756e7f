//! Users who are logged in.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::calls::SEND_MESSAGE;
use crate::load::{Connection, request, request_with};
use crate::process::ADMIN_PASSWORD;

/// The password of every user that a benchmark makes.
pub const PASSWORD: &str = "A password for 64 users of benchmarks";

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The user name.
    pub username: String,
    token: String,
}

impl User {
    /// Logs somebody in.
    pub async fn log_in(connection: &mut Connection, username: &str, password: &str) -> Result<User> {
        let login = connection.call(&User::login(username, password)).await?;
        User::of_login(username, &login.json().with_context(|| format!("{username} could not log in"))?)
    }

    /// Logs the administrator in.
    pub async fn administrator(connection: &mut Connection) -> Result<User> {
        User::log_in(connection, "admin", ADMIN_PASSWORD).await
    }

    /// The request that logs somebody in.
    pub fn login(username: &str, password: &str) -> Vec<u8> {
        request("POST", "/api/v1/login", &json!({"user": username, "password": password}))
    }

    /// Who is logged in by this answer.
    pub fn of_login(username: &str, answer: &Value) -> Result<User> {
        let text = |name: &str| answer["data"][name].as_str().map(str::to_owned).with_context(|| format!("a login has `{name}`"));
        Ok(User { id: text("userId")?, username: username.to_owned(), token: text("authToken")? })
    }

    /// A request of this user.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        request_with(method, path, &[("X-User-Id", &self.id), ("X-Auth-Token", &self.token)], body)
    }

    /// Calls as this user what must succeed, and gives the answer.
    pub async fn call(&self, connection: &mut Connection, method: &str, path: &str, body: &Value) -> Result<Value> {
        let answer = connection.call(&self.request(method, path, body)).await?;
        answer.json().with_context(|| format!("{method} {path}"))
    }

    /// The request that posts a message of this user.
    pub fn message(&self, room_id: &str, text: &str) -> Vec<u8> {
        self.request("POST", SEND_MESSAGE.path, &json!({"message": {"rid": room_id, "msg": text}}))
    }

    /// The request by which this administrator makes a user with these roles.
    pub fn creation(&self, username: &str, roles: &[&str]) -> Vec<u8> {
        let body = json!({
            "username": username,
            "name": username.replace('-', " "),
            "email": format!("{username}@example.com"),
            "password": PASSWORD,
            "roles": roles,
        });
        self.request("POST", "/api/v1/users.create", &body)
    }
}

#[cfg(test)]
impl User {
    /// Somebody whom no server knows.
    pub fn example() -> User {
        User { id: "somebody".to_owned(), username: "somebody".to_owned(), token: String::new() }
    }
}
