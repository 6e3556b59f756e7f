//! Methods about departments. Older clients call them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::{ADD_LIVECHAT_DEPARTMENT_AGENTS, MANAGE_LIVECHAT_DEPARTMENTS};

use super::agents::check_permission;
use super::{Method, MethodError, Outcome, Parameters};
use crate::departments::{PlaceChanges, WantedPlace};
use crate::documents::{DepartmentDocument, extended};
use crate::logins::Account;
use crate::{Refusal, Services};

static MEMBERS: MatchPattern = MatchPattern::open(&[]);

static PLACE: MatchPattern = MatchPattern::open(&[
    MatchField::required("agentId", MatchKind::Text(1_024)),
    MatchField::optional("count", MatchKind::Integer),
    MatchField::optional("order", MatchKind::Integer),
]);

static CHANGES: MatchPattern = MatchPattern::open(&[
    MatchField::optional("upsert", MatchKind::List(&PLACE)),
    MatchField::optional("remove", MatchKind::List(&PLACE)),
]);

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "agentId")]
    agent_id: String,
    #[serde(default)]
    count: i64,
    #[serde(default)]
    order: i64,
}

#[derive(Default, Deserialize)]
struct Changes {
    #[serde(default)]
    upsert: Vec<Place>,
    #[serde(default)]
    remove: Vec<Place>,
}

/// Agents for a department at a place: a list of them, or what is added and what is taken out. None, if it is null.
fn changes(parameters: &Parameters, place: usize) -> Result<PlaceChanges, MethodError> {
    let changes = match parameters.get(place) {
        None => Changes::default(),
        Some(Value::Array(_)) => Changes { upsert: parameters.list(place, &PLACE)?, remove: Vec::new() },
        Some(_) => parameters.object(place, &CHANGES)?,
    };
    let wanted = |place: Place| WantedPlace { agent_id: place.agent_id, count: place.count, order: place.order };
    Ok(PlaceChanges {
        upsert: changes.upsert.into_iter().map(wanted).collect(),
        remove: changes.remove.into_iter().map(|place| place.agent_id).collect(),
    })
}

/// Makes a department, or changes the one whose id is given.
pub(super) async fn save(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, MANAGE_LIVECHAT_DEPARTMENTS, Method::SaveDepartment)?;
    let id = parameters.optional_text(0)?.filter(|id| !id.is_empty());
    let members: Map<String, Value> = parameters.object(1, &MEMBERS)?;
    let changes = changes(&parameters, 2)?;
    // A unit that does not exist is as good as none, and there are none yet.
    if parameters.get(3).and_then(|unit| unit.get("_id")).is_some_and(|unit_id| !unit_id.is_string()) {
        return Err(Refusal::InvalidDepartmentUnit.into());
    }
    let staffed = match id {
        None => services.create_department(members, changes.upsert).await?,
        Some(id) => {
            let staffed = services.update_department(&account, id.clone(), members, changes.upsert).await?;
            if !changes.remove.is_empty() && services.permits(&account.user, ADD_LIVECHAT_DEPARTMENT_AGENTS) {
                let changes = PlaceChanges { upsert: Vec::new(), remove: changes.remove };
                services.change_agents_of_department(id, changes).await?;
            }
            staffed
        }
    };
    Ok(Some(extended(&DepartmentDocument::from(&staffed.department))))
}

pub(super) async fn remove(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, MANAGE_LIVECHAT_DEPARTMENTS, Method::RemoveDepartment)?;
    services.delete_department(parameters.text(0)?).await?;
    Ok(Some(true.into()))
}

pub(super) async fn save_agents(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, ADD_LIVECHAT_DEPARTMENT_AGENTS, Method::SaveDepartmentAgents)?;
    let id = parameters.text(0)?;
    services.change_agents_of_department(id, changes(&parameters, 1)?).await?;
    Ok(None)
}

/// Where chats of a department may be forwarded to, as a filter for lists of departments. An empty one leaves out none.
pub(super) async fn forward_restrictions(services: &Services, parameters: Parameters) -> Outcome {
    let id = parameters.optional_text(0)?.unwrap_or_default();
    let targets = services.forward_targets(id).await?;
    Ok(Some(targets.map_or_else(|| json!({}), |targets| json!({"_id": {"$in": targets}}))))
}
