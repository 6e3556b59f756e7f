//! Roles: making them, and giving them to users.

use usher_domain::permission::{ACCESS_PERMISSIONS, ASSIGN_ADMIN_ROLE};
use usher_domain::role::{ADMIN, AGENT, Scope};
use usher_domain::settings::DISPLAY_ROLES;
use usher_store::Tx;
use usher_store::q;

pub use usher_store::q::roles::Role;
use usher_store::q::users::User;

use crate::agents::follow_roles;
use crate::logins::Account;
use crate::platform::mark_changed;
use crate::users::{Listed, Page, UserChoice, Wanted};
use crate::{Error, Refusal, Services};

/// The most characters of a role's name.
const NAME_LIMIT: usize = 128;

/// A role as an administrator wants it. What is `None` stays, or is the usual.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// The name.
    pub name: String,
    /// What people read.
    pub description: Option<String>,
    /// What it is held in.
    pub scope: Option<String>,
    /// Whether those who hold it have to have a second factor.
    pub needs_second_factor: Option<bool>,
}

/// A user and a role.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The user's name.
    pub username: String,
    /// The role's id, or its name.
    pub role: String,
    /// The room in which it is held, if it is of that kind.
    pub room_id: Option<String>,
}

/// A role by its id, or as older clients say it by its name.
fn find(tx: &mut Tx<'_>, id_or_name: &str) -> Result<Option<Role>, Error> {
    let roles = q::roles::all(tx)?;
    let by_id = roles.iter().find(|role| role.id == id_or_name);
    Ok(by_id.or_else(|| roles.iter().find(|role| role.name == id_or_name)).cloned())
}

impl Services {
    /// Whether everybody who is logged in is told who got a role or lost one.
    pub fn shows_roles(&self) -> bool {
        self.platform().settings.get(&DISPLAY_ROLES)
    }

    /// The roles that were deleted after `since` (milliseconds UTC), with the time of it.
    pub async fn roles_removed_since(&self, since: i64) -> Result<Vec<(String, i64)>, Error> {
        self.store.read(move |tx| q::roles::removed_since(tx, since).map_err(Error::from)).await
    }

    /// Gives a user a role.
    pub async fn add_user_to_role(&self, account: &Account, membership: Membership) -> Result<Role, Error> {
        if !self.permits(&account.user, ACCESS_PERMISSIONS) {
            return Err(Refusal::ActionNotAllowed("Accessing permissions is not allowed").into());
        }
        let may_make_admins = self.permits(&account.user, ASSIGN_ADMIN_ROLE);
        let now = self.now();
        let done = self
            .store
            .write(move |tx| {
                let role = find(tx, &membership.role)?.ok_or(Refusal::RoleNotFound)?;
                check_room(&role, &membership)?;
                if role.id == ADMIN && !may_make_admins {
                    return Err(Refusal::ActionNotAllowed("Assigning admin is not allowed").into());
                }
                let user = UserChoice::Username(membership.username.clone()).find(tx)?.ok_or(Refusal::InvalidUser)?;
                if user.roles.contains(&role.id) {
                    return Err(Refusal::UserAlreadyInRole.into());
                }
                q::users::add_role(tx, &user.id, &role.id)?;
                if role.id == AGENT {
                    let roles = user.roles.iter().cloned().chain([AGENT.to_owned()]).collect();
                    follow_roles(tx, false, User { roles, ..user }, now)?;
                }
                Ok(role)
            })
            .await;
        self.chat_may_be_taken();
        done
    }

    /// Takes a role from a user. The last administrator stays one. Whether the caller may is declared where it is called.
    pub async fn remove_user_from_role(&self, account: &Account, membership: Membership) -> Result<Role, Error> {
        let may_make_admins = self.permits(&account.user, ASSIGN_ADMIN_ROLE);
        let now = self.now();
        self.store
            .write(move |tx| {
                let user = UserChoice::Username(membership.username.clone()).find(tx)?.ok_or(Refusal::InvalidUser)?;
                let role = find(tx, &membership.role)?.ok_or(Refusal::InvalidRoleId)?;
                check_room(&role, &membership)?;
                if !user.roles.contains(&role.id) {
                    return Err(Refusal::UserNotInRole.into());
                }
                if role.id == ADMIN {
                    if !may_make_admins {
                        return Err(Refusal::ActionNotAllowed("Assigning admin is not allowed").into());
                    }
                    if user.active && q::users::count_active_with_role(tx, ADMIN)? <= 1 {
                        return Err(Refusal::AdministratorRequired.into());
                    }
                }
                q::users::remove_role(tx, &user.id, &role.id)?;
                if role.id == AGENT {
                    let roles = user.roles.iter().filter(|held| *held != AGENT).cloned().collect();
                    follow_roles(tx, true, User { roles, ..user }, now)?;
                }
                Ok(role)
            })
            .await
    }

