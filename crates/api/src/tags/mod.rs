//! The operations, one file for each tag of the OpenAPI document.

mod authentication;
mod chat;
mod livechat;
mod livechat_messages;
mod livechat_offline;
mod livechat_page_visited;
mod methods;
mod omnichannel_agents;
mod omnichannel_custom_fields;
mod omnichannel_departments;
mod omnichannel_inquiries;
mod omnichannel_rooms;
mod omnichannel_transcript;
mod omnichannel_users;
mod omnichannel_visitors;
mod permissions;
mod roles;
mod rooms;
mod rooms_files;
mod server;
mod settings;
mod subscriptions;
mod users;
mod usher_changes;
mod usher_contacts;
mod usher_erasures;
mod usher_mails;
mod usher_retention;
mod usher_rooms;

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
        .routes(operation!(chat::send::send))
        .routes(operation!(chat::send::post))
        .routes(operation!(chat::change::update))
        .routes(operation!(chat::change::delete))
        .routes(operation!(chat::read::get))
        .routes(operation!(chat::read::sync))
        .routes(operation!(chat::read::search))
        .routes(operation!(chat::marks::react))
        .routes(operation!(chat::marks::pin))
        .routes(operation!(chat::marks::unpin))
        .routes(operation!(chat::marks::star))
        .routes(operation!(chat::marks::unstar))
        .routes(operation!(livechat::config))
        .routes(operation!(livechat::routing))
        .routes(operation!(livechat::integrations))
        .routes(operation!(livechat::queue))
        .routes(operation!(livechat_messages::post_message))
        .routes(operation!(livechat_messages::history))
        .routes(operation!(livechat_messages::message))
        .routes(operation!(livechat_messages::edit_message))
        .routes(operation!(livechat_messages::delete_message))
        .routes(operation!(livechat_messages::post_messages))
        .routes(operation!(livechat_messages::messages_of_room))
        .routes(operation!(livechat_messages::messages_of_room_as_published))
        .routes(operation!(livechat_offline::leave_message))
        .routes(operation!(livechat_page_visited::page_visited))
        .routes(operation!(methods::call))
        .routes(operation!(methods::call_anonymously))
        .routes(operation!(omnichannel_custom_fields::list))
        .routes(operation!(omnichannel_custom_fields::get))
        .routes(operation!(omnichannel_custom_fields::save))
        .routes(operation!(omnichannel_custom_fields::delete))
        .routes(operation!(omnichannel_custom_fields::set_value))
        .routes(operation!(omnichannel_custom_fields::set_values))
        .routes(operation!(omnichannel_agents::info))
        .routes(operation!(omnichannel_agents::next))
        .routes(operation!(omnichannel_agents::status))
        .routes(operation!(omnichannel_agents::save_info))
        .routes(operation!(omnichannel_agents::departments))
        .routes(operation!(omnichannel_departments::list))
        .routes(operation!(omnichannel_departments::create))
        .routes(operation!(omnichannel_departments::get))
        .routes(operation!(omnichannel_departments::update))
        .routes(operation!(omnichannel_departments::delete))
        .routes(operation!(omnichannel_departments::agents))
        .routes(operation!(omnichannel_departments::change_agents))
        .routes(operation!(omnichannel_inquiries::list))
        .routes(operation!(omnichannel_inquiries::queued_for_user))
        .routes(operation!(omnichannel_inquiries::get_one))
        .routes(operation!(omnichannel_inquiries::take))
        .routes(operation!(omnichannel_inquiries::return_to_queue))
        .routes(operation!(omnichannel_inquiries::set_service_level))
        .routes(operation!(omnichannel_rooms::room))
        .routes(operation!(omnichannel_rooms::list::list))
        .routes(operation!(omnichannel_rooms::list::filters))
        .routes(operation!(omnichannel_rooms::close::by_visitor))
        .routes(operation!(omnichannel_rooms::close::by_user))
        .routes(operation!(omnichannel_rooms::close::join))
        .routes(operation!(omnichannel_rooms::close::survey))
        .routes(operation!(omnichannel_rooms::info::save))
        .routes(operation!(omnichannel_rooms::upload::by_visitor))
        .routes(operation!(omnichannel_users::list))
        .routes(operation!(omnichannel_users::add))
        .routes(operation!(omnichannel_users::get))
        .routes(operation!(omnichannel_users::remove))
        .routes(operation!(omnichannel_visitors::own::register))
        .routes(operation!(omnichannel_visitors::own::visitor))
        .routes(operation!(omnichannel_visitors::own::erase))
        .routes(operation!(omnichannel_visitors::own::set_status))
        .routes(operation!(omnichannel_visitors::own::set_status_by_another_name))
        .routes(operation!(omnichannel_visitors::staff::open_rooms))
        .routes(operation!(omnichannel_visitors::staff::info))
        .routes(operation!(omnichannel_visitors::staff::search))
        .routes(operation!(omnichannel_visitors::staff::autocomplete))
        .routes(operation!(omnichannel_visitors::staff::pages_visited))
        .routes(operation!(omnichannel_visitors::staff::chat_history))
        .routes(operation!(omnichannel_visitors::staff::search_chats))
        .routes(operation!(omnichannel_transcript::send))
        .routes(operation!(omnichannel_transcript::request))
        .routes(operation!(omnichannel_transcript::discard))
        .routes(operation!(omnichannel_transcript::print))
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
        .routes(operation!(rooms::channel))
        .routes(operation!(rooms::info))
        .routes(operation!(rooms::list))
        .routes(operation!(rooms_files::upload))
        .routes(operation!(rooms_files::media))
        .routes(operation!(rooms_files::confirm))
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
        .routes(operation!(subscriptions::list))
        .routes(operation!(subscriptions::get))
        .routes(operation!(subscriptions::read))
        .routes(operation!(subscriptions::unread))
        .routes(operation!(usher_rooms::routing))
        .routes(operation!(usher_changes::of_room))
        .routes(operation!(usher_changes::of_list))
        .routes(operation!(usher_contacts::holdings))
        .routes(operation!(usher_contacts::export))
        .routes(operation!(usher_contacts::erase))
        .routes(operation!(usher_contacts::hold))
        .routes(operation!(usher_contacts::lift))
        .routes(operation!(usher_erasures::list))
        .routes(operation!(usher_erasures::key))
        .routes(operation!(usher_erasures::receipt))
        .routes(operation!(usher_retention::list))
        .routes(operation!(usher_retention::add))
        .routes(operation!(usher_retention::preview))
        .routes(operation!(usher_retention::remove))
        .routes(operation!(usher_mails::list))
        .routes(operation!(usher_mails::retry))
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
