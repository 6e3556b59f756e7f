//! Which roles hold which permission.

use std::collections::{BTreeMap, HashSet};

use usher_store::q;

use crate::platform::mark_changed;
use crate::{Error, Refusal, Services};

/// A permission as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPermission {
    /// The id.
    pub id: String,
    /// The roles that hold it.
    pub roles: Vec<String>,
    /// When that last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl Services {
    /// Every permission, or those that changed after `since` (milliseconds UTC).
    pub async fn permissions(&self, since: Option<i64>) -> Result<Vec<HeldPermission>, Error> {
        let read = |tx: &mut usher_store::Tx<'_>| Ok::<_, Error>((q::permissions::all(tx)?, q::permissions::grants(tx)?));
        let (all, grants) = self.store.read(read).await?;
        let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (permission, role) in grants {
            roles.entry(permission).or_default().push(role);
        }
        let changed = all.into_iter().filter(|(_, updated_at)| since.is_none_or(|since| *updated_at > since));
        let shown = changed.map(|(id, updated_at)| HeldPermission { roles: roles.remove(&id).unwrap_or_default(), id, updated_at });
        Ok(shown.collect())
    }

    /// Says which roles hold these permissions: all of it, or none. Whether the caller may is declared where it is called.
    pub async fn set_permissions(&self, changes: Vec<(String, Vec<String>)>) -> Result<(), Error> {
        let mut named = HashSet::new();
        if !changes.iter().all(|(id, _)| named.insert(id.clone())) {
            return Err(Refusal::InvalidPermission.into());
        }
        let now = self.now();
        self.store
            .write(move |tx| {
                let known: HashSet<String> = q::permissions::all(tx)?.into_iter().map(|(id, _)| id).collect();
                if !changes.iter().all(|(id, _)| known.contains(id)) {
                    return Err(Refusal::InvalidPermission.into());
                }
                let roles: HashSet<String> = q::roles::all(tx)?.into_iter().map(|role| role.id).collect();
                if !changes.iter().flat_map(|(_, holders)| holders).all(|role| roles.contains(role)) {
                    return Err(Refusal::InvalidRole.into());
                }
                for (id, holders) in &changes {
                    q::permissions::set_roles(tx, id, holders, now)?;
                }
                Ok::<_, Error>(mark_changed(tx)?)
            })
            .await?;
        self.load_platform().await
    }
}
