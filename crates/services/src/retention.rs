//! Erasing visitors by themselves who have not come back: by rules, each for a department or for all, with an age.
//!
//! A visitor is concerned as a whole, when the last of its chats was closed so many days ago, in the rule's department, and none is open.
//! It goes the way of every erasure. A visitor without any chat is concerned by no rule, and neither is a contact with a legal hold.

use usher_store::q;
use usher_store::q::retention::OldChat;
pub use usher_store::q::retention::RetentionRule;

use crate::{Error, Refusal, Services};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// How many chats are looked at at once.
const PAGE: i64 = 200;

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The department of the last chat; `None` for any and for none.
    pub department_id: Option<String>,
    /// After how many days; at least one.
    pub days: i64,
}

impl Retention {
    /// Before which time a chat was closed long ago (milliseconds UTC).
    fn before(&self, now: i64) -> i64 {
        now - self.days.max(1).saturating_mul(DAY)
    }
}

impl Services {
    /// All rules, the oldest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn retention_rules(&self) -> Result<Vec<RetentionRule>, Error> {
        self.store.read(|tx| q::retention::all(tx).map_err(Error::from)).await
    }

    /// Adds a rule. One for a dry run only counts.
    ///
    /// # Errors
    ///
    /// There is no such department.
    pub async fn add_retention_rule(&self, said: Retention, is_dry_run: bool) -> Result<RetentionRule, Error> {
        let rule = RetentionRule {
            id: self.new_id(),
            department_id: said.department_id,
            days: said.days,
            is_dry_run,
            created_at: self.now(),
            followed: None,
        };
        self.store
            .write(move |tx| {
                if let Some(id) = &rule.department_id
                    && q::departments::by_id(tx, id)?.is_none()
                {
                    return Err(Refusal::DepartmentNotFound.into());
                }
                q::retention::add(tx, &rule)?;
                Ok(rule.clone())
            })
            .await
    }

    /// Removes a rule.
    ///
    /// # Errors
    ///
    /// There is no such rule.
    pub async fn remove_retention_rule(&self, id: String) -> Result<(), Error> {
        self.store
            .write(move |tx| if q::retention::remove(tx, &id)? { Ok(()) } else { Err(Refusal::NoSuchRetentionRule.into()) })
            .await
    }

    /// How many visitors a rule would concern now. Changes nothing.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn count_by_retention(&self, said: Retention) -> Result<i64, Error> {
        let (mut count, mut after) = (0, (0, String::new()));
        loop {
            let page = self.old_chats(&said, after).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = (last.closed_at, last.room_id.clone());
            count += page.len() as i64;
        }
    }

    /// Follows all rules. Gives how many visitors were erased.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn follow_retention_rules(&self) -> Result<u64, Error> {
        let mut erased = 0;
        for rule in self.retention_rules().await? {
            let said = Retention { department_id: rule.department_id.clone(), days: rule.days };
            let count = if rule.is_dry_run { self.count_by_retention(said).await? } else { self.erase_by_retention(&said).await? };
            if !rule.is_dry_run {
                erased += u64::try_from(count).unwrap_or(0);
            }
            let now = self.now();
            self.store.write(move |tx| q::retention::note_followed(tx, &rule.id, now, count).map_err(Error::from)).await?;
        }
        Ok(erased)
    }

    async fn erase_by_retention(&self, said: &Retention) -> Result<i64, Error> {
        let (mut count, mut after) = (0, (0, String::new()));
        let before = said.before(self.now());
        loop {
            let page = self.old_chats(said, after).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = (last.closed_at, last.room_id.clone());
            for chat in page {
                count += i64::from(self.erase_unless_back(chat.visitor_id, before).await?);
            }
        }
    }

    async fn old_chats(&self, said: &Retention, after: (i64, String)) -> Result<Vec<OldChat>, Error> {
        let (department_id, now) = (said.department_id.clone(), self.now());
        let before = said.before(now);
        self.store
            .read_long(move |tx| {
                let after = (after.0, after.1.as_str());
                q::retention::old_chats(tx, department_id.as_deref(), before, now, after, PAGE).map_err(Error::from)
            })
            .await
    }
}
