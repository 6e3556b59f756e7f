//! What administrators decide for the whole server - settings, roles and permissions - as of one moment.
//!
//! Every use case looks at the snapshot that is in force. Whoever changes something puts the new one in force before it answers, so
//! that the next request goes by it; other processes on the same database look for a new one several times a second.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};
use usher_domain::permission::{self, Grants, Permission};
use usher_domain::role;
use usher_domain::settings::{self, SITE_URL, Settings};
use usher_domain::user::{SYSTEM_USER, UserStatus};
use usher_store::q::{self, roles::Role, users::User};
use usher_store::{StoreError, Tx};

use crate::{Error, Services, users};

/// The counter that rises with every change.
const REVISION: &str = "platform";

/// The decisions of administrators.
#[derive(Debug, Default)]
pub struct Platform {
    /// Rises with every change.
    pub revision: i64,
    /// The settings in force.
    pub settings: Settings,
    /// Who holds which permission.
    pub grants: Grants,
    /// The roles, in the order of their ids.
    pub roles: Vec<Role>,
    /// What users prefer who have chosen nothing.
    pub default_preferences: Map<String, Value>,
}

impl Platform {
    /// What absolute addresses of this server begin with; nothing while it does not know its own.
    pub fn site(&self) -> &str {
        self.settings.text(&SITE_URL).trim_end_matches('/')
    }
}

/// The snapshot in force.
#[derive(Default)]
pub(crate) struct InForce(RwLock<Arc<Platform>>);

/// What the environment says of settings.
#[derive(Debug, Clone, Default)]
pub struct SettingsOfEnvironment {
    /// Values at the very first start.
    pub initial: Vec<(&'static str, Value)>,
    /// Values at every start.
    pub forced: Vec<(&'static str, Value)>,
}

impl InForce {
    fn get(&self) -> Arc<Platform> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a snapshot in force, unless a newer one is already. Gives the former one and the new one.
    fn put(&self, platform: Platform) -> Option<(Arc<Platform>, Arc<Platform>)> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if platform.revision <= held.revision {
            return None;
        }
        let after = Arc::new(platform);
        Some((std::mem::replace(&mut *held, Arc::clone(&after)), after))
    }
}

impl Platform {
    /// The role with this id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }
}

impl Services {
    /// The decisions in force.
    pub fn platform(&self) -> Arc<Platform> {
        self.in_force.get()
    }

    /// Whether a user with these roles may do what the permission allows.
    pub fn permits(&self, user: &User, permission: Permission) -> bool {
        self.platform().grants.permit(&user.roles, permission.0)
    }

    /// Puts into the store what a server needs to begin with: the built-in roles and permissions, the user in whose name it speaks, and
    /// what the environment says of settings. What is there already stays as it is.
    pub(crate) async fn prepare_platform(&self, environment: SettingsOfEnvironment) -> Result<(), Error> {
        let now = self.now();
        let system_user = system_user(now);
        self.store
            .write(move |tx| {
                let is_first_start = q::permissions::all(tx)?.is_empty();
                let mut has_changed = add_roles(tx, now)? | add_permissions(tx, now)?;
                if q::users::by_username(tx, SYSTEM_USER)?.is_none() {
                    q::users::insert(tx, &system_user)?;
                }
                let initial = environment.initial.iter().filter(|_| is_first_start);
                let stored = q::settings::all(tx)?;
                for (id, value) in initial.chain(&environment.forced) {
                    let value = value.to_string();
                    if !stored.iter().any(|(known, text)| known == id && *text == value) {
                        q::settings::put(tx, id, &value, None, now)?;
                        has_changed = true;
                    }
                }
                if has_changed {
                    mark_changed(tx)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        self.load_platform().await
    }

    /// Puts in force what the store holds now.
    pub(crate) async fn load_platform(&self) -> Result<(), Error> {
        let loaded = self.store.read(|tx| load(tx).map_err(Error::from)).await?;
        if let Some((before, after)) = self.in_force.put(loaded) {
            self.hub.platform_changed(before, after);
        }
        // Limits, the routing method or who is an agent may have changed.
        self.chat_may_be_taken();
        Ok(())
    }

    /// Puts in force what another process on the same database decided. Gives whether there was something.
    pub async fn follow_platform(&self) -> Result<bool, Error> {
        let revision = self.store.read(|tx| q::counters::current(tx, REVISION).map_err(Error::from)).await?;
        let is_newer = revision > self.platform().revision;
        if is_newer {
            self.load_platform().await?;
        }
        Ok(is_newer)
    }
}

/// Says that something changed: part of every transaction that changes a setting, a role or a permission.
pub(crate) fn mark_changed(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    q::counters::take(tx, REVISION, 1).map(|_| ())
}

fn load(tx: &mut Tx<'_>) -> Result<Platform, StoreError> {
    let revision = q::counters::current(tx, REVISION)?;
    let stored = q::settings::all(tx)?.into_iter();
    // A setting that this version does not know belongs to another; what is no JSON was not written by us.
    let known = stored.filter(|(id, _)| settings::definition(id).is_some());
    let values = known.filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?)));
    let settings = Settings::with(values).unwrap_or_default();
    let default_preferences = users::defaults(&settings);
    let (grants, roles) = (Grants::new(q::permissions::grants(tx)?), q::roles::all(tx)?);
    Ok(Platform { revision, settings, grants, roles, default_preferences })
}

/// Adds the built-in roles that are missing. Gives whether there were any.
fn add_roles(tx: &mut Tx<'_>, now: i64) -> Result<bool, StoreError> {
    let known: HashSet<String> = q::roles::all(tx)?.into_iter().map(|role| role.id).collect();
    let missing = role::BUILT_IN.iter().filter(|role| !known.contains(role.id));
    let mut added = false;
    for role in missing {
        let role = Role {
            id: role.id.to_owned(),
            name: role.id.to_owned(),
            description: role.description.to_owned(),
            scope: role.scope.name().to_owned(),
            is_protected: true,
            needs_second_factor: false,
            updated_at: now,
        };
        q::roles::add(tx, &role)?;
        added = true;
    }
    Ok(added)
}

/// Adds the permissions that are missing, with the roles that hold them at the start. Gives whether there were any.
fn add_permissions(tx: &mut Tx<'_>, now: i64) -> Result<bool, StoreError> {
    let known: HashSet<String> = q::permissions::all(tx)?.into_iter().map(|(id, _)| id).collect();
    let missing: Vec<_> = permission::at_the_start().filter(|(id, _)| !known.contains(id)).collect();
    q::permissions::add(tx, &missing, now)?;
    Ok(!missing.is_empty())
}

/// The user in whose name the server speaks; its id is its name. Without a password nobody can log in as it.
fn system_user(now: i64) -> User {
    User {
        username: SYSTEM_USER.to_owned(),
        name: Some("Rocket.Cat".to_owned()),
        kind: "bot".to_owned(),
        status: UserStatus::Online.name().to_owned(),
        roles: vec![role::BOT.to_owned()],
        ..User::new(SYSTEM_USER.to_owned(), now)
    }
}
