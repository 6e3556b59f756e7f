//! Omnichannel visitors: what users see of them.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_services::documents::{
    Eyes, FoundChatDocument, FoundVisitorDocument, MessageDocument, OfferedVisitorDocument, OpenRoomDocument, RoomDocument,
    VisitorDocument,
};
use usher_services::visitor_lists::{ChatFilter, ChatOrder, ChatPage, Order, Page, SeenThrough, VisitsPage};
use utoipa::{IntoParams, ToSchema};

use crate::access::{ViewLivechatManager, ViewRoom};
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, Input, Path, Source, legacy};
use crate::parse::paging::{self, Paging};
use crate::parse::schema::{Schema, optional, required, text};
use crate::{ApiError, Shared};

/// How many visitors a question for some to choose from may leave out.
const EXCEPTIONS: usize = 100;

/// The id or token in the path.
pub struct VisitorName(String);

impl Input for VisitorName {
    const SOURCE: Source = Source::Path;

    fn read(_: Value, path: &Path) -> Result<VisitorName, ApiError> {
        Ok(VisitorName(path.get("token")))
    }
}

#[derive(Serialize, ToSchema)]
pub struct OpenRoomsAnswer<'a> {
    rooms: Vec<OpenRoomDocument<'a>>,
}

/// The open rooms of a visitor, of whom the token is known, or the id.
#[utoipa::path(get, path = "/api/v1/livechat/visitor/{token}/room", tag = "Omnichannel Visitors",
    params(("token" = String, Path, description = "The visitor's token or id")), responses(
    (status = 200, body = Succeeded<OpenRoomsAnswer<'static>>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn open_rooms(State(api): State<Shared>, caller: Caller<ViewLivechatManager, VisitorName>) -> Answer {
    let rooms = api.services.open_rooms_of(caller.input.0).await?;
    success(OpenRoomsAnswer { rooms: rooms.iter().map(Into::into).collect() })
}

static INFO: Schema = Schema::closed(&[required("visitorId", text(128))]);

/// Which visitor.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VisitorInfoQuery {
    /// The id.
    #[serde(rename = "visitorId")]
    id: String,
}

