//! Roles: what a user is, and what the permissions are granted to.

/// May do everything that nobody took away from it.
pub const ADMIN: &str = "admin";
/// Everybody who has an account.
pub const USER: &str = "user";
/// A program that acts as a user.
pub const BOT: &str = "bot";
/// A program of an integration.
pub const APP: &str = "app";
/// Somebody who was let in for a few rooms only.
pub const GUEST: &str = "guest";
/// Somebody who has not logged in.
pub const ANONYMOUS: &str = "anonymous";
/// Somebody of another server.
pub const FEDERATED: &str = "federated-external";
/// The owner of a room.
pub const OWNER: &str = "owner";
/// A moderator of a room.
pub const MODERATOR: &str = "moderator";
/// The leader of a room.
pub const LEADER: &str = "leader";
/// Talks to visitors.
pub const AGENT: &str = "livechat-agent";
/// Manages those who do.
pub const MANAGER: &str = "livechat-manager";
/// Watches over the units it is given.
pub const MONITOR: &str = "livechat-monitor";

/// What a role is held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Users,
    /// In one room.
    Subscriptions,
}

impl Scope {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Users => "Users",
            Scope::Subscriptions => "Subscriptions",
        }
    }

    /// The scope called `name`.
    pub fn from_name(name: &str) -> Option<Scope> {
        [Scope::Users, Scope::Subscriptions].into_iter().find(|scope| scope.name() == name)
    }
}

/// A role that every server has. Its id is its name, and it cannot be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Id and name.
    pub id: &'static str,
    /// What it is held in.
    pub scope: Scope,
    /// What people read.
    pub description: &'static str,
}

const fn role(id: &'static str, scope: Scope, description: &'static str) -> BuiltIn {
    BuiltIn { id, scope, description }
}

/// The roles that every server has.
pub const BUILT_IN: [BuiltIn; 13] = [
    role(ADMIN, Scope::Users, "Admin"),
    role(USER, Scope::Users, ""),
    role(BOT, Scope::Users, ""),
    role(APP, Scope::Users, ""),
    role(GUEST, Scope::Users, ""),
    role(ANONYMOUS, Scope::Users, ""),
    role(FEDERATED, Scope::Users, ""),
    role(AGENT, Scope::Users, "Livechat Agent"),
    role(MANAGER, Scope::Users, "Livechat Manager"),
    role(MONITOR, Scope::Users, ""),
    role(OWNER, Scope::Subscriptions, "Owner"),
    role(MODERATOR, Scope::Subscriptions, "Moderator"),
    role(LEADER, Scope::Subscriptions, "Leader"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_scopes_are_found_by_name() {
        let ids: BTreeSet<&str> = BUILT_IN.iter().map(|role| role.id).collect();
        assert_eq!(ids.len(), BUILT_IN.len());
        assert_eq!(Scope::from_name("Subscriptions"), Some(Scope::Subscriptions));
        assert_eq!(Scope::from_name("users"), None);
    }
}
