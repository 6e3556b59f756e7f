//! Omnichannel inquiries: the chats that nobody serves, taking them, and putting chats back among them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::documents::{InquiryDocument, InquirySummary};
use usher_services::rooms::{QueueOrder, QueuePage, RoomWithMessage, TakeOptions};
use utoipa::{IntoParams, ToSchema};

use crate::access::{SetServiceLevel, ViewLivechatManager, ViewRoom};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy, typed_body};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most characters of a name or an id.
const LIMIT: usize = 1_024;

static LIST: Schema = Schema::closed(&[optional("department", text(LIMIT))]).paged();

/// Whose chats, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InquiriesQuery {
    /// The department. Where managers look at the queue, its name will do.
    department: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for InquiriesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<InquiriesQuery, ApiError> {
        let query: InquiriesQuery = legacy(&LIST, given)?;
        Ok(InquiriesQuery { department: query.department.filter(|department| !department.is_empty()), ..query })
    }
}

#[derive(Serialize, ToSchema)]
pub struct QueueAnswer<'a> {
    inquiries: Vec<InquirySummary<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The page of the queue: the latest come first, unless it is to be sorted by something by which waiting chats differ.
fn page_of_queue(page: &paging::Page) -> QueuePage {
    let known = |name: &str| match name {
        "ts" => Some(QueueOrder::Opened),
        "name" => Some(QueueOrder::Name),
        _ => None,
    };
    page.in_order(known, (QueueOrder::Opened, true))
}

/// The chats that wait where agents see them.
#[utoipa::path(get, path = "/api/v1/livechat/inquiries.list", tag = "Omnichannel Inquiries",
    params(InquiriesQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<QueueAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, caller: Caller<ViewLivechatManager, InquiriesQuery>) -> Answer {
    let page = caller.input.paging.page(&api.services.platform().settings)?;
    let listed = api.services.list_queue(caller.input.department, page_of_queue(&page)).await?;
    let inquiries: Vec<InquirySummary<'_>> = listed.rooms.iter().filter_map(|listed| InquirySummary::of(&listed.room)).collect();
    success(QueueAnswer { count: inquiries.len(), inquiries, offset: page.offset, total: listed.total })
}

#[derive(Serialize, ToSchema)]
pub struct InquiriesAnswer<'a> {
    inquiries: Vec<InquiryDocument<'a>>,
    count: usize,
    offset: i64,
    total: i64,
}

fn inquiry(listed: &RoomWithMessage) -> Option<InquiryDocument<'_>> {
    InquiryDocument::of(&listed.room, listed.last_message.as_ref())
}

/// The chats that the caller may take, in the order in which chats are given.
#[utoipa::path(get, path = "/api/v1/livechat/inquiries.queuedForUser", tag = "Omnichannel Inquiries",
    params(InquiriesQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<InquiriesAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn queued_for_user(State(api): State<Shared>, caller: Caller<ViewRoom, InquiriesQuery>) -> Answer {
    let page = caller.input.paging.page(&api.services.platform().settings)?;
    let part = QueuePage { order: QueueOrder::Opened, descending: false, offset: page.offset, count: page.count };
    let listed = api.services.queue_of_user(&caller.account, caller.input.department, part).await?;
    let inquiries: Vec<InquiryDocument<'_>> = listed.rooms.iter().filter_map(inquiry).collect();
    success(InquiriesAnswer { count: inquiries.len(), inquiries, offset: page.offset, total: listed.total })
}

static ONE: Schema = Schema::closed(&[required("roomId", text(LIMIT))]);

/// Whose place in the queue.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InquiryQuery {
    /// The id of the room.
    #[serde(rename = "roomId")]
    room_id: String,
}

impl Input for InquiryQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<InquiryQuery, ApiError> {
        legacy(&ONE, given)
    }
}

/// Null for a room that is closed or does not exist.
#[derive(Serialize, ToSchema)]
pub struct InquiryAnswer<'a> {
    inquiry: Option<InquiryDocument<'a>>,
}

