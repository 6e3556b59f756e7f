//! Methods about agents and managers. Older clients call them.

use serde_json::{Map, Value, json};
use usher_domain::match_check::{MatchKind, MatchPattern};
use usher_domain::permission::{MANAGE_LIVECHAT_AGENTS, MANAGE_LIVECHAT_MANAGERS, Permission};
use usher_domain::user::Availability;

use super::custom_fields::check_manager;
use super::{Method, MethodError, Outcome, Parameters};
use crate::agents::Staff;
use crate::logins::Account;
use crate::users::UserChoice;
use crate::{Error, Refusal, Services};

/// The most characters of an id.
const ID_LIMIT: usize = 1_024;

/// Refuses those who lack a permission.
pub(super) fn check_permission(
    services: &Services,
    account: &Account,
    permission: Permission,
    method: Method,
) -> Result<(), MethodError> {
    let may = services.permits(&account.user, permission);
    if may { Ok(()) } else { Err(Refusal::MethodNotAllowed(method.name()).into()) }
}

pub(super) async fn add(services: &Services, account: Account, parameters: Parameters, method: Method) -> Outcome {
    let kind = managed_kind(services, &account, method)?;
    let user = services.add_staff(kind, parameters.text(0)?).await?;
    Ok(Some(json!({"_id": user.id, "username": user.username})))
}

pub(super) async fn remove(services: &Services, account: Account, parameters: Parameters, method: Method) -> Outcome {
    let kind = managed_kind(services, &account, method)?;
    services.remove_staff(kind, UserChoice::Username(parameters.text(0)?)).await?;
    Ok(Some(true.into()))
}

/// The kind of people that a method is about, if the caller may manage them.
fn managed_kind(services: &Services, account: &Account, method: Method) -> Result<Staff, MethodError> {
    let (kind, permission) = match method {
        Method::AddManager | Method::RemoveManager => (Staff::Manager, MANAGE_LIVECHAT_MANAGERS),
        _ => (Staff::Agent, MANAGE_LIVECHAT_AGENTS),
    };
    check_permission(services, account, permission, method)?;
    Ok(kind)
}

static DATA: MatchPattern = MatchPattern::open(&[]);

pub(super) async fn save_info(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, MANAGE_LIVECHAT_AGENTS, Method::SaveAgentInfo)?;
    let agent_id = parameters.text(0)?;
    let data: Map<String, Value> = parameters.object(1, &DATA)?;
    MatchKind::Texts(ID_LIMIT).check_parameter(parameters.get(2)).map_err(MethodError::Mismatch)?;
    let departments = parameters.get(2).and_then(Value::as_array).into_iter().flatten();
    let departments = departments.filter_map(Value::as_str).map(str::to_owned).collect();
    services.save_agent(agent_id, data, departments).await?;
    Ok(Some(true.into()))
}

/// Finds somebody who could become an agent.
pub(super) async fn search(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_manager(services, &account, Method::SearchAgent)?;
    let name = parameters.get(0).and_then(Value::as_str).filter(|name| !name.is_empty() && !name.contains('\0'));
    let name = name.ok_or(Refusal::InvalidArguments(Method::SearchAgent.name()))?;
    let user = services.user(UserChoice::Username(name.to_owned())).await?.ok_or(Refusal::InvalidUser)?;
    Ok(Some(json!({"_id": user.id, "username": user.username})))
}

/// Changes whether an agent takes chats. Without a status, or with anything but an object, to the opposite.
pub(super) async fn change_status(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let given = |name: &str| parameters.get(0).and_then(|given| given.get(name)).filter(|value| !value.is_null());
    let agent_id = given("agentId").map(|id| id.as_str().unwrap_or_default().to_owned());
    let status = given("status");
    let wanted = status.and_then(Value::as_str).and_then(Availability::from_name);
    if status.is_some() && wanted.is_none() {
        // Whose status it is comes first.
        services.check_agent(&account, agent_id).await.map_err(told)?;
        return Err(Refusal::ChangeNotAllowed("Invalid Status").into());
    }
    services.set_availability(&account, agent_id, wanted).await.map_err(told)?;
    Ok(None)
}

/// The words that this method has for what is refused.
fn told(error: Error) -> MethodError {
    match error {
        Error::Refused(Refusal::NoSuchAgent) => Refusal::ChangeNotAllowed("Invalid Agent Id").into(),
        Error::Refused(Refusal::Unauthorized) => Refusal::ChangeNotAllowed("Not allowed").into(),
        other => other.into(),
    }
}