    /// A page of the users who hold a role.
    pub async fn users_in_role(&self, account: &Account, role: String, page: Page) -> Result<Listed, Error> {
        let role = self.platform().role(&role).cloned().ok_or(Refusal::InvalidRoleId)?;
        self.list_users(account, Wanted { roles: vec![role.id], ..Wanted::default() }, page).await
    }

    /// The users who hold a role with a description, which people are told about; each with those roles alone.
    pub async fn users_in_public_roles(&self, account: &Account) -> Result<Vec<User>, Error> {
        let platform = self.platform();
        let public: Vec<String> =
            platform.roles.iter().filter(|role| !role.description.is_empty()).map(|role| role.id.clone()).collect();
        let wanted = Wanted { roles: public.clone(), active: Some(true), ..Wanted::default() };
        let listed = self.list_users(account, wanted, Page::whole()).await?;
        let with_public_roles = listed.users.into_iter().map(|seen| {
            let roles = seen.user.roles.iter().filter(|role| public.contains(role)).cloned().collect();
            User { roles, ..seen.user }
        });
        Ok(with_public_roles.collect())
    }

    /// Makes a role.
    pub async fn create_role(&self, account: &Account, wanted: RoleChange) -> Result<Role, Error> {
        self.may_change_roles(account)?;
        let role = Role {
            id: self.new_id(),
            name: wanted.name,
            description: wanted.description.unwrap_or_default(),
            scope: wanted.scope.unwrap_or_else(|| Scope::Users.name().to_owned()),
            is_protected: false,
            needs_second_factor: wanted.needs_second_factor.unwrap_or_default(),
            updated_at: self.now(),
        };
        let stored = self
            .store
            .write(move |tx| {
                check_role(tx, &role)?;
                q::roles::add(tx, &role)?;
                mark_changed(tx)?;
                Ok::<_, Error>(role.clone())
            })
            .await?;
        self.load_platform().await?;
        Ok(stored)
    }

    /// Changes a role. Those that every server has keep name and scope.
    pub async fn update_role(&self, account: &Account, id: String, wanted: RoleChange) -> Result<Role, Error> {
        self.may_change_roles(account)?;
        let now = self.now();
        let stored = self
            .store
            .write(move |tx| {
                let before = find(tx, &id)?.ok_or(Refusal::InvalidRoleId)?;
                let scope = wanted.scope.clone().unwrap_or_else(|| before.scope.clone());
                if before.is_protected && (wanted.name != before.name || scope != before.scope) {
                    return Err(Refusal::RoleProtected.into());
                }
                let after = Role {
                    name: wanted.name.clone(),
                    description: wanted.description.clone().unwrap_or(before.description),
                    scope,
                    needs_second_factor: wanted.needs_second_factor.unwrap_or(before.needs_second_factor),
                    updated_at: now,
                    ..before
                };
                check_role(tx, &after)?;
                q::roles::update(tx, &after)?;
                mark_changed(tx)?;
                Ok::<_, Error>(after)
            })
            .await?;
        self.load_platform().await?;
        Ok(stored)
    }

    /// Deletes a role that nobody holds, and takes every permission from it. Whether the caller may is declared where it is called.
    pub async fn delete_role(&self, id: String) -> Result<(), Error> {
        let now = self.now();
        self.store
            .write(move |tx| {
                let role = find(tx, &id)?.ok_or(Refusal::InvalidRoleId)?;
                if role.is_protected {
                    return Err(Refusal::RoleProtected.into());
                }
                if q::roles::is_held(tx, &role.id)? {
                    return Err(Refusal::RoleInUse.into());
                }
                q::permissions::revoke_of_role(tx, &role.id, now)?;
                q::roles::delete(tx, &role.id, now)?;
                Ok::<_, Error>(mark_changed(tx)?)
            })
            .await?;
        self.load_platform().await
    }

    fn may_change_roles(&self, account: &Account) -> Result<(), Error> {
        let may = self.permits(&account.user, ACCESS_PERMISSIONS);
        if may { Ok(()) } else { Err(Refusal::ActionNotAllowed("Accessing permissions is not allowed").into()) }
    }
}

/// No room has members yet, so nobody can be made something in one: giving the role everywhere instead would be too much.
fn check_room(role: &Role, membership: &Membership) -> Result<(), Refusal> {
    let is_of_rooms = role.scope == Scope::Subscriptions.name();
    if is_of_rooms && membership.room_id.is_some() { Err(Refusal::NoSuchRoom) } else { Ok(()) }
}

/// Refuses a role whose name or scope cannot be, or whose name another one has.
fn check_role(tx: &mut Tx<'_>, role: &Role) -> Result<(), Error> {
    let is_name = !role.name.trim().is_empty() && role.name.chars().count() <= NAME_LIMIT && !role.name.contains(',');
    if !is_name || Scope::from_name(&role.scope).is_none() {
        return Err(Refusal::InvalidRoleProperties.into());
    }
    let is_taken = |other: &Role| other.id != role.id && (other.name == role.name || other.id == role.name);
    if q::roles::all(tx)?.iter().any(is_taken) {
        return Err(Refusal::DuplicateRoleName.into());
    }
    Ok(())
}
