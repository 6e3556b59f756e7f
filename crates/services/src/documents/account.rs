//! Users as the wire shows them to themselves.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Date;
use crate::logins::Account;

/// A user, for its own eyes. The password's hash is in no document.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    emails: Vec<UserAddress<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    roles: &'a [String],
    active: bool,
    #[serde(rename = "createdAt")]
    created_at: Date,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    #[schema(value_type = Object)]
    settings: Value,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserAddress<'a> {
    address: &'a str,
    verified: bool,
}

impl<'a> From<&'a Account> for AccountDocument<'a> {
    fn from(account: &'a Account) -> AccountDocument<'a> {
        let user = &account.user;
        let address = user.email.as_deref();
        AccountDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            emails: address.into_iter().map(|address| UserAddress { address, verified: true }).collect(),
            email: address,
            roles: &account.roles,
            active: user.active,
            created_at: Date(user.created_at),
            updated_at: Date(user.updated_at),
            settings: json!({"profile": {}, "preferences": {}}),
        }
    }
}
