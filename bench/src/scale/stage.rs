//! Who works with the chats of `bench scale`, made through the API before the chats are: agents, departments and custom fields.

use anyhow::{Context, Result};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::load::Connection;
use crate::process::Server;
use crate::session::User;
use crate::staff::{create_agents, create_department, let_agents_take};

/// How many agents there are.
pub const AGENTS: usize = 50;

/// How many departments there are.
pub const DEPARTMENTS: usize = 20;

/// The visitors' field that is searched.
pub const ACCOUNT: &str = "account";

/// Another field of visitors.
pub const TARIFF: &str = "tariff";

/// A field of rooms.
pub const PRODUCT: &str = "product";

/// How many custom fields there are that nothing has a value of.
const UNUSED_FIELDS: usize = 30;

/// The people and what they go by.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The administrator.
    pub administrator: User,
    /// The agents. Each is in two departments.
    pub agents: Vec<User>,
    /// The ids of the departments.
    pub departments: Vec<String>,
}

impl Stage {
    /// Makes all of them.
    pub fn set(runtime: &Runtime, server: &Server) -> Result<Stage> {
        let mut connection = runtime.block_on(Connection::open(server.address))?;
        let administrator = runtime.block_on(User::administrator(&mut connection))?;
        let agents = create_agents(server, &administrator, AGENTS)?;
        runtime.block_on(let_agents_take(&mut connection, &administrator))?;
        let mut departments = Vec::new();
        for number in 0..DEPARTMENTS {
            let name = format!("Department {number:02}");
            let some: Vec<&User> = (0..AGENTS).filter(|agent| is_in(*agent, number)).map(|agent| &agents[agent]).collect();
            departments.push(runtime.block_on(create_department(&mut connection, &administrator, &name, &some))?);
        }
        let unused = (0..UNUSED_FIELDS).map(|number| (format!("unused-{number:02}"), "visitor"));
        let used = [(ACCOUNT, "visitor"), (TARIFF, "visitor"), (PRODUCT, "room")].map(|(field, scope)| (field.to_owned(), scope));
        for (field, scope) in used.into_iter().chain(unused) {
            runtime.block_on(create_field(&mut connection, &administrator, &field, scope))?;
        }
        Ok(Stage { administrator, agents, departments })
    }
}

/// Whether an agent is in a department.
fn is_in(agent: usize, department: usize) -> bool {
    agent % DEPARTMENTS == department || (agent + 13) % DEPARTMENTS == department
}

async fn create_field(connection: &mut Connection, administrator: &User, field: &str, scope: &str) -> Result<()> {
    let data = json!({
        "field": field,
        "label": field,
        "scope": scope,
        "visibility": "visible",
        "type": "input",
        "regexp": "",
        "required": false,
        "defaultValue": "",
        "options": "",
        "public": false,
        "searchable": field == ACCOUNT,
    });
    let body = json!({"customFieldId": null, "customFieldData": data});
    let made = administrator.call(connection, "POST", "/api/v1/livechat/custom-fields.save", &body).await;
    made.with_context(|| format!("the field {field} could not be made")).map(|_| ())
}