/// A room's place in the queue, also after somebody took the chat.
#[utoipa::path(get, path = "/api/v1/livechat/inquiries.getOne", tag = "Omnichannel Inquiries", params(InquiryQuery), responses(
    (status = 200, body = Succeeded<InquiryAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn get_one(State(api): State<Shared>, caller: Caller<ViewRoom, InquiryQuery>) -> Answer {
    let found = api.services.inquiry_of_room(caller.input.room_id).await?;
    success(InquiryAnswer { inquiry: found.as_ref().and_then(inquiry) })
}

static TAKE: Schema = Schema::closed(&[
    required("inquiryId", text(LIMIT)),
    optional("userId", text(LIMIT)),
    optional("options", Kind::Object(&TAKE_OPTIONS)),
]);

static TAKE_OPTIONS: Schema = Schema::closed(&[
    required("clientAction", Kind::Boolean),
    optional("forwardingToDepartment", Kind::Object(&Schema::anything())),
]);

/// Which chat, and for whom.
#[derive(Deserialize, ToSchema)]
pub struct TakeBody {
    /// The inquiry's id.
    #[serde(rename = "inquiryId")]
    inquiry_id: String,
    /// The agent who gets it; the caller without one.
    #[serde(rename = "userId")]
    user_id: Option<String>,
    options: Option<TakeOptionsBody>,
}

/// How it is taken.
#[derive(Deserialize, ToSchema)]
pub struct TakeOptionsBody {
    /// Whether somebody is to be told of a limit that is reached. Without it the chat just stays where it is.
    #[serde(rename = "clientAction")]
    client_action: bool,
    /// Taken because clients send it; changes nothing.
    #[serde(rename = "forwardingToDepartment")]
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "clients send it along, and the chat is taken all the same")]
    forwarding: Option<Map<String, Value>>,
}

impl Input for TakeBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<TakeBody, ApiError> {
        legacy(&TAKE, given)
    }
}

/// Takes a chat out of the queue. Of all who try, one succeeds.
#[utoipa::path(post, path = "/api/v1/livechat/inquiries.take", tag = "Omnichannel Inquiries", request_body = TakeBody, responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn take(State(api): State<Shared>, caller: Caller<ViewRoom, TakeBody>) -> Answer {
    let TakeBody { inquiry_id, user_id, options } = caller.input;
    let client_action = options.is_some_and(|options| options.client_action);
    api.services.take_inquiry(&caller.account, inquiry_id, TakeOptions { user_id, client_action }).await?;
    success(Done {})
}

static RETURN: Schema = Schema::closed(&[required("roomId", text(LIMIT)), optional("departmentId", text(LIMIT)).nullable()]);

/// Which chat, and whose it is from now on.
#[derive(Deserialize, ToSchema)]
pub struct ReturnBody {
    /// The id of the room.
    #[serde(rename = "roomId")]
    room_id: String,
    /// The id of the department that the chat is of from now on; without it the same as before.
    #[serde(rename = "departmentId")]
    department_id: Option<String>,
}

impl Input for ReturnBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ReturnBody, ApiError> {
        let body: ReturnBody = typed_body(&RETURN, given)?;
        Ok(ReturnBody { department_id: body.department_id.filter(|id| !id.is_empty()), ..body })
    }
}

#[derive(Serialize, ToSchema)]
pub struct ReturnAnswer {
    /// Whether somebody served the chat.
    result: bool,
}

/// Takes a chat from its agent and puts it back into the queue.
#[utoipa::path(post, path = "/api/v1/livechat/inquiries.returnAsInquiry", tag = "Omnichannel Inquiries",
    request_body = ReturnBody, responses(
    (status = 200, body = Succeeded<ReturnAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn return_to_queue(State(api): State<Shared>, caller: Caller<ViewRoom, ReturnBody>) -> Answer {
    let ReturnBody { room_id, department_id } = caller.input;
    success(ReturnAnswer { result: api.services.return_to_queue(room_id, department_id).await? })
}

static SERVICE_LEVEL: Schema = Schema::open(&[optional("roomId", text(LIMIT)), optional("sla", text(LIMIT))]);

/// Which chat, and which level.
#[derive(Deserialize, ToSchema)]
pub struct ServiceLevelBody {
    /// The id of the room.
    #[serde(rename = "roomId", default)]
    #[schema(required)]
    room_id: String,
    /// The level's id or name.
    #[serde(default)]
    #[schema(required)]
    sla: String,
}

impl Input for ServiceLevelBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<ServiceLevelBody, ApiError> {
        let body: ServiceLevelBody = legacy(&SERVICE_LEVEL, given)?;
        if body.room_id.is_empty() {
            return Err(ApiError::text("The 'roomId' param is required"));
        }
        Ok(body)
    }
}

/// Gives a chat that waits a service level.
#[utoipa::path(put, path = "/api/v1/livechat/inquiry.setSLA", tag = "Omnichannel Inquiries", request_body = ServiceLevelBody,
    responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn set_service_level(State(api): State<Shared>, caller: Caller<SetServiceLevel, ServiceLevelBody>) -> Answer {
    let ServiceLevelBody { room_id, sla } = caller.input;
    api.services.set_service_level(room_id, sla).await?;
    success(Done {})
}
