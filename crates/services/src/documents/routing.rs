//! Routing as the wire shows it.

use serde::Serialize;
use usher_domain::routing::{RoutingConfig, RoutingMethod};
use usher_domain::settings::{ROUTING_METHOD, Settings};
use utoipa::ToSchema;

/// What clients have to know of the routing method in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingConfigDocument {
    /// Whether agents may look into a waiting chat.
    preview_room: bool,
    /// Whether the widget says that it waits for an agent.
    show_connecting: bool,
    /// Whether agents see the queue.
    show_queue: bool,
    /// Whether agents see who has how many chats.
    show_queue_link: bool,
    /// Whether agents may return a chat to the queue.
    return_queue: bool,
    /// Whether triggers may act.
    enable_trigger_action: bool,
    /// Whether chats are given to agents.
    auto_assign_agent: bool,
}

impl RoutingConfigDocument {
    /// That of the method that these settings choose.
    pub fn of(settings: &Settings) -> RoutingConfigDocument {
        RoutingMethod::from_name(settings.choice(&ROUTING_METHOD)).config().into()
    }
}

impl From<RoutingConfig> for RoutingConfigDocument {
    fn from(config: RoutingConfig) -> RoutingConfigDocument {
        RoutingConfigDocument {
            preview_room: config.preview_room,
            show_connecting: config.show_connecting,
            show_queue: config.show_queue,
            show_queue_link: config.show_queue_link,
            return_queue: config.return_queue,
            enable_trigger_action: config.enable_trigger_action,
            auto_assign_agent: config.auto_assign_agent,
        }
    }
}
