//! Omnichannel custom fields: which there are, and what visitors say of themselves.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_domain::custom_field::{ID_LIMIT, Scope, is_id};
use usher_services::custom_fields::{GivenValue, Order, Page, WantedField};
use usher_services::documents::CustomFieldDocument;
use utoipa::{IntoParams, ToSchema};

use crate::access::{ViewLivechatManager, ViewRoom};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, Visitor, VisitorInput, legacy, typed_body};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of a label.
const LABEL_LIMIT: usize = 512;

/// The most characters of a value.
const VALUE_LIMIT: usize = 4_096;

static LIST: Schema = Schema::closed(&[optional("text", text(1_024))]).paged();

/// Which fields, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CustomFieldsQuery {
    /// Part of the label or id.
    text: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for CustomFieldsQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<CustomFieldsQuery, ApiError> {
        legacy(&LIST, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct CustomFieldsAnswer {
    /// Each as it is answered alone, or those of its members that are asked for.
    #[serde(rename = "customFields")]
    #[schema(value_type = Vec<Object>)]
    fields: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The custom fields, by label unless something else is asked for.
#[utoipa::path(get, path = "/api/v1/livechat/custom-fields", tag = "Omnichannel Custom Fields",
    params(CustomFieldsQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<CustomFieldsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewRoom, CustomFieldsQuery>) -> Answer {
    let CustomFieldsQuery { text, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let listed = api.services.custom_fields(text.filter(|text| !text.is_empty()), page_of_fields(&page)).await?;
    let fields = page.show(listed.fields.iter().map(CustomFieldDocument::from))?;
    success(CustomFieldsAnswer { count: fields.len(), fields, offset: page.offset, total: listed.total })
}

fn page_of_fields(page: &paging::Page) -> Page {
    let known = |name: &str| match name {
        "label" => Some(Order::Label),
        "_id" => Some(Order::Id),
        "scope" => Some(Order::Scope),
        "visibility" => Some(Order::Visibility),
        _ => None,
    };
    page.in_order(known, (Order::Label, false))
}

/// The id in the path.
pub struct CustomFieldPath(String);

impl Input for CustomFieldPath {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<CustomFieldPath, ApiError> {
        Ok(CustomFieldPath(path.get("_id")))
    }
}

#[derive(Serialize, ToSchema)]
pub struct FoundCustomFieldAnswer<'a> {
    /// Null where there is none.
    #[serde(rename = "customField")]
    #[schema(required = true)]
    field: Option<CustomFieldDocument<'a>>,
}

/// One custom field.
#[utoipa::path(get, path = "/api/v1/livechat/custom-fields/{_id}", tag = "Omnichannel Custom Fields",
    params(("_id" = String, Path, description = "The id")), responses(
    (status = 200, body = Succeeded<FoundCustomFieldAnswer<'static>>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get(State(api): State<Shared>, caller: Caller<ViewRoom, CustomFieldPath>) -> Answer {
    let field = api.services.custom_field(caller.input.0).await?;
    success(FoundCustomFieldAnswer { field: field.as_ref().map(Into::into) })
}

static DATA: Schema = Schema::open(&[
    required("field", text(ID_LIMIT)),
    required("label", text(LABEL_LIMIT)),
    required("scope", Kind::OneOf(&["visitor", "room"])),
    required("visibility", text(64)),
    optional("type", text(64)),
    optional("regexp", text(1_024)),
    optional("required", Kind::Boolean),
    optional("defaultValue", text(VALUE_LIMIT)),
    optional("options", text(16_384)),
    optional("public", Kind::Boolean),
    optional("searchable", Kind::Boolean),
]);

static SAVE: Schema =
    Schema::closed(&[optional("customFieldId", text(1_024)).nullable(), required("customFieldData", Kind::Object(&DATA))]);

/// What a custom field is to be.
#[derive(Deserialize, ToSchema)]
pub struct CustomFieldBody {
    /// The id of a field that is to change; null or nothing for a new one.
    #[serde(rename = "customFieldId")]
    id: Option<String>,
    #[serde(rename = "customFieldData")]
    data: CustomFieldData,
}

/// What a custom field says. There may be more members: they are kept as they are.
#[derive(Deserialize, ToSchema)]
struct CustomFieldData {
    /// The id of a new field: letters, digits, hyphens and underscores.
    field: String,
    /// How people call it.
    label: String,
    /// `visitor` or `room`.
    scope: String,
    /// `visible` or `hidden`.
    visibility: String,
    #[serde(flatten)]
    #[schema(value_type = CustomFieldRest)]
    members: Map<String, Value>,
}

/// What a custom field may say besides.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes members that are kept as they were sent")]
struct CustomFieldRest {
    /// `input` or `select`.
    #[schema(rename = "type")]
    kind: Option<String>,
    /// What values have to contain.
    regexp: Option<String>,
    /// Whether there has to be a value.
    required: Option<bool>,
    #[schema(rename = "defaultValue")]
    default_value: Option<String>,
    /// What can be selected, with commas between.
    options: Option<String>,
    /// Whether the widget shows it.
    public: Option<bool>,
    /// Whether visitors are found by it.
    searchable: Option<bool>,
}

impl Input for CustomFieldBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CustomFieldBody, ApiError> {
        let others = given.get("customFieldData").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut body: CustomFieldBody = typed_body(&SAVE, given)?;
        if !is_id(&body.data.field) {
            return Err(ApiError::typed_body("must match pattern \"^[0-9a-zA-Z_-]+$\"".to_owned()));
        }
        for (name, value) in others {
            body.data.members.entry(name).or_insert(value);
        }
        Ok(body)
    }
}

impl CustomFieldBody {
    fn wanted(self) -> Result<(Option<String>, WantedField), ApiError> {
        let CustomFieldData { field, label, scope, visibility, members } = self.data;
        let scope = Scope::from_name(&scope).ok_or_else(|| ApiError::broken("a schema let through a scope that is none"))?;
        Ok((self.id.filter(|id| !id.is_empty()), WantedField { id: field, label, scope, visibility, members }))
    }
}

#[derive(Serialize, ToSchema)]
pub struct CustomFieldAnswer<'a> {
    #[serde(rename = "customField")]
    field: CustomFieldDocument<'a>,
}

/// Makes a custom field, or changes one.
#[utoipa::path(post, path = "/api/v1/livechat/custom-fields.save", tag = "Omnichannel Custom Fields",
    request_body = CustomFieldBody, responses(
    (status = 200, body = Succeeded<CustomFieldAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn save(State(api): State<Shared>, caller: Caller<ViewLivechatManager, CustomFieldBody>) -> Answer {
    let (id, wanted) = caller.input.wanted()?;
    let field = api.services.save_custom_field(id, wanted).await?;
    success(CustomFieldAnswer { field: (&field).into() })
}

static DELETE: Schema = Schema::closed(&[required("customFieldId", text(1_024))]);

/// A custom field to be deleted.
#[derive(Deserialize, ToSchema)]
pub struct CustomFieldDeleteBody {
    #[serde(rename = "customFieldId")]
    id: String,
}

impl Input for CustomFieldDeleteBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CustomFieldDeleteBody, ApiError> {
        typed_body(&DELETE, given)
    }
}

/// Deletes a custom field. The values that were given for it stay.
#[utoipa::path(post, path = "/api/v1/livechat/custom-fields.delete", tag = "Omnichannel Custom Fields",
    request_body = CustomFieldDeleteBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn delete(State(api): State<Shared>, caller: Caller<ViewLivechatManager, CustomFieldDeleteBody>) -> Answer {
    api.services.delete_custom_field(caller.input.id).await?;
    success(Done {})
}

static VALUE: Schema = Schema::closed(&[
    required("token", text(1_024)),
    required("key", text(256)),
    required("value", text(VALUE_LIMIT)),
    required("overwrite", Kind::Boolean),
]);

/// A value that a visitor gives.
#[derive(Deserialize, ToSchema)]
pub struct CustomValueBody {
    /// The visitor's token.
    token: String,
    #[serde(flatten)]
    value: CustomValue,
}

#[derive(Deserialize, ToSchema)]
struct CustomValue {
    /// The id of the field.
    key: String,
    value: String,
    /// Whether it takes the place of one that is there already.
    overwrite: bool,
}

impl From<CustomValue> for GivenValue {
    fn from(CustomValue { key, value, overwrite }: CustomValue) -> GivenValue {
        GivenValue { key, value, overwrite }
    }
}

impl Input for CustomValueBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CustomValueBody, ApiError> {
        legacy(&VALUE, given)
    }
}

impl VisitorInput for CustomValueBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct CustomValueAnswer {
    field: CustomValueDocument,
}

#[derive(Serialize, ToSchema)]
struct CustomValueDocument {
    key: String,
    value: String,
    overwrite: bool,
}

/// Gives the visitor whose token this is, or its open rooms, a value of a custom field.
#[utoipa::path(post, path = "/api/v1/livechat/custom.field", tag = "Omnichannel Custom Fields", request_body = CustomValueBody,
    responses(
    (status = 200, body = Succeeded<CustomValueAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_value(State(api): State<Shared>, call: Visitor<CustomValueBody>) -> Answer {
    let mut set = api.services.set_custom_values(call.token, vec![call.input.value.into()]).await?;
    let set = set.pop().ok_or_else(|| ApiError::broken("a value was set and is not told"))?;
    success(CustomValueAnswer { field: CustomValueDocument { key: set.key, value: set.value, overwrite: set.overwrite } })
}

static ONE_OF_VALUES: Schema =
    Schema::closed(&[required("key", text(256)), required("value", text(VALUE_LIMIT)), required("overwrite", Kind::Boolean)]);

static VALUES: Schema =
    Schema::closed(&[required("token", text(1_024)), required("customFields", Kind::List(&Kind::Object(&ONE_OF_VALUES)))]);

/// Values that a visitor gives.
#[derive(Deserialize, ToSchema)]
pub struct CustomValuesBody {
    /// The visitor's token.
    token: String,
    #[serde(rename = "customFields")]
    values: Vec<CustomValue>,
}

impl Input for CustomValuesBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CustomValuesBody, ApiError> {
        legacy(&VALUES, given)
    }
}

impl VisitorInput for CustomValuesBody {
    fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Serialize, ToSchema)]
pub struct CustomValuesAnswer {
    fields: Vec<OneOfCustomValues>,
}

#[derive(Serialize, ToSchema)]
struct OneOfCustomValues {
    /// Clients know it with a capital letter here.
    #[serde(rename = "Key")]
    key: String,
    value: String,
    overwrite: bool,
}

/// Gives the visitor whose token this is, and its open rooms, values of custom fields: all of them, or none.
#[utoipa::path(post, path = "/api/v1/livechat/custom.fields", tag = "Omnichannel Custom Fields", request_body = CustomValuesBody,
    responses(
    (status = 200, body = Succeeded<CustomValuesAnswer>),
    (status = 400, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_values(State(api): State<Shared>, call: Visitor<CustomValuesBody>) -> Answer {
    let values = call.input.values.into_iter().map(Into::into).collect();
    let set = api.services.set_custom_values(call.token, values).await?.into_iter();
    let fields = set.map(|set| OneOfCustomValues { key: set.key, value: set.value, overwrite: set.overwrite });
    success(CustomValuesAnswer { fields: fields.collect() })
}
