//! Callers who are logged in.

use serde_json::{Value, json};
use usher_testkit::Form;

use super::http::{Answer, Client};
use super::server::ADMIN_PASSWORD;

/// A login, which counts at every server of one database.
#[derive(Debug, Clone)]
pub struct Session {
    /// The user's id.
    pub user_id: String,
    token: String,
}

/// Where users log in.
pub const LOGIN: &str = "/api/v1/login";

/// What is sent there.
pub fn credentials(name: &str, password: &str) -> Value {
    json!({"user": name, "password": password})
}

/// Tries to log in.
pub fn try_to_log_in(client: &Client, headers: &[(&str, &str)], name: &str, password: &str) -> Answer {
    client.call("POST", LOGIN, headers, &credentials(name, password)).expect("a login is answered")
}

impl Session {
    /// Logs in.
    pub fn begin(client: &Client, name: &str, password: &str) -> Session {
        let login = try_to_log_in(client, &[], name, password);
        assert_eq!(login.status, 200, "{name} logs in: {}", login.text);
        let data = &login.json()["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_else(|| panic!("a login has `{name}`: {}", login.text)).to_owned();
        Session { user_id: text("userId"), token: text("authToken") }
    }

    /// Logs the administrator in.
    pub fn of_administrator(client: &Client) -> Session {
        Session::begin(client, "admin", ADMIN_PASSWORD)
    }

    /// Logs somebody else in, as administrators can.
    pub fn for_user(&self, client: &Client, user_id: &str) -> Session {
        let made = self.demand(client, "POST", "/api/v1/users.createToken", &json!({"userId": user_id}));
        let token = made["data"]["authToken"].as_str().unwrap_or_else(|| panic!("a login has a token: {made}"));
        Session { user_id: user_id.to_owned(), token: token.to_owned() }
    }

    /// The headers of this session.
    pub fn headers(&self) -> [(&str, &str); 2] {
        [("X-User-Id", self.user_id.as_str()), ("X-Auth-Token", self.token.as_str())]
    }

    /// Calls in this session, with a body unless it is null.
    pub fn call(&self, client: &Client, method: &str, path: &str, body: &Value) -> Answer {
        client.call(method, path, &self.headers(), body).expect("the server answers")
    }

    /// Sends a form in this session.
    pub fn upload(&self, client: &Client, path: &str, form: Form) -> Result<Answer, ureq::Error> {
        client.upload(path, &self.headers(), form)
    }

    /// Calls in this session what must work, and gives the answer.
    pub fn demand(&self, client: &Client, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(client, method, path, body);
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        answer.json()
    }

    /// Makes a user with the role `user`, and gives its id.
    pub fn create_user(&self, client: &Client, name: &str, password: &str) -> String {
        self.create_user_with(client, name, password, &["user"])
    }

    /// Makes a user with these roles, and gives its id.
    pub fn create_user_with(&self, client: &Client, name: &str, password: &str, roles: &[&str]) -> String {
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "name": name, "email": email, "password": password, "roles": roles});
        let created = self.demand(client, "POST", "/api/v1/users.create", &body);
        created["user"]["_id"].as_str().unwrap_or_else(|| panic!("a user has an id: {created}")).to_owned()
    }
}
