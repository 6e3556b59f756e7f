//! What says who asks where pages ask for pictures and files: the query, cookies, and the headers of a login.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use crate::parse::query;

/// What a request says of who makes it.
pub struct Credentials<'a> {
    headers: &'a HeaderMap,
    query: Map<String, Value>,
}

impl<'a> Credentials<'a> {
    /// Reads them from the head of a request. A query that cannot be read says nothing.
    pub fn of(head: &'a Parts) -> Credentials<'a> {
        let query = query::parse(head.uri.query().unwrap_or_default()).unwrap_or_default();
        Credentials { headers: &head.headers, query }
    }

    /// Whether the query has this name, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.query.contains_key(name)
    }

    /// The value of this name: of the query if that says who asks at all, of a cookie otherwise; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        if self.has("rc_uid") || self.has("rc_token") {
            return self.query.get(name).and_then(Value::as_str).unwrap_or_default();
        }
        let cookies = self.header("cookie");
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default()
    }

    /// The token of a signed link; empty if there is none.
    pub fn link_token(&self) -> &str {
        self.query.get("token").and_then(Value::as_str).unwrap_or_default()
    }

    /// The id and the login token of a user: of the headers, or else as [`Credentials::get`] finds them.
    pub fn login(&self) -> (&str, &str) {
        match (self.header("x-user-id"), self.header("x-auth-token")) {
            ("", _) => (self.get("rc_uid"), self.get("rc_token")),
            both => both,
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
