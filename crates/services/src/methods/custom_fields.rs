//! Methods about custom fields. Older clients call them.

use serde_json::{Map, Value};
use usher_domain::custom_field::{Scope, is_id};
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::VIEW_LIVECHAT_MANAGER;
use usher_domain::visitor::VisitorToken;

use super::{Method, MethodError, Outcome, Parameters};
use crate::custom_fields::{GivenValue, Page, WantedField};
use crate::documents::{CustomFieldDocument, extended};
use crate::logins::Account;
use crate::{Refusal, Services};

static FIELD: MatchPattern = MatchPattern::open(&[
    MatchField::required("field", MatchKind::Text(10_000)),
    MatchField::required("label", MatchKind::Text(512)),
    MatchField::required("scope", MatchKind::Text(64)),
    MatchField::required("visibility", MatchKind::Text(64)),
    MatchField::optional("type", MatchKind::Text(64)),
    MatchField::optional("regexp", MatchKind::Text(1_024)),
    MatchField::optional("required", MatchKind::Boolean),
    MatchField::optional("defaultValue", MatchKind::Text(4_096)),
    MatchField::optional("options", MatchKind::Text(16_384)),
    MatchField::optional("public", MatchKind::Boolean),
    MatchField::optional("searchable", MatchKind::Boolean),
]);

/// Refuses those who may not see what managers see.
pub(super) fn check_manager(services: &Services, account: &Account, method: Method) -> Result<(), MethodError> {
    if services.permits(&account.user, VIEW_LIVECHAT_MANAGER) {
        Ok(())
    } else {
        Err(Refusal::MethodNotAllowed(method.name()).into())
    }
}

pub(super) async fn save(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_manager(services, &account, Method::SaveCustomField)?;
    let known = parameters.optional_text(0)?.filter(|id| !id.is_empty());
    let mut members: Map<String, Value> = parameters.object(1, &FIELD)?;
    let mut take = |name: &str| members.remove(name).and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default();
    let (id, label, scope, visibility) = (take("field"), take("label"), take("scope"), take("visibility"));
    let unknown_scope = || MethodError::Mismatch("Match error: Failed Match.Where validation in field scope".to_owned());
    let scope = Scope::from_name(&scope).ok_or_else(unknown_scope)?;
    if !is_id(&id) {
        return Err(Refusal::InvalidFieldId.into());
    }
    let wanted = WantedField { id, label, scope, visibility, members };
    let field = services.save_custom_field(known, wanted).await?;
    Ok(Some(extended(&CustomFieldDocument::from(&field))))
}

pub(super) async fn remove(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_manager(services, &account, Method::RemoveCustomField)?;
    services.delete_custom_field(parameters.text(0)?).await?;
    Ok(None)
}

/// Every field, whoever asks: widgets of old make their forms of them.
pub(super) async fn list(services: &Services) -> Outcome {
    let listed = services.custom_fields(None, Page::whole()).await?;
    let fields: Vec<CustomFieldDocument<'_>> = listed.fields.iter().map(Into::into).collect();
    Ok(Some(extended(&fields)))
}

/// Gives the visitor whose token this is a value. A field that does not exist is passed over.
pub(super) async fn set_value(services: &Services, parameters: Parameters) -> Outcome {
    let (token, key, value) = (parameters.text(0)?, parameters.text(1)?, parameters.text(2)?);
    let overwrite = match parameters.get(3) {
        None => true,
        Some(given) => {
            MatchKind::Boolean.check_parameter(Some(given)).map_err(MethodError::Mismatch)?;
            given == true
        }
    };
    let token = VisitorToken::new(token).ok_or(Refusal::InvalidToken)?;
    match services.set_custom_values(token, vec![GivenValue { key, value, overwrite }]).await {
        Ok(_) | Err(crate::Error::Refused(Refusal::InvalidCustomField)) => Ok(Some(true.into())),
        Err(other) => Err(other.into()),
    }
}
