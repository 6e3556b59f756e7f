//! Subscriptions as the wire shows them.

use serde::Serialize;
use usher_domain::room::Room;
use usher_domain::subscription::Subscription;
use utoipa::ToSchema;

use super::room::VisitorOfRoom;
use super::{Date, Eyes};

/// A room in a user's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionDocument<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    rid: &'a str,
    name: &'a str,
    fname: &'a str,
    t: &'static str,
    u: UserOfSubscription<'a>,
    v: VisitorOfRoom<'a>,
    open: bool,
    alert: bool,
    unread: i64,
    #[serde(rename = "userMentions")]
    user_mentions: i64,
    #[serde(rename = "groupMentions")]
    group_mentions: i64,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    favorite: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ls: Option<Date>,
    ts: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
    #[serde(rename = "onHold", skip_serializing_if = "Option::is_none")]
    on_hold: Option<bool>,
    #[serde(rename = "_updatedAt")]
    updated_at: Date,
    // What follows never changes. Clients look for it.
    #[serde(rename = "desktopNotifications")]
    desktop_notifications: &'static str,
    #[serde(rename = "mobilePushNotifications")]
    push_notifications: &'static str,
    #[serde(rename = "emailNotifications")]
    email_notifications: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserOfSubscription<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
}

impl<'a> SubscriptionDocument<'a> {
    /// The subscription to this room.
    pub fn new(subscription: &'a Subscription, room: &'a Room) -> SubscriptionDocument<'a> {
        const ALL: &str = "all";
        SubscriptionDocument {
            id: &subscription.id,
            rid: &subscription.room_id,
            name: &room.name,
            fname: &room.name,
            t: "l",
            u: UserOfSubscription { id: &subscription.user_id, username: &subscription.username },
            v: VisitorOfRoom::of(room, Eyes::Staff),
            open: subscription.is_shown,
            alert: subscription.alert,
            unread: subscription.unread,
            user_mentions: subscription.mentions,
            group_mentions: 0,
            favorite: subscription.is_favorite.then_some(true),
            ls: subscription.last_seen_at.map(Date),
            ts: Date(subscription.created_at),
            department: room.department_id.as_deref(),
            on_hold: room.on_hold.then_some(true),
            updated_at: Date(subscription.updated_at),
            desktop_notifications: ALL,
            push_notifications: ALL,
            email_notifications: ALL,
        }
    }
}
