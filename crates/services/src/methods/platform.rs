//! Methods about settings and permissions.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};

use super::{MethodError, Outcome, Parameters};
use crate::documents::{PermissionDocument, SettingDocument, extended};
use crate::logins::{Account, Shown};
use crate::settings::{SettingChange, VALUE_LIMIT, WantedSettings};
use crate::{Refusal, Services};

/// A list, or with a time what has changed since and what has gone.
fn synchronised(since: Option<i64>, list: Vec<Value>) -> Outcome {
    Ok(Some(if since.is_some() { json!({"update": list, "remove": []}) } else { list.into() }))
}

pub(super) async fn permissions(services: &Services, _: Account, parameters: Parameters) -> Outcome {
    let since = parameters.moment(0)?;
    let list = services.permissions(since).await?;
    synchronised(since, list.iter().map(|held| extended(&PermissionDocument::from(held))).collect())
}

pub(super) async fn public_settings(services: &Services, parameters: Parameters) -> Outcome {
    settings(services, parameters, true).await
}

/// Settings that are not for everybody are for those who may see them; all others get none.
pub(super) async fn private_settings(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    if !services.sees_all_settings(&account) {
        return synchronised(parameters.moment(0)?, Vec::new());
    }
    settings(services, parameters, false).await
}

async fn settings(services: &Services, parameters: Parameters, only_public: bool) -> Outcome {
    let since = parameters.moment(0)?;
    let changed = match since {
        Some(since) => Some(services.settings_changed_since(since).await?),
        None => None,
    };
    let platform = services.platform();
    let list = services.settings_list(&WantedSettings { only_public, ids: changed });
    let shown = list.iter().map(|definition| extended(&SettingDocument::of(definition, &platform.settings, false)));
    synchronised(since, shown.collect())
}

static CHANGE: MatchPattern = MatchPattern::open(&[
    MatchField::required("_id", MatchKind::Text(1_024)),
    MatchField::required("value", MatchKind::Any),
    MatchField::optional("editor", MatchKind::Text(64)),
]);

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "_id")]
    id: String,
    value: Value,
    editor: Option<String>,
}

pub(super) async fn save_settings(
    services: &Services,
    account: Account,
    parameters: Parameters,
    shown: Shown,
    address: IpAddr,
) -> Outcome {
    let changes: Vec<Change> = parameters.list(0, &CHANGE)?;
    if let Some(place) = changes.iter().position(|change| change.value.to_string().len() > VALUE_LIMIT) {
        return Err(MethodError::Mismatch(format!("Match error: Failed Match.Where validation in field [{place}].value")));
    }
    services.confirm(&account, shown, address, false).await?;
    let changes = changes.into_iter().map(|Change { id, value, editor }| SettingChange { id, value, editor });
    services.set_settings(&account, changes.collect()).await.map_err(|error| match error {
        crate::Error::Refused(Refusal::NoSuchSetting) => MethodError::Mismatch("Match error: Unknown setting".to_owned()),
        other => other.into(),
    })?;
    Ok(Some(true.into()))
}
