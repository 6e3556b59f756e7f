//! Agents, visitors and the chats between them.

use serde_json::{Value, json};

use super::http::{Answer, Client};
use super::session::Session;

/// The password of all agents. Nobody logs in with it.
const PASSWORD: &str = "agents of the proofs only";

/// How often a call is tried again that was answered 503.
const TRIES: usize = 1_000;

/// Makes an agent who takes chats, and logs it in.
pub fn make_agent(administrator: &Session, client: &Client, name: &str) -> Session {
    let id = administrator.create_user_with(client, name, PASSWORD, &["user", "livechat-agent"]);
    let agent = administrator.for_user(client, &id);
    agent.demand(client, "POST", "/api/v1/livechat/agent.status", &json!({"status": "available"}));
    agent
}

/// Says how many chats an agent may have at a time.
pub fn limit_agent(administrator: &Session, client: &Client, agent: &Session, limit: usize) {
    let data = json!({"maxNumberSimultaneousChat": limit});
    let body = json!({"agentId": agent.user_id, "agentData": data, "agentDepartments": []});
    administrator.demand(client, "POST", "/api/v1/livechat/agents.saveInfo", &body);
}

/// Makes a call until it is answered anything but 503.
pub fn insist(mut call: impl FnMut() -> Answer) -> Answer {
    for _ in 0..TRIES {
        let answer = call();
        if answer.status != 503 {
            return answer;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("still busy after {TRIES} tries");
}

/// Registers a visitor whose name is its token.
pub fn register(client: &Client, token: &str) {
    let body = json!({"visitor": {"token": token, "name": token}});
    let answer = insist(|| client.post("/api/v1/livechat/visitor", &body).expect("the server answers"));
    assert_eq!(answer.status, 200, "{token} registers: {}", answer.text);
}

/// A visitor's open room, opened if need be.
pub fn room(client: &Client, token: &str) -> Value {
    let path = format!("/api/v1/livechat/room?token={token}");
    let answer = insist(|| client.get(&path).expect("the server answers"));
    assert_eq!(answer.status, 200, "{token} asks for its room: {}", answer.text);
    answer.json()["room"].clone()
}

/// Closes a visitor's chat.
pub fn close(client: &Client, token: &str, room: &str) {
    let body = json!({"token": token, "rid": room});
    let answer = insist(|| client.post("/api/v1/livechat/room.close", &body).expect("the server answers"));
    assert_eq!(answer.status, 200, "{token} closes its chat: {}", answer.text);
}

/// The user name of who serves a room.
pub fn server_of(room: &Value) -> Option<&str> {
    room["servedBy"]["username"].as_str()
}

/// The text at a place of an answer.
pub fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is missing: {value}")).to_owned()
}
