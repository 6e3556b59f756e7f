//! The operations, one file for each tag of the OpenAPI document.

mod authentication;
mod livechat;
mod livechat_messages;
mod methods;
mod omnichannel_rooms;
mod omnichannel_visitors;
mod permissions;
mod roles;
mod server;
mod settings;
mod users;

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
        .routes(operation!(methods::call))
        .routes(operation!(methods::call_anonymously))
        .routes(operation!(omnichannel_rooms::room))
        .routes(operation!(omnichannel_visitors::register))
        .routes(operation!(omnichannel_visitors::visitor))
        .routes(operation!(omnichannel_visitors::erase))
        .routes(operation!(permissions::list))
        .routes(operation!(permissions::update))
        .routes(operation!(roles::list))
        .routes(operation!(roles::sync))
        .routes(operation!(roles::add_user))
        .routes(operation!(roles::remove_user))
        .routes(operation!(roles::holders))
        .routes(operation!(roles::public_holders))
        .routes(operation!(roles::create))
        .routes(operation!(roles::update))
        .routes(operation!(roles::delete))
        .routes(operation!(server::info))
        .routes(operation!(server::info_of_version))
        .routes(operation!(server::licenses))
        .routes(operation!(server::password_policy))
        .routes(operation!(server::commands))
        .routes(operation!(server::command))
        .routes(operation!(server::run_command))
        .routes(operation!(settings::public))
        .routes(operation!(settings::list))
        .routes(operation!(settings::get))
        .routes(operation!(settings::set))
        .routes(operation!(settings::set_many))
        .routes(operation!(settings::oauth))
        .routes(operation!(settings::service_configurations))
        .routes(operation!(users::accounts::create))
        .routes(operation!(users::accounts::delete))
        .routes(operation!(users::accounts::register))
        .routes(operation!(users::changes::update))
        .routes(operation!(users::changes::update_own))
        .routes(operation!(users::changes::set_active))
        .routes(operation!(users::list::list))
        .routes(operation!(users::list::list_by_status))
        .routes(operation!(users::list::autocomplete))
        .routes(operation!(users::list::spotlight))
        .routes(operation!(users::preferences::set))
        .routes(operation!(users::preferences::get))
        .routes(operation!(users::preferences::suggest_username))
        .routes(operation!(users::read::info))
        .routes(operation!(users::read::avatar))
        .routes(operation!(users::status::set))
        .routes(operation!(users::status::get))
        .routes(operation!(users::status::get_presence))
        .routes(operation!(users::status::presence))
        .routes(operation!(users::tokens::generate))
        .routes(operation!(users::tokens::regenerate))
        .routes(operation!(users::tokens::list))
        .routes(operation!(users::tokens::remove))
        .routes(operation!(users::tokens::create_token))
        .routes(operation!(users::tokens::log_out))
}
