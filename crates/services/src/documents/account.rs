//! Users as the wire shows them: to themselves, to others, and to those who may see all of them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};
use usher_domain::user::Availability;
use usher_store::q::users::User;
use utoipa::ToSchema;

use super::Date;
use crate::platform::Platform;
use crate::users::{Seen, merged_preferences, object};

/// A user, for its own eyes. The password's hash is in no document.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    emails: Vec<UserAddress<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    status: &'a str,
    #[serde(rename = "statusDefault")]
    status_default: &'a str,
    #[serde(rename = "statusConnection")]
    status_connection: &'a str,
    #[serde(rename = "statusText")]
    status_text: &'a str,
    /// `available` or `not-available`; agents only.
    #[serde(rename = "statusLivechat", skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bio: Option<&'a str>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Value>,
    roles: &'a [String],
    active: bool,
    #[schema(value_type = Object)]
    #[serde(rename = "customFields")]
    custom_fields: Map<String, Value>,
    #[serde(rename = "requirePasswordChange")]
    password_change_required: bool,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<Value>,
    #[serde(rename = "avatarUrl")]
    avatar_url: String,
    #[serde(rename = "createdAt")]
    created_at: Date,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    settings: AccountSettings<'a>,
}

/// An e-mail address of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserAddress<'a> {
    address: &'a str,
    verified: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct AccountSettings<'a> {
    #[schema(value_type = Object)]
    profile: Map<String, Value>,
    /// What the user prefers: the defaults, and the user's own choices over them.
    #[schema(value_type = Object)]
    preferences: Cow<'a, Map<String, Value>>,
}

impl<'a> AccountDocument<'a> {
    /// The answer of `me`: whether there is a password is told besides.
    pub fn of(user: &'a User, platform: &'a Platform) -> AccountDocument<'a> {
        let services = Some(json!({"password": {"exists": !user.password_hash.is_empty()}}));
        AccountDocument { services, ..AccountDocument::at_login(user, platform) }
    }

    /// The same as logging in gives it, without services.
    pub fn at_login(user: &'a User, platform: &'a Platform) -> AccountDocument<'a> {
        let preferences = merged_preferences(platform, user);
        AccountDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            nickname: user.nickname.as_deref(),
            emails: addresses(user),
            email: user.email.as_deref().filter(|_| user.email_verified),
            kind: &user.kind,
            status: &user.status,
            status_default: &user.status_default,
            status_connection: &user.status,
            status_text: &user.status_text,
            availability: user.availability.map(Availability::name),
            bio: user.bio.as_deref(),
            language: preferences.get("language").filter(|language| language.is_string()).cloned(),
            roles: &user.roles,
            active: user.active,
            custom_fields: object(&user.custom_fields),
            password_change_required: user.password_change_required,
            services: None,
            avatar_url: avatar_url(user, platform),
            created_at: Date(user.created_at),
            updated_at: Date(user.updated_at),
            settings: AccountSettings { profile: Map::new(), preferences },
        }
    }
}

/// Where the picture of a user is: an absolute address, or one of this server while it does not know its own.
pub fn avatar_url(user: &User, platform: &Platform) -> String {
    format!("{}/avatar/{}", platform.site(), user.username)
}

pub(super) fn addresses(user: &User) -> Vec<UserAddress<'_>> {
    let verified = user.email_verified;
    user.email.as_deref().into_iter().map(|address| UserAddress { address, verified }).collect()
}

/// A user as somebody else sees it; some see all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    status: &'a str,
    #[serde(rename = "statusText")]
    status_text: &'a str,
    /// `available` or `not-available`; agents only.
    #[serde(rename = "statusLivechat", skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bio: Option<&'a str>,
    active: bool,
    #[serde(flatten)]
    #[schema(value_type = WholeUser)]
    whole: Option<WholeUser<'a>>,
}

/// What only some see of a user; to the document, what any answer may lack.
#[derive(Debug, Serialize, ToSchema)]
struct WholeUser<'a> {
    #[schema(required = false)]
    emails: Vec<UserAddress<'a>>,
    #[schema(required = false)]
    #[serde(rename = "statusDefault")]
    status_default: &'a str,
    #[schema(required = false)]
    #[serde(rename = "statusConnection")]
    status_connection: &'a str,
    #[schema(required = false)]
    roles: &'a [String],
    #[schema(value_type = Object, required = false)]
    settings: Value,
    #[schema(value_type = Object, required = false)]
    #[serde(rename = "customFields")]
    custom_fields: Map<String, Value>,
    #[schema(required = false)]
    #[serde(rename = "requirePasswordChange")]
    password_change_required: bool,
    #[serde(rename = "requirePasswordChangeReason", skip_serializing_if = "Option::is_none")]
    password_change_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(rename = "lastLogin", skip_serializing_if = "Option::is_none")]
    last_login_at: Option<Date>,
    #[schema(required = false)]
    #[serde(rename = "createdAt")]
    created_at: Date,
    #[schema(required = false)]
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

impl<'a> From<&'a Seen> for UserDocument<'a> {
    fn from(seen: &'a Seen) -> UserDocument<'a> {
        let document = UserDocument::of(&seen.user);
        UserDocument { whole: seen.is_whole.then(|| WholeUser::of(&seen.user)), ..document }
    }
}

impl<'a> UserDocument<'a> {
    fn of(user: &'a User) -> UserDocument<'a> {
        UserDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            nickname: user.nickname.as_deref(),
            kind: &user.kind,
            status: &user.status,
            status_text: &user.status_text,
            availability: user.availability.map(Availability::name),
            bio: user.bio.as_deref(),
            active: user.active,
            whole: None,
        }
    }

    /// All that is known of a user.
    pub fn whole(user: &'a User) -> UserDocument<'a> {
        UserDocument { whole: Some(WholeUser::of(user)), ..UserDocument::of(user) }
    }
}

impl<'a> WholeUser<'a> {
    fn of(user: &'a User) -> WholeUser<'a> {
        let own_preferences = object(&user.preferences);
        let settings = if own_preferences.is_empty() { json!({}) } else { json!({"preferences": own_preferences}) };
        WholeUser {
            emails: addresses(user),
            status_default: &user.status_default,
            status_connection: &user.status,
            roles: &user.roles,
            settings,
            custom_fields: object(&user.custom_fields),
            password_change_required: user.password_change_required,
            password_change_reason: user.password_change_reason.as_deref(),
            reason: user.registration_reason.as_deref(),
            last_login_at: user.last_login_at.map(Date),
            created_at: Date(user.created_at),
            updated_at: Date(user.updated_at),
        }
    }
}

/// A user in a list of whom is there, or of names to choose from.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    status: &'a str,
    #[serde(rename = "statusText")]
    status_text: &'a str,
}

impl<'a> From<&'a User> for PresenceDocument<'a> {
    fn from(user: &'a User) -> PresenceDocument<'a> {
        PresenceDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            nickname: user.nickname.as_deref(),
            status: &user.status,
            status_text: &user.status_text,
        }
    }
}

/// A user among those who hold a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleHolderDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    emails: Vec<UserAddress<'a>>,
    #[serde(rename = "createdAt")]
    created_at: Date,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
}

impl<'a> From<&'a User> for RoleHolderDocument<'a> {
    fn from(user: &'a User) -> RoleHolderDocument<'a> {
        RoleHolderDocument {
            id: &user.id,
            username: &user.username,
            name: user.name.as_deref(),
            emails: addresses(user),
            created_at: Date(user.created_at),
            updated_at: Date(user.updated_at),
        }
    }
}
