//! The operations, one file for each tag of the OpenAPI document.

mod authentication;
mod livechat;
mod livechat_messages;
mod omnichannel_rooms;
mod omnichannel_visitors;

use utoipa_axum::router::OpenApiRouter;

use crate::operation::operation;
use crate::{Shared, documentation};

/// All operations, with their document.
pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(documentation::head())
        .routes(operation!(authentication::log_in))
        .routes(operation!(authentication::log_out))
        .routes(operation!(authentication::log_out_by_get))
        .routes(operation!(authentication::me))
        .routes(operation!(livechat::config))
        .routes(operation!(livechat_messages::post_message))
        .routes(operation!(livechat_messages::history))
        .routes(operation!(omnichannel_rooms::room))
        .routes(operation!(omnichannel_visitors::register))
        .routes(operation!(omnichannel_visitors::visitor))
        .routes(operation!(omnichannel_visitors::erase))
}
