//! Calls to the server over HTTP.

use std::time::Duration;

use serde_json::Value;
use usher_testkit::Form;

/// A caller with its own connections to one server.
pub struct Client {
    agent: ureq::Agent,
    address: String,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Client {
    /// A caller of the server at `address`.
    pub fn new(address: &str) -> Client {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Client { agent, address: address.to_owned() }
    }

    /// Calls, with a body unless it is null. An error says that there was no answer, not that nothing was done.
    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Value::Null => self.agent.run(request.body(())?),
            body => self.agent.run(request.body(body.to_string())?),
        }?;
        Ok(Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string()? })
    }

    /// Calls without a body for bytes that are no text.
    pub fn bytes(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>), ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(())?)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut response.body_mut().as_reader(), &mut bytes)?;
        Ok((response.status().as_u16(), bytes))
    }

    /// `POST path` with a form.
    pub fn upload(&self, path: &str, headers: &[(&str, &str)], form: Form) -> Result<Answer, ureq::Error> {
        let (kind, bytes) = form.finish();
        let uri = format!("{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method("POST").uri(uri).header("Content-Type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(bytes)?)?;
        Ok(Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string()? })
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        self.call("GET", path, &[], &Value::Null)
    }

    /// `POST path`.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        self.call("POST", path, &[], body)
    }
}
