//! Agents and those who manage them: who is one, whether an agent takes chats, and what is kept of agents.

mod availability;
mod next;
mod staff;

use usher_domain::role::{AGENT, BOT, MANAGER};
use usher_domain::user::UserStatus;
use usher_store::q::users::User;

pub(crate) use availability::{came, forget, left, settle, with_consequences};
pub use next::AgentSeen;
pub(crate) use staff::follow_roles;
pub use staff::{StaffChoice, StaffListed, StaffMember};

/// The kinds of people who work with chats, as clients name them in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staff {
    /// Talks to visitors.
    Agent,
    /// Manages those who do.
    Manager,
}

impl Staff {
    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<Staff> {
        match name {
            "agent" => Some(Staff::Agent),
            "manager" => Some(Staff::Manager),
            _ => None,
        }
    }

    /// The role that makes one.
    pub fn role(self) -> &'static str {
        match self {
            Staff::Agent => AGENT,
            Staff::Manager => MANAGER,
        }
    }
}

/// Whether a user is an agent.
pub(crate) fn is_agent(user: &User) -> bool {
    holds(&user.roles, AGENT)
}

/// Whether a user is a program.
fn is_bot(user: &User) -> bool {
    holds(&user.roles, BOT)
}

fn holds(roles: &[String], role: &str) -> bool {
    roles.iter().any(|held| held == role)
}

/// Whether a user is there.
fn is_there(user: &User) -> bool {
    user.status != UserStatus::Offline.name()
}
