//! Agents, departments and settings, made through the API as administrators make them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::calls::TAKE;
use crate::load::{Connection, run_once};
use crate::process::Server;
use crate::session::{PASSWORD, User};

/// Over how many connections passwords are hashed: callers of one address take turns, and not many may wait.
const HASHING: usize = 16;

/// Makes all of `requests` of a server, over so many connections, and gives the answers in the same order.
pub fn call_all(server: &Server, requests: Vec<Vec<u8>>, connections: usize) -> Result<Vec<Value>> {
    let (_, answers) = run_once(server.address, server.process(), requests, connections)?;
    answers.iter().map(|answer| serde_json::from_slice(answer).context("an answer is no JSON")).collect()
}

/// Makes `count` agents who are there and take chats, and logs each of them in.
pub fn create_agents(server: &Server, administrator: &User, count: usize) -> Result<Vec<User>> {
    let names: Vec<String> = (0..count).map(|number| format!("agent-{number:04}")).collect();
    let creations = names.iter().map(|name| administrator.creation(name, &["user", "livechat-agent"])).collect();
    call_all(server, creations, HASHING).context("agents could not be made")?;
    let logins = names.iter().map(|name| User::login(name, PASSWORD)).collect();
    let logged_in = call_all(server, logins, HASHING).context("agents could not log in")?;
    let agents: Vec<User> =
        names.iter().zip(&logged_in).map(|(name, answer)| User::of_login(name, answer)).collect::<Result<_>>()?;
    for (path, body) in [
        ("/api/v1/users.setStatus", json!({"status": "online", "message": ""})),
        ("/api/v1/livechat/agent.status", json!({"status": "available"})),
    ] {
        let requests = agents.iter().map(|agent| agent.request("POST", path, &body)).collect();
        call_all(server, requests, HASHING).with_context(|| format!("agents could not be put in service: {path}"))?;
    }
    Ok(agents)
}

/// Makes a department with these agents, and gives its id.
pub async fn create_department(connection: &mut Connection, administrator: &User, name: &str, agents: &[&User]) -> Result<String> {
    let places: Vec<Value> = agents.iter().map(|agent| json!({"agentId": agent.id})).collect();
    let department = json!({
        "name": name,
        "enabled": true,
        "email": "department@example.com",
        "showOnRegistration": true,
        "showOnOfflineForm": true,
    });
    let body = json!({"department": department, "agents": places});
    let made = administrator.call(connection, "POST", "/api/v1/livechat/department", &body).await?;
    made["department"]["_id"].as_str().map(str::to_owned).context("a department has an id")
}

/// Gives a setting a value.
pub async fn set(connection: &mut Connection, administrator: &User, setting: &str, value: &Value) -> Result<()> {
    let path = format!("/api/v1/settings/{setting}");
    administrator.call(connection, "POST", &path, &json!({"value": value})).await.map(|_| ())
}

/// The requests by which agents take the chats in these rooms, each the one named with it. They ask for the places in the queue first.
pub fn taking(server: &Server, chats: &[(&User, &str)], connections: usize) -> Result<Vec<Vec<u8>>> {
    let ask = |(agent, room_id): &(&User, &str)| {
        agent.request("GET", &format!("/api/v1/livechat/inquiries.getOne?roomId={room_id}"), &Value::Null)
    };
    let found = call_all(server, chats.iter().map(ask).collect(), connections)?;
    let take = |((agent, _), answer): (&(&User, &str), &Value)| {
        let inquiry = answer["inquiry"]["_id"].as_str().context("a chat in the queue has an inquiry")?;
        Ok(agent.request("POST", TAKE.path, &json!({"inquiryId": inquiry})))
    };
    chats.iter().zip(&found).map(take).collect()
}

/// Lets agents take chats out of the queue themselves.
pub async fn let_agents_take(connection: &mut Connection, administrator: &User) -> Result<()> {
    set(connection, administrator, "Livechat_Routing_Method", &json!("Manual_Selection")).await
}
