//! Roles: what users are.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::time;
use usher_services::documents::{Date, RoleDocument, RoleHolderDocument};
use usher_services::roles::{Membership, RoleChange};
use usher_services::{Error, Refusal};
use utoipa::{IntoParams, ToSchema};

use super::users::list::page_of_users;
use crate::access::{AccessPermissions, LoggedIn};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of an id or a name.
const LIMIT: usize = 1_024;

#[derive(Serialize, ToSchema)]
pub struct RolesAnswer<'a> {
    roles: Vec<RoleDocument<'a>>,
}

/// Every role.
#[utoipa::path(get, path = "/api/v1/roles.list", tag = "Roles", responses(
    (status = 200, body = Succeeded<RolesAnswer<'static>>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, _: Caller) -> Answer {
    let platform = api.services.platform();
    success(RolesAnswer { roles: platform.roles.iter().map(Into::into).collect() })
}

static SYNC: Schema = Schema::open(&[required("updatedSince", text(LIMIT))]);

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SyncQuery {
    /// ISO 8601.
    #[serde(rename = "updatedSince")]
    since: String,
}

impl Input for SyncQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<SyncQuery, ApiError> {
        typed_query(&SYNC, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct SyncAnswer<'a> {
    roles: ChangedRoles<'a>,
}

#[derive(Serialize, ToSchema)]
struct ChangedRoles<'a> {
    update: Vec<RoleDocument<'a>>,
    remove: Vec<RemovedRole>,
}

#[derive(Serialize, ToSchema)]
struct RemovedRole {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_deletedAt")]
    removed_at: Date,
}

/// The roles that changed after a time, and those that went.
#[utoipa::path(get, path = "/api/v1/roles.sync", tag = "Roles", params(SyncQuery), responses(
    (status = 200, body = Succeeded<SyncAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn sync(State(api): State<Shared>, caller: Caller<LoggedIn, SyncQuery>) -> Answer {
    let invalid = || ApiError::coded("error-invalid-param", Some("The \"updatedSince\" query parameter must be a valid date."));
    let since = time::parse_iso(&caller.input.since).ok_or_else(invalid)?;
    let removed = api.services.roles_removed_since(since).await?;
    let platform = api.services.platform();
    let update = platform.roles.iter().filter(|role| role.updated_at > since).map(Into::into).collect();
    let remove = removed.into_iter().map(|(id, at)| RemovedRole { id, removed_at: Date(at) }).collect();
    success(SyncAnswer { roles: ChangedRoles { update, remove } })
}

static MEMBERSHIP: Schema = Schema::open(&[
    required("username", text(LIMIT)),
    optional("roleId", text(LIMIT)),
    optional("roleName", text(LIMIT)),
    optional("roomId", text(LIMIT)),
    optional("scope", text(LIMIT)),
]);

/// A user and a role.
#[derive(Deserialize, ToSchema)]
pub struct MembershipBody {
    username: String,
    #[serde(rename = "roleId")]
    role_id: Option<String>,
    /// What older clients send instead.
    #[serde(rename = "roleName")]
    role_name: Option<String>,
    /// The room in which it is held, for a role of that kind.
    #[serde(rename = "roomId")]
    room_id: Option<String>,
}

impl Input for MembershipBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<MembershipBody, ApiError> {
        typed_body(&MEMBERSHIP, given)
    }
}

impl MembershipBody {
    fn membership(self) -> Result<Membership, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let role = given(self.role_id).or_else(|| given(self.role_name));
        let role = role.ok_or_else(|| ApiError::plain("error-invalid-role-properties"))?;
        Ok(Membership { username: self.username, role, room_id: given(self.room_id) })
    }
}

#[derive(Serialize, ToSchema)]
pub struct RoleAnswer<'a> {
    role: RoleDocument<'a>,
}

