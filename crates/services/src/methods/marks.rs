//! Methods about reactions, pins and stars.

use serde::Deserialize;
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};

use super::messages::{ID_LIMIT, id, shown};
use super::{MethodError, Outcome, Parameters};
use crate::Services;
use crate::logins::Account;

pub(super) async fn react(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (emoji, message_id) = (parameters.text(0)?, id(&parameters, 1)?);
    let wanted = match parameters.get(2) {
        None => None,
        Some(given) => {
            MatchKind::Boolean.check_parameter(Some(given)).map_err(MethodError::Mismatch)?;
            given.as_bool()
        }
    };
    services.react(&account, message_id, &emoji, wanted).await?;
    Ok(None)
}

static MARKED: MatchPattern =
    MatchPattern::open(&[MatchField::required("_id", MatchKind::Text(ID_LIMIT)), MatchField::optional("starred", MatchKind::Any)]);

#[derive(Deserialize)]
struct Marked {
    #[serde(rename = "_id")]
    id: String,
    starred: Option<serde_json::Value>,
}

pub(super) async fn star(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let given: Marked = parameters.object(0, &MARKED)?;
    services.star(&account, given.id, given.starred == Some(true.into())).await?;
    Ok(Some(true.into()))
}

pub(super) async fn pin(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let given: Marked = parameters.object(0, &MARKED)?;
    let message = services.pin(&account, given.id, true).await?;
    Ok(Some(shown(&message, &account)))
}

pub(super) async fn unpin(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let given: Marked = parameters.object(0, &MARKED)?;
    services.pin(&account, given.id, false).await?;
    Ok(Some(true.into()))
}
