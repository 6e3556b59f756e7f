//! Lists of users.

use usher_domain::permission::VIEW_FULL_OTHER_USER_INFO;
use usher_store::q;

pub use usher_store::q::users::{Order, Page, User, Wanted};

use super::Seen;
use crate::logins::Account;
use crate::{Error, Services};

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The users of the page.
    pub users: Vec<Seen>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Services {
    /// A page of the users that are wanted, as the caller may see them.
    pub async fn list_users(&self, account: &Account, wanted: Wanted, page: Page) -> Result<Listed, Error> {
        let sees_all = self.permits(&account.user, VIEW_FULL_OTHER_USER_INFO);
        let own_id = account.user.id.clone();
        let read = move |tx: &mut usher_store::Tx<'_>| {
            Ok::<_, Error>((q::users::list(tx, &wanted, &page)?, q::users::count(tx, &wanted)?))
        };
        let (users, total) = self.store.read(read).await?;
        let seen = |user: User| Seen { is_whole: sees_all || user.id == own_id, user };
        Ok(Listed { users: users.into_iter().map(seen).collect(), total })
    }
}