impl Input for VisitorInfoQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<VisitorInfoQuery, ApiError> {
        legacy(&INFO, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct VisitorInfoAnswer<'a> {
    visitor: VisitorDocument<'a>,
}

/// A visitor, without its token.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.info", tag = "Omnichannel Visitors", params(VisitorInfoQuery), responses(
    (status = 200, body = Succeeded<VisitorInfoAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn info(State(api): State<Shared>, caller: Caller<ViewRoom, VisitorInfoQuery>) -> Answer {
    let visitor = api.services.visitor_with_id(caller.input.id).await?;
    success(VisitorInfoAnswer { visitor: VisitorDocument::for_staff(&visitor) })
}

static SEARCH: Schema = Schema::closed(&[required("term", text(1_024))]).paged();

/// Whom to search for, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VisitorSearchQuery {
    /// Part of the name, the user name or a searchable field, or the e-mail address or phone number. An empty one finds everybody.
    term: String,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

impl Input for VisitorSearchQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<VisitorSearchQuery, ApiError> {
        legacy(&SEARCH, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct FoundVisitorsAnswer {
    /// Visitors, with those members that are wanted.
    #[schema(value_type = Vec<Object>)]
    visitors: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The page of a list of visitors: the newest first, unless they are to be sorted by another name that is sorted by.
fn page_of_visitors(page: &paging::Page) -> Page {
    let known = |name: &str| match name {
        "ts" | "_id" => Some(Order::CreatedAt),
        "lastChat.ts" | "lastChat" => Some(Order::LastChat),
        "name" => Some(Order::Name),
        "username" => Some(Order::Username),
        _ => None,
    };
    page.in_order(known, (Order::CreatedAt, true))
}

/// Visitors by what they are called.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.search", tag = "Omnichannel Visitors",
    params(VisitorSearchQuery, paging::Parameters), responses(
    (status = 200, body = Succeeded<FoundVisitorsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn search(State(api): State<Shared>, caller: Caller<ViewRoom, VisitorSearchQuery>) -> Answer {
    let VisitorSearchQuery { term, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let listed = api.services.search_visitors(term, page_of_visitors(&page)).await?;
    let visitors = page.show(listed.visitors.iter().map(FoundVisitorDocument::from))?;
    success(FoundVisitorsAnswer { count: visitors.len(), visitors, offset: page.offset, total: listed.total })
}

static AUTOCOMPLETE: Schema = Schema::closed(&[required("selector", text(4_096))]);

/// What was typed so far.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VisitorChoiceQuery {
    /// JSON: `{"term", "exceptions": [ids]}`.
    selector: String,
}

impl Input for VisitorChoiceQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<VisitorChoiceQuery, ApiError> {
        legacy(&AUTOCOMPLETE, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct VisitorChoiceAnswer<'a> {
    items: Vec<OfferedVisitorDocument<'a>>,
}

/// Visitors to choose from whose names begin with what was typed.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.autocomplete", tag = "Omnichannel Visitors",
    params(VisitorChoiceQuery), responses(
    (status = 200, body = Succeeded<VisitorChoiceAnswer<'static>>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn autocomplete(State(api): State<Shared>, caller: Caller<ViewRoom, VisitorChoiceQuery>) -> Answer {
    let invalid = || ApiError::text("Invalid selector");
    let selector: Map<String, Value> = serde_json::from_str(&caller.input.selector).map_err(|_| invalid())?;
    let term = selector.get("term").and_then(Value::as_str).unwrap_or_default().to_owned();
    let except = selector.get("exceptions").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let except: Vec<String> = except.take(EXCEPTIONS).map(str::to_owned).collect();
    // JSON can write a NUL in characters that the check of the query lets through.
    if [&term].into_iter().chain(&except).any(|text| text.contains('\0')) {
        return Err(invalid());
    }
    let visitors = api.services.offer_visitors(term, except).await?;
    success(VisitorChoiceAnswer { items: visitors.iter().map(Into::into).collect() })
}

static PAGED: Schema = Schema::closed(&[]).paged();

/// The room, and which part of the list.
pub struct VisitedPagesQuery {
    room_id: String,
    paging: Paging,
}

impl Input for VisitedPagesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<VisitedPagesQuery, ApiError> {
        Ok(VisitedPagesQuery { room_id: path.get("roomId"), paging: legacy(&PAGED, given)? })
    }
}

#[derive(Serialize, ToSchema)]
pub struct VisitedPagesAnswer {
    /// Messages, with those members that are wanted.
    #[schema(value_type = Vec<Object>)]
    pages: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The pages that a room's visitor saw, the latest first unless something else is asked for.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.pagesVisited/{roomId}", tag = "Omnichannel Visitors",
    params(("roomId" = String, Path, description = "The room"), paging::Parameters), responses(
    (status = 200, body = Succeeded<VisitedPagesAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn pages_visited(State(api): State<Shared>, caller: Caller<ViewRoom, VisitedPagesQuery>) -> Answer {
    let VisitedPagesQuery { room_id, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let oldest_first = page.sort.iter().find(|(name, _)| name == "ts").is_some_and(|(_, descending)| !descending);
    let wanted = VisitsPage { oldest_first, offset: page.offset, count: page.count };
    let listed = api.services.pages_visited(room_id, wanted).await?;
    let pages = page.show(listed.messages.iter().map(|message| MessageDocument::new(message, Eyes::Staff)))?;
    success(VisitedPagesAnswer { count: pages.len(), pages, offset: page.offset, total: listed.total })
}

fn seen_through(path: &Path) -> SeenThrough {
    SeenThrough { room_id: path.get("roomId"), visitor_id: path.get("visitorId") }
}

/// The page of a list of rooms: the latest first, unless they are to be sorted by another name that is sorted by.
fn page_of_chats(page: &paging::Page) -> ChatPage {
    let known = |name: &str| match name {
        "ts" => Some(ChatOrder::OpenedAt),
        "closedAt" => Some(ChatOrder::ClosedAt),
        "lm" => Some(ChatOrder::LastMessage),
        _ => None,
    };
    page.in_order(known, (ChatOrder::OpenedAt, true))
}

/// The room and the visitor, and which part of the list.
pub struct ChatHistoryQuery {
    seen: SeenThrough,
    paging: Paging,
}

impl Input for ChatHistoryQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<ChatHistoryQuery, ApiError> {
        Ok(ChatHistoryQuery { seen: seen_through(path), paging: legacy(&PAGED, given)? })
    }
}

#[derive(Serialize, ToSchema)]
pub struct ChatHistoryAnswer {
    /// Rooms, with those members that are wanted.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// The rooms of the visitor of a room, open and closed.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.chatHistory/room/{roomId}/visitor/{visitorId}", tag = "Omnichannel Visitors",
    params(("roomId" = String, Path, description = "The room"), ("visitorId" = String, Path, description = "Its visitor"),
        paging::Parameters), responses(
    (status = 200, body = Succeeded<ChatHistoryAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn chat_history(State(api): State<Shared>, caller: Caller<ViewRoom, ChatHistoryQuery>) -> Answer {
    let ChatHistoryQuery { seen, paging } = caller.input;
    let page = paging.page(&api.services.platform().settings)?;
    let listed = api.services.chats_of_visitor(&caller.account, seen, page_of_chats(&page)).await?;
    let rooms = listed.chats.iter().map(|chat| RoomDocument::new(&chat.room, chat.last_message.as_ref(), Eyes::Staff));
    let history = page.show(rooms)?;
    success(ChatHistoryAnswer { count: history.len(), history, offset: page.offset, total: listed.total })
}

static CHATS: Schema = Schema::closed(&[
    optional("searchText", text(1_024)),
    optional("closedChatsOnly", text(16)),
    optional("servedChatsOnly", text(16)),
    optional("source", text(128)),
])
.paged();

/// What is looked for, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChatSearchMembers {
    /// What a message in the room contains.
    #[serde(rename = "searchText")]
    text: Option<String>,
    /// `true` for closed rooms only.
    #[serde(rename = "closedChatsOnly")]
    closed: Option<String>,
    /// `true` for rooms only that an agent has.
    #[serde(rename = "servedChatsOnly")]
    served: Option<String>,
    /// Part of the kind of source, such as `widget`.
    source: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    paging: Paging,
}

/// The room and the visitor, and what is looked for.
pub struct ChatSearchQuery {
    seen: SeenThrough,
    members: ChatSearchMembers,
}

impl Input for ChatSearchQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, path: &Path) -> Result<ChatSearchQuery, ApiError> {
        Ok(ChatSearchQuery { seen: seen_through(path), members: legacy(&CHATS, given)? })
    }
}

#[derive(Serialize, ToSchema)]
pub struct FoundChatsAnswer {
    /// Rooms, with those members that are wanted.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
    count: usize,
    offset: i64,
    total: i64,
}

/// Those rooms of the visitor of a room that are looked for.
#[utoipa::path(get, path = "/api/v1/livechat/visitors.searchChats/room/{roomId}/visitor/{visitorId}", tag = "Omnichannel Visitors",
    params(("roomId" = String, Path, description = "The room"), ("visitorId" = String, Path, description = "Its visitor"),
        ChatSearchMembers, paging::Parameters), responses(
    (status = 200, body = Succeeded<FoundChatsAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn search_chats(State(api): State<Shared>, caller: Caller<ViewRoom, ChatSearchQuery>) -> Answer {
    let ChatSearchQuery { seen, members } = caller.input;
    let page = members.paging.page(&api.services.platform().settings)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let is_wanted = |word: Option<String>| word.as_deref() == Some("true");
    let filter = ChatFilter {
        closed: is_wanted(members.closed),
        served: is_wanted(members.served),
        source: given(members.source),
        text: given(members.text),
    };
    let found = api.services.search_chats(&caller.account, seen, filter, page_of_chats(&page)).await?;
    let chats = found.chats.iter().map(|chat| FoundChatDocument::new(&chat.room, chat.closing_message.as_ref()));
    let history = page.show(chats)?;
    success(FoundChatsAnswer { count: history.len(), history, offset: page.offset, total: found.total })
}
