//! Permissions: which roles may do what.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::time;
use usher_services::documents::PermissionDocument;
use utoipa::{IntoParams, ToSchema};

use crate::access::{AccessPermissions, LoggedIn};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, typed_body, typed_query};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of an id.
const LIMIT: usize = 1_024;

static LIST: Schema = Schema::open(&[optional("updatedSince", text(LIMIT))]);

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those that changed after this time (ISO 8601).
    #[serde(rename = "updatedSince")]
    since: Option<String>,
}

impl Input for ListQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ListQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct ListAnswer<'a> {
    update: Vec<PermissionDocument<'a>>,
    /// Permissions never go.
    #[schema(value_type = Vec<Object>)]
    remove: Vec<Value>,
}

/// Every permission with the roles that hold it.
#[utoipa::path(get, path = "/api/v1/permissions.listAll", tag = "Permissions", params(ListQuery), responses(
    (status = 200, body = Succeeded<ListAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, ListQuery>) -> Answer {
    // The code of the error is what clients know, although it speaks of a room.
    let invalid =
        || ApiError::coded("error-roomId-param-invalid", Some("The \"updatedSince\" query parameter must be a valid date."));
    let since = caller.input.since.filter(|since| !since.is_empty());
    let since = since.map(|since| time::parse_iso(&since).ok_or_else(invalid)).transpose()?;
    let permissions = api.services.permissions(since).await?;
    success(ListAnswer { update: permissions.iter().map(Into::into).collect(), remove: Vec::new() })
}

static CHANGE: Schema = Schema::closed(&[required("_id", text(LIMIT)), required("roles", Kind::List(&Kind::Text(LIMIT)))]);

static UPDATE: Schema = Schema::closed(&[required("permissions", Kind::List(&Kind::Object(&CHANGE)))]);

/// Permissions and the roles that are to hold them.
#[derive(Deserialize, ToSchema)]
pub struct PermissionsBody {
    permissions: Vec<PermissionChange>,
}

#[derive(Deserialize, ToSchema)]
struct PermissionChange {
    #[serde(rename = "_id")]
    id: String,
    /// Without any, nobody holds it.
    roles: Vec<String>,
}

impl Input for PermissionsBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<PermissionsBody, ApiError> {
        let body: PermissionsBody = typed_body(&UPDATE, given)?;
        for PermissionChange { roles, .. } in &body.permissions {
            let repeated = roles.iter().enumerate().find_map(|(later, role)| {
                let earlier = roles[..later].iter().position(|known| known == role)?;
                Some((earlier, later))
            });
            if let Some((earlier, later)) = repeated {
                let told = format!("must NOT have duplicate items (items ## {earlier} and {later} are identical)");
                return Err(ApiError::typed_body(told));
            }
        }
        Ok(body)
    }
}

#[derive(Serialize, ToSchema)]
pub struct UpdateAnswer<'a> {
    permissions: Vec<PermissionDocument<'a>>,
}

/// Says which roles hold these permissions, in force for the next request.
#[utoipa::path(post, path = "/api/v1/permissions.update", tag = "Permissions", request_body = PermissionsBody, responses(
    (status = 200, body = Succeeded<UpdateAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn update(State(api): State<Shared>, caller: Caller<AccessPermissions, PermissionsBody>) -> Answer {
    let changes = caller.input.permissions.into_iter().map(|PermissionChange { id, roles }| (id, roles)).collect();
    api.services.set_permissions(changes).await?;
    let permissions = api.services.permissions(None).await?;
    success(UpdateAnswer { permissions: permissions.iter().map(Into::into).collect() })
}
