//! What users note of a room and its visitor.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};
use usher_services::rooms::{GuestInfo, RoomInfo};
use utoipa::ToSchema;

use super::close::check_tags;
use crate::access::ViewRoom;
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of the value of a custom field.
const VALUE_LIMIT: usize = 4_096;

static GUEST: Schema = Schema::closed(&[
    required("_id", text(128)),
    optional("name", text(512)).nullable(),
    optional("email", text(320)).nullable(),
    optional("phone", text(128)).nullable(),
    optional("livechatData", Kind::Object(&Schema::anything())).nullable(),
]);

static ROOM: Schema = Schema::closed(&[
    required("_id", text(128)),
    optional("topic", text(1_024)).nullable(),
    optional("tags", Kind::List(&Kind::Text(512))).nullable(),
    optional("livechatData", Kind::Object(&Schema::anything())).nullable(),
    optional("priorityId", text(128)).nullable(),
    optional("slaId", text(128)).nullable(),
]);

static SAVE: Schema = Schema::closed(&[required("guestData", Kind::Object(&GUEST)), required("roomData", Kind::Object(&ROOM))]);

/// What is noted.
#[derive(Deserialize, ToSchema)]
pub struct RoomInfoBody {
    /// What is known of the visitor.
    #[serde(rename = "guestData")]
    guest: GuestData,
    /// What is noted of the room.
    #[serde(rename = "roomData")]
    room: RoomData,
}

/// What is known of a visitor. What is left out or blank stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct GuestData {
    /// The visitor of the room.
    #[serde(rename = "_id")]
    id: String,
    /// The name.
    name: Option<String>,
    /// The e-mail address.
    email: Option<String>,
    /// The phone number.
    phone: Option<String>,
    /// Values of custom fields; a blank one takes the value away.
    #[serde(rename = "livechatData")]
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
}

/// What is noted of a room.
#[derive(Deserialize, ToSchema)]
pub struct RoomData {
    /// The room.
    #[serde(rename = "_id")]
    id: String,
    /// What it is about; a blank one takes the topic away.
    topic: Option<String>,
    /// All of its tags: left out, it has none.
    tags: Option<Vec<String>>,
    /// Values of custom fields; a blank one takes the value away.
    #[serde(rename = "livechatData")]
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// The priority.
    #[serde(rename = "priorityId")]
    priority: Option<String>,
    /// The service level.
    #[serde(rename = "slaId")]
    service_level: Option<String>,
}

impl Input for RoomInfoBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RoomInfoBody, ApiError> {
        let body: RoomInfoBody = legacy(&SAVE, given)?;
        check_tags(body.room.tags.as_deref().unwrap_or_default())?;
        Ok(body)
    }
}

/// Values of custom fields as texts.
fn values(given: Option<Map<String, Value>>) -> Result<BTreeMap<String, String>, ApiError> {
    given.into_iter().flatten().map(|(field, value)| Ok((field, value_of_field(value)?))).collect()
}

fn value_of_field(value: Value) -> Result<String, ApiError> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => return Err(ApiError::legacy_parameters("must be string".to_owned())),
    };
    if text.chars().nth(VALUE_LIMIT).is_some() {
        return Err(ApiError::legacy_parameters(format!("must NOT have more than {VALUE_LIMIT} characters")));
    }
    if text.contains('\0') {
        return Err(ApiError::legacy_parameters("must NOT contain the NUL character".to_owned()));
    }
    Ok(text)
}

/// Keeps what is noted of a room, and of its visitor.
#[utoipa::path(post, path = "/api/v1/livechat/room.saveInfo", tag = "Omnichannel Rooms", request_body = RoomInfoBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn save(State(api): State<Shared>, caller: Caller<ViewRoom, RoomInfoBody>) -> Answer {
    let RoomInfoBody { guest, room } = caller.input;
    let guest = GuestInfo { id: guest.id, name: guest.name, email: guest.email, phone: guest.phone, fields: values(guest.fields)? };
    let info = RoomInfo {
        id: room.id,
        topic: room.topic,
        tags: room.tags.unwrap_or_default(),
        fields: values(room.fields)?,
        priority: room.priority,
        service_level: room.service_level,
    };
    api.services.save_room_info(&caller.account, guest, info).await?;
    success(Done {})
}
