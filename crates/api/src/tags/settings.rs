//! Settings.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::settings::Kind as SettingKind;
use usher_services::documents::SettingDocument;
use usher_services::settings::{SettingChange, VALUE_LIMIT, WantedSettings};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Delicate, EditSettings, LoggedIn, VeryDelicate, ViewPrivilegedSetting};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, IdPath, Input, Path, Public, Source, typed_body, typed_query};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{Api, ApiError, Shared};

/// The most characters of an id.
const LIMIT: usize = 1_024;

/// The most characters of a list of ids.
const LIST_LIMIT: usize = 50_000;

/// A page of settings.
#[derive(Serialize, ToSchema)]
pub struct SettingsAnswer {
    #[schema(value_type = Vec<SettingDocument<'static>>)]
    settings: Vec<Value>,
    count: usize,
    offset: i64,
    total: usize,
}

/// Answers a page of the settings that are wanted.
fn page_of_settings(api: &Api, wanted: &WantedSettings, paging: &Paging, with_default: bool) -> Answer {
    let platform = api.services.platform();
    let page = paging.page(&platform.settings)?;
    let mut list = api.services.settings_list(wanted);
    if page.sort.first().is_some_and(|(name, descending)| name == "_id" && *descending) {
        list.reverse();
    }
    let bound = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let of_page = list.iter().skip(bound(page.offset)).take(page.count.map_or(usize::MAX, bound));
    let settings = page.show(of_page.map(|definition| SettingDocument::of(definition, &platform.settings, with_default)))?;
    success(SettingsAnswer { count: settings.len(), settings, offset: page.offset, total: list.len() })
}

static PUBLIC: Schema = Schema::closed(&[optional("_id", text(LIST_LIMIT))]).paged();

/// Which settings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PublicQuery {
    /// Ids with commas between them.
    #[serde(rename = "_id")]
    ids: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for PublicQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<PublicQuery, ApiError> {
        typed_query(&PUBLIC, given)
    }
}

/// The settings that everybody may see.
#[utoipa::path(get, path = "/api/v1/settings.public", tag = "Settings", params(PublicQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<SettingsAnswer>),
    (status = 400, body = Failed),
))]
pub async fn public(State(api): State<Shared>, call: Public<PublicQuery>) -> Answer {
    let ids = call.input.ids.filter(|ids| !ids.is_empty());
    let ids = ids.map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect());
    page_of_settings(&api, &WantedSettings { only_public: true, ids }, &call.input.paging, false)
}

static LIST: Schema = Schema::open(&[optional("includeDefaults", Kind::Boolean)]).paged();

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// With the default of each.
    #[serde(default, rename = "includeDefaults")]
    #[param(nullable = false, required = false)]
    with_defaults: bool,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for ListQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<ListQuery, ApiError> {
        typed_query(&LIST, given)
    }
}

/// The settings: all that are not the server's own for those who may see them, the public ones for everybody else.
#[utoipa::path(get, path = "/api/v1/settings", tag = "Settings", params(ListQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<SettingsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<LoggedIn, ListQuery>) -> Answer {
    let only_public = !api.services.sees_all_settings(&caller.account);
    let query = &caller.input;
    page_of_settings(&api, &WantedSettings { only_public, ids: None }, &query.paging, query.with_defaults)
}

#[derive(Serialize, ToSchema)]
pub struct SettingAnswer<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    /// Whatever was sent.
    #[schema(value_type = Value)]
    value: &'a Value,
}

/// One setting.
#[utoipa::path(get, path = "/api/v1/settings/{id}", tag = "Settings", params(("id" = String, Path, description = "The id")), responses(
    (status = 200, body = Succeeded<SettingAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<ViewPrivilegedSetting, IdPath>) -> Answer {
    let definition = api.services.visible_setting(&caller.input.0)?;
    let platform = api.services.platform();
    success(SettingAnswer { id: definition.id, value: platform.settings.value(definition) })
}

/// What a setting is to be.
pub struct SettingBody {
    id: String,
    value: Option<Value>,
    editor: Option<String>,
}

