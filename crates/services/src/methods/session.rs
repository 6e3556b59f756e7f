//! Methods about the caller's own login: logging in and out, status, second factor.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{MethodError, Outcome, Parameters};
use crate::documents::{Date, extended};
use crate::logins::{Account, LoginForm};
use crate::users::StatusChange;
use crate::{Error, Refusal, Services};

pub(super) async fn log_in(services: &Services, parameters: Parameters, address: IpAddr) -> Outcome {
    let form = parameters.get(0).and_then(Value::as_object).and_then(LoginForm::read);
    let form = form.ok_or(MethodError::LoginRefused(Refusal::WrongPassword))?;
    services.count(crate::limits::Limit::Logins, &format!("{address} {}", form.name()))?;
    let kind = if matches!(form, LoginForm::Resume(_)) { "resume" } else { "password" };
    let login = services.log_in(form, address).await.map_err(|error| match error {
        Error::Refused(refusal) => MethodError::LoginRefused(refusal),
        other => other.into(),
    })?;
    let expires = extended(&Date(login.expires_at));
    Ok(Some(json!({"id": login.user.id, "token": login.token, "tokenExpires": expires, "type": kind})))
}

pub(super) async fn log_out(services: &Services, account: Option<Account>) -> Outcome {
    if let Some(account) = account {
        services.log_out(&account).await?;
    }
    Ok(None)
}

pub(super) async fn set_status(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let change = StatusChange { status: parameters.optional_text(0)?, text: parameters.optional_text(1)? };
    services.set_status(&account, None, change).await?;
    Ok(None)
}

pub(super) async fn set_default_status(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let change = StatusChange { status: Some(parameters.text(0)?), text: None };
    services.set_status(&account, None, change).await?;
    Ok(None)
}

pub(super) async fn enrol_totp(services: &Services, account: Account) -> Outcome {
    let enrolment = services.enrol_totp(&account).await?;
    Ok(Some(json!({"secret": enrolment.secret, "url": enrolment.address})))
}

pub(super) async fn enable_totp(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let codes = services.enable_totp(&account, parameters.text(0)?).await?;
    Ok(Some(json!({"codes": codes})))
}

pub(super) async fn disable_totp(services: &Services, account: Account, parameters: Parameters, address: IpAddr) -> Outcome {
    Ok(Some(services.disable_totp(&account, parameters.text(0)?, address).await?.into()))
}

pub(super) async fn renew_backup_codes(services: &Services, account: Account, parameters: Parameters, address: IpAddr) -> Outcome {
    let codes = services.renew_backup_codes(&account, parameters.text(0)?, address).await?;
    Ok(Some(json!({"codes": codes})))
}

pub(super) async fn count_backup_codes(services: &Services, account: Account) -> Outcome {
    Ok(Some(json!({"remaining": services.backup_codes_left(&account).await?})))
}