/// Gives a user a role.
#[utoipa::path(post, path = "/api/v1/roles.addUserToRole", tag = "Roles", request_body = MembershipBody, responses(
    (status = 200, body = Succeeded<RoleAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn add_user(State(api): State<Shared>, caller: Caller<LoggedIn, MembershipBody>) -> Answer {
    let role = api.services.add_user_to_role(&caller.account, caller.input.membership()?).await?;
    success(RoleAnswer { role: (&role).into() })
}

/// Takes a role from a user. The last administrator stays one.
#[utoipa::path(post, path = "/api/v1/roles.removeUserFromRole", tag = "Roles", request_body = MembershipBody, responses(
    (status = 200, body = Succeeded<RoleAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn remove_user(State(api): State<Shared>, caller: Caller<AccessPermissions, MembershipBody>) -> Answer {
    let role = api.services.remove_user_from_role(&caller.account, caller.input.membership()?).await?;
    success(RoleAnswer { role: (&role).into() })
}

static HOLDERS: Schema = Schema::open(&[required("role", text(LIMIT)), optional("roomId", text(LIMIT))]).paged();

/// Which role, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HoldersQuery {
    /// The id of the role.
    role: String,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for HoldersQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<HoldersQuery, ApiError> {
        typed_query(&HOLDERS, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct HoldersAnswer<'a> {
    users: Vec<RoleHolderDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The users who hold a role.
#[utoipa::path(get, path = "/api/v1/roles.getUsersInRole", tag = "Roles", params(HoldersQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<HoldersAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn holders(State(api): State<Shared>, caller: Caller<AccessPermissions, HoldersQuery>) -> Answer {
    let HoldersQuery { role, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let listed = api.services.users_in_role(&caller.account, role, page_of_users(&page)).await;
    // Here clients know the bare code alone.
    let listed = listed.map_err(|error| match error {
        Error::Refused(Refusal::InvalidRoleId) => ApiError::coded(Refusal::InvalidRoleId.code(), None),
        other => other.into(),
    })?;
    let users: Vec<_> = listed.users.iter().map(|seen| (&seen.user).into()).collect();
    success(HoldersAnswer { count: users.len(), users, offset: page.offset, total: listed.total })
}

#[derive(Serialize, ToSchema)]
pub struct PublicHoldersAnswer {
    users: Vec<PublicHolder>,
}

#[derive(Serialize, ToSchema)]
struct PublicHolder {
    #[serde(rename = "_id")]
    id: String,
    username: String,
    roles: Vec<String>,
}

/// The users who hold a role that people are told about: one with a description.
#[utoipa::path(get, path = "/api/v1/roles.getUsersInPublicRoles", tag = "Roles", responses(
    (status = 200, body = Succeeded<PublicHoldersAnswer>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn public_holders(State(api): State<Shared>, caller: Caller) -> Answer {
    let holders = api.services.users_in_public_roles(&caller.account).await?;
    let users = holders.into_iter().map(|user| PublicHolder { id: user.id, username: user.username, roles: user.roles });
    success(PublicHoldersAnswer { users: users.collect() })
}

static CREATE: Schema = Schema::open(&[
    required("name", text(LIMIT)),
    optional("description", text(LIMIT)),
    optional("scope", Kind::OneOf(&["Users", "Subscriptions"])),
    optional("mandatory2fa", Kind::Boolean),
]);

/// A role to be made.
#[derive(Deserialize, ToSchema)]
pub struct RoleBody {
    name: String,
    description: Option<String>,
    /// `Users` or `Subscriptions`.
    scope: Option<String>,
    #[serde(rename = "mandatory2fa")]
    needs_second_factor: Option<bool>,
}

impl Input for RoleBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RoleBody, ApiError> {
        typed_body(&CREATE, given)
    }
}

impl From<RoleBody> for RoleChange {
    fn from(body: RoleBody) -> RoleChange {
        let RoleBody { name, description, scope, needs_second_factor } = body;
        RoleChange { name, description, scope, needs_second_factor }
    }
}

/// Makes a role.
#[utoipa::path(post, path = "/api/v1/roles.create", tag = "Roles", request_body = RoleBody, responses(
    (status = 200, body = Succeeded<RoleAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn create(State(api): State<Shared>, caller: Caller<LoggedIn, RoleBody>) -> Answer {
    let role = api.services.create_role(&caller.account, caller.input.into()).await?;
    success(RoleAnswer { role: (&role).into() })
}

static UPDATE: Schema = Schema::open(&[
    required("roleId", text(LIMIT)),
    required("name", text(LIMIT)),
    optional("description", text(LIMIT)),
    optional("scope", Kind::OneOf(&["Users", "Subscriptions"])),
    optional("mandatory2fa", Kind::Boolean),
]);

/// A role and what it is to be.
#[derive(Deserialize, ToSchema)]
pub struct RoleUpdateBody {
    #[serde(rename = "roleId")]
    id: String,
    #[serde(flatten)]
    change: RoleBody,
}

impl Input for RoleUpdateBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RoleUpdateBody, ApiError> {
        typed_body(&UPDATE, given)
    }
}

/// Changes a role.
#[utoipa::path(post, path = "/api/v1/roles.update", tag = "Roles", request_body = RoleUpdateBody, responses(
    (status = 200, body = Succeeded<RoleAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update(State(api): State<Shared>, caller: Caller<LoggedIn, RoleUpdateBody>) -> Answer {
    let RoleUpdateBody { id, change } = caller.input;
    let role = api.services.update_role(&caller.account, id, change.into()).await;
    // The refusal's own sentence speaks of deleting.
    let role = role.map_err(|error| match error {
        Error::Refused(Refusal::RoleProtected) => ApiError::coded(Refusal::RoleProtected.code(), Some("Role is protected")),
        other => other.into(),
    })?;
    success(RoleAnswer { role: (&role).into() })
}

static DELETE: Schema = Schema::open(&[required("roleId", text(LIMIT))]);

/// A role to be deleted.
#[derive(Deserialize, ToSchema)]
pub struct RoleDeleteBody {
    #[serde(rename = "roleId")]
    id: String,
}

impl Input for RoleDeleteBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RoleDeleteBody, ApiError> {
        typed_body(&DELETE, given)
    }
}

/// Deletes a role that nobody holds.
#[utoipa::path(post, path = "/api/v1/roles.delete", tag = "Roles", request_body = RoleDeleteBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete(State(api): State<Shared>, caller: Caller<AccessPermissions, RoleDeleteBody>) -> Answer {
    api.services.delete_role(caller.input.id).await?;
    success(Done {})
}
