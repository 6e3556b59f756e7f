//! Methods about livechat as a whole. Older clients call them.

use serde_json::{Map, Value};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};

use super::custom_fields::check_manager;
use super::{Method, Outcome, Parameters};
use crate::Services;
use crate::documents::{RoutingConfigDocument, extended};
use crate::logins::Account;
use crate::settings::VALUE_LIMIT;

pub(super) fn routing_config(services: &Services) -> Outcome {
    Ok(Some(extended(&RoutingConfigDocument::of(&services.platform().settings))))
}

static INTEGRATION: MatchPattern = MatchPattern::open(&[
    MatchField::optional("Livechat_webhookUrl", MatchKind::Text(VALUE_LIMIT / 8)),
    MatchField::optional("Livechat_secret_token", MatchKind::Text(VALUE_LIMIT / 8)),
]);

/// Changes settings of integrations, which are given by their ids. Whatever else is given is left alone.
pub(super) async fn save_integration(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_manager(services, &account, Method::SaveIntegration)?;
    let given: Map<String, Value> = parameters.object(0, &INTEGRATION)?;
    services.set_integration_settings(given.into_iter().collect()).await?;
    Ok(None)
}