impl Input for SettingBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, path: &Path) -> Result<SettingBody, ApiError> {
        let value = given.get("value").cloned();
        let editor = given.get("editor").and_then(Value::as_str);
        let is_editor = |editor: &&str| matches!(*editor, "color" | "expression");
        Ok(SettingBody { id: path.get("id"), value, editor: editor.filter(is_editor).map(str::to_owned) })
    }
}

/// Changes one setting. The value is kept as it was sent, and is in force for the next request.
#[utoipa::path(post, path = "/api/v1/settings/{id}", tag = "Settings", params(("id" = String, Path, description = "The id")),
    request_body(content = Object, description = "`{value}`; for colours also `{editor: \"color\"}` or `{editor: \"expression\"}`"),
    responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set(State(api): State<Shared>, caller: Caller<Delicate<EditSettings>, SettingBody>) -> Answer {
    let SettingBody { id, value, editor } = caller.input;
    let definition = api.services.visible_setting(&id)?;
    // There is no setting that does something instead of being something, so nothing but a value makes sense.
    let value = value.ok_or_else(ApiError::silent)?;
    bound(&value)?;
    let editor = editor.filter(|_| definition.kind == SettingKind::Color);
    api.services.set_setting(&caller.account, SettingChange { id, value, editor }).await?;
    success(Done {})
}

/// A value that is kept as it was sent must not be of any length, nor hold what no store takes.
fn bound(value: &Value) -> Result<(), ApiError> {
    let text = value.to_string();
    if text.len() > VALUE_LIMIT {
        return Err(ApiError::text(format!("must NOT have more than {VALUE_LIMIT} characters")));
    }
    Ok(())
}

static CHANGE: Schema =
    Schema::open(&[required("_id", text(LIMIT)), required("value", Kind::Any), optional("editor", text(LIMIT))]);

static CHANGES: Schema = Schema::open(&[required("settings", Kind::List(&Kind::Object(&CHANGE)))]);

/// Several settings and what they are to be.
#[derive(Deserialize, ToSchema)]
pub struct SettingsBody {
    settings: Vec<OneSettingBody>,
}

#[derive(Deserialize, ToSchema)]
struct OneSettingBody {
    #[serde(rename = "_id")]
    id: String,
    value: Value,
    /// How a colour was entered.
    editor: Option<String>,
}

impl Input for SettingsBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<SettingsBody, ApiError> {
        let body: SettingsBody = typed_body(&CHANGES, given)?;
        if body.settings.is_empty() {
            return Err(ApiError::typed_body("must NOT have fewer than 1 items".to_owned()));
        }
        if body.settings.iter().any(|change| change.id.is_empty()) {
            return Err(ApiError::typed_body("must NOT have fewer than 1 characters".to_owned()));
        }
        body.settings.iter().try_for_each(|change| bound(&change.value))?;
        Ok(body)
    }
}

/// Changes several settings: all of them, or none. Values must be of their settings' types.
#[utoipa::path(post, path = "/api/v1/settings", tag = "Settings", request_body = SettingsBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_many(State(api): State<Shared>, caller: Caller<VeryDelicate<LoggedIn>, SettingsBody>) -> Answer {
    let changes = caller.input.settings.into_iter().map(|OneSettingBody { id, value, editor }| SettingChange { id, value, editor });
    api.services.set_settings(&caller.account, changes.collect()).await?;
    success(Done {})
}

#[derive(Serialize, ToSchema)]
pub struct OauthAnswer {
    #[schema(value_type = Vec<Object>)]
    services: Vec<Value>,
}

/// The services of others by which one can log in: none.
#[utoipa::path(get, path = "/api/v1/settings.oauth", tag = "Settings", responses(
    (status = 200, body = Succeeded<OauthAnswer>),
))]
pub async fn oauth(_: Public<()>) -> Answer {
    success(OauthAnswer { services: Vec::new() })
}

#[derive(Serialize, ToSchema)]
pub struct ConfigurationsAnswer {
    #[schema(value_type = Vec<Object>)]
    configurations: Vec<Value>,
}

/// How those services are called: there are none.
#[utoipa::path(get, path = "/api/v1/service.configurations", tag = "Settings", responses(
    (status = 200, body = Succeeded<ConfigurationsAnswer>),
))]
pub async fn service_configurations(_: Public<()>) -> Answer {
    success(ConfigurationsAnswer { configurations: Vec::new() })
}
